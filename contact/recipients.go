package contact

import (
	"context"
	"iter"
	"slices"
	"strconv"
	"time"

	"github.com/rosterkit/roster/access"
)

// A Reason says why somebody receives a mail. The texts are stable.
type Reason string

// The reasons. Of somebody who has several, Recipients tells the first in this order.
const (
	ReasonOwner    Reason = "owner"    // the owner, who didn't switch the category off
	ReasonInvolved Reason = "involved" // the caller named them, and they may see what the mail is about
	ReasonMember   Reason = "member"   // a member who asked for the category and may see what it reveals
	ReasonContact  Reason = "contact"  // a contact with the category
	ReasonFallback Reason = "fallback" // the owner, because the category is required and there is nobody else
)

// A Recipient is an address that a category of an account resolves to.
type Recipient struct {
	Reason  Reason
	Address access.Address
	Name    string        // the directory's or the contact's; may be empty
	User    access.UserID // empty for a contact
	Contact ID            // empty for a user
	Locale  string        // of mails to them, BCP 47; empty for the account's
	// Unverified says that the contact hasn't shown that the address is its own: for mails that say more to others.
	Unverified bool
}

// MaxAlso is how many users Recipients takes as involved.
const MaxAlso = 100

// Recipients returns who is to hear of a mail of exactly one category, as things are now: the owner by preference;
// those involved, in the order given, such as who opened a ticket, whatever they chose; the members who chose it,
// ordered by user id; and the contacts with it, ordered by id. Of several with one canonical address only the first is
// there. It has no actor: it is the host's own question, and the answer isn't for pages.
//
//   - A user who has no address in the directory receives nothing.
//   - A suppressed address receives nothing: see TakeFeedback.
//   - A member, involved or not, hears only what their permissions reveal now: nothing while suspended, before the
//     start or after the expiry, and in a suspended account only what the decision lets them see there. A category that
//     reveals no permission goes to every membership in use.
//   - Somebody involved who is neither member nor owner is left out.
//   - The owner and the contacts hear of a suspended account what they always do: the mail that says why it is.
//   - A contact that hasn't verified its address receives and is marked, or is left out with Config.RequireVerified.
//   - Of a closed account only the owner hears, by preference: for the last invoice and the good-bye.
//   - When a required category resolves to nobody, the owner receives it, with the reason fallback, and even if they once
//     complained about a mail. Only for an owner without an address in the directory, or whose address bounces, is the
//     answer empty then.
//
// The resource names the service that the mail is about, in up to 128 bytes; empty for the account as a whole. It is
// reserved for memberships that are limited to some services, and has no effect yet.
//
// ErrInvalid, with code "category.unknown" for anything but one category, and "also.many" for more than MaxAlso users;
// ErrNotFound.
func (s *Service) Recipients(ctx context.Context, account access.AccountID, category Category, resource string, also ...access.UserID) ([]Recipient, error) {
	definition, err := s.asked(category, resource, also)
	if err != nil {
		return nil, err
	}
	var recipients []Recipient
	err = s.look(ctx, access.AsSystem("recipients"), account, func(ctx context.Context, c *call) error {
		recipients = nil
		for recipient, err := range c.recipients(ctx, definition, also, longPage) {
			if err != nil {
				return err
			}
			if len(recipients) == cap(recipients) { // by more than append would, which copies long lists again and again
				recipients = slices.Grow(recipients, 3*len(recipients))
			}
			recipients = append(recipients, recipient)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return recipients, nil
}

// asked returns the definition of a category whose recipients are asked for, and an error of kind access.ErrInvalid if
// they can't be.
func (s *Service) asked(category Category, resource string, also []access.UserID) (CategoryDefinition, error) {
	definition, err := s.categories.one(category)
	if err != nil {
		return CategoryDefinition{}, err
	}
	if err := checkShort("resource", resource, access.MaxIDBytes); err != nil {
		return CategoryDefinition{}, err
	}
	return definition, checkAlso(also)
}

// checkShort returns an error of kind access.ErrInvalid if a text that names something is longer than max bytes, or holds
// control characters.
func checkShort(field, text string, max int) error {
	if len(text) > max {
		return access.Invalid(field, "id.long", "is longer than "+strconv.Itoa(max)+" bytes")
	}
	return access.CheckText(field, text, max)
}

func checkAlso(also []access.UserID) error {
	if len(also) > MaxAlso {
		return &access.Error{Kind: access.ErrInvalid, Code: "also.many", Field: "also",
			Reason: "are more than " + strconv.Itoa(MaxAlso), Params: map[string]string{"max": strconv.Itoa(MaxAlso)}}
	}
	for _, user := range also {
		if err := user.Check(); err != nil {
			return err
		}
	}
	return nil
}

// recipients are who is to hear of a mail, each with an address of its own. Only the users, and a page of contacts, are
// remembered while they are walked. It ends after an error.
func (c *call) recipients(ctx context.Context, d CategoryDefinition, also []access.UserID, page int) iter.Seq2[Recipient, error] {
	return func(yield func(Recipient, error) bool) {
		users, err := c.userRecipients(ctx, d, also)
		if err != nil {
			yield(Recipient{}, err)
			return
		}
		for _, user := range users.list {
			if !yield(user, nil) {
				return
			}
		}
		nobody := len(users.list) == 0
		for contact, err := range c.receivers(ctx, d, page) {
			if err == nil && users.seen[contact.Address.Canonical()] {
				continue
			}
			nobody = false
			recipient := Recipient{Reason: ReasonContact, Address: contact.Address, Name: contact.Name, Contact: contact.ID, Locale: contact.Locale,
				Unverified: !c.service.verified(contact.Verified, c.Now)}
			if !yield(recipient, err) || err != nil {
				return
			}
		}
		if nobody && d.Required {
			if owner, err := c.fallback(ctx); err != nil || !owner.Address.IsZero() {
				yield(owner, err)
			}
		}
	}
}

// userRecipients returns the owner, those involved and the members.
func (c *call) userRecipients(ctx context.Context, d CategoryDefinition, also []access.UserID) (*recipients, error) {
	people, err := c.tx.Users(ctx, append([]access.UserID{c.Account.Owner}, also...))
	if err != nil {
		return nil, err
	}
	chosen, err := c.preference(ctx, c.Account.Owner)
	if err != nil {
		return nil, err
	}
	var found recipients
	if chosen.Has(d.Category) {
		found.add(ReasonOwner, c.Account.Owner, people[c.Account.Owner])
	}
	if c.Account.Status != access.AccountClosed {
		if err := c.addInvolved(ctx, d, also, people, &found); err != nil {
			return nil, err
		}
		for member, err := range c.listeners(ctx, d) {
			if err != nil {
				return nil, err
			}
			found.add(ReasonMember, member.User, member.Person)
		}
	}
	found.list, err = c.unsuppressed(ctx, found.list)
	return &found, err
}

func (c *call) addInvolved(ctx context.Context, d CategoryDefinition, also []access.UserID,
	people map[access.UserID]access.User, found *recipients) error {
	for _, user := range also {
		grant, err := c.grant(ctx, user)
		if err != nil {
			return err
		}
		if c.hears(grant, d) {
			found.add(ReasonInvolved, user, people[user])
		}
	}
	return nil
}

// unsuppressed leaves out those at suppressed addresses.
func (c *call) unsuppressed(ctx context.Context, list []Recipient) ([]Recipient, error) {
	addresses := make([]string, len(list))
	for i, r := range list {
		addresses[i] = r.Address.Canonical()
	}
	suppressed, err := c.tx.Suppressed(ctx, addresses)
	if err != nil || len(suppressed) == 0 {
		return list, err
	}
	return slices.DeleteFunc(list, func(r Recipient) bool { return suppressed[r.Address.Canonical()].Stops(false) }), nil
}

// How many contacts are read at once: in a receiversPage few enough to be held in memory, and many enough that it costs
// little to find where each page begins; in a longPage as many as most accounts have, for who holds them all anyhow.
const (
	receiversPage = 2_000
	longPage      = 20_000
)

// receivers are the contacts that receive a category now. It ends after an error.
func (c *call) receivers(ctx context.Context, d CategoryDefinition, page int) iter.Seq2[Receiver, error] {
	return func(yield func(Receiver, error) bool) {
		if c.Account.Status == access.AccountClosed {
			return
		}
		for after := ID(""); ; {
			contacts, err := c.tx.Receivers(ctx, c.Account.ID, d.Category, after, page)
			if err != nil {
				yield(Receiver{}, err)
				return
			}
			for _, contact := range contacts {
				if after = contact.ID; contact.Suppressed == 0 && c.hearsAt(contact.Verified) && !yield(contact, nil) {
					return
				}
			}
			if len(contacts) < page {
				return
			}
		}
	}
}

// fallback returns the owner as the recipient of what nobody else receives, without an address if mail can't reach them.
func (c *call) fallback(ctx context.Context) (Recipient, error) {
	people, err := c.tx.Users(ctx, []access.UserID{c.Account.Owner})
	if err != nil {
		return Recipient{}, err
	}
	owner := people[c.Account.Owner]
	if owner.Address.IsZero() {
		return Recipient{}, nil
	}
	if reason, err := access.Suppressed(ctx, c.tx, owner.Address, true); err != nil || reason != "" {
		return Recipient{}, err
	}
	return Recipient{Reason: ReasonFallback, Address: owner.Address, Name: owner.Name, User: c.Account.Owner, Locale: owner.Locale}, nil
}

// heard are the categories that a contact receives: none before it has verified its address, where that is required.
func (c *call) heard(contact Contact) Category {
	if !c.hearsAt(contact.Verified) {
		return 0
	}
	return contact.Categories
}

// hearsAt reports whether a contact that verified its address at a time, or never, receives mail.
func (c *call) hearsAt(verified time.Time) bool {
	return !c.service.config.RequireVerified || c.service.verified(verified, c.Now)
}

// listeners are the members who chose a category, hear of it now, and have an address. It ends after an error.
func (c *call) listeners(ctx context.Context, d CategoryDefinition) iter.Seq2[access.Member, error] {
	return func(yield func(access.Member, error) bool) {
		for after := access.UserID(""); ; {
			members, err := c.tx.Subscribers(ctx, c.Account.ID, d.Category, after, access.MaxPage)
			if err != nil {
				yield(access.Member{}, err)
				return
			}
			for _, m := range members {
				if after = m.User; c.hears(c.GrantOf(m), d) && !m.Person.Address.IsZero() && !yield(m, nil) {
					return
				}
			}
			if len(members) < access.MaxPage {
				return
			}
		}
	}
}

// hears reports whether a user may be told of a category now. The owner always may.
func (c *call) hears(g access.Grant, d CategoryDefinition) bool {
	switch {
	case g.Owner:
		return true
	case d.Reveals == 0:
		return g.Held(c.Now) != 0
	}
	return g.Can(d.Reveals, c.Now)
}

// recipients are users, and grow by those whose address isn't there yet. The zero value is empty.
type recipients struct {
	list []Recipient
	seen map[string]bool // canonical addresses
}

func (r *recipients) add(reason Reason, id access.UserID, person access.User) {
	address := person.Address.Canonical()
	if address == "" || r.seen[address] {
		return
	}
	if r.seen == nil {
		r.seen = map[string]bool{}
	}
	r.seen[address] = true
	r.list = append(r.list, Recipient{Reason: reason, Address: person.Address, Name: person.Name, User: id, Locale: person.Locale})
}
