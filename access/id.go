package access

import "unicode/utf8"

// An AccountID names an account. It is the host's own: opaque valid UTF-8 without control characters, 1 to 128
// bytes, compared byte for byte, never reused. A host with integer ids passes them as decimal text.
type AccountID string

// A UserID names a user. It has the shape of an AccountID and is the host's own too.
type UserID string

// MaxIDBytes is the length of the longest account or user id.
const MaxIDBytes = 128

// Check returns an error of kind ErrInvalid, with code "id.empty", "id.long" or "id.text", if the id can't be one.
func (id AccountID) Check() error { return checkID("account", string(id)) }

// Check returns an error of kind ErrInvalid, with code "id.empty", "id.long" or "id.text", if the id can't be one.
func (id UserID) Check() error { return checkID("user", string(id)) }

func checkID(field, id string) error {
	switch {
	case id == "":
		return Invalid(field, "id.empty", "is empty")
	case len(id) > MaxIDBytes:
		return Invalid(field, "id.long", "is longer than 128 bytes")
	case !utf8.ValidString(id) || hasControl(id):
		return Invalid(field, "id.text", "is not UTF-8 without control characters")
	}
	return nil
}
