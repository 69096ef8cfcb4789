package access

import (
	"fmt"
	"math/bits"
	"slices"
	"sync"
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
func (h *hits) answered(places []place) {
	for _, p := range places {
		if h.counts(p) {
			h.count()
		}
	}
}

// parts returns how many parts there are.
func (h *hits) parts() int { return int(h.mask.Load()/partBit) + 1 }

func TestFewAreCountedOneByOne(t *testing.T) {
	var hits hits
	places := placesOf(manyHits - 1)
	for turn := range uint32(10) {
		hits.answered(places)
		require.EqualValues(t, int(turn+1)*len(places), hits.total.Load())
		hits.turn(turn * partBit)
	}
}

// TestManyAreEstimated counts millions of answers about 100,000 places. Of these 400, more or less, are in one part of 256.
func TestManyAreEstimated(t *testing.T) {
	var hits hits
	places := placesOf(100_000)
	const rounds = 50
	for range rounds {
		hits.answered(places)
	}
	require.Equal(t, manyParts, hits.parts())
	answered := float64(rounds * len(places))
	require.InDelta(t, answered, hits.total.Load(), answered/5)
}

// TestAllPartsTogetherAreAll counts answers about one place, for each part that could be drawn: on the average it is right,
// however often there come to be more parts meanwhile.
func TestAllPartsTogetherAreAll(t *testing.T) {
	for _, n := range []int{100, manyHits, 10_000, 50_000} {
		places, all := slices.Repeat(placesOf(1), n), uint64(0)
		for part := range uint32(manyParts) {
			var hits hits
			hits.turn(part * partBit)
			hits.answered(places)
			all += hits.total.Load()
		}
		require.EqualValues(t, manyParts*n, all)
	}
}

// TestPartsStay has as many answers in each turn: there are as many parts in the end as in the beginning.
func TestPartsStay(t *testing.T) {
	var hits hits
	places := placesOf(5_000)
	for turn := range uint32(10) {
		hits.answered(places)
		require.Equal(t, 2, hits.parts())
		hits.turn(turn * partBit)
	}
}

// TestFewAgain counts each of few again after many, in steps.
func TestFewAgain(t *testing.T) {
	var hits hits
	places := placesOf(10_000)
	for range 1000 {
		hits.answered(places)
	}
	require.Equal(t, manyParts, hits.parts())
	hits.turn(0) // there were many in this turn
	for range bits.Len(manyParts - 1) {
		require.NotEqual(t, 1, hits.parts())
		hits.turn(0)
	}
	require.Equal(t, 1, hits.parts())
	before := hits.total.Load()
	hits.answered(places[:10])
	require.EqualValues(t, 10, hits.total.Load()-before)
}

// TestCountingWhileTurnsBegin leaves parts of which each place is in one.
func TestCountingWhileTurnsBegin(t *testing.T) {
	var (
		hits   hits
		places = placesOf(1_000)
		group  sync.WaitGroup
	)
	for range 4 {
		group.Go(func() {
			for range 200 {
				hits.answered(places)
			}
		})
	}
	for range 2 {
		group.Go(func() {
			for turn := range uint32(2_000) {
				hits.turn(turn * partBit)
			}
		})
	}
	group.Wait()
	require.Zero(t, hits.mask.Load()%partBit)
	require.Equal(t, 1, bits.OnesCount(uint(hits.parts())), "%d parts", hits.parts())
	require.LessOrEqual(t, hits.parts(), manyParts)
}
