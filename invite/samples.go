package invite

import (
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/notify"
)

// What the templates of this package are given. Labels name permissions in the language of the mail.
type (
	// An inviteMail offers a membership: MailInvite.
	inviteMail struct {
		Account string
		Inviter access.NamedActor
		Link    string // with the token
		Labels  []string
		All     bool
		Until   time.Time
		Zone    string // of the account
		Hours   int    // from sending to Until, rounded up
		Resent  bool   // links in earlier mails no longer work
	}
	// An acceptedMail tells who invited, and the owner: MailAccepted.
	acceptedMail struct {
		Account, Member string
		Inviter         access.NamedActor
		Labels          []string
		All             bool
		Link            string // to the account's members; may be empty
	}
	// An askedMail tells who can send an invite that its receiver would like a new link: MailAsked.
	askedMail struct {
		Account, Address string
		Inviter          access.NamedActor
		State            string    // "expired", "revoked", "declined", or "sent" if the latest link works
		At               time.Time // since when
		Zone             string    // of the account
		Link             string    // to the account's members; may be empty
	}
)

// samples are mails as they could be, of every kind and look.
func samples(catalog *access.Catalog) []notify.Sample {
	const account, link = "Example & Sons", "https://portal.example/invites/sample-token"
	const members = "https://portal.example/accounts/1/members"
	ann, support := access.NamedActor{Kind: access.ActorUser, Name: "Ann Example"}, access.NamedActor{Kind: access.ActorStaff}
	until := time.Date(2026, time.December, 1, 17, 5, 0, 0, time.UTC)
	some := func(locale string) []string { return access.SampleLabels(catalog.LabelsIn(locale, access.All)) }
	return []notify.Sample{
		{Kind: MailInvite, Data: func(locale string) any {
			return inviteMail{account, ann, link, some(locale), false, until, "Europe/Vienna", 72, false}
		}},
		{Kind: MailInvite, Data: func(string) any {
			return inviteMail{account, support, link, nil, true, until, "", 1, true}
		}},
		{Kind: MailAccepted, Data: func(locale string) any {
			return acceptedMail{account, "Bob Example", ann, some(locale), false, members}
		}},
		{Kind: MailAccepted, Data: func(string) any {
			return acceptedMail{account, "Bob Example", access.NamedActor{}, nil, true, ""}
		}},
		{Kind: MailAsked, Data: func(string) any {
			return askedMail{account, "carl@example.com", ann, "expired", until, "Europe/Vienna", members}
		}},
		{Kind: MailAsked, Data: func(string) any {
			return askedMail{account, "carl@example.com", ann, "revoked", until, "Europe/Vienna", members}
		}},
		{Kind: MailAsked, Data: func(string) any {
			return askedMail{account, "carl@example.com", support, "declined", until, "", ""}
		}},
		{Kind: MailAsked, Data: func(string) any {
			return askedMail{account, "carl@example.com", ann, "sent", until, "", members}
		}},
	}
}
