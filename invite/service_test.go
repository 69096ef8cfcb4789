package invite_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/memory"
	"github.com/stretchr/testify/require"
)

func TestLinkBase(t *testing.T) {
	db := memory.New()
	members := access.New(db, access.Config{})
	for base, good := range map[string]bool{
		"https://portal.example/invites/":      true,
		"http://localhost:8080/":               true,
		"https://portal.example/i?token=":      false,
		"https://portal.example/?t=/":          false,
		"https://portal.example":               false,
		"https://portal.example#":              false,
		"https://portal.example/i":             false,
		"https://portal.example/#/":            false,
		"https://u:p@portal.example/":          false,
		"https://portal.example/a b/":          false,
		"https://portal.example/i#":            true,
		"":                                     false,
		"/invites/":                            false,
		"portal.example/invites/":              false,
		"//portal.example/invites/":            false,
		"ftp://portal.example/":                false,
		"javascript:alert(1)//":                false,
		"mailto:a@b.example":                   false,
		"https://":                             false,
		"https:///invites/":                    false,
		"https://:8080/invites/":               false,
		"https:portal.example":                 false,
		"https://portal.example/\n":            false,
		"https://portal.example/\r\nBcc: x@y/": false,
		"https://portal.example/\x00":          false,
		"https://%zz/":                         false,
		":":                                    false,
	} {
		s, err := invite.New(db, members, keys, invite.Config{LinkBase: base})
		if good {
			require.NoError(t, err, base)
			continue
		}
		require.ErrorIs(t, err, access.ErrInvalid, "%q", base)
		require.Equal(t, "link.base", codeOf(err), "%q", base)
		require.Nil(t, s)
		_, err = invite.New(db, members, keys, invite.Config{LinkBase: base, Delivery: invite.ByHost})
		require.NoError(t, err, "the host makes its own links")
	}
}

func TestConfigIsChecked(t *testing.T) {
	db := memory.New()
	members := access.New(db, access.Config{})
	for name, config := range map[string]invite.Config{
		"lifetime":      {Lifetime: -1},
		"delivery":      {Delivery: 2},
		"holder":        {Holder: 2},
		"live":          {Limits: invite.Limits{Live: -1}},
		"per account":   {Limits: invite.Limits{PerAccount: -1}},
		"per actor":     {Limits: invite.Limits{PerActor: -1}},
		"per recipient": {Limits: invite.Limits{PerRecipient: -1}},
		"between":       {Limits: invite.Limits{Between: -time.Second}},
		"between asks":  {Limits: invite.Limits{BetweenAsks: -time.Second}},
	} {
		config.LinkBase = linkBase
		s, err := invite.New(db, members, keys, config)
		require.ErrorIs(t, err, access.ErrInvalid, name)
		require.Equal(t, "config.range", codeOf(err), name)
		require.Nil(t, s)
	}
	for code, bad := range map[string][]invite.Key{
		"key.missing": nil,
		"key.short":   {{ID: "a", Secret: []byte("a secret that's short")}},
		"key.twice":   {keys[0], keys[0]},
		"key.id":      {{Secret: keys[0].Secret}},
	} {
		_, err := invite.New(db, members, bad, invite.Config{LinkBase: linkBase})
		require.ErrorIs(t, err, access.ErrInvalid)
		require.Equal(t, code, codeOf(err))
		require.NotContains(t, err.Error(), "short secret")
		require.NotContains(t, err.Error(), strings.Repeat("k", 8))
	}
	for name, files := range map[string]fs.FS{
		"en/invite.txt":           fstest.MapFS{"en/invite.txt": {Data: []byte("Subject: x\n{{")}},
		"fr/invite.accepted.html": fstest.MapFS{"fr/invite.accepted.html": {Data: []byte("{{.Nothing}}")}},
		"it/invite.html":          fstest.MapFS{"it/invite.txt": {Data: []byte("Subject: x\nx")}, "it/words.txt": {Data: []byte(italian)}},
	} {
		s, err := invite.New(db, members, keys, invite.Config{LinkBase: linkBase, Templates: files})
		require.ErrorIs(t, err, access.ErrInvalid)
		require.ErrorContains(t, err, name)
		require.Nil(t, s)
	}
}

