package faults_test

import (
	"database/sql/driver"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/storagetest"
	"github.com/rosterkit/roster/storage/storagetest/servertest"
)

// A mutant is a version of the code with one mistake, made of the true one by changing what it sends to the database.
type mutant struct {
	mistake  string
	engines  []string // where it is one
	notices  scenario
	makes    func(engine string) mutation // of both sides
	makesOne func(engine string) mutation // of q only
	alters   func(*testing.T, *database)  // the tables
	source   func(string) string          // what becomes of the data source
}

var (
	all     = []string{"sqlite", "postgres", "mysql"}
	servers = []string{"postgres", "mysql"} // whoever writes to SQLite is alone
)

func mutants() []mutant {
	return []mutant{
		{mistake: "the lock is left out", engines: servers, notices: overlap, makes: withoutLock},
		{mistake: "the lock is left out, for the last seat", engines: servers, notices: lastSeat, makes: withoutLock},
		{mistake: "the lock is taken second", engines: servers, notices: revoked, makesOne: lockSecond},
		{mistake: "shards are not sorted", engines: servers, notices: twoShards, makesOne: highShardFirst},
		{mistake: "updates keep the snapshot they began with", engines: all, notices: lookedFirst, makes: snapshotUpdates},
		{mistake: "a plain SELECT in a transaction of the host", engines: []string{"mysql"}, notices: joined, makes: rewriting(" LOCK IN SHARE MODE", "")},
		{mistake: "INSERT IGNORE", engines: []string{"mysql"}, notices: unfit, makes: rewriting("INSERT INTO roster_", "INSERT IGNORE INTO roster_")},
		{mistake: "identifiers compare by a collation", engines: all, notices: alike, alters: blind},
		{mistake: "changed rows are counted, not found ones", engines: []string{"mysql"}, notices: unchanged, source: withoutFoundRows},
	}
}

// TestMutants shows that each mistake is noticed by its scenario, in which the true code does right.
func TestMutants(t *testing.T) {
	for _, m := range mutants() {
		for _, engine := range m.engines {
			t.Run(m.mistake+"/"+engine, func(t *testing.T) {
				t.Parallel()
				require.NoError(t, m.notices(m.arena(t, engine, false)), "the true code does wrong")
				err := m.notices(m.arena(t, engine, true))
				require.Error(t, err, "nobody notices")
				t.Log(err)
			})
		}
	}
}

// TestScenarios runs all scenarios on all engines, also where there is no mutant for them.
func TestScenarios(t *testing.T) {
	scenarios := map[string]scenario{"overlap": overlap, "lastSeat": lastSeat, "revoked": revoked, "twoShards": twoShards,
		"lookedFirst": lookedFirst, "unfit": unfit, "alike": alike, "unchanged": unchanged}
	for name, scenario := range scenarios {
		for _, engine := range servertest.Engines() {
			t.Run(name+"/"+engine, func(t *testing.T) {
				t.Parallel()
				require.NoError(t, scenario(mutant{}.arena(t, engine, false)))
			})
		}
	}
}

// arena returns one for the scenario, with the mistake or without.
func (m mutant) arena(t *testing.T, engine string, mistaken bool) *arena {
	t.Helper()
	d := open(t, engine)
	require.NoError(t, d.store(t, d.handle).Migrate(t.Context()))
	if mistaken && m.alters != nil {
		m.alters(t, d)
	}
	if mistaken && m.source != nil {
		d.Source = m.source(d.Source)
	}
	a := newArena(t, d)
	if mistaken && m.makes != nil {
		a.p.line.mutate(m.makes(engine))
		a.q.line.mutate(m.makes(engine))
	}
	if mistaken && m.makesOne != nil {
		a.q.line.mutate(m.makesOne(engine))
	}
	return a
}

// rewriting replaces something in all statements.
func rewriting(old, new string) func(string) mutation {
	return func(string) mutation {
		return mutation{rewrite: func(statement string) string { return strings.ReplaceAll(statement, old, new) }}
	}
}

// withoutLock reads the account where it has to be locked.
func withoutLock(string) mutation {
	return mutation{rewrite: func(statement string) string { return strings.TrimSuffix(statement, " FOR UPDATE") }}
}

// snapshotUpdates begins updates as one begins views.
func snapshotUpdates(engine string) mutation {
	if engine == "sqlite" {
		return rewriting("BEGIN IMMEDIATE", "BEGIN")(engine)
	}
	return rewriting("ISOLATION LEVEL READ COMMITTED", "ISOLATION LEVEL REPEATABLE READ")(engine)
}

// lockSecond reads what ann may do before the account is locked, and goes by that.
func lockSecond(string) mutation {
	var mu sync.Mutex
	early := make(map[*conn]driver.Rows)
	return mutation{replace: func(c *call, do func() error) error {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case isStatement(c, []string{lockStatement}) && early[c.conn] == nil: // some drivers are sent it twice
			rows, err := readEarly(c)
			if err != nil {
				return err
			}
			early[c.conn] = rows
		case isStatement(c, []string{"SELECT a.owner_id"}) && early[c.conn] != nil:
			c.rows = early[c.conn]
			c.conn.keep(c.rows)
			delete(early, c.conn)
			return nil
		}
		return do()
	}}
}

