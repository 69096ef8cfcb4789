package storagetest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
)

// numberedMessages returns messages of a group, from the first-th of all.
func numberedMessages(first, n int, group access.AccountID) []notify.Message {
	messages := make([]notify.Message, n)
	for i := range messages {
		messages[i] = newMessage(first+i, group)
	}
	return messages
}

// claimGroups claims so many messages, and returns the groups that they are of.
func claimGroups(db database, now time.Time, n int) []string {
	db.t.Helper()
	claimed := claim(db, now, time.Hour, n)
	require.Len(db.t, claimed, n)
	groups := make([]string, n)
	for i, m := range claimed {
		groups[i] = m.Group
	}
	return groups
}

func turnsOfGroups(t *testing.T, db database) {
	const a, g, i = string(acme), string(globex), string(initech)
	enqueue(db, numberedMessages(0, 300, acme)...)
	enqueue(db, newMessage(1000, globex)) // behind acme's first
	require.Equal(t, []string{a, a, g, a}, claimGroups(db, noon(), 4))

	// Whether they are enqueued by one call, by several in a unit, or in several units.
	db.update(func(ctx context.Context, tx storage.Tx) {
		require.NoError(t, tx.Enqueue(ctx, newMessage(1001, globex), newMessage(2001, initech), newMessage(1002, globex)))
		require.NoError(t, tx.Enqueue(ctx, newMessage(1003, globex)))
	})
	enqueue(db, newMessage(2002, initech))
	require.Equal(t, []string{i, g, i, a, g, a, g, a}, claimGroups(db, noon(), 8))
	require.Equal(t, slices.Repeat([]string{a}, 294), claimGroups(db, noon(), 294))
	require.Empty(t, claim(db, noon(), time.Hour, 1))

	// Who has lost a lease has kept the place.
	again := claim(db, noon().Add(time.Hour), time.Hour, 306)
	require.Len(t, again, 306)
	require.Equal(t, []string{a, a, g, i}, []string{again[0].Group, again[1].Group, again[2].Group, again[3].Group})
	var results []notify.Result
	for _, m := range again {
		results = append(results, notify.Result{ID: m.ID, Attempt: m.Attempt, State: notify.Sent, At: noon()})
	}
	fenced, err := db.Finish(db.ctx, results...)
	require.NoError(t, err)
	require.Empty(t, fenced)

	// An empty line begins anew.
	enqueue(db, newMessage(3001, initech), newMessage(3002, initech), newMessage(3003, acme))
	require.Equal(t, []string{i, a, i}, claimGroups(db, noon(), 3))
}

func turnsOfOneGroup(t *testing.T, db database) {
	const a, g = string(acme), string(globex)
	enqueue(db, numberedMessages(0, 100, acme)...)
	enqueue(db, numberedMessages(1000, 100, globex)...) // behind acme's first
	enqueue(db, numberedMessages(100, 2, acme)...)      // behind acme's last
	want := slices.Concat([]string{a}, slices.Repeat([]string{a, g}, 99), []string{a, g, a})
	require.Equal(t, want, claimGroups(db, noon(), 202))
}

func turnsOfMany(t *testing.T, db database) {
	const a, g, i = string(acme), string(globex), string(initech)
	enqueue(db, numberedMessages(0, 150, acme)...)
	enqueue(db, append(numberedMessages(1000, 150, globex), newMessage(2000, initech))...)
	want := slices.Concat([]string{a, a, g, i}, slices.Repeat([]string{a, g}, 148), []string{g})
	require.Equal(t, want, claimGroups(db, noon(), 301))
}

func turnsAfterFailure(t *testing.T, db database) {
	const n = 150
	enqueue(db, numberedMessages(0, n, acme)...)
	claimed := claim(db, noon(), time.Hour, n)
	require.Len(t, claimed, n)
	var results []notify.Result
	for _, m := range claimed {
		results = append(results, notify.Result{ID: m.ID, Attempt: m.Attempt, State: notify.Queued, At: noon(), Due: noon().Add(time.Minute), Reason: "busy"})
	}
	fenced, err := db.Finish(db.ctx, results...)
	require.NoError(t, err)
	require.Empty(t, fenced)
	later := newMessage(500, globex)
	later.Created, later.Due = noon().Add(time.Second), noon().Add(time.Second)
	enqueue(db, later)
	require.Empty(t, claim(db, noon(), time.Hour, 1))
	require.Len(t, claim(db, noon().Add(time.Second), time.Hour, 2), 1)

	// Another one comes when all those of acme are due again.
	last := newMessage(501, globex)
	last.Created, last.Due = noon().Add(2*time.Minute), noon().Add(2*time.Minute)
	require.Equal(t, []string{string(acme)}, claimGroups(db, noon().Add(2*time.Minute), 1))
	enqueue(db, last)
	got := claimGroups(db, noon().Add(2*time.Minute), n)
	require.Less(t, slices.Index(got, string(globex)), 3, "globex waits for %v", got)
}

