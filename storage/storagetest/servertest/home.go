package servertest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// longestFolder is what leaves room for the name of a socket, whose path may have about a hundred bytes.
const longestFolder = 75

// A home is a temporary folder for a throw-away program, and the user that it runs as.
type home struct {
	folder     string
	owner      int
	attributes *syscall.SysProcAttr
}

// newHome makes a folder for a program, which runs as the named user if this is root.
func newHome(name string) (*home, error) {
	attributes, owner, err := unprivileged(name)
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "roster-"+name+"-")
	if err == nil && len(folder) > longestFolder {
		os.Remove(folder)
		folder, err = os.MkdirTemp("/tmp", "roster-"+name+"-")
	}
	if err != nil {
		return nil, err
	}
	if err := os.Chown(folder, owner, -1); err != nil {
		os.Remove(folder)
		return nil, err
	}
	return &home{folder, owner, attributes}, nil
}

// run runs a program to its end.
func (h *home) run(program string, arguments ...string) error {
	command, log, err := h.command(program, arguments)
	if err != nil {
		return err
	}
	defer log.Close()
	return h.explain(command.Run())
}

// start starts a program that keeps running.
func (h *home) start(program string, arguments ...string) (*process, error) {
	command, log, err := h.command(program, arguments)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	process, err := startProcess(command)
	return process, h.explain(err)
}

// command returns a program that writes into the log, which the caller closes after starting it.
func (h *home) command(program string, arguments []string) (*exec.Cmd, *os.File, error) {
	log, err := os.OpenFile(h.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, nil, err
	}
	command := exec.Command(program, arguments...)
	command.Dir, command.SysProcAttr, command.Stdout, command.Stderr = h.folder, h.attributes, log, log
	return command, log, nil
}

// explain adds to an error what the programs wrote.
func (h *home) explain(err error) error {
	if err == nil {
		return nil
	}
	text, _ := os.ReadFile(h.log())
	return fmt.Errorf("%w\n%s", err, text)
}

func (h *home) log() string { return filepath.Join(h.folder, "log") }

func (h *home) remove() { os.RemoveAll(h.folder) }

// findProgram looks for a program where servers are installed, besides PATH.
func findProgram(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err == nil {
		return path, nil
	}
	for _, folder := range []string{"/usr/sbin", "/usr/bin", "/usr/libexec", "/usr/local/sbin", "/usr/local/bin"} {
		if path, err := exec.LookPath(filepath.Join(folder, name)); err == nil {
			return path, nil
		}
	}
	return "", err // which names the program
}
