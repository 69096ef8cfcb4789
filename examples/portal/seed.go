package main

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
)

// A seeder fills an empty database. Its services have a clock that it sets, so that the demo's
// past lies in the past.
type seeder struct {
	services
	portal  *portal
	mailbox *notify.Mailbox // where the mails of the past are
	clock   time.Time
	start   time.Time
}

// seedOnce fills the database if nobody has a login in it yet. Of several portals that start at the same time one does it,
// and the others wait.
func (p *portal) seedOnce(ctx context.Context, c config) error {
	for {
		if empty, err := p.people.empty(ctx); err != nil || !empty {
			return err
		}
		if mine, err := p.seeding.take(ctx, p.now()); err != nil {
			return err
		} else if mine {
			break
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err := p.seed(ctx, c); err != nil {
		return errors.Join(err, p.seeding.giveUp(context.WithoutCancel(ctx)))
	}
	return p.seeding.end(ctx)
}

// seed fills an empty database. The logins are stored last: what was cut short is not taken for
// complete.
func (p *portal) seed(ctx context.Context, c config) error {
	if empty, err := p.people.empty(ctx); err != nil || !empty { // Another portal ended just before this one's turn.
		return err
	}
	s := &seeder{portal: p, mailbox: p.mailbox, start: p.now()}
	c.now, c.log = func() time.Time { return s.clock }, slog.New(slog.DiscardHandler)
	s.set(-120 * day)
	if s.mailbox == nil {
		s.mailbox = notify.NewMailbox(mailboxSize) // Nothing of the past is mailed to anybody now.
	}
	var err error
	if s.services, err = newServices(p.store, s.mailbox, c); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{
		s.directory, s.customers, s.bakery, s.bakeryPeople, s.bakeryContacts, s.bakeryInvites, s.logins,
	} {
		if err := p.seeding.goOn(ctx, p.now()); err != nil {
			return err
		}
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

const day = 24 * time.Hour

// set moves the clock to a time before the start.
func (s *seeder) set(before time.Duration) { s.clock = s.start.Add(before) }

// deliver sends the mail that is due, as of the clock.
func (s *seeder) deliver(ctx context.Context) error {
	for {
		if count, err := s.worker.Deliver(ctx); err != nil || count == 0 {
			return err
		}
	}
}

// directory tells the library who there is.
func (s *seeder) directory(ctx context.Context) error {
	var users []access.User
	for _, login := range demoLogins {
		users = append(users, demoPerson(login.id).entry())
	}
	for _, customer := range customers() {
		users = append(users, customer.owner)
	}
	return s.members.SyncUsers(ctx, users...)
}

// customers creates the agency's other accounts, in one unit of work.
func (s *seeder) customers(ctx context.Context) error {
	system, developer := access.AsSystem("import"), preset(s.members.Catalog(), "developer")
	err := s.portal.store.Update(ctx, func(ctx context.Context, tx storage.Tx) error {
		members := s.members.Within(tx)
		for index, customer := range customers() {
			s.set(-time.Duration(100-index) * day)
			_, err := members.CreateAccount(ctx, system, access.NewAccount{ID: customer.id, Owner: customer.owner.ID,
				Profile: access.Profile{Name: customer.name, Company: customer.name + " Ltd", TimeZone: "Europe/London"}})
			if err != nil {
				return err
			}
			terms := access.Terms{Permissions: developer, Label: "Agency"}
			if _, err := members.AddMember(ctx, system, customer.id, "sam", terms); err != nil {
				return err
			}
			s.set(-time.Duration(1+index*index%37) * day)
			if err := members.RecordSeen(ctx, "sam", customer.id, access.Grant{Status: access.Active}); err != nil {
				return err
			}
		}
		_, err := members.SuspendAccount(ctx, access.AsSystem("billing"), customers()[0].id)
		return err
	})
	if err != nil {
		return err
	}
	for _, customer := range customers() {
		if err := s.portal.products.stock(ctx, customer.id, customer.domain); err != nil {
			return err
		}
	}
	return s.deliver(ctx)
}

// bakery creates the account with something of everything.
func (s *seeder) bakery(ctx context.Context) error {
	s.set(-110 * day)
	profile := access.Profile{
		Name: "Brightside Bakery", Company: "Brightside Bakery Ltd", Phone: "+44 20 7946 0123",
		Billing: access.PostalAddress{Street: "12 Mill Lane", City: "Bristol", PostalCode: "BS1 4ND", Country: "GB"},
		Locale:  "en-GB", TimeZone: "Europe/London",
	}
	account := access.NewAccount{ID: bakery, Owner: "olivia", Profile: profile}
	_, err := s.members.CreateAccount(ctx, access.As("olivia"), account)
	if err != nil {
		return err
	}
	return s.portal.products.stock(ctx, bakery, "brightside.example")
}

// bakeryPeople brings in a member of every preset, each invited and accepted in its time.
func (s *seeder) bakeryPeople(ctx context.Context) error {
	catalog := s.members.Catalog()
	for _, joining := range []struct {
		id, preset, label string
		joined, seen      time.Duration
	}{
		{"leo", access.KeyAll, "Co-founder", -104 * day, -3 * day},
		{"marta", "manager", "Operations", -98 * day, -2 * time.Hour},
		{"sam", "developer", "Northlight Studio", -80 * day, -26 * time.Hour},
		{"priya", "accounting", "Bookkeeping", -61 * day, -9 * day},
		{"nina", "developer", "Shop relaunch", -55 * day, -40 * day},
		{"tom", "domains", "", -20 * day, 0},
	} {
		s.set(joining.joined)
		who := demoPerson(joining.id)
		terms := access.Terms{Permissions: preset(catalog, joining.preset), Label: joining.label}
		sent, err := s.invites.Send(ctx, access.As("olivia"), bakery, invite.Offer{Address: who.Address, Terms: terms})
		if err != nil {
			return err
		}
		if err := s.deliver(ctx); err != nil {
			return err
		}
		s.set(joining.joined + 3*time.Hour)
		identity := invite.Identity{Actor: access.As(who.user()), Address: who.Address, Verified: true}
		if _, err := s.invites.AcceptPending(ctx, sent.Invite.ID, identity); err != nil {
			return err
		}
		if err := s.deliver(ctx); err != nil {
			return err
		}
		if err := s.seen(ctx, who.user(), joining.seen); err != nil {
			return err
		}
	}
	s.set(-15 * day)
	if _, err := s.members.Suspend(ctx, access.As("marta"), bakery, "nina"); err != nil {
		return err
	}
	s.set(-14 * day)
	end, err := endOfDay(s.start.Add(180*day).Format(time.DateOnly), zoneOf("Europe/London"))
	if err != nil {
		return err
	}
	if _, err := s.members.SetExpiry(ctx, access.As("olivia"), bakery, "sam", end); err != nil {
		return err
	}
	return s.seen(ctx, "olivia", -30*time.Minute)
}

// seen records a visit; none for the zero time, so that one member was never there.
func (s *seeder) seen(ctx context.Context, user access.UserID, at time.Duration) error {
	if at == 0 {
		return nil
	}
	s.set(at)
	return s.members.RecordSeen(ctx, user, bakery, access.Grant{Status: access.Active})
}

// bakeryContacts adds contacts: one of them has confirmed its address, and mail to another one bounces.
func (s *seeder) bakeryContacts(ctx context.Context) error {
	for index, details := range []contact.Details{
		{Name: "Accounts Payable", Address: demoAddress("payable@brightside.example"), Company: "Brightside Bakery Ltd",
			Label: "Bookkeeping", Categories: contact.Invoice},
		{Name: "IT Desk", Address: demoAddress("it@brightside.example"), Phone: "+44 20 7946 0199",
			Categories: contact.Support | contact.Domain | contact.Product},
		{Name: "Ruth Hart", Address: demoAddress("ruth.hart@example.com"), Label: "In an emergency"},
		{Name: "Old Front Desk", Address: demoAddress("desk@brightside.example"), Categories: contact.General},
	} {
		s.set(-13*day + time.Duration(index)*time.Hour)
		if _, _, err := s.contacts.Add(ctx, access.As("olivia"), bakery, details); err != nil {
			return err
		}
	}
	if err := s.deliver(ctx); err != nil {
		return err
	}
	if err := s.confirm(ctx, "payable@brightside.example"); err != nil {
		return err
	}
	s.set(-6 * day)
	bounce := notify.Feedback{Kind: notify.HardBounce, Address: "desk@brightside.example", Detail: "550 no such user"}
	return s.contacts.TakeFeedback(ctx, bounce)
}

// confirm follows the link in the newest mail to a contact, as the contact would.
func (s *seeder) confirm(ctx context.Context, address string) error {
	for _, mail := range s.mailbox.Mails() {
		if _, token, ok := strings.Cut(mail.Text, linksPath+"verify/"); ok && mail.To == address {
			token, _, _ = strings.Cut(token, "\n")
			_, err := s.contacts.Verify(ctx, access.AsSystem("contact link"), strings.TrimSpace(token))
			return err
		}
	}
	return nil
}

// bakeryInvites leaves invites behind: one that was revoked before its mail was sent, one that has
// expired, two that wait for strangers, and one to another account for somebody who has a login.
func (s *seeder) bakeryInvites(ctx context.Context) error {
	catalog := s.members.Catalog()
	s.set(-7 * day)
	mistaken := invite.Offer{Address: demoAddress("olivia@example.com"), Terms: access.Terms{Permissions: access.PayInvoices}}
	sent, err := s.invites.Send(ctx, access.As("olivia"), bakery, mistaken)
	if err != nil {
		return err
	}
	if _, err := s.invites.Revoke(ctx, access.As("olivia"), bakery, sent.Invite.ID); err != nil {
		return err
	}
	for _, waiting := range []struct {
		by          access.UserID
		account     access.AccountID
		to          string
		permissions access.Permission
		at          time.Duration
	}{
		{"olivia", bakery, "old.contractor@example.com", preset(catalog, "developer"), -6 * day},
		{"marta", bakery, "frank@pixelworks.example", access.ViewProducts | access.OpenTickets, -20 * time.Hour},
		{"olivia", bakery, "new.bookkeeper@example.com", preset(catalog, "accounting"), -2 * time.Hour},
		{customers()[1].owner.ID, customers()[1].id, "priya@ledgerly.example", preset(catalog, "accounting"), -time.Hour},
	} {
		s.set(waiting.at)
		offer := invite.Offer{Address: demoAddress(waiting.to), Terms: access.Terms{Permissions: waiting.permissions}}
		if _, err := s.invites.Send(ctx, access.As(waiting.by), waiting.account, offer); err != nil {
			return err
		}
		if err := s.deliver(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (s *seeder) logins(ctx context.Context) error {
	for _, login := range demoLogins {
		if err := s.portal.people.add(ctx, demoPerson(login.id), hashPassword(demoPassword)); err != nil {
			return err
		}
	}
	return nil
}
