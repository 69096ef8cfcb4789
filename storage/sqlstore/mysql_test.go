package sqlstore_test

import (
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"
)

func TestMySQLRefusals(t *testing.T) {
	for _, tt := range []struct {
		name    string
		set     func(*mysql.Config)
		prepare []string
		want    string
	}{
		{"strict mode", func(c *mysql.Config) { c.Params = map[string]string{"sql_mode": "'NO_ENGINE_SUBSTITUTION'"} }, nil,
			"sqlstore: the sql_mode is not strict, so that what is too long would be cut off instead of refused:" +
				" add STRICT_TRANS_TABLES to the server's sql_mode, or to the data source: sql_mode=CONCAT(@@sql_mode,',STRICT_TRANS_TABLES')"},
		{"database", func(c *mysql.Config) { c.DBName = "" }, nil,
			"sqlstore: the data source names no database: put one behind its slash"},
		{"found rows", func(c *mysql.Config) { c.ClientFoundRows = false }, nil,
			"sqlstore: the connection counts the rows that were changed, not those that were found: add clientFoundRows=true to the data source"},
		{"foreign table", nil, []string{`CREATE TABLE roster_users (id INTEGER)`},
			"sqlstore: there is a table roster_users that roster has not made: rename it or use another database"},
		{"foreign view", nil, []string{`CREATE VIEW roster_limits AS SELECT 1`},
			"sqlstore: there is a table roster_limits that roster has not made: rename it or use another database"},
		{"foreign version table", nil, []string{`CREATE TABLE roster_migrations (id INTEGER)`},
			"sqlstore: there is a table roster_migrations that roster has not made: rename it or use another database"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			database := mysqlEngine.database(t)
			execute(t, database.Open(t), tt.prepare...)
			config, err := mysql.ParseDSN(database.Source)
			require.NoError(t, err)
			if tt.set != nil {
				tt.set(config)
			}
			database.Source = config.FormatDSN()
			require.EqualError(t, mysqlEngine.open(t, database.Open(t)).Migrate(t.Context()), tt.want)
		})
	}
}

// TestMySQLComparesBytes finds the columns of keys that sort in a language.
func TestMySQLComparesBytes(t *testing.T) {
	handle, _ := mysqlEngine.migrated(t)
	require.Empty(t, column(t, handle, `SELECT CONCAT(c.table_name, '.', c.column_name)
		FROM information_schema.columns AS c
		JOIN information_schema.statistics AS s
			ON s.table_schema = c.table_schema AND s.table_name = c.table_name AND s.column_name = c.column_name
		WHERE c.table_schema = DATABASE() AND c.collation_name IS NOT NULL`))
}

// TestMySQLWithInterpolation runs the contract where the driver puts arguments into the statements.
func TestMySQLWithInterpolation(t *testing.T) {
	database := mysqlEngine.database(t)
	database.Source += "&interpolateParams=true"
	contract(t, mysqlEngine, database)
}
