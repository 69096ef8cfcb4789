package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

const keyBytes = 32

// readKey returns the secret from which the links of invites and of contacts are derived, and makes it on the
// first start. It is a file and not in the database: whoever steals only one of the two can't make
// a link.
func readKey(file string) (key []byte, made bool, err error) {
	key, err = os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		made, err = makeKey(file)
		if err == nil {
			key, err = os.ReadFile(file)
		}
	}
	if err != nil {
		return nil, false, fmt.Errorf("can't read or create the key file %s: %w", file, rootCause(err))
	}
	if len(key) != keyBytes {
		return nil, false, fmt.Errorf("the key file %s doesn't hold %d bytes", file, keyBytes)
	}
	return key, made, nil
}

// makeKey writes a new key, unless there is one: of two processes that start together, one makes
// it. The file appears with the key in it.
func makeKey(file string) (made bool, err error) {
	key := make([]byte, keyBytes)
	rand.Read(key)
	out, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*") // Nobody else may read it.
	if err != nil {
		return false, err
	}
	defer os.Remove(out.Name())
	_, err = out.Write(key)
	if err := errors.Join(err, out.Sync(), out.Close()); err != nil {
		return false, err
	}
	err = os.Link(out.Name(), file)
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	return err == nil, err
}
