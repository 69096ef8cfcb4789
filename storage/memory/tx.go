package memory

import (
	"context"
	"errors"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
)

// A state is everything stored. Copying it is a snapshot: nothing that it points to is ever changed.
type state struct {
	accounts *tree[access.AccountID, *account]
	users    *tree[access.UserID, access.User]
	joined   *tree[access.UserID, *set[access.AccountID]] // the accounts in which a user has a membership
	invites  *tree[invite.ID, access.AccountID]           // where an invite is
	pending  *tree[string, *set[invite.ID]]               // the pending invites to a canonical address
	located  *tree[contact.ID, *set[access.AccountID]]    // where contacts of an id are
	limits   *tree[string, limit]                         // by their digests
	passing  *set[deadline]                               // when limits may be forgotten
	messages *tree[notify.MessageID, message]
	groups   *tree[string, *set[notify.MessageID]]
	outbox   outbox
	feedback *tree[string, []notify.Feedback] // by the canonical address, oldest first
	// suppressed are the suppressions, by the canonical address.
	suppressed *tree[string, notify.Suppression]
	feed       [access.Shards][]*access.Record
	registry   registry
}

// An account is what is stored of one account.
type account struct {
	access.Account
	members       *tree[access.UserID, access.Membership]
	invites       *tree[invite.ID, invite.Record]
	contacts      *tree[contact.ID, contact.Contact]
	addresses     *tree[string, contact.ID] // of the contacts, canonical
	preferences   *tree[access.UserID, contact.Category]
	verifications *tree[contact.ID, contact.Verification]
	unsubscribed  *tree[string, contact.Category] // by addresses that are no contact's any more
	notices       *tree[string, contact.NoticeRecord]
	events        []*access.Record // in the order of their keys
}

// A set is a tree of which only the keys matter.
type set[K interface{ ~string }] = tree[K, struct{}]

// A tx is a transaction: a copy of the state for fn to change.
type tx struct {
	storage.Unit
	state
	view  bool
	ended bool
}

var _ storage.Tx = (*tx)(nil)

var (
	errView  = errors.New("memory: write in a view")
	errEnded = errors.New("memory: the transaction has ended")
)

func (tx *tx) end() { tx.ended = true }

// read is the first call of every method that reads.
func (tx *tx) read(ctx context.Context) error {
	if tx.ended {
		return errEnded
	}
	return ctx.Err()
}

// write is the first call of every method that writes, to accounts that must be locked.
func (tx *tx) write(ctx context.Context, accounts ...access.AccountID) error {
	if tx.view {
		return errView
	}
	for _, id := range accounts {
		tx.MustHold(id)
	}
	return tx.Fail(tx.read(ctx))
}

// get returns what is stored of an account, an empty one if there is none.
func (s *state) get(id access.AccountID) *account {
	if a, ok := s.accounts.get(id); ok {
		return a
	}
	return new(account)
}

// change replaces what is stored of an account by what fn makes of a copy.
func (s *state) change(id access.AccountID, fn func(*account)) {
	next := *s.get(id)
	fn(&next)
	s.accounts = s.accounts.put(id, &next)
}

// add returns the sets with a member more in one of them.
func add[K, M interface{ ~string }](sets *tree[K, *set[M]], key K, member M) *tree[K, *set[M]] {
	members, _ := sets.get(key)
	return sets.put(key, members.put(member, struct{}{}))
}

// drop returns the sets with a member less in one of them.
func drop[K, M interface{ ~string }](sets *tree[K, *set[M]], key K, member M) *tree[K, *set[M]] {
	members, _ := sets.get(key)
	if members = members.remove(member); members == nil {
		return sets.remove(key)
	}
	return sets.put(key, members)
}

// stored returns a time as databases keep it: UTC, in microseconds. The zero time stays zero.
func stored(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return time.UnixMicro(t.UnixMicro()).UTC()
}
