package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

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

func (p *portal) findMember(ctx context.Context, r *http.Request, v *visit) (memberRow, error) {
	member, err := p.members.Member(ctx, v.actor, v.Account.ID, access.UserID(r.PathValue("user")))
	if err != nil {
		return memberRow{}, err
	}
	return p.memberRow(v, member), nil
}

func (p *portal) showMember(w http.ResponseWriter, r *http.Request, v *visit) error {
	member, err := p.findMember(r.Context(), r, v)
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
		return "denied.self"
	}
	return "permissions.beyond"
}

// onMember runs a verb on the member of the path and says what happened, with their name.
func (p *portal) onMember(w http.ResponseWriter, r *http.Request, v *visit, next, done string,
	verb func(context.Context, access.UserID) error) error {
	member, err := p.findMember(r.Context(), r, v)
	if err != nil {
		return err
	}
	err = verb(r.Context(), member.User)
	return p.settle(w, r, next, err, fmt.Sprintf(done, member.Name()))
}

func (p *portal) setPermissions(w http.ResponseWriter, r *http.Request, v *visit) error {
	catalog := p.members.Catalog()
	chosen, added, err := chosenPermissions(catalog, r.PostForm)
	if problem := mistake(err); problem != nil {
		return p.settle(w, r, r.URL.Path[:strings.LastIndex(r.URL.Path, "/")], err, "")
	}
	if err != nil {
		return err
	}
	return p.onMember(w, r, v, v.Path("/users"), "The permissions of %s are saved."+strings.ReplaceAll(addedWords(catalog, added), "%", "%%"),
		func(ctx context.Context, user access.UserID) error {
			_, err := p.members.SetPermissions(ctx, v.actor, v.Account.ID, user, chosen)
			return err
		})
}

func (p *portal) setLabel(w http.ResponseWriter, r *http.Request, v *visit) error {
	return p.onMember(w, r, v, v.Path("/users"), "The label of %s is saved.", func(ctx context.Context, user access.UserID) error {
		_, err := p.members.SetLabel(ctx, v.actor, v.Account.ID, user, strings.TrimSpace(r.PostFormValue("label")))
		return err
	})
}

func (p *portal) setExpiry(w http.ResponseWriter, r *http.Request, v *visit) error {
	expires, err := endOfDay(r.PostFormValue("expires"), v.Zone)
	if err != nil {
		return p.settle(w, r, r.URL.Path[:strings.LastIndex(r.URL.Path, "/")], err, "")
	}
	return p.onMember(w, r, v, v.Path("/users"), "The end of the access of %s is saved.", func(ctx context.Context, user access.UserID) error {
		_, err := p.members.SetExpiry(ctx, v.actor, v.Account.ID, user, expires)
		return err
	})
}

func (p *portal) suspendMember(w http.ResponseWriter, r *http.Request, v *visit) error {
	return p.onMember(w, r, v, v.Path("/users"), "%s is suspended and can't use this account until you reinstate them.",
		func(ctx context.Context, user access.UserID) error {
			_, err := p.members.Suspend(ctx, v.actor, v.Account.ID, user)
			return err
		})
}

func (p *portal) reinstateMember(w http.ResponseWriter, r *http.Request, v *visit) error {
	return p.onMember(w, r, v, v.Path("/users"), "%s can use this account again.", func(ctx context.Context, user access.UserID) error {
		_, err := p.members.Reinstate(ctx, v.actor, v.Account.ID, user)
		return err
	})
}

func (p *portal) confirmRemoveMember(w http.ResponseWriter, r *http.Request, v *visit) error {
	member, err := p.findMember(r.Context(), r, v)
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
	return p.onMember(w, r, v, v.Path("/users"), "%s no longer has access to this account.", func(ctx context.Context, user access.UserID) error {
		_, err := p.members.Remove(ctx, v.actor, v.Account.ID, user)
		return err
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

// endOfDay reads the day of a form as the moment at which it is over in a zone. No day is the zero
// time.
func endOfDay(day string, zone *time.Location) (time.Time, error) {
	if day == "" {
		return time.Time{}, nil
	}
	start, err := time.ParseInLocation(time.DateOnly, day, zone)
	if err != nil {
		return time.Time{}, fieldError{"expires", "Write the day like 2030-12-31."}
	}
	return start.AddDate(0, 0, 1), nil
}

// lastDay is the day that endOfDay read, for showing it in a form.
func lastDay(end time.Time, zone *time.Location) string {
	if end.IsZero() {
		return ""
	}
	return end.Add(-time.Microsecond).In(zone).Format(time.DateOnly)
}

// inviteForm is what the form Invite New User shows again after a mistake.
type inviteForm struct {
	Address     string
	Label       string
	Expires     string
	Permissions permissionForm
	Problem     *fieldProblem
}

// newInviteForm shows what was typed.
func newInviteForm(catalog *access.Catalog, fields url.Values, held access.Permission, problem *fieldProblem) inviteForm {
	ticked, _ := catalog.Parse(fields["permission"]...)
	form := inviteForm{
		Address: fields.Get("address"), Label: fields.Get("label"), Expires: fields.Get("expires"),
		Permissions: newPermissionForm(catalog, ticked, held), Problem: problem,
	}
	if fields.Get("mode") == modeAll {
		form.Permissions.Mode = modeAll
	}
	form.Permissions.Preset = fields.Get("preset")
	form.Permissions.Problem = problem
	return form
}
