package sqlstore

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/invite"
)

const (
	inviteColumns = `id, account_id, address, canonical, permissions, member_starts_at, member_expires_at, label, inviter_kind,
		inviter_id, generation, delivery, state, created_at, sent_at, expires_at, closed_at, accepted_by, secret, key_id`

	findInvite = `SELECT ` + inviteColumns + `, (SELECT version FROM roster_accounts AS a WHERE a.id = account_id` + shareMark + `)
		FROM roster_invites WHERE id = ?`

	selectInvite = `SELECT ` + inviteColumns + ` FROM roster_invites WHERE account_id = ? AND id = ?`

	selectPendingInvite = `SELECT ` + inviteColumns + ` FROM roster_invites
		WHERE account_id = ? AND canonical = ? AND pending = 1`

	insertInvite = `INSERT INTO roster_invites (id, account_id, address, canonical, created_at,
			permissions, member_starts_at, member_expires_at, label, inviter_kind, inviter_id, generation,
			delivery, state, pending, sent_at, expires_at, closed_at, accepted_by, secret, key_id)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO NOTHING`

	updateInvite = `UPDATE roster_invites SET
			permissions = ?, member_starts_at = ?, member_expires_at = ?, label = ?, inviter_kind = ?, inviter_id = ?,
			generation = ?, delivery = ?, state = ?, pending = ?, sent_at = ?, expires_at = ?, closed_at = ?,
			accepted_by = ?, secret = ?, key_id = ?
		WHERE account_id = ? AND id = ? AND pending = 1 AND generation = ?`

	selectInvites = `SELECT ` + inviteColumns + ` FROM roster_invites
		WHERE account_id = ? AND id < ?
			AND (? = 0 OR state = ?)
			AND (length(?) = 0 OR substr(canonical, 1, length(?)) = ?)
		ORDER BY id DESC LIMIT ?`

	selectWaitingInvites = `SELECT ` + inviteColumns + ` FROM roster_invites
		WHERE canonical = ? AND pending = 1 AND id < ? AND expires_at > ?
		ORDER BY id DESC LIMIT ?`

	// selectNextKey goes from one key to the next in the index.
	selectNextKey = `SELECT COALESCE(MIN(key_id), '') FROM roster_invites WHERE pending = 1 AND key_id > ?`

	// selectKeyUse asks when the last invite of a key expires.
	selectKeyUse = `SELECT MAX(expires_at) FROM roster_invites WHERE pending = 1 AND key_id = ?`

	countLiveInvites = `SELECT COUNT(*) FROM roster_invites WHERE account_id = ? AND pending = 1 AND expires_at > ?`

	// selectRevocable finds the pending invites of one user that offer one of some bits.
	selectRevocable = `SELECT ` + inviteColumns + ` FROM roster_invites
		WHERE account_id = ? AND pending = 1 AND inviter_kind = ? AND inviter_id = ? AND (permissions & ?) <> 0`

	revokeInvite = `UPDATE roster_invites SET state = ?, pending = NULL, closed_at = ?
		WHERE account_id = ? AND id = ? AND pending = 1`
)

func readInvite(r row) (invite.Record, error) {
	var i invite.Record
	err := r.Scan(inviteTargets(&i)...)
	return i, err
}

// inviteTargets are where inviteColumns go.
func inviteTargets(i *invite.Record) []any {
	return []any{&i.ID, &i.Account, (*original)(&i.Address), (*canonical)(&i.Address), wholly(&i.Terms.Permissions),
		(*moment)(&i.Terms.Starts), (*moment)(&i.Terms.Expires), &i.Terms.Label, wholly(&i.By.Kind), &i.By.ID, wholly(&i.Generation),
		wholly(&i.Delivery), wholly(&i.State), (*moment)(&i.Created), (*moment)(&i.Sent), (*moment)(&i.Expires), (*moment)(&i.Closed), &i.AcceptedBy,
		fixed(i.Secret[:]), &i.Key}
}

// inviteValues are what both writing statements write, in the order in which they name it.
func inviteValues(r invite.Record) []any {
	var pending any // or NULL
	if r.State == invite.Pending {
		pending = 1
	}
	return []any{r.Terms.Permissions, micros(r.Terms.Starts), micros(r.Terms.Expires), r.Terms.Label, r.By.Kind, r.By.ID,
		r.Generation, r.Delivery, r.State, pending, micros(r.Sent), micros(r.Expires), micros(r.Closed), r.AcceptedBy,
		r.Secret[:], r.Key}
}

