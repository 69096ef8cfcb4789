package access_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
)

func reversed(events []access.Event) []access.Event {
	events = slices.Clone(events)
	slices.Reverse(events)
	return events
}

func concerns(e access.Event, user access.UserID) bool {
	return e.Actor.User() == user || e.Actor.OnBehalf == user || e.Target.Kind == access.TargetUser && e.Target.ID == string(user)
}

func TestHistory(t *testing.T) {
	w := newWorld(t)
	behalf := access.Actor{Kind: access.ActorStaff, ID: "ivan", Reason: "asked to", OnBehalf: "dave"} // staff with a user's id
	w.must(w.Members.SetLabel(t.Context(), behalf, "acme", "mona", "x"))
	start := w.Clock.Advance(time.Minute)
	w.As("mona").Invites("acme", "ivan2", access.PayInvoices).Sets("acme", "ivan", access.OpenTickets)
	end := w.Clock.Advance(time.Minute)
	w.As("olive").Removes("acme", "mona")
	all := reversed(w.events("acme"))

	for _, tt := range []struct {
		name   string
		filter access.EventFilter
		want   func(access.Event) bool
		atMost int
	}{
		{"all", access.EventFilter{}, func(access.Event) bool { return true }, len(all)},
		{"a kind", access.EventFilter{Kinds: []access.EventKind{access.EventMemberAdded}},
			func(e access.Event) bool { return e.Kind == access.EventMemberAdded }, 8},
		{"kinds", access.EventFilter{Kinds: []access.EventKind{access.EventInviteSent, access.EventInviteRevoked}},
			func(e access.Event) bool {
				return e.Kind == access.EventInviteSent || e.Kind == access.EventInviteRevoked
			}, 2},
		{"since", access.EventFilter{Since: start}, func(e access.Event) bool { return !e.Time.Before(start) }, 4},
		{"until", access.EventFilter{Until: end}, func(e access.Event) bool { return e.Time.Before(end) }, len(all) - 2},
		{"between", access.EventFilter{Since: start, Until: end}, func(e access.Event) bool { return e.Time.Equal(start) }, 2},
		{"somebody", access.EventFilter{Concerns: "mona"}, func(e access.Event) bool { return concerns(e, "mona") }, 5},
		{"acted for", access.EventFilter{Concerns: "dave"}, func(e access.Event) bool { return concerns(e, "dave") }, 2},
		{"everything at once", access.EventFilter{Kinds: []access.EventKind{access.EventMemberPermissions}, Since: start, Until: end, Concerns: "ivan"},
			func(e access.Event) bool { return e.Kind == access.EventMemberPermissions && e.Target.ID == "ivan" }, 1},
		{"nothing", access.EventFilter{Kinds: []access.EventKind{"no.such"}}, func(access.Event) bool { return false }, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := []access.Event{}
			for _, e := range all {
				if tt.want(e) {
					want = append(want, e)
				}
			}
			require.Len(t, want, tt.atMost)
			for _, actor := range []access.Actor{olive, alma, support, signup} {
				for _, size := range []int{1, 2, 500} {
					got := []access.Event{}
					page := access.Page{Limit: size}
					for {
						list, err := w.Members.History(t.Context(), actor, "acme", tt.filter, page)
						require.NoError(t, err)
						got = append(got, list.Items...)
						if page.After = list.Next; page.After == "" {
							break
						}
					}
					require.Equal(t, want, got)
				}
			}
		})
	}
}

