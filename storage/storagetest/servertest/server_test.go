package servertest_test

import (
	"database/sql"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/storage/storagetest/servertest"
)

// kinds are the servers that can be started, each with how to find the folder that a data source leads to.
var kinds = []struct {
	name   string
	shared func(testing.TB) *servertest.Server
	start  func(servertest.Options) (*servertest.Server, error)
	folder func(t testing.TB, source string) string
}{
	{"postgres", servertest.Postgres, servertest.StartPostgres, func(t testing.TB, source string) string {
		config, err := pgx.ParseConfig(source)
		require.NoError(t, err)
		return config.Host
	}},
	{"mysql", servertest.MySQL, servertest.StartMySQL, func(t testing.TB, source string) string {
		config, err := mysql.ParseDSN(source)
		require.NoError(t, err)
		return filepath.Dir(config.Addr)
	}},
}

func TestVersion(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			version := kind.shared(t).Version(t)
			t.Log(version)
			require.Regexp(t, `^(PostgreSQL|MariaDB|MySQL) [0-9]+(\.[0-9]+)+$`, version)
		})
	}
}

// TestDefaultsAreUnfriendly shows what tests of columns and transactions count on.
func TestDefaultsAreUnfriendly(t *testing.T) {
	tests := []struct{ engine, variable, query, want string }{
		{"postgres", "ROSTER_TEST_POSTGRES", "SHOW timezone", "Asia/Tokyo"},
		{"postgres", "ROSTER_TEST_POSTGRES", "SHOW listen_addresses", ""},
		{"postgres", "ROSTER_TEST_POSTGRES", "SHOW fsync", "off"},
		{"mysql", "ROSTER_TEST_MYSQL", "SELECT 'a' = 'A'", "1"},
		{"mysql", "ROSTER_TEST_MYSQL", "SELECT @@collation_database", "utf8mb4_general_ci"},
		{"mysql", "ROSTER_TEST_MYSQL", "SELECT @@time_zone", "+09:00"},
		{"mysql", "ROSTER_TEST_MYSQL", "SELECT @@skip_networking", "1"},
		{"mysql", "ROSTER_TEST_MYSQL", "SELECT @@log_bin", "0"},
		{"mysql", "ROSTER_TEST_MYSQL", "SELECT @@innodb_flush_log_at_trx_commit", "0"},
	}
	for _, tt := range tests {
		t.Run(tt.engine+" "+tt.query, func(t *testing.T) {
			if os.Getenv(tt.variable) != "" {
				t.Skip("the server is somebody's own")
			}
			require.Equal(t, tt.want, value(t, servertest.Fresh(t, tt.engine).Open(t), tt.query))
		})
	}
}

// TestTextsSortByLanguage needs ICU, which PostgreSQL offers to whole servers from version 15.
func TestTextsSortByLanguage(t *testing.T) {
	if os.Getenv("ROSTER_TEST_POSTGRES") != "" {
		t.Skip("the server is somebody's own")
	}
	handle := servertest.Fresh(t, "postgres").Open(t)
	if value(t, handle, "SELECT current_setting('server_version_num')::integer >= 150000") != "true" {
		t.Skip("the server is older")
	}
	require.Equal(t, "true", value(t, handle, "SELECT 'a' < 'B'"))
}

// TestMatchedRowsCount shows that an update which changes nothing has found its row, as it has everywhere else.
func TestMatchedRowsCount(t *testing.T) {
	for _, engine := range servertest.Engines() {
		t.Run(engine, func(t *testing.T) {
			handle := servertest.Fresh(t, engine).Open(t)
			makeTable(t, handle)
			add(t, handle, 1)
			result, err := handle.Exec("UPDATE roster_things SET id = 1 WHERE id = 1")
			require.NoError(t, err)
			rows, err := result.RowsAffected()
			require.NoError(t, err)
			require.EqualValues(t, 1, rows)
		})
	}
}

func TestServersSurviveTheirEnd(t *testing.T) {
	ends := map[string]func(*servertest.Server) error{"Kill": (*servertest.Server).Kill, "Shutdown": (*servertest.Server).Shutdown}
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			server := start(t, kind.start)
			source := server.Database(t)
			makeTable(t, server.Open(t, source))
			require.ErrorContains(t, server.Start(), "runs already")
			rows := 0
			for name, end := range ends {
				t.Run(name, func(t *testing.T) {
					handle := server.Open(t, source)
					rows++
					add(t, handle, rows)
					open, err := handle.Begin()
					require.NoError(t, err)
					add(t, open, -rows)

					require.NoError(t, end(server))
					_, err = open.Exec("SELECT 1")
					require.Error(t, err)
					_ = open.Rollback()
					_, err = handle.Exec("SELECT 1")
					require.Error(t, err)
					require.ErrorContains(t, end(server), "doesn't run")
					require.Empty(t, processesIn(t, kind.folder(t, source)))

					require.NoError(t, server.Start())
					require.Equal(t, rows, count(t, handle), "the committed rows, and no other")
				})
			}
		})
	}
}

func TestDurableServersWriteEachCommit(t *testing.T) {
	settings := map[string]map[string]string{
		"postgres": {"SHOW fsync": "on", "SHOW full_page_writes": "on", "SHOW synchronous_commit": "on"},
		"mysql":    {"SELECT @@innodb_flush_log_at_trx_commit": "1", "SELECT @@innodb_doublewrite": "1"},
	}
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			server := start(t, kind.start)
			handle := server.Open(t, server.Database(t))
			for query, want := range settings[kind.name] {
				require.Equal(t, want, value(t, handle, query), query)
			}
		})
	}
}

func TestStopLeavesNothing(t *testing.T) {
	for _, kind := range kinds {
		for _, killed := range []bool{false, true} {
			name := kind.name
			if killed {
				name += " after a crash"
			}
			t.Run(name, func(t *testing.T) {
				server := start(t, kind.start)
				folder := kind.folder(t, server.Database(t))
				require.DirExists(t, folder)
				if _, err := os.Stat("/proc/self/cwd"); err == nil {
					require.NotEmpty(t, processesIn(t, folder))
				}
				if killed {
					require.NoError(t, server.Kill())
				}
				server.Stop()
				require.NoDirExists(t, folder)
				require.Empty(t, processesIn(t, folder))
			})
		}
	}
}

// start returns a durable server of one's own, or skips the test where its programs are missing.
func start(t *testing.T, start func(servertest.Options) (*servertest.Server, error)) *servertest.Server {
	t.Helper()
	server, err := start(servertest.Options{Durable: true})
	if errors.Is(err, exec.ErrNotFound) && os.Getenv("ROSTER_TEST_ALL") == "" {
		t.Skip(err)
	}
	require.NoError(t, err)
	t.Cleanup(server.Stop)
	return server
}

// value returns the one value that a query answers.
func value(t testing.TB, handle *sql.DB, query string) string {
	t.Helper()
	var value string
	require.NoError(t, handle.QueryRow(query).Scan(&value))
	return value
}

// processesIn lists the processes that work in a folder, or worked in it before it was removed. It knows them on Linux only.
func processesIn(t testing.TB, folder string) []string {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/cwd")
	require.NoError(t, err)
	var found []string
	for _, link := range links {
		if works, err := os.Readlink(link); err == nil && strings.HasPrefix(works, folder) {
			found = append(found, link)
		}
	}
	return found
}
