package sqlstore

import (
	"database/sql"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The population of the tests of plans: 10,000 accounts with 100,000 memberships, and of everything else in proportion.
// One account is big, and one user is a member of every account. Rows are stored in an order that no key has.
const (
	manyAccounts    = 10_000
	manyMemberships = 100_000
	manyUsers       = 50_000
	membersEach     = 8 // but for the big account and the busy user
	bigMembers      = 10_000
	bigInvites      = 5_000
	bigPending      = 500
	bigContacts     = 5_000
	bigPreferences  = 5_000
	bigMessages     = 10_000
	bigEvents       = 5_000
	manyQueued      = 100_000
	eventsEach      = 4
	waitingEach     = 1_000 // invites to one address
	manyLimits      = 5_000
	usesEach        = 4
	manyFollowers   = 5_000
	manySuppressed  = 40_000
	feedbackEach    = 3
)

const (
	bigAccount     = "account 1000000"
	waitingAccount = "account 1000001" // many mails of which are queued
	someAccount    = "account 1005000"
	busyUser       = "user 1000000"
	someUser       = "user 1025000" // a member of the big account, and of one or two others
	sharedMail     = "shared@example.com"
	popularMail    = "popular@example.com"
	someMail       = "1025000@example.com"
	someFollower   = "follower 1002500"
	populatedNow   = 1_000_000 // as the times of the rows are measured
)

// A filling is an INSERT of many rows, of numbers i, in which {account i} and the like stand for ids.
type filling struct {
	rows  int
	table string // and columns
	row   string
}

func fillings() []filling {
	const memberships = `roster_memberships (account_id, user_id, permissions, status, starts_at, expires_at, label, created_at, last_seen_at)`
	const invites = `roster_invites (account_id, id, address, canonical, permissions, member_starts_at, member_expires_at, label,
		inviter_kind, inviter_id, generation, delivery, state, pending, created_at, sent_at, expires_at, closed_at, accepted_by, secret, key_id)`
	const contacts = `roster_contacts (account_id, id, name, name_fold, address, canonical, company, postal_street, postal_city,
		postal_region, postal_postal_code, postal_country, phone, label, categories, created_at, updated_at)`
	const verifications = `roster_verifications (account_id, contact_id, generation, secret, sent_at, expires_at, used_at)`
	const preferences = `roster_preferences (account_id, user_id, categories)`
	const messages = `roster_messages (id, kind, group_id, ref, generation, recipient_id, created_at, state, due_at, attempt,
		leased_until, done_at, reason, address, subject, turn)`
	const events = `roster_events (account_id, version, idx, id, occurred_at, kind, public, actor_commitment, target_commitment,
		by_user_id, for_user_id, target_kind, target_id, hash, shard, number)`
	return []filling{
		{manyAccounts, `roster_accounts (id, owner_id, status, name, name_fold, company, company_fold, billing_street, billing_city,
				billing_region, billing_postal_code, billing_country, postal_street, postal_city, postal_region, postal_postal_code,
				postal_country, phone, locale, time_zone, seats, domains, created_at, version, head_count, head_hash)`,
			`{account i}, {user 1 + i * 8 % 49999}, 1, {Name i}, {name i}, '', '', '1 High Street', 'Town', '', '12345', 'AT', '', '', '', '',
				'', '', 'en', 'UTC', 0, '[]', i, 100, 10, {32 bytes}`},
		{manyAccounts * membersEach, memberships, `{account i / 8}, {user 1 + i % 49999}, i % 16383 + 1, 1 + i % 50 / 49, {never}, {never}, '', i, i`},
		{bigMembers, memberships, `{account 0}, {user 20000 + i}, i % 16383 + 1, 1 + i % 50 / 49, {never}, {never}, '', i, i`},
		{manyAccounts, memberships, `{account i}, {user 0}, i % 16383 + 1, 1 + i % 50 / 49, {never}, {never}, '', i, i`},
		{manyUsers, `roster_users (id, address, canonical, verified, name, name_fold, second_factor, last_sign_in_at)`,
			`{user i}, {mail i}, {mail i}, 1, {Name i}, {name i}, 0, i`},
		{3, `roster_users (id, address, canonical, verified, name, name_fold, second_factor, last_sign_in_at)`,
			`{user 90000 + i}, 'shared@example.com', 'shared@example.com', 1, '', '', 0, i`},
		// An eighth is pending and live, an eighth was never answered.
		{2 * manyAccounts, invites, `{account i / 2}, {invite i}, {mail i}, {mail i}, 1, {never}, {never}, '', 1, {user 1 + i}, 1, 0,
				CASE WHEN i % 4 = 0 THEN 1 ELSE 2 END, CASE WHEN i % 4 = 0 THEN 1 END, i, i, i % 8 * 400000, {never}, '', {16 bytes}, CASE WHEN i % 3 = 0 THEN 'key 1' ELSE 'key 2' END`},
		{bigInvites, invites, `{account 0}, {invite 20000 + i}, {mail 100000 + i}, {mail 100000 + i}, 1 + i % 2, {never}, {never}, '', 1,
				{user 1 + i % 20}, 1, 0, CASE WHEN i % 10 = 0 THEN 1 ELSE 2 END, CASE WHEN i % 10 = 0 THEN 1 END, i, i, 2000000, {never}, '', {16 bytes}, 'key 2'`},
		{waitingEach, invites, `{account 1 + i}, {invite 30000 + i}, 'popular@example.com', 'popular@example.com', 1, {never}, {never}, '', 1,
				{user 1 + i}, 1, 0, 1, 1, i, i, 2000000, {never}, '', {16 bytes}, 'key 2'`},
		{2 * manyAccounts, contacts, `{account i / 2}, {contact i}, {Name i}, {name i}, {mail i}, {mail i}, '', '', '', '', '', '', '', '', i % 64, i, i`},
		{bigContacts, contacts, `{account 0}, {contact 20000 + i}, {Name i}, {name i}, {mail 100000 + i}, {mail 100000 + i}, '', '', '', '', '', '', '', '',
				i % 64, i, i`},
		{2 * manyAccounts, verifications, `{account i / 2}, {contact i}, 1, {16 bytes}, i, i, {never}`},
		{manyAccounts, `roster_unsubscribed (account_id, canonical, categories)`, `{account i}, {mail i}, 1 + i % 63`},
		{manyAccounts * membersEach / 2, preferences, `{account i / 8}, {user 1 + i % 49999}, i % 64`},
		{bigPreferences, preferences, `{account 0}, {user 20000 + i}, i % 64`},
		{2 * manyAccounts, messages, `{message i}, 'invite', {account i / 2}, {invite i}, 1, '', i, CASE i % 40 WHEN 0 THEN 1 WHEN 1 THEN 4 ELSE 2 END, i * 4, 0, {never}, 0,
				'', {mail i}, 'Subject', CASE WHEN i % 80 = 40 THEN 1 + i / 80 ELSE 0 END`},
		{bigMessages, messages, `{message 20000 + i}, CASE WHEN i % 2 = 0 THEN 'invite' ELSE 'added' END, {account 0}, {invite 20000 + i / 2}, 1, '', i, 2, i, 1, {never}, i,
				'', {mail i}, 'Subject', 0`},
		{manyQueued, messages, `{message 200000 + i}, 'invite', {account 1}, {invite 200000 + i}, 1, '', i, 1, i, 0, {never}, 0,
				'', '', '', 10 + i`},
		{manyAccounts * eventsEach, events, `{account i / 4}, 1 + i % 4, 0, {event i}, i, CASE WHEN i % 2 = 0 THEN 'member.added' ELSE 'invite.sent' END, {32 bytes}, {32 bytes},
				{32 bytes}, {user 1 + i % 49999}, '', 'user', {user i % 1000}, {32 bytes}, i % 64, i / 64 + 1`},
		{bigEvents, events, `{account 0}, 5 + i, 0, {event 40000 + i}, i, CASE WHEN i % 2 = 0 THEN 'member.added' ELSE 'invite.sent' END, {32 bytes}, {32 bytes}, {32 bytes},
				{user 1 + i % 49999}, '', 'user', {user i % 1000}, {32 bytes}, (40000 + i) % 64, (40000 + i) / 64 + 1`},
		{manyAccounts, `roster_notices (account_id, id, kind, category, resource, also, data, attachments, created_at)`,
			`{account i}, {notice i}, 'invoice', 1, '', '[]', {16 bytes}, '[]', i`},
		{manySuppressed * feedbackEach, `roster_feedback (canonical, id, kind, occurred_at, message_id, detail, actor)`,
			`{mail i / 3 * 5}, {feedback i}, 1 + i % 3, i, {message i}, 'mailbox full', ''`},
		{manySuppressed, `roster_suppressions (canonical, kind, since_at)`, `{mail i * 5}, 1 + i % 3, i`},
		{manyFollowers, `roster_followers (id, acknowledged)`, `{follower i}, i`},
		{manyLimits, `roster_limits (digest, kept_until)`, `{digest i}, 999900 + i`},
		{manyLimits * usesEach, `roster_limit_uses (digest, used_at, uses, kept_until)`, `{digest i / 4}, 900000 + i % 4, 1, 999900 + i / 4`},
	}
}

// populate fills a migrated database with a part of the population, and has the engine gather its statistics.
func populate(t testing.TB, engine string, handle *sql.DB, part int) {
	t.Helper()
	tx, err := handle.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer tx.Rollback()
	run := func(statement string) {
		t.Helper()
		_, err := tx.ExecContext(t.Context(), statement)
		require.NoError(t, err, statement)
	}
	run(`CREATE TABLE numbers (i INTEGER NOT NULL PRIMARY KEY)`)
	run(`INSERT INTO numbers VALUES (0)`)
	for n := 1; n < manyMemberships; n *= 2 {
		run(fmt.Sprintf(`INSERT INTO numbers SELECT i + %d FROM numbers`, n))
	}
	for _, f := range fillings() { // mixed up by a prime
		run(spelled(engine, fmt.Sprintf(`INSERT INTO %s SELECT %s FROM (SELECT i * 7919 %% %d AS i FROM numbers WHERE i < %[3]d) AS n`,
			f.table, f.row, max(1, f.rows/part))))
	}
	require.NoError(t, tx.Commit())
	gather := []string{"ANALYZE"}
	switch engine {
	case "sqlite":
		gather = append(gather, "ANALYZE sqlite_master") // reads them
	case "mysql":
		gather = nil
		for _, f := range fillings() {
			table, _, _ := strings.Cut(f.table, " ")
			gather = append(gather, "ANALYZE TABLE "+table)
		}
	}
	for _, statement := range gather {
		_, err := handle.ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
	var memberships int
	require.NoError(t, handle.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM roster_memberships`).Scan(&memberships))
	require.Equal(t, manyMemberships/part, memberships)
}

var braces = regexp.MustCompile(`\{([^{}]*)\}`)

// spelled writes a statement with braces as the engine wants it.
func spelled(engine, statement string) string {
	if engine == "mysql" {
		statement = strings.ReplaceAll(statement, " / ", " DIV ")
	}
	joined := func(a, b, c string) string {
		if engine == "mysql" {
			return fmt.Sprintf("CONCAT('%s', %s, '%s')", a, b, c)
		}
		return fmt.Sprintf("'%s' || (%s) || '%s'", a, b, c)
	}
	binary := func(text string) string {
		switch engine {
		case "sqlite":
			return "CAST(" + text + " AS BLOB)"
		case "postgres":
			return "convert_to(" + text + ", 'UTF8')"
		}
		return text
	}
	return braces.ReplaceAllStringFunc(statement, func(brace string) string {
		word, rest, _ := strings.Cut(brace[1:len(brace)-1], " ")
		switch word {
		case "never":
			return "-62135596800000000"
		case "16":
			return binary("'" + strings.Repeat("x", 16) + "'")
		case "32":
			return binary("'" + strings.Repeat("x", 32) + "'")
		case "digest":
			return binary(joined("twenty-five letters of a ", "1000000+"+rest, ""))
		case "mail":
			return joined("", "1000000+"+rest, "@example.com")
		}
		return joined(word+" ", "1000000+"+rest, "")
	})
}
