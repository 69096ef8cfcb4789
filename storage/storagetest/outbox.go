package storagetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
)

func outboxCases() []testCase {
	return []testCase{
		{"round trip", "a message comes back as it was enqueued, in state Queued", messageRoundTrip},
		{"texts", "whatever texts messages and their results have, many at once, they come back", messageTexts},
		{"taken id", "a message with an id that is taken is an error, and the one that has it stays", messageTaken},
		{"list", "a group's messages come newest first, by any page size", messageList},
		{"list with a filter", "a group's messages are found by state, kind and time of creation, by any page size", messageFilter},
		{"what it said", "what a mail said is told by its message only, and by no list", messageSaid},
		{"deliveries", "the message of the highest generation, and of those the newest, is found for each thing", deliveries},
		{"unfit", "a message that can't be one is an error", messageUnfit},
		{"order", "a group's messages are claimed longest due first, then by id, and not before they are due", claimOrder},
		{"lease", "a claimed message isn't claimed again before its lease is over, and is at that instant", leases},
		{"sent", "a sent message says when, where and what, and is never claimed again", finishSent},
		{"cancelled and dead", "a message that is given up says why, and is never claimed again", finishGivenUp},
		{"results at once", "of many results at once each is recorded, but for those of late workers", finishMany},
		{"tried again", "a message that failed waits until it is due again, and keeps its attempts", finishAgain},
		{"fence", "a late worker changes nothing and is told so", fences},
		{"late but alone", "a worker whose lease is over may finish as long as no other attempt has begun", lateButAlone},
		{"rolled back", "a message of a unit that is rolled back is never there", messageRolledBack},
		{"two workers", "of many claims at once, none gets what another got", claimsTogether},
		{"turns", "a group with many messages doesn't hold up another one with few, however they were enqueued", turnsOfGroups},
		{"turns of one group", "messages of one group that are enqueued at once take one turn after the other, behind those that it has", turnsOfOneGroup},
		{"turns of many", "however many messages of a group are enqueued at once, they take one turn after the other", turnsOfMany},
		{"turns again", "messages of one group that failed don't hold up another one", turnsAfterFailure},
		{"waiting", "of many messages that wait, a bounded number joins the line at a time", wakesBounded},
		{"put back", "an attempt that was no attempt doesn't count, but fences", putBack},
		{"dead letters", "what was given up is listed newest first by any page size, and may be retried or dropped", deadLetters},
		{"backlog", "it is known how many messages wait, since when, and how many were given up", backlog},
	}
}

func enqueue(db database, messages ...notify.Message) {
	db.t.Helper()
	db.update(func(ctx context.Context, tx storage.Tx) { require.NoError(db.t, tx.Enqueue(ctx, messages...)) })
}

// message reads one of acme's messages.
func (d database) message(id notify.MessageID) notify.Message {
	d.t.Helper()
	for _, m := range d.messages() {
		if m.ID == id {
			return m
		}
	}
	require.Fail(d.t, "no message", "%s", id)
	return notify.Message{}
}

func (d database) messages() []notify.Message {
	d.t.Helper()
	var list []notify.Message
	d.view(func(ctx context.Context, tx storage.Tx) {
		var err error
		list, err = tx.Messages(ctx, string(acme), notify.MessageQuery{Limit: 1000})
		require.NoError(d.t, err)
	})
	return list
}

// claim claims messages as a worker does.
func claim(db database, now time.Time, lease time.Duration, n int) []notify.Message {
	db.t.Helper()
	messages, err := db.Claim(db.ctx, now, lease, n)
	require.NoError(db.t, err)
	return messages
}

// finish records a result of a message that was claimed.
func (d database) finish(m notify.Message, r notify.Result) {
	d.t.Helper()
	r.ID, r.Attempt = m.ID, m.Attempt
	fenced, err := d.Finish(d.ctx, r)
	require.NoError(d.t, err)
	require.Empty(d.t, fenced)
}

// isFenced requires that a result isn't recorded.
func (d database) isFenced(id notify.MessageID, attempt int, r notify.Result) {
	d.t.Helper()
	r.ID, r.Attempt = id, attempt
	fenced, err := d.Finish(d.ctx, r)
	require.NoError(d.t, err)
	require.Equal(d.t, []notify.MessageID{id}, fenced)
}

