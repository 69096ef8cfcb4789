package access

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

// TokenLength is the length of the token of every link, in characters.
const TokenLength = 64

// A token is base64url(id 16 || number 2 || MAC 30): 48 bytes leave no spare bits, so that it has one spelling.
const (
	tokenIDBytes  = 16
	tokenMACBytes = 30
)

// A LinkToken is what the token of a link says, before anything of it is believed: a Keyring knows whether to. It prints
// as a placeholder.
type LinkToken struct {
	id     uuid.UUID
	number uint16
	mac    [tokenMACBytes]byte
}

// ParseToken reads a token. Anything but exactly 64 characters of the base64url alphabet is refused: Go's decoder would
// skip line breaks.
func ParseToken(text string) (LinkToken, bool) {
	if len(text) != TokenLength || strings.ContainsFunc(text, notInAlphabet) {
		return LinkToken{}, false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return LinkToken{}, false
	}
	t := LinkToken{id: uuid.UUID(b[:tokenIDBytes]), number: binary.BigEndian.Uint16(b[tokenIDBytes:])}
	copy(t.mac[:], b[tokenIDBytes+2:])
	return t, true
}

func notInAlphabet(r rune) bool {
	return (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_'
}

// newLinkToken returns a token without its MAC.
func newLinkToken(id string, number uint16) (LinkToken, bool) {
	parsed, err := uuid.Parse(id)
	return LinkToken{id: parsed, number: number}, err == nil
}

// ID returns the UUID of what the token is for, in its text form.
func (t LinkToken) ID() string { return t.id.String() }

// Number returns the generation, or what else tells the tokens of one thing apart.
func (t LinkToken) Number() uint16 { return t.number }

// Format writes a placeholder for every verb, so that tokens don't reach logs.
func (t LinkToken) Format(f fmt.State, _ rune) { io.WriteString(f, "access.LinkToken(secret)") }

// MarshalText returns the placeholder, so that tokens don't reach JSON.
func (t LinkToken) MarshalText() ([]byte, error) { return []byte("access.LinkToken(secret)"), nil }

func (t LinkToken) text() string {
	b := append(make([]byte, 0, tokenIDBytes+2+tokenMACBytes), t.id[:]...)
	b = binary.BigEndian.AppendUint16(b, t.number)
	return base64.RawURLEncoding.EncodeToString(append(b, t.mac[:]...))
}

// macWith is HMAC-SHA256 over id, number, and what the token is bound to, truncated to 30 bytes.
func (t LinkToken) macWith(key *derivedKey, bound []byte) [tokenMACBytes]byte {
	h := hmac.New(sha256.New, key.bytes)
	h.Write(t.id[:])
	h.Write(binary.BigEndian.AppendUint16(nil, t.number))
	h.Write(bound)
	return [tokenMACBytes]byte(h.Sum(nil)[:tokenMACBytes])
}
