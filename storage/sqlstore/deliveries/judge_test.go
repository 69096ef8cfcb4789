package deliveries_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/notify"
)

// A delivery is a mail that a server has taken.
type delivery struct {
	messageID string // the header
	to        string // of the envelope
	ref       string // what its text says
}

// judge returns what is wrong with deliveries, and how many were repeats. States are those of the rows in the end.
func judge(mails []mail, deliveries []delivery, states map[notify.MessageID]notify.State) (problems []string, repeats int) {
	complain := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	known := make(map[string]mail)
	for _, m := range mails {
		known[m.ref] = m
	}
	times := make(map[string]int)
	for _, d := range deliveries {
		m, found := known[d.ref]
		switch {
		case !found:
			complain("a mail that nobody sent: %q", d.ref)
		case d.messageID != fmt.Sprintf("<%s@%s>", m.id, domain):
			complain("%s has the Message-ID %s", d.ref, d.messageID)
		case d.to != content(d.ref).To:
			complain("%s went to %s", d.ref, d.to)
		}
		if times[d.ref]++; times[d.ref] > 1 {
			repeats++
		}
	}
	for _, m := range mails {
		state, stored := states[m.id]
		delivered := times[m.ref]
		switch m.fate {
		case due:
			if state != notify.Sent || delivered == 0 {
				complain("%s was delivered %d times and is %s", m.ref, delivered, state)
			}
		case undone:
			if stored || delivered > 0 {
				complain("%s was rolled back, delivered %d times and is %s", m.ref, delivered, state)
			}
		case cancelled:
			if state != notify.Cancelled || delivered > 0 {
				complain("%s was cancelled, delivered %d times and is %s", m.ref, delivered, state)
			}
		case raced: // a worker may die between handing it over and recording that, and the next one find it cancelled
			if state != notify.Cancelled && (state != notify.Sent || delivered == 0) {
				complain("%s was delivered %d times and is %s", m.ref, delivered, state)
			}
		case gone, spam:
			if state != notify.Dead || delivered > 0 {
				complain("%s was refused, delivered %d times and is %s", m.ref, delivered, state)
			}
		}
	}
	if len(states) != len(mails)-count(mails, undone) {
		complain("%d rows for %d mails", len(states), len(mails)-count(mails, undone))
	}
	return problems, repeats
}

func count(mails []mail, f fate) int {
	n := 0
	for _, m := range mails {
		if m.fate == f {
			n++
		}
	}
	return n
}

func TestJudge(t *testing.T) {
	delivered := func(n int, f fate) delivery {
		m := newMail(n, f)
		return delivery{"<" + string(m.id) + "@" + domain + ">", content(m.ref).To, m.ref}
	}
	tests := []struct {
		name       string
		fate       fate
		state      notify.State // 0 for no row
		deliveries int
		problems   int
	}{
		{"delivered", due, notify.Sent, 1, 0},
		{"repeated", due, notify.Sent, 3, 0},
		{"lost", due, notify.Sent, 0, 1},
		{"still queued", due, notify.Queued, 0, 1},
		{"given up", due, notify.Dead, 0, 1},
		{"sent and not recorded", due, notify.Queued, 1, 1},
		{"rolled back", undone, 0, 0, 0},
		{"rolled back and sent", undone, 0, 1, 1},
		{"rolled back and stored", undone, notify.Queued, 0, 2},
		{"cancelled", cancelled, notify.Cancelled, 0, 0},
		{"cancelled and sent", cancelled, notify.Cancelled, 1, 1},
		{"cancelled and recorded as sent", cancelled, notify.Sent, 1, 1},
		{"raced and cancelled", raced, notify.Cancelled, 0, 0},
		{"raced and cancelled after a crash", raced, notify.Cancelled, 1, 0},
		{"raced and sent", raced, notify.Sent, 1, 0},
		{"raced and lost", raced, notify.Sent, 0, 1},
		{"refused", gone, notify.Dead, 0, 0},
		{"refused and tried for ever", gone, notify.Queued, 0, 1},
		{"refused content", spam, notify.Dead, 0, 0},
		{"refused content and recorded as sent", spam, notify.Sent, 0, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			mails := []mail{newMail(1, due), newMail(2, tt.fate)}
			states := map[notify.MessageID]notify.State{mails[0].id: notify.Sent}
			if tt.state != 0 {
				states[mails[1].id] = tt.state
			}
			deliveries := []delivery{delivered(1, due)}
			for range tt.deliveries {
				deliveries = append(deliveries, delivered(2, tt.fate))
			}
			problems, repeats := judge(mails, deliveries, states)
			require.Len(t, problems, tt.problems, "%q", problems)
			require.Equal(t, max(tt.deliveries-1, 0), repeats)
		})
	}
	spoiled := map[string]func(*delivery){
		"another Message-ID": func(d *delivery) { d.messageID = "<1@" + domain + ">" },
		"another receiver":   func(d *delivery) { d.to = "eve@example.com" },
		"unknown":            func(d *delivery) { d.ref = "due-2" },
	}
	for name, spoil := range spoiled {
		t.Run(name, func(t *testing.T) {
			mails := []mail{newMail(1, due)}
			repeat := delivered(1, due)
			spoil(&repeat)
			problems, _ := judge(mails, []delivery{delivered(1, due), repeat}, map[notify.MessageID]notify.State{mails[0].id: notify.Sent})
			require.Len(t, problems, 1)
		})
	}
}
