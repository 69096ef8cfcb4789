package access_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/access/accesstest"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/memory"
)

// begin runs fn in a call of a verb of the host's own.
func (w *world) begin(s *access.Service, actor access.Actor, fn func(context.Context, *access.Call) error) error {
	return w.DB.Update(context.Background(), func(ctx context.Context, tx storage.Tx) error {
		c, err := s.Begin(ctx, tx, actor, "host.verb", "acme")
		if err != nil {
			return err
		}
		return fn(ctx, c)
	})
}

// TestCallRules tries the rules of a call, for a verb of the host's own, for everybody in accounts of every status.
func TestCallRules(t *testing.T) {
	const unknown = "not_found"
	type answers struct{ known, host, manage, may, bounds string }
	member := func(may string) answers {
		return answers{"", "denies.host", "denies.manage", may, "permissions.beyond"}
	}
	host := answers{}
	w := newWorld(t)
	for _, tt := range []struct {
		actor access.Actor
		want  map[string]answers // by status of the account
	}{
		{olive, map[string]answers{"active": {"", "denies.host", "", "", ""}, "suspended": {"", "denies.host", "", "denies.account_suspended", ""},
			"closed": {"", "denies.host", "denies.closed", "denies.closed", "permissions.beyond"}}},
		{alma, map[string]answers{"active": {"", "denies.host", "", "", ""}, "suspended": {"", "denies.host", "", "denies.account_suspended", ""},
			"closed": {"", "denies.host", "denies.closed", "denies.closed", "permissions.beyond"}}},
		{mona, map[string]answers{"active": {"", "denies.host", "", "denies.missing", "permissions.beyond"},
			"suspended": {"", "denies.host", "", "denies.account_suspended", "permissions.beyond"},
			"closed":    {"", "denies.host", "denies.closed", "denies.closed", "permissions.beyond"}}},
		{access.As("dave"), map[string]answers{"active": {"", "denies.host", "denies.manage", "", ""},
			"suspended": {"", "denies.host", "denies.manage", "denies.account_suspended", ""},
			"closed":    {"", "denies.host", "denies.closed", "denies.closed", "permissions.beyond"}}},
		{access.As("sue"), map[string]answers{"active": member("denies.suspended"), "suspended": member("denies.account_suspended")}},
		{access.As("ella"), map[string]answers{"active": member("denies.expired"), "suspended": member("denies.account_suspended")}},
		{access.As("nora"), map[string]answers{"active": member("denies.early"), "suspended": member("denies.account_suspended")}},
		{gina, map[string]answers{"active": {unknown, unknown, unknown, unknown, "permissions.beyond"},
			"suspended": {unknown, unknown, unknown, unknown, "permissions.beyond"}, "closed": {unknown, unknown, unknown, unknown, "permissions.beyond"}}},
		{support, map[string]answers{"active": host, "suspended": host, "closed": {manage: "denies.closed"}}},
		{signup, map[string]answers{"active": host, "suspended": host, "closed": {manage: "denies.closed"}}},
	} {
		for status, want := range tt.want {
			t.Run(tt.actor.ID+" in "+status, func(t *testing.T) {
				err := w.DB.Update(t.Context(), func(ctx context.Context, tx storage.Tx) error {
					members := w.Members.Within(tx)
					switch status {
					case "suspended":
						w.must(members.SuspendAccount(ctx, signup, "acme"))
					case "closed":
						w.must(members.CloseAccount(ctx, signup, "acme"))
					}
					c, err := w.Members.Begin(ctx, tx, tt.actor, "host.verb", "acme")
					require.NoError(t, err)
					require.Equal(t, w.Members.Now(), c.Now)
					require.Equal(t, tt.actor, c.Actor)
					require.Equal(t, access.Revision{Account: "acme", Version: c.Account.Version}, c.Revision())
					require.Equal(t, want, answers{codeOf(c.Known()), codeOf(c.Host()), codeOf(c.Manage()),
						codeOf(c.May(access.ViewProducts)), codeOf(c.Bounds(access.ViewProducts, access.ManageProducts))})
					require.Equal(t, map[string]string{"active": "", "suspended": "denies.account_suspended", "closed": "denies.closed"}[status], codeOf(c.Open()))
					require.Equal(t, "permissions.beyond", codeOf(c.Bounds(1<<63, 0)))
					require.Empty(t, codeOf(c.Bounds(0, 0)))
					return errUndo
				})
				require.Equal(t, errUndo, err)
			})
		}
	}
}