func messageRoundTrip(t *testing.T, db database) {
	full := notify.Message{ID: notify.MessageID(uuid(1)), Kind: "owner.changed", Group: string(acme), Ref: "7/0 % '",
		Generation: 1 << 40, To: "üser",
		Created: noon(), Due: noon().Add(time.Hour)}
	want := full
	want.State = notify.Queued
	read := func(ctx context.Context, tx storage.Tx) {
		list, err := tx.Messages(ctx, string(acme), notify.MessageQuery{Limit: 10})
		require.NoError(t, err)
		equal(t, []notify.Message{want}, list)
	}
	db.update(func(ctx context.Context, tx storage.Tx) {
		require.NoError(t, tx.Enqueue(ctx))
		require.NoError(t, tx.Enqueue(ctx, full))
		read(ctx, tx)
	})
	db.view(read)
	claimed := claim(db, noon().Add(time.Hour), time.Minute, 10)
	want.Attempt, want.Leased = 1, noon().Add(time.Hour+time.Minute)
	equal(t, []notify.Message{want}, claimed)
	equal(t, want, db.message(want.ID))

	// Whatever state it is given with, it waits.
	sent := newMessage(2, acme)
	sent.State = notify.Sent
	enqueue(db, sent)
	require.Equal(t, notify.Queued, db.message(sent.ID).State)
	require.Len(t, claim(db, noon(), time.Minute, 10), 1)
}

func messageTaken(t *testing.T, db database) {
	first, other := newMessage(1, acme), newMessage(1, globex)
	enqueue(db, first)
	for _, second := range []notify.Message{first, other} {
		require.Error(t, db.Update(db.ctx, func(ctx context.Context, tx storage.Tx) error {
			return tx.Enqueue(ctx, newMessage(2, acme), second)
		}))
	}
	later := newMessage(3, acme)
	later.Due = later.Created.Add(time.Hour)
	for _, twice := range []notify.Message{newMessage(3, acme), later} {
		require.Error(t, db.Update(db.ctx, func(ctx context.Context, tx storage.Tx) error { return tx.Enqueue(ctx, twice, twice) }))
	}
	equal(t, []notify.Message{first}, db.messages())
}

func messageUnfit(t *testing.T, db database) {
	long := strings.Repeat("x", notify.MaxRefBytes)
	fits := newMessage(1, acme)
	fits.Kind, fits.Ref, fits.To = notify.Kind(long[:notify.MaxKindBytes]), long, long
	enqueue(db, fits)
	for _, spoil := range []func(*notify.Message){
		func(m *notify.Message) { m.ID = "" },
		func(m *notify.Message) { m.Kind = "" },
		func(m *notify.Message) { m.Kind += "x" },
		func(m *notify.Message) { m.Ref += "x" },
		func(m *notify.Message) { m.To += "x" },
	} {
		unfit := fits
		unfit.ID = notify.MessageID(uuid(2))
		spoil(&unfit)
		require.Error(t, db.Update(db.ctx, func(ctx context.Context, tx storage.Tx) error {
			require.Error(t, tx.Enqueue(ctx, newMessage(3, acme), unfit))
			return nil // the write failed, and nothing is committed
		}))
	}
	equal(t, []notify.Message{fits}, db.messages())
}

func messageList(t *testing.T, db database) {
	var want []notify.MessageID
	for i := range 13 {
		m := newMessage((i*5)%13, acme)
		want = append(want, m.ID)
		enqueue(db, m, newMessage(100+i, globex))
	}
	db.view(func(ctx context.Context, tx storage.Tx) {
		pager[notify.MessageID, notify.Message]{
			page: func(before notify.MessageID, limit int) ([]notify.Message, error) {
				return tx.Messages(ctx, string(acme), notify.MessageQuery{Before: before, Limit: limit})
			},
			key: func(m notify.Message) notify.MessageID { return m.ID },
		}.check(t, newestFirst(want))
	})
}

