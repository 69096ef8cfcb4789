package access

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// placesOf returns the places of so many users in one account.
func placesOf(n int) (places []place) {
	key := sipKeyOf(1, 2)
	for i := range n {
		places = append(places, place{key.of(UserID(fmt.Sprint("user ", i)), "acme")})
	}
	return places
}

// answered counts an answer about each place.
func (t *tally) answered(places []place) {
	for _, p := range places {
		if t.has(p) {
			t.count()
		}
	}
}

func TestFewAreCountedOneByOne(t *testing.T) {
	var tally tally
	places := placesOf(manyHits - 1)
	for turn := range 10 {
		tally.answered(places)
		require.EqualValues(t, (turn+1)*len(places), tally.hits.Load())
		tally.turn()
	}
}

// TestManyAreEstimated counts millions of answers about 100,000 places. What is counted is a sample: of one part in 256 here,
// which is 400 places more or less.
func TestManyAreEstimated(t *testing.T) {
	var tally tally
	places := placesOf(100_000)
	const rounds = 50
	for range rounds {
		tally.answered(places)
	}
	require.EqualValues(t, manyParts, tally.mask.Load()/firstPart+1)
	answered := float64(rounds * len(places))
	require.InDelta(t, answered, tally.hits.Load(), answered/5)
}

// TestPartsTakeTurns answers as often about each place in each turn: all parts together are all places.
func TestPartsTakeTurns(t *testing.T) {
	var tally tally
	places := placesOf(10_000)
	for tally.mask.Load()/firstPart+1 < manyParts {
		tally.answered(places)
	}
	counted := make([]int, len(places))
	for range manyParts {
		for i, p := range places {
			if tally.has(p) {
				counted[i]++
			}
		}
		tally.counted.Store(fewHits)
		tally.turn()
	}
	for i := range counted {
		require.Equal(t, 1, counted[i], "place %d", i)
	}
}

// TestFewAgain counts each of few again after many, in steps.
func TestFewAgain(t *testing.T) {
	var tally tally
	places := placesOf(10_000)
	for tally.mask.Load()/firstPart+1 < manyParts {
		tally.answered(places)
	}
	for range int(math.Log2(manyParts)) {
		require.NotZero(t, tally.mask.Load())
		tally.turn()
	}
	before := tally.hits.Load()
	tally.answered(places[:10])
	require.EqualValues(t, 10, tally.hits.Load()-before)
}
