package crashes_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
)

// sharedAccounts is how many accounts all workers of a writer work on. olga owns them.
const sharedAccounts = 2

func sharedAccount(epoch string, n int) access.AccountID {
	return access.AccountID(fmt.Sprintf("%s-shared-%d", epoch, n))
}

// operations are what a worker does, the likelier the more often they are there.
func (w *worker) operations() []func() {
	return []func(){
		w.admit, w.admit, w.edit, w.edit, w.edit, w.end,
		w.send, w.send, w.accept, w.manageInvite, w.answerInvite,
		w.addContact, w.changeContact, w.prefer, w.replace,
		w.changeAccount, w.register, w.deliver,
	}
}

// A place is an account to work on and who manages it.
type place struct {
	id      access.AccountID
	manager access.Actor
}

func staff() access.Actor { return access.AsStaff("support", "a test") }

// place picks one.
func (w *worker) place() place {
	if w.random.IntN(2) == 0 {
		return place{sharedAccount(w.Epoch, w.random.IntN(sharedAccounts)), access.As("olga")}
	}
	return place{w.ownAccount(), staff()}
}

// ownAccount returns the account that only this worker changes.
func (w *worker) ownAccount() access.AccountID {
	for w.own == "" {
		id := access.AccountID(fmt.Sprintf("%s-own-%d-%d", w.Epoch, w.number, w.created))
		var found access.Account
		if w.read(func(ctx context.Context) (err error) {
			found, err = w.members.Account(ctx, staff(), id)
			return err
		}) && found.Status == access.AccountClosed {
			w.created++
			continue
		}
		account := access.NewAccount{ID: id, Owner: "olga", Profile: access.Profile{Name: "Olga"}}
		if found.ID == id || w.do(line{Verb: "access.CreateAccount", Account: id}, func(ctx context.Context) (access.Revision, error) {
			return w.members.CreateAccount(ctx, access.AsSystem("signup"), account)
		}) {
			w.own = id
		}
	}
	return w.own
}

// one returns a name of which each worker has a few of its own.
func (w *worker) one(kind string) string {
	return fmt.Sprintf("%s%d-%d", kind, w.number, w.random.IntN(6))
}

func (w *worker) member() access.UserID { return access.UserID(w.one("member")) }

func (w *worker) permissions() access.Permission {
	return []access.Permission{access.PayInvoices, access.OpenTickets, access.PayInvoices | access.ViewDomains,
		access.ManageContacts | access.ViewEmails, access.ManageUsers | access.OpenTickets}[w.random.IntN(5)]
}

func (w *worker) terms() access.Terms {
	terms := access.Terms{Permissions: w.permissions()}
	if w.random.IntN(4) == 0 {
		terms.Expires = w.Begin.AddDate(1, w.random.IntN(20), 0)
	}
	return terms
}

func (w *worker) admit() {
	p, user, terms := w.place(), w.member(), w.terms()
	w.do(line{Verb: "access.AddMember", Account: p.id}, func(ctx context.Context) (access.Revision, error) {
		return w.members.AddMember(ctx, staff(), p.id, user, terms)
	})
}

func (w *worker) edit() {
	p, user := w.place(), w.member()
	permissions, label := w.permissions(), w.one("label")
	expires := w.Begin.AddDate(2, w.random.IntN(20), 0)
	edits := []struct {
		verb string
		call call
	}{
		{"access.SetPermissions", func(ctx context.Context) (access.Revision, error) {
			return w.members.SetPermissions(ctx, p.manager, p.id, user, permissions)
		}},
		{"access.SetExpiry", func(ctx context.Context) (access.Revision, error) {
			return w.members.SetExpiry(ctx, p.manager, p.id, user, expires)
		}},
		{"access.SetLabel", func(ctx context.Context) (access.Revision, error) {
			return w.members.SetLabel(ctx, p.manager, p.id, user, label)
		}},
		{"access.Suspend", func(ctx context.Context) (access.Revision, error) {
			return w.members.Suspend(ctx, p.manager, p.id, user)
		}},
		{"access.Reinstate", func(ctx context.Context) (access.Revision, error) {
			return w.members.Reinstate(ctx, p.manager, p.id, user)
		}},
	}
	edit := edits[w.random.IntN(len(edits))]
	w.do(line{Verb: edit.verb, Account: p.id}, edit.call)
}

func (w *worker) end() {
	p, user := w.place(), w.member()
	if w.random.IntN(2) == 0 {
		w.do(line{Verb: "access.Leave", Account: p.id}, func(ctx context.Context) (access.Revision, error) {
			return w.members.Leave(ctx, access.As(user), p.id)
		})
		return
	}
	w.do(line{Verb: "access.Remove", Account: p.id}, func(ctx context.Context) (access.Revision, error) {
		return w.members.Remove(ctx, p.manager, p.id, user)
	})
}

// address is that of somebody whom only this worker writes to.
func address(name string) access.Address {
	a, err := access.ParseAddress(name + "@example.com")
	if err != nil {
		panic(err)
	}
	return a
}

