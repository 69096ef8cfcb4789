package main

import (
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// A mail is one that the development mailbox keeps instead of sending it.
type mail struct {
	ID      string
	To      string
	Subject string
	Text    string
	HTML    string
	At      time.Time
}

// mailbox keeps the latest mails in memory, for development: restart it and it is empty.
type mailbox struct {
	mutex sync.Mutex
	mails []mail
	count int
}

const mailboxSize = 500

func newMailbox() *mailbox { return &mailbox{} }

func (m *mailbox) add(letter mail) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.count++
	letter.ID = strconv.Itoa(m.count)
	m.mails = append(m.mails, letter)
	if len(m.mails) > mailboxSize {
		m.mails = slices.Delete(m.mails, 0, len(m.mails)-mailboxSize)
	}
}

// list returns the mails, newest first.
func (m *mailbox) list() []mail {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	mails := slices.Clone(m.mails)
	slices.Reverse(mails)
	return mails
}

func (m *mailbox) find(id string) (mail, error) {
	for _, letter := range m.list() {
		if letter.ID == id {
			return letter, nil
		}
	}
	return mail{}, errNotFound
}

func (p *portal) showMailbox(w http.ResponseWriter, r *http.Request) error {
	return p.render(w, r, "mailbox", "Development mailbox", p.mailbox.list())
}

func (p *portal) showMail(w http.ResponseWriter, r *http.Request) error {
	letter, err := p.mailbox.find(r.PathValue("mail"))
	if err != nil {
		return err
	}
	return p.render(w, r, "mail", letter.Subject, letter)
}

// showMailHTML is what the mail's frame shows. The sandbox keeps it from running anything or
// reading the portal, whoever wrote it; a link in it may be followed by a click.
func (p *portal) showMailHTML(w http.ResponseWriter, r *http.Request) error {
	letter, err := p.mailbox.find(r.PathValue("mail"))
	if err != nil {
		return err
	}
	header := w.Header()
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; "+
		"sandbox allow-top-navigation-by-user-activation")
	header.Set("X-Frame-Options", "SAMEORIGIN")
	header.Set("Content-Type", "text/html; charset=utf-8")
	_, err = w.Write([]byte(letter.HTML))
	return err
}
