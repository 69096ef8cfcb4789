package storagetest

import (
	"context"
	"errors"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
)

// A verb is one call that changes something, good in a scene.
type verb struct {
	name string // of the method, with its package in front
	do   func(ctx context.Context, do *services, s scene) error
}

// verbs calls every verb there is.
func verbs() []verb {
	owner := access.As(olga)
	return append([]verb{
		{"access.CreateAccount", func(ctx context.Context, do *services, _ scene) error {
			account := access.NewAccount{ID: initech, Owner: olga, Profile: access.Profile{Name: "New"}}
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
			terms := access.Terms{Permissions: access.PayInvoices, Label: "accounting"}
			return second(do.members.AddMember(ctx, staff(), acme, fred, terms))
		}},
		{"access.SetPermissions", func(ctx context.Context, do *services, _ scene) error {
			// The invite that ann sent goes beyond this.
			return second(do.members.SetPermissions(ctx, owner, acme, ann, access.OpenTickets))
		}},
		{"access.SetExpiry", func(ctx context.Context, do *services, _ scene) error {
			return second(do.members.SetExpiry(ctx, owner, acme, ann, noon().AddDate(1, 0, 0)))
		}},
		{"access.SetLabel", func(ctx context.Context, do *services, _ scene) error {
			return second(do.members.SetLabel(ctx, owner, acme, ann, "accounting"))
		}},
		{"access.Suspend", func(ctx context.Context, do *services, _ scene) error {
			return second(do.members.Suspend(ctx, owner, acme, ann))
		}},
		{"access.Reinstate", func(ctx context.Context, do *services, _ scene) error {
			return second(do.members.Reinstate(ctx, owner, acme, eve))
		}},
		{"access.Remove", func(ctx context.Context, do *services, _ scene) error {
			return second(do.members.Remove(ctx, owner, acme, ann))
		}},
		{"access.Leave", func(ctx context.Context, do *services, _ scene) error {
			return second(do.members.Leave(ctx, access.As(ann), acme))
		}},
		{"access.TransferByStaff", func(ctx context.Context, do *services, _ scene) error {
			return second(do.members.TransferByStaff(ctx, staff(), acme, bob, access.PayInvoices))
		}},
		{"access.SyncUser", func(ctx context.Context, do *services, _ scene) error {
			return do.members.SyncUser(ctx, access.User{ID: fred, Name: "Fred"})
		}},
		{"access.SyncUsers", func(ctx context.Context, do *services, _ scene) error {
			return do.members.SyncUsers(ctx, access.User{ID: fred, Name: "Fred"}, access.User{ID: carl, Name: "Carl"})
		}},
		{"access.RecordSignIn", func(ctx context.Context, do *services, _ scene) error {
			return do.members.RecordSignIn(ctx, ann)
		}},
		{"access.RecordSeen", func(ctx context.Context, do *services, _ scene) error {
			grant, err := do.members.Grant(ctx, ann, acme)
			return errors.Join(err, do.members.RecordSeen(ctx, ann, acme, grant))
		}},
	}, append(inviteVerbs(owner), contactVerbs(owner)...)...)
}

