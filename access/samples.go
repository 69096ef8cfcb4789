package access

import (
	"time"

	"github.com/rosterkit/roster/notify"
)

// What the templates of this package are given. Labels and Keeps name permissions in the language of the mail.
type (
	// A changedMail tells a member what they may do now: MailAccessChanged.
	changedMail struct {
		Account string
		Actor   NamedActor
		Labels  []string
		All     bool
		Status  string    // "active" or "suspended"
		Expires time.Time // zero for never
		Zone    string    // of the account
		Link    string    // to the account; may be empty
	}
	// A removedMail tells somebody that they are no member any more: MailAccessRemoved.
	removedMail struct {
		Account string
		Actor   NamedActor
	}
	// An ownerMail tells the new owner and the former one: MailOwnerChanged.
	ownerMail struct {
		Account         string
		Actor, NewOwner NamedActor
		You             bool     // the receiver is the new owner
		Keeps           []string // what the former owner may still do
	}
)

// sampleMails are mails as they could be, of every kind and look.
func sampleMails(catalog *Catalog) []notify.Sample {
	const account, link = "Example & Sons", "https://portal.example/accounts/1"
	ann, bob, support := NamedActor{ActorUser, "Ann Example"}, NamedActor{ActorUser, "Bob Example"}, NamedActor{Kind: ActorStaff}
	end := time.Date(2026, time.December, 1, 17, 5, 0, 0, time.UTC)
	some := func(locale string) []string { return SampleLabels(catalog.LabelsIn(locale, All)) }
	sample := func(kind notify.Kind, data func(locale string) any) notify.Sample {
		return notify.Sample{Kind: kind, Data: data}
	}
	return []notify.Sample{
		sample(MailAccessChanged, func(locale string) any {
			return changedMail{account, ann, some(locale), false, Active.String(), end, "Europe/Vienna", link}
		}),
		sample(MailAccessChanged, func(string) any {
			return changedMail{account, support, nil, true, Active.String(), time.Time{}, "", ""}
		}),
		sample(MailAccessChanged, func(locale string) any {
			return changedMail{account, NamedActor{}, some(locale), false, Suspended.String(), time.Time{}, "", link}
		}),
		sample(MailAccessRemoved, func(string) any { return removedMail{account, ann} }),
		sample(MailAccessRemoved, func(string) any { return removedMail{account, NamedActor{Kind: ActorSystem}} }),
		sample(MailOwnerChanged, func(string) any { return ownerMail{account, ann, bob, true, nil} }),
		sample(MailOwnerChanged, func(locale string) any { return ownerMail{account, support, bob, false, some(locale)} }),
		sample(MailOwnerChanged, func(string) any { return ownerMail{account, ann, bob, false, nil} }),
	}
}

// SampleLabels returns the first few of some labels, for the sample of a mail.
func SampleLabels(labels []string) []string { return labels[:min(len(labels), 3)] }
