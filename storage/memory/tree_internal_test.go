package memory

import (
	"iter"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestTree compares trees with maps: after every step, and every tree of the past once more at the end.
func TestTree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.IntRange(1, 60)
		var current *tree[int, int]
		model := map[int]int{}
		var trees []*tree[int, int]
		var models []map[int]int

		for step := range rapid.IntRange(1, 120).Draw(t, "steps") {
			key := keys.Draw(t, "key")
			if rapid.IntRange(0, 2).Draw(t, "remove") == 0 {
				current = current.remove(key)
				delete(model, key)
			} else {
				current = current.put(key, step)
				model[key] = step
			}
			checkTree(t, current, model, key)
			trees, models = append(trees, current), append(models, maps.Clone(model))
		}
		for i := range trees {
			checkTree(t, trees[i], models[i], keys.Draw(t, "key"))
		}
	})
}

func checkTree(t *rapid.T, tree *tree[int, int], model map[int]int, key int) {
	checkBalance(t, tree)

	got, ok := tree.get(key)
	want, there := model[key]
	require.Equal(t, there, ok)
	require.Equal(t, want, got)

	sorted := slices.Sorted(maps.Keys(model))
	from, found := slices.BinarySearch(sorted, key)
	after := from
	if found {
		after++
	}
	require.Equal(t, model, maps.Collect(tree.above(0)))
	requireKeys(t, sorted, tree.above(0))
	requireKeys(t, sorted[after:], tree.above(key))
	slices.Reverse(sorted)
	requireKeys(t, sorted, tree.below(0))
	requireKeys(t, sorted[len(sorted)-from:], tree.below(key))
}

func requireKeys(t *rapid.T, want []int, walk iter.Seq2[int, int]) {
	got := []int{}
	for key := range walk {
		got = append(got, key)
	}
	require.True(t, slices.Equal(want, got), "want %v, got %v", want, got)
}

func checkBalance(t *rapid.T, tree *tree[int, int]) {
	if tree == nil {
		return
	}
	require.Equal(t, 1+max(tree.left.tall(), tree.right.tall()), tree.height)
	require.InDelta(t, tree.left.tall(), tree.right.tall(), 1, "siblings of %d", tree.key)
	checkBalance(t, tree.left)
	checkBalance(t, tree.right)
}

func TestWalksOfATreeStopWhereTheCallerStops(t *testing.T) {
	var numbers *tree[int, int]
	for n := 1; n <= 20; n++ {
		numbers = numbers.put(n, n)
	}
	var up, down []int
	for n := range numbers.above(0) {
		if up = append(up, n); len(up) == 3 {
			break
		}
	}
	for n := range numbers.below(0) {
		if down = append(down, n); len(down) == 3 {
			break
		}
	}
	require.Equal(t, []int{1, 2, 3}, up)
	require.Equal(t, []int{20, 19, 18}, down)
}
