package access_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/access/accesstest"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
)

// crowd adds n members of every kind to an account, without ceremony.
func (w *world) crowd(account access.AccountID, n int) {
	w.T.Helper()
	now := w.Members.Now()
	w.update(func(ctx context.Context, tx storage.Tx) error {
		if _, err := tx.Lock(ctx, account); err != nil {
			return err
		}
		for i := range n {
			m := access.Membership{Account: account, User: access.UserID(fmt.Sprintf("c%04d", i)), Status: access.Active,
				Permissions: access.Permission(1 + i%31), Created: now}
			switch i % 7 {
			case 3:
				m.Status = access.Suspended
			case 4:
				m.Expires = now.Add(time.Duration(i%3-1) * time.Microsecond)
			case 5:
				m.Starts = now.Add(time.Duration(i%3-1) * time.Microsecond)
			case 6:
				m.Permissions = access.All
			}
			if err := tx.PutMembership(ctx, m); err != nil {
				return err
			}
		}
		return nil
	})
}

func users(members []access.Member) []access.UserID {
	ids := []access.UserID{}
	for _, m := range members {
		ids = append(ids, m.User)
	}
	return ids
}

func TestMembers(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.Members.SyncUser(t.Context(), access.User{ID: "dave", Name: "Ærø Óg", Address: accesstest.AddressOf("other")}))
	seen := w.Members.Now()
	w.see("ivan")
	w.Clock.Advance(time.Hour)
	everybody := []access.UserID{"alma", "dave", "ella", "ghost", "ivan", "mona", "nora", "olive", "sue"}
	for _, tt := range []struct {
		name   string
		filter access.MemberFilter
		want   []access.UserID
	}{
		{"everybody", access.MemberFilter{}, everybody},
		{"active", access.MemberFilter{Status: access.Active}, []access.UserID{"alma", "dave", "ella", "ghost", "ivan", "mona", "nora", "olive"}},
		{"suspended", access.MemberFilter{Status: access.Suspended}, []access.UserID{"sue"}},
		{"no such status", access.MemberFilter{Status: 9}, []access.UserID{}},
		{"who hold a bit, in use or not", access.MemberFilter{Permission: access.PayInvoices}, []access.UserID{"alma", "ella", "ghost", "ivan", "mona", "nora", "olive", "sue"}},
		{"who hold both", access.MemberFilter{Permission: access.PayInvoices | access.OpenTickets}, []access.UserID{"alma", "mona", "olive"}},
		{"who hold All", access.MemberFilter{Permission: access.All}, []access.UserID{"alma", "olive"}},
		{"a bit of tomorrow", access.MemberFilter{Permission: 1 << 62}, []access.UserID{"alma", "olive"}},
		{"the beginning of a name", access.MemberFilter{Prefix: "ærø ó"}, []access.UserID{"dave"}},
		{"in capitals", access.MemberFilter{Prefix: "ÆRØ Ó"}, []access.UserID{"dave"}},
		{"the beginning of an address", access.MemberFilter{Prefix: "OTHER@exa"}, []access.UserID{"dave"}},
		{"the beginning of an id", access.MemberFilter{Prefix: "gho"}, []access.UserID{"ghost"}},
		{"of an id in capitals", access.MemberFilter{Prefix: "Gho"}, []access.UserID{}},
		{"wildcards", access.MemberFilter{Prefix: "%"}, []access.UserID{}},
		{"the most", access.MemberFilter{Prefix: strings.Repeat("é", 200)}, []access.UserID{}},
		{"not seen since", access.MemberFilter{NotSeenSince: seen}, slices.DeleteFunc(slices.Clone(everybody), func(u access.UserID) bool { return u == "ivan" })},
		{"not seen after", access.MemberFilter{NotSeenSince: seen.Add(time.Microsecond)}, everybody},
		{"all of that", access.MemberFilter{Status: access.Active, Permission: access.PayInvoices, Prefix: "i", NotSeenSince: seen.Add(time.Hour)}, []access.UserID{"ivan"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			list, err := w.Members.Members(t.Context(), mona, "acme", tt.filter, access.Page{})
			require.NoError(t, err)
			require.Equal(t, tt.want, users(list.Items))
			for size := 1; size < 4; size++ {
				pages := pager{page: func(p access.Page) ([]string, access.Cursor, error) {
					list, err := w.Members.Members(t.Context(), mona, "acme", tt.filter, p)
					return keysOf(list, err, func(m access.Member) string { return string(m.User) })
				}}.pages(t, size)
				require.Len(t, pages, len(tt.want))
			}
		})
	}
}

