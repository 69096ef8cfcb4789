package casbinadapter

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rosterkit/roster/access"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestHeldSurvivesItsText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := func(name string) time.Time {
			if rapid.Bool().Draw(t, name+" is set") {
				return time.UnixMicro(rapid.Int64Range(-1e15, 2e17).Draw(t, name)).UTC()
			}
			return time.Time{}
		}
		h := held{access.Permission(rapid.Uint64Range(0, uint64(access.All)).Draw(t, "set")), period{at("starts"), at("expires")}}
		parsed, err := parseHeld(h.String())
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(h, parsed, cmp.AllowUnexported(held{}, period{})))
	})
}

func TestOtherTextsAreNoSets(t *testing.T) {
	for _, text := range []string{"", "set", "set\t", "set\t-1", "set\t1\t", "set\t1\t\t", "set\t1\t\t\t", "set 1", "invoices", " set\t1",
		"set\t9223372036854775808", "set\t1\tnow\t", "set\t1\t\t2026", "sets\t1"} {
		h, err := parseHeld(text)
		require.ErrorIs(t, err, errNoSet, "%q", text)
		require.Zero(t, h)
	}
}

func FuzzParseHeld(f *testing.F) {
	f.Add("set\t128")
	f.Add("set\t4\t2026-11-02T13:00:00Z\t")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := parseHeld(text)
		if err != nil {
			require.Zero(t, h)
			return
		}
		again, err := parseHeld(h.String())
		require.NoError(t, err)
		require.Equal(t, h.set, again.set)
		require.True(t, h.period.starts.Equal(again.period.starts) && h.period.expires.Equal(again.period.expires))
	})
}
