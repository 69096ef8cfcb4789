package crashes_test

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
)

// A verb is one call that changes something, good in a scene. Done again, it changes nothing more.
type verb struct {
	name string // of the method, with its package in front
	do   func(context.Context, *services, scene) error
}

// verbs are all there are.
func verbs() []verb {
	owner := access.As("olga")
	return slices.Concat(accessVerbs(owner), inviteVerbs(owner), contactVerbs(owner), registryVerbs())
}

func accessVerbs(owner access.Actor) []verb {
	account := access.NewAccount{ID: "initech", Owner: "olga", Profile: access.Profile{Name: "New"}}
	terms := access.Terms{Permissions: access.PayInvoices, Label: "accounting"}
	return []verb{
		{"access.CreateAccount", func(ctx context.Context, do *services, _ scene) error {
			return second(do.members.CreateAccount(ctx, owner, account))
		}},
		{"access.UpdateAccount", func(ctx context.Context, do *services, _ scene) error {
			return second(do.members.UpdateAccount(ctx, owner, acme, access.Profile{Name: "Changed", Company: "Acme"}))
		}},
		{"access.SetPolicy", func(ctx context.Context, do *services, _ scene) error {
			return second(do.members.SetPolicy(ctx, staff(), acme, access.Policy{Seats: 10, Domains: []string{"example.com"}}))
		}},
		{"access.SuspendAccount", func(ctx context.Context, do *services, _ scene) error {
			return second(do.members.SuspendAccount(ctx, staff(), acme))
		}},
		{"access.ReactivateAccount", func(ctx context.Context, do *services, _ scene) error {
			return second(do.members.ReactivateAccount(ctx, staff(), globex))
		}},
		{"access.CloseAccount", func(ctx context.Context, do *services, _ scene) error {
			return second(do.members.CloseAccount(ctx, staff(), acme))
		}},
		{"access.AddMember", func(ctx context.Context, do *services, _ scene) error {
			return second(do.members.AddMember(ctx, staff(), acme, "fred", terms))
		}},
		{"access.SetPermissions", func(ctx context.Context, do *services, _ scene) error { // the invite that ann sent goes beyond this
			return second(do.members.SetPermissions(ctx, owner, acme, "ann", access.OpenTickets))
		}},
		{"access.SetExpiry", func(ctx context.Context, do *services, _ scene) error {
			return second(do.members.SetExpiry(ctx, owner, acme, "ann", noon().AddDate(1, 0, 0)))
		}},
		{"access.SetLabel", func(ctx context.Context, do *services, _ scene) error {
			return second(do.members.SetLabel(ctx, owner, acme, "ann", "accounting"))
		}},
		{"access.Suspend", func(ctx context.Context, do *services, _ scene) error {
			return second(do.members.Suspend(ctx, owner, acme, "ann"))
		}},
		{"access.Reinstate", func(ctx context.Context, do *services, _ scene) error {
			return second(do.members.Reinstate(ctx, owner, acme, "eve"))
		}},
		{"access.Remove", func(ctx context.Context, do *services, _ scene) error {
			return second(do.members.Remove(ctx, owner, acme, "ann"))
		}},
		{"access.Leave", func(ctx context.Context, do *services, _ scene) error {
			return second(do.members.Leave(ctx, access.As("ann"), acme))
		}},
		{"access.TransferByStaff", func(ctx context.Context, do *services, _ scene) error {
			return second(do.members.TransferByStaff(ctx, staff(), acme, "bob", access.PayInvoices))
		}},
		{"access.SyncUsers", func(ctx context.Context, do *services, _ scene) error {
			return do.members.SyncUsers(ctx, access.User{ID: "fred", Name: "Fred"}, access.User{ID: "carl", Name: "Carl"})
		}},
		{"access.RecordSignIn", func(ctx context.Context, do *services, _ scene) error { return do.members.RecordSignIn(ctx, "ann") }},
		{"access.RecordSeen", func(ctx context.Context, do *services, _ scene) error {
			grant, err := do.members.Grant(ctx, "ann", acme)
			return errors.Join(err, do.members.RecordSeen(ctx, "ann", acme, grant))
		}},
		{"notify.Claim", func(ctx context.Context, do *services, _ scene) error {
			return second(do.db.Claim(ctx, later(), time.Hour, 10))
		}},
		{"notify.Finish", func(ctx context.Context, do *services, s scene) error {
			return second(do.db.Finish(ctx, notify.Result{ID: s.Claimed.ID, Attempt: s.Claimed.Attempt, State: notify.Sent, At: later(),
				Address: "ann@example.com", Subject: "Hello"}))
		}},
		{"notify.Finish, to try again", func(ctx context.Context, do *services, s scene) error {
			return second(do.db.Finish(ctx, notify.Result{ID: s.Claimed.ID, Attempt: s.Claimed.Attempt, State: notify.Queued, At: later(),
				Due: later().Add(time.Hour), Reason: "nobody is there"}))
		}},
		{"notify.Retry", func(ctx context.Context, do *services, s scene) error {
			return second(do.db.Retry(ctx, later(), s.Dead))
		}},
		{"notify.Drop", func(ctx context.Context, do *services, s scene) error {
			return second(do.db.Drop(ctx, later(), s.Dead))
		}},
	}
}

