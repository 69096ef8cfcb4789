package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/rosterkit/roster/access"
)

const (
	// selectGrant is the decision: all of it in one statement. Its arguments are user, user, account.
	selectGrant = `SELECT ` + grantColumns + `
		FROM roster_accounts AS a
		LEFT JOIN roster_memberships AS m ON m.account_id = a.id AND m.user_id = ?
		WHERE a.id = ?`

	grantColumns = `a.owner_id = ?, a.status, a.version, COALESCE(m.permissions, 0), COALESCE(m.status, 0),
			COALESCE(m.starts_at, 0), COALESCE(m.expires_at, 0), COALESCE(m.last_seen_at, 0)`

	// selectGranted bounds both ids, as selectUserAccounts does. Its arguments are account, account, account, user, limit.
	selectGranted = `SELECT a.owner_id = m.user_id, a.status, a.version, m.permissions, m.status,
			m.starts_at, m.expires_at, m.last_seen_at, m.account_id, m.user_id
		FROM roster_memberships AS m
		` + thenMark + `CROSS JOIN roster_accounts AS a
		WHERE a.id = m.account_id AND a.id >= ? AND m.account_id >= ? AND (m.account_id > ? OR m.user_id > ?)
		ORDER BY m.account_id, m.user_id LIMIT ?`

	selectGrants = `SELECT ` + grantColumns + `, a.id
		FROM roster_accounts AS a
		LEFT JOIN roster_memberships AS m ON m.account_id = a.id AND m.user_id = ?
		WHERE a.id IN (?...)`

	membershipColumns = `m.account_id, m.user_id, m.permissions, m.status, m.starts_at, m.expires_at, m.label, m.created_at, m.last_seen_at`

	selectMembership = `SELECT ` + membershipColumns + ` FROM roster_memberships AS m WHERE m.account_id = ? AND m.user_id = ?`

	putMembership = `INSERT INTO roster_memberships
			(account_id, user_id, permissions, status, starts_at, expires_at, label, created_at, last_seen_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (account_id, user_id) DO UPDATE SET permissions = excluded.permissions, status = excluded.status,
			starts_at = excluded.starts_at, expires_at = excluded.expires_at, label = excluded.label`

	deleteMembership = `DELETE FROM roster_memberships WHERE account_id = ? AND user_id = ?`

	touchMembership = `UPDATE roster_memberships SET last_seen_at = ?
		WHERE account_id = ? AND user_id = ? AND last_seen_at <= ?`

	// personColumns are the directory's entry of a member, if there is one.
	personColumns = `COALESCE(u.address, ''), COALESCE(u.canonical, ''), COALESCE(u.verified, 0), COALESCE(u.name, ''),
		COALESCE(u.second_factor, 0), u.last_sign_in_at, COALESCE(u.locale, '')`

	// memberColumns are a membership, whether it is the owner's, and the directory's entry.
	memberColumns = membershipColumns + `, a.owner_id = m.user_id, ` + personColumns

	// selectMembers asks once who the owner is. COALESCE keeps a planner from merging the members with all users, from the
	// first one. Its arguments are account, account, user, limit.
	selectMembers = `SELECT ` + membershipColumns + `, CASE WHEN m.user_id = ` + ownerOf + ` THEN 1 ELSE 0 END, ` + personColumns + `
		FROM roster_memberships AS m
		LEFT JOIN roster_users AS u ON u.id = COALESCE(m.user_id, '')
		WHERE m.account_id = ? AND m.user_id > ?` + andMark + `
		ORDER BY m.user_id LIMIT ?`

	ownerOf = `(SELECT owner_id FROM roster_accounts WHERE id = ?` + shareMark + `)`

	membersOfStatus     = ` AND m.status = ?`
	membersOfPermission = ` AND (m.user_id = ` + ownerOf + ` OR (m.permissions & ?) >= ?)`
	membersNotSeenSince = ` AND m.last_seen_at < ?`
	membersOfPrefix     = ` AND (substr(u.name_fold, 1, length(?)) = ? OR substr(u.canonical, 1, length(?)) = ?
			OR substr(m.user_id, 1, length(?)) = ?)`

	// selectUserAccounts bounds both ids: a planner that joins by merging would otherwise begin at the first account. Its
	// arguments are account, user, account, limit.
	selectUserAccounts = `SELECT ` + membershipColumns + `, owner_id, roster_accounts.status, name, company,
			locale, time_zone, roster_accounts.created_at, version
		FROM roster_memberships AS m
		` + thenMark + `CROSS JOIN roster_accounts
		WHERE id = m.account_id AND id > ? AND m.user_id = ?` + pageMark + ` AND m.account_id > ?` + andMark + `
		ORDER BY m.user_id, m.account_id LIMIT ?`

	accountsOfStatus     = ` AND roster_accounts.status = ?`
	accountsOfPermission = ` AND (owner_id = m.user_id OR (m.permissions & ?) >= ?)`
	accountsOfPrefix     = ` AND (substr(name_fold, 1, length(?)) = ? OR substr(company_fold, 1, length(?)) = ?)`

	countSeats = `SELECT
		(SELECT COUNT(*) FROM roster_memberships AS m JOIN roster_accounts AS a ON a.id = m.account_id
			WHERE m.account_id = ? AND m.user_id <> a.owner_id AND (m.expires_at = ? OR m.expires_at > ?)` + shareMark + `) +
		(SELECT COUNT(*) FROM roster_invites WHERE account_id = ? AND pending = 1 AND expires_at > ?` + shareMark + `)`
)

