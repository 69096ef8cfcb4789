package notify_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/notify"
)

// A listener is a preparer that keeps what it is told.
type listener struct {
	greetings
	heard []notify.Feedback
	err   error
	panic bool
}

func (l *listener) TakeFeedback(ctx context.Context, f notify.Feedback) error {
	if l.panic {
		panic("for bob7@example.com")
	}
	l.heard = append(l.heard, f)
	return l.err
}

// refuses is a mailer whose carrier refuses every address.
func refuses(context.Context, notify.Mail) error {
	return fmt.Errorf("sending: %w", &notify.AddressError{Code: 550, Status: "5.1.1"})
}

func TestRefusedAddressIsTold(t *testing.T) {
	o := newOutbox(t)
	o.enqueue("greeting", 7, 7)
	l := &listener{}
	o.deliver(o.worker(mailerFunc(refuses), l), 1)
	m := o.message()
	require.Equal(t, notify.Dead, m.State)
	require.Equal(t, []notify.Feedback{{ID: "refused/" + string(m.ID) + "/1", Kind: notify.HardBounce, Address: "Bob7@example.com",
		Message: m.ID, Detail: m.Reason, At: o.now}}, l.heard)
	require.Contains(t, m.Reason, "550 5.1.1")
}

// TestRefusedAddressGetsNoMoreOfTheBatch: what else is to go there is prepared again, now that the address is known for what
// it is.
func TestRefusedAddressGetsNoMoreOfTheBatch(t *testing.T) {
	o := newOutbox(t)
	o.enqueue("greeting", 1, 3)
	suppressed := false
	preparer := preparerFunc(func(m notify.Message) notify.Prepared {
		if suppressed {
			return notify.Prepared{Cancel: "the address refuses mail"}
		}
		mail := greeting(m)
		mail.To = map[string]string{"1": "bob@example.com", "2": "Bob@example.com", "3": "bob@Example.com"}[m.Ref]
		return notify.Prepared{Mail: mail}
	})
	calls := 0
	w := o.worker(mailerFunc(func(ctx context.Context, mail notify.Mail) error {
		calls++
		suppressed = true
		return refuses(ctx, mail)
	}), preparer)
	o.deliver(w, 1)
	for i, m := range o.messages() {
		require.Equal(t, []notify.State{notify.Dead, notify.Queued, notify.Queued}[i], m.State)
	}
	o.deliver(w, 2)
	require.Equal(t, 1, calls)
	for i, m := range o.messages() {
		require.Equal(t, []notify.State{notify.Dead, notify.Cancelled, notify.Cancelled}[i], m.State)
	}
}

// TestRefusalThatCanNeverBeTold doesn't have an address tried again for days that refuses mail, because a taker has no
// place for it.
func TestRefusalThatCanNeverBeTold(t *testing.T) {
	o := newOutbox(t)
	o.enqueue("greeting", 7, 7)
	o.deliver(o.worker(mailerFunc(refuses), &listener{err: notify.Permanent(errors.New("no such domain"))}), 1)
	require.Equal(t, notify.Dead, o.message().State)
	require.Contains(t, o.message().Reason, "could not be recorded: no such domain")
}

// TestEachRefusalIsTold: one that comes after somebody lifted the suppression and retried the mail is no repeat of the first.
func TestEachRefusalIsTold(t *testing.T) {
	o := newOutbox(t)
	o.enqueue("greeting", 7, 7)
	l := &listener{}
	w := o.worker(mailerFunc(refuses), l)
	o.deliver(w, 1)
	_, err := o.db.Retry(t.Context(), o.now, messageID(7))
	require.NoError(t, err)
	o.deliver(w, 1)
	require.Len(t, l.heard, 2)
	require.NotEqual(t, l.heard[0].ID, l.heard[1].ID)
}

func TestOnlyRefusedAddressesAreTold(t *testing.T) {
	for _, err := range []error{nil, errors.New("later"), notify.Permanent(errors.New("the mail is too long"))} {
		o := newOutbox(t)
		o.enqueue("greeting", 7, 7)
		l := &listener{}
		_, passErr := o.worker(mailerFunc(func(context.Context, notify.Mail) error { return err }), l).Deliver(t.Context())
		require.NoError(t, passErr)
		require.Empty(t, l.heard)
	}
}

// TestRefusalThatCannotBeRecorded checks that it is heard again, as a mail that is given up would be forgotten.
func TestRefusalThatCannotBeRecorded(t *testing.T) {
	for _, l := range []*listener{{err: errors.New("no database")}, {panic: true}} {
		o := newOutbox(t)
		o.enqueue("greeting", 7, 7)
		w := o.worker(mailerFunc(refuses), l)
		o.deliver(w, 0)
		m := o.message()
		require.Equal(t, notify.Queued, m.State)
		require.Contains(t, m.Reason, "the address refuses mail, which could not be recorded")
		require.NotContains(t, m.Reason+o.log.String(), "bob7@example.com")

		l.err, l.panic, l.heard = nil, false, nil
		o.now = m.Due
		o.deliver(w, 1)
		require.Equal(t, notify.Dead, o.message().State)
		require.Len(t, l.heard, 1)
	}
}

func TestSuppressionStops(t *testing.T) {
	for kind, want := range map[notify.FeedbackKind]struct {
		text           string
		mail, security bool
	}{
		0:                 {"nothing", false, false},
		notify.HardBounce: {"hard bounce", true, true},
		notify.SoftBounce: {"soft bounce", true, true},
		notify.Complaint:  {"complaint", true, false},
	} {
		s := notify.Suppression{Kind: kind}
		require.Equal(t, want.text, kind.String())
		require.Equal(t, "the address is suppressed: "+want.text, s.Reason())
		require.Equal(t, want.mail, s.Stops(false), want.text)
		require.Equal(t, want.security, s.Stops(true), want.text)
	}
	require.Equal(t, "lifted", notify.Lifted.String())
	require.Equal(t, "nothing", notify.FeedbackKind(99).String())
}
