package storagetest_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
)

// A mutant is a backend that breaks one rule.
type mutant struct {
	rule  string // that it breaks
	fails string // the case that has to notice
	make  func(storage.DB) storage.DB
}

type fn = func(context.Context, storage.Tx) error

// mutants are all there are.
func mutants() map[string]mutant {
	all := followerMutants()
	maps.Copy(all, map[string]mutant{
		"commits on an error": {
			"an error rolls back", "units/rollback_on_an_error",
			func(db storage.DB) storage.DB { return commitsOnError{db} },
		},
		"commits a failed verb": {
			"a verb changes everything or nothing", "verbs/access.Remove",
			func(db storage.DB) storage.DB { return commitsOnError{db} },
		},
		"swallows panics": {
			"a panic is passed on", "units/rollback_on_a_panic",
			func(db storage.DB) storage.DB { return swallowsPanics{db} },
		},
		"asks within a unit": {
			"a decision within a unit is ErrNested", "units/nested",
			func(db storage.DB) storage.DB { return asksWithin{db} },
		},
		"forgets a failed write": {
			"a failed write poisons", "units/failed_write", within(func(tx storage.Tx) storage.Tx {
				return forgivesEnqueue{tx}
			}),
		},
		"forgives a spoiled unit": {
			"a spoiled unit isn't committed", "units/spoilt", within(func(tx storage.Tx) storage.Tx { return forgivesSpoil{tx} }),
		},
		"reads what is newest": {
			"a view reads one moment", "views/snapshot", func(db storage.DB) storage.DB { return newestView{db} },
		},
		"writes in a read": {
			"a read can't write", "reads/writing_in_a_read", func(db storage.DB) storage.DB { return writesInReads{db} },
		},
		"reads before it locks": {
			"no update is lost", "locks/no_overlap", func(db storage.DB) storage.DB { return staleReads{db} },
		},
		"folds ids": {
			"ids compare byte for byte", "identifiers/users_of_an_account", within(func(tx storage.Tx) storage.Tx {
				return foldsIDs{tx}
			}),
		},
		"pages from the last row": {
			"pages don't overlap", "members/pages", within(func(tx storage.Tx) storage.Tx { return pagesFrom{tx} }),
		},
		"compares case in prefixes": {
			"prefixes are without case", "members/filters", within(func(tx storage.Tx) storage.Tx {
				return strictPrefix{tx}
			}),
		},
		"replaces memberships": {
			"a membership keeps when it was created", "members/stored_again", within(func(tx storage.Tx) storage.Tx {
				return replaces{tx}
			}),
		},
		"keeps zones": {
			"times are UTC", "times/round_trip", within(func(tx storage.Tx) storage.Tx { return keepsZones{tx} }),
		},
		"ignores generations": {
			"invites change by compare and swap", "invites/compare_and_swap", within(func(tx storage.Tx) storage.Tx {
				return anyGeneration{tx}
			}),
		},
		"revokes too much": {
			"only what goes beyond what is held is revoked", "invites/revoked_with_the_sender", within(func(tx storage.Tx) storage.Tx {
				return revokesMore{tx}
			}),
		},
		"counts a window too long": {
			"a window ends exactly", "limits/sliding_window", within(func(tx storage.Tx) storage.Tx {
				return longWindow{tx}
			}),
		},
		"forgets a limit in use": {
			"a use is kept for its window", "limits/others", within(func(tx storage.Tx) storage.Tx { return oneLimit{tx} }),
		},
		"signs in by storing again": {
			"a sign-in changes nothing else", "users/signed_in", within(func(tx storage.Tx) storage.Tx { return replacesUser{tx} }),
		},
		"takes any message": {
			"a message that can't be stored is refused", "outbox/unfit", within(func(tx storage.Tx) storage.Tx {
				return cutsKinds{tx}
			}),
		},
		"has no leases": {
			"a claimed message isn't claimed again", "outbox/two_workers", func(db storage.DB) storage.DB { return noLeases{db} },
		},
		"has no fence": {
			"a late worker is told so", "outbox/fence", func(db storage.DB) storage.DB { return noFence{db} },
		},
		"skips a late number": {
			"a follower misses nothing", "feed/pages", within(func(tx storage.Tx) storage.Tx { return skipsNumbers{tx} }),
		},
		"forgets the mail of a verb": {
			"a verb that succeeds did all it should", "accept/one_token,_one_person", within(func(tx storage.Tx) storage.Tx {
				return losesMail{tx}
			}),
		},
	})
	return all
}

