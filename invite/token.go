package invite

import (
	"fmt"
	"io"

	"github.com/rosterkit/roster/access"
)

// TokenLength is the length of every token, in characters.
const TokenLength = access.TokenLength

// MinKeyBytes is the length of the shortest secret of a Key.
const MinKeyBytes = access.MinKeyBytes

// A Key is a secret of the host. It is access.Key: the links of other packages are made with the same ones.
type Key = access.Key

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

// A keyring makes and recognises the tokens of invites, whose number is the generation.
type keyring struct{ *access.Keyring }

func newKeyring(keys []Key, deployment string) (keyring, error) {
	ring, err := access.NewKeyring(keys, deployment, "invite")
	return keyring{ring}, err
}

// token derives the token of an invite's present generation. Only the database and the host's key together can.
func (k keyring) token(r Record) (Token, bool) {
	text, ok := k.Token(r.Key, string(r.ID), r.Generation, bound(r))
	return Token{text}, ok
}

// authentic reports, in constant time, whether a token was made by the host for this invite, in any generation so
// far: the present one with the key that the row names, an earlier one perhaps with another. For an invite that isn't
// there it does the same work and says no.
func (k keyring) authentic(t access.LinkToken, r Record) bool {
	made := false
	for _, key := range k.Makers(t, bound(r)) {
		made = made || key == r.Key || t.Number() < r.Generation
	}
	return made && r.State != 0 && string(r.ID) == t.ID() && t.Number() <= r.Generation
}

// bound is the invite's secret, and a hash of the account and address that its tokens are for.
func bound(r Record) []byte {
	return append(r.Secret[:], access.Bind(string(r.Account), r.Address.Canonical())...)
}
