package crashes_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/sqlstore/internal/processtest"
	"github.com/rosterkit/roster/storage/storagetest"
	"github.com/rosterkit/roster/storage/storagetest/servertest"
)

// TestWriterIsKilled kills a writer again and again, at random moments, and looks after each time whether all is there
// that it was told is there.
func TestWriterIsKilled(t *testing.T) {
	for _, engine := range servertest.Engines() {
		t.Run(engine, func(t *testing.T) {
			k := newKilling(t, fresh(t, engine), "")
			for range size(300, 12) {
				require.NoError(t, k.once(t))
			}
			require.NoError(t, k.check(t, k.all, k.begin(k.kills)))
			k.print(t)
		})
	}
}

// TestMutantsAreCaught shows that killing a writer finds out whoever acknowledges what isn't committed.
func TestMutantsAreCaught(t *testing.T) {
	for _, engine := range servertest.Engines() {
		for _, mutant := range []mutant{commitsLate, logsEarly} {
			t.Run(engine+"/"+string(mutant), func(t *testing.T) {
				k := newKilling(t, fresh(t, engine), mutant)
				for n := range 150 { // one in ten or twenty comes at the right moment
					if err := k.once(t); err != nil {
						t.Logf("caught by kill %d: %v", n+1, err)
						return
					}
				}
				k.print(t)
				t.Fatal("it wasn't caught")
			})
		}
	}
}

// perEpoch is how many times a writer is killed before the next one goes on with other accounts. Histories would only
// get longer: after each kill, all that was acknowledged in the epoch is looked for.
const perEpoch = 25

// A killing is a database with a writer that is killed.
type killing struct {
	database database
	journal  string
	reader   reader
	mutant   mutant
	random   *rand.Rand
	kills    int
	epoch    []line // since the last one began
	all      []line
}

func newKilling(t *testing.T, d database, mutant mutant) *killing {
	t.Helper()
	journal := filepath.Join(t.TempDir(), "journal")
	return &killing{database: d, journal: journal, reader: reader{name: journal}, mutant: mutant, random: newRandom(newSeed(t), 0)}
}

// once lets a writer work for a moment, kills it and looks what is there. An error says what isn't right.
func (k *killing) once(t *testing.T) error {
	t.Helper()
	if k.kills%perEpoch == 0 {
		k.epoch = nil
		k.createShared(t)
	}
	child := processtest.Start(t, limit, task{Database: k.database.Database, Write: &writing{
		Journal: k.journal, Seed: k.random.Uint64(), Workers: 4, Epoch: k.epochName(), Begin: k.begin(k.kills), Mutant: k.mutant,
	}})
	_, err := child.Hear("working")
	require.NoError(t, err)
	time.Sleep(between(k.random, 5*time.Millisecond, 150*time.Millisecond)) // not for anything: it is killed at any moment
	child.Kill()
	k.kills++
	lines, err := k.reader.next()
	if err != nil {
		return err
	}
	k.epoch, k.all = append(k.epoch, lines...), append(k.all, lines...)
	k.database.awaitRest(t)
	return k.check(t, k.epoch, k.begin(k.kills))
}

func (k *killing) epochName() string { return fmt.Sprintf("e%d", k.kills/perEpoch) }

// begin is when the clock of a writer begins: later than that of the one before can have come.
func (k *killing) begin(run int) time.Time { return noon().AddDate(0, run, 0) }

func noon() time.Time { return time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC) }

// createShared creates the accounts that all workers of an epoch work on.
func (k *killing) createShared(t *testing.T) {
	t.Helper()
	k.database.open(t, func(db storage.DB) {
		members := access.New(db, access.Config{Now: func() time.Time { return k.begin(k.kills) }})
		for n := range sharedAccounts {
			_, err := members.CreateAccount(t.Context(), access.AsSystem("signup"), access.NewAccount{
				ID: sharedAccount(k.epochName(), n), Owner: "olga", Profile: access.Profile{Name: "Olga"}})
			require.NoError(t, err)
		}
	})
}

// check opens the database anew, as after a crash, and checks it.
func (k *killing) check(t *testing.T, lines []line, now time.Time) (err error) {
	t.Helper()
	k.database.open(t, func(db storage.DB) {
		err = errors.Join(checkLines(t.Context(), db, lines), storagetest.CheckInvariants(t.Context(), db, accountsOf(t, db, lines), now))
	})
	if err != nil {
		err = fmt.Errorf("after kill %d: %w", k.kills, err)
	}
	return err
}

// accountsOf returns the accounts that lines speak of, and those that olga belongs to: all that were ever created.
func accountsOf(t *testing.T, db storage.DB, lines []line) []access.AccountID {
	t.Helper()
	epochs := make(map[string]bool)
	for _, l := range lines {
		epoch, _, _ := strings.Cut(string(l.Account), "-")
		epochs[epoch] = true
	}
	var accounts []access.AccountID
	require.NoError(t, db.View(t.Context(), func(ctx context.Context, tx storage.Tx) error {
		var after access.AccountID
		for more := true; more; {
			page, err := tx.UserAccounts(ctx, "olga", access.AccountFilter{}, after, pageSize)
			if err != nil {
				return err
			}
			for _, a := range page {
				after = a.Account.ID
				if epoch, _, _ := strings.Cut(string(after), "-"); epochs[epoch] {
					accounts = append(accounts, after)
				}
			}
			more = len(page) == pageSize
		}
		return nil
	}))
	return accounts
}

// print prints the sizes.
func (k *killing) print(t *testing.T) {
	t.Helper()
	verbs := make(map[string]int)
	for _, l := range k.all {
		if l.Done {
			verbs[l.Verb]++
		}
	}
	var text strings.Builder
	total := 0
	for _, verb := range slices.Sorted(maps.Keys(verbs)) {
		total += verbs[verb]
		fmt.Fprintf(&text, "\n%6d %s", verbs[verb], verb)
	}
	t.Logf("report: %s: %d kills; %d verbs acknowledged:%s", k.database.Version(t), k.kills, total, text.String())
}
