package access

import "strconv"

// A Permission is a set of permissions, a bit each, of which bits 0 to 62 may be used. Which bit means what is a
// Catalog's to say. Bits are stored and sent: a value, once given a meaning, is never renumbered or reused. The zero
// value is the empty set and grants nothing.
type Permission uint64

// All is every permission of today and of tomorrow: bits 0 to 62. It is not the same as the union of today's.
const All Permission = 1<<63 - 1

// Has reports whether p holds every bit of q. No set has the empty set: an empty question is a mistake, and is
// answered with no.
func (p Permission) Has(q Permission) bool { return q != 0 && p&q == q }

// MarshalText returns p as decimal digits: JSON numbers lose digits beyond 2^53 in many readers.
func (p Permission) MarshalText() ([]byte, error) {
	if p > All {
		return nil, Invalid("permissions", "permissions.unknown", "hold bit 63, which is never used")
	}
	return strconv.AppendUint(nil, uint64(p), 10), nil
}

// UnmarshalText reads what MarshalText writes and nothing else: no sign, no leading zero, no blank, at most All.
// It returns an error of kind ErrInvalid and leaves p as it was.
func (p *Permission) UnmarshalText(text []byte) error {
	n, err := strconv.ParseUint(string(text), 10, 63)
	if err != nil || strconv.FormatUint(n, 10) != string(text) {
		return Invalid("permissions", "permissions.text", "are not the decimal digits of a set")
	}
	*p = Permission(n)
	return nil
}