// see records that a user of acme is seen now.
func (w *world) see(user access.UserID) {
	w.T.Helper()
	g, err := w.Members.Grant(context.Background(), user, "acme")
	require.NoError(w.T, err)
	require.NoError(w.T, w.Members.RecordSeen(context.Background(), user, "acme", g))
}

func TestListsRefuseFilters(t *testing.T) {
	w := newWorld(t)
	long, forged := strings.Repeat("a", 201), "a\nb"
	for _, tt := range []struct {
		prefix      string
		permission  access.Permission
		code, field string
	}{
		{long, 0, "text.long", "prefix"}, {strings.Repeat("a", 1<<20), 0, "text.long", "prefix"}, {forged, 0, "text.control", "prefix"},
		{"\xff", 0, "text.control", "prefix"}, {"", 1 << 63, "permissions.unknown", "permissions"},
	} {
		_, err := w.Members.Members(t.Context(), olive, "acme", access.MemberFilter{Prefix: tt.prefix, Permission: tt.permission}, access.Page{})
		requireRefused(t, err, access.ErrInvalid, tt.code, tt.field)
		_, err = w.Members.Accounts(t.Context(), olive, "olive", access.AccountFilter{Prefix: tt.prefix, Permission: tt.permission}, access.Page{})
		requireRefused(t, err, access.ErrInvalid, tt.code, tt.field)
	}
	for p, code := range map[access.Permission]string{0: "permissions.empty", 1 << 40: "permissions.unknown", 1 << 63: "permissions.unknown",
		access.ManageProducts | 1<<40: "permissions.unknown"} {
		_, err := w.Members.WhoCan(t.Context(), olive, "acme", p, access.Page{})
		requireRefused(t, err, access.ErrInvalid, code, "permissions")
	}
	for _, user := range []access.UserID{access.UserID(long), "a\n", "\xff"} {
		_, err := w.Members.History(t.Context(), olive, "acme", access.EventFilter{Concerns: user}, access.Page{})
		require.ErrorIs(t, err, access.ErrInvalid)
	}
}

// TestListsAreForManagers: in an account of any status but closed.
func TestListsAreForManagers(t *testing.T) {
	w := newWorld(t)
	for range 2 {
		for _, v := range everyVerb() {
			switch v.name {
			case "Members", "WhoCan", "HistoryHead", "VerifyHistory":
			default:
				continue
			}
			for _, actor := range []access.Actor{olive, mona, alma, support, signup} {
				result, err := v.do(t.Context(), w.Members, actor, "acme", "ivan")
				require.NoError(t, err)
				require.NotZero(t, result)
			}
			for _, user := range []access.UserID{"ivan", "dave", "sue", "ella", "nora"} {
				w.refuses(t, access.ErrDenied, "denies.manage", "", func() (any, error) {
					return v.do(t.Context(), w.Members, access.As(user), "acme", "ivan")
				})
			}
		}
		w.must(w.Members.SuspendAccount(t.Context(), support, "acme"))
	}
	w.must(w.Members.CloseAccount(t.Context(), support, "acme"))
	for _, actor := range []access.Actor{olive, support, signup} { // what was, can be read
		list, err := w.Members.Members(t.Context(), actor, "acme", access.MemberFilter{}, access.Page{})
		require.NoError(t, err)
		require.Len(t, list.Items, 9)
	}
	for _, actor := range []access.Actor{mona, alma} {
		w.refuses(t, access.ErrDenied, "denies.closed", "", func() (any, error) {
			return w.Members.Members(t.Context(), actor, "acme", access.MemberFilter{}, access.Page{})
		})
	}
}

