package contact

import (
	"context"
	"iter"
	"strconv"

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
//   - A member, involved or not, hears only what their permissions reveal now: nothing while suspended, before the
//     start or after the expiry, and in a suspended account only what the decision lets them see there. A category that
//     reveals no permission goes to every membership in use.
//   - Somebody involved who is neither member nor owner is left out.
//   - The owner and the contacts hear of a suspended account what they always do: the mail that says why it is.
//   - A contact that hasn't verified its address receives and is marked, or is left out with Config.RequireVerified.
//   - Of a closed account only the owner hears, by preference: for the last invoice and the good-bye.
//   - When a required category resolves to nobody, the owner receives it, with the reason fallback. Only for an owner
//     without an address in the directory is the answer empty then.
//
// The resource names the service that the mail is about, in up to 128 bytes; empty for the account as a whole. It is
// reserved for memberships that are limited to some services, and has no effect yet.
//
// ErrInvalid, with code "category.unknown" for anything but one category, and "also.many" for more than MaxAlso users;
// ErrNotFound.
func (s *Service) Recipients(ctx context.Context, account access.AccountID, category Category, resource string, also ...access.UserID) ([]Recipient, error) {
	definition, err := s.categories.one(category)
	if err != nil {
		return nil, err
	}
	if err := checkResource(resource); err != nil {
		return nil, err
	}
	if err := checkAlso(also); err != nil {
		return nil, err
	}
	var recipients []Recipient
	err = s.look(ctx, access.AsSystem("recipients"), account, func(ctx context.Context, c *call) error {
		var err error
		recipients, err = c.recipients(ctx, definition, also)
		return err
	})
	if err != nil {
		return nil, err
	}
	return recipients, nil
}

func checkResource(resource string) error {
	if len(resource) > access.MaxIDBytes {
		return access.Invalid("resource", "id.long", "is longer than 128 bytes")
	}
	return access.CheckText("resource", resource, access.MaxIDBytes)
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

func (c *call) recipients(ctx context.Context, d CategoryDefinition, also []access.UserID) ([]Recipient, error) {
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
		found.addUser(ReasonOwner, c.Account.Owner, people[c.Account.Owner])
	}
	if c.Account.Status != access.AccountClosed {
		if err := c.others(ctx, d, also, people, &found); err != nil {
			return nil, err
		}
	}
	if d.Required && len(found.list) == 0 {
		found.addUser(ReasonFallback, c.Account.Owner, people[c.Account.Owner])
	}
	return found.list, nil
}

// others adds those involved, the members and the contacts.
func (c *call) others(ctx context.Context, d CategoryDefinition, also []access.UserID,
	people map[access.UserID]access.User, found *recipients) error {
	for _, user := range also {
		grant, err := c.grant(ctx, user)
		if err != nil {
			return err
		}
		if c.hears(grant, d) {
			found.addUser(ReasonInvolved, user, people[user])
		}
	}
	for member, err := range c.listeners(ctx, d) {
		if err != nil {
			return err
		}
		found.addUser(ReasonMember, member.User, member.Person)
	}
	for contact, err := range c.receivers(ctx, d.Category) {
		if err != nil {
			return err
		}
		found.add(Recipient{Reason: ReasonContact, Address: contact.Address, Name: contact.Name, Contact: contact.ID,
			Unverified: !c.service.verified(contact, c.Now)})
	}
	return nil
}

// receivers are the contacts that receive a category. It ends after an error.
func (c *call) receivers(ctx context.Context, category Category) iter.Seq2[Contact, error] {
	return func(yield func(Contact, error) bool) {
		for after := ID(""); ; {
			contacts, err := c.tx.Contacts(ctx, c.Account.ID, Filter{Categories: category}, after, access.MaxPage)
			if err != nil {
				yield(Contact{}, err)
				return
			}
			for _, contact := range contacts {
				if after = contact.ID; c.heard(contact).Has(category) && !yield(contact, nil) {
					return
				}
			}
			if len(contacts) < access.MaxPage {
				return
			}
		}
	}
}

// heard are the categories that a contact receives: none before it has verified its address, where that is required.
func (c *call) heard(contact Contact) Category {
	if c.service.config.RequireVerified && !c.service.verified(contact, c.Now) {
		return 0
	}
	return contact.Categories
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

// recipients grow by those whose address isn't there yet. The zero value is empty.
type recipients struct {
	list []Recipient
	seen map[string]bool // canonical addresses
}

func (r *recipients) add(recipient Recipient) {
	address := recipient.Address.Canonical()
	if address == "" || r.seen[address] {
		return
	}
	if r.seen == nil {
		r.seen = map[string]bool{}
	}
	r.seen[address] = true
	r.list = append(r.list, recipient)
}

func (r *recipients) addUser(reason Reason, id access.UserID, person access.User) {
	r.add(Recipient{Reason: reason, Address: person.Address, Name: person.Name, User: id})
}
