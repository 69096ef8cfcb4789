package races_test

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/sqlstore"
	"github.com/rosterkit/roster/storage/sqlstore/internal/processtest"
	"github.com/rosterkit/roster/storage/storagetest/servertest"
)

// A task is what one process of a race is to do. It says when it is ready, and then is told from when until when to race.
type task struct {
	Database servertest.Database
	Folder   string // of tokens and journals
	Process  int
	Clients  int
	Seed     uint64
	Themes   []string // of the accounts
	Stage    int64    // how long one is, in nanoseconds
	Hasty    bool     // now and then somebody gives up
	Mutant   string   // of mutants, if it is one

	Start, End int64 `json:"-"` // by the clock of all processes; told when all are ready
}

// A tally is what was done below the operations.
type tally struct {
	Updates int64 // units of work
	Again   int64 // how often one was begun again, after a conflict
}

func (t task) run() error {
	handle, err := sql.Open(t.Database.Driver, t.Database.Source)
	if err != nil {
		return err
	}
	defer handle.Close()
	handle.SetMaxOpenConns(2 * t.Clients)
	handle.SetMaxIdleConns(2 * t.Clients)
	db := sqlstore.New(handle, processtest.Dialect(t.Database.Engine), sqlstore.Config{})
	defer db.Close()
	counted := &countedDB{DB: db}
	backend := storage.DB(counted)
	if t.Mutant != "" {
		backend = mutants()[t.Mutant].make(backend)
	}
	host, err := newHost(backend, t.Folder)
	if err != nil {
		return err
	}
	journal, err := newJournal(t.journal())
	if err != nil {
		return err
	}
	if err := handle.Ping(); err != nil {
		return err
	}
	fmt.Println("ready")
	if _, err := fmt.Fscan(bufio.NewReader(os.Stdin), &t.Start, &t.End); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(t.End-processtest.Now())+2*patience)
	defer cancel()
	var group sync.WaitGroup
	for i := range t.Clients {
		number := t.Process*t.Clients + i
		c := &client{number: number, random: rand.New(rand.NewPCG(t.Seed, uint64(number))), host: host, journal: journal, task: t}
		group.Go(func() { c.run(ctx) })
	}
	group.Wait()
	text, err := json.Marshal(counted.tally())
	if err != nil {
		return err
	}
	fmt.Printf("done %s\n", text)
	return journal.close()
}

func (t task) journal() string { return filepath.Join(t.Folder, fmt.Sprintf("journal-%d", t.Process)) }

// A countedDB counts how often an update is begun again.
type countedDB struct {
	storage.DB
	updates, again atomic.Int64
}

func (c *countedDB) Update(ctx context.Context, fn func(context.Context, storage.Tx) error) error {
	c.updates.Add(1)
	begun := false
	return c.DB.Update(ctx, func(ctx context.Context, tx storage.Tx) error {
		if begun {
			c.again.Add(1)
		}
		begun = true
		return fn(ctx, tx)
	})
}

func (c *countedDB) tally() tally { return tally{c.updates.Load(), c.again.Load()} }