func TestMember(t *testing.T) {
	w := newWorld(t)
	for _, actor := range []access.Actor{olive, mona, support, signup, ivan} {
		m, err := w.Members.Member(t.Context(), actor, "acme", "ivan")
		require.NoError(t, err)
		require.Equal(t, access.Member{Membership: w.membership("acme", "ivan"),
			Person: access.User{ID: "ivan", Name: "ivan", Address: accesstest.AddressOf("ivan"), Verified: true}}, m)
	}
	m, err := w.Members.Member(t.Context(), mona, "acme", "olive")
	require.NoError(t, err)
	require.True(t, m.Owner)
	m, err = w.Members.Member(t.Context(), mona, "acme", "ghost")
	require.NoError(t, err)
	require.Equal(t, access.User{ID: "ghost"}, m.Person)
	for _, user := range []access.UserID{"sue", "ella", "nora", "olive"} { // themselves, in use or not
		_, err := w.Members.Member(t.Context(), access.As(user), "acme", user)
		require.NoError(t, err)
	}
	member := func(actor access.Actor, user access.UserID) func() (any, error) {
		return func() (any, error) { return w.Members.Member(t.Context(), actor, "acme", user) }
	}
	w.refuses(t, access.ErrDenied, "denies.manage", "", member(ivan, "olive"))
	w.refuses(t, access.ErrDenied, "denies.manage", "", member(ivan, "nobody"))
	w.refuses(t, access.ErrNotFound, "not_found", "member", member(mona, "nobody"))
	w.refuses(t, access.ErrNotFound, "not_found", "account", member(gina, "gina"))
}

// TestWhoCanIsCan: for everybody, of every kind, in accounts of every status, on any page size.
func TestWhoCanIsCan(t *testing.T) {
	w := newWorld(t)
	w.crowd("acme", 2*access.MaxPage+40)
	people := slices.Clone(everyUser)
	for i := range 2*access.MaxPage + 40 {
		people = append(people, access.UserID(fmt.Sprintf("c%04d", i)))
	}
	slices.Sort(people)
	check := func(t *testing.T) {
		for _, p := range []access.Permission{access.PayInvoices, access.OpenTickets | access.PayInvoices, access.ManageProducts,
			access.ModifyProfile, access.ModifyProfile | access.PayInvoices, access.All} {
			var want []string
			for _, user := range people {
				yes, err := w.Members.Can(t.Context(), user, "acme", p)
				require.NoError(t, err)
				if yes {
					want = append(want, string(user))
				}
			}
			list := pager{page: func(page access.Page) ([]string, access.Cursor, error) {
				list, err := w.Members.WhoCan(t.Context(), support, "acme", p, page)
				return keysOf(list, err, func(m access.Member) string { return string(m.User) })
			}}
			// A page may end exactly where the service reads on.
			holders, err := w.Members.Members(t.Context(), support, "acme", access.MemberFilter{Permission: p}, access.Page{Limit: access.MaxPage})
			require.NoError(t, err)
			edge := 0
			for _, m := range holders.Items {
				if slices.Contains(want, string(m.User)) {
					edge++
				}
			}
			for _, size := range []int{1, 7, 100, edge, access.MaxPage} {
				if size == 0 || size == 1 && len(want) > 20 {
					continue // takes its time, and says no more
				}
				require.Equal(t, want, list.pages(t, size), "%d, %d a page", p, size)
			}
		}
	}
	t.Run("active", check)
	w.must(w.Members.SuspendAccount(t.Context(), support, "acme"))
	t.Run("suspended", check)
}

