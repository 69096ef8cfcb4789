package main

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/invite"
)

// seldomSeen is what the filter "not seen for 90 days" means.
const seldomSeen = 90 * 24 * time.Hour

// A membersPage is User Management: who has access, who is invited, and the form to invite.
type membersPage struct {
	*visit
	Search  string
	Filter  string
	Members []memberRow
	Next    access.Cursor
	Invites []inviteRow
	Form    inviteForm
}

// A memberRow is a member as the list shows them.
type memberRow struct {
	access.Member
	Self     bool
	Summary  string
	Expired  bool
	Early    bool
	Editable bool // The visitor may act on this member.
	Beyond   bool // They hold more than the visitor.
}

// An inviteRow is a pending invite as the list shows it.
type inviteRow struct {
	invite.PendingInvite
	Summary  string
	Expired  bool
	Delivery delivery
	Editable bool
}

func (p *portal) showMembers(w http.ResponseWriter, r *http.Request, v *visit) error {
	form := inviteForm{Permissions: newPermissionForm(p.members.Catalog(), 0, v.Grant.Held(v.Now))}
	return p.renderMembers(w, r, v, http.StatusOK, form)
}

// renderMembers shows User Management with a form that may hold what was typed before.
func (p *portal) renderMembers(w http.ResponseWriter, r *http.Request, v *visit, status int, form inviteForm) error {
	content := membersPage{visit: v, Search: strings.TrimSpace(r.FormValue("search")), Filter: r.FormValue("show"), Form: form}
	filter := access.MemberFilter{Prefix: content.Search}
	switch content.Filter {
	case "active":
		filter.Status = access.Active
	case "suspended":
		filter.Status = access.Suspended
	case "unseen":
		filter.NotSeenSince = v.Now.Add(-seldomSeen)
	}
	list, err := p.members.Members(r.Context(), v.actor, v.Account.ID, filter, pageAsked(r))
	if err != nil {
		return err
	}
	content.Next = list.Next
	for _, member := range list.Items {
		content.Members = append(content.Members, p.memberRow(v, member))
	}
	slices.SortStableFunc(content.Members, ownerFirst)
	if content.Invites, err = p.pendingInvites(r.Context(), v); err != nil {
		return err
	}
	return p.showStatus(w, r, v, status, "members", "User Management", content)
}

func ownerFirst(a, b memberRow) int {
	switch {
	case a.Owner == b.Owner:
		return strings.Compare(access.Fold(a.Person.Name), access.Fold(b.Person.Name))
	case a.Owner:
		return -1
	}
	return 1
}

func (p *portal) memberRow(v *visit, member access.Member) memberRow {
	row := memberRow{
		Member:  member,
		Self:    member.User == v.Person.user(),
		Summary: summary(p.members.Catalog(), member.Permissions),
		Expired: !member.Expires.IsZero() && !v.Now.Before(member.Expires),
		Early:   member.Starts.After(v.Now),
		Beyond:  member.Permissions&^v.Grant.Held(v.Now) != 0,
	}
	row.Editable = !row.Owner && !row.Self && !row.Beyond
	return row
}

// Name is what the page calls the member.
func (m memberRow) Name() string {
	switch {
	case m.Person.Name != "":
		return m.Person.Name
	case !m.Person.Address.IsZero():
		return m.Person.Address.Original()
	}
	return string(m.User)
}

// pendingInvites are all invites that wait for an answer; the library's limit keeps them few.
func (p *portal) pendingInvites(ctx context.Context, v *visit) ([]inviteRow, error) {
	var rows []inviteRow
	for pending, err := range access.Walk(func(page access.Page) (access.List[invite.PendingInvite], error) {
		return p.invites.Pending(ctx, v.actor, v.Account.ID, invite.Filter{}, page)
	}) {
		if err != nil {
			return nil, err
		}
		rows = append(rows, p.inviteRow(v, pending))
	}
	return rows, nil
}

func (p *portal) inviteRow(v *visit, pending invite.PendingInvite) inviteRow {
	return inviteRow{
		PendingInvite: pending,
		Summary:       summary(p.members.Catalog(), pending.Terms.Permissions),
		Expired:       !pending.Live(v.Now),
		Delivery:      newDelivery(pending.Delivery, pending.DeliveryReason),
		Editable:      pending.Terms.Permissions&^v.Grant.Held(v.Now) == 0,
	}
}
