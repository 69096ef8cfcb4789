package access

import "errors"

// The kinds of refusal, found by errors.Is. Most arrive wrapped in an *Error that says more.
var (
	// ErrNotFound: there is no such thing, or the actor may not know of it. The two look the same.
	ErrNotFound = errors.New("not found")
	// ErrDenied: the actor is known here, and may not do this.
	ErrDenied = errors.New("denied")
	// ErrExists: it is there already, with other content.
	ErrExists = errors.New("exists already")
	// ErrInvalid: the input can't be right, whoever sends it.
	ErrInvalid = errors.New("invalid")
	// ErrOwner: the owner can't be restricted, removed or invited; ownership changes by transfer only.
	ErrOwner = errors.New("concerns the owner")
	// ErrLimit: a number of seats, invites or mails is used up.
	ErrLimit = errors.New("limit reached")
	// ErrNested: a unit of work was begun inside another one, with its context.
	ErrNested = errors.New("unit of work inside another")
	// ErrUnknownOutcome: the connection was lost while a unit of work was being committed, so that nobody can say whether
	// it was. All of it is there or nothing is. Ask again what is there, or do the verb again. If that takes something
	// away, and the second time says ErrNotFound, the first may not have settled: call Settle.
	ErrUnknownOutcome = errors.New("outcome unknown")
	// ErrStale: what a Cache remembers is too old to count, or older than what was asked for, and the database can't be
	// asked.
	ErrStale = errors.New("too old to tell")
	// ErrUnsettled: the change is done, but it isn't certain yet that all processes have heard of it. What answers from
	// memory does so for another lease at most. Settle asks again.
	ErrUnsettled = errors.New("not settled yet")
)

// An Error says what was refused and why: to programs by Code, Field and Params, to people by its text. Codes are
// stable; the English text is only the default, and hosts write their own from the other fields. It never holds a
// token, a key, a password or a full address.
type Error struct {
	Kind   error             // one of the kinds above, found by errors.Is
	Code   string            // stable, for example "permissions.needs"
	Field  string            // the input concerned, in the words of this package; empty if it is none
	Reason string            // English, continues the field: "is empty"
	Params map[string]string // the values in the reason, if any
}

// Error returns the refusal as one English sentence without a full stop.
func (e *Error) Error() string {
	text := e.Reason
	if e.Field != "" {
		text = e.Field + " " + text
	}
	return "roster: " + text
}

// Unwrap returns the kind.
func (e *Error) Unwrap() error { return e.Kind }

// Invalid returns an error of kind ErrInvalid about a field.
func Invalid(field, code, reason string) *Error {
	return &Error{Kind: ErrInvalid, Code: code, Field: field, Reason: reason}
}

// Denied returns an error of kind ErrDenied.
func Denied(code, reason string) *Error {
	return &Error{Kind: ErrDenied, Code: code, Reason: reason}
}

// NotFound returns the error of kind ErrNotFound for a thing of this name: "account", "member", "invite", "contact".
// It has no further detail, so that absent and foreign can't be told apart.
func NotFound(thing string) *Error {
	return &Error{Kind: ErrNotFound, Code: "not_found", Field: thing, Reason: "is not there"}
}
