package faults_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
)

// A verb is one call of a service, good in a scene, with its result.
type verb struct {
	name string // of the method, with its package in front
	do   func(ctx context.Context, s *scene) (any, error)
}

// verbs calls every verb there is.
func verbs() []verb {
	var all []verb
	for _, some := range [][]verb{accountVerbs(), memberVerbs(), directoryVerbs(), inviteVerbs(), contactVerbs(), queueVerbs(), registryVerbs(),
		accessReads(), otherReads()} {
		all = append(all, some...)
	}
	return all
}

// result makes a verb's method return its result as any.
func result[R any](value R, err error) (any, error) { return value, err }

// none is the result of a verb that has none.
func none(err error) (any, error) { return nil, err }

func owner() access.Actor { return access.As(olga) }

func accountVerbs() []verb {
	return []verb{
		{"access.CreateAccount", func(ctx context.Context, s *scene) (any, error) {
			account := access.NewAccount{ID: initech, Owner: olga, Profile: access.Profile{Name: "New"}}
			return result(s.members.CreateAccount(ctx, owner(), account))
		}},
		{"access.UpdateAccount", func(ctx context.Context, s *scene) (any, error) {
			return result(s.members.UpdateAccount(ctx, owner(), acme, access.Profile{Name: "Changed", Company: "Acme"}))
		}},
		{"access.SetPolicy", func(ctx context.Context, s *scene) (any, error) {
			return result(s.members.SetPolicy(ctx, staff(), acme, access.Policy{Seats: 10, Domains: []string{"example.com"}}))
		}},
		{"access.SuspendAccount", func(ctx context.Context, s *scene) (any, error) {
			return result(s.members.SuspendAccount(ctx, staff(), acme))
		}},
		{"access.ReactivateAccount", func(ctx context.Context, s *scene) (any, error) {
			return result(s.members.ReactivateAccount(ctx, staff(), globex))
		}},
		{"access.CloseAccount", func(ctx context.Context, s *scene) (any, error) {
			return result(s.members.CloseAccount(ctx, staff(), acme))
		}},
		{"access.TransferByStaff", func(ctx context.Context, s *scene) (any, error) {
			return result(s.members.TransferByStaff(ctx, staff(), acme, bob, access.PayInvoices))
		}},
	}
}

func memberVerbs() []verb {
	return []verb{
		{"access.AddMember", func(ctx context.Context, s *scene) (any, error) {
			terms := access.Terms{Permissions: access.PayInvoices, Label: "accounting"}
			return result(s.members.AddMember(ctx, staff(), acme, fred, terms))
		}},
		{"access.SetPermissions", func(ctx context.Context, s *scene) (any, error) { // revokes the invite that ann sent
			return result(s.members.SetPermissions(ctx, owner(), acme, ann, access.OpenTickets))
		}},
		{"access.SetExpiry", func(ctx context.Context, s *scene) (any, error) {
			return result(s.members.SetExpiry(ctx, owner(), acme, ann, noon().AddDate(1, 0, 0)))
		}},
		{"access.SetLabel", func(ctx context.Context, s *scene) (any, error) {
			return result(s.members.SetLabel(ctx, owner(), acme, ann, "accounting"))
		}},
		{"access.Suspend", func(ctx context.Context, s *scene) (any, error) {
			return result(s.members.Suspend(ctx, owner(), acme, ann))
		}},
		{"access.Reinstate", func(ctx context.Context, s *scene) (any, error) {
			return result(s.members.Reinstate(ctx, owner(), acme, eve))
		}},
		{"access.Remove", func(ctx context.Context, s *scene) (any, error) {
			return result(s.members.Remove(ctx, owner(), acme, ann))
		}},
		{"access.Leave", func(ctx context.Context, s *scene) (any, error) {
			return result(s.members.Leave(ctx, access.As(ann), acme))
		}},
	}
}

