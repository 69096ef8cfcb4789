package processtest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// variable holds, in the environment, the task of a process in JSON.
const variable = "ROSTER_TEST_TASK"

// Main is the TestMain of a package whose tests start processes. In such a process it carries out the task and exits: with
// 1 if it failed, after saying why on the standard error. Otherwise it runs the tests, stops what they have left running,
// and fails if goroutines are left.
func Main[T any](m *testing.M, do func(task T) error, stop func()) {
	work(do)
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		stop()
		os.Exit(code)
	}))
}

// work carries out the task that this process was started for, and exits. It returns at once if nobody started this
// process for a task.
func work[T any](do func(task T) error) {
	text, found := os.LookupEnv(variable)
	if !found {
		return
	}
	var task T
	err := json.Unmarshal([]byte(text), &task)
	if err == nil {
		err = do(task)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// A Process is this test binary, at work on a task.
type Process struct {
	command *exec.Cmd
	limit   time.Duration
	working context.Context // until the limit
	input   io.WriteCloser
	output  *bufio.Scanner
	errors  bytes.Buffer // complete when the process was waited for
	wait    func() error
}

// Start starts a process with a task that JSON can hold. It is killed when the limit has passed, and with the test.
func Start(t testing.TB, limit time.Duration, task any) *Process {
	t.Helper()
	text, err := json.Marshal(task)
	require.NoError(t, err)
	working, cancel := context.WithTimeout(t.Context(), limit)
	p := &Process{command: exec.CommandContext(working, os.Args[0]), limit: limit, working: working}
	p.command.Env = append(os.Environ(), variable+"="+string(text))
	p.command.Stderr = &p.errors
	p.input, err = p.command.StdinPipe()
	require.NoError(t, err)
	output, err := p.command.StdoutPipe()
	require.NoError(t, err)
	p.output = bufio.NewScanner(output)
	require.NoError(t, p.command.Start())
	p.wait = sync.OnceValue(func() error {
		for p.output.Scan() { // or what it says would hold it up
		}
		return p.command.Wait()
	})
	t.Cleanup(func() {
		p.Kill()
		cancel()
	})
	return p
}

// Tell sends a line. It fails if the process has ended.
func (p *Process) Tell(words ...any) error {
	_, err := fmt.Fprintln(p.input, words...)
	return err
}

// Hear waits for a line that begins so, and returns the rest of it. It fails if the process has ended.
func (p *Process) Hear(start string) (rest string, err error) {
	for p.output.Scan() {
		if rest, found := strings.CutPrefix(p.output.Text(), start); found {
			return rest, nil
		}
	}
	return "", fmt.Errorf("the process ended before it said %q: %w", start, p.explain(p.wait()))
}

// Close closes the standard input of the process, which is to end then. Several processes end sooner if all are closed
// before one is waited for: with the race detector, each takes a second.
func (p *Process) Close() error { return p.input.Close() }

// Wait waits for the end of the process. It fails if the process did, with what it wrote on its standard error.
func (p *Process) Wait() error { return p.explain(p.wait()) }

// Kill kills the process, wherever it is, and waits for its end.
func (p *Process) Kill() {
	_ = p.command.Process.Kill()
	_ = p.wait()
}

// Complaints returns what a process that has ended wrote on its standard error.
func (p *Process) Complaints() string { return p.errors.String() }

// explain says more about the error of a process that has ended.
func (p *Process) explain(err error) error {
	switch {
	case p.working.Err() == context.DeadlineExceeded:
		return fmt.Errorf("it was killed, having worked for %s: %v: %s", p.limit, err, p.errors.String())
	case err != nil:
		return fmt.Errorf("%w: %s", err, p.errors.String())
	}
	return nil
}