// TestHistoryVisibility: members who don't manage see what concerns them, and no more by asking for more.
func TestHistoryVisibility(t *testing.T) {
	w := newWorld(t)
	all := reversed(w.events("acme"))
	for _, user := range []access.UserID{"ivan", "dave", "sue", "ella", "nora"} {
		var want []access.Event
		for _, e := range all {
			if concerns(e, user) {
				want = append(want, e)
			}
		}
		require.NotEmpty(t, want)
		require.Less(t, len(want), len(all))
		for _, filter := range []access.EventFilter{{}, {Concerns: user}} {
			list, err := w.Members.History(t.Context(), access.As(user), "acme", filter, access.Page{})
			require.NoError(t, err)
			require.Equal(t, want, list.Items)
		}
		w.refuses(t, access.ErrDenied, "denies.manage", "", func() (any, error) {
			return w.Members.History(t.Context(), access.As(user), "acme", access.EventFilter{Concerns: "olive"}, access.Page{})
		})
	}
	w.refuses(t, access.ErrNotFound, "not_found", "account", func() (any, error) {
		return w.Members.History(t.Context(), gina, "acme", access.EventFilter{Concerns: "gina"}, access.Page{})
	})
	w.refuses(t, access.ErrInvalid, "id.long", "user", func() (any, error) {
		return w.Members.History(t.Context(), olive, "acme", access.EventFilter{Concerns: access.UserID(fmt.Sprintf("%129d", 1))}, access.Page{})
	})
	// A manager who loses the permission sees what concerns them from the next page on.
	first, err := w.Members.History(t.Context(), mona, "acme", access.EventFilter{}, access.Page{Limit: 1})
	require.NoError(t, err)
	w.As("olive").Sets("acme", "mona", access.PayInvoices)
	rest, err := w.Members.History(t.Context(), mona, "acme", access.EventFilter{}, access.Page{After: first.Next})
	require.NoError(t, err)
	for _, e := range rest.Items {
		require.True(t, concerns(e, "mona"))
	}
	require.NotEmpty(t, rest.Items)
}

// TestHistoryTellsEveryState: what everybody held at any time can be read off the events.
func TestHistoryTellsEveryState(t *testing.T) {
	w := newWorld(t)
	w.As("mona").Sets("acme", "ivan", access.OpenTickets).Suspends("acme", "ivan").Reinstates("acme", "ivan")
	w.As("olive").Removes("acme", "dave")
	held := map[string]access.Facts{}
	for _, e := range w.events("acme") {
		if e.Target.Kind == access.TargetUser && e.Kind != access.EventAccountCreated {
			require.Equal(t, held[e.Target.ID], e.Before, "%s", e.Kind)
			held[e.Target.ID] = e.After
		}
	}
	for user, facts := range held {
		m := w.membership("acme", access.UserID(user))
		require.Equal(t, m.Permissions, facts.Permissions)
		require.Equal(t, m.Expires, facts.Expires)
		require.Equal(t, m.Starts, facts.Starts)
	}
	require.Len(t, held, 8)
}

func TestVerifyHistory(t *testing.T) {
	w := newWorld(t)
	count := w.account("acme").Head.Count
	var heads []access.Head
	heads = append(heads, access.Head{})
	for i := range 4 {
		h, err := w.Members.HistoryHead(t.Context(), mona, "acme")
		require.NoError(t, err)
		require.Equal(t, w.account("acme").Head, h)
		heads = append(heads, h)
		w.must(w.Members.SetLabel(t.Context(), mona, "acme", "ivan", fmt.Sprint(i)))
	}
	for i, kept := range heads {
		v, err := w.Members.VerifyHistory(t.Context(), mona, "acme", kept)
		require.NoError(t, err)
		require.Equal(t, access.Verification{Events: count + 4}, v, "kept head %d", i)
	}
	other, err := w.Members.HistoryHead(t.Context(), gina, "globex")
	require.NoError(t, err)
	last := heads[len(heads)-1]
	for name, kept := range map[string]access.Head{
		"another account's": other,
		"a count less":      {Count: last.Count - 1, Hash: last.Hash},
		"a count more":      {Count: last.Count + 1, Hash: last.Hash},
		"no count":          {Hash: last.Hash},
		"no hash":           {Count: last.Count},
		"from the future":   {Count: last.Count + 100, Hash: access.Digest{1}},
	} {
		v, err := w.Members.VerifyHistory(t.Context(), mona, "acme", kept)
		require.NoError(t, err)
		require.Equal(t, access.Verification{Events: count + 4, Altered: true}, v, name)
	}
	v, err := w.Members.VerifyHistory(t.Context(), gina, "globex", other)
	require.NoError(t, err)
	require.Equal(t, access.Verification{Events: 2}, v)
}

