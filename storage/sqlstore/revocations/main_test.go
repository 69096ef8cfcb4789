// Package revocations_test has several processes answer from memory while others, and they themselves, take access away
// and give it back, and looks for an answer that was over: a yes after a revocation that had returned, or anything else
// that is older than what a Cache promises.
//
// The processes are this test binary, started again with a task in its environment. They write down what they did and were
// answered, from when until when by the machine's clock. What was true at each version of an account is read from its
// history in the database afterwards; history_test.go says which versions an answer may be of, and registers_test.go that
// all that a process was answered has one order.
package revocations_test

import (
	"testing"

	"github.com/rosterkit/roster/storage/sqlstore/internal/processtest"
	"github.com/rosterkit/roster/storage/storagetest/servertest"
)

func TestMain(m *testing.M) { processtest.Main(m, task.run, servertest.Stop) }
