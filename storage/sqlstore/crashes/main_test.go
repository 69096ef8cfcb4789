// Package crashes_test kills processes that use a database, at random moments and after every single statement, and the
// database server under them. Whatever was killed, and whenever: what was acknowledged is there, a verb has changed
// everything it should or nothing, and doing it again doesn't do it twice.
//
// The processes that are killed are this test binary, started again with a task in its environment.
package crashes_test

import (
	"testing"

	"github.com/rosterkit/roster/storage/sqlstore/internal/processtest"
)

func TestMain(m *testing.M) { processtest.Main(m, task.run, stopServers) }