// within wraps the transaction of updates and views.
func within(wrap func(storage.Tx) storage.Tx) func(storage.DB) storage.DB {
	return func(db storage.DB) storage.DB { return wrapped{db, wrap} }
}

type wrapped struct {
	storage.DB
	wrap func(storage.Tx) storage.Tx
}

func (w wrapped) Update(ctx context.Context, fn fn) error {
	return w.DB.Update(ctx, func(ctx context.Context, tx storage.Tx) error { return fn(ctx, w.wrap(tx)) })
}

func (w wrapped) Read(ctx context.Context, fn fn) error {
	return w.DB.Read(ctx, func(ctx context.Context, tx storage.Tx) error { return fn(ctx, w.wrap(tx)) })
}

func (w wrapped) View(ctx context.Context, fn fn) error {
	return w.DB.View(ctx, func(ctx context.Context, tx storage.Tx) error { return fn(ctx, w.wrap(tx)) })
}

type commitsOnError struct{ storage.DB }

func (m commitsOnError) Update(ctx context.Context, fn fn) error {
	var failed error
	err := m.DB.Update(ctx, func(ctx context.Context, tx storage.Tx) error {
		failed = fn(ctx, tx)
		return nil
	})
	return errors.Join(failed, err)
}

type swallowsPanics struct{ storage.DB }

func (m swallowsPanics) Update(ctx context.Context, fn fn) (err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("something went wrong")
		}
	}()
	return m.DB.Update(ctx, fn)
}

type asksWithin struct{ storage.DB }

func (m asksWithin) Grant(ctx context.Context, account access.AccountID, user access.UserID) (access.Grant, error) {
	return m.DB.Grant(context.Background(), account, user)
}

type forgivesEnqueue struct{ storage.Tx }

func (m forgivesEnqueue) Enqueue(ctx context.Context, messages ...notify.Message) error {
	for _, message := range messages {
		stored, err := m.Messages(ctx, message.Group, notify.MessageQuery{Limit: 1000})
		if err != nil {
			return err
		}
		if slices.ContainsFunc(stored, func(other notify.Message) bool { return other.ID == message.ID }) {
			return errors.New("the id is taken")
		}
	}
	return m.Tx.Enqueue(ctx, messages...)
}

type forgivesSpoil struct{ storage.Tx }

func (forgivesSpoil) Spoil(error) {}

type writesInReads struct{ storage.DB }

func (m writesInReads) Read(ctx context.Context, fn fn) error { return m.DB.Update(ctx, fn) }

type newestView struct{ storage.DB }

func (m newestView) View(ctx context.Context, fn fn) error {
	outside := ctx
	return m.DB.View(ctx, func(ctx context.Context, tx storage.Tx) error { return fn(ctx, newestTx{tx, m.DB, outside}) })
}

type newestTx struct {
	storage.Tx
	db      storage.DB
	outside context.Context
}

func (m newestTx) Account(_ context.Context, id access.AccountID) (a access.Account, err error) {
	err = m.db.View(m.outside, func(ctx context.Context, tx storage.Tx) (err error) {
		a, err = tx.Account(ctx, id)
		return err
	})
	return a, err
}

type staleReads struct{ storage.DB }

func (m staleReads) Update(ctx context.Context, fn fn) error {
	outside := ctx
	return m.View(ctx, func(_ context.Context, old storage.Tx) error {
		return m.DB.Update(outside, func(ctx context.Context, tx storage.Tx) error { return fn(ctx, staleTx{tx, old}) })
	})
}

type staleTx struct {
	storage.Tx
	old storage.Tx
}

func (m staleTx) Membership(ctx context.Context, account access.AccountID, user access.UserID) (access.Membership, error) {
	return m.old.Membership(ctx, account, user)
}

type foldsIDs struct{ storage.Tx }

func (m foldsIDs) Membership(ctx context.Context, account access.AccountID, user access.UserID) (access.Membership, error) {
	membership, err := m.Tx.Membership(ctx, account, user)
	if errors.Is(err, access.ErrNotFound) {
		return m.Tx.Membership(ctx, account, access.UserID(strings.ToLower(string(user))))
	}
	return membership, err
}