func directoryVerbs() []verb {
	return []verb{
		{"access.SyncUser", func(ctx context.Context, s *scene) (any, error) {
			return none(s.members.SyncUser(ctx, access.User{ID: fred, Name: "Fred"}))
		}},
		{"access.SyncUsers", func(ctx context.Context, s *scene) (any, error) {
			return none(s.members.SyncUsers(ctx, access.User{ID: fred, Name: "Fred"}, access.User{ID: carl, Name: "Carl"}))
		}},
		{"access.RecordSignIn", func(ctx context.Context, s *scene) (any, error) {
			return none(s.members.RecordSignIn(ctx, ann))
		}},
		{"access.RecordSeen", func(ctx context.Context, s *scene) (any, error) {
			grant, err := s.members.Grant(ctx, ann, acme)
			if err != nil {
				return nil, err
			}
			return none(s.members.RecordSeen(ctx, ann, acme, grant))
		}},
	}
}

func inviteVerbs() []verb {
	return []verb{
		{"invite.Send", func(ctx context.Context, s *scene) (any, error) {
			return result(s.invites.Send(ctx, owner(), acme, s.offer(fred)))
		}},
		{"invite.Send, again", func(ctx context.Context, s *scene) (any, error) {
			return result(s.invites.Send(ctx, owner(), acme, s.offer(carl)))
		}},
		{"invite.SendMany", func(ctx context.Context, s *scene) (any, error) {
			results, err := s.invites.SendMany(ctx, owner(), acme, []invite.Offer{s.offer(fred)})
			if err != nil {
				return nil, err
			}
			return result(results[0].Sent, results[0].Err)
		}},
		{"invite.Resend", func(ctx context.Context, s *scene) (any, error) {
			return result(s.invites.Resend(ctx, owner(), acme, s.toCarl))
		}},
		{"invite.Edit", func(ctx context.Context, s *scene) (any, error) {
			return result(s.invites.Edit(ctx, owner(), acme, s.toCarl, access.Terms{Permissions: access.OpenTickets}))
		}},
		{"invite.Revoke", func(ctx context.Context, s *scene) (any, error) {
			return result(s.invites.Revoke(ctx, owner(), acme, s.toCarl))
		}},
		{"invite.Decline", func(ctx context.Context, s *scene) (any, error) {
			return result(s.handed.Decline(ctx, s.token, s.who(dora)))
		}},
		{"invite.DeclinePending", func(ctx context.Context, s *scene) (any, error) {
			return result(s.invites.DeclinePending(ctx, s.toCarl, s.who(carl)))
		}},
		{"invite.Accept", func(ctx context.Context, s *scene) (any, error) {
			return result(s.handed.Accept(ctx, s.token, s.who(dora)))
		}},
		{"invite.AcceptPending", func(ctx context.Context, s *scene) (any, error) {
			return result(s.invites.AcceptPending(ctx, s.toCarl, s.who(carl)))
		}},
		{"invite.AskAgain", func(ctx context.Context, s *scene) (any, error) {
			defer func(now time.Time) { s.now = now }(s.now)
			s.now = noon().Add(invite.DefaultLifetime)
			return none(s.handed.AskAgain(ctx, access.AsSystem("links"), s.token))
		}},
	}
}

