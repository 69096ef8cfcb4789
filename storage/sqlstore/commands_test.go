package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
)

var (
	someAccounts = []access.AccountID{"acme", "Acme", "globex "}
	someUsers    = []access.UserID{"olga", "Olga", "\u00f6lga", "o\u0308lga", "b%b", "b_b"}
	someNames    = []string{"", "Olga", "\u00d6lga", "O\u0308lga", "%", "b_b", "\u0130stanbul", "Stra\u00dfe", "\u01c5ep", "1"}
	somePrefixes = []string{"", "o", "O", "\u00f6", "\u00d6L", "o\u0308", "%", "_", "b_", "i", "stras", "STRA\u00df", "1@", "\u01c6"}
)

// A write changes something; a refusal is an error of kind access.ErrNotFound or access.ErrExists.
type write func(context.Context, storage.Tx) error

// A read returns what a query answers.
type read func(context.Context, storage.Tx) (any, error)

func refused(err error) bool {
	return errors.Is(err, access.ErrNotFound) || errors.Is(err, access.ErrExists)
}

// lockAll locks someAccounts, making those that aren't there.
func lockAll(ctx context.Context, tx storage.Tx) error {
	for _, id := range someAccounts {
		err := tx.InsertAccount(ctx, access.Account{ID: id, Owner: "olga", Status: access.AccountActive})
		if err != nil && !refused(err) {
			return err
		}
	}
	_, err := tx.Lock(ctx, someAccounts...)
	return err
}

