package memory

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/invite"
)

func (tx *tx) FindInvite(ctx context.Context, id invite.ID) (found invite.Record, version uint64, err error) {
	account, _ := tx.invites.get(id)
	found, err = tx.Invite(ctx, account, id)
	return found, tx.get(account).Version, err
}

func (tx *tx) Invite(ctx context.Context, account access.AccountID, id invite.ID) (invite.Record, error) {
	if err := tx.read(ctx); err != nil {
		return invite.Record{}, err
	}
	r, ok := tx.get(account).invites.get(id)
	if !ok {
		return invite.Record{}, access.NotFound("invite")
	}
	return r, nil
}

func (tx *tx) PendingInvite(ctx context.Context, account access.AccountID, address access.Address) (invite.Record, error) {
	if err := tx.read(ctx); err != nil {
		return invite.Record{}, err
	}
	if r, ok := tx.pendingInvite(account, address); ok {
		return r, nil
	}
	return invite.Record{}, access.NotFound("invite")
}

func (s *state) pendingInvite(account access.AccountID, address access.Address) (invite.Record, bool) {
	pending, _ := s.pending.get(address.Canonical())
	for id := range pending.above("") {
		if r, ok := s.get(account).invites.get(id); ok {
			return r, true
		}
	}
	return invite.Record{}, false
}

func (tx *tx) InsertInvite(ctx context.Context, r invite.Record) error {
	if err := tx.write(ctx, r.Account); err != nil {
		return err
	}
	if _, ok := tx.invites.get(r.ID); ok {
		return access.ErrExists
	}
	if _, ok := tx.pendingInvite(r.Account, r.Address); ok && r.State == invite.Pending {
		return access.ErrExists
	}
	tx.putInvite(r)
	return nil
}

func (tx *tx) UpdateInvite(ctx context.Context, r invite.Record, generation uint16) error {
	if err := tx.write(ctx, r.Account); err != nil {
		return err
	}
	old, ok := tx.get(r.Account).invites.get(r.ID)
	if !ok || old.State != invite.Pending || old.Generation != generation {
		return access.NotFound("invite")
	}
	r.Address, r.Created = old.Address, old.Created
	tx.putInvite(r)
	return nil
}

// putInvite stores an invite, new or not, and where to find it.
func (s *state) putInvite(r invite.Record) {
	r.Terms.Starts, r.Terms.Expires = stored(r.Terms.Starts), stored(r.Terms.Expires)
	r.Created, r.Sent, r.Expires, r.Closed = stored(r.Created), stored(r.Sent), stored(r.Expires), stored(r.Closed)
	s.change(r.Account, func(a *account) { a.invites = a.invites.put(r.ID, r) })
	s.invites = s.invites.put(r.ID, r.Account)
	if r.State == invite.Pending {
		s.pending = add(s.pending, r.Address.Canonical(), r.ID)
	} else {
		s.pending = drop(s.pending, r.Address.Canonical(), r.ID)
	}
}

func (tx *tx) Invites(ctx context.Context, account access.AccountID, f invite.Filter, before invite.ID, limit int) ([]invite.Record, error) {
	if err := tx.read(ctx); err != nil {
		return nil, err
	}
	var page []invite.Record
	for _, r := range tx.get(account).invites.below(before) {
		if len(page) >= limit {
			break
		}
		if (f.State == 0 || r.State == f.State) && foldedPrefix(f.Prefix, r.Address.Canonical()) {
			page = append(page, r)
		}
	}
	return page, nil
}

func (tx *tx) WaitingInvites(ctx context.Context, address access.Address, now time.Time, before invite.ID, limit int) ([]invite.Record, error) {
	if err := tx.read(ctx); err != nil {
		return nil, err
	}
	now = stored(now)
	var page []invite.Record
	pending, _ := tx.pending.get(address.Canonical())
	for id := range pending.below(before) {
		if len(page) >= limit {
			break
		}
		account, _ := tx.invites.get(id)
		if r, _ := tx.get(account).invites.get(id); r.Live(now) {
			page = append(page, r)
		}
	}
	return page, nil
}

func (tx *tx) LiveInvites(ctx context.Context, account access.AccountID, now time.Time) (int, error) {
	if err := tx.read(ctx); err != nil {
		return 0, err
	}
	return tx.get(account).live(stored(now)), nil
}

// live counts the invites that can be accepted at a time.
func (a *account) live(now time.Time) int {
	count := 0
	for _, r := range a.invites.above("") {
		if r.Live(now) {
			count++
		}
	}
	return count
}

func (tx *tx) RevokeInvites(ctx context.Context, account access.AccountID, inviter access.UserID, held access.Permission, at time.Time) ([]access.RevokedInvite, error) {
	if err := tx.write(ctx, account); err != nil {
		return nil, err
	}
	var revoked []access.RevokedInvite
	for _, r := range tx.get(account).invites.above("") {
		sent := r.By.Kind == access.ActorUser && r.By.User() == inviter
		if r.State != invite.Pending || !sent || r.Terms.Permissions&^held == 0 {
			continue
		}
		r.State, r.Closed = invite.Revoked, at
		tx.putInvite(r)
		revoked = append(revoked, access.RevokedInvite{ID: string(r.ID), Address: r.Address, Terms: r.Terms,
			Generation: r.Generation})
	}
	return revoked, nil
}

func (tx *tx) InviteKeys(ctx context.Context, now time.Time) ([]string, error) {
	if err := tx.read(ctx); err != nil {
		return nil, err
	}
	now = stored(now)
	used := make(map[string]bool)
	for _, ids := range tx.pending.above("") {
		for id := range ids.above("") {
			account, _ := tx.invites.get(id)
			if r, _ := tx.get(account).invites.get(id); r.Live(now) {
				used[r.Key] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(used)), nil
}