func contactVerbs() []verb {
	return []verb{
		{"contact.Add", func(ctx context.Context, s *scene) (any, error) {
			details := contact.Details{Name: "Carl", Address: s.address(carl), Categories: contact.General}
			added, _, err := s.contacts.Add(ctx, owner(), acme, details)
			return result(added, err)
		}},
		{"contact.Update", func(ctx context.Context, s *scene) (any, error) {
			details := contact.Details{Name: "Freda", Address: s.address(carl)}
			return result(s.contacts.Update(ctx, owner(), acme, s.fred, details))
		}},
		{"contact.Remove", func(ctx context.Context, s *scene) (any, error) {
			return result(s.contacts.Remove(ctx, owner(), acme, s.fred))
		}},
		{"contact.SendVerification", func(ctx context.Context, s *scene) (any, error) {
			return result(s.contacts.SendVerification(ctx, owner(), acme, s.fred))
		}},
		{"contact.Verify", func(ctx context.Context, s *scene) (any, error) {
			return result(s.contacts.Verify(ctx, access.AsSystem("links"), s.verify))
		}},
		{"contact.Unsubscribe", func(ctx context.Context, s *scene) (any, error) {
			return result(s.contacts.Unsubscribe(ctx, access.AsSystem("links"), s.unsubscribe))
		}},
		{"contact.SetPreferences", func(ctx context.Context, s *scene) (any, error) {
			return result(s.contacts.SetPreferences(ctx, access.As(ann), acme, ann, contact.Invoice|contact.Support))
		}},
		{"contact.TakeFeedback", func(ctx context.Context, s *scene) (any, error) {
			return none(s.contacts.TakeFeedback(ctx, notify.Feedback{ID: "1", Kind: notify.SoftBounce, Address: "fred@example.com"}))
		}},
		{"contact.Notify", func(ctx context.Context, s *scene) (any, error) {
			return result(s.contacts.Notify(ctx, acme, contact.Invoice, "", contact.Notice{ID: "1", Kind: "notice"}, ann))
		}},
		{"contact.SetAlternate", func(ctx context.Context, s *scene) (any, error) {
			return result(s.contacts.SetAlternate(ctx, owner(), acme, s.verified, true))
		}},
		{"contact.Lift", func(ctx context.Context, s *scene) (any, error) {
			return none(s.contacts.Lift(ctx, staff(), s.address(carl)))
		}},
		{"contact.Add, after access.Remove in one unit", func(ctx context.Context, s *scene) (any, error) {
			return none(s.store.Update(ctx, func(ctx context.Context, tx storage.Tx) error {
				if _, err := s.members.Within(tx).Remove(ctx, owner(), acme, ann); err != nil {
					return err
				}
				_, _, err := s.contacts.Within(tx).Add(ctx, owner(), acme, contact.Details{Name: "Ann", Address: s.address(ann)})
				return err
			}))
		}},
	}
}

// queueVerbs are what a worker does.
func queueVerbs() []verb {
	return []verb{
		{"notify.Claim", func(ctx context.Context, s *scene) (any, error) {
			return result(s.store.Claim(ctx, s.now, time.Minute, 3))
		}},
		{"notify.Finish", func(ctx context.Context, s *scene) (any, error) {
			return result(s.store.Finish(ctx, notify.Result{ID: s.message, Attempt: 1, State: notify.Sent, At: s.now, Subject: "Hello"}))
		}},
		{"notify.Finish, for another attempt", func(ctx context.Context, s *scene) (any, error) {
			return result(s.store.Finish(ctx, notify.Result{ID: s.message, Attempt: 1, State: notify.Queued, At: s.now,
				Due: s.now.Add(time.Hour), Reason: "busy"}))
		}},
		{"notify.Backlog", func(ctx context.Context, s *scene) (any, error) { return result(s.store.Backlog(ctx)) }},
		{"notify.DeadLetters", func(ctx context.Context, s *scene) (any, error) {
			return result(s.store.DeadLetters(ctx, "", 10))
		}},
		{"notify.Retry", func(ctx context.Context, s *scene) (any, error) { return result(s.store.Retry(ctx, s.now, s.dead)) }},
		{"notify.Drop", func(ctx context.Context, s *scene) (any, error) { return result(s.store.Drop(ctx, s.now, s.dead)) }},
	}
}

// registryVerbs are what followers do, and who waits for them.
func registryVerbs() []verb {
	return []verb{
		{"registry.Follow", func(ctx context.Context, s *scene) (any, error) { return none(s.store.Follow(ctx, "new")) }},
		{"registry.Poll", func(ctx context.Context, s *scene) (any, error) { return result(s.store.Poll(ctx, "nobody")) }},
		{"registry.Acknowledge", func(ctx context.Context, s *scene) (any, error) {
			err := s.store.Acknowledge(ctx, "nobody", 1) // with a follower, what narrows would wait for it: the clock stands still
			if errors.Is(err, access.ErrNotFound) {
				err = nil
			}
			return none(err)
		}},
		{"registry.Followers", func(ctx context.Context, s *scene) (any, error) { return result(s.store.Followers(ctx)) }},
		{"registry.Unfollow", func(ctx context.Context, s *scene) (any, error) { return none(s.store.Unfollow(ctx, 1, "nobody")) }},
		{"registry.DrawTicket", func(ctx context.Context, s *scene) (any, error) {
			ticket, wait, err := s.store.DrawTicket(ctx)
			return result([2]uint64{ticket, uint64(wait)}, err)
		}},
		{"registry.SetLease", func(ctx context.Context, s *scene) (any, error) { return none(s.store.SetLease(ctx, 2*time.Second)) }},
		{"registry.ShortenWait", func(ctx context.Context, s *scene) (any, error) {
			return none(s.store.ShortenWait(ctx, 2))
		}},
	}
}

