package accesstest

import (
	"context"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/invite"
	"github.com/stretchr/testify/require"
)

// A Scene is somebody acting in a World. Each verb fails the test unless it succeeds, or, after Fails, unless it is
// refused as said.
type Scene struct {
	world *World
	actor access.Actor
	fails error
}

// As returns the scene of a user.
func (w *World) As(user access.UserID) *Scene { return &Scene{world: w, actor: access.As(user)} }

// AsStaff returns the scene of a member of staff, who may do everything.
func (w *World) AsStaff(id string) *Scene {
	return &Scene{world: w, actor: access.AsStaff(id, "a test")}
}

// Fails expects the next verb to be refused with an error of this kind.
func (s *Scene) Fails(kind error) *Scene {
	s.fails = kind
	return s
}

// Creates creates an account that the user owns, and tells the directory about them.
func (s *Scene) Creates(account access.AccountID) *Scene {
	s.world.T.Helper()
	owner := s.actor.User()
	s.Exists()
	_, err := s.world.Members.CreateAccount(context.Background(), s.actor,
		access.NewAccount{ID: account, Owner: owner, Profile: access.Profile{Name: string(account)}})
	return s.expect(err)
}

// Exists tells the directory about the user, with a verified address.
func (s *Scene) Exists() *Scene {
	s.world.T.Helper()
	user := s.actor.User()
	require.NoError(s.world.T, s.world.Members.SyncUser(context.Background(),
		access.User{ID: user, Name: string(user), Address: AddressOf(user), Verified: true}))
	return s
}

// Adds makes a user a member at once; for staff.
func (s *Scene) Adds(account access.AccountID, user access.UserID, p access.Permission) *Scene {
	s.world.T.Helper()
	_, err := s.world.Members.AddMember(context.Background(), s.actor, account, user, access.Terms{Permissions: p})
	return s.expect(err)
}

// Invites sends an invite to a user's address.
func (s *Scene) Invites(account access.AccountID, user access.UserID, p access.Permission) *Scene {
	s.world.T.Helper()
	_, err := s.world.Invites.Send(context.Background(), s.actor, account,
		invite.Offer{Address: AddressOf(user), Terms: access.Terms{Permissions: p}})
	return s.expect(err)
}

// Accepts accepts with the token in the last mail to the user, and expects to come into this account.
func (s *Scene) Accepts(account access.AccountID) *Scene {
	s.world.T.Helper()
	user := s.actor.User()
	accepted, err := s.world.Invites.Accept(context.Background(), s.world.Token(user), s.world.Identity(user))
	if err == nil {
		require.Equal(s.world.T, account, accepted.Account)
		s.Exists()
	}
	return s.expect(err)
}

// Sets replaces what a member may do.
func (s *Scene) Sets(account access.AccountID, user access.UserID, p access.Permission) *Scene {
	s.world.T.Helper()
	_, err := s.world.Members.SetPermissions(context.Background(), s.actor, account, user, p)
	return s.expect(err)
}

// Suspends suspends a member.
func (s *Scene) Suspends(account access.AccountID, user access.UserID) *Scene {
	s.world.T.Helper()
	_, err := s.world.Members.Suspend(context.Background(), s.actor, account, user)
	return s.expect(err)
}

// Reinstates ends a member's suspension.
func (s *Scene) Reinstates(account access.AccountID, user access.UserID) *Scene {
	s.world.T.Helper()
	_, err := s.world.Members.Reinstate(context.Background(), s.actor, account, user)
	return s.expect(err)
}

// Removes removes a member.
func (s *Scene) Removes(account access.AccountID, user access.UserID) *Scene {
	s.world.T.Helper()
	_, err := s.world.Members.Remove(context.Background(), s.actor, account, user)
	return s.expect(err)
}

// Leaves ends the user's own membership.
func (s *Scene) Leaves(account access.AccountID) *Scene {
	s.world.T.Helper()
	_, err := s.world.Members.Leave(context.Background(), s.actor, account)
	return s.expect(err)
}

// Can expects the user to be able to do all of p in an account now.
func (s *Scene) Can(account access.AccountID, p access.Permission) *Scene {
	s.world.T.Helper()
	return s.expectCan(account, p, true)
}

// Cannot expects the user not to be able to do all of p in an account now.
func (s *Scene) Cannot(account access.AccountID, p access.Permission) *Scene {
	s.world.T.Helper()
	return s.expectCan(account, p, false)
}

func (s *Scene) expectCan(account access.AccountID, p access.Permission, want bool) *Scene {
	s.world.T.Helper()
	why, err := s.world.Members.Explain(context.Background(), s.actor.User(), account, p)
	require.NoError(s.world.T, err)
	require.NoError(s.world.T, s.fails, "Fails is for the next verb, and a question is none")
	require.Equal(s.world.T, want, why.Allowed(), "%s, %v in %s: %s", s.actor.ID, s.world.Members.Catalog().Keys(p), account, why.Rule)
	return s
}

func (s *Scene) expect(err error) *Scene {
	s.world.T.Helper()
	want := s.fails
	s.fails = nil
	if want == nil {
		require.NoError(s.world.T, err)
	} else {
		require.ErrorIs(s.world.T, err, want)
	}
	return s
}