func messageFilter(t *testing.T, db database) {
	kinds := []notify.Kind{"invite", "added", "Invite"}
	for i := range 30 {
		m := newMessage(i, acme)
		m.Kind = kinds[i%3]
		m.Created = noon().Add(time.Duration(i/2) * time.Microsecond)
		m.Due = m.Created
		enqueue(db, m, newMessage(100+i, globex))
	}
	for i, m := range claim(db, noon().Add(time.Hour), time.Hour, 24) {
		state := []notify.State{notify.Sent, notify.Cancelled, notify.Dead}[i%3]
		db.finish(m, notify.Result{State: state, At: noon()})
	}
	all := db.messages()
	after := func(n int) time.Time { return noon().Add(time.Duration(n) * time.Microsecond) }
	for name, f := range map[string]struct {
		query notify.MessageQuery
		wants func(notify.Message) bool
	}{
		"a state":  {notify.MessageQuery{States: []notify.State{notify.Dead}}, func(m notify.Message) bool { return m.State == notify.Dead }},
		"states":   {notify.MessageQuery{States: []notify.State{notify.Queued, notify.Sent}}, func(m notify.Message) bool { return m.State <= notify.Sent }},
		"no such":  {notify.MessageQuery{States: []notify.State{notify.Dropped}}, func(m notify.Message) bool { return false }},
		"a kind":   {notify.MessageQuery{Kinds: []notify.Kind{"invite"}}, func(m notify.Message) bool { return m.Kind == "invite" }},
		"kinds":    {notify.MessageQuery{Kinds: []notify.Kind{"added", "Invite", "none"}}, func(m notify.Message) bool { return m.Kind != "invite" }},
		"since":    {notify.MessageQuery{Since: after(7)}, func(m notify.Message) bool { return !m.Created.Before(after(7)) }},
		"until":    {notify.MessageQuery{Until: after(7)}, func(m notify.Message) bool { return m.Created.Before(after(7)) }},
		"a moment": {notify.MessageQuery{Since: after(7), Until: after(8)}, func(m notify.Message) bool { return m.Created.Equal(after(7)) }},
		"all of it": {notify.MessageQuery{States: []notify.State{notify.Sent}, Kinds: kinds[:2], Since: after(2), Until: after(13)},
			func(m notify.Message) bool {
				return m.State == notify.Sent && m.Kind != "Invite" && !m.Created.Before(after(2)) && m.Created.Before(after(13))
			}},
	} {
		want := make([]notify.MessageID, 0, len(all))
		for _, m := range all {
			if f.wants(m) {
				want = append(want, m.ID)
			}
		}
		db.view(func(ctx context.Context, tx storage.Tx) {
			t.Log(name)
			pager[notify.MessageID, notify.Message]{
				page: func(before notify.MessageID, limit int) ([]notify.Message, error) {
					q := f.query
					q.Before, q.Limit = before, limit
					return tx.Messages(ctx, string(acme), q)
				},
				key: func(m notify.Message) notify.MessageID { return m.ID },
			}.check(t, want)
		})
	}
}

func messageSaid(t *testing.T, db database) {
	said := newMessage(1, acme)
	said.Said = "nothing yet"
	enqueue(db, said, newMessage(2, acme), newMessage(3, globex))
	text := strings.Repeat("Grüße 👩\n", notify.MaxSaidBytes/12)
	for _, m := range claim(db, noon(), time.Hour, 1) {
		require.Empty(t, m.Said)
		db.finish(m, notify.Result{State: notify.Sent, At: noon(), Subject: "Hello", Said: text})
	}
	read := func(group access.AccountID, n int) (m notify.Message) {
		db.view(func(ctx context.Context, tx storage.Tx) {
			var err error
			m, err = tx.Message(ctx, string(group), notify.MessageID(uuid(n)))
			require.NoError(t, err)
		})
		return m
	}
	want := newMessage(1, acme)
	want.State, want.Attempt, want.Done, want.Subject, want.Said = notify.Sent, 1, noon(), "Hello", text
	equal(t, want, read(acme, 1))
	for _, m := range db.messages() {
		require.Empty(t, m.Said)
	}
	require.Zero(t, read(acme, 3), "it is another group's")
	require.Zero(t, read(globex, 1), "it is another group's")
	require.Zero(t, read(acme, 9))
	equal(t, newMessage(3, globex), read(globex, 3))
}

