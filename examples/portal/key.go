package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

const keyBytes = 32

// readKey returns the secret from which the links of invites are derived, and makes it on the
// first start. It is a file beside the database, not in it: whoever steals only one of the two
// can't make a link.
func readKey(file string) ([]byte, error) {
	key, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		key, err = makeKey(file)
	}
	if err != nil {
		return nil, fmt.Errorf("can't read or create the key file %s: %w", file, rootCause(err))
	}
	if len(key) != keyBytes {
		return nil, fmt.Errorf("the key file %s doesn't hold %d bytes", file, keyBytes)
	}
	return key, nil
}

// makeKey writes a new key. Of two processes that start together, one makes it and the other
// starts again.
func makeKey(file string) ([]byte, error) {
	key := make([]byte, keyBytes)
	rand.Read(key)
	out, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = out.Write(key)
	return key, errors.Join(err, out.Close())
}
