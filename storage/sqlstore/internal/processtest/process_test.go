package processtest_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/storage/sqlstore/internal/processtest"
)

func TestMain(m *testing.M) { processtest.Main(m, task.run, func() {}) }

// A task answers each line, and ends with its input.
type task struct {
	Fails string // why it ends in another way
	Deaf  bool   // goes on when its input ends
}

func (k task) run() error {
	if k.Fails != "" {
		return errors.New(k.Fails)
	}
	fmt.Println("nothing of interest")
	fmt.Println("ready at", processtest.Now())
	for input := bufio.NewScanner(os.Stdin); input.Scan(); {
		fmt.Println("heard", input.Text())
	}
	if k.Deaf {
		time.Sleep(time.Hour)
	}
	return nil
}

// patience is how long a process may take that does what it is to do.
const patience = time.Minute

func TestProcess(t *testing.T) {
	before := processtest.Now()
	p := processtest.Start(t, patience, task{})
	text, err := p.Hear("ready at ")
	require.NoError(t, err)
	var at int64
	_, err = fmt.Sscan(text, &at)
	require.NoError(t, err)
	require.Less(t, before, at)
	require.Less(t, at, processtest.Now())

	require.NoError(t, p.Tell("one", 2))
	text, err = p.Hear("heard ")
	require.NoError(t, err)
	require.Equal(t, "one 2", text)
	require.NoError(t, p.Close())
	require.NoError(t, p.Wait())
	require.Empty(t, p.Complaints())
}

func TestProcessFails(t *testing.T) {
	p := processtest.Start(t, patience, task{Fails: "it has no wish to"})
	_, err := p.Hear("ready")
	require.ErrorContains(t, err, "it has no wish to")
	require.ErrorContains(t, err, `before it said "ready"`)
	require.ErrorContains(t, p.Wait(), "it has no wish to")
	require.Equal(t, "it has no wish to\n", p.Complaints())
}

func TestProcessIsKilled(t *testing.T) {
	p := processtest.Start(t, patience, task{})
	_, err := p.Hear("ready")
	require.NoError(t, err)
	p.Kill()
	require.Error(t, p.Wait())
	_, err = p.Hear("anything")
	require.Error(t, err)
	require.Empty(t, p.Complaints())
}

// TestNobodyWaitsForEver has processes that don't say what is waited for, and that don't end.
func TestNobodyWaitsForEver(t *testing.T) {
	const limit = 300 * time.Millisecond
	_, err := processtest.Start(t, limit, task{}).Hear("more")
	require.ErrorContains(t, err, "having worked for 300ms")
	p := processtest.Start(t, limit, task{Deaf: true})
	require.NoError(t, p.Close())
	require.ErrorContains(t, p.Wait(), "having worked for 300ms")
}

func TestStopAndResume(t *testing.T) {
	p := processtest.Start(t, patience, task{})
	_, err := p.Hear("ready")
	require.NoError(t, err)
	p.Stop(t)
	require.NoError(t, p.Tell("stopped"))
	before := processtest.Now()
	p.Resume(t)
	_, err = p.Hear("heard stopped")
	require.NoError(t, err)
	require.Less(t, before, processtest.Now())
	require.NoError(t, p.Close())
	require.NoError(t, p.Wait())
}

func TestDialectKnowsItsEngines(t *testing.T) {
	require.PanicsWithValue(t, "processtest: there is no engine oracle", func() { processtest.Dialect("oracle") })
}
