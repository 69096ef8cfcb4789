package crashes_test

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/invite"
)

// A writing is the task of a writer: to do one verb after the other, in several goroutines, until it is killed. It says
// "working" when the first verb was acknowledged. On "pause" it ends what it is at, says "paused" with a report, and
// waits for "go".
type writing struct {
	Journal string
	Seed    uint64
	Workers int
	Epoch   string    // begins the names of the accounts it works on
	Begin   time.Time // of its clock, which a writer before it hasn't reached
	Mutant  mutant
}

// A tally counts what a writer's calls came to, when it wasn't that they were done.
type tally struct{ refused, failed, unknown atomic.Int64 }

// A report is what a writer says when it pauses.
type report struct {
	Refused, Failed, Unknown int64
	Now                      time.Time
}

func (w *writer) report() report {
	return report{w.tally.refused.Load(), w.tally.failed.Load(), w.tally.unknown.Load(), w.time()}
}

// A writer is what its workers share.
type writer struct {
	writing
	journal *journal
	ticks   atomic.Int64
	tally   tally
	working sync.Once
	gate    sync.RWMutex // read-locked by whoever works
}

// step is what the clock is ahead from one verb to the next: so far that limits and waits matter now and then only.
const step = 10 * time.Minute

func (w *writing) run(d database) error {
	handle, err := w.Mutant.open(d)
	if err != nil {
		return err
	}
	journal, err := openJournal(w.Journal)
	if err != nil {
		return err
	}
	writer := &writer{writing: *w, journal: journal}
	for number := range w.Workers {
		worker, err := writer.worker(d, handle, number)
		if err != nil {
			return err
		}
		go worker.work()
	}
	for commands := bufio.NewScanner(os.Stdin); commands.Scan(); {
		switch commands.Text() {
		case "pause":
			writer.gate.Lock()
			text, err := json.Marshal(writer.report())
			if err != nil {
				return err
			}
			fmt.Printf("paused %s\n", text)
		case "go":
			writer.gate.Unlock()
		}
	}
	return nil
}

// A worker is one goroutine of a writer. The users, invites and contacts it acts on are its own, and so are some of the
// accounts, so that nobody undoes what it did.
type worker struct {
	*writer
	number   int
	random   *rand.Rand
	db       *notedDB
	now      time.Time
	members  *access.Service
	invites  *invite.Service // mails its links
	handed   *invite.Service // hands out its tokens
	contacts *contact.Service
	own      access.AccountID
	created  int
	current  line // of the verb under way
}

func (w *writer) worker(d database, handle *sql.DB, number int) (*worker, error) {
	k := &worker{writer: w, number: number, random: newRandom(w.Seed, number), db: &notedDB{DB: d.on(handle)}}
	if w.Mutant == logsEarly {
		k.db.beforeCommit = k.logEarly
	}
	k.members = access.New(k.db, access.Config{Now: func() time.Time { return k.now }, Staff: allowed})
	keys := []invite.Key{{ID: "k1", Secret: bytes.Repeat([]byte("crashes"), 5)}}
	var err error
	if k.invites, err = invite.New(k.db, k.members, keys, invite.Config{LinkBase: "https://portal.example/invites/"}); err != nil {
		return nil, err
	}
	if k.handed, err = invite.New(k.db, k.members, keys, invite.Config{Delivery: invite.ByHost}); err != nil {
		return nil, err
	}
	k.contacts = contact.New(k.db, k.members, contact.Config{})
	return k, nil
}

func allowed(context.Context, access.Actor, access.EventKind, access.AccountID) error { return nil }

// patience is how long a call may take.
const patience = 10 * time.Second

// work does verbs for ever.
func (w *worker) work() {
	operations := w.operations()
	for {
		w.gate.RLock()
		operations[w.random.IntN(len(operations))]()
		w.gate.RUnlock()
	}
}

// tick moves the clock on.
func (w *worker) tick() {
	w.ticks.Add(1)
	w.now = w.time()
}

func (w *writer) time() time.Time { return w.Begin.Add(time.Duration(w.ticks.Load()) * step) }

// A call is a verb with all it is called with. It returns the revision that it left, which is zero if there is none.
type call func(context.Context) (access.Revision, error)

// do calls a verb and writes its line. If it isn't known what became of it, it is called again, until it is. It reports
// whether the verb was done by a call that said so.
func (w *worker) do(l line, call call) bool {
	w.tick()
	w.current = l
	for {
		w.db.last = Effects{}
		var revision access.Revision
		err := w.ask(func(ctx context.Context) (err error) {
			revision, err = call(ctx)
			return err
		})
		switch {
		case err == nil, errors.Is(err, access.ErrUnsettled): // done, and whoever else answers from memory may not know yet
			l.Done, l.Version, l.Effects = true, revision.Version, w.db.last
			w.add(l)
			w.working.Do(func() { fmt.Println("working") })
			return true
		case errors.Is(err, access.ErrUnknownOutcome):
			w.tally.unknown.Add(1)
			l.Unknown = append(l.Unknown, w.db.last)
		case isRefusal(err):
			w.tally.refused.Add(1)
			if len(l.Unknown) > 0 {
				w.add(l)
			}
			return false
		default:
			w.failed(err)
			if !w.db.last.none() {
				l.Failed = append(l.Failed, w.db.last)
			}
			if len(l.Unknown) == 0 {
				if len(l.Failed) > 0 {
					w.add(l)
				}
				w.breathe()
				return false
			}
		}
		w.breathe()
	}
}

// ask makes one call that can't take for ever.
func (w *worker) ask(call func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return call(ctx)
}

// read asks something that changes nothing, and reports whether there was an answer.
func (w *worker) read(ask func(context.Context) error) bool {
	w.tick()
	err := w.ask(ask)
	if err != nil && !isRefusal(err) {
		w.failed(err)
		w.breathe()
	}
	return err == nil
}

// isRefusal reports whether an error is an answer, and not that there was none.
func isRefusal(err error) bool {
	_, ok := errors.AsType[*access.Error](err)
	for _, kind := range []error{access.ErrNotFound, access.ErrDenied, access.ErrExists, access.ErrInvalid, access.ErrOwner,
		access.ErrLimit, errFenced} {
		ok = ok || errors.Is(err, kind)
	}
	return ok
}

// failed notes that there was no answer.
func (w *worker) failed(err error) {
	if w.tally.failed.Add(1) == 1 {
		fmt.Fprintln(os.Stderr, "the first failure:", err)
	}
}

// breathe keeps a worker from asking without end for a server that isn't there: nobody tells when it is back.
func (w *worker) breathe() { time.Sleep(5 * time.Millisecond) }

// logEarly is what the mutant of this name does.
func (w *worker) logEarly(e Effects) error {
	l := w.current
	l.Done, l.Effects = true, e
	w.add(l)
	return nil
}

func (w *worker) add(l line) {
	if err := w.journal.add(l); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1) // without a journal nothing can be checked
	}
}
