package pgxtx

import (
	"context"
	"database/sql"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/storage/storagetest/servertest"
)

// begin begins a transaction, and returns what Join makes of it too.
func begin(t *testing.T) (pgx.Tx, *sql.Conn) {
	t.Helper()
	link, err := pgx.Connect(t.Context(), servertest.Postgres(t).Database(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, link.Close(context.Background())) })
	tx, err := link.Begin(t.Context())
	require.NoError(t, err)
	handle := sql.OpenDB(connector{tx})
	t.Cleanup(func() { require.NoError(t, handle.Close()) })
	session, err := handle.Conn(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { _ = session.Close() })
	return tx, session
}

func TestValues(t *testing.T) {
	_, session := begin(t)
	values := make([]any, 7)
	targets := make([]any, len(values))
	for i := range values {
		targets[i] = &values[i]
	}
	require.NoError(t, session.QueryRowContext(t.Context(), `SELECT 1::smallint, 2::integer, $1::bigint, $2::text, $3::bytea,
		true, NULL::text`, uint64(3), "é", []byte("\x00\xff")).Scan(targets...))
	require.Equal(t, []any{int64(1), int64(2), int64(3), "é", []byte("\x00\xff"), true, nil}, values)
}

func TestRows(t *testing.T) {
	_, session := begin(t)
	result, err := session.ExecContext(t.Context(), `CREATE TEMPORARY TABLE numbers AS SELECT generate_series(1, $1::integer) AS n`, 3)
	require.NoError(t, err)
	count, err := result.RowsAffected()
	require.NoError(t, err)
	require.EqualValues(t, 3, count)
	for want, statement := range []string{`SELECT n AS a, n AS b FROM numbers WHERE n > 3`, `SELECT n AS a, n AS b FROM numbers WHERE n > 2`,
		`SELECT n AS a, n AS b FROM numbers WHERE n > 1`} {
		rows, err := session.QueryContext(t.Context(), statement)
		require.NoError(t, err)
		columns, err := rows.Columns()
		require.NoError(t, err)
		require.Equal(t, []string{"a", "b"}, columns)
		var found int
		for rows.Next() {
			found++
		}
		require.NoError(t, rows.Err())
		require.Equal(t, want, found)
	}
	var first int
	require.NoError(t, session.QueryRowContext(t.Context(), `SELECT n FROM numbers ORDER BY n`).Scan(&first), "the rest is dropped")
	require.Equal(t, 1, first)
}

// TestErrorAfterARow fails a query while its rows are being read: at the first of them, and later.
func TestErrorAfterARow(t *testing.T) {
	for _, good := range []int{0, 1, 2} {
		tx, session := begin(t)
		rows, err := session.QueryContext(t.Context(), `SELECT 1 / ($1 - n) FROM generate_series(0, 5) AS n`, good)
		if err == nil {
			for rows.Next() {
				require.Positive(t, good)
			}
			err = rows.Err()
		}
		var refusal *pgconn.PgError
		require.ErrorAs(t, err, &refusal, "after %d rows", good)
		require.Equal(t, "22012", refusal.Code)
		require.NoError(t, tx.Rollback(t.Context()))

		_, session = begin(t)
		var first int
		err = session.QueryRowContext(t.Context(), `SELECT 1 / ($1 - n) FROM generate_series(0, 5) AS n`, good).Scan(&first)
		require.ErrorAs(t, err, &refusal, "a row was read, and the rest of the statement failed")
	}
}

// TestClosing closes what was made of a transaction, which goes on.
func TestClosing(t *testing.T) {
	tx, session := begin(t)
	require.NoError(t, session.Close())
	_, err := tx.Exec(t.Context(), `SELECT 1`)
	require.NoError(t, err)
	require.NoError(t, tx.Commit(t.Context()))
	_, session = begin(t)
	_, err = session.PrepareContext(t.Context(), `SELECT 1`)
	require.ErrorIs(t, err, errUnused)
	_, err = session.BeginTx(t.Context(), nil)
	require.ErrorIs(t, err, errUnused)
}
