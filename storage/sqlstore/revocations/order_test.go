package revocations_test

import (
	"math"
	"testing"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rosterkit/roster/access"
)

// TestOrder has ann hold tickets at version 2 and lose them at 3, which may be heard of between 20 and 30.
func TestOrder(t *testing.T) {
	changes := []porcupine.Operation{
		{Input: register{2, access.OpenTickets}, Call: 5, Return: 10},
		{Input: register{3, access.PayInvoices}, Call: 20, Return: 30},
	}
	asked := func(call, back int64, yes bool) porcupine.Operation {
		return porcupine.Operation{Input: access.OpenTickets, Call: call, Output: yes, Return: back}
	}
	for _, tt := range []struct {
		name   string
		checks []porcupine.Operation
		ok     bool
	}{
		{"before, between and after", []porcupine.Operation{asked(1, 2, false), asked(11, 12, true), asked(31, 32, false)}, true},
		{"heard of early", []porcupine.Operation{asked(21, 22, false), asked(23, 24, false)}, true},
		{"heard of late", []porcupine.Operation{asked(21, 22, true), asked(28, 29, true), asked(29, 31, false)}, true},
		{"not heard of", []porcupine.Operation{asked(31, 32, true)}, false},
		{"heard of too early", []porcupine.Operation{asked(18, 19, false)}, false},
		{"heard of, and forgotten", []porcupine.Operation{asked(21, 22, false), asked(23, 24, true)}, false},
		{"two at the same time", []porcupine.Operation{asked(21, 24, false), asked(22, 23, true)}, true},
		{"a check on the way for long", []porcupine.Operation{asked(19, 40, true), asked(31, 32, false)}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, least := range []int{1, 2, math.MaxInt} {
				require.Equal(t, tt.ok, disorderOf(append(tt.checks, changes...), least) == "", "episodes of %d", least)
			}
		})
	}
}

// TestOrderOfVersions has porcupine refuse an order of changes that isn't that of their versions.
func TestOrderOfVersions(t *testing.T) {
	require.NotEmpty(t, disorderOf([]porcupine.Operation{
		{Input: register{3, 0}, Call: 1, Return: 2}, {Input: register{2, access.OpenTickets}, Call: 3, Return: 4},
	}, 1))
}

// TestEpisodes shows that nothing is found in the whole that isn't in the parts, or the other way round.
func TestEpisodes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []porcupine.Operation
		at := int64(0)
		for version := range uint64(rapid.IntRange(0, 8).Draw(t, "changes")) {
			at += rapid.Int64Range(0, 20).Draw(t, "pause")
			held := access.Permission(rapid.IntRange(0, 1).Draw(t, "held")) * access.OpenTickets
			all = append(all, porcupine.Operation{Input: register{version + 1, held}, Call: at, Return: at + rapid.Int64Range(0, 30).Draw(t, "length")})
		}
		for range rapid.IntRange(0, 12).Draw(t, "checks") {
			call := rapid.Int64Range(0, 100).Draw(t, "call")
			all = append(all, porcupine.Operation{Input: access.OpenTickets, Call: call, Output: rapid.Bool().Draw(t, "yes"),
				Return: call + rapid.Int64Range(0, 10).Draw(t, "length")})
		}
		whole := disorderOf(all, math.MaxInt) == ""
		require.Equal(t, whole, disorderOf(all, rapid.IntRange(1, 4).Draw(t, "least")) == "")
	})
}

// disorderOf divides operations into episodes of at least so many, and returns what has no order in the first that hasn't.
func disorderOf(operations []porcupine.Operation, least int) string {
	for _, e := range episodes(sorted(operations), least) {
		if text := e.disorder(); text != "" {
			return text
		}
	}
	return ""
}