func inviteVerbs(owner access.Actor) []verb {
	return []verb{
		{"invite.Send", func(ctx context.Context, do *services, s scene) error {
			return second(do.invites.Send(ctx, owner, acme, offer(s.t, fred)))
		}},
		{"invite.Send, again", func(ctx context.Context, do *services, s scene) error {
			return second(do.invites.Send(ctx, owner, acme, offer(s.t, carl)))
		}},
		{"invite.SendMany", func(ctx context.Context, do *services, s scene) error {
			results, err := do.invites.SendMany(ctx, owner, acme, []invite.Offer{offer(s.t, fred)})
			if err != nil {
				return err
			}
			return results[0].Err
		}},
		{"invite.Resend", func(ctx context.Context, do *services, s scene) error {
			return second(do.invites.Resend(ctx, owner, acme, s.toCarl))
		}},
		{"invite.Edit", func(ctx context.Context, do *services, s scene) error {
			return second(do.invites.Edit(ctx, owner, acme, s.toCarl, access.Terms{Permissions: access.OpenTickets}))
		}},
		{"invite.Revoke", func(ctx context.Context, do *services, s scene) error {
			return second(do.invites.Revoke(ctx, owner, acme, s.toCarl))
		}},
		{"invite.Decline", func(ctx context.Context, do *services, s scene) error {
			return second(do.handed.Decline(ctx, s.token, who(s.t, dora)))
		}},
		{"invite.DeclinePending", func(ctx context.Context, do *services, s scene) error {
			return second(do.invites.DeclinePending(ctx, s.toCarl, who(s.t, carl)))
		}},
		{"invite.Accept", func(ctx context.Context, do *services, s scene) error {
			return second(do.handed.Accept(ctx, s.token, who(s.t, dora)))
		}},
		{"invite.AcceptPending", func(ctx context.Context, do *services, s scene) error {
			return second(do.invites.AcceptPending(ctx, s.toCarl, who(s.t, carl)))
		}},
		{"invite.AskAgain", func(ctx context.Context, do *services, s scene) error {
			do.now = noon().Add(invite.DefaultLifetime)
			return do.handed.AskAgain(ctx, access.AsSystem("links"), s.token)
		}},
	}
}

func contactVerbs(owner access.Actor) []verb {
	return []verb{
		{"contact.Add", func(ctx context.Context, do *services, s scene) error {
			details := contact.Details{Name: "Carl", Address: who(s.t, carl).Address, Categories: contact.General}
			_, _, err := do.contacts.Add(ctx, owner, acme, details)
			return err
		}},
		{"contact.Update", func(ctx context.Context, do *services, s scene) error {
			details := contact.Details{Name: "Freda", Address: who(s.t, carl).Address}
			return second(do.contacts.Update(ctx, owner, acme, s.contact, details))
		}},
		{"contact.Remove", func(ctx context.Context, do *services, s scene) error {
			return second(do.contacts.Remove(ctx, owner, acme, s.contact))
		}},
		{"contact.SetAlternate", func(ctx context.Context, do *services, s scene) error {
			return second(do.contacts.SetAlternate(ctx, owner, acme, s.verified, true))
		}},
		{"contact.TakeFeedback", func(ctx context.Context, do *services, s scene) error {
			return do.contacts.TakeFeedback(ctx, notify.Feedback{ID: "1", Kind: notify.HardBounce, Address: "fred@example.com"})
		}},
		{"contact.Lift", func(ctx context.Context, do *services, s scene) error {
			return do.contacts.Lift(ctx, staff(), who(s.t, carl).Address)
		}},
		{"contact.Notify", func(ctx context.Context, do *services, s scene) error {
			return second(do.contacts.Notify(ctx, acme, contact.Invoice, "", contact.Notice{ID: noticeID(3), Kind: noticeKind}, ann))
		}},
		{"contact.SendVerification", func(ctx context.Context, do *services, s scene) error {
			return second(do.contacts.SendVerification(ctx, owner, acme, s.contact))
		}},
		{"contact.Verify", func(ctx context.Context, do *services, s scene) error {
			return second(do.contacts.Verify(ctx, access.AsSystem("links"), s.verify))
		}},
		{"contact.Unsubscribe", func(ctx context.Context, do *services, s scene) error {
			return second(do.contacts.Unsubscribe(ctx, access.AsSystem("links"), s.unsubscribe))
		}},
		{"contact.SetPreferences", func(ctx context.Context, do *services, _ scene) error {
			return second(do.contacts.SetPreferences(ctx, access.As(ann), acme, ann, contact.Invoice|contact.Support))
		}},
		{"contact.Add, within a unit of the host", func(ctx context.Context, do *services, s scene) error {
			return do.db.Update(ctx, func(ctx context.Context, tx storage.Tx) error {
				if _, err := do.members.Within(tx).Remove(ctx, owner, acme, ann); err != nil {
					return err
				}
				_, _, err := do.contacts.Within(tx).Add(ctx, owner, acme, contact.Details{Name: "Ann", Address: who(s.t, ann).Address})
				return err
			})
		}},
	}
}

func second[R any](_ R, err error) error { return err }
