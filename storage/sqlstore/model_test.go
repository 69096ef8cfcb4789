package sqlstore_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/storage/storagetest"
)

// TestModel compares the services with a naive model of their rules, and searches the files of the database for every
// token that was mailed.
func TestModel(t *testing.T) {
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
}
