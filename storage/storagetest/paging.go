package storagetest

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// A pager reads a list by its key. The zero key begins at the start.
type pager[K comparable, T any] struct {
	page func(from K, limit int) ([]T, error)
	key  func(T) K
}

// all reads the list in pages of a size, and checks that no page is longer, or shorter before the end.
func (p pager[K, T]) all(t *testing.T, size int) []T {
	t.Helper()
	var list []T
	var from K
	for {
		page, err := p.page(from, size)
		require.NoError(t, err)
		require.LessOrEqual(t, len(page), size)
		list = append(list, page...)
		if len(page) < size {
			return list
		}
		require.NotEqual(t, from, p.key(page[size-1]), "a page ends where the last one did")
		from = p.key(page[size-1])
	}
}

// check reads the list in pages of every size, and compares its keys with those wanted.
func (p pager[K, T]) check(t *testing.T, want []K) {
	t.Helper()
	for size := 1; size <= len(want)+2; size++ {
		got := p.keys(p.all(t, size))
		require.True(t, slices.Equal(want, got), "in pages of %d: %v, not %v", size, got, want)
	}
	// Every key is a place to go on from.
	for i, key := range want {
		rest, err := p.page(key, len(want)+1)
		require.NoError(t, err)
		require.True(t, slices.Equal(want[i+1:], p.keys(rest)), "from %v: %v, not %v", key, p.keys(rest), want[i+1:])
	}
}

func (p pager[K, T]) keys(list []T) []K {
	keys := make([]K, len(list))
	for i, thing := range list {
		keys[i] = p.key(thing)
	}
	return keys
}

// newestFirst returns keys in descending order.
func newestFirst[K ~string](keys []K) []K {
	keys = slices.Sorted(slices.Values(keys))
	slices.Reverse(keys)
	return keys
}
