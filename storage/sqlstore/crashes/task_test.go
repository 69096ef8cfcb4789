package crashes_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/storage/storagetest/servertest"
)

// taskVariable holds, in the environment, the task of a process in JSON.
const taskVariable = "ROSTER_CRASHES_TASK"

// A task is what a process does on a database: it writes until it is killed, or does one verb, in which it kills itself.
type task struct {
	Database servertest.Database
	Write    *writing
	Verb     *interruption
}

// carryOut does a task and returns the exit code of the process.
func carryOut(text string) int {
	var t task
	err := json.Unmarshal([]byte(text), &t)
	switch {
	case err != nil:
	case t.Write != nil:
		err = t.Write.run(database{Database: t.Database})
	case t.Verb != nil:
		err = t.Verb.run(database{Database: t.Database})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
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

// A child is a process that carries out a task.
type child struct {
	process *exec.Cmd
	input   io.WriteCloser // the process ends when it is closed, as it is if this one dies
	output  *bufio.Scanner
	errors  bytes.Buffer // complete when the process was waited for
	wait    func() error
}

// start starts a child, which is killed with the test at the latest.
func start(t testing.TB, task task) *child {
	t.Helper()
	text, err := json.Marshal(task)
	require.NoError(t, err)
	c := &child{process: exec.Command(os.Args[0])}
	c.process.Env = append(os.Environ(), taskVariable+"="+string(text))
	c.process.Stderr = &c.errors
	c.input, err = c.process.StdinPipe()
	require.NoError(t, err)
	output, err := c.process.StdoutPipe()
	require.NoError(t, err)
	c.output = bufio.NewScanner(output)
	require.NoError(t, c.process.Start())
	c.wait = sync.OnceValue(func() error {
		for c.output.Scan() { // or what it says would hold it up
		}
		return c.process.Wait()
	})
	t.Cleanup(c.kill)
	return c
}

// tell sends a command.
func (c *child) tell(command string) error {
	_, err := fmt.Fprintln(c.input, command)
	return err
}

// hear waits for a line that begins so, and returns the rest of it. An error says that the process has ended.
func (c *child) hear(start string) (string, error) {
	for c.output.Scan() {
		if rest, found := strings.CutPrefix(c.output.Text(), start); found {
			return rest, nil
		}
	}
	err := c.wait()
	return "", fmt.Errorf("the process ended before it said %q: %w %s", start, err, c.errors.String())
}

// kill sends SIGKILL and waits for the end of the process.
func (c *child) kill() {
	_ = c.process.Process.Kill()
	_ = c.wait()
}