func inviteVerbs(owner access.Actor) []verb {
	offer := func(name string) invite.Offer {
		return invite.Offer{Address: address(name), Terms: access.Terms{Permissions: access.PayInvoices}}
	}
	return []verb{
		{"invite.Send", func(ctx context.Context, do *services, _ scene) error {
			return second(do.invites.Send(ctx, owner, acme, offer("fred")))
		}},
		{"invite.Send, again", func(ctx context.Context, do *services, _ scene) error {
			return second(do.invites.Send(ctx, owner, acme, offer("carl")))
		}},
		{"invite.SendMany", func(ctx context.Context, do *services, _ scene) error {
			results, err := do.invites.SendMany(ctx, owner, acme, []invite.Offer{offer("fred"), offer("greg")})
			for _, r := range results {
				err = errors.Join(err, r.Err)
			}
			return err
		}},
		{"invite.Resend", func(ctx context.Context, do *services, s scene) error {
			return second(do.invites.Resend(ctx, owner, acme, s.ToCarl))
		}},
		{"invite.Edit", func(ctx context.Context, do *services, s scene) error {
			return second(do.invites.Edit(ctx, owner, acme, s.ToCarl, access.Terms{Permissions: access.OpenTickets}))
		}},
		{"invite.Revoke", func(ctx context.Context, do *services, s scene) error {
			return second(do.invites.Revoke(ctx, owner, acme, s.ToCarl))
		}},
		{"invite.Decline", func(ctx context.Context, do *services, s scene) error {
			return second(do.handed.Decline(ctx, s.Token, identity("dora")))
		}},
		{"invite.DeclinePending", func(ctx context.Context, do *services, s scene) error {
			return second(do.invites.DeclinePending(ctx, s.ToCarl, identity("carl")))
		}},
		{"invite.Accept", func(ctx context.Context, do *services, s scene) error {
			return second(do.handed.Accept(ctx, s.Token, identity("dora")))
		}},
		{"invite.AcceptPending", func(ctx context.Context, do *services, s scene) error {
			return second(do.invites.AcceptPending(ctx, s.ToCarl, identity("carl")))
		}},
		{"invite.AskAgain", func(ctx context.Context, do *services, s scene) error {
			do.now = noon().Add(invite.DefaultLifetime)
			return do.handed.AskAgain(ctx, access.AsSystem("links"), s.Token)
		}},
	}
}

func contactVerbs(owner access.Actor) []verb {
	return []verb{
		{"contact.Add", func(ctx context.Context, do *services, _ scene) error {
			details := contact.Details{Name: "Carl", Address: address("carl"), Categories: contact.General}
			_, _, err := do.contacts.Add(ctx, owner, acme, details)
			return err
		}},
		{"contact.Update", func(ctx context.Context, do *services, s scene) error {
			return second(do.contacts.Update(ctx, owner, acme, s.Contact, contact.Details{Name: "Freda", Address: address("freda")}))
		}},
		{"contact.Remove", func(ctx context.Context, do *services, s scene) error {
			return second(do.contacts.Remove(ctx, owner, acme, s.Contact))
		}},
		{"contact.SendVerification", func(ctx context.Context, do *services, s scene) error {
			return second(do.contacts.SendVerification(ctx, owner, acme, s.Contact))
		}},
		{"contact.Verify", func(ctx context.Context, do *services, s scene) error {
			return second(do.contacts.Verify(ctx, access.AsSystem("links"), s.Verify))
		}},
		{"contact.Unsubscribe", func(ctx context.Context, do *services, s scene) error {
			return second(do.contacts.Unsubscribe(ctx, access.AsSystem("links"), s.Unsubscribe))
		}},
		{"contact.SetPreferences", func(ctx context.Context, do *services, _ scene) error {
			return second(do.contacts.SetPreferences(ctx, access.As("ann"), acme, "ann", contact.Invoice|contact.Support))
		}},
		{"access.Remove and contact.Add, in one unit", func(ctx context.Context, do *services, _ scene) error {
			return do.db.Update(ctx, func(ctx context.Context, tx storage.Tx) error {
				if _, err := do.members.Within(tx).Remove(ctx, owner, acme, "ann"); err != nil {
					return err
				}
				_, _, err := do.contacts.Within(tx).Add(ctx, owner, acme, contact.Details{Name: "Ann", Address: address("ann")})
				return err
			})
		}},
	}
}

// registryVerbs are those of access.Registry, but for DrawTicket, which draws another one when it is done again, and those
// that need a follower: what narrows would wait for it, and the clock stands still.
func registryVerbs() []verb {
	return []verb{
		{"registry.Follow", func(ctx context.Context, do *services, _ scene) error { return do.db.Follow(ctx, "new") }},
		{"registry.SetLease", func(ctx context.Context, do *services, _ scene) error { return do.db.SetLease(ctx, 2*time.Second) }},
		{"registry.ShortenWait", func(ctx context.Context, do *services, _ scene) error {
			return do.db.ShortenWait(ctx, 2)
		}},
	}
}
