package sqlstore

import (
	"database/sql"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTextsAreBounded sends more statements than are kept: the last are as right as the first.
func TestTextsAreBounded(t *testing.T) {
	db := New(new(sql.DB), Postgres, Config{})
	for i := range 2 * maxTexts {
		require.Equal(t, fmt.Sprintf("SELECT %d + $1", i), db.text(fmt.Sprintf("SELECT %d + ?", i), false))
	}
	kept := 0
	db.texts.Range(func(any, any) bool { kept++; return true })
	require.Equal(t, maxTexts, kept)
}