const italian = `{{define "automatic"}}x{{end}}{{define "months"}}1,2,3,4,5,6,7,8,9,10,11,12{{end}}{{define "weekdays"}}1,2,3,4,5,6,7{{end}}
{{define "date"}}{{.Day}}{{end}}`

func TestNewPanicsWithoutParts(t *testing.T) {
	db := memory.New()
	members := access.New(db, access.Config{})
	const text = "invite: New without a store or members"
	require.PanicsWithValue(t, text, func() {
		_, _ = invite.New[storage.Tx](nil, members, keys, invite.Config{LinkBase: linkBase})
	})
	require.PanicsWithValue(t, text, func() { _, _ = invite.New(db, nil, keys, invite.Config{LinkBase: linkBase}) })
}

// Invites and something else in one unit of work: both or neither.
func TestWithin(t *testing.T) {
	w := newWorld(t, invite.Config{Delivery: invite.ByHost})
	changeOfMind := errors.New("the host changes its mind")
	unit := func(end error) (sent invite.Sent, err error) {
		err = w.DB.Update(ctx, func(ctx context.Context, tx storage.Tx) error {
			var err error
			if sent, err = w.Invites.Within(tx).Send(ctx, access.As(ann), acme, offer(bob, access.PayInvoices)); err != nil {
				return err
			}
			details := contact.Details{Name: "Bob", Address: address(t, "bob@example.com")}
			if _, _, err = w.Contacts.Within(tx).Add(ctx, access.As(ann), acme, details); err != nil {
				return err
			}
			// The unit sees its own writes, and asks as its own members do.
			list, err := w.Invites.Within(tx).Pending(ctx, access.As(ann), acme, invite.Filter{}, access.Page{})
			require.NoError(t, err)
			require.Len(t, list.Items, 1)
			_, err = w.Invites.Within(tx).Accept(ctx, sent.Token.Secret(), verified(eve))
			refusedAs(t, invite.WrongUser, err)
			return end
		})
		return sent, err
	}
	before := w.dump()
	_, err := unit(changeOfMind)
	require.ErrorIs(t, err, changeOfMind)
	require.Equal(t, before, w.dump())

	sent, err := unit(nil)
	require.NoError(t, err)
	require.Equal(t, invite.Pending, w.record(sent.Invite.ID).State)
	contacts, err := w.Contacts.Contacts(ctx, access.As(ann), acme, contact.Filter{}, access.Page{})
	require.NoError(t, err)
	require.Len(t, contacts.Items, 1)

	// One that is refused doesn't end the unit.
	err = w.DB.Update(ctx, func(ctx context.Context, tx storage.Tx) error {
		_, err := w.Invites.Within(tx).Send(ctx, access.As(ann), acme, offer(ann, access.PayInvoices))
		require.Equal(t, "member.exists", codeOf(err))
		_, err = w.Invites.Within(tx).Accept(ctx, sent.Token.Secret(), verified(bob))
		return err
	})
	require.NoError(t, err)
	w.As(bob).Can(acme, access.PayInvoices)
}

// A verb that ends halfway can't be committed by a host that takes its error for a refusal.
func TestHalfAVerbIsNotCommitted(t *testing.T) {
	swallow := func(w *world, verb func(s *invite.Service) error) {
		w.T.Helper()
		before := w.dump()
		err := w.DB.Update(ctx, func(ctx context.Context, tx storage.Tx) error {
			require.Error(w.T, verb(w.Invites.Within(tx)))
			return nil
		})
		require.Error(w.T, err)
		require.Equal(w.T, before, w.dump())
	}
	w := newWorld(t, invite.Config{Limits: invite.Limits{PerAccount: 1}})
	w.send(bob, access.PayInvoices)
	swallow(w, func(s *invite.Service) error {
		_, err := s.Send(ctx, access.As(ann), acme, offer(eve, access.PayInvoices))
		require.Equal(t, "invite.per_account", codeOf(err))
		return err
	})
	token := w.Token(bob)
	w.members(access.Config{Before: func(context.Context, access.Tx, access.Event) error { return access.Denied("host.veto", "no") }})
	swallow(w, func(s *invite.Service) error {
		_, err := s.Send(ctx, access.As(ann), acme, offer(eve, access.PayInvoices))
		return err
	})
	swallow(w, func(s *invite.Service) error {
		_, err := s.Accept(ctx, token, verified(bob))
		return err
	})
	swallow(w, func(s *invite.Service) error { return only(s.Decline(ctx, token, verified(bob))) })
}

