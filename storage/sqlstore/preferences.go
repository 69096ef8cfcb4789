package sqlstore

import (
	"context"
	"slices"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
)

const (
	selectPreference = `SELECT categories FROM roster_preferences WHERE account_id = ? AND user_id = ?`

	putPreference = `INSERT INTO roster_preferences (account_id, user_id, categories) VALUES (?, ?, ?)
		ON CONFLICT (account_id, user_id) DO UPDATE SET categories = excluded.categories`

	deletePreferences = `DELETE FROM roster_preferences WHERE account_id = ? AND user_id IN (?...)`

	// selectSubscribers reads a page of preferences in order, each with its membership. PostgreSQL expects to find hardly any
	// membership of a JOIN, nor a row where a set is compared, and would rather sort a whole account than read it in order
	// for so few: hence the LEFT JOIN, and <> of which it expects many. Who has no membership counts as the owner. The other COALESCE is that of selectMembers.
	selectSubscribers = `SELECT ` + memberColumns + `
		FROM roster_preferences AS p
		JOIN roster_accounts AS a ON a.id = p.account_id
		LEFT JOIN roster_memberships AS m ON m.account_id = p.account_id AND m.user_id = p.user_id
		LEFT JOIN roster_users AS u ON u.id = COALESCE(m.user_id, '')
		WHERE p.account_id = ? AND p.user_id > ? AND CASE WHEN (p.categories & ?) >= ? THEN 1 ELSE 0 END <> 0
			AND COALESCE(m.user_id, a.owner_id) <> a.owner_id
		ORDER BY p.user_id LIMIT ?`

	// selectMembersByAddress begins at the address, which few users have.
	selectMembersByAddress = `SELECT ` + memberColumns + `
		FROM roster_users AS u
		CROSS JOIN roster_memberships AS m
		JOIN roster_accounts AS a ON a.id = m.account_id
		WHERE u.canonical = ? AND m.user_id = u.id AND m.account_id = ?
		ORDER BY m.user_id LIMIT ?`
)

func (t *tx) Preference(ctx context.Context, account access.AccountID, user access.UserID) (contact.Category, error) {
	return find(ctx, t, readCategory, "preference", selectPreference, account, user)
}

func readCategory(r row) (c contact.Category, err error) {
	err = r.Scan(&c)
	return c, err
}

func (t *tx) PutPreference(ctx context.Context, account access.AccountID, user access.UserID, c contact.Category) error {
	if err := t.hold(ctx, account); err != nil {
		return err
	}
	_, err := t.exec(ctx, "put a preference", putPreference, account, user, c)
	return err
}

func (t *tx) DeletePreferences(ctx context.Context, account access.AccountID, users ...access.UserID) error {
	if err := t.hold(ctx, account); err != nil {
		return err
	}
	for some := range slices.Chunk(users, maxList) {
		statement, args := in(deletePreferences, some)
		if _, err := t.exec(ctx, "delete preferences", statement, append([]any{account}, args...)...); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) Subscribers(ctx context.Context, account access.AccountID, c contact.Category, after access.UserID, limit int) ([]access.Member, error) {
	if c == 0 { // no set has the empty set
		return nil, t.ready(ctx)
	}
	return pageOf(ctx, t, limit, readMember, "list subscribers", selectSubscribers, account, after, c, c)
}

func (t *tx) MembersByAddress(ctx context.Context, account access.AccountID, address access.Address, limit int) ([]access.Member, error) {
	if address.IsZero() { // as is the address of everybody who has none
		return nil, t.ready(ctx)
	}
	return pageOf(ctx, t, limit, readMember, "find members by address", selectMembersByAddress, address.Canonical(), account)
}
