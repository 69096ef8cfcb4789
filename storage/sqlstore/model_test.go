package sqlstore_test

import (
	"bytes"
	"database/sql"
	"database/sql/driver"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/storage/storagetest"
)

// TestModel compares the services with a naive model of their rules, and searches all that was stored for every token
// that was mailed. On servers every commit fails once by a conflict, so that it shows too that units may run again.
func TestModel(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		require.NoError(t, flag.Set("rapid.checks", modelChecks))
		file := newFile(t)
		tokens := storagetest.Model(t, migrated(t, openHandle(t, file)))
		files, err := filepath.Glob(file + "*")
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, name := range files {
			content, err := os.ReadFile(name)
			require.NoError(t, err)
			for _, token := range tokens {
				require.False(t, bytes.Contains(content, []byte(token)), "a token is in a file")
				require.False(t, bytes.Contains(content, storagetest.TokenSecret(token)), "the secret of a token is in a file")
			}
		}
	})
	onEngines(t, servers(), func(t *testing.T, engine engine) {
		require.NoError(t, flag.Set("rapid.checks", modelChecksOnServers))
		var p probe
		handle, db := engine.probed(t, &p)
		commits := 0
		p.set(func(_ driver.Conn, statement string) error { // every unit that writes has to run twice
			if statement != "COMMIT" {
				return nil
			}
			if commits++; commits%2 == 1 {
				return engine.conflict()
			}
			return nil
		}, nil)
		tokens := storagetest.Model(t, db)
		p.set(nil, nil)
		require.NotZero(t, commits)
		content := storedRows(t, engine, handle)
		require.Contains(t, content, "invite")
		for _, token := range tokens {
			require.False(t, strings.Contains(content, token), "a token is in a row")
			require.False(t, strings.Contains(content, hex.EncodeToString([]byte(token))), "a token is in a row")
			secret := hex.EncodeToString(storagetest.TokenSecret(token))
			require.False(t, strings.Contains(content, secret), "the secret of a token is in a row")
		}
	})
}

// storedRows returns all rows of all tables as text, and what is bytes in hexadecimal too.
func storedRows(t *testing.T, engine engine, handle *sql.DB) string {
	t.Helper()
	var content strings.Builder
	for _, table := range engine.tables(t, handle) {
		rows, err := handle.QueryContext(t.Context(), `SELECT * FROM `+table)
		require.NoError(t, err)
		columns, err := rows.Columns()
		require.NoError(t, err)
		values, targets := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			targets[i] = &values[i]
		}
		for rows.Next() {
			require.NoError(t, rows.Scan(targets...))
			for _, value := range values {
				if bytes, ok := value.([]byte); ok {
					fmt.Fprintf(&content, "%x\n%s\n", bytes, bytes)
				} else {
					fmt.Fprintln(&content, value)
				}
			}
		}
		require.NoError(t, rows.Err())
		require.NoError(t, rows.Close())
	}
	return content.String()
}
