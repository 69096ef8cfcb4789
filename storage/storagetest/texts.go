package storagetest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
)

// hardTexts are texts that mean something else to an engine, or to what is between, unless somebody sees to it.
func hardTexts() []string {
	return []string{"", "NULL", "null", "'", "''", `"`, `""`, `\`, `\\`, `\"`, `\x41`, "{", "}", "{}", `{"a","b"}`, ",", "a,b", ";", "(1)",
		" ", " a ", "\t", "a\nb", "\r\n", "\x01", "0", "-1", "$1", "?", "%s", "--", "/* */", "ünal", "👩", "\u2028", "ＮＵＬＬ"}
}

func messageTexts(t *testing.T, db database) {
	before := time.Date(1960, time.March, 1, 12, 0, 0, 0, time.UTC)
	want := make(map[notify.MessageID]notify.Message)
	var now, later []notify.Message // which are stored and woken by statements of their own
	for i, text := range hardTexts() {
		created := before.Add(time.Duration(i) * time.Microsecond)
		m := notify.Message{ID: notify.MessageID("m" + text), Kind: notify.Kind("k" + text), Group: string(acme), Ref: text,
			Generation: uint64(i), To: text, Created: created, Due: created, State: notify.Queued}
		if i%2 == 0 {
			now = append(now, m)
		} else {
			m.Due = m.Due.Add(time.Hour)
			later = append(later, m)
		}
		want[m.ID] = m
	}
	stored := func() map[notify.MessageID]notify.Message {
		found := make(map[notify.MessageID]notify.Message)
		for _, m := range db.messages() {
			found[m.ID] = m
		}
		return found
	}
	enqueue(db, now...)
	enqueue(db, later...)
	equal(t, want, stored())

	// Some are sent, some fail, some are given up.
	var results []notify.Result
	for i, m := range claim(db, noon(), time.Minute, len(want)) {
		text := m.Ref
		r := notify.Result{ID: m.ID, Attempt: m.Attempt, At: before.Add(time.Duration(i) * time.Microsecond)}
		m.Leased = time.Time{}
		switch i % 3 {
		case 0:
			r.State, r.Address, r.Subject, r.Said = notify.Sent, text, text, text
			m.State, m.Done, m.Address, m.Subject = notify.Sent, r.At, text, text
		case 1:
			r.State, r.Due, r.Reason = notify.Queued, r.At, text
			m.Due, m.Reason = r.At, text
		case 2:
			r.State, r.Reason = notify.Dead, text
			m.State, m.Done, m.Reason = notify.Dead, r.At, text
		}
		want[m.ID] = m
		results = append(results, r)
	}
	require.Len(t, results, len(want))
	fenced, err := db.Finish(db.ctx, results...)
	require.NoError(t, err)
	require.Empty(t, fenced)
	equal(t, want, stored())
	db.view(func(ctx context.Context, tx storage.Tx) {
		for _, r := range results {
			m, err := tx.Message(ctx, string(acme), r.ID)
			require.NoError(t, err)
			require.Equal(t, r.Said, m.Said)
		}
	})
}

func userTexts(t *testing.T, db database) {
	var users []access.User
	for i, text := range hardTexts() {
		users = append(users, access.User{ID: access.UserID("u" + text), Name: text, Locale: text, Verified: i%2 == 0})
	}
	db.update(func(ctx context.Context, tx storage.Tx) { require.NoError(t, tx.PutUsers(ctx, users...)) })
	db.view(func(ctx context.Context, tx storage.Tx) {
		for _, want := range users {
			got, err := tx.User(ctx, want.ID)
			require.NoError(t, err)
			equal(t, want, got)
		}
	})
}
