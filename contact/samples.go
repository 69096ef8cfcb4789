package contact

import (
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/notify"
)

// What the templates of this package are given. Categories are named in the language of the mail.
type (
	// An addedMail welcomes a contact, or asks it to verify its address: MailContactAdded and MailContactVerify.
	addedMail struct {
		Account    string
		Actor      access.NamedActor
		Contact    string
		Categories []string // that it receives
		Waiting    []string // that it switched off, and receives again if it says yes
		Link       string   // to verify the address; empty for none
		Hours      int      // from sending to Until, rounded up
		Until      time.Time
		Zone       string // of the account
		Confirm    bool   // it receives nothing before it has verified its address
	}
	// A preferencesMail tells an owner what somebody else chose for them: MailPreferencesChanged.
	preferencesMail struct {
		Account    string
		Actor      access.NamedActor
		Categories []string // that the owner receives now
	}
	// An alternateMail tells an owner of an alternate address: MailAlternateAdded.
	alternateMail struct {
		Account string
		Contact string
		Masked  string // the address
	}
	// A movedMail goes to a contact's former address: MailContactMoved.
	movedMail struct {
		Account string
		Actor   access.NamedActor
		Masked  string // the new address; empty if the contact is gone
	}
)

// samples are mails as they could be, of every kind and look.
func samples(categories *Categories) []notify.Sample {
	const account, contact, link = "Example & Sons", "Carl Example", "https://portal.example/contacts/verify/sample-token"
	ann, support := access.NamedActor{Kind: access.ActorUser, Name: "Ann Example"}, access.NamedActor{Kind: access.ActorStaff}
	until := time.Date(2026, time.December, 1, 17, 5, 0, 0, time.UTC)
	some := func(locale string) []string { return access.SampleLabels(categories.LabelsIn(locale, All)) }
	one := func(locale string) []string { return some(locale)[:1] }
	sample := func(kind notify.Kind, data func(locale string) any) notify.Sample {
		return notify.Sample{Kind: kind, Data: data}
	}
	return []notify.Sample{
		sample(MailContactAdded, func(locale string) any {
			return addedMail{Account: account, Actor: ann, Contact: contact, Categories: some(locale)}
		}),
		sample(MailContactAdded, func(locale string) any {
			return addedMail{account, support, contact, nil, one(locale), link, 72, until, "Europe/Vienna", false}
		}),
		sample(MailContactAdded, func(locale string) any {
			return addedMail{account, ann, contact, some(locale), nil, link, 1, until, "", true}
		}),
		sample(MailContactVerify, func(locale string) any {
			return addedMail{account, ann, contact, some(locale), nil, link, 72, until, "Europe/Vienna", false}
		}),
		sample(MailContactVerify, func(locale string) any {
			return addedMail{account, support, contact, nil, one(locale), link, 1, until, "", false}
		}),
		sample(MailContactMoved, func(string) any { return movedMail{account, ann, "c...@contacts.example"} }),
		sample(MailContactMoved, func(string) any { return movedMail{account, support, ""} }),
		sample(MailPreferencesChanged, func(locale string) any { return preferencesMail{account, ann, some(locale)} }),
		sample(MailPreferencesChanged, func(string) any { return preferencesMail{account, support, nil} }),
		sample(MailAlternateAdded, func(string) any { return alternateMail{account, contact, "c...@contacts.example"} }),
	}
}