func wakesBounded(t *testing.T, db database) {
	const n = notify.MaxWoken + 20
	var messages []notify.Message
	for i := range n {
		m := newMessage(i, acme)
		m.Due = m.Due.Add(time.Duration(1+i) * time.Microsecond)
		messages = append(messages, m)
	}
	late := newMessage(n, globex)
	late.Due = noon().Add(time.Second)
	enqueue(db, slices.Concat(messages, []notify.Message{late})...)
	now := noon().Add(time.Minute)
	require.Equal(t, []string{string(acme)}, claimGroups(db, now, 1))
	// The second claim has it join, in the turn behind the first.
	require.Equal(t, []string{string(acme), string(acme), string(globex), string(acme)}, claimGroups(db, now, 4))
	claimed := claim(db, now, time.Hour, n)
	require.Len(t, claimed, n-4)
	require.Equal(t, messages[notify.MaxWoken+1].ID, claimed[0].ID)
	require.Equal(t, messages[notify.MaxWoken-1].ID, claimed[n-5].ID)
}

func finishMany(t *testing.T, db database) {
	const n = 250 // beyond what a statement takes
	enqueue(db, numberedMessages(0, n, acme)...)
	claimed := claim(db, noon(), time.Minute, n)
	require.Len(t, claimed, n)
	at := noon().Add(time.Second)
	var results []notify.Result
	var late []notify.MessageID
	want := make(map[notify.MessageID]notify.Message)
	for i, m := range claimed {
		r := notify.Result{ID: m.ID, Attempt: m.Attempt, State: notify.Sent, At: at.Add(time.Duration(i) * time.Second),
			Address: fmt.Sprint(i, "@example.com"), Subject: fmt.Sprint("Subject ", i)}
		switch i % 5 {
		case 1:
			r = notify.Result{ID: m.ID, Attempt: m.Attempt, State: notify.Cancelled, At: at, Reason: fmt.Sprint("reason ", i)}
		case 2:
			r = notify.Result{ID: m.ID, Attempt: m.Attempt, State: notify.Queued, At: at, Due: at.Add(time.Duration(i) * time.Hour), Reason: "busy"}
		case 3:
			r.Attempt++
			late = append(late, m.ID)
		}
		if r.Attempt == m.Attempt {
			m.State, m.Reason, m.Leased, m.Address, m.Subject = r.State, r.Reason, time.Time{}, r.Address, r.Subject
			if m.Due = r.Due; r.State != notify.Queued {
				m.Due, m.Done = noon(), r.At
			}
		}
		want[m.ID] = m
		results = append(results, r)
	}
	absent := notify.Result{ID: notify.MessageID(uuid(n)), Attempt: 1, State: notify.Sent, At: at}
	fenced, err := db.Finish(db.ctx, append(results, absent)...)
	require.NoError(t, err)
	slices.Sort(fenced)
	require.Equal(t, append(late, absent.ID), fenced)
	for _, m := range db.messages() {
		equal(t, want[m.ID], m)
	}
	fenced, err = db.Finish(db.ctx)
	require.NoError(t, err)
	require.Empty(t, fenced)
}

func putBack(t *testing.T, db database) {
	enqueue(db, newMessage(1, acme))
	for attempt := 1; attempt < 4; attempt++ {
		claimed := claim(db, noon(), time.Hour, 1)
		require.Len(t, claimed, 1)
		require.Equal(t, attempt, claimed[0].Attempt)
		require.Equal(t, attempt-1, claimed[0].Uncounted)
		db.finish(claimed[0], notify.Result{State: notify.Queued, At: noon(), Due: noon(), Uncounted: true})
		want := newMessage(1, acme)
		want.Attempt, want.Uncounted = attempt, attempt
		equal(t, want, db.message(want.ID))
		db.isFenced(want.ID, attempt-1, notify.Result{State: notify.Sent, At: noon()})
	}
}

