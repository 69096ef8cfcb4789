package servertest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// PgBouncer starts a throw-away PgBouncer in front of the PostgreSQL database that source names, and returns the data
// source through it. It ends with the test. It pools transactions: consecutive transactions of a connection run on
// whichever of its three connections to the server is free. Before version 1.21 it knows no prepared statements, so that
// the caller adds default_query_exec_mode=exec or simple_protocol to the data source.
func PgBouncer(t testing.TB, source string) string {
	t.Helper()
	program, err := findProgram("pgbouncer")
	skipWithoutPrograms(t, err, "install PgBouncer")
	config, err := pgx.ParseConfig(source)
	require.NoError(t, err)
	home, err := newHome("postgres") // who may enter the folder of our server
	require.NoError(t, err)
	t.Cleanup(home.remove)
	settings := filepath.Join(home.folder, "settings")
	require.NoError(t, os.WriteFile(settings, []byte(pgbouncerSettings(config, home.folder)), 0o600))
	require.NoError(t, os.Chown(settings, home.owner, -1))

	process, err := home.start(program, settings)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, process.end(syscall.SIGKILL)) })
	pooled := fmt.Sprintf("host=%s port=6432 user=roster dbname=%s sslmode=disable", home.folder, config.Database)
	require.NoError(t, home.explain(process.answers(func(ctx context.Context) error {
		return execute(ctx, "pgx", pooled+" default_query_exec_mode=simple_protocol", "SELECT 1")
	})))
	return pooled
}

// pgbouncerSettings returns the content of the settings file. Whoever reaches the socket may connect, as the user of the
// database's data source.
func pgbouncerSettings(database *pgx.ConnConfig, folder string) string {
	quote := func(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
	login := "user=" + quote(database.User)
	if database.Password != "" { // an empty text in quotes would be a quote
		login += " password=" + quote(database.Password)
	}
	return fmt.Sprintf(`[databases]
%s = host=%s port=%d %s

[pgbouncer]
pool_mode = transaction
default_pool_size = 3
max_client_conn = 200
listen_addr =
listen_port = 6432
unix_socket_dir = %s
auth_type = any
server_tls_sslmode = prefer
`, database.Database, quote(database.Host), database.Port, login, folder)
}