// rereadTx is a transaction whose history somebody changed.
type rereadTx struct {
	storage.Tx
	change func([]access.Record) []access.Record
}

func (tx rereadTx) Events(ctx context.Context, account access.AccountID, f access.EventFilter, from access.EventKey, ascending bool, limit int) ([]access.Record, error) {
	all, err := tx.Tx.Events(ctx, account, f, access.EventKey{}, ascending, 10_000)
	if err != nil {
		return nil, err
	}
	all = tx.change(all)
	at := 0
	for i, r := range all {
		if (access.EventKey{Version: r.Version, Index: r.Index}) == from {
			at = i + 1
		}
	}
	return all[at:min(len(all), at+limit)], nil
}

// verify verifies acme's history as it is after somebody changed it in storage.
func (w *world) verify(t testing.TB, kept access.Head, change func([]access.Record) []access.Record) access.Verification {
	t.Helper()
	s := w.on(store{view: func(ctx context.Context, fn func(context.Context, storage.Tx) error) error {
		return w.DB.View(ctx, func(ctx context.Context, tx storage.Tx) error { return fn(ctx, rereadTx{tx, change}) })
	}})
	v, err := s.VerifyHistory(t.Context(), support, "acme", kept)
	require.NoError(t, err)
	return v
}

func TestVerifyHistoryFindsEveryChange(t *testing.T) {
	w := newWorld(t)
	behalf := support
	behalf.OnBehalf = "dave"
	w.must(w.Members.SetLabel(t.Context(), behalf, "acme", "ivan", "x"))
	w.must(w.Members.SuspendAccount(t.Context(), support, "acme"))
	w.must(w.Members.ReactivateAccount(t.Context(), support, "acme"))
	kept := w.account("acme").Head
	n := int(kept.Count)
	require.Equal(t, access.Verification{Events: uint64(n)}, w.verify(t, kept, func(rows []access.Record) []access.Record { return rows }))

	fields := map[string]func(*access.Record){
		"account":           func(r *access.Record) { r.Account = "globex" },
		"index":             func(r *access.Record) { r.Index += 1000 },
		"version":           func(r *access.Record) { r.Version += 1000 },
		"time":              func(r *access.Record) { r.Time = r.Time.Add(time.Microsecond) },
		"kind":              func(r *access.Record) { r.Kind += "x" },
		"public part":       func(r *access.Record) { r.Public = append(slices.Clone(r.Public), ' ') },
		"actor's text":      func(r *access.Record) { r.Actor.Text = []byte(`{"kind":"system","id":"x"}`) },
		"actor's salt":      func(r *access.Record) { r.Actor.Salt = make([]byte, 32) },
		"actor's promise":   func(r *access.Record) { r.Actor.Commitment[31] ^= 1 },
		"actor's half":      func(r *access.Record) { r.Actor.Text = nil },
		"actor's other":     func(r *access.Record) { r.Actor.Salt = nil },
		"target's text":     func(r *access.Record) { r.Target.Text = []byte(`{"kind":"user","id":"x"}`) },
		"target's salt":     func(r *access.Record) { r.Target.Salt = make([]byte, 32) },
		"target's promise":  func(r *access.Record) { r.Target.Commitment[0] ^= 1 },
		"target's half":     func(r *access.Record) { r.Target.Salt = nil },
		"target's other":    func(r *access.Record) { r.Target.Text = nil },
		"hash":              func(r *access.Record) { r.Hash[0] ^= 1 },
		"who acted":         func(r *access.Record) { r.By += "x" },
		"who was acted for": func(r *access.Record) { r.For += "x" },
		"who was acted on":  func(r *access.Record) { r.TargetID += "x" },
		"both parts swapped": func(r *access.Record) {
			r.Actor, r.Target = r.Target, r.Actor
		},
	}
	for name, change := range fields {
		for i := range n {
			t.Run(fmt.Sprintf("%s of %d", name, i), func(t *testing.T) {
				var at access.EventKey
				v := w.verify(t, access.Head{}, func(rows []access.Record) []access.Record {
					change(&rows[i])
					at = access.EventKey{Version: rows[i].Version, Index: rows[i].Index}
					return rows
				})
				require.True(t, v.Altered)
				require.Equal(t, at, v.At)
				require.Equal(t, uint64(n), v.Events)
			})
		}
	}
	for i := range n {
		t.Run(fmt.Sprintf("dropped %d", i), func(t *testing.T) {
			var at access.EventKey
			v := w.verify(t, access.Head{}, func(rows []access.Record) []access.Record {
				rows = slices.Delete(rows, i, i+1)
				if i < len(rows) {
					at = access.EventKey{Version: rows[i].Version, Index: rows[i].Index}
				}
				return rows
			})
			require.Equal(t, access.Verification{Events: uint64(n - 1), Altered: true, At: at}, v)
		})
		t.Run(fmt.Sprintf("cut before %d", i), func(t *testing.T) {
			v := w.verify(t, access.Head{}, func(rows []access.Record) []access.Record { return rows[:i] })
			require.Equal(t, access.Verification{Events: uint64(i), Altered: true}, v)
		})
		t.Run(fmt.Sprintf("repeated %d", i), func(t *testing.T) {
			v := w.verify(t, access.Head{}, func(rows []access.Record) []access.Record {
				added := rows[i]
				added.Version, added.Index = rows[n-1].Version, rows[n-1].Index+1
				return append(rows, added)
			})
			require.True(t, v.Altered)
			require.Equal(t, uint64(n+1), v.Events)
		})
		if i > 0 {
			t.Run(fmt.Sprintf("swapped %d", i), func(t *testing.T) {
				var at access.EventKey
				v := w.verify(t, access.Head{}, func(rows []access.Record) []access.Record {
					rows[i], rows[i-1] = rows[i-1], rows[i]
					at = access.EventKey{Version: rows[i-1].Version, Index: rows[i-1].Index}
					return rows
				})
				require.Equal(t, access.Verification{Events: uint64(n), Altered: true, At: at}, v)
			})
		}
	}
	t.Run("added by somebody who can seal, but not change the head", func(t *testing.T) {
		v := w.verify(t, access.Head{}, func(rows []access.Record) []access.Record {
			added := rows[n-1]
			added.Version++
			head := access.Head{Count: uint64(n), Hash: rows[n-1].Hash}
			added.Seal(head, 0)
			return append(rows, added)
		})
		require.Equal(t, access.Verification{Events: uint64(n + 1), Altered: true}, v)
	})
}

