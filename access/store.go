package access

import (
	"context"
	"time"

	"github.com/rosterkit/roster/notify"
)

// A Store runs units of work. T is the transaction that the calling package needs: a storage backend's own type
// satisfies every package's.
type Store[T any] interface {
	// Grant reads one decision in one statement, outside any transaction. No such account is the zero Grant; no
	// membership is a Grant whose Status is zero. WhileSuspended is left for the caller to fill in. With the
	// context of a unit of work it returns ErrNested.
	Grant(ctx context.Context, account AccountID, user UserID) (Grant, error)
	// View runs fn on one consistent snapshot. Writing in it is an error. With the context of a unit of work it
	// returns ErrNested.
	View(ctx context.Context, fn func(context.Context, T) error) error
	// Read is View for reads that needn't fit each other, such as a check and one page of a list: each of them may see
	// what was committed since the one before. It needs no transaction.
	Read(ctx context.Context, fn func(context.Context, T) error) error
	// Update commits if fn returns nil; an error or a panic rolls back, and is passed on. It commits nothing after a
	// failed write, even if fn swallowed the error. fn may run again after a conflict, so it does nothing that the
	// transaction can't undo. With the context of a unit of work it returns ErrNested. ErrUnknownOutcome says that the
	// commit may have been done or not.
	Update(ctx context.Context, fn func(context.Context, T) error) error

	Registry
}

// UnitKey is the key of contexts of units of work, of which backends set the value: storage.Inside does.
type UnitKey struct{}