type pagesFrom struct{ storage.Tx }

func (m pagesFrom) Members(ctx context.Context, account access.AccountID,
	f access.MemberFilter, after access.UserID, limit int) ([]access.Member, error) {
	members, err := m.Tx.Members(ctx, account, f, "", 1000)
	members = slices.DeleteFunc(members, func(member access.Member) bool { return member.User < after })
	return members[:min(limit, len(members))], err
}

type strictPrefix struct{ storage.Tx }

func (m strictPrefix) Members(ctx context.Context, account access.AccountID,
	f access.MemberFilter, after access.UserID, limit int) ([]access.Member, error) {
	prefix := f.Prefix
	f.Prefix = ""
	members, err := m.Tx.Members(ctx, account, f, after, 1000)
	members = slices.DeleteFunc(members, func(member access.Member) bool {
		return !strings.HasPrefix(member.Person.Name, prefix) && !strings.HasPrefix(string(member.User), prefix)
	})
	return members[:min(limit, len(members))], err
}

type replaces struct{ storage.Tx }

func (m replaces) PutMembership(ctx context.Context, membership access.Membership) error {
	if err := m.DeleteMembership(ctx, membership.Account, membership.User); err != nil && !errors.Is(err, access.ErrNotFound) {
		return err
	}
	return m.Tx.PutMembership(ctx, membership)
}

type keepsZones struct{ storage.Tx }

func (m keepsZones) Account(ctx context.Context, id access.AccountID) (access.Account, error) {
	a, err := m.Tx.Account(ctx, id)
	a.Created = a.Created.In(time.FixedZone("+05:45", 5*3600+45*60))
	return a, err
}

type anyGeneration struct{ storage.Tx }

func (m anyGeneration) UpdateInvite(ctx context.Context, r invite.Record, _ uint16) error {
	stored, err := m.Invite(ctx, r.Account, r.ID)
	if err != nil {
		return err
	}
	return m.Tx.UpdateInvite(ctx, r, stored.Generation)
}

type revokesMore struct{ storage.Tx }

func (m revokesMore) RevokeInvites(ctx context.Context, account access.AccountID,
	inviter access.UserID, _ access.Permission, at time.Time) ([]access.RevokedInvite, error) {
	return m.Tx.RevokeInvites(ctx, account, inviter, 0, at)
}

type longWindow struct{ storage.Tx }

func (m longWindow) Hit(ctx context.Context, limit [32]byte, at time.Time, window time.Duration) (int, error) {
	return m.Tx.Hit(ctx, limit, at, window+time.Microsecond)
}

type oneLimit struct{ storage.Tx }

func (m oneLimit) Hit(ctx context.Context, limit [32]byte, at time.Time, window time.Duration) (int, error) {
	if limit[0] == 0 {
		return m.Tx.Hit(ctx, limit, at, window)
	}
	return 1, nil
}

type replacesUser struct{ storage.Tx }

func (m replacesUser) SignedIn(ctx context.Context, id access.UserID, at time.Time) error {
	return m.PutUsers(ctx, access.User{ID: id, LastSignIn: at})
}

type cutsKinds struct{ storage.Tx }

func (m cutsKinds) Enqueue(ctx context.Context, messages ...notify.Message) error {
	for i := range messages {
		messages[i].Kind = messages[i].Kind[:min(len(messages[i].Kind), notify.MaxKindBytes)]
	}
	return m.Tx.Enqueue(ctx, messages...)
}

type noLeases struct{ storage.DB }

func (m noLeases) Claim(ctx context.Context, now time.Time, _ time.Duration, n int) ([]notify.Message, error) {
	return m.DB.Claim(ctx, now, 0, n)
}

type noFence struct{ storage.DB }

func (m noFence) Finish(ctx context.Context, results ...notify.Result) ([]notify.MessageID, error) {
	_, err := m.DB.Finish(ctx, results...)
	return nil, err
}

type skipsNumbers struct{ storage.Tx }

func (m skipsNumbers) Changes(ctx context.Context, shard int, after uint64, limit int) ([]access.Record, error) {
	if after == 0 {
		return m.Tx.Changes(ctx, shard, 0, limit)
	}
	return m.Tx.Changes(ctx, shard, after+1, limit)
}

type losesMail struct{ storage.Tx }

func (losesMail) Enqueue(context.Context, ...notify.Message) error { return nil }