// drawWrite draws one of all the writes that there are. It needs lockAll.
func drawWrite(t *rapid.T, ids *idSource) write {
	account, user, number, at := drawAccount(t), drawUser(t), drawNumber(t), drawTime(t)
	address := someAddress(t, number)
	name := rapid.SampledFrom(someNames).Draw(t, "name")
	next := ids.next()

	writes := []write{
		func(ctx context.Context, tx storage.Tx) error {
			return tx.UpdateAccount(ctx, access.Account{ID: account, Owner: user, Status: access.AccountStatus(number%3 + 1),
				Profile: access.Profile{Name: name, Company: name}, Policy: access.Policy{Seats: number, Domains: []string{name}[number%2:]}})
		},
		func(ctx context.Context, tx storage.Tx) error {
			return tx.PutMembership(ctx, access.Membership{Account: account, User: user, Status: access.Status(number%2 + 1),
				Permissions: access.Permission(number), Expires: at, Created: at})
		},
		func(ctx context.Context, tx storage.Tx) error {
			return tx.PutMembership(ctx, access.Membership{Account: account, User: user, Status: access.Active,
				Permissions: access.All, Starts: at, Label: name})
		},
		func(ctx context.Context, tx storage.Tx) error { return tx.DeleteMembership(ctx, account, user) },
		func(ctx context.Context, tx storage.Tx) error { return tx.Touch(ctx, account, user, at, at) },
		func(ctx context.Context, tx storage.Tx) error {
			return tx.PutUsers(ctx, access.User{ID: user, Name: name, Address: address, LastSignIn: at}, access.User{ID: user, Name: name})
		},
		func(ctx context.Context, tx storage.Tx) error { return tx.SignedIn(ctx, user, at) },
		func(ctx context.Context, tx storage.Tx) error {
			return tx.InsertInvite(ctx, invite.Record{Invite: invite.Invite{ID: invite.ID(next), Account: account,
				Address: address, State: invite.Pending, Terms: access.Terms{Permissions: access.Permission(number)},
				By: invite.Inviter{Kind: access.ActorUser, ID: string(user)}, Expires: at, Delivery: invite.Delivery(number % 2)}, Key: "key" + name})
		},
		func(ctx context.Context, tx storage.Tx) error {
			r, err := tx.PendingInvite(ctx, account, address)
			if err != nil {
				return err
			}
			r.State, r.Generation, r.Created, r.Expires = invite.State(number), uint16(number), at, at
			return tx.UpdateInvite(ctx, r, uint16(number%2))
		},
		func(ctx context.Context, tx storage.Tx) error {
			_, err := tx.RevokeInvites(ctx, account, user, access.Permission(number), at)
			return err
		},
		func(ctx context.Context, tx storage.Tx) error {
			_, err := tx.Hit(ctx, [32]byte{byte(number)}, at, time.Duration(1+len(name))*10*time.Minute)
			return err
		},
		func(ctx context.Context, tx storage.Tx) error {
			return tx.PutContact(ctx, contact.Contact{ID: contact.ID(user), Account: account, Name: name, Address: address,
				Categories: contact.Category(number), Created: at, Updated: at, Verified: at, Locale: name, AlternateOf: user})
		},
		func(ctx context.Context, tx storage.Tx) error {
			return tx.DeleteContact(ctx, account, contact.ID(user))
		},
		func(ctx context.Context, tx storage.Tx) error {
			return tx.PutPreference(ctx, account, user, contact.Category(number))
		},
		func(ctx context.Context, tx storage.Tx) error {
			return tx.PutVerification(ctx, contact.Verification{Account: account, Contact: contact.ID(user), Generation: uint16(number),
				Secret: access.Secret{byte(number)}, Sent: at, Expires: at})
		},
		func(ctx context.Context, tx storage.Tx) error {
			return tx.PutUnsubscribed(ctx, account, address, contact.Category(number-1))
		},
		func(ctx context.Context, tx storage.Tx) error {
			_, err := tx.AddFeedback(ctx, notify.Feedback{ID: string(user), Kind: notify.FeedbackKind(number), Address: address.Canonical(),
				Message: notify.MessageID(next), Detail: name, At: at})
			return err
		},
		func(ctx context.Context, tx storage.Tx) error {
			return tx.PutSuppression(ctx, notify.Suppression{Address: address.Canonical(), Kind: notify.FeedbackKind(len(name)%3 + 1), Since: at})
		},
		func(ctx context.Context, tx storage.Tx) error {
			deleted, err := tx.DeleteSuppression(ctx, address.Canonical())
			if err == nil && !deleted {
				err = access.ErrNotFound
			}
			return err
		},
		func(ctx context.Context, tx storage.Tx) error {
			return tx.InsertNotice(ctx, contact.NoticeRecord{Account: account, ID: string(user), Kind: "notice", Category: contact.Category(number),
				Resource: name, Also: someUsers[:number], Data: []byte("{}"), Attachments: someNames[:number-1], Created: at})
		},
		func(ctx context.Context, tx storage.Tx) error {
			return tx.DeletePreferences(ctx, account, user, "nobody")
		},
		func(ctx context.Context, tx storage.Tx) error {
			return tx.Enqueue(ctx, notify.Message{ID: notify.MessageID(next), Group: string(account), Ref: string(user),
				Kind: notify.Kind(fmt.Sprint(number % 2)), Generation: uint64(len(name)), Created: at, Due: at})
		},
		func(ctx context.Context, tx storage.Tx) error {
			return tx.Append(ctx, access.Record{ID: access.EventID(next), Account: account, Shard: account.Shard(),
				Kind: access.EventKind(fmt.Sprint(number % 2)), Time: at, By: user, Public: []byte("{}"),
				TargetKind: []access.TargetKind{access.TargetUser, access.TargetContact}[number%2], TargetID: string(user)})
		},
	}
	return rapid.SampledFrom(writes).Draw(t, "write")
}

