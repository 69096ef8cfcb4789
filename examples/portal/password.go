package main

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// The cost of a password, as OWASP recommends for argon2id: 19 MiB, two passes, one lane.
const (
	argonMemory  = 19 << 10
	argonPasses  = 2
	argonThreads = 1
	argonKey     = 32
)

const (
	passwordMinimum = 10  // Characters.
	passwordMaximum = 200 // Bytes.
)

// checkPassword refuses a password that is too short or too long, in words for the page.
func checkPassword(password, repeated string) error {
	switch {
	case utf8.RuneCountInString(password) < passwordMinimum:
		return fieldError{"password", fmt.Sprintf("Choose a password of at least %d characters.", passwordMinimum)}
	case len(password) > passwordMaximum:
		return fieldError{"password", fmt.Sprintf("Choose a password of at most %d characters.", passwordMaximum)}
	case password != repeated:
		return fieldError{"repeat", "The two passwords differ. Type the same password twice."}
	}
	return nil
}

// hashPassword returns salt and argon2id key in the usual textual form.
func hashPassword(password string) string {
	salt := make([]byte, 16)
	rand.Read(salt)
	return encodePassword(salt, argon2.IDKey([]byte(password), salt, argonPasses, argonMemory, argonThreads, argonKey))
}

func encodePassword(salt, key []byte) string {
	encoding := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonPasses, argonThreads,
		encoding.EncodeToString(salt), encoding.EncodeToString(key))
}

// samePassword reports whether hash was made from password. An empty hash belongs to nobody: it
// costs the same work as a real one and is never right.
func samePassword(hash, password string) (bool, error) {
	if len(password) > passwordMaximum {
		return false, nil
	}
	if hash == "" {
		hash = encodePassword(make([]byte, 16), make([]byte, argonKey))
	}
	fields := strings.Split(hash, "$")
	if len(fields) != 6 {
		return false, errors.New("a stored password is malformed")
	}
	var memory, passes uint32
	var threads uint8
	if _, err := fmt.Sscanf(fields[3], "m=%d,t=%d,p=%d", &memory, &passes, &threads); err != nil {
		return false, errors.New("a stored password is malformed")
	}
	salt, saltErr := base64.RawStdEncoding.DecodeString(fields[4])
	key, keyErr := base64.RawStdEncoding.DecodeString(fields[5])
	if err := errors.Join(saltErr, keyErr); err != nil {
		return false, errors.New("a stored password is malformed")
	}
	given := argon2.IDKey([]byte(password), salt, passes, memory, threads, uint32(len(key)))
	return subtle.ConstantTimeCompare(given, key) == 1, nil
}