// TestRewrittenHistoryDoesNotContainTheKeptHead: somebody who can rewrite everything in the database is found by
// what was kept elsewhere.
func TestRewrittenHistoryDoesNotContainTheKeptHead(t *testing.T) {
	w := newWorld(t)
	kept := w.account("acme").Head
	var rewritten access.Head
	rewrite := func(rows []access.Record) []access.Record {
		rewritten = access.Head{}
		rows[1].Kind = access.EventMemberLabel
		for i := range rows {
			rewritten = rows[i].Seal(rewritten, rows[i].Index)
		}
		return rows
	}
	s := w.on(store{view: func(ctx context.Context, fn func(context.Context, storage.Tx) error) error {
		return w.DB.View(ctx, func(ctx context.Context, tx storage.Tx) error {
			return fn(ctx, headTx{rereadTx{tx, rewrite}, &rewritten})
		})
	}})
	_, err := s.VerifyHistory(t.Context(), support, "acme", access.Head{}) // finds the rewritten head
	require.NoError(t, err)
	v, err := s.VerifyHistory(t.Context(), support, "acme", access.Head{})
	require.NoError(t, err)
	require.False(t, v.Altered, "without a head that was kept it can't be seen")
	v, err = s.VerifyHistory(t.Context(), support, "acme", kept)
	require.NoError(t, err)
	require.Equal(t, access.Verification{Events: kept.Count, Altered: true}, v)
}

