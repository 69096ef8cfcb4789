package invite

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"strings"

	"github.com/google/uuid"
)

// TokenLength is the length of every token, in characters.
const TokenLength = 64

// A Token is the secret of one invite's link: whoever has it can look at the invite, and accept it as far as the
// Config lets holders do so. It prints as a placeholder; Secret returns it.
type Token struct{ text string }

// Secret returns the token as it goes into the link: 64 characters of the base64url alphabet.
func (t Token) Secret() string { return t.text }

// IsZero reports whether t is no token.
func (t Token) IsZero() bool { return t.text == "" }

// String returns a placeholder, so that tokens don't reach logs.
func (t Token) String() string { return "invite.Token(secret)" }

// Format writes the placeholder for every verb, a mistaken one too.
func (t Token) Format(f fmt.State, _ rune) { io.WriteString(f, t.String()) }

// MarshalText returns the placeholder, so that tokens don't reach JSON.
func (t Token) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// A token is base64url(id 16 || generation 2 || MAC 30): 48 bytes leave no spare bits, so that it has one spelling.
const (
	idBytes  = 16
	macBytes = 30
)

// claim is what a token says before anything of it is believed.
type claim struct {
	id         ID
	generation uint16
	mac        [macBytes]byte
}

// parseToken reads a token's three parts. Anything but exactly 64 characters of the alphabet is refused: Go's
// decoder would skip line breaks.
func parseToken(text string) (claim, bool) {
	if len(text) != TokenLength || strings.ContainsFunc(text, notInAlphabet) {
		return claim{}, false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return claim{}, false
	}
	c := claim{id: ID(uuid.UUID(b[:idBytes]).String()), generation: binary.BigEndian.Uint16(b[idBytes:])}
	copy(c.mac[:], b[idBytes+2:])
	return c, true
}

func notInAlphabet(r rune) bool {
	return (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_'
}

// token derives the token of an invite's present generation. Only the database and the host's key together can.
func (k keyring) token(r Record) (Token, bool) {
	id, err := uuid.Parse(string(r.ID))
	key := k.derived[r.Key]
	if err != nil || key == nil {
		return Token{}, false
	}
	mac := tokenMAC(key, r, r.Generation)
	b := append(make([]byte, 0, idBytes+2+macBytes), id[:]...)
	b = binary.BigEndian.AppendUint16(b, r.Generation)
	return Token{base64.RawURLEncoding.EncodeToString(append(b, mac[:]...))}, true
}

// authentic reports, in constant time, whether a claim was made by the host for this invite, in any generation so
// far: the present one with the key that the row names, an earlier one perhaps with another. For an invite that isn't
// there it does the same work and says no.
func (k keyring) authentic(c claim, r Record) bool {
	made := false
	for id, key := range k.derived {
		mac := tokenMAC(key, r, c.generation)
		same := hmac.Equal(mac[:], c.mac[:])
		made = made || same && (id == r.Key || c.generation < r.Generation)
	}
	return made && r.State != 0 && r.ID == c.id && c.generation <= r.Generation
}

// tokenMAC is HMAC-SHA256 over id, generation, the invite's secret, and a hash of the account and address that the
// token is for, truncated to 30 bytes.
func tokenMAC(key *derivedKey, r Record, generation uint16) [macBytes]byte {
	id, _ := uuid.Parse(string(r.ID)) // zero for an invite that isn't there
	bound := sha256.New()
	for _, text := range []string{string(r.Account), r.Address.Canonical()} {
		bound.Write(binary.BigEndian.AppendUint64(nil, uint64(len(text))))
		bound.Write([]byte(text))
	}
	h := hmac.New(sha256.New, key.bytes)
	h.Write(id[:])
	h.Write(binary.BigEndian.AppendUint16(nil, generation))
	h.Write(r.Secret[:])
	h.Write(bound.Sum(nil))
	return [macBytes]byte(h.Sum(nil)[:macBytes])
}
