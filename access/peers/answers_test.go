package peers_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access/internal/benchtest"
)

// TestAnswers compares all implementations with the map.
func TestAnswers(t *testing.T) {
	s := benchtest.NewScene(t, 1_000)
	questions := s.Questions("uniform")[:1<<12]
	for _, impl := range implementations() {
		t.Run(impl.Name, func(t *testing.T) {
			require.Empty(t, s.Wrong(impl.Build(t, s, questions), questions))
		})
	}
}