// headTx gives an account another head.
type headTx struct {
	rereadTx
	head *access.Head
}

func (tx headTx) Account(ctx context.Context, id access.AccountID) (access.Account, error) {
	a, err := tx.rereadTx.Account(ctx, id)
	a.Head = *tx.head
	return a, err
}

func TestForgottenPartsAreNotAltered(t *testing.T) {
	w := newWorld(t)
	kept := w.account("acme").Head
	v := w.verify(t, kept, func(rows []access.Record) []access.Record {
		rows[0].Actor.Salt, rows[0].Actor.Text, rows[0].By, rows[0].For = nil, nil, "", ""
		rows[2].Target.Salt, rows[2].Target.Text, rows[2].TargetKind, rows[2].TargetID = nil, nil, "", ""
		rows[3].Actor.Salt, rows[3].Actor.Text, rows[3].By, rows[3].For = nil, nil, "", ""
		rows[3].Target.Salt, rows[3].Target.Text, rows[3].TargetKind, rows[3].TargetID = nil, nil, "", ""
		return rows
	})
	require.Equal(t, access.Verification{Events: kept.Count, Redacted: 3}, v)
	v = w.verify(t, kept, func(rows []access.Record) []access.Record {
		rows[0].Actor.Salt, rows[0].Actor.Text = nil, nil // and the column forgotten to be forgotten
		return rows
	})
	require.True(t, v.Altered)
}

// TestVerifyHistoryReadsAllOfIt: a history of more than one page.
func TestVerifyHistoryReadsAllOfIt(t *testing.T) {
	w := newWorld(t)
	w.update(func(ctx context.Context, tx storage.Tx) error {
		for i := range 2 * access.MaxPage {
			if _, err := w.Members.Within(tx).SetLabel(ctx, olive, "acme", "ivan", fmt.Sprint(i)); err != nil {
				return err
			}
		}
		return nil
	})
	kept := w.account("acme").Head
	require.Greater(t, kept.Count, uint64(2*access.MaxPage))
	v, err := w.Members.VerifyHistory(t.Context(), olive, "acme", kept)
	require.NoError(t, err)
	require.Equal(t, access.Verification{Events: kept.Count}, v)
	at := access.EventKey{}
	v = w.verify(t, kept, func(rows []access.Record) []access.Record {
		rows[access.MaxPage+3].Kind = "x"
		at = access.EventKey{Version: rows[access.MaxPage+3].Version, Index: rows[access.MaxPage+3].Index}
		return rows
	})
	require.Equal(t, access.Verification{Events: kept.Count, Altered: true, At: at}, v)
}

// TestUnreadableHistoryIsAnError, and not one without the line that can't be read.
func TestUnreadableHistoryIsAnError(t *testing.T) {
	w := newWorld(t)
	s := w.on(store{view: func(ctx context.Context, fn func(context.Context, storage.Tx) error) error {
		return w.DB.View(ctx, func(ctx context.Context, tx storage.Tx) error {
			return fn(ctx, rereadTx{tx, func(rows []access.Record) []access.Record {
				if len(rows) > 0 {
					rows[0].Public = []byte("{")
				}
				return rows
			}})
		})
	}})
	list, err := s.History(t.Context(), olive, "acme", access.EventFilter{}, access.Page{})
	require.Error(t, err)
	require.Empty(t, list.Items)
}

