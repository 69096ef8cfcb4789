package main

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/rosterkit/roster/access"
)

// A memberPage is Manage Permissions for one member.
type memberPage struct {
	*visit
	Member      memberRow
	Permissions permissionForm
}

// A removal is the page that asks before somebody loses their access.
type removal struct {
	*visit
	Member memberRow
	Loses  []string // What they may do now.
}

func (p *portal) findMember(r *http.Request, v *visit) (memberRow, error) {
	member, err := p.members.Member(r.Context(), v.actor, v.Account.ID, access.UserID(r.PathValue("user")))
	if err != nil {
		return memberRow{}, err
	}
	return p.memberRow(v, member), nil
}

func (p *portal) showMember(w http.ResponseWriter, r *http.Request, v *visit) error {
	member, err := p.findMember(r, v)
	if err != nil {
		return err
	}
	if !member.Editable {
		p.say(r, "problem", refusalWords[member.untouchable()])
		return redirect(w, r, v.Path("/users"))
	}
	form := newPermissionForm(p.members.Catalog(), member.Permissions, v.Grant.Held(v.Now))
	return p.show(w, r, v, "member", "Manage Permissions", memberPage{v, member, form})
}

// untouchable is the code of the reason why the visitor can't act on a member.
func (m memberRow) untouchable() string {
	switch {
	case m.Owner:
		return "owner"
	case m.Self:
		return "denies.self"
	}
	return "permissions.beyond"
}

// onMember runs a verb on the member of the path, and says on the list what happened: in done,
// {name} stands for the member's.
func (p *portal) onMember(w http.ResponseWriter, r *http.Request, v *visit, done string,
	verb func(context.Context, access.UserID) (access.Revision, error)) error {
	member, err := p.findMember(r, v)
	if err != nil {
		return err
	}
	_, err = verb(r.Context(), member.User)
	return p.settle(w, r, v.Path("/users"), err, strings.ReplaceAll(done, "{name}", member.Name()))
}

func (p *portal) setPermissions(w http.ResponseWriter, r *http.Request, v *visit) error {
	catalog := p.members.Catalog()
	chosen, added, err := chosenPermissions(catalog, r.PostForm)
	if err != nil {
		return p.settle(w, r, v.Path("/users/"+url.PathEscape(r.PathValue("user"))), err, "")
	}
	done := "The permissions of {name} are saved." + addedWords(catalog, added)
	return p.onMember(w, r, v, done, func(ctx context.Context, user access.UserID) (access.Revision, error) {
		return p.members.SetPermissions(ctx, v.actor, v.Account.ID, user, chosen)
	})
}

func (p *portal) setLabel(w http.ResponseWriter, r *http.Request, v *visit) error {
	label := strings.TrimSpace(r.PostFormValue("label"))
	return p.onMember(w, r, v, "The label of {name} is saved.", func(ctx context.Context, user access.UserID) (access.Revision, error) {
		return p.members.SetLabel(ctx, v.actor, v.Account.ID, user, label)
	})
}

func (p *portal) setExpiry(w http.ResponseWriter, r *http.Request, v *visit) error {
	expires, err := endOfDay(r.PostFormValue("expires"), v.Zone)
	if err != nil {
		return p.settle(w, r, v.Path("/users/"+url.PathEscape(r.PathValue("user"))), err, "")
	}
	done := "The end of the access of {name} is saved."
	return p.onMember(w, r, v, done, func(ctx context.Context, user access.UserID) (access.Revision, error) {
		return p.members.SetExpiry(ctx, v.actor, v.Account.ID, user, expires)
	})
}

func (p *portal) suspendMember(w http.ResponseWriter, r *http.Request, v *visit) error {
	done := "{name} is suspended and can't use this account until you reinstate them."
	return p.onMember(w, r, v, done, func(ctx context.Context, user access.UserID) (access.Revision, error) {
		return p.members.Suspend(ctx, v.actor, v.Account.ID, user)
	})
}

func (p *portal) reinstateMember(w http.ResponseWriter, r *http.Request, v *visit) error {
	done := "{name} can use this account again."
	return p.onMember(w, r, v, done, func(ctx context.Context, user access.UserID) (access.Revision, error) {
		return p.members.Reinstate(ctx, v.actor, v.Account.ID, user)
	})
}

func (p *portal) confirmRemoveMember(w http.ResponseWriter, r *http.Request, v *visit) error {
	member, err := p.findMember(r, v)
	if err != nil {
		return err
	}
	if !member.Editable {
		p.say(r, "problem", refusalWords[member.untouchable()])
		return redirect(w, r, v.Path("/users"))
	}
	return p.show(w, r, v, "member-remove", "Remove Access", removal{v, member, p.members.Catalog().Labels(member.Permissions)})
}

func (p *portal) removeMember(w http.ResponseWriter, r *http.Request, v *visit) error {
	done := "{name} no longer has access to this account."
	return p.onMember(w, r, v, done, func(ctx context.Context, user access.UserID) (access.Revision, error) {
		return p.members.Remove(ctx, v.actor, v.Account.ID, user)
	})
}

func (p *portal) confirmLeave(w http.ResponseWriter, r *http.Request, v *visit) error {
	if v.Grant.Owner {
		p.say(r, "problem", "The owner can't leave. To change the owner, contact support.")
		return redirect(w, r, v.Path("/details"))
	}
	return p.show(w, r, v, "leave", "Leave Account", v)
}

func (p *portal) leave(w http.ResponseWriter, r *http.Request, v *visit) error {
	_, err := p.members.Leave(r.Context(), v.actor, v.Account.ID)
	next := "/accounts"
	if err != nil {
		next = v.Path("/details")
	}
	return p.settle(w, r, next, err, "You have left the account “"+v.Account.Profile.Name+"”.")
}