func accessReads() []verb {
	return []verb{
		{"access.Can", func(ctx context.Context, s *scene) (any, error) {
			return result(s.members.Can(ctx, ann, acme, access.PayInvoices))
		}},
		{"access.CanAll", func(ctx context.Context, s *scene) (any, error) {
			return result(s.members.CanAll(ctx, ann, acme, access.PayInvoices, access.PlaceOrders))
		}},
		{"access.Filter", func(ctx context.Context, s *scene) (any, error) {
			return result(s.members.Filter(ctx, ann, access.PayInvoices, acme, "nobody's"))
		}},
		{"access.Settle", func(ctx context.Context, s *scene) (any, error) {
			return none(s.members.Settle(ctx, access.Revision{Account: acme, Version: 1}))
		}},
		{"access.Grant", func(ctx context.Context, s *scene) (any, error) { return result(s.members.Grant(ctx, ann, acme)) }},
		{"access.Explain", func(ctx context.Context, s *scene) (any, error) {
			return result(s.members.Explain(ctx, ann, acme, access.PayInvoices))
		}},
		{"access.Account", func(ctx context.Context, s *scene) (any, error) {
			return result(s.members.Account(ctx, owner(), acme))
		}},
		{"access.Members", func(ctx context.Context, s *scene) (any, error) {
			return result(s.members.Members(ctx, owner(), acme, access.MemberFilter{}, access.Page{}))
		}},
		{"access.Member", func(ctx context.Context, s *scene) (any, error) {
			return result(s.members.Member(ctx, owner(), acme, ann))
		}},
		{"access.WhoCan", func(ctx context.Context, s *scene) (any, error) {
			return result(s.members.WhoCan(ctx, owner(), acme, access.PayInvoices, access.Page{}))
		}},
		{"access.Accounts", func(ctx context.Context, s *scene) (any, error) {
			return result(s.members.Accounts(ctx, owner(), olga, access.AccountFilter{}, access.Page{}))
		}},
		{"access.Message", func(ctx context.Context, s *scene) (any, error) {
			return result(s.members.Message(ctx, owner(), acme, s.message))
		}},
		{"access.Messages", func(ctx context.Context, s *scene) (any, error) {
			return result(s.members.Messages(ctx, owner(), acme, access.MessageFilter{}, access.Page{}))
		}},
		{"access.History", func(ctx context.Context, s *scene) (any, error) {
			return result(s.members.History(ctx, owner(), acme, access.EventFilter{}, access.Page{}))
		}},
		{"access.HistoryHead", func(ctx context.Context, s *scene) (any, error) {
			return result(s.members.HistoryHead(ctx, owner(), acme))
		}},
		{"access.VerifyHistory", func(ctx context.Context, s *scene) (any, error) {
			return result(s.members.VerifyHistory(ctx, owner(), acme, access.Head{}))
		}},
		{"access.User", func(ctx context.Context, s *scene) (any, error) { return result(s.members.User(ctx, ann)) }},
	}
}

