package benchtest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access/internal/benchtest"
)

// TestAnswers compares all implementations with the map.
func TestAnswers(t *testing.T) {
	s := benchtest.NewScene(t, 1_000)
	questions := s.Questions("uniform")[:1<<12]
	for _, impl := range benchtest.Ours() {
		require.Empty(t, s.Wrong(impl.Build(t, s, questions), questions), impl.Name)
	}
	questions = s.AboutOne(questions[0])
	require.Empty(t, s.Wrong(benchtest.Grant().Build(t, s, questions), questions))
}

// TestHalfOfTheAnswersAreNo counts, and shows that wrong answers are noticed.
func TestHalfOfTheAnswersAreNo(t *testing.T) {
	s := benchtest.NewScene(t, 1_000)
	for _, dist := range []string{"uniform", "zipf"} {
		questions := s.Questions(dist)
		always := s.Wrong(func(*benchtest.Question) bool { return true }, questions)
		never := s.Wrong(func(*benchtest.Question) bool { return false }, questions)
		sampled := len(always) + len(never)
		require.Positive(t, sampled)
		require.InDelta(t, sampled/2, len(always), float64(sampled/5), dist)
	}
}