// Beginning a unit inside another is refused, not a deadlock.
func TestNestedUnits(t *testing.T) {
	w := newWorld(t, invite.Config{Delivery: invite.ByHost})
	require.NoError(t, w.DB.Update(ctx, func(ctx context.Context, _ storage.Tx) error {
		_, err := w.Invites.Send(ctx, access.As(ann), acme, offer(bob, access.PayInvoices))
		require.ErrorIs(t, err, access.ErrNested)
		_, err = w.Invites.Waiting(ctx, verified(bob), access.Page{})
		require.ErrorIs(t, err, access.ErrNested)
		return nil
	}))
}

func TestCancelledContext(t *testing.T) {
	w := newWorld(t, invite.Config{Delivery: invite.ByHost})
	sent := w.send(bob, access.PayInvoices)
	gone, cancel := context.WithCancel(ctx)
	cancel()
	before := w.dump()
	_, err := w.Invites.Accept(gone, sent.Token.Secret(), verified(bob))
	require.ErrorIs(t, err, context.Canceled)
	results, err := w.Invites.SendMany(gone, access.As(ann), acme, []invite.Offer{offer(eve, access.PayInvoices), offer("zoe", access.PayInvoices)})
	require.NoError(t, err)
	for _, r := range results {
		require.ErrorIs(t, r.Err, context.Canceled)
	}
	_, err = w.Invites.KeysInUse(gone)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, before, w.dump())
}

// A source of randomness that fails makes no invite that could be guessed.
func TestBrokenRandomness(t *testing.T) {
	w := newWorld(t, invite.Config{})
	for n := range 150 {
		w.members(access.Config{Random: bytes.NewReader(make([]byte, n))})
		before := w.dump()
		_, err := w.Invites.Send(ctx, access.As(ann), acme, offer(bob, access.PayInvoices))
		if err == nil {
			require.GreaterOrEqual(t, n, 16+16+16+32+32+16, "id, secret, event, two salts, message")
			return
		}
		require.Equal(t, before, w.dump())
	}
	require.Fail(t, "never sent")
}

func TestStates(t *testing.T) {
	require.Equal(t, []string{"none", "pending", "accepted", "revoked", "declined", "none"},
		[]string{invite.State(0).String(), invite.Pending.String(), invite.Accepted.String(), invite.Revoked.String(), invite.Declined.String(), invite.State(5).String()})
	require.Equal(t, []uint8{1, 2, 3, 4}, []uint8{uint8(invite.Pending), uint8(invite.Accepted), uint8(invite.Revoked), uint8(invite.Declined)}, "they are stored")
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for state := range invite.State(6) {
		require.Equal(t, state == invite.Pending, invite.Invite{State: state, Expires: now.Add(1)}.Live(now))
	}
	require.False(t, invite.Invite{State: invite.Pending, Expires: now}.Live(now))
}

// The outcomes are codes that hosts and pages go by.
func TestOutcomesAreGolden(t *testing.T) {
	require.Equal(t, []invite.Outcome{"invite.ready", "invite.accepted", "invite.already", "invite.needs_sign_up", "invite.wrong_user",
		"invite.needs_verified", "invite.expired", "invite.revoked", "invite.declined", "invite.used", "invite.replaced"},
		[]invite.Outcome{invite.Ready, invite.Joined, invite.Already, invite.NeedsSignUp, invite.WrongUser, invite.NeedsVerified,
			invite.IsExpired, invite.IsRevoked, invite.IsDeclined, invite.IsUsed, invite.IsReplaced})
}