// Tx is what this package needs of a transaction. Reads see the transaction's own writes. A method that finds nothing
// returns an error of kind ErrNotFound where it says so; lists are empty then. Every method may return the backend's
// own error, or the context's, as well. Writing to an account that the transaction hasn't locked is a programmer's
// mistake and panics. Values are copied in and out: a caller may keep and change what it passed or got.
type Tx interface {
	notify.Tx

	// Lock locks accounts until the end of the transaction, in ascending order of their ids, raises the version of
	// each by one, and returns them in the order asked, with the new versions. Locking again what this transaction
	// holds returns the account and raises nothing. ErrNotFound if one doesn't exist; then none is locked.
	Lock(ctx context.Context, ids ...AccountID) ([]Account, error)
	// InsertAccount stores an account at version 1, and locks it. ErrExists if the id is taken.
	InsertAccount(ctx context.Context, a Account) error
	// Account returns an account. ErrNotFound.
	Account(ctx context.Context, id AccountID) (Account, error)
	// UpdateAccount writes a locked account's owner, status, profile and policy, and nothing else.
	UpdateAccount(ctx context.Context, a Account) error

	// Grant is Store.Grant inside the transaction.
	Grant(ctx context.Context, account AccountID, user UserID) (Grant, error)
	// Grants returns the Grants of a user in those of the accounts that exist.
	Grants(ctx context.Context, user UserID, accounts []AccountID) (map[AccountID]Grant, error)
	// Granted returns the Grants of the memberships of all accounts, ordered by account and user byte for byte, from the
	// first one after `after` on, at most limit of them.
	Granted(ctx context.Context, after MembershipKey, limit int) ([]Granted, error)
	// Membership returns a membership, the owner's too. ErrNotFound.
	Membership(ctx context.Context, account AccountID, user UserID) (Membership, error)
	// PutMembership stores a membership, new or not, of a locked account. Of one that is there it keeps Created and
	// LastSeen.
	PutMembership(ctx context.Context, m Membership) error
	// DeleteMembership deletes a membership of a locked account. ErrNotFound.
	DeleteMembership(ctx context.Context, account AccountID, user UserID) error
	// Members returns an account's memberships with their directory entries, ordered by user id byte for byte, from
	// the first id after `after`, at most limit of them.
	Members(ctx context.Context, account AccountID, f MemberFilter, after UserID, limit int) ([]Member, error)
	// MembersByAddress returns the members of an account, the owner too, whose directory entry has a canonical
	// address, ordered by user id byte for byte, at most limit of them.
	MembersByAddress(ctx context.Context, account AccountID, address Address, limit int) ([]Member, error)
	// UserAccounts returns the accounts in which a user has a membership, with what Account.Outside leaves of each,
	// ordered by account id byte for byte, from the first id after `after`, at most limit of them.
	UserAccounts(ctx context.Context, user UserID, f AccountFilter, after AccountID, limit int) ([]UserAccount, error)
	// Seats counts memberships that aren't the owner's and haven't expired at a time, and invites that are pending
	// and haven't.
	Seats(ctx context.Context, account AccountID, now time.Time) (int, error)
	// Touch sets LastSeen of a membership to at, unless there is none or it is later than notAfter already. It
	// needs no lock and raises no version.
	Touch(ctx context.Context, account AccountID, user UserID, at, notAfter time.Time) error

	// RevokeInvites closes, as revoked at a time, the pending invites of a locked account that a user sent (as
	// themselves) and that offer a bit beyond held, and returns them ordered by id.
	RevokeInvites(ctx context.Context, account AccountID, inviter UserID, held Permission, at time.Time) ([]RevokedInvite, error)
	// DeletePreferences deletes the e-mail preferences of users in a locked account. Those without any are ignored.
	DeletePreferences(ctx context.Context, account AccountID, users ...UserID) error

	// User returns a directory entry. ErrNotFound.
	User(ctx context.Context, id UserID) (User, error)
	// Users returns the directory entries of those of ids that have one.
	Users(ctx context.Context, ids []UserID) (map[UserID]User, error)
	// PutUsers stores directory entries, new or not. Of one that is there it keeps the later LastSignIn.
	PutUsers(ctx context.Context, users ...User) error
	// SignedIn sets the LastSignIn of a directory entry, unless it is later already, and nothing else of it. A user
	// who isn't there is added by id.
	SignedIn(ctx context.Context, id UserID, at time.Time) error

	// Hit counts one use of a limit at a time, and returns how many there were after at-window and up to at, this one
	// included. A use is kept for at least the window with which it was counted. It needs no account lock: the limit
	// itself is locked until the end of the transaction.
	Hit(ctx context.Context, limit [32]byte, at time.Time, window time.Duration) (int, error)

	// AfterCommit has fn run when the transaction has been committed, or may have been. In a transaction of the host's,
	// whose end nobody tells, it isn't run.
	AfterCommit(fn func())

	// Spoil keeps the transaction from being committed, whatever its function returns: for a verb that ends halfway.
	// The error is what Update returns then.
	Spoil(err error)

	// Append adds an event to a locked account's history, sealing it after the account's head. The backend writes
	// the events of a transaction once, at its end, numbering each shard of the feed in ascending order of shards.
	Append(ctx context.Context, r Record) error
	// Events returns events of an account by (version, index): the newest first, below before; or, with ascending,
	// the oldest first, above before. A zero key starts at the respective end. Events that this transaction appended
	// need not be seen.
	Events(ctx context.Context, account AccountID, f EventFilter, before EventKey, ascending bool, limit int) ([]Record, error)
	// Feed returns the heads of the change feed, one for each shard in order.
	Feed(ctx context.Context) ([Shards]FeedHead, error)
	// Changes returns the events of a shard with numbers above after, in order, at most limit of them.
	Changes(ctx context.Context, shard int, after uint64, limit int) ([]Record, error)
}

// A MembershipKey names a membership.
type MembershipKey struct {
	Account AccountID
	User    UserID
}

// A Granted is a membership as a decision sees it.
type Granted struct {
	MembershipKey
	Grant Grant
}

// An EventKey names an event within its account.
type EventKey struct {
	Version uint64
	Index   int
}

// A FeedHead is the end of one shard of the change feed.
type FeedHead struct {
	Number uint64  // of the last event, which is how many there are; 0 if none
	Tail   EventID // the last event
}

// A RevokedInvite is an invite that a change to its sender closed.
type RevokedInvite struct {
	ID         string
	Address    Address
	Terms      Terms
	Generation uint16
}
