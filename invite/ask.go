package invite

import (
	"context"
	"errors"
	"time"

	"github.com/rosterkit/roster/access"
)

// AskAgain asks, by the token of a link that no longer works, for a new link: of an invite that has expired, was revoked
// or declined, or was sent again since. The inviter is mailed, or the owner where the inviter is no user or may no longer
// send the invite, at most once for one invite in Limits.BetweenAsks. Whoever tires of it revokes the invite: for one that
// was revoked or declined they are mailed only once more. It changes nothing about the invite.
//
// Whether anybody was mailed doesn't show: it is nil too if somebody has asked before, if the invite can be accepted or
// was, and if the account isn't active. The actor is a user or, for somebody who isn't signed in, the host's
// own code. access.ErrInvalid; access.ErrNotFound with code "invite.invalid" for a token that isn't authentic, whatever is
// wrong with it.
func (s *Service) AskAgain(ctx context.Context, actor access.Actor, token string) error {
	if err := actor.Check(); err != nil {
		return err
	}
	if actor.Kind == access.ActorStaff {
		return access.Invalid("actor", "actor.staff", "is staff, who can send the invite again")
	}
	return s.update(ctx, func(ctx context.Context, tx Tx) error {
		f, err := s.authentic(ctx, tx, token)
		if err != nil {
			return err
		}
		r, p := f.invite, f.proof
		// Who asks in vain, however often, locks nothing.
		if may, err := s.mayAsk(ctx, tx, r, p, s.members.Now()); err != nil || !may {
			return err
		}
		c, err := s.members.Begin(ctx, tx, actor, access.EventInviteAsked, r.Account)
		if err != nil {
			return err
		}
		// Between finding and locking somebody else may have been here.
		if r, err = tx.Invite(ctx, r.Account, r.ID); err != nil {
			return err
		}
		if may, err := s.mayAsk(ctx, tx, r, p, c.Now); err != nil || !may {
			return err
		}
		return s.ask(ctx, tx, c, r)
	})
}

// mayAsk reports whether the link that somebody holds no longer works, another could, and nobody has asked for it
// before: a moment ago, or since the invite was closed. What was mailed tells: the outbox is in the same database, and the
// account's lock makes two who ask at once take turns.
func (s *Service) mayAsk(ctx context.Context, tx Tx, r Record, p proof, now time.Time) (bool, error) {
	switch s.judge(r, p, Identity{}, now) {
	case IsExpired, IsRevoked, IsDeclined, IsReplaced:
	default:
		return false, nil
	}
	account, err := tx.Account(ctx, r.Account)
	if err != nil || account.Status != access.AccountActive {
		return false, err
	}
	asked, err := tx.Deliveries(ctx, string(r.Account), MailAsked, []string{string(r.ID)})
	if err != nil {
		return false, err
	}
	last, found := asked[string(r.ID)]
	if !found {
		return true, nil
	}
	sinceClosed := r.State != Pending && !last.Created.Before(r.Closed)
	return !sinceClosed && !now.Before(last.Created.Add(s.config.Limits.BetweenAsks)), nil
}

// ask puts it on the record that somebody asks for a new link, and mails who can send one.
func (s *Service) ask(ctx context.Context, tx Tx, c *access.Call, r Record) error {
	to := c.Account.Owner
	err := s.inviterStillMay(ctx, tx, r)
	switch inviter := r.By.User(); {
	case err == nil && inviter != "":
		to = inviter
	case err != nil && !errors.Is(err, access.ErrDenied):
		return err
	}
	if err := c.Record(ctx, access.EventInviteAsked, r.target(), r.facts(), r.facts()); err != nil {
		return err
	}
	return c.Mail(ctx, MailAsked, string(r.ID), uint64(r.Generation), string(to))
}