// drawRead draws one of all the queries that there are.
func drawRead(t *rapid.T) read {
	account, user, number, at, limit := drawAccount(t), drawUser(t), drawNumber(t), drawTime(t), drawNumber(t)
	address := someAddress(t, number)
	prefix := rapid.SampledFrom(somePrefixes).Draw(t, "prefix")
	kinds := []access.EventKind{"0"}[:number%2]

	reads := []read{
		func(ctx context.Context, tx storage.Tx) (any, error) { return tx.Account(ctx, account) },
		func(ctx context.Context, tx storage.Tx) (any, error) { return tx.Grant(ctx, account, user) },
		func(ctx context.Context, tx storage.Tx) (any, error) { return tx.Membership(ctx, account, user) },
		func(ctx context.Context, tx storage.Tx) (any, error) {
			f := access.MemberFilter{Status: access.Status(number - 1), Permission: access.Permission(limit - 1), NotSeenSince: at}
			return tx.Members(ctx, account, f, user, limit)
		},
		func(ctx context.Context, tx storage.Tx) (any, error) {
			return tx.Members(ctx, account, access.MemberFilter{Prefix: prefix}, "", 100)
		},
		func(ctx context.Context, tx storage.Tx) (any, error) {
			f := access.AccountFilter{Status: access.AccountStatus(number - 1), Permission: access.Permission(limit - 1)}
			return tx.UserAccounts(ctx, user, f, account, limit)
		},
		func(ctx context.Context, tx storage.Tx) (any, error) {
			return tx.UserAccounts(ctx, user, access.AccountFilter{Prefix: prefix}, "", 100)
		},
		func(ctx context.Context, tx storage.Tx) (any, error) { return tx.Seats(ctx, account, at) },
		func(ctx context.Context, tx storage.Tx) (any, error) { return tx.User(ctx, user) },
		func(ctx context.Context, tx storage.Tx) (any, error) { return tx.Users(ctx, someUsers) },
		func(ctx context.Context, tx storage.Tx) (any, error) {
			f := access.EventFilter{Kinds: kinds, Since: noon.Add(time.Hour), Until: at}
			return tx.Events(ctx, account, f, access.EventKey{Version: uint64(number)}, number%2 == 0, limit)
		},
		func(ctx context.Context, tx storage.Tx) (any, error) {
			f := access.EventFilter{Concerns: user}
			return tx.Events(ctx, account, f, access.EventKey{}, number%2 == 0, limit)
		},
		func(ctx context.Context, tx storage.Tx) (any, error) { return tx.Feed(ctx) },
		func(ctx context.Context, tx storage.Tx) (any, error) {
			return tx.Changes(ctx, account.Shard(), uint64(number-1), limit)
		},
		func(ctx context.Context, tx storage.Tx) (any, error) {
			found, version, err := tx.FindInvite(ctx, invite.ID(fmt.Sprintf("%06d", number)))
			return []any{found, version}, err
		},
		func(ctx context.Context, tx storage.Tx) (any, error) {
			return tx.Invite(ctx, account, invite.ID(fmt.Sprintf("%06d", number)))
		},
		func(ctx context.Context, tx storage.Tx) (any, error) { return tx.PendingInvite(ctx, account, address) },
		func(ctx context.Context, tx storage.Tx) (any, error) {
			return tx.Invites(ctx, account, invite.Filter{State: invite.State(number - 1), Prefix: prefix}, "", limit)
		},
		func(ctx context.Context, tx storage.Tx) (any, error) {
			return tx.WaitingInvites(ctx, address, at, "", limit)
		},
		func(ctx context.Context, tx storage.Tx) (any, error) { return tx.LiveInvites(ctx, account, at) },
		func(ctx context.Context, tx storage.Tx) (any, error) { return tx.InviteKeys(ctx, at) },
		func(ctx context.Context, tx storage.Tx) (any, error) {
			return tx.Hit(ctx, [32]byte{byte(number)}, at, time.Duration(limit)*30*time.Minute)
		},
		func(ctx context.Context, tx storage.Tx) (any, error) {
			return tx.Contact(ctx, account, contact.ID(user))
		},
		func(ctx context.Context, tx storage.Tx) (any, error) {
			f := contact.Filter{Categories: contact.Category(number - 1), Prefix: prefix, VerifiedBefore: at}
			return tx.Contacts(ctx, account, f, "", limit)
		},
		func(ctx context.Context, tx storage.Tx) (any, error) {
			return tx.ContactByAddress(ctx, account, address)
		},
		func(ctx context.Context, tx storage.Tx) (any, error) { return tx.FindContact(ctx, contact.ID(user)) },
		func(ctx context.Context, tx storage.Tx) (any, error) {
			return tx.Receivers(ctx, account, contact.Category(number-1), contact.ID(user), limit)
		},
		func(ctx context.Context, tx storage.Tx) (any, error) {
			return tx.Receivers(ctx, account, contact.Category(number), "", 100)
		},
		func(ctx context.Context, tx storage.Tx) (any, error) {
			return tx.Verification(ctx, account, contact.ID(user))
		},
		func(ctx context.Context, tx storage.Tx) (any, error) { return tx.Unsubscribed(ctx, account, address) },
		func(ctx context.Context, tx storage.Tx) (any, error) {
			return tx.Feedback(ctx, notify.FeedbackQuery{Address: address.Canonical(), Kind: notify.FeedbackKind(number), Limit: limit})
		},
		func(ctx context.Context, tx storage.Tx) (any, error) {
			return tx.Feedback(ctx, notify.FeedbackQuery{Address: address.Canonical(), Before: notify.FeedbackKey{At: at, ID: string(user)}, Limit: limit})
		},
		func(ctx context.Context, tx storage.Tx) (any, error) {
			return tx.Suppressions(ctx, address.Canonical()[:number], limit)
		},
		func(ctx context.Context, tx storage.Tx) (any, error) {
			return tx.Suppressed(ctx, []string{address.Canonical(), "1a@example.com", address.Original(), ""})
		},
		func(ctx context.Context, tx storage.Tx) (any, error) { return tx.Notice(ctx, account, string(user)) },
		func(ctx context.Context, tx storage.Tx) (any, error) { return tx.Preference(ctx, account, user) },
		func(ctx context.Context, tx storage.Tx) (any, error) {
			return tx.Subscribers(ctx, account, contact.Category(number), "", limit)
		},
		func(ctx context.Context, tx storage.Tx) (any, error) {
			return tx.MembersByAddress(ctx, account, address, limit)
		},
		func(ctx context.Context, tx storage.Tx) (any, error) {
			return tx.Messages(ctx, string(account), notify.MessageQuery{Limit: limit})
		},
		func(ctx context.Context, tx storage.Tx) (any, error) {
			return tx.Message(ctx, string(account), notify.MessageID(fmt.Sprintf("%06d", number)))
		},
		func(ctx context.Context, tx storage.Tx) (any, error) {
			return tx.Deliveries(ctx, string(account), "1", []string{"olga", "Olga", "olga", "b_b"})
		},
		func(ctx context.Context, tx storage.Tx) (any, error) {
			return tx.RevokeInvites(ctx, account, user, access.Permission(number-1), at)
		},
		func(ctx context.Context, tx storage.Tx) (any, error) { return tx.Lock(ctx, account, "nobody's") },
		func(ctx context.Context, tx storage.Tx) (any, error) { return tx.Lock(ctx, account, account) },
	}
	return rapid.SampledFrom(reads).Draw(t, "read")
}

func drawAccount(t *rapid.T) access.AccountID {
	return rapid.SampledFrom(someAccounts).Draw(t, "account")
}

func drawUser(t *rapid.T) access.UserID { return rapid.SampledFrom(someUsers).Draw(t, "user") }

func drawNumber(t *rapid.T) int { return rapid.IntRange(1, 4).Draw(t, "number") }

// drawTime draws a time of a few, with parts of a microsecond, around which windows and expiries lie.
func drawTime(t *rapid.T) time.Time {
	at := noon.Add(time.Duration(rapid.IntRange(0, 4).Draw(t, "half hours")) * 30 * time.Minute)
	return at.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "half microseconds")) * 500)
}

func someAddress(t *rapid.T, number int) access.Address {
	address, err := access.ParseAddress(fmt.Sprintf("%dA@Example.com", number))
	require.NoError(t, err)
	return address
}

// An idSource gives ids that rise.
type idSource struct{ last int }

func (s *idSource) next() string {
	s.last++
	return fmt.Sprintf("%06d", s.last)
}
