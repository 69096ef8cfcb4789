// Package races_test has several processes fight over the same accounts in one database, and looks for a moment at which
// they could have noticed each other: an answer that no order of the verbs explains, or data that can't be.
//
// The processes are this test binary, started again with a task in its environment. Each has several clients, which do
// random verbs with the real services and write down what they asked, what was answered, and when. Afterwards the
// histories of all processes are put together by the machine's clock. The history of each account has to be
// linearizable: there must be one order of all verbs and reads, in which each lies between its call and its return, that
// the plain rules of account_test.go answer alike. So a member who was demoted can't demote anybody in a verb that began
// later, a token works once, the last seat is given once, there is one owner at every moment, and each register of
// (account, user, permission) reads as what was written last.
package races_test

import (
	"testing"

	"github.com/rosterkit/roster/storage/sqlstore/internal/processtest"
	"github.com/rosterkit/roster/storage/storagetest/servertest"
)

func TestMain(m *testing.M) { processtest.Main(m, task.run, servertest.Stop) }
