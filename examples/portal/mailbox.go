package main

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/notify"
)

// mailboxSize is how many mails the development mailbox keeps, in memory.
const mailboxSize = 500

// A letter is a mail as the mailbox's pages show it.
type letter struct {
	notify.Mail
	At time.Time
}

// letterOf reads the time of a mail from its id, which is a UUIDv7.
func letterOf(m notify.Mail) letter {
	id, err := uuid.Parse(string(m.MessageID))
	if err != nil {
		return letter{Mail: m}
	}
	seconds, nanoseconds := id.Time().UnixTime()
	return letter{m, time.Unix(seconds, nanoseconds).UTC()}
}

// mail sends a mail of the host's own.
func (p *portal) mail(ctx context.Context, to access.Address, name, subject, text string) error {
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	m := notify.Mail{MessageID: notify.MessageID(id.String()), To: to.Original(), ToName: name, Subject: subject, Text: text}
	if err := m.Check(); err != nil {
		return err
	}
	if p.courier != nil {
		return p.courier.Send(ctx, m)
	}
	return p.mailbox.Send(ctx, m)
}

func (p *portal) showMailbox(w http.ResponseWriter, r *http.Request) error {
	var letters []letter
	for _, m := range p.mailbox.Mails() {
		letters = append(letters, letterOf(m))
	}
	return p.render(w, r, "mailbox", "Development mailbox", letters)
}

func (p *portal) showMail(w http.ResponseWriter, r *http.Request) error {
	m, ok := p.mailbox.Mail(notify.MessageID(r.PathValue("mail")))
	if !ok {
		return errNotFound
	}
	return p.render(w, r, "mail", m.Subject, letterOf(m))
}

func (p *portal) showMailHTML(w http.ResponseWriter, r *http.Request) error {
	m, ok := p.mailbox.Mail(notify.MessageID(r.PathValue("mail")))
	if !ok {
		return errNotFound
	}
	return writeMailHTML(w, m)
}
