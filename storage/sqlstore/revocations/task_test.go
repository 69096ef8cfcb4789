package revocations_test

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/sqlstore"
	"github.com/rosterkit/roster/storage/sqlstore/internal/processtest"
	"github.com/rosterkit/roster/storage/storagetest/servertest"
)

const (
	lease = 250 * time.Millisecond
	poll  = 5 * time.Millisecond
)

// A task is what one process is to do. It says when it is ready, is told until when it writes, says when it has, and ends
// when nobody can tell it anything any more.
type task struct {
	Database servertest.Database
	Folder   string // of journals
	Process  int
	Seed     uint64
	Cached   bool          // whether it answers from memory
	Poll     time.Duration // how often it asks what has changed
	Watches  bool          // one answer instead, for BenchmarkRevocation
	Wakes    bool          // by PostgreSQL who answers from memory
	Writers  int           // who take away and give back
	Hasty    bool          // now and then a writer gives up waiting
	Deaf     int           // one poll in so many takes longer than the lease; none if it is 0
	Far      bool          // what polls answer is a while on its way
	Mutant   string        // of mutants, if it is one
}

func (t task) run() error {
	handle, err := sql.Open(t.Database.Driver, t.Database.Source)
	if err != nil {
		return err
	}
	defer handle.Close()
	const connections = 8
	handle.SetMaxOpenConns(connections)
	handle.SetMaxIdleConns(connections)
	db := sqlstore.New(handle, processtest.Dialect(t.Database.Engine), t.config())
	defer db.Close()
	backend := storage.DB(timedDB{db})
	if t.Deaf > 0 {
		backend = &deafDB{DB: backend, one: t.Deaf}
	}
	if t.Far {
		backend = farDB{backend}
	}
	if t.Mutant != "" {
		backend = mutants()[t.Mutant].make(backend)
	}
	if t.Watches {
		return t.watch(backend)
	}
	return t.work(backend)
}

// channel is what PostgreSQL wakes processes by.
const channel = "revocations"

func (t task) config() sqlstore.Config {
	if !t.Wakes {
		return sqlstore.Config{}
	}
	return sqlstore.Config{Notify: channel}
}

func (t task) work(backend storage.DB) error {
	ctx, cancel := context.WithCancel(context.Background())
	var group, checking, writing sync.WaitGroup
	defer group.Wait()
	defer checking.Wait()
	defer cancel()
	members := access.New(backend, access.Config{})
	check := checker{authorizer: members, pace: 10 * time.Millisecond}
	if t.Cached {
		cache := access.NewCache(members, access.CacheConfig{Poll: t.Poll})
		check = checker{authorizer: cache, pace: time.Millisecond}
		group.Go(func() { cache.Run(ctx) })
		for misses := uint64(0); misses == 0 || cache.Stats().Misses > misses; {
			misses = cache.Stats().Misses
			check.round(ctx)
		}
	}
	checks, stop := context.WithCancel(ctx)
	defer stop()
	checking.Go(func() { check.run(checks) })
	fmt.Println("ready")
	input := bufio.NewReader(os.Stdin)
	var until int64
	if _, err := fmt.Fscanln(input, &until); err != nil {
		return err
	}
	writers := make([]*writer, t.Writers)
	for i := range writers {
		writers[i] = &writer{task: t, members: members, random: rand.New(rand.NewPCG(t.Seed, uint64(10*t.Process+i)))}
		writing.Go(func() { writers[i].run(ctx, until) })
	}
	writing.Wait()
	fmt.Println("done")
	if _, err := io.Copy(io.Discard, input); err != nil {
		return err
	}
	stop()
	checking.Wait()
	check.round(ctx) // when everybody has to know how it ended, however long the machine took for the last one
	cancel()
	group.Wait()
	j := journal{Process: t.Process, Cached: t.Cached, Checks: check.checks, Failures: check.failures}
	for _, w := range writers {
		j.Verbs = append(j.Verbs, w.verbs...)
	}
	return j.write(t.journal())
}

func (t task) journal() string { return filepath.Join(t.Folder, fmt.Sprintf("journal-%d", t.Process)) }

// A timedDB notes when a unit of work was over, for who wants to know.
type timedDB struct{ storage.DB }

// overKey is the key of contexts with a pointer to that time.
type overKey struct{}

func (db timedDB) Update(ctx context.Context, fn func(context.Context, storage.Tx) error) error {
	err := db.DB.Update(ctx, fn)
	if over, ok := ctx.Value(overKey{}).(*int64); ok {
		*over = processtest.Now()
	}
	return err
}

// A deafDB doesn't answer a poll for longer than a lease now and then: before it has looked, or afterwards.
type deafDB struct {
	storage.DB
	one int // poll in so many
}

func (db *deafDB) Poll(ctx context.Context, id access.FollowerID) (access.Position, error) {
	const while = lease + lease/2
	early, late := rand.IntN(2*db.one) == 0, rand.IntN(2*db.one) == 0
	if early {
		pause(ctx, while)
	}
	p, err := db.DB.Poll(ctx, id)
	if late {
		pause(ctx, while)
	}
	return p, err
}

// A farDB answers polls late, so that there is time for checks before a process learns what it missed.
type farDB struct{ storage.DB }

func (db farDB) Poll(ctx context.Context, id access.FollowerID) (access.Position, error) {
	p, err := db.DB.Poll(ctx, id)
	pause(ctx, 4*poll)
	return p, err
}

// pause waits for a while, or for the end of the context.
func pause(ctx context.Context, while time.Duration) {
	timer := time.NewTimer(while)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