// readGrant reads the row of selectGrant.
func readGrant(ctx context.Context, r row) (access.Grant, error) {
	g, err := scanGrant(r)
	if errors.Is(err, sql.ErrNoRows) {
		return access.Grant{}, nil
	}
	if err != nil {
		return access.Grant{}, failed(ctx, "read a decision", err)
	}
	return g, nil
}

// scanGrant reads grantColumns, and what follows. It scans into integers because that is what a decision spends most of
// its time on.
func scanGrant(r row, more ...any) (access.Grant, error) {
	var g grantRow
	if err := r.Scan(append(g.targets(), more...)...); err != nil {
		return access.Grant{}, err
	}
	return g.grant(), nil
}

// A grantRow is a row of grantColumns.
type grantRow struct {
	owner                                                                  bool
	accountStatus, version, permissions, status, starts, expires, lastSeen int64
}

func (g *grantRow) targets() []any {
	return []any{&g.owner, &g.accountStatus, &g.version, &g.permissions, &g.status, &g.starts, &g.expires, &g.lastSeen}
}

func (g *grantRow) grant() access.Grant {
	grant := access.Grant{Owner: g.owner, Account: access.AccountStatus(g.accountStatus), Version: uint64(g.version)}
	if g.status != 0 { // there is a membership
		grant.Permissions, grant.Status = access.Permission(g.permissions), access.Status(g.status)
		grant.Starts, grant.Expires, grant.LastSeen = instant(g.starts), instant(g.expires), instant(g.lastSeen)
	}
	return grant
}

func (t *tx) Grant(ctx context.Context, account access.AccountID, user access.UserID) (access.Grant, error) {
	if err := t.ready(ctx); err != nil {
		return access.Grant{}, err
	}
	grant, err := readGrant(ctx, t.session.QueryRowContext(ctx, t.text(selectGrant), t.db.grantArgs(account, user)...))
	if a, held := t.Locked(account); held {
		grant.Version = a.Version
	}
	return grant, t.Fail(err)
}

func (t *tx) Grants(ctx context.Context, user access.UserID, accounts []access.AccountID) (map[access.AccountID]access.Grant, error) {
	grants := make(map[access.AccountID]access.Grant)
	for some := range slices.Chunk(accounts, maxList) {
		statement, ids := in(selectGrants, some)
		_, err := list(ctx, t, func(r row) (id access.AccountID, err error) {
			g, err := scanGrant(r, &id)
			if a, held := t.Locked(id); held {
				g.Version = a.Version
			}
			grants[id] = g
			return id, err
		}, "read decisions", statement, append([]any{user, user}, ids...)...)
		if err != nil {
			return nil, err
		}
	}
	return grants, nil
}

// Granted reads its rows into the same fields, as Preload asks for millions.
func (t *tx) Granted(ctx context.Context, after access.MembershipKey, limit int) ([]access.Granted, error) {
	var g grantRow
	var account, user string
	targets := append(g.targets(), &account, &user)
	read := func(r row) (access.Granted, error) {
		if err := r.Scan(targets...); err != nil {
			return access.Granted{}, err
		}
		granted := access.Granted{MembershipKey: access.MembershipKey{Account: access.AccountID(account), User: access.UserID(user)}, Grant: g.grant()}
		if a, held := t.Locked(granted.Account); held {
			granted.Grant.Version = a.Version
		}
		return granted, nil
	}
	return pageOf(ctx, t, limit, read, "list decisions", selectGranted, after.Account, after.Account, after.Account, after.User)
}

