package invite

import (
	"context"
	"errors"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/notify"
)

// Edit changes the terms of a pending invite, live or expired; its link and its time stay. The actor manages members,
// holds every bit before and after, and becomes the inviter. In a suspended account it can only narrow them. access.ErrInvalid, ErrNotFound, ErrDenied.
func (s *Service) Edit(ctx context.Context, actor access.Actor, account access.AccountID, id ID, terms access.Terms) (access.Revision, error) {
	if err := s.members.Catalog().Check(terms.Permissions); err != nil {
		return access.Revision{}, err
	}
	return s.changePending(ctx, actor, access.EventInviteEdited, account, id, func(c *access.Call, r *Record) error {
		if err := terms.Check(c.Now); err != nil {
			return err
		}
		if err := c.Bounds(r.Terms.Permissions, terms.Permissions); err != nil {
			return err
		}
		if widens(r.Terms, terms) {
			if err := c.Open(); err != nil {
				return err
			}
		}
		r.Terms = storedTerms(terms)
		r.By = Inviter{c.Actor.Kind, c.Actor.ID}
		return nil
	})
}

// widens reports whether terms give more than before, or for longer.
func widens(before, after access.Terms) bool {
	longer := !before.Expires.IsZero() && (after.Expires.IsZero() || after.Expires.After(before.Expires))
	sooner := after.Starts.Before(before.Starts)
	return after.Permissions&^before.Permissions != 0 || longer || sooner
}

// Revoke ends a pending invite: its link is dead at once. The actor manages members and holds every bit offered. It
// works in a suspended account. access.ErrInvalid, ErrNotFound, ErrDenied.
func (s *Service) Revoke(ctx context.Context, actor access.Actor, account access.AccountID, id ID) (access.Revision, error) {
	return s.changePending(ctx, actor, access.EventInviteRevoked, account, id, func(c *access.Call, r *Record) error {
		r.State, r.Closed = Revoked, c.Now
		return c.Bounds(r.Terms.Permissions, 0)
	})
}

// changePending runs a manager's verb on one pending invite.
func (s *Service) changePending(ctx context.Context, actor access.Actor, kind access.EventKind, account access.AccountID,
	id ID, change func(*access.Call, *Record) error) (access.Revision, error) {
	var revision access.Revision
	err := s.update(ctx, func(ctx context.Context, tx Tx) error {
		c, err := s.members.Begin(ctx, tx, actor, kind, account)
		if err != nil {
			return err
		}
		if err := c.Manage(); err != nil {
			return err
		}
		before, err := pendingOf(ctx, tx, c, id)
		if err != nil {
			return err
		}
		after := before
		if err := change(c, &after); err != nil {
			return err
		}
		revision = c.Revision()
		if after == before {
			return nil
		}
		if err := tx.UpdateInvite(ctx, after, before.Generation); err != nil {
			return err
		}
		target := after.target()
		if before.Terms.Label != after.Terms.Label {
			target.Before = map[string]string{"label": before.Terms.Label}
			target.After = map[string]string{"label": after.Terms.Label}
		}
		return c.Record(ctx, kind, target, before.facts(), after.facts())
	})
	if err != nil {
		return access.Revision{}, err
	}
	return revision, nil
}

// pendingOf returns a pending invite of the call's account. Another account's looks like none.
func pendingOf(ctx context.Context, tx Tx, c *access.Call, id ID) (Record, error) {
	if err := id.Check(); err != nil {
		return Record{}, err
	}
	r, err := tx.Invite(ctx, c.Account.ID, id)
	if err == nil && r.State != Pending || errors.Is(err, access.ErrNotFound) {
		return Record{}, access.NotFound("invite")
	}
	return r, err
}

// A PendingInvite is an invite as the list for managers shows it.
type PendingInvite struct {
	Invite
	InviterName string // who sent it, as mails call them
	// Delivery is the mail of the latest link: its state, and the reason if it failed or was cancelled. Zero if this
	// library didn't mail it.
	Delivery       notify.State
	DeliveryReason string
}

// Invite returns a pending invite. It is for those who manage members. access.ErrInvalid, ErrNotFound, ErrDenied.
func (s *Service) Invite(ctx context.Context, actor access.Actor, account access.AccountID, id ID) (PendingInvite, error) {
	var shown []PendingInvite
	err := s.view(ctx, func(ctx context.Context, tx Tx) error {
		c, err := s.members.Look(ctx, tx, actor, account)
		if err != nil {
			return err
		}
		if err := c.Manage(); err != nil {
			return err
		}
		r, err := pendingOf(ctx, tx, c, id)
		if err != nil {
			return err
		}
		shown, err = described(ctx, tx, account, []Record{r})
		return err
	})
	if err != nil {
		return PendingInvite{}, err
	}
	return shown[0], nil
}

// Pending returns a page of an account's pending invites, live and expired, newest first. It is for those who manage
// members. access.ErrInvalid, ErrNotFound, ErrDenied.
func (s *Service) Pending(ctx context.Context, actor access.Actor, account access.AccountID, f Filter, page access.Page) (access.List[PendingInvite], error) {
	list := "invites/" + string(account)
	limit, key, err := page.Open(list, 1)
	if err != nil {
		return access.List[PendingInvite]{}, err
	}
	if err := access.CheckText("prefix", f.Prefix, access.MaxNameRunes); err != nil {
		return access.List[PendingInvite]{}, err
	}
	if f.State == 0 {
		f.State = Pending
	}
	var pending access.List[PendingInvite]
	err = s.view(ctx, func(ctx context.Context, tx Tx) error {
		c, err := s.members.Look(ctx, tx, actor, account)
		if err != nil {
			return err
		}
		if err := c.Manage(); err != nil {
			return err
		}
		rows, err := tx.Invites(ctx, account, f, before(key), limit+1)
		if err != nil {
			return err
		}
		shown, err := described(ctx, tx, account, rows)
		pending = access.ListOf(shown, limit, list, func(p PendingInvite) []string { return []string{string(p.ID)} })
		return err
	})
	if err != nil {
		return access.List[PendingInvite]{}, err
	}
	return pending, nil
}

// described adds who sent the invites and what became of their mails.
func described(ctx context.Context, tx Tx, account access.AccountID, rows []Record) ([]PendingInvite, error) {
	refs := make([]string, len(rows))
	for i, r := range rows {
		refs[i] = string(r.ID)
	}
	deliveries, err := tx.Deliveries(ctx, string(account), MailInvite, refs)
	if err != nil {
		return nil, err
	}
	shown := make([]PendingInvite, len(rows))
	for i, r := range rows {
		shown[i].Invite = r.Invite
		shown[i].InviterName, err = access.ActorName(ctx, tx, r.By.Kind, r.By.ID)
		if err != nil {
			return nil, err
		}
		if m, ok := deliveries[string(r.ID)]; ok && m.Generation == uint64(r.Generation) {
			shown[i].Delivery, shown[i].DeliveryReason = m.State, m.Reason
		}
	}
	return shown, nil
}

func before(key []string) ID {
	if key == nil {
		return ""
	}
	return ID(key[0])
}

func (r Record) target() access.Target {
	return access.Target{Kind: access.TargetInvite, ID: string(r.ID), Name: r.Address.String()}
}

// facts are the public part of an invite; none before it was sent.
func (r Record) facts() access.Facts {
	if r.Generation == 0 {
		return access.Facts{}
	}
	return access.Facts{Permissions: r.Terms.Permissions, Status: r.State.String(), Starts: r.Terms.Starts,
		Expires: r.Terms.Expires, Generation: r.Generation}
}
