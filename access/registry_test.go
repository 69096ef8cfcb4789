package access_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
)

func TestCheckLease(t *testing.T) {
	for _, lease := range []time.Duration{time.Millisecond, access.DefaultLease, time.Hour} {
		require.NoError(t, access.CheckLease(lease), lease)
	}
	for _, lease := range []time.Duration{0, time.Millisecond - 1, -time.Second} {
		err := access.CheckLease(lease)
		require.ErrorIs(t, err, access.ErrInvalid, lease)
		require.EqualError(t, err, "roster: lease is shorter than a millisecond")
	}
}
