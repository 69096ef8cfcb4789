package revocations_test

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
	"testing"

	"github.com/stretchr/testify/require"
)

// A process is this test binary, at work on a task.
type process struct {
	command *exec.Cmd
	task    task
	input   io.WriteCloser
	output  *bufio.Reader
	errors  *bytes.Buffer
}

// start starts a process, which is killed when the context ends.
func start(ctx context.Context, t *testing.T, work task) *process {
	t.Helper()
	text, err := json.Marshal(work)
	require.NoError(t, err)
	p := &process{command: exec.CommandContext(ctx, os.Args[0]), task: work, errors: new(bytes.Buffer)}
	p.command.Env = append(os.Environ(), taskVariable+"="+string(text))
	p.command.Stderr = p.errors
	p.input, err = p.command.StdinPipe()
	require.NoError(t, err)
	output, err := p.command.StdoutPipe()
	require.NoError(t, err)
	p.output = bufio.NewReader(output)
	require.NoError(t, p.command.Start())
	t.Cleanup(func() {
		if p.command.ProcessState == nil {
			p.command.Process.Kill()
			p.command.Wait()
		}
	})
	return p
}

// says waits until the process says something: ready, when it answers from memory if it does that at all, or done, when it
// doesn't write any more.
func (p *process) says(t *testing.T, word string) {
	t.Helper()
	text, err := p.output.ReadString('\n')
	if err != nil {
		p.command.Wait()
	}
	require.NoError(t, err, "%s", p.errors)
	require.Equal(t, word, strings.TrimSpace(text))
}

// begin has the process write, if it does that, from now until a time.
func (p *process) begin(t *testing.T, until int64) {
	t.Helper()
	_, err := fmt.Fprintln(p.input, until)
	require.NoError(t, err)
}

// end ends the process and returns what it wrote down.
func (p *process) end(t *testing.T) journal {
	t.Helper()
	require.NoError(t, p.input.Close())
	require.NoError(t, p.command.Wait(), "%s", p.errors)
	j, err := readJournal(p.task.journal())
	require.NoError(t, err)
	return j
}
