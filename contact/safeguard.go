package contact

import (
	"context"

	"github.com/rosterkit/roster/access"
)

// A recipientOf names one recipient of an account: a user or a contact.
type recipientOf struct {
	user    access.UserID
	contact ID
}

// keepRequired is the safeguard: when somebody gives up categories, it returns an error of kind access.ErrDenied, with
// code "category.required", for the first required one that they alone receive. To receive is to have an address that
// isn't suppressed, and to be told by Recipients for another reason than the fallback. An owner without an address in the
// directory doesn't count, for better and worse: the last contact can't go, and they may give up what they don't receive.
func (c *call) keepRequired(ctx context.Context, given Category, who recipientOf) error {
	for _, d := range c.service.categories.definitions {
		if !d.Required || !given.Has(d.Category) {
			continue
		}
		if receives, err := c.receives(ctx, d, who); err != nil {
			return err
		} else if !receives {
			continue
		}
		if others, err := c.othersReceive(ctx, d, who); err != nil {
			return err
		} else if !others {
			return &access.Error{Kind: access.ErrDenied, Code: "category.required",
				Reason: "at least one address must receive " + d.Key + " mail", Params: map[string]string{"category": d.Key}}
		}
	}
	return nil
}

// receives reports whether somebody who chose a category receives it.
func (c *call) receives(ctx context.Context, d CategoryDefinition, who recipientOf) (bool, error) {
	if who.contact != "" {
		contact, err := c.tx.Contact(ctx, c.Account.ID, who.contact)
		if err != nil {
			return false, err
		}
		return c.reaches(ctx, contact.Address)
	}
	grant, err := c.grant(ctx, who.user)
	if err != nil || !c.hears(grant, d) {
		return false, err
	}
	people, err := c.tx.Users(ctx, []access.UserID{who.user})
	if err != nil {
		return false, err
	}
	return c.reaches(ctx, people[who.user].Address)
}

// reaches reports whether mail of a category can reach an address.
func (c *call) reaches(ctx context.Context, address access.Address) (bool, error) {
	if address.IsZero() {
		return false, nil
	}
	reason, err := access.Suppressed(ctx, c.tx, address, false)
	return err == nil && reason == "", err
}

// othersReceive reports whether somebody else receives a category.
func (c *call) othersReceive(ctx context.Context, d CategoryDefinition, who recipientOf) (bool, error) {
	if owner := c.Account.Owner; who.user != owner {
		chosen, err := c.preference(ctx, owner)
		if err != nil {
			return false, err
		}
		receives, err := c.receives(ctx, d, recipientOf{user: owner})
		if err != nil || receives && chosen.Has(d.Category) {
			return receives, err
		}
	}
	for contact, err := range c.receivers(ctx, d, receiversPage) {
		if err != nil || contact.ID != who.contact {
			return err == nil, err
		}
	}
	for member, err := range c.listeners(ctx, d) {
		if err != nil {
			return false, err
		}
		if member.User == who.user {
			continue
		}
		if reached, err := c.reaches(ctx, member.Person.Address); err != nil || reached {
			return reached, err
		}
	}
	return false, nil
}