func readMembership(r row) (access.Membership, error) {
	var m access.Membership
	err := r.Scan(membershipTargets(&m)...)
	return m, err
}

// membershipTargets are where membershipColumns go.
func membershipTargets(m *access.Membership) []any {
	return []any{&m.Account, &m.User, wholly(&m.Permissions), wholly(&m.Status), (*moment)(&m.Starts), (*moment)(&m.Expires),
		&m.Label, (*moment)(&m.Created), (*moment)(&m.LastSeen)}
}

func readMember(r row) (access.Member, error) {
	var m access.Member
	person := &m.Person
	err := r.Scan(append(membershipTargets(&m.Membership), &m.Owner, (*original)(&person.Address),
		(*canonical)(&person.Address), &person.Verified, &person.Name, &person.SecondFactor, (*moment)(&person.LastSignIn), &person.Locale)...)
	m.Person.ID = m.User
	return m, err
}

func readUserAccount(r row) (access.UserAccount, error) {
	var u access.UserAccount
	a, p := &u.Account, &u.Account.Profile
	err := r.Scan(append(membershipTargets(&u.Membership), &a.Owner, wholly(&a.Status), &p.Name, &p.Company,
		&p.Locale, &p.TimeZone, (*moment)(&a.Created), wholly(&a.Version))...)
	a.ID, u.Owner = u.Membership.Account, a.Owner == u.Membership.User
	return u, err
}

func (t *tx) Membership(ctx context.Context, account access.AccountID, user access.UserID) (access.Membership, error) {
	return find(ctx, t, readMembership, "member", selectMembership, account, user)
}

func (t *tx) PutMembership(ctx context.Context, m access.Membership) error {
	if err := t.hold(ctx, m.Account); err != nil {
		return err
	}
	_, err := t.exec(ctx, "put a membership", putMembership, m.Account, m.User, m.Permissions, m.Status,
		micros(m.Starts), micros(m.Expires), m.Label, micros(m.Created), micros(m.LastSeen))
	return err
}

func (t *tx) DeleteMembership(ctx context.Context, account access.AccountID, user access.UserID) error {
	if err := t.hold(ctx, account); err != nil {
		return err
	}
	deleted, err := t.exec(ctx, "delete a membership", deleteMembership, account, user)
	if err == nil && deleted == 0 {
		err = access.NotFound("member")
	}
	return err
}

func (t *tx) Members(ctx context.Context, account access.AccountID, f access.MemberFilter, after access.UserID, limit int) ([]access.Member, error) {
	fold := access.Fold(f.Prefix)
	statement, args := narrowed(selectMembers, []any{account, account, after},
		condition{f.Status != 0, membersOfStatus, []any{f.Status}},
		condition{f.Permission != 0, membersOfPermission, []any{account, f.Permission, f.Permission}},
		condition{!f.NotSeenSince.IsZero(), membersNotSeenSince, []any{micros(f.NotSeenSince)}},
		condition{f.Prefix != "", membersOfPrefix, []any{fold, fold, fold, fold, f.Prefix, f.Prefix}})
	return pageOf(ctx, t, limit, readMember, "list members", statement, args...)
}

func (t *tx) UserAccounts(ctx context.Context, user access.UserID, f access.AccountFilter, after access.AccountID, limit int) ([]access.UserAccount, error) {
	fold := access.Fold(f.Prefix)
	statement, args := narrowed(selectUserAccounts, []any{after, user, after},
		condition{f.Status != 0, accountsOfStatus, []any{f.Status}},
		condition{f.Permission != 0, accountsOfPermission, []any{f.Permission, f.Permission}},
		condition{fold != "", accountsOfPrefix, []any{fold, fold, fold, fold}})
	accounts, err := pageOf(ctx, t, limit, readUserAccount, "list accounts", statement, args...)
	for i := range accounts {
		if a, held := t.Locked(accounts[i].Account.ID); held {
			accounts[i].Account.Version = a.Version
		}
	}
	return accounts, err
}

func (t *tx) Seats(ctx context.Context, account access.AccountID, now time.Time) (int, error) {
	seats, _, err := one(ctx, t, number, "count seats", countSeats,
		account, micros(time.Time{}), micros(now), account, micros(now))
	return seats, err
}

func (t *tx) Touch(ctx context.Context, account access.AccountID, user access.UserID, at, notAfter time.Time) error {
	_, err := t.exec(ctx, "touch a membership", touchMembership, micros(at), account, user, micros(notAfter))
	return err
}