func TestAccounts(t *testing.T) {
	w := newWorld(t)
	for _, a := range []struct {
		id      access.AccountID
		owner   access.UserID
		profile access.Profile
		ivan    access.Permission
	}{
		{"a1", "olive", access.Profile{Name: "Zebra", Company: "Ólafur & Co"}, access.OpenTickets},
		{"a2", "ivan", access.Profile{Name: "Ivan himself"}, 0},
		{"a3", "olive", access.Profile{Name: "zebra too"}, access.All},
	} {
		w.must(w.Members.CreateAccount(t.Context(), signup, access.NewAccount{ID: a.id, Owner: a.owner, Profile: a.profile}))
		if a.ivan != 0 {
			w.must(w.Members.AddMember(t.Context(), signup, a.id, "ivan", access.Terms{Permissions: a.ivan}))
		}
	}
	w.must(w.Members.SuspendAccount(t.Context(), signup, "a1"))
	w.must(w.Members.CloseAccount(t.Context(), signup, "a3"))
	w.must(w.Members.Suspend(t.Context(), olive, "acme", "ivan"))
	for _, tt := range []struct {
		name   string
		filter access.AccountFilter
		want   []string
	}{
		{"all", access.AccountFilter{}, []string{"a1", "a2", "a3", "acme"}},
		{"active", access.AccountFilter{Status: access.AccountActive}, []string{"a2", "acme"}},
		{"suspended", access.AccountFilter{Status: access.AccountSuspended}, []string{"a1"}},
		{"closed", access.AccountFilter{Status: access.AccountClosed}, []string{"a3"}},
		{"with a bit", access.AccountFilter{Permission: access.OpenTickets}, []string{"a1", "a2", "a3"}},
		{"by name", access.AccountFilter{Prefix: "ZEB"}, []string{"a1", "a3"}},
		{"by company", access.AccountFilter{Prefix: "óLAF"}, []string{"a1"}},
		{"all of that", access.AccountFilter{Status: access.AccountSuspended, Permission: access.OpenTickets, Prefix: "z"}, []string{"a1"}},
		{"none", access.AccountFilter{Prefix: "a1"}, []string{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, actor := range []access.Actor{ivan, support, signup} {
				list, err := w.Members.Accounts(t.Context(), actor, "ivan", tt.filter, access.Page{})
				keys, _, err := keysOf(list, err, func(a access.UserAccount) string { return string(a.Account.ID) })
				require.NoError(t, err)
				require.Equal(t, tt.want, keys)
				for _, a := range list.Items {
					require.Equal(t, w.account(a.Account.ID).Outside(), a.Account)
					require.Equal(t, w.membership(a.Account.ID, "ivan"), a.Membership)
					require.Equal(t, a.Account.ID == "a2", a.Owner)
				}
			}
		})
	}
	list, err := w.Members.Accounts(t.Context(), access.As("nobody"), "nobody", access.AccountFilter{}, access.Page{})
	require.NoError(t, err)
	require.Empty(t, list.Items)
	accounts := func(actor access.Actor, user access.UserID) func() (any, error) {
		return func() (any, error) {
			return w.Members.Accounts(t.Context(), actor, user, access.AccountFilter{}, access.Page{})
		}
	}
	w.refuses(t, access.ErrDenied, "denies.other", "", accounts(olive, "ivan"))
	w.refuses(t, access.ErrInvalid, "actor.zero", "actor", accounts(access.Actor{}, "ivan"))
	w.refuses(t, access.ErrInvalid, "actor.reason", "actor", accounts(access.AsStaff("s-7", ""), "ivan"))
	w.refuses(t, access.ErrInvalid, "id.empty", "user", accounts(support, ""))
	w.refuses(t, access.ErrInvalid, "id.long", "user", accounts(support, access.UserID(strings.Repeat("a", 129))))
}

