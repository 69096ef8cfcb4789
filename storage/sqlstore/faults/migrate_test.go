package faults_test

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/storage/storagetest/servertest"
)

// TestFaultsOfMigrate lets each call of a migration fail in each way. Another process then finds nothing or everything,
// but on MySQL, where what makes a table can't be rolled back; migrates at once, everywhere; and has what it would have
// had without the fault.
func TestFaultsOfMigrate(t *testing.T) {
	for _, engine := range servertest.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			d := open(t, engine)
			require.NoError(t, d.store(t, d.plain).Migrate(t.Context()))
			complete := d.schema(t)
			all := report{verbs: 1}
			seed, step := uint64(0), 1
			if os.Getenv("ROSTER_SOAK") == "" {
				seed, step = newSeed(t), 7
			}
			for _, fault := range faultsOf("sqlite") { // nobody is there for a conflict
				for n := firstOf(step, seed, fault); d.migrate(t, fault, n, complete, &all); n += step {
				}
			}
			all.log(t, engine)
		})
	}
}

// migrate has the n-th call of a migration fail, unless it has fewer.
func (d *database) migrate(t *testing.T, fault fault, n int, complete string, all *report) (struck bool) {
	f, deadline, returned := punctual(func() (*failing, time.Time, time.Time) { return d.migrateOnce(t, fault, n, complete) })
	if f.struck == nil {
		return false
	}
	one := &report{faults: 1}
	one.late(t, f, deadline, returned)
	all.add(one)
	return true
}

func (d *database) migrateOnce(t *testing.T, fault fault, n int, complete string) (f *failing, deadline, returned time.Time) {
	d.dropAll(t)
	ctx := newDeadline(t.Context())
	defer ctx.end()
	f = &failing{engine: d.Engine, at: n, fault: fault, end: ctx.end}
	d.line.set(f.watch)
	err := d.store(t, d.handle).Migrate(ctx)
	returned = time.Now()
	d.line.set(nil)
	d.requireIdle(t)
	if f.struck == nil {
		require.NoError(t, err)
		require.Equal(t, complete, d.schema(t))
		return f, time.Time{}, returned
	}
	where := f.where()
	checkError(t, where, f, nil, err)
	now := d.schema(t)
	if err == nil && now != complete {
		t.Errorf("%s: it succeeds with\n%s", where, now)
	}
	if now != complete && now != "" && d.Engine != "mysql" {
		t.Errorf("%s: there is half of it:\n%s", where, now)
	}
	another, cancel := context.WithTimeout(t.Context(), 4*patience)
	defer cancel()
	if err := d.store(t, d.plain).Migrate(another); err != nil {
		t.Errorf("%s: another process can't migrate: %v", where, err)
	}
	if now := d.schema(t); now != complete {
		t.Errorf("%s: another process makes\n%s", where, now)
	}
	return f, ctx.at, returned
}

// schema is all tables and indexes with their columns, and the migrations that were done.
func (d *database) schema(t *testing.T) string {
	t.Helper()
	statement := map[string]string{
		"sqlite": `SELECT type || ' ' || name || ' ' || COALESCE(sql, '') FROM sqlite_master WHERE tbl_name LIKE 'roster%'`,
		"postgres": `SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable
				FROM information_schema.columns WHERE table_schema = current_schema()
			UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema()
			UNION ALL SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
				WHERE connamespace = current_schema()::regnamespace`,
		"mysql": `SELECT CONCAT_WS(' ', table_name, column_name, column_type, is_nullable, COALESCE(collation_name, ''))
				FROM information_schema.columns WHERE table_schema = DATABASE()
			UNION ALL SELECT CONCAT_WS(' ', table_name, index_name, seq_in_index, column_name, non_unique)
				FROM information_schema.statistics WHERE table_schema = DATABASE()`,
	}[d.Engine]
	lines := d.column(t, statement)
	if slices.Contains(d.tablesThere(t), "roster_migrations") {
		lines = append(lines, d.column(t, "SELECT version_id FROM roster_migrations WHERE is_applied")...)
	}
	if slices.Contains(d.tablesThere(t), "roster_feed") {
		lines = append(lines, d.column(t, "SELECT COUNT(*) FROM roster_feed")...)
	}
	if slices.Contains(d.tablesThere(t), "roster_cluster") {
		lines = append(lines, d.column(t, "SELECT COUNT(*) FROM roster_cluster")...)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func (d *database) tablesThere(t *testing.T) []string {
	t.Helper()
	return d.column(t, map[string]string{
		"sqlite":   `SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'roster%'`,
		"postgres": `SELECT tablename FROM pg_tables WHERE schemaname = current_schema()`,
		"mysql":    `SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()`,
	}[d.Engine])
}

func (d *database) dropAll(t *testing.T) {
	t.Helper()
	for _, table := range d.tablesThere(t) {
		_, err := d.plain.ExecContext(t.Context(), "DROP TABLE "+table)
		require.NoError(t, err)
	}
}

// column returns the values of the one column that a statement selects, as texts.
func (d *database) column(t *testing.T, statement string) []string {
	t.Helper()
	rows, err := d.plain.QueryContext(t.Context(), statement)
	require.NoError(t, err)
	defer rows.Close()
	var values []string
	for rows.Next() {
		var text string
		require.NoError(t, rows.Scan(&text))
		values = append(values, text)
	}
	require.NoError(t, rows.Err())
	return values
}