func deliveries(t *testing.T, db database) {
	const n = 1200 // beyond what a statement takes as parameters
	var messages []notify.Message
	var refs []string
	for i := range n {
		m := newMessage(i, acme)
		m.Ref = fmt.Sprint("ref ", i)
		messages = append(messages, m)
		refs = append(refs, m.Ref, fmt.Sprint("none ", i))
	}
	for i, change := range []func(*notify.Message){
		func(m *notify.Message) { m.Generation = 9 },
		func(m *notify.Message) { m.Generation = 10 },
		func(m *notify.Message) { m.Generation = 10 }, // this one
		func(m *notify.Message) { m.Generation = 2 },
		func(m *notify.Message) { m.Generation, m.Kind = 11, "other" },
		func(m *notify.Message) { m.Generation, m.Group = 11, string(globex) },
	} {
		m := newMessage(n+i, acme)
		m.Ref = "ref 0"
		change(&m)
		messages = append(messages, m)
	}
	enqueue(db, messages...)
	db.view(func(ctx context.Context, tx storage.Tx) {
		got, err := tx.Deliveries(ctx, string(acme), "invite", refs)
		require.NoError(t, err)
		require.Len(t, got, n)
		equal(t, messages[n+2], got["ref 0"])
		for i := 1; i < n; i++ {
			require.Equal(t, messages[i].ID, got[messages[i].Ref].ID)
		}
		for _, refs := range [][]string{nil, {"none 1"}} {
			got, err = tx.Deliveries(ctx, string(acme), "invite", refs)
			require.NoError(t, err)
			require.Empty(t, got)
		}
		got, err = tx.Deliveries(ctx, string(acme), "invite", []string{"ref 1", "ref 1"})
		require.NoError(t, err)
		require.Len(t, got, 1)
	})
}

func claimOrder(t *testing.T, db database) {
	for n, due := range []int{5, 3, 3, 9, 1, 3} {
		m := newMessage(n, acme)
		m.Due = noon().Add(time.Duration(due) * time.Microsecond)
		enqueue(db, m)
	}
	for _, step := range []struct {
		now  int
		n    int
		want []int
	}{
		{0, 10, nil},
		{3, 3, []int{4, 1, 2}},
		{4, 10, []int{5}},
		{5, 10, []int{0}},
		{8, 10, nil},
		{9, 1, []int{3}},
	} {
		var want, got []notify.MessageID
		for _, n := range step.want {
			want = append(want, notify.MessageID(uuid(n)))
		}
		for _, m := range claim(db, noon().Add(time.Duration(step.now)*time.Microsecond), time.Hour, step.n) {
			got = append(got, m.ID)
		}
		require.Equal(t, want, got, "after %d µs", step.now)
	}
}

func leases(t *testing.T, db database) {
	enqueue(db, newMessage(1, acme))
	for attempt := 1; attempt < 5; attempt++ {
		now := noon().Add(time.Duration(attempt-1) * time.Minute)
		claimed := claim(db, now, time.Minute, 10)
		require.Len(t, claimed, 1)
		want := newMessage(1, acme)
		want.Attempt, want.Leased = attempt, now.Add(time.Minute)
		equal(t, want, claimed[0])
		equal(t, want, db.message(want.ID))
		require.Empty(t, claim(db, now, time.Minute, 10))
		require.Empty(t, claim(db, now.Add(time.Minute-time.Microsecond), time.Minute, 10))
	}
}

func finishSent(t *testing.T, db database) {
	enqueue(db, newMessage(1, acme), newMessage(2, acme))
	claimed := claim(db, noon(), time.Minute, 2)
	require.Len(t, claimed, 2)
	at := noon().Add(time.Second)
	db.finish(claimed[0], notify.Result{State: notify.Sent, At: at, Address: "One@Example.com", Subject: "Ünvitation 👩"})
	want := newMessage(1, acme)
	want.State, want.Attempt, want.Done, want.Address, want.Subject = notify.Sent, 1, at, "One@Example.com", "Ünvitation 👩"
	equal(t, want, db.message(want.ID))
	equal(t, claimed[1], db.message(claimed[1].ID))
	require.Equal(t, []notify.MessageID{newMessage(2, acme).ID}, db.claimable())
}

func finishGivenUp(t *testing.T, db database) {
	enqueue(db, newMessage(1, acme), newMessage(2, acme))
	claimed := claim(db, noon(), time.Minute, 2)
	require.Len(t, claimed, 2)
	at := noon().Add(time.Second)
	for i, state := range []notify.State{notify.Cancelled, notify.Dead} {
		db.finish(claimed[i], notify.Result{State: state, At: at, Reason: "revoked: é"})
		want := newMessage(i+1, acme)
		want.State, want.Attempt, want.Done, want.Reason = state, 1, at, "revoked: é"
		equal(t, want, db.message(want.ID))
	}
	require.Empty(t, db.claimable())
}

