package sqlstore

// A tableRight is what a program does with a table.
type tableRight struct{ table, rights string }

// tableRights are what a program needs that doesn't migrate. What is never changed or deleted, such as the history,
// it needn't be able to.
func tableRights() []tableRight {
	return []tableRight{
		{"roster_accounts", "SELECT, INSERT, UPDATE"},
		{"roster_memberships", "SELECT, INSERT, UPDATE, DELETE"},
		{"roster_users", "SELECT, INSERT, UPDATE"},
		{"roster_invites", "SELECT, INSERT, UPDATE"},
		{"roster_contacts", "SELECT, INSERT, UPDATE, DELETE"},
		{"roster_verifications", "SELECT, INSERT, UPDATE, DELETE"},
		{"roster_unsubscribed", "SELECT, INSERT, UPDATE, DELETE"},
		{"roster_preferences", "SELECT, INSERT, UPDATE, DELETE"},
		{"roster_messages", "SELECT, INSERT, UPDATE"},
		{"roster_notices", "SELECT, INSERT"},
		{"roster_feedback", "SELECT, INSERT"},
		{"roster_suppressions", "SELECT, INSERT, UPDATE, DELETE"},
		{"roster_events", "SELECT, INSERT"},
		{"roster_feed", "SELECT, UPDATE"},
		{"roster_cluster", "SELECT, UPDATE"},
		{"roster_followers", "SELECT, INSERT, UPDATE, DELETE"},
		{"roster_limits", "SELECT, INSERT, UPDATE, DELETE"},
		{"roster_limit_uses", "SELECT, INSERT, UPDATE, DELETE"},
	}
}

// Grants returns the statements that give a role what a program needs that calls Verify instead of Migrate, to be run
// by the role that migrated. The role is put into them as it is: app on PostgreSQL, 'app'@'%' on MySQL. SQLite has no
// roles, and no grants. On PostgreSQL, the role needs the USAGE of a schema too, of which this knows the Config's only.
func (db *DB) Grants(role string) []string {
	if !db.engine.roles {
		return nil
	}
	var grants []string
	if db.config.Schema != "" {
		grants = append(grants, `GRANT USAGE ON SCHEMA "`+db.config.Schema+`" TO `+role)
	}
	for _, right := range append(tableRights(), tableRight{"roster_migrations", "SELECT"}) {
		grants = append(grants, "GRANT "+right.rights+" ON "+db.config.full(right.table)+" TO "+role)
	}
	return grants
}
