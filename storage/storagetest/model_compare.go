package storagetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/invite"
)

// compare checks that what one can ask says what the model says: invariants 1, 2, 3, 7, 10 and 12. It asks about every
// account, and as one of the users.
func (m *model) compare(rt *rapid.T) {
	ctx := context.Background()
	size := rapid.IntRange(1, 4).Draw(rt, "page size")
	for id, a := range m.naive.accounts {
		m.compareAccount(ctx, rt, id, a, size)
	}
	m.compareUser(ctx, rt, m.user(rt), size)
}

func (m *model) compareAccount(ctx context.Context, rt *rapid.T, id access.AccountID, a *naiveAccount, size int) {
	system := access.AsSystem("check")
	if a.status == access.AccountClosed {
		stored, err := m.members.Account(ctx, system, id)
		require.NoError(rt, err)
		require.Equal(rt, access.AccountClosed, stored.Status)
		return
	}
	members, err := everything(size, func(p access.Page) (access.List[access.Member], error) {
		return m.members.Members(ctx, system, id, access.MemberFilter{}, p)
	})
	require.NoError(rt, err)
	require.Equal(rt, a.describe(), describeMembers(members), "members of %s", id)

	pending, err := everything(size, func(p access.Page) (access.List[invite.PendingInvite], error) {
		return m.invites.Pending(ctx, system, id, invite.Filter{}, p)
	})
	require.NoError(rt, err)
	m.said.add(fmt.Sprintf("%+v %+v", members, pending))
	require.Equal(rt, a.describePending(), describePending(pending), "invites of %s", id)

	p := rapid.SampledFrom([]access.Permission{access.PayInvoices, access.ManageUsers, access.ViewProducts}).Draw(rt, "who can")
	able, err := everything(size, func(page access.Page) (access.List[access.Member], error) {
		return m.members.WhoCan(ctx, system, id, p, page)
	})
	require.NoError(rt, err)
	var want, got []access.UserID
	for _, user := range m.users {
		if m.naive.can(id, user, p) {
			want = append(want, user)
		}
	}
	for _, member := range able {
		got = append(got, member.User)
	}
	require.Equal(rt, want, got, "who can %d in %s", p, id)

	v, err := m.members.VerifyHistory(ctx, system, id, access.Head{})
	require.NoError(rt, err)
	require.Equal(rt, access.Verification{Events: uint64(a.events)}, v, "history of %s", id)
}

func (m *model) compareUser(ctx context.Context, rt *rapid.T, user access.UserID, size int) {
	accounts, err := everything(size, func(p access.Page) (access.List[access.UserAccount], error) {
		return m.members.Accounts(ctx, access.As(user), user, access.AccountFilter{}, p)
	})
	require.NoError(rt, err)
	var want, got []access.AccountID
	for id, a := range m.naive.accounts {
		if a.knows(access.As(user)) {
			want = append(want, id)
		}
		for _, p := range []access.Permission{0, access.PayInvoices, access.ManageUsers, access.ViewProducts | access.OpenTickets, access.All} {
			can, err := m.members.Can(ctx, user, id, p)
			require.NoError(rt, err)
			require.Equal(rt, m.naive.can(id, user, p), can, "%s may %d in %s", user, p, id)
		}
		// Foreign and absent look the same.
		if _, err := m.members.Account(ctx, access.As(user), id); !a.knows(access.As(user)) {
			require.ErrorIs(rt, err, access.ErrNotFound)
			_, absent := m.members.Account(ctx, access.As(user), "absent")
			require.Equal(rt, absent, err)
		}
	}
	for _, a := range accounts {
		got = append(got, a.Account.ID)
		require.Equal(rt, user == a.Account.Owner, a.Owner)
	}
	slices.Sort(want)
	require.Equal(rt, want, got, "accounts of %s", user)
}

// everything reads a list page by page.
func everything[E any](size int, fetch func(access.Page) (access.List[E], error)) ([]E, error) {
	var all []E
	page := access.Page{Limit: size}
	for {
		list, err := fetch(page)
		if err != nil {
			return nil, err
		}
		if len(list.Items) > size || list.Next != "" && len(list.Items) < size {
			return nil, errors.New("a page of the wrong size")
		}
		all = append(all, list.Items...)
		if list.Next == "" {
			return all, nil
		}
		page.After = list.Next
	}
}

func (a *naiveAccount) describe() []string {
	lines := []string{fmt.Sprintf("%s owner", a.owner)}
	for user, m := range a.members {
		lines = append(lines, fmt.Sprintf("%s %d suspended=%t until %d", user, m.bits, m.suspended, m.expires.UnixMicro()))
	}
	slices.Sort(lines)
	return lines
}

func describeMembers(members []access.Member) []string {
	var lines []string
	for _, m := range members {
		if m.Owner {
			lines = append(lines, fmt.Sprintf("%s owner", m.User))
			continue
		}
		lines = append(lines, fmt.Sprintf("%s %d suspended=%t until %d", m.User, m.Permissions, m.Status == access.Suspended, m.Expires.UnixMicro()))
	}
	return lines
}

func (a *naiveAccount) describePending() []string {
	var lines []string
	for user, i := range a.pending {
		lines = append(lines, fmt.Sprintf("%s %s %d by %s until %d", i.id, addressOf(user).Canonical(), i.bits, i.by.ID, i.expires.UnixMicro()))
	}
	slices.SortFunc(lines, func(a, b string) int { return cmp.Compare(b, a) })
	return lines
}

func describePending(pending []invite.PendingInvite) []string {
	var lines []string
	for _, i := range pending {
		lines = append(lines, fmt.Sprintf("%s %s %d by %s until %d", i.ID, i.Address.Canonical(), i.Terms.Permissions, i.By.ID, i.Expires.UnixMicro()))
	}
	return lines
}