// readEarly reads the decision about ann in acme.
func readEarly(c *call) (driver.Rows, error) {
	found, err := c.conn.Conn.(driver.QueryerContext).QueryContext(c.ctx, `SELECT a.owner_id = 'ann', a.status, a.version, m.permissions,
		m.status, m.starts_at, m.expires_at, m.last_seen_at
		FROM roster_accounts AS a JOIN roster_memberships AS m ON m.account_id = a.id AND m.user_id = 'ann'
		WHERE a.id = 'acme'`, nil)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	row := make([]driver.Value, len(found.Columns()))
	if err := found.Next(row); err != nil {
		return nil, err
	}
	for i, value := range row {
		if text, ok := value.([]byte); ok {
			row[i] = slices.Clone(text)
		}
	}
	return &oneRow{columns: found.Columns(), row: row}, nil
}

// A oneRow is a row that was read before.
type oneRow struct {
	columns []string
	row     []driver.Value
}

func (r *oneRow) Columns() []string { return r.columns }
func (r *oneRow) Close() error      { return nil }

func (r *oneRow) Next(values []driver.Value) error {
	if r.row == nil {
		return io.EOF
	}
	copy(values, r.row)
	r.row = nil
	return nil
}

// highShardFirst takes the shard of what was appended first, as one does who doesn't sort.
func highShardFirst(string) mutation {
	return mutation{replace: func(c *call, do func() error) error {
		if isStatement(c, []string{shardStatement}) {
			_, err := c.conn.Conn.(driver.ExecerContext).ExecContext(c.ctx,
				fmt.Sprintf("UPDATE roster_feed SET number = number WHERE shard = %d", highShard), nil)
			if err != nil {
				return err
			}
		}
		return do()
	}}
}

// anyText is how tables of SQLite declare texts.
var anyText = regexp.MustCompile(`\bTEXT(\s+)NOT NULL`)

// blind has ids compare without case.
func blind(t *testing.T, d *database) {
	t.Helper()
	var changes []string
	switch d.Engine {
	case "sqlite": // which can't change a column
		_, err := d.plain.ExecContext(t.Context(), `PRAGMA writable_schema = ON`)
		require.NoError(t, err)
		for _, table := range tables {
			var declared string
			require.NoError(t, d.plain.QueryRowContext(t.Context(), `SELECT sql FROM sqlite_master WHERE name = ?`, table).Scan(&declared))
			_, err := d.plain.ExecContext(t.Context(), `UPDATE sqlite_master SET sql = ? WHERE name = ?`,
				anyText.ReplaceAllString(declared, "TEXT COLLATE NOCASE$1NOT NULL"), table)
			require.NoError(t, err)
		}
		changes = []string{`PRAGMA writable_schema = RESET`, `REINDEX`}
	case "postgres":
		changes = append([]string{`CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`},
			d.column(t, `SELECT format('ALTER TABLE %I ALTER COLUMN %I TYPE text COLLATE blind', table_name, column_name)
				FROM information_schema.columns WHERE table_schema = current_schema() AND collation_name = 'C'
					AND table_name IN ('roster_accounts', 'roster_memberships')`)...)
	case "mysql":
		changes = d.column(t, `SELECT CONCAT('ALTER TABLE ', table_name, ' MODIFY ', column_name, ' VARCHAR(', character_maximum_length,
				') CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL')
			FROM information_schema.columns
			WHERE table_schema = DATABASE() AND data_type = 'varbinary' AND character_maximum_length > 32
				AND table_name IN ('roster_accounts', 'roster_memberships')`)
	}
	for _, change := range changes {
		_, err := d.plain.ExecContext(t.Context(), change)
		require.NoError(t, err, change)
	}
}

// withoutFoundRows is a data source of a host who hasn't read what it needs.
func withoutFoundRows(source string) string {
	return strings.Replace(source, "clientFoundRows=true", "clientFoundRows=false", 1)
}

// blindVariable asks, in the environment, for TestConformanceOfBlindTables.
const blindVariable = "ROSTER_TEST_BLIND"

// TestConformanceOfBlindTables runs the conformance suite on tables whose ids compare without case. It fails, and only
// runs, where TestConformanceNotices asks for it.
func TestConformanceOfBlindTables(t *testing.T) {
	blinded := os.Getenv(blindVariable)
	if blinded == "" {
		return
	}
	storagetest.Run(t, func(t *testing.T) storage.DB {
		d := open(t, "sqlite")
		db := d.store(t, d.handle)
		require.NoError(t, db.Migrate(t.Context()))
		if blinded == "yes" {
			blind(t, d)
			d.handle.SetMaxIdleConns(0) // the connection that migrated knows the tables as they were
		}
		return db
	})
}

func TestConformanceNotices(t *testing.T) {
	for _, blinded := range []string{"no", "yes"} {
		command := exec.CommandContext(t.Context(), os.Args[0], "-test.v", "-test.run", "^TestConformanceOfBlindTables$/^identifiers$")
		command.Env = append(os.Environ(), blindVariable+"="+blinded)
		output, err := command.CombinedOutput()
		if blinded == "no" {
			require.NoError(t, err, string(output))
			require.Contains(t, string(output), "--- PASS: TestConformanceOfBlindTables/identifiers/users_of_an_account")
			continue
		}
		require.Error(t, err, "nobody notices")
		for _, noticed := range []string{"accounts", "users_of_an_account", "users", "events_and_mail"} {
			require.Contains(t, string(output), "--- FAIL: TestConformanceOfBlindTables/identifiers/"+noticed)
		}
	}
}

// TestHostsAreTold shows that the two mistakes that a host can make are refused.
func TestHostsAreTold(t *testing.T) {
	a := mutant{source: withoutFoundRows}.arena(t, "mysql", true)
	require.ErrorContains(t, a.p.db.Verify(a.ctx), "clientFoundRows=true")
	for _, engine := range servers {
		a := mutant{alters: blind}.arena(t, engine, true)
		require.ErrorContains(t, a.p.db.Verify(a.ctx), "byte for byte", engine)
	}
}
