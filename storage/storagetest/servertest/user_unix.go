//go:build unix

package servertest

import (
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// unprivileged returns how to start a process that is ended with this one, and the user that it runs as: the one of that
// name, or nobody, if this is root, as which servers don't run.
func unprivileged(name string) (*syscall.SysProcAttr, int, error) {
	attributes := endedWithThis()
	if os.Getuid() != 0 {
		return attributes, os.Getuid(), nil
	}
	somebody, err := user.Lookup(name)
	if err != nil {
		if somebody, err = user.Lookup("nobody"); err != nil {
			return nil, 0, err
		}
	}
	uid, err := strconv.ParseUint(somebody.Uid, 10, 32)
	if err != nil {
		return nil, 0, err
	}
	gid, err := strconv.ParseUint(somebody.Gid, 10, 32)
	if err != nil {
		return nil, 0, err
	}
	attributes.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return attributes, int(uid), nil
}
