package peers_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
)

// sampled is how many answers are checked.
const sampled = 256

// wrong returns the questions of a sample that are answered otherwise than by the map.
func (s *scene) wrong(can can, questions []question) (wrong []question) {
	random := rand.New(rand.NewPCG(1, 2))
	for range sampled {
		q := &questions[random.IntN(len(questions))]
		held := access.Permission(s.bare[pair{string(q.user), string(q.account)}])
		if can(q) != held.Has(q.permission) {
			wrong = append(wrong, *q)
		}
	}
	return wrong
}

// TestAnswers compares all implementations with the map.
func TestAnswers(t *testing.T) {
	s := newScene(t, 1_000)
	questions := s.questions("uniform")[:1<<12]
	for _, impl := range implementations() {
		t.Run(impl.name, func(t *testing.T) {
			require.Empty(t, s.wrong(impl.build(t, s, questions), questions))
		})
	}
	t.Run("impl=roster/mode=grant", func(t *testing.T) {
		questions := s.aboutOne(questions[0])
		require.Empty(t, s.wrong(rosterGrant(t, s, questions), questions))
	})
}

// TestHalfOfTheAnswersAreNo counts, and shows that wrong answers are noticed.
func TestHalfOfTheAnswersAreNo(t *testing.T) {
	s := newScene(t, 1_000)
	for _, dist := range []string{"uniform", "zipf"} {
		questions := s.questions(dist)
		always := s.wrong(func(*question) bool { return true }, questions)
		never := s.wrong(func(*question) bool { return false }, questions)
		require.Len(t, append(always, never...), sampled)
		require.InDelta(t, sampled/2, len(always), sampled/5, dist)
	}
}
