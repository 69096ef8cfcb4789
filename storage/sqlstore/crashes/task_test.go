package crashes_test

import (
	"os"
	"time"

	"github.com/rosterkit/roster/storage/storagetest/servertest"
)

// limit is how long a process may live that isn't killed sooner.
const limit = 20 * time.Minute

// A task is what a process does on a database: it writes until it is killed, or does one verb, in which it kills itself.
type task struct {
	Database servertest.Database
	Write    *writing
	Verb     *interruption
}

func (t task) run() error {
	if t.Write != nil {
		return t.Write.run(database{Database: t.Database})
	}
	return t.Verb.run(database{Database: t.Database})
}

// dieNow kills this process. It doesn't return.
func dieNow() {
	process, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = process.Kill()
	}
	if err != nil {
		panic(err)
	}
	select {}
}
