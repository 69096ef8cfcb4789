package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access/accesstest"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/notify"
)

func TestVerificationsInWords(t *testing.T) {
	now := accesstest.Epoch
	before := now.Add(-time.Hour)
	mail := func(sent time.Time, state notify.State, reason string) contact.VerificationMail {
		return contact.VerificationMail{Sent: sent, State: state, Reason: reason}
	}
	for name, test := range map[string]struct {
		verified time.Time
		mail     contact.VerificationMail
		want     verification
	}{
		"confirmed":         {before, mail(now, notify.Sent, ""), verification{"confirmed", "good", "", before}},
		"never asked":       {time.Time{}, mail(time.Time{}, 0, ""), verification{"not confirmed", "wait", "No mail has asked for it yet.", time.Time{}}},
		"waiting":           {time.Time{}, mail(before, notify.Queued, ""), verification{"asked to confirm", "wait", "The mail is waiting to be sent.", before}},
		"asked":             {time.Time{}, mail(before, notify.Sent, ""), verification{"asked to confirm", "wait", "", before}},
		"just before it is": {time.Time{}, mail(now.Add(time.Nanosecond-72*time.Hour), notify.Sent, ""), verification{"asked to confirm", "wait", "", now.Add(time.Nanosecond - 72*time.Hour)}},
		"expired": {time.Time{}, mail(now.Add(-72*time.Hour), notify.Sent, ""),
			verification{"not confirmed", "wait", "The link in the mail has expired. Send another one.", now.Add(-72 * time.Hour)}},
		"cancelled": {time.Time{}, mail(before, notify.Cancelled, "the address is suppressed: hard bounce"),
			verification{"could not be asked", "bad", "The mail was not sent: the address is suppressed: hard bounce.", before}},
		"given up": {time.Time{}, mail(before, notify.Dead, "refused"),
			verification{"could not be asked", "bad", "The mail was not sent: refused.", before}},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, test.want, newVerification(test.verified, test.mail, now)) })
	}
}
