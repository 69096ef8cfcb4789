package contact

import (
	"time"

	"github.com/google/uuid"
	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/notify"
)

// An ID names a contact. It is a UUIDv7 in its text form.
type ID string

// Check returns an error of kind access.ErrInvalid, with code "id.empty" or "id.text", if the id can't be one.
func (id ID) Check() error {
	if id == "" {
		return access.Invalid("contact", "id.empty", "is empty")
	}
	if parsed, err := uuid.Parse(string(id)); err != nil || parsed.String() != string(id) {
		return access.Invalid("contact", "id.text", "is not the id of a contact")
	}
	return nil
}

// A Contact is a name and an address that receives notifications: never a login, never a permission.
type Contact struct {
	ID         ID
	Account    access.AccountID
	Name       string         // up to 200 characters; must be there
	Address    access.Address // unique among the account's contacts; must be there
	Company    string         // up to 200 characters
	Postal     access.PostalAddress
	Phone      string   // up to 40 characters
	Label      string   // the account's own note, up to 200 characters
	Locale     string   // of mails to it: BCP 47; empty for the account's
	Categories Category // the mail it receives
	// Verified is when the contact verified its address, by a link that was mailed there: zero if it didn't yet, or has
	// to again.
	Verified time.Time
	// Unsubscribed are the categories that the contact switched off itself. Nobody else can switch them on again: those
	// that somebody wants to since are Waiting, until the contact says yes by a link that is mailed to it.
	Unsubscribed Category
	Waiting      Category
	// AlternateOf is the owner who said that the address is theirs too; empty if none did. It counts for Requester while
	// they own the account and the address is verified.
	AlternateOf access.UserID
	Created     time.Time
	Updated     time.Time
}

// A Receiver is what a mail needs to know of a contact.
type Receiver struct {
	ID      ID
	Name    string
	Address access.Address
	// Verified and Locale are those of the contact.
	Verified time.Time
	Locale   string
	// Suppressed says why the address gets no mail; zero if it does.
	Suppressed notify.FeedbackKind
}

// Details are what somebody says about a contact.
type Details struct {
	Name       string         // up to 200 characters; must be there
	Address    access.Address // must be there
	Company    string         // up to 200 characters
	Postal     access.PostalAddress
	Phone      string   // up to 40 characters
	Label      string   // the account's own note, up to 200 characters
	Categories Category // the mail it is to receive; none for the zero value
	Locale     string   // of mails to it: BCP 47; empty for the account's
}

// Details returns what was said about the contact, for changing a part of it: its categories with those that wait.
func (c Contact) Details() Details {
	return Details{c.Name, c.Address, c.Company, c.Postal, c.Phone, c.Label, c.Categories | c.Waiting, c.Locale}
}

// with returns the contact with these details. What it switched off itself waits for its word.
func (c Contact) with(d Details) Contact {
	c.Name, c.Address, c.Company, c.Postal, c.Phone, c.Label, c.Locale = d.Name, d.Address, d.Company, d.Postal, d.Phone, d.Label, d.Locale
	c.Categories, c.Waiting = d.Categories&^c.Unsubscribed, d.Categories&c.Unsubscribed
	return c
}

// check returns an error of kind access.ErrInvalid if a contact can't have these details.
func (d Details) check(categories *Categories) error {
	if err := access.CheckName("name", d.Name); err != nil {
		return err
	}
	if d.Address.IsZero() {
		return access.Invalid("address", "address.empty", "is empty")
	}
	if err := access.CheckText("company", d.Company, access.MaxNameRunes); err != nil {
		return err
	}
	if err := d.Postal.Check("postal"); err != nil {
		return err
	}
	if err := access.CheckPhone("phone", d.Phone); err != nil {
		return err
	}
	if err := access.CheckText("label", d.Label, access.MaxNameRunes); err != nil {
		return err
	}
	if err := access.CheckLocale("locale", d.Locale); err != nil {
		return err
	}
	return categories.Check(d.Categories)
}

// A Filter selects contacts of an account. The zero value selects them all.
type Filter struct {
	Categories Category // who receive all of these
	// Prefix selects by the beginning of the name or the canonical address, without regard to case. Up to 200
	// characters.
	Prefix string
	// VerifiedBefore selects those who verified their address before that time, or never; the zero value selects all. With
	// Config.VerifyAgain, those who have to again within a month verified it before now plus a month minus VerifyAgain.
	VerifiedBefore time.Time
}

func (f Filter) check(categories *Categories) error {
	if err := categories.Check(f.Categories); err != nil {
		return err
	}
	return access.CheckText("prefix", f.Prefix, access.MaxNameRunes)
}