// die has messages given up.
func die(db database, now time.Time, n int) {
	db.t.Helper()
	claimed := claim(db, now, time.Hour, n)
	require.Len(db.t, claimed, n)
	for _, m := range claimed {
		db.finish(m, notify.Result{State: notify.Dead, At: now, Reason: "refused"})
	}
}

func deadLetters(t *testing.T, db database) {
	const n = 13
	enqueue(db, slices.Concat(numberedMessages(0, 7, acme), numberedMessages(7, 6, globex))...)
	die(db, noon(), n)
	enqueue(db, newMessage(20, acme))
	var all []notify.MessageID
	for i := range n {
		all = append(all, notify.MessageID(uuid(i)))
	}
	list := func() []notify.MessageID {
		dead, err := db.DeadLetters(db.ctx, "", 100)
		require.NoError(t, err)
		ids := make([]notify.MessageID, 0, n)
		for _, m := range dead {
			require.Equal(t, notify.Dead, m.State)
			require.Equal(t, "refused", m.Reason)
			ids = append(ids, m.ID)
		}
		return ids
	}
	pager[notify.MessageID, notify.Message]{
		page: func(before notify.MessageID, limit int) ([]notify.Message, error) {
			return db.DeadLetters(db.ctx, before, limit)
		},
		key: func(m notify.Message) notify.MessageID { return m.ID },
	}.check(t, newestFirst(all))

	// Those that are no dead letters stay as they are.
	at := noon().Add(time.Hour)
	others := []notify.MessageID{notify.MessageID(uuid(20)), notify.MessageID(uuid(99)), ""}
	retried, err := db.Retry(db.ctx, at, append(others, all[0], all[12])...)
	require.NoError(t, err)
	require.Equal(t, 2, retried)
	dropped, err := db.Drop(db.ctx, at, append(others, all[0], all[1])...)
	require.NoError(t, err)
	require.Equal(t, 1, dropped)
	equal(t, newMessage(20, acme), db.message(others[0]))
	require.Equal(t, newestFirst(all[2:12]), list())

	want := newMessage(0, acme)
	want.Attempt, want.Uncounted, want.Due, want.Retried, want.Reason = 1, 1, at, at, "refused"
	equal(t, want, db.message(want.ID))
	want = newMessage(1, acme)
	want.State, want.Attempt, want.Done, want.Reason = notify.Dropped, 1, at, "refused"
	equal(t, want, db.message(want.ID))

	require.Len(t, claim(db, at.Add(-time.Microsecond), time.Minute, 10), 1, "the one that never died")
	again := claim(db, at, time.Minute, 10)
	require.Len(t, again, 2)
	db.isFenced(again[0].ID, 1, notify.Result{State: notify.Sent, At: at}) // by who gave it up
	db.finish(again[0], notify.Result{State: notify.Dead, At: at, Reason: "refused"})
	require.Len(t, list(), 11)

	for _, change := range []func() (int, error){
		func() (int, error) { return db.Retry(db.ctx, at) }, func() (int, error) { return db.Drop(db.ctx, at) },
	} {
		n, err := change()
		require.NoError(t, err)
		require.Zero(t, n)
	}
}

func backlog(t *testing.T, db database) {
	holds := func(queued, dead int, oldest time.Time) {
		t.Helper()
		b, err := db.Backlog(db.ctx)
		require.NoError(t, err)
		equal(t, notify.Backlog{Queued: queued, Dead: dead, Oldest: oldest}, b)
	}
	holds(0, 0, time.Time{})
	for i := range 5 {
		m := newMessage(i, acme)
		m.Created, m.Due = noon().Add(time.Duration(i)*time.Minute), noon().Add(time.Hour)
		enqueue(db, m)
	}
	holds(5, 0, noon())
	die(db, noon().Add(time.Hour), 1)
	holds(4, 1, noon().Add(time.Minute))
	claimed := claim(db, noon().Add(time.Hour), time.Hour, 4)
	holds(4, 1, noon().Add(time.Minute))
	for _, m := range claimed {
		db.finish(m, notify.Result{State: notify.Sent, At: noon()})
	}
	holds(0, 1, time.Time{})
	_, err := db.Drop(db.ctx, noon(), notify.MessageID(uuid(0)))
	require.NoError(t, err)
	holds(0, 0, time.Time{})
}