func otherReads() []verb {
	return []verb{
		{"invite.Lookup", func(ctx context.Context, s *scene) (any, error) {
			return result(s.handed.Lookup(ctx, s.token, s.who(dora)))
		}},
		{"invite.Waiting", func(ctx context.Context, s *scene) (any, error) {
			return result(s.invites.Waiting(ctx, s.who(carl), access.Page{}))
		}},
		{"invite.Invite", func(ctx context.Context, s *scene) (any, error) {
			return result(s.invites.Invite(ctx, owner(), acme, s.toCarl))
		}},
		{"invite.Pending", func(ctx context.Context, s *scene) (any, error) {
			return result(s.invites.Pending(ctx, owner(), acme, invite.Filter{}, access.Page{}))
		}},
		{"invite.KeysInUse", func(ctx context.Context, s *scene) (any, error) { return result(s.invites.KeysInUse(ctx)) }},
		{"contact.Contact", func(ctx context.Context, s *scene) (any, error) {
			return result(s.contacts.Contact(ctx, owner(), acme, s.fred))
		}},
		{"contact.Contacts", func(ctx context.Context, s *scene) (any, error) {
			return result(s.contacts.Contacts(ctx, owner(), acme, contact.Filter{}, access.Page{}))
		}},
		{"contact.Preferences", func(ctx context.Context, s *scene) (any, error) {
			return result(s.contacts.Preferences(ctx, access.As(ann), acme, ann))
		}},
		{"contact.LookupVerification", func(ctx context.Context, s *scene) (any, error) {
			return result(s.contacts.LookupVerification(ctx, s.verify))
		}},
		{"contact.LookupUnsubscribe", func(ctx context.Context, s *scene) (any, error) {
			return result(s.contacts.LookupUnsubscribe(ctx, s.unsubscribe))
		}},
		{"contact.Recipients", func(ctx context.Context, s *scene) (any, error) {
			return result(s.contacts.Recipients(ctx, acme, contact.Invoice, "", ann))
		}},
		{"contact.Suppressions", func(ctx context.Context, s *scene) (any, error) {
			return result(s.contacts.Suppressions(ctx, staff(), access.Page{}))
		}},
		{"contact.Feedback", func(ctx context.Context, s *scene) (any, error) {
			return result(s.contacts.Feedback(ctx, staff(), s.address(carl), access.Page{}))
		}},
		{"contact.Suppressed", func(ctx context.Context, s *scene) (any, error) {
			return result(s.contacts.Suppressed(ctx, s.address(carl), s.address(fred)))
		}},
		{"contact.VerificationMails", func(ctx context.Context, s *scene) (any, error) {
			return result(s.contacts.VerificationMails(ctx, owner(), acme, s.fred))
		}},
		{"contact.Requester", func(ctx context.Context, s *scene) (any, error) {
			return result(s.contacts.Requester(ctx, staff(), acme, s.address(fred)))
		}},
	}
}

// refusals are what a verb says of the request. A fault of the database is none of them.
var refusals = []error{access.ErrNotFound, access.ErrDenied, access.ErrExists, access.ErrInvalid, access.ErrOwner, access.ErrLimit,
	access.ErrNested}

// isRefusal reports whether an error says no to a request.
func isRefusal(err error) bool {
	for _, refusal := range refusals {
		if errors.Is(err, refusal) {
			return true
		}
	}
	return false
}

// TestEveryVerbIsTried finds the methods that verbs leaves out, but for those that send nothing to the database, and
// SetLease, which is several verbs of the registry.
func TestEveryVerbIsTried(t *testing.T) {
	silent := map[string]bool{"access.Begin": true, "access.Look": true, "access.Catalog": true, "access.Now": true, "access.CheckHost": true, "access.Mails": true,
		"contact.Categories": true, "contact.UnsubscribeURL": true, "access.SetLease": true}
	for _, name := range []string{"access", "invite", "contact"} {
		for _, method := range []string{"Within", "Kinds", "Locales", "Preview", "Prepare"} { // the last answers errors in its results
			silent[name+"."+method] = true
		}
	}
	tried := make(map[string]bool)
	for _, v := range verbs() {
		name, _, _ := strings.Cut(v.name, ",")
		tried[name] = true
	}
	for name, service := range map[string]reflect.Type{
		"access":   reflect.TypeFor[*access.Service](),
		"invite":   reflect.TypeFor[*invite.Service](),
		"contact":  reflect.TypeFor[*contact.Service](),
		"notify":   reflect.TypeFor[notify.Queue](),
		"registry": reflect.TypeFor[access.Registry](),
	} {
		for i := range service.NumMethod() {
			method := name + "." + service.Method(i).Name
			require.True(t, tried[method] != silent[method], "%s is never tried, or needn't be", method)
		}
	}
}

// isZero reports whether a result is nothing.
func isZero(value any) bool { return value == nil || reflect.ValueOf(value).IsZero() }

// exportAll has cmp compare fields that aren't exported as well.
func exportAll(reflect.Type) bool { return true }
