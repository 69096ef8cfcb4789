package contact

import "github.com/rosterkit/roster/access"

// A Category is a set of kinds of mail that a recipient can have or not, a bit each, of which bits 0 to 62 may be used,
// as those of a Permission. Which bit means what is a Categories' to say. Bits are stored: a value, once given a
// meaning, is never renumbered or reused. The zero value is no mail at all.
type Category uint64

// All is every category of today and of tomorrow: bits 0 to 62. It is not the same as the union of today's.
const All Category = 1<<63 - 1

// Has reports whether c holds every bit of d. No set has the empty set.
func (c Category) Has(d Category) bool { return d != 0 && c&d == d }

// MarshalText returns c as decimal digits, as access.Permission does: JSON numbers lose digits beyond 2^53 in many
// readers.
func (c Category) MarshalText() ([]byte, error) { return access.Permission(c).MarshalText() }

// UnmarshalText reads what MarshalText writes and nothing else. It returns an error of kind access.ErrInvalid and
// leaves c as it was.
func (c *Category) UnmarshalText(text []byte) error {
	return (*access.Permission)(c).UnmarshalText(text)
}
