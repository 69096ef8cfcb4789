package servertest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// A process is a program that was started, with all the processes that it starts in turn.
type process struct {
	command *exec.Cmd
	alive   *os.File // a pipe of which each process inherits the other end, so that it ends with the last of them
}

// startProcess starts a command. It takes no file of the command's ExtraFiles into account but its own.
func startProcess(command *exec.Cmd) (*process, error) {
	alive, inherited, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer inherited.Close()
	command.ExtraFiles = []*os.File{inherited}
	if err := command.Start(); err != nil {
		alive.Close()
		return nil, err
	}
	return &process{command, alive}, nil
}

// answers waits until a process answers, which none of them announces.
func (p *process) answers(ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		err := ask(ctx)
		if err == nil {
			return nil
		}
		if gone := p.gone(20 * time.Millisecond); gone == nil {
			return fmt.Errorf("servertest: %s ended: %w", p.command.Path, err)
		}
		if ctx.Err() != nil {
			return fmt.Errorf("servertest: %s doesn't answer: %w", p.command.Path, err)
		}
	}
}

// end sends a signal and waits until all processes are gone.
func (p *process) end(signal syscall.Signal) error {
	if err := p.command.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	if err := p.gone(patience); err != nil {
		return fmt.Errorf("servertest: %s is still there after %v: %w", p.command.Path, signal, err)
	}
	_ = p.command.Wait() // whether it ended well is of no interest
	return p.alive.Close()
}

// gone waits for all processes to be gone, or returns an error.
func (p *process) gone(wait time.Duration) error {
	if err := p.alive.SetReadDeadline(time.Now().Add(wait)); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, p.alive)
	return err
}
