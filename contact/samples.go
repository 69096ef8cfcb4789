package contact

import (
	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/notify"
)

// An addedMail is what the templates of MailContactAdded are given.
type addedMail struct {
	Account    string
	Actor      access.NamedActor
	Contact    string
	Categories []string // that it receives, named in the language of the mail
}

// samples are mails as they could be, of every kind and look.
func samples(categories *Categories) []notify.Sample {
	const account, contact = "Example & Sons", "Carl Example"
	ann, support := access.NamedActor{Kind: access.ActorUser, Name: "Ann Example"}, access.NamedActor{Kind: access.ActorStaff}
	return []notify.Sample{
		{Kind: MailContactAdded, Data: func(locale string) any {
			return addedMail{account, ann, contact, access.SampleLabels(categories.LabelsIn(locale, All))}
		}},
		{Kind: MailContactAdded, Data: func(string) any { return addedMail{account, support, contact, nil} }},
	}
}
