package access

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLimitKeys(t *testing.T) {
	key := func(name ...string) [32]byte { return Limit{Name: name}.key() }
	require.NotEqual(t, key("a", "bc"), key("ab", "c"))
	require.NotEqual(t, key("a"), key("a", ""))
	require.Equal(t, key("a", "b"), key("a", "b"))
}
