package crashes_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/storage/sqlstore/internal/processtest"
)

// TestServerIsKilled kills the server under a writer again and again, by SIGKILL and by its shortest way to end in turn,
// and starts it again. The writer lives on. Whatever it was told is there; a verb of which it couldn't be told anything,
// and which it did again, is there once.
func TestServerIsKilled(t *testing.T) {
	for _, engine := range []string{"postgres", "mysql"} {
		t.Run(engine, func(t *testing.T) {
			c := newCrash(t, engine, "")
			for n := range size(20, 2) {
				require.NoError(t, c.once(t, n%2 == 1))
			}
			c.print(t)
		})
	}
}

// TestForgetfulServerIsCaught shows that killing a server finds out one that answers before what it was given is safe.
func TestForgetfulServerIsCaught(t *testing.T) {
	for _, engine := range []string{"postgres", "mysql"} {
		t.Run(engine, func(t *testing.T) {
			const tries = 10
			var caught error
			for n := 0; n < tries && caught == nil; n++ {
				t.Run(fmt.Sprint("kill ", n+1), func(t *testing.T) { // with which its writer ends
					caught = newCrash(t, engine, answersEarly).once(t, false)
				})
			}
			require.Error(t, caught, "it wasn't caught by %d kills", tries)
			t.Log(caught)
		})
	}
}

// TestAnswersAreLost breaks connections at COMMITs, before and after the server got them. Each verb of which the outcome is
// unknown is done again, and is there once.
func TestAnswersAreLost(t *testing.T) {
	for _, engine := range []string{"postgres", "mysql"} {
		t.Run(engine, func(t *testing.T) {
			c := newCrash(t, engine, losesAnswers)
			for range size(50, 5) {
				require.NoError(t, c.goesOn())
				require.NoError(t, c.look(t))
			}
			c.print(t)
			again, effects := c.repeated()
			require.Positive(t, effects, "verbs that were there already")
			require.Positive(t, again-effects, "verbs that weren't")
		})
	}
}

// A crash is a writer whose server is killed.
type crash struct {
	killing
	writer *processtest.Process
	report report
}

func newCrash(t *testing.T, engine string, mutant mutant) *crash {
	t.Helper()
	if name := serverVariable(engine); mutant != losesAnswers && os.Getenv(name) != "" {
		t.Skipf("%s names a server, which isn't ours to kill", name)
	}
	c := &crash{killing: *newKilling(t, mutant.forget(t, fresh(t, engine)), mutant)}
	c.createShared(t)
	c.writer = processtest.Start(t, limit, task{Database: c.database.Database, Write: &writing{
		Journal: c.journal, Seed: c.random.Uint64(), Workers: 8, Epoch: c.epochName(), Begin: c.begin(0), Mutant: mutant,
	}})
	_, err := c.writer.Hear("working")
	require.NoError(t, err)
	require.NoError(t, c.goesOn()) // so that there is something to lose
	return c
}

// once kills the server, starts it again, waits for the writer to go on, and looks what is there. An error says what
// isn't right.
func (c *crash) once(t *testing.T, inOrder bool) error {
	t.Helper()
	end := c.database.server.Kill
	if inOrder {
		end = c.database.server.Shutdown
	}
	time.Sleep(between(c.random, 100*time.Millisecond, 400*time.Millisecond)) // not for anything: it is killed at any moment
	require.NoError(t, end())
	time.Sleep(between(c.random, 0, 200*time.Millisecond)) // and away for any time
	require.NoError(t, c.database.server.Start())
	c.kills++
	require.NoError(t, c.goesOn())
	return c.look(t)
}

// look has the writer pause and looks what is there.
func (c *crash) look(t *testing.T) error {
	t.Helper()
	require.NoError(t, c.writer.Tell("pause"))
	text, err := c.writer.Hear("paused ")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal([]byte(text), &c.report))
	lines, err := c.reader.next()
	require.NoError(t, err)
	c.all = append(c.all, lines...)
	if err := c.check(t, c.all, c.report.Now); err != nil {
		return err
	}
	return c.writer.Tell("go")
}

// goesOn waits until the writer has put some more verbs on its journal.
func (c *crash) goesOn() error {
	const more = 8 << 10 // bytes
	begin, err := c.written()
	if err != nil {
		return err
	}
	for patience := time.Now().Add(time.Minute); ; {
		now, err := c.written()
		if err != nil || now > begin+more {
			return err
		}
		if time.Now().After(patience) {
			return fmt.Errorf("the writer doesn't go on: %d bytes", now-begin)
		}
		time.Sleep(5 * time.Millisecond) // a file doesn't tell
	}
}

func (c *crash) written() (int64, error) {
	info, err := os.Stat(c.journal)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// repeated returns how many verbs were done again that leave something, and how many of them had been done before.
func (c *crash) repeated() (again, effects int) {
	for _, l := range c.all {
		if !slices.ContainsFunc(l.Unknown, func(e Effects) bool { return !e.none() }) {
			continue
		}
		again++
		if !l.Done || l.Effects.none() {
			effects++ // or the last call would have had one
		}
	}
	return again, effects
}

func (c *crash) print(t *testing.T) {
	t.Helper()
	again, effects := c.repeated()
	c.killing.print(t)
	t.Logf("report: calls: %d refused, %d failed, %d of unknown outcome; %d verbs were done again, of which %d were there already",
		c.report.Refused, c.report.Failed, c.report.Unknown, again, effects)
}
