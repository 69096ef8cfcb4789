package storagetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/storage"
)

// verbCases has a case for each verb there is: a verb changes everything it should, or nothing.
func verbCases() []testCase {
	var cases []testCase
	for _, v := range verbs() {
		cases = append(cases, testCase{v.name, "a verb of which any write fails says so and changes nothing",
			func(t *testing.T, db database) { failing(t, newScene(t, db), v) }})
	}
	return cases
}

// failing has a verb fail at its first write, its second, and so on to its commit; then the same with a write that
// fails after its effect; and then lets it succeed. Everything is read once after each round, since that takes long:
// what an attempt left behind would still be there, for no attempt takes anything back.
func failing(t *testing.T, s scene, v verb) {
	before, versions, mail := s.dump(), s.versions(), s.mail()
	for _, after := range []bool{false, true} {
		for n := 1; ; n++ {
			s.do.db.fail(n, after)
			err := v.do(s.ctx, s.do, s)
			require.True(t, s.do.db.struck, "there is no write %d: %v", n, err)
			require.ErrorIs(t, err, errInjected, "at write %d", n)
			require.Equal(t, versions, s.versions(), "at write %d", n)
			if s.do.db.commit {
				require.Greater(t, n, 1, "it writes nothing")
				break
			}
		}
		require.Equal(t, before, s.dump(), "some write failed, after its effect: %t", after)
	}
	require.ElementsMatch(t, mail, s.claimable(), "mail of a verb that failed")
	before = s.dump() // claiming changed it
	s.do.db.fail(0, false)
	require.NoError(t, v.do(s.ctx, s.do, s))
	require.NotEqual(t, before, s.dump())
	verify(s.database, acme)
	s.checkFeed()
}

// versions are those of the accounts of the fixtures, 0 for those that aren't there.
func (s scene) versions() []uint64 {
	s.t.Helper()
	var versions []uint64
	for _, id := range []access.AccountID{acme, globex, initech} {
		grant, err := s.Grant(s.ctx, id, olga)
		require.NoError(s.t, err)
		versions = append(versions, grant.Version)
	}
	return versions
}

func acceptCases() []testCase {
	return []testCase{
		{"one token, one person", "of any number of accepts at once by one person, one makes a membership and the others find it made",
			hundredAccepts},
		{"one token, many people", "a token makes one of those who hold it a member, and refuses the others", manyAccept},
		{"many ask", "of any number who ask at once for a new link of an invite, one is heard, and then nobody for an hour", manyAsk},
	}
}

const accepts = 100

// hundredAccepts is a double click, many times over.
func hundredAccepts(t *testing.T, db database) {
	s := newScene(t, db)
	outcomes := make([]invite.Outcome, accepts)
	person := who(t, dora)
	errs := together(accepts, func(i int) error {
		accepted, err := s.do.handed.Accept(db.ctx, s.token, person)
		outcomes[i] = accepted.Outcome
		return err
	})
	require.NoError(t, errors.Join(errs...))
	count := make(map[invite.Outcome]int)
	for _, outcome := range outcomes {
		count[outcome]++
	}
	require.Equal(t, map[invite.Outcome]int{invite.Joined: 1, invite.Already: accepts - 1}, count)
	s.checkAccepted(dora)
}

// manyAccept is a link that was passed on, to people who all read the mail of the address it is for.
func manyAccept(t *testing.T, db database) {
	s := newScene(t, db)
	person := who(t, dora)
	errs := together(accepts, func(i int) error {
		person := person
		person.Actor = access.As(access.UserID(fmt.Sprint("dora ", i)))
		_, err := s.do.handed.Accept(db.ctx, s.token, person)
		return err
	})
	var joined []access.UserID
	for i, err := range errs {
		if err == nil {
			joined = append(joined, access.UserID(fmt.Sprint("dora ", i)))
		} else {
			require.ErrorIs(t, err, access.ErrDenied)
		}
	}
	require.Len(t, joined, 1)
	s.checkAccepted(joined[0])
}

// checkAccepted checks that the invite to dora made one user a member, once, and nothing more.
func (s scene) checkAccepted(user access.UserID) {
	s.t.Helper()
	wrote, members := 0, 0
	for _, r := range s.history(acme) {
		if r.Kind == access.EventInviteAccepted {
			wrote++
			require.Equal(s.t, user, r.By)
		}
	}
	require.Equal(s.t, 1, wrote, "events of an acceptance")
	s.view(func(ctx context.Context, tx storage.Tx) {
		list, err := tx.Members(ctx, acme, access.MemberFilter{}, "", 1000)
		require.NoError(s.t, err)
		members = len(list)
		r, err := tx.Invite(ctx, acme, s.toDora)
		require.NoError(s.t, err)
		require.Equal(s.t, invite.Accepted, r.State)
		require.Equal(s.t, user, r.AcceptedBy)
		m, err := tx.Membership(ctx, acme, user)
		require.NoError(s.t, err)
		require.Equal(s.t, access.PayInvoices, m.Permissions)
	})
	require.Equal(s.t, 5, members, "olga, ann, bob, eve, and the one who came")
	mails := 0
	for _, m := range s.messages() {
		if m.Kind == invite.MailAccepted {
			mails++
		}
	}
	require.Equal(s.t, 1, mails, "mails about it, to the owner who sent it")
	verify(s.database, acme)
	s.checkFeed()
}

// manyAsk is an impatient reader of an invite that has expired.
func manyAsk(t *testing.T, db database) {
	s := newScene(t, db)
	asked := func(n int) (events, mails int) {
		t.Helper()
		errs := together(n, func(int) error { return s.do.handed.AskAgain(db.ctx, access.AsSystem("links"), s.token) })
		require.NoError(t, errors.Join(errs...))
		for _, r := range s.history(acme) {
			if r.Kind == access.EventInviteAsked {
				events++
			}
		}
		for _, m := range s.messages() {
			if m.Kind == invite.MailAsked {
				require.Equal(t, string(olga), m.To)
				mails++
			}
		}
		return events, mails
	}
	for _, step := range []struct {
		after      time.Duration
		times, all int
	}{
		{invite.DefaultLifetime - time.Microsecond, 10, 0},
		{invite.DefaultLifetime, 20, 1},
		{invite.DefaultLifetime + time.Hour - time.Microsecond, 1, 1},
		{invite.DefaultLifetime + time.Hour, 20, 2},
	} {
		s.do.now = noon().Add(step.after)
		events, mails := asked(step.times)
		require.Equal(t, step.all, events, "events after %v", step.after)
		require.Equal(t, step.all, mails, "mails after %v", step.after)
	}
	verify(s.database, acme)
	s.checkFeed()
}
