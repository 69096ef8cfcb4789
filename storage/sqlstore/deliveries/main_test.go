// Package deliveries_test sends mails end to end: transactions enqueue them, workers in several processes hand them to mail
// servers, and what the servers have taken is compared with what was to be sent.
//
// One server is Postfix. The other is in the process of the test, so that it can fail on purpose: it drops connections at
// every step, refuses for now and for good, and answers late. The processes are this test binary, started again with a task
// in its environment, and are killed at random.
package deliveries_test

import (
	"testing"

	"github.com/rosterkit/roster/storage/sqlstore/internal/processtest"
	"github.com/rosterkit/roster/storage/storagetest/servertest"
)

func TestMain(m *testing.M) { processtest.Main(m, task.run, servertest.Stop) }