func identity(name string) invite.Identity {
	return invite.Identity{Actor: access.As(access.UserID(name)), Address: address(name), Verified: true}
}

func (w *worker) send() {
	p, offer := w.place(), invite.Offer{Address: address(w.one("guest")), Terms: w.terms()}
	w.do(line{Verb: "invite.Send", Account: p.id}, func(ctx context.Context) (access.Revision, error) {
		sent, err := w.invites.Send(ctx, p.manager, p.id, offer)
		return sent.Revision, err
	})
}

// accept sends an invite and answers it by its token.
func (w *worker) accept() {
	p, name := w.place(), w.one("guest")
	offer, answer := invite.Offer{Address: address(name), Terms: w.terms()}, w.random.IntN(4)
	var token string
	if !w.do(line{Verb: "invite.Send", Account: p.id}, func(ctx context.Context) (access.Revision, error) {
		sent, err := w.handed.Send(ctx, p.manager, p.id, offer)
		token = sent.Token.Secret()
		return sent.Revision, err
	}) {
		return
	}
	if answer == 0 {
		w.do(line{Verb: "invite.Decline", Account: p.id}, func(ctx context.Context) (access.Revision, error) {
			return w.handed.Decline(ctx, token, identity(name))
		})
		return
	}
	w.do(line{Verb: "invite.Accept", Account: p.id}, func(ctx context.Context) (access.Revision, error) {
		accepted, err := w.handed.Accept(ctx, token, identity(name))
		return accepted.Revision, err
	})
}

// pending returns a pending invite that this worker has sent.
func (w *worker) pending(p place) (invite.Invite, bool) {
	var found access.List[invite.PendingInvite]
	if !w.read(func(ctx context.Context) (err error) {
		filter := invite.Filter{Prefix: fmt.Sprintf("guest%d-", w.number)}
		found, err = w.invites.Pending(ctx, p.manager, p.id, filter, access.Page{})
		return err
	}) || len(found.Items) == 0 {
		return invite.Invite{}, false
	}
	return found.Items[w.random.IntN(len(found.Items))].Invite, true
}

func (w *worker) manageInvite() {
	p := w.place()
	found, ok := w.pending(p)
	if !ok {
		return
	}
	switch w.random.IntN(3) {
	case 0:
		w.do(line{Verb: "invite.Resend", Account: p.id}, func(ctx context.Context) (access.Revision, error) {
			sent, err := w.invites.Resend(ctx, p.manager, p.id, found.ID)
			return sent.Revision, err
		})
	case 1:
		terms := w.terms()
		w.do(line{Verb: "invite.Edit", Account: p.id}, func(ctx context.Context) (access.Revision, error) {
			return w.invites.Edit(ctx, p.manager, p.id, found.ID, terms)
		})
	default:
		w.do(line{Verb: "invite.Revoke", Account: p.id}, func(ctx context.Context) (access.Revision, error) {
			return w.invites.Revoke(ctx, p.manager, p.id, found.ID)
		})
	}
}

func (w *worker) answerInvite() {
	p := w.place()
	found, ok := w.pending(p)
	if !ok {
		return
	}
	name := found.Address.Canonical()[:len(found.Address.Canonical())-len("@example.com")]
	if w.random.IntN(4) == 0 {
		w.do(line{Verb: "invite.DeclinePending", Account: p.id}, func(ctx context.Context) (access.Revision, error) {
			return w.invites.DeclinePending(ctx, found.ID, identity(name))
		})
		return
	}
	w.do(line{Verb: "invite.AcceptPending", Account: p.id}, func(ctx context.Context) (access.Revision, error) {
		accepted, err := w.invites.AcceptPending(ctx, found.ID, identity(name))
		return accepted.Revision, err
	})
}

func (w *worker) addContact() {
	p, name := w.place(), w.one("contact")
	details := contact.Details{Name: name, Address: address(name), Categories: contact.General}
	w.do(line{Verb: "contact.Add", Account: p.id}, func(ctx context.Context) (access.Revision, error) {
		_, revision, err := w.contacts.Add(ctx, p.manager, p.id, details)
		return revision, err
	})
}

func (w *worker) changeContact() {
	p := w.place()
	var found access.List[contact.Contact]
	if !w.read(func(ctx context.Context) (err error) {
		filter := contact.Filter{Prefix: fmt.Sprintf("contact%d-", w.number)}
		found, err = w.contacts.Contacts(ctx, p.manager, p.id, filter, access.Page{})
		return err
	}) || len(found.Items) == 0 {
		return
	}
	c := found.Items[w.random.IntN(len(found.Items))]
	if w.random.IntN(2) == 0 {
		w.do(line{Verb: "contact.Remove", Account: p.id}, func(ctx context.Context) (access.Revision, error) {
			return w.contacts.Remove(ctx, p.manager, p.id, c.ID)
		})
		return
	}
	details := c.Details()
	details.Label, details.Categories = w.one("label"), contact.General|contact.Invoice
	w.do(line{Verb: "contact.Update", Account: p.id}, func(ctx context.Context) (access.Revision, error) {
		return w.contacts.Update(ctx, p.manager, p.id, c.ID, details)
	})
}

