package main

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"strings"

	"github.com/rosterkit/roster/notify"
)

// An email is a mail of the account's history, in words.
type email struct {
	notify.Message
	About    string
	Delivery delivery
}

func newEmail(m notify.Message) email {
	return email{m, aboutOf(m.Kind), newDelivery(m.State, m.Reason)}
}

// Title is the subject, once there is one.
func (e email) Title() string {
	if e.Subject != "" {
		return e.Subject
	}
	return e.About
}

// Waits reports whether the mail is still to be sent.
func (e email) Waits() bool { return e.State == notify.Queued }

// Ended says what happened when the mail was no longer to be sent.
func (e email) Ended() string {
	switch e.State {
	case notify.Sent:
		return "Sent"
	case notify.Cancelled:
		return "Cancelled"
	}
	return "Given up"
}

// A delivery says in words what became of a mail.
type delivery struct{ Words, Badge, Reason string }

func newDelivery(state notify.State, reason string) delivery {
	switch state {
	case notify.Queued:
		return delivery{"waiting to be sent", "wait", reason}
	case notify.Sent:
		return delivery{"sent", "good", ""}
	case notify.Cancelled:
		return delivery{"not sent", "wait", reason}
	case notify.Dead, notify.Dropped:
		return delivery{"could not be delivered", "bad", reason}
	}
	return delivery{"no mail", "wait", ""}
}

// An emailPage is one mail of the account's history.
type emailPage struct {
	*visit
	Email email
}

// findEmail finds a mail by the id in the path.
func (p *portal) findEmail(r *http.Request, v *visit) (email, error) {
	message, err := p.members.Message(r.Context(), v.actor, v.Account.ID, notify.MessageID(r.PathValue("message")))
	return newEmail(message), err
}

func (p *portal) showEmail(w http.ResponseWriter, r *http.Request, v *visit) error {
	found, err := p.findEmail(r, v)
	if err != nil {
		return err
	}
	return p.show(w, r, v, "email", found.Title(), emailPage{v, found})
}

func (p *portal) showEmailHTML(w http.ResponseWriter, r *http.Request, v *visit) error {
	found, err := p.findEmail(r, v)
	if err != nil {
		return err
	}
	if found.Said == "" {
		return errNotFound
	}
	content, err := saidHTML(found.Message)
	if err != nil {
		return err
	}
	return writeMailHTML(w, notify.Mail{HTML: content})
}

//go:embed frames/said.html
var frameFiles embed.FS

var saidFrame = template.Must(template.ParseFS(frameFiles, "frames/said.html"))

// A saidBlock is a paragraph, or a list, of what a mail said.
type saidBlock struct{ Lines, Items []string }

// saidHTML lays out what history keeps of a mail's text: the mail's own HTML is not kept, as it
// holds the same words and its links.
func saidHTML(m notify.Message) (string, error) {
	content, footer, _ := strings.Cut(m.Said, "\n-- \n")
	var page bytes.Buffer
	err := saidFrame.Execute(&page, map[string]any{"Subject": m.Subject, "Blocks": saidBlocks(content), "Footer": saidBlocks(footer)})
	return page.String(), err
}

func saidBlocks(text string) []saidBlock {
	var blocks []saidBlock
	for part := range strings.SplitSeq(text, "\n\n") {
		var block saidBlock
		for line := range strings.Lines(part) {
			line = strings.TrimSpace(line)
			if item, ok := strings.CutPrefix(line, "- "); ok {
				block.Items = append(block.Items, item)
			} else if line != "" {
				block.Lines = append(block.Lines, line)
			}
		}
		if block.Lines != nil || block.Items != nil {
			blocks = append(blocks, block)
		}
	}
	return blocks
}