// TestMadeUpHistoryKeys: cursors whose texts aren't numbers are refused, though their sum is right.
func TestMadeUpHistoryKeys(t *testing.T) {
	w := newWorld(t)
	for _, key := range [][]string{{"x", "0"}, {"1", "x"}, {"-1", "0"}, {"9223372036854775808", "0"}, {"1", "2147483648"}, {"", ""}} {
		made := access.ListOf([]int{1, 2}, 1, "history/acme", func(int) []string { return key }).Next
		_, err := w.Members.History(t.Context(), olive, "acme", access.EventFilter{}, access.Page{After: made})
		requireRefused(t, err, access.ErrInvalid, "page.cursor", "page")
	}
}

// TestHistoryOfAClosedAccountStays, for its owner, staff and system; others see what concerns them.
func TestHistoryOfAClosedAccountStays(t *testing.T) {
	w := newWorld(t)
	w.must(w.Members.CloseAccount(t.Context(), support, "acme"))
	all := reversed(w.events("acme"))
	for _, actor := range []access.Actor{olive, support, signup} {
		list, err := w.Members.History(t.Context(), actor, "acme", access.EventFilter{}, access.Page{})
		require.NoError(t, err)
		require.Equal(t, all, list.Items)
		head, err := w.Members.HistoryHead(t.Context(), actor, "acme")
		require.NoError(t, err)
		v, err := w.Members.VerifyHistory(t.Context(), actor, "acme", head)
		require.NoError(t, err)
		require.Equal(t, access.Verification{Events: head.Count}, v)
	}
	for _, actor := range []access.Actor{mona, alma, ivan} {
		list, err := w.Members.History(t.Context(), actor, "acme", access.EventFilter{}, access.Page{})
		require.NoError(t, err)
		require.NotEmpty(t, list.Items)
		for _, e := range list.Items {
			require.True(t, concerns(e, actor.User()))
		}
	}
}

func TestHistoryRefusesFilters(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		filter      access.EventFilter
		code, field string
	}{
		{access.EventFilter{Kinds: make([]access.EventKind, 101)}, "kinds.many", "kinds"},
		{access.EventFilter{Since: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}, "time.range", "since"},
		{access.EventFilter{Until: time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC)}, "time.range", "until"},
	} {
		_, err := w.Members.History(t.Context(), olive, "acme", tt.filter, access.Page{})
		requireRefused(t, err, access.ErrInvalid, tt.code, tt.field)
	}
	_, err := w.Members.History(t.Context(), olive, "acme", access.EventFilter{Kinds: make([]access.EventKind, 100)}, access.Page{})
	require.NoError(t, err)
	_, err = w.Members.Members(t.Context(), olive, "acme", access.MemberFilter{NotSeenSince: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}, access.Page{})
	requireRefused(t, err, access.ErrInvalid, "time.range", "not_seen_since")
}

// TestHistoryKeepsRequestsFromMembers: where a manager's request came from, and why staff acted, isn't for the member
// whom it concerns.
func TestHistoryKeepsRequestsFromMembers(t *testing.T) {
	w := newWorld(t)
	manager, desk := olive, access.AsStaff("s-9", "a complaint")
	manager.IP, manager.Request, desk.Silent = "192.0.2.9", "r-9", true
	w.must(w.Members.SetLabel(t.Context(), manager, "acme", "ivan", "books"))
	w.must(w.Members.SetLabel(t.Context(), desk, "acme", "ivan", "press"))
	newest := func(reader access.Actor) []access.Actor {
		list, err := w.Members.History(t.Context(), reader, "acme", access.EventFilter{}, access.Page{Limit: 2})
		require.NoError(t, err)
		return []access.Actor{list.Items[0].Actor, list.Items[1].Actor}
	}
	require.Equal(t, []access.Actor{desk, manager}, newest(olive))
	require.Equal(t, []access.Actor{{Kind: access.ActorStaff, ID: "s-9"}, access.As("olive")}, newest(ivan))
}