func TestMessages(t *testing.T) {
	w := newWorld(t)
	w.As("olive").Sets("acme", "ivan", access.ViewEmails)
	for range 3 {
		w.Clock.Advance(time.Second)
		w.As("olive").Suspends("acme", "dave").Reinstates("acme", "dave")
	}
	w.Deliver()
	for _, actor := range []access.Actor{olive, alma, ivan, support, signup} {
		list, err := w.Members.Messages(t.Context(), actor, "acme", access.MessageFilter{}, access.Page{})
		require.NoError(t, err)
		require.Greater(t, len(list.Items), 6)
		for i, m := range list.Items {
			require.Equal(t, "acme", m.Group)
			if i > 0 {
				require.Less(t, m.ID, list.Items[i-1].ID, "newest first")
			}
		}
	}
	newest, err := w.Members.Messages(t.Context(), olive, "acme", access.MessageFilter{States: []notify.State{notify.Sent}}, access.Page{Limit: 1})
	require.NoError(t, err)
	require.Empty(t, newest.Items[0].Said)
	message, err := w.Members.Message(t.Context(), ivan, "acme", newest.Items[0].ID)
	require.NoError(t, err)
	require.Equal(t, notify.Sent, message.State)
	require.Contains(t, message.Said, "Hello", "what it said")
	require.NotContains(t, message.Said, "://")
	for name, filter := range map[string]access.MessageFilter{
		"states": {States: []notify.State{notify.Sent}}, "kinds": {Kinds: []notify.Kind{access.MailAccessChanged}},
		"since": {Since: message.Created}, "until": {Until: message.Created},
	} {
		all, err := w.Members.Messages(t.Context(), olive, "acme", access.MessageFilter{}, access.Page{})
		require.NoError(t, err)
		some, err := w.Members.Messages(t.Context(), olive, "acme", filter, access.Page{})
		require.NoError(t, err)
		var want []notify.Message
		for _, m := range all.Items {
			if (filter.States == nil || m.State == notify.Sent) && (filter.Kinds == nil || m.Kind == access.MailAccessChanged) &&
				!m.Created.Before(filter.Since) && (filter.Until.IsZero() || m.Created.Before(filter.Until)) {
				want = append(want, m)
			}
		}
		require.Equal(t, want, some.Items, name)
	}
	_, err = w.Members.Messages(t.Context(), olive, "acme", access.MessageFilter{States: make([]notify.State, 6)}, access.Page{})
	require.ErrorIs(t, err, access.ErrInvalid)
	_, err = w.Members.Messages(t.Context(), olive, "acme", access.MessageFilter{Kinds: make([]notify.Kind, 101)}, access.Page{})
	require.ErrorIs(t, err, access.ErrInvalid)
	for _, refused := range []struct {
		actor   access.Actor
		account access.AccountID
		id      notify.MessageID
		want    error
	}{
		{mona, "acme", message.ID, access.ErrDenied},
		{gina, "acme", message.ID, access.ErrNotFound},
		{olive, "acme", "none", access.ErrNotFound},
		{gina, "globex", message.ID, access.ErrNotFound}, // it is acme's
	} {
		_, err := w.Members.Message(t.Context(), refused.actor, refused.account, refused.id)
		require.ErrorIs(t, err, refused.want)
	}

	messages := func(actor access.Actor) func() (any, error) {
		return func() (any, error) {
			return w.Members.Messages(t.Context(), actor, "acme", access.MessageFilter{}, access.Page{})
		}
	}
	w.refuses(t, access.ErrDenied, "denies.missing", "", messages(mona))
	w.refuses(t, access.ErrDenied, "denies.suspended", "", messages(access.As("sue")))
	w.refuses(t, access.ErrNotFound, "not_found", "account", messages(gina))
	w.must(w.Members.SuspendAccount(t.Context(), support, "acme"))
	w.refuses(t, access.ErrDenied, "denies.account_suspended", "", messages(olive))
}