func finishAgain(t *testing.T, db database) {
	enqueue(db, newMessage(1, acme))
	now := noon()
	for attempt := 1; attempt < 4; attempt++ {
		claimed := claim(db, now, time.Hour, 1)
		require.Len(t, claimed, 1)
		require.Equal(t, attempt, claimed[0].Attempt)
		due := now.Add(10 * time.Minute)
		db.finish(claimed[0], notify.Result{State: notify.Queued, At: now, Due: due, Reason: fmt.Sprint("busy ", attempt)})
		want := newMessage(1, acme)
		want.Attempt, want.Due, want.Reason = attempt, due, fmt.Sprint("busy ", attempt)
		equal(t, want, db.message(want.ID))
		require.Empty(t, claim(db, due.Add(-time.Microsecond), time.Hour, 1))
		now = due
	}
}

func fences(t *testing.T, db database) {
	enqueue(db, newMessage(1, acme))
	first := claim(db, noon(), time.Minute, 1)
	require.Len(t, first, 1)
	second := claim(db, noon().Add(time.Minute), time.Minute, 1)
	require.Len(t, second, 1)
	id := first[0].ID
	for _, r := range []notify.Result{
		{State: notify.Sent, At: noon(), Address: "late@example.com"}, {State: notify.Cancelled, At: noon(), Reason: "late"},
		{State: notify.Dead, At: noon(), Reason: "late"}, {State: notify.Queued, At: noon(), Due: noon(), Reason: "late"},
	} {
		for _, attempt := range []int{0, 1, 3} {
			db.isFenced(id, attempt, r)
			equal(t, second[0], db.message(id))
		}
		db.isFenced(notify.MessageID(uuid(9)), 1, r)
	}
	db.finish(second[0], notify.Result{State: notify.Sent, At: noon()})
	sent := db.message(id)
	for _, state := range []notify.State{notify.Sent, notify.Queued, notify.Dead} {
		again := notify.Result{State: state, At: noon(), Due: noon(), Reason: "again"}
		db.isFenced(id, 2, again)
		equal(t, sent, db.message(id))
	}
}

func lateButAlone(t *testing.T, db database) {
	enqueue(db, newMessage(1, acme))
	claimed := claim(db, noon(), time.Minute, 1)
	require.Len(t, claimed, 1)
	db.finish(claimed[0], notify.Result{State: notify.Sent, At: noon().Add(time.Hour)})
	require.Equal(t, notify.Sent, db.message(claimed[0].ID).State)
}

func messageRolledBack(t *testing.T, db database) {
	for range 2 {
		require.ErrorIs(t, db.Update(db.ctx, func(ctx context.Context, tx storage.Tx) error {
			require.NoError(t, tx.Enqueue(ctx, newMessage(1, acme), newMessage(2, acme)))
			return errInjected
		}), errInjected)
		require.Empty(t, db.claimable())
		require.Empty(t, db.messages())
	}
	enqueue(db, newMessage(1, acme))
	require.Len(t, db.claimable(), 1)
}

func claimsTogether(t *testing.T, db database) {
	const workers, n = 4, 60
	var messages []notify.Message
	for i := range n {
		messages = append(messages, newMessage(i, acme))
	}
	enqueue(db, messages...)
	claimed := make([][]notify.MessageID, workers)
	var total atomic.Int64
	errs := together(workers, func(worker int) error {
		for total.Load() < n { // a claim may find nothing while others hold what there is
			batch, err := db.Claim(db.ctx, noon(), time.Hour, 1+worker)
			if err != nil {
				return err
			}
			total.Add(int64(len(batch)))
			for _, m := range batch {
				claimed[worker] = append(claimed[worker], m.ID)
				if m.Attempt != 1 {
					return fmt.Errorf("attempt %d", m.Attempt)
				}
			}
		}
		return nil
	})
	var want []notify.MessageID
	for _, m := range messages {
		want = append(want, m.ID)
	}
	require.Equal(t, want, slices.Sorted(slices.Values(slices.Concat(claimed...))))
	require.NoError(t, errors.Join(errs...))
	require.Empty(t, claim(db, noon(), time.Hour, n))
}
