package invite

import (
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
	"io"
	"strings"

	"github.com/rosterkit/roster/access"
)

// MinKeyBytes is the length of the shortest secret of a Key.
const MinKeyBytes = 32

// A Key is a secret of the host from which the keys of tokens are derived. Whoever has it and the database can accept
// any pending invite: keep it outside the database. Its secret is random, at least 32 bytes long.
type Key struct {
	ID     string // 1 to 32 characters, stored with each invite; never reused for another secret
	Secret []byte
}

// String returns the id of the key.
func (k Key) String() string { return "invite.Key(" + k.ID + ")" }

// Format writes String for every verb, so that no way of printing shows the secret.
func (k Key) Format(f fmt.State, _ rune) { io.WriteString(f, k.String()) }

// MarshalText returns String, so that no log or page in JSON shows the secret.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// A keyring holds the derived keys by the id of the host's key.
type keyring struct {
	current string
	derived map[string]*derivedKey // pointers, so that printing a service shows none
}

type derivedKey struct{ bytes []byte }

// newKeyring derives the keys of tokens: HKDF (RFC 5869) with SHA-256 and no salt, for this deployment and purpose.
func newKeyring(keys []Key, deployment string) (keyring, error) {
	if len(keys) == 0 {
		return keyring{}, access.Invalid("key", "key.missing", "is missing")
	}
	ring := keyring{current: keys[0].ID, derived: make(map[string]*derivedKey)}
	for _, k := range keys {
		switch {
		case k.ID == "" || len(k.ID) > 32 || strings.ContainsFunc(k.ID, func(r rune) bool { return r <= ' ' || r > '~' }):
			return keyring{}, access.Invalid("key", "key.id", "has an id that isn't 1 to 32 visible ASCII characters")
		case len(k.Secret) < MinKeyBytes:
			return keyring{}, access.Invalid("key", "key.short", "has a secret of less than 32 bytes")
		case ring.derived[k.ID] != nil:
			return keyring{}, access.Invalid("key", "key.twice", "is there twice with one id")
		}
		derived, err := hkdf.Key(sha256.New, k.Secret, nil, "roster/v1/"+deployment+"/invite", sha256.Size)
		if err != nil {
			return keyring{}, err
		}
		ring.derived[k.ID] = &derivedKey{derived}
	}
	return ring, nil
}
