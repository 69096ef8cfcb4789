package servertest_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/storage/storagetest/servertest"
)

func TestPgBouncerPoolsTransactions(t *testing.T) {
	server := servertest.Postgres(t)
	source := server.Database(t)
	makeTable(t, server.Open(t, source))
	pooled := server.Open(t, servertest.PgBouncer(t, source)+" default_query_exec_mode=exec")

	for range 20 { // more connections than there are to the server
		client, err := pooled.Conn(t.Context())
		require.NoError(t, err)
		defer client.Close()
		require.NoError(t, client.PingContext(t.Context()))
	}

	var transactions []*sql.Tx
	for id := range 3 {
		transaction, err := pooled.Begin()
		require.NoError(t, err)
		defer func() { _ = transaction.Rollback() }()
		add(t, transaction, id)
		transactions = append(transactions, transaction)
	}
	impatient, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := pooled.ExecContext(impatient, "SELECT 1")
	require.ErrorIs(t, err, context.DeadlineExceeded, "the three transactions have all connections")

	require.NoError(t, transactions[0].Commit())
	require.Equal(t, 1, count(t, pooled), "two transactions are open")
}
