package invite

import (
	"context"
	"time"

	"github.com/rosterkit/roster/access"
)

// Tx is what this package needs of a transaction, under the rules of access.Tx.
type Tx interface {
	access.Tx

	// FindInvite returns an invite by its id alone, for who comes with a token and doesn't know the account yet, and the
	// version that the account had then. access.ErrNotFound.
	FindInvite(ctx context.Context, id ID) (found Record, version uint64, err error)
	// Invite returns an invite of an account. access.ErrNotFound.
	Invite(ctx context.Context, account access.AccountID, id ID) (Record, error)
	// PendingInvite returns the pending invite, expired or not, of an account to an address. access.ErrNotFound.
	PendingInvite(ctx context.Context, account access.AccountID, address access.Address) (Record, error)
	// InsertInvite stores a new invite of a locked account. access.ErrExists if its id is taken, or if it is pending
	// and the account has a pending one to the same canonical address.
	InsertInvite(ctx context.Context, r Record) error
	// UpdateInvite replaces an invite of a locked account that is pending and has the given generation: one change
	// wins. access.ErrNotFound if there is none such. ID, Account, Address and Created stay as they are.
	UpdateInvite(ctx context.Context, r Record, generation uint16) error
	// Invites returns invites of an account, the newest first by id, below before if that isn't empty, at most limit.
	Invites(ctx context.Context, account access.AccountID, f Filter, before ID, limit int) ([]Record, error)
	// WaitingInvites returns the invites of all accounts to a canonical address that are pending and live at now,
	// the newest first by id, below before if that isn't empty, at most limit.
	WaitingInvites(ctx context.Context, address access.Address, now time.Time, before ID, limit int) ([]Record, error)
	// InviteKeys returns the ids of the host's keys that invites of all accounts use which are pending and live at now,
	// sorted.
	InviteKeys(ctx context.Context, now time.Time) ([]string, error)
	// LiveInvites counts the invites of an account that are pending and live at now.
	LiveInvites(ctx context.Context, account access.AccountID, now time.Time) (int, error)
}
