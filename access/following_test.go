package access_test

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
)

var errSilence = errors.New("there is no answer")

// A silentDB registers followers, and doesn't say so.
type silentDB struct {
	storage.DB
	silent bool
}

func (db *silentDB) Follow(ctx context.Context, id access.FollowerID) error {
	err := db.DB.Follow(ctx, id)
	if db.silent && err == nil {
		return errSilence
	}
	return err
}

// A followingTest is a Following on a database that doesn't always answer.
type followingTest struct {
	*world
	*access.Following
	db *silentDB
}

func newFollowing(t *testing.T) *followingTest {
	w := newWorld(t)
	db := &silentDB{DB: w.DB}
	return &followingTest{w, access.NewFollowing(db, w.Clock.Now, rand.Reader), db}
}

// poll polls once, and returns what was to be followed, or nil.
func (f *followingTest) poll() (position *access.Position, anew bool, err error) {
	err = f.Poll(f.T.Context(), func(_ context.Context, p access.Position, a bool) error {
		position, anew = &p, a
		return nil
	})
	return position, anew, err
}

func (f *followingTest) followers() []access.Follower {
	f.T.Helper()
	all, err := f.DB.Followers(f.T.Context())
	require.NoError(f.T, err)
	return all
}

// certain reports whether what is remembered counts now.
func (f *followingTest) certain() bool { return f.Certain(f.Clock.Now()) }

func TestFollowingFollows(t *testing.T) {
	f := newFollowing(t)
	require.False(t, f.certain())
	require.Empty(t, f.followers())
	_, anew, err := f.poll()
	require.NoError(t, err)
	require.True(t, anew)
	require.True(t, f.certain())
	ticket, _, err := f.DB.DrawTicket(t.Context())
	require.NoError(t, err)
	position, anew, err := f.poll()
	require.NoError(t, err)
	require.False(t, anew)
	require.Equal(t, ticket, position.Ticket)
	require.Equal(t, ticket, f.followers()[0].Acknowledged)

	f.Clock.Advance(access.DefaultLease - time.Nanosecond)
	require.True(t, f.certain())
	f.Clock.Advance(time.Nanosecond)
	require.False(t, f.certain())
	_, anew, err = f.poll()
	require.NoError(t, err)
	require.True(t, anew, "a backup may have been restored meanwhile")
	require.True(t, f.certain())
	f.Stop(t.Context())
	require.False(t, f.certain())
	require.Empty(t, f.followers())
	f.Stop(t.Context())
}

// TestNothingCountsThatWasNotFollowed has following fail.
func TestNothingCountsThatWasNotFollowed(t *testing.T) {
	f := newFollowing(t)
	_, _, err := f.DB.DrawTicket(t.Context())
	require.NoError(t, err)
	fails := func(context.Context, access.Position, bool) error { return errSilence }
	require.ErrorIs(t, f.Poll(t.Context(), fails), errSilence)
	require.False(t, f.certain())
	ticket, _, err := f.DB.DrawTicket(t.Context())
	require.NoError(t, err)
	_, anew, err := f.poll()
	require.NoError(t, err)
	require.True(t, anew)
	_, _, err = f.DB.DrawTicket(t.Context())
	require.NoError(t, err)
	require.ErrorIs(t, f.Poll(t.Context(), fails), errSilence)
	require.Equal(t, ticket, f.followers()[0].Acknowledged)
	require.True(t, f.certain(), "what was given isn't taken back")
}

// TestLostRegistrationIsTakenUp loses the answer of a registration that was done: who polls again is the same follower.
func TestLostRegistrationIsTakenUp(t *testing.T) {
	f := newFollowing(t)
	f.db.silent = true
	_, _, err := f.poll()
	require.ErrorIs(t, err, errSilence)
	require.False(t, f.certain())
	require.Len(t, f.followers(), 1)
	ticket, _, err := f.DB.DrawTicket(t.Context()) // by somebody who waits for it now
	require.NoError(t, err)
	f.db.silent = false
	_, anew, err := f.poll()
	require.NoError(t, err)
	require.True(t, anew)
	require.True(t, f.certain())
	followers := f.followers()
	require.Len(t, followers, 1, "somebody was left behind")
	require.Equal(t, ticket, followers[0].Acknowledged)

	// Later ones are new again.
	f.Stop(t.Context())
	_, _, err = f.poll()
	require.NoError(t, err)
	require.NotEqual(t, followers[0].ID, f.followers()[0].ID)
}

// TestLostRegistrationMayBeGivenUp has everybody give the follower up before it asks again, or itself.
func TestLostRegistrationMayBeGivenUp(t *testing.T) {
	f := newFollowing(t)
	f.db.silent = true
	_, _, err := f.poll()
	require.ErrorIs(t, err, errSilence)
	require.NoError(t, f.DB.Unfollow(t.Context(), 1, f.followers()[0].ID))
	_, _, err = f.poll()
	require.ErrorIs(t, err, errSilence)
	require.Len(t, f.followers(), 1)
	f.Stop(t.Context())
	require.Empty(t, f.followers(), "who settles waits for who never followed")
}

// TestTakenIDIsNotOurs has somebody else have the same randomness.
func TestTakenIDIsNotOurs(t *testing.T) {
	w := newWorld(t)
	for range 2 {
		f := access.NewFollowing(w.DB, w.Clock.Now, strings.NewReader(strings.Repeat("0", 16)+strings.Repeat("1", 16)))
		follow := func(context.Context, access.Position, bool) error { return nil }
		if err := f.Poll(t.Context(), follow); err != nil {
			require.ErrorIs(t, err, access.ErrExists)
			require.NoError(t, f.Poll(t.Context(), follow))
		}
	}
	followers, err := w.DB.Followers(t.Context())
	require.NoError(t, err)
	require.Len(t, followers, 2)
}

func TestNewFollowingPanics(t *testing.T) {
	w := newWorld(t)
	for _, fn := range []func(){
		func() { access.NewFollowing(nil, w.Clock.Now, rand.Reader) },
		func() { access.NewFollowing(w.DB, nil, rand.Reader) },
		func() { access.NewFollowing(w.DB, w.Clock.Now, nil) },
	} {
		require.PanicsWithValue(t, "access: NewFollowing without a registry, a clock or randomness", fn)
	}
}
