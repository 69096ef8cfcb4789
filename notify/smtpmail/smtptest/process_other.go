//go:build !linux

package smtptest

import "syscall"

func endedWithThis() *syscall.SysProcAttr { return nil }
