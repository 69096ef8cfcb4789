package sqlstore_test

import (
	"bytes"
	"database/sql"
	"database/sql/driver"
	"encoding/hex"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/storage/storagetest"
)

// TestModel compares the services with a naive model of their rules, and searches all that was stored for every token
// that was mailed. On PostgreSQL every commit fails once by a conflict, so that it shows too that units may run again.
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
	t.Run("postgres", func(t *testing.T) {
		require.NoError(t, flag.Set("rapid.checks", modelChecksOnServers))
		var p probe
		handle, db := engines()[1].probed(t, &p)
		commits := 0
		p.set(func(_ driver.Conn, statement string) error { // every unit that writes has to run twice
			if statement != "COMMIT" {
				return nil
			}
			if commits++; commits%2 == 1 {
				return stateError("40001")
			}
			return nil
		}, nil)
		tokens := storagetest.Model(t, db)
		p.set(nil, nil)
		require.NotZero(t, commits)
		content := postgresRows(t, handle)
		require.Contains(t, content, "invite")
		for _, token := range tokens {
			require.False(t, strings.Contains(content, token), "a token is in a row")
			require.False(t, strings.Contains(content, hex.EncodeToString([]byte(token))), "a token is in a row")
			secret := hex.EncodeToString(storagetest.TokenSecret(token))
			require.False(t, strings.Contains(content, secret), "the secret of a token is in a row")
		}
	})
}

// postgresRows returns all rows of all tables as text, bytes in hexadecimal.
func postgresRows(t *testing.T, handle *sql.DB) string {
	t.Helper()
	var content strings.Builder
	for _, table := range postgresTables(t, handle) {
		content.WriteString(value(t, handle, `SELECT COALESCE(string_agg(t::text, chr(10)), '') FROM `+table+` AS t`))
	}
	return content.String()
}