func (w *worker) prefer() {
	p, user := w.place(), w.member()
	categories := []contact.Category{0, contact.General}[w.random.IntN(2)]
	w.do(line{Verb: "contact.SetPreferences", Account: p.id}, func(ctx context.Context) (access.Revision, error) {
		return w.contacts.SetPreferences(ctx, access.As(user), p.id, user, categories)
	})
}

// replace removes a member and adds a contact in one unit of work.
func (w *worker) replace() {
	p, user, name := w.place(), w.member(), w.one("contact")
	details := contact.Details{Name: name, Address: address(name)}
	w.do(line{Verb: "access.Remove and contact.Add", Account: p.id}, func(ctx context.Context) (revision access.Revision, err error) {
		err = w.db.Update(ctx, func(ctx context.Context, tx storage.Tx) error {
			if _, err := w.members.Within(tx).Remove(ctx, p.manager, p.id, user); err != nil {
				return err
			}
			_, revision, err = w.contacts.Within(tx).Add(ctx, p.manager, p.id, details)
			return err
		})
		return revision, err
	})
}

// changeAccount does what concerns a whole account, to one that nobody else works on.
func (w *worker) changeAccount() {
	id, user := w.ownAccount(), w.member()
	name, seats, keeps := w.one("holder"), 20+w.random.IntN(10), w.permissions()
	changes := []struct {
		verb string
		call call
	}{
		{"access.UpdateAccount", func(ctx context.Context) (access.Revision, error) {
			return w.members.UpdateAccount(ctx, staff(), id, access.Profile{Name: name})
		}},
		{"access.SetPolicy", func(ctx context.Context) (access.Revision, error) {
			return w.members.SetPolicy(ctx, staff(), id, access.Policy{Seats: seats})
		}},
		{"access.SuspendAccount", func(ctx context.Context) (access.Revision, error) { return w.members.SuspendAccount(ctx, staff(), id) }},
		{"access.ReactivateAccount", func(ctx context.Context) (access.Revision, error) {
			return w.members.ReactivateAccount(ctx, staff(), id)
		}},
		{"access.ReactivateAccount", func(ctx context.Context) (access.Revision, error) {
			return w.members.ReactivateAccount(ctx, staff(), id)
		}},
		{"access.TransferByStaff", func(ctx context.Context) (access.Revision, error) {
			return w.members.TransferByStaff(ctx, staff(), id, user, keeps)
		}},
		{"access.CloseAccount", func(ctx context.Context) (access.Revision, error) { return w.members.CloseAccount(ctx, staff(), id) }},
	}
	change := changes[w.random.IntN(len(changes))]
	w.do(line{Verb: change.verb, Account: id}, change.call)
	if change.verb == "access.CloseAccount" { // and if it wasn't: an account that is left alone
		w.own, w.created = "", w.created+1
	}
}

// register tells the directory about a user. Names are in the order of their times.
func (w *worker) register() {
	user := access.UserID(w.one("user"))
	if w.random.IntN(3) == 0 {
		w.do(line{Verb: "access.RecordSignIn", User: user}, func(ctx context.Context) (access.Revision, error) {
			return access.Revision{}, w.members.RecordSignIn(ctx, user)
		})
		return
	}
	w.tick() // beyond what a writer before this one has reached
	name := w.now.Format(time.RFC3339)
	w.do(line{Verb: "access.SyncUser", User: user, Name: name}, func(ctx context.Context) (access.Revision, error) {
		return access.Revision{}, w.members.SyncUser(ctx, access.User{ID: user, Name: name})
	})
}

// errFenced says that the queue didn't record a result, since another attempt had begun.
var errFenced = errors.New("another attempt has begun")

// deliver does what the worker of the outbox does.
func (w *worker) deliver() {
	var claimed []notify.Message
	if !w.do(line{Verb: "notify.Claim"}, func(ctx context.Context) (_ access.Revision, err error) {
		claimed, err = w.db.Claim(ctx, w.now, time.Hour, 3)
		return access.Revision{}, err
	}) {
		return
	}
	for _, m := range claimed {
		w.add(line{Verb: "notify.Claim", Account: access.AccountID(m.Group), Done: true, Claimed: map[notify.MessageID]int{m.ID: m.Attempt}})
		result := notify.Result{ID: m.ID, Attempt: m.Attempt, State: notify.Sent, At: w.now, Address: "somebody@example.com", Subject: "Hello"}
		w.do(line{Verb: "notify.Finish", Account: access.AccountID(m.Group), Sent: m.ID}, func(ctx context.Context) (access.Revision, error) {
			fenced, err := w.db.Finish(ctx, result)
			if len(fenced) > 0 {
				err = errFenced
			}
			return access.Revision{}, err
		})
	}
}
