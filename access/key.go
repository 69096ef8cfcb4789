package access

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
)

// MinKeyBytes is the length of the shortest secret of a Key.
const MinKeyBytes = 32

// A Key is a secret of the host from which the keys of the tokens in links are derived. Whoever has it and the database
// can make every link: keep it outside the database. Its secret is random, at least 32 bytes long.
type Key struct {
	ID     string // 1 to 32 characters, stored with each invite; never reused for another secret
	Secret []byte
}

// String returns the id of the key.
func (k Key) String() string { return "access.Key(" + k.ID + ")" }

// Format writes String for every verb, so that no way of printing shows the secret.
func (k Key) Format(f fmt.State, _ rune) { io.WriteString(f, k.String()) }

// MarshalText returns String, so that no log or page in JSON shows the secret.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// A Keyring makes the tokens of one purpose and recognises them. It keeps no secret of the host, only keys that are
// derived from them for this purpose: a token of one purpose is none of another. It is safe for concurrent use.
type Keyring struct {
	current string
	derived map[string]*derivedKey // by the id of the host's key; pointers, so that printing a service shows none
}

type derivedKey struct{ bytes []byte }

// NewKeyring derives the keys of a purpose, such as "invite", by HKDF (RFC 5869) with SHA-256 and no salt. The first
// key makes new tokens, those of the others are still recognised. The deployment tells installations apart that share a
// host key. ErrInvalid with code "key.missing", "key.id", "key.short" for a secret of less than 32 bytes, or
// "key.twice".
func NewKeyring(keys []Key, deployment, purpose string) (*Keyring, error) {
	if len(keys) == 0 {
		return nil, Invalid("key", "key.missing", "is missing")
	}
	ring := &Keyring{current: keys[0].ID, derived: make(map[string]*derivedKey)}
	for _, k := range keys {
		switch {
		case k.ID == "" || len(k.ID) > 32 || strings.ContainsFunc(k.ID, func(r rune) bool { return r <= ' ' || r > '~' }):
			return nil, Invalid("key", "key.id", "has an id that isn't 1 to 32 visible ASCII characters")
		case len(k.Secret) < MinKeyBytes:
			return nil, Invalid("key", "key.short", "has a secret of less than 32 bytes")
		case ring.derived[k.ID] != nil:
			return nil, Invalid("key", "key.twice", "is there twice with one id")
		}
		derived, err := hkdf.Key(sha256.New, k.Secret, nil, "roster/v1/"+deployment+"/"+purpose, sha256.Size)
		if err != nil {
			return nil, err
		}
		ring.derived[k.ID] = &derivedKey{derived}
	}
	return ring, nil
}

// Current returns the id of the key that makes new tokens.
func (k *Keyring) Current() string { return k.current }

// Token returns the token of a thing with this UUID and number that a key of the ring makes, bound to what it is for. It
// returns false if the id isn't a UUID or the ring has no such key.
func (k *Keyring) Token(key, id string, number uint16, bound []byte) (text string, ok bool) {
	t, ok := newLinkToken(id, number)
	if !ok || k.derived[key] == nil {
		return "", false
	}
	t.mac = t.macWith(k.derived[key], bound)
	return t.text(), true
}

// Makers returns the ids of the keys of the ring that would have made a token, bound to what it is for. There is none for
// a token that somebody else made. It takes as long for every token.
func (k *Keyring) Makers(t LinkToken, bound []byte) []string {
	var makers []string
	for id, key := range k.derived {
		mac := t.macWith(key, bound)
		if hmac.Equal(mac[:], t.mac[:]) {
			makers = append(makers, id)
		}
	}
	return makers
}

// Bind returns a hash of texts, which tells every two lists of them apart: what a token can be bound to.
func Bind(texts ...string) []byte {
	bound := sha256.New()
	for _, text := range texts {
		bound.Write(binary.BigEndian.AppendUint64(nil, uint64(len(text))))
		bound.Write([]byte(text))
	}
	return bound.Sum(nil)
}

// A Secret is the random part of a thing that its tokens are derived from, besides the host's key. It prints as a
// placeholder.
type Secret [16]byte

// Format writes a placeholder, so that no way of printing shows the secret.
func (Secret) Format(state fmt.State, _ rune) { io.WriteString(state, "access.Secret") }

// MarshalText returns the placeholder, so that the secret doesn't reach JSON.
func (Secret) MarshalText() ([]byte, error) { return []byte("access.Secret"), nil }