func codeOf(err error) string {
	var refusal *access.Error
	if errors.As(err, &refusal) {
		return refusal.Code
	}
	return ""
}

// TestCallRecordsAndMails: a verb of the host's own is on the history, and its mail in the outbox.
func TestCallRecordsAndMails(t *testing.T) {
	w := newWorld(t)
	version, head := w.account("acme").Version, w.account("acme").Head.Count
	silent := support
	silent.Silent = true
	for i, actor := range []access.Actor{olive, silent} {
		require.NoError(t, w.begin(w.Members, actor, func(ctx context.Context, c *access.Call) error {
			require.Equal(t, version+1+uint64(i), c.Account.Version)
			if err := c.Record(ctx, "host.verb", theAccount("acme"), access.Facts{}, access.Facts{Status: "x"}); err != nil {
				return err
			}
			return c.Mail(ctx, "host.mail", "ref", 7, "ivan")
		}))
	}
	events := w.events("acme")[head:]
	require.Len(t, events, 2)
	require.Equal(t, access.EventKind("host.verb"), events[0].Kind)
	require.Equal(t, access.Facts{Status: "x"}, events[0].After)
	w.view(func(ctx context.Context, tx storage.Tx) error {
		all, err := tx.Messages(ctx, "acme", notify.MessageQuery{Limit: 100})
		var got []notify.Message
		for _, m := range all {
			if m.Kind == "host.mail" {
				got = append(got, m)
			}
		}
		require.Len(t, got, 1, "silent staff mails nobody")
		require.Equal(t, notify.Message{ID: got[0].ID, Kind: "host.mail", Group: "acme", Ref: "ref", Generation: 7, To: "ivan",
			Created: w.Members.Now(), State: notify.Queued, Due: w.Members.Now()}, got[0])
		return err
	})
}

// TestLookLocksNothing: it raises no version.
func TestLookLocksNothing(t *testing.T) {
	w := newWorld(t)
	before := w.account("acme")
	w.update(func(ctx context.Context, tx storage.Tx) error {
		c, err := w.Members.Look(ctx, tx, olive, "acme")
		require.NoError(t, err)
		require.Equal(t, before, c.Account)
		require.True(t, c.Grant.Owner)
		require.Panics(t, func() { _ = tx.UpdateAccount(ctx, c.Account) })
		return nil
	})
	require.Equal(t, before, w.account("acme"))
}

// TestNewID is a UUIDv7 as in RFC 9562 section 5.7: 48 bits of Unix milliseconds, the version, and the variant.
func TestNewID(t *testing.T) {
	w := newWorld(t)
	for _, random := range []byte{0x00, 0xff, 0xa5} {
		for _, now := range []time.Time{time.UnixMilli(0), accesstest.Epoch.Add(1999 * time.Microsecond), time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC)} {
			s := access.New(w.DB, access.Config{Now: func() time.Time { return now }, Random: endless(random)})
			require.NoError(t, w.begin(s, signup, func(_ context.Context, c *access.Call) error {
				id, err := c.NewID()
				require.NoError(t, err)
				require.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, id)
				digits := strings.ReplaceAll(id, "-", "")
				ms, err := strconv.ParseInt(digits[:12], 16, 64)
				require.NoError(t, err)
				require.Equal(t, now.UnixMilli(), ms)
				rest, err := hex.DecodeString(digits[12:])
				require.NoError(t, err)
				want := bytes.Repeat([]byte{random}, 10)
				want[0], want[2] = random&0x0f|0x70, random&0x3f|0x80
				require.Equal(t, want, rest)
				return nil
			}))
		}
	}
	seen := map[string]bool{}
	require.NoError(t, w.begin(w.Members, signup, func(_ context.Context, c *access.Call) error {
		for range 1000 {
			id, err := c.NewID()
			require.NoError(t, err)
			require.False(t, seen[id])
			seen[id] = true
		}
		return nil
	}))
}

type endless byte

func (e endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(e)
	}
	return len(b), nil
}