func (t *tx) FindInvite(ctx context.Context, id invite.ID) (found invite.Record, version uint64, err error) {
	found, err = find(ctx, t, func(r row) (invite.Record, error) {
		var i invite.Record
		err := r.Scan(append(inviteTargets(&i), wholly(&version))...)
		return i, err
	}, "invite", findInvite, id)
	if a, held := t.Locked(found.Account); held {
		version = a.Version
	}
	return found, version, err
}

func (t *tx) Invite(ctx context.Context, account access.AccountID, id invite.ID) (invite.Record, error) {
	return find(ctx, t, readInvite, "invite", selectInvite, account, id)
}

func (t *tx) PendingInvite(ctx context.Context, account access.AccountID, address access.Address) (invite.Record, error) {
	return find(ctx, t, readInvite, "invite", selectPendingInvite, account, address.Canonical())
}

func (t *tx) InsertInvite(ctx context.Context, r invite.Record) error {
	if err := t.hold(ctx, r.Account); err != nil {
		return err
	}
	args := []any{r.ID, r.Account, r.Address.Original(), r.Address.Canonical(), micros(r.Created)}
	return t.insert(ctx, "insert an invite", insertInvite, append(args, inviteValues(r)...)...)
}

func (t *tx) UpdateInvite(ctx context.Context, r invite.Record, generation uint16) error {
	if err := t.hold(ctx, r.Account); err != nil {
		return err
	}
	updated, err := t.exec(ctx, "update an invite", updateInvite, append(inviteValues(r), r.Account, r.ID, generation)...)
	if err == nil && updated == 0 {
		err = access.NotFound("invite")
	}
	return err
}

func (t *tx) Invites(ctx context.Context, account access.AccountID, f invite.Filter, before invite.ID, limit int) ([]invite.Record, error) {
	fold := access.Fold(f.Prefix)
	return pageOf(ctx, t, limit, readInvite, "list invites", selectInvites, account, below(before), f.State, f.State,
		fold, fold, fold)
}

func (t *tx) WaitingInvites(ctx context.Context, address access.Address, now time.Time, before invite.ID, limit int) ([]invite.Record, error) {
	return pageOf(ctx, t, limit, readInvite, "list waiting invites", selectWaitingInvites, address.Canonical(), below(before),
		micros(now))
}

func (t *tx) InviteKeys(ctx context.Context, now time.Time) ([]string, error) {
	var keys []string
	for last := ""; ; {
		key, _, err := one(ctx, t, text, "find the keys of invites", selectNextKey, last)
		if err != nil {
			return nil, err
		}
		if key == "" {
			return keys, nil
		}
		until, _, err := one(ctx, t, readMoment, "find the use of a key", selectKeyUse, key)
		if err != nil {
			return nil, err
		}
		if until.After(now) {
			keys = append(keys, key)
		}
		last = key
	}
}

func (t *tx) LiveInvites(ctx context.Context, account access.AccountID, now time.Time) (int, error) {
	live, _, err := one(ctx, t, number, "count live invites", countLiveInvites, account, micros(now))
	return live, err
}

func (t *tx) RevokeInvites(ctx context.Context, account access.AccountID, inviter access.UserID, held access.Permission, at time.Time) ([]access.RevokedInvite, error) {
	if err := t.hold(ctx, account); err != nil {
		return nil, err
	}
	beyond, err := list(ctx, t, readInvite, "find invites to revoke", selectRevocable,
		account, access.ActorUser, inviter, access.All&^held)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(beyond, func(a, b invite.Record) int { return cmp.Compare(a.ID, b.ID) })
	var revoked []access.RevokedInvite
	for _, i := range beyond {
		if _, err := t.exec(ctx, "revoke an invite", revokeInvite, invite.Revoked, micros(at), account, i.ID); err != nil {
			return nil, err
		}
		revoked = append(revoked, access.RevokedInvite{ID: string(i.ID), Address: i.Address, Terms: i.Terms,
			Generation: i.Generation})
	}
	return revoked, nil
}