// TestWithoutRandomnessNothingHappens: however late it fails.
func TestWithoutRandomnessNothingHappens(t *testing.T) {
	for _, v := range changing() {
		t.Run(v.name, func(t *testing.T) {
			w := newWorld(t)
			w.As("mona").Invites("acme", "p1", access.PayInvoices)
			user := access.UserID("mona")
			if v.name == "AddMember" {
				user = "nobody"
			}
			before := w.dump()
			for n := int64(0); ; n += 8 {
				s := w.service(func(c *access.Config) { c.Random = io.LimitReader(rand.NewChaCha8([32]byte{byte(n)}), n) })
				result, err := v.do(t.Context(), s, access.As("mona"), "acme", user)
				if v.name != "Leave" {
					result, err = v.do(t.Context(), s, signup, "acme", user)
				}
				if err == nil {
					return
				}
				require.True(t, errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF), "%v", err)
				require.Zero(t, result)
				require.Equal(t, before, w.dump())
			}
		})
	}
}

func TestCallWithoutRandomness(t *testing.T) {
	w := newWorld(t)
	s := w.service(func(c *access.Config) { c.Random = bytes.NewReader([]byte{1, 2, 3}) })
	require.ErrorIs(t, w.begin(s, olive, func(ctx context.Context, c *access.Call) error {
		b := make([]byte, 3)
		require.NoError(t, c.Random(b))
		require.Equal(t, []byte{1, 2, 3}, b)
		id, err := c.NewID()
		require.Error(t, err)
		require.Empty(t, id)
		require.Error(t, c.Mail(ctx, "x", "", 0, "ivan"))
		return nil
	}), io.EOF, "half a verb is never committed")
}

func TestNewService(t *testing.T) {
	require.PanicsWithValue(t, "access: New without a store", func() { access.New[storage.Tx](nil, access.Config{}) })
	s := access.New(memory.New(), access.Config{})
	require.Equal(t, access.Portal().Definitions(), s.Catalog().Definitions())
	now := s.Now()
	require.Equal(t, time.UTC, now.Location())
	require.Equal(t, now.Truncate(time.Microsecond), now)
	_, err := s.CreateAccount(t.Context(), olive, access.NewAccount{ID: "acme", Owner: "olive", Profile: access.Profile{Name: "acme"}})
	require.NoError(t, err)
	yes, err := s.Can(t.Context(), "olive", "acme", access.All)
	require.NoError(t, err)
	require.True(t, yes)
}

// TestWhatWorksWhileSuspended: a verb that needs what works in a suspended account works there, for who holds it.
func TestWhatWorksWhileSuspended(t *testing.T) {
	w := newWorld(t)
	w.must(w.Members.SuspendAccount(t.Context(), support, "acme"))
	for actor, want := range map[access.Actor]string{olive: "", ivan: "", access.As("dave"): "denies.missing", access.As("sue"): "denies.suspended"} {
		require.NoError(t, w.begin(w.Members, actor, func(_ context.Context, c *access.Call) error {
			require.Equal(t, want, codeOf(c.May(access.PayInvoices)), actor.ID)
			return nil
		}))
	}
}

// TestEventsOfTheHostFitEveryBackend refuses kinds and targets that some backend has no room or no form for.
func TestEventsOfTheHostFitEveryBackend(t *testing.T) {
	w := newWorld(t)
	long := func(n int) string { return strings.Repeat("x", n) }
	for _, tt := range []struct {
		kind   access.EventKind
		target access.Target
		field  string
	}{
		{access.EventKind(long(access.MaxKindBytes)), access.Target{Kind: access.TargetKind(long(access.MaxKindBytes)), ID: long(access.MaxTargetIDBytes)}, ""},
		{access.EventKind(long(access.MaxKindBytes + 1)), access.Target{}, "kind"},
		{"order.placed", access.Target{Kind: access.TargetKind(long(access.MaxKindBytes + 1))}, "target.kind"},
		{"order.placed", access.Target{ID: long(access.MaxTargetIDBytes + 1)}, "target.id"},
		{"order.placed", access.Target{ID: "a\x00"}, "target.id"},
		{"order.placed", access.Target{ID: "a\xff"}, "target.id"},
	} {
		err := w.begin(w.Members, olive, func(ctx context.Context, c *access.Call) error {
			return c.Record(ctx, tt.kind, tt.target, access.Facts{}, access.Facts{})
		})
		if tt.field == "" {
			require.NoError(t, err)
			continue
		}
		refused, ok := errors.AsType[*access.Error](err)
		require.True(t, ok, "%v", err)
		require.ErrorIs(t, err, access.ErrInvalid)
		require.Equal(t, tt.field, refused.Field)
	}
}
