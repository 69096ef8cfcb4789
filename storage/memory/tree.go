package memory

import (
	"cmp"
	"iter"
)

// A tree is a sorted map that never changes: put and remove return another one, which shares all nodes but those on
// the way to the key. That is what makes a snapshot free and a rollback nothing to do. Nil is the empty tree. It is
// an AVL tree: the heights of two siblings differ by one at most. No key is the zero value.
type tree[K cmp.Ordered, V any] struct {
	*entry[K, V]
	left, right *tree[K, V]
	height      int
}

type entry[K cmp.Ordered, V any] struct {
	key   K
	value V
}

// get returns the value of a key, and whether it is there.
func (t *tree[K, V]) get(key K) (V, bool) {
	for t != nil {
		switch {
		case key < t.key:
			t = t.left
		case t.key < key:
			t = t.right
		default:
			return t.value, true
		}
	}
	var none V
	return none, false
}

// put returns the tree with a value for a key, in the place of an older one.
func (t *tree[K, V]) put(key K, value V) *tree[K, V] {
	switch {
	case t == nil:
		return grow(&entry[K, V]{key, value}, nil, nil)
	case key < t.key:
		return balance(t.entry, t.left.put(key, value), t.right)
	case t.key < key:
		return balance(t.entry, t.left, t.right.put(key, value))
	}
	return grow(&entry[K, V]{key, value}, t.left, t.right)
}

// remove returns the tree without a key.
func (t *tree[K, V]) remove(key K) *tree[K, V] {
	switch {
	case t == nil:
		return nil
	case key < t.key:
		return balance(t.entry, t.left.remove(key), t.right)
	case t.key < key:
		return balance(t.entry, t.left, t.right.remove(key))
	case t.left == nil:
		return t.right
	case t.right == nil:
		return t.left
	}
	next := t.right
	for next.left != nil {
		next = next.left
	}
	return balance(next.entry, t.left, t.right.remove(next.key))
}

// above walks the keys after a key in ascending order, from the first if it is the zero value.
func (t *tree[K, V]) above(after K) iter.Seq2[K, V] {
	return func(yield func(K, V) bool) { t.ascend(after, yield) }
}

// below walks the keys before a key in descending order, from the last if it is the zero value.
func (t *tree[K, V]) below(before K) iter.Seq2[K, V] {
	return func(yield func(K, V) bool) { t.descend(before, yield) }
}

func (t *tree[K, V]) ascend(after K, yield func(K, V) bool) bool {
	if t == nil {
		return true
	}
	if t.key <= after {
		return t.right.ascend(after, yield)
	}
	return t.left.ascend(after, yield) && yield(t.key, t.value) && t.right.ascend(after, yield)
}

func (t *tree[K, V]) descend(before K, yield func(K, V) bool) bool {
	if t == nil {
		return true
	}
	var last K
	if before != last && t.key >= before {
		return t.left.descend(before, yield)
	}
	return t.right.descend(before, yield) && yield(t.key, t.value) && t.left.descend(before, yield)
}

// balance is grow for siblings whose heights may differ by two.
func balance[K cmp.Ordered, V any](e *entry[K, V], left, right *tree[K, V]) *tree[K, V] {
	switch {
	case left.tall() > right.tall()+1:
		if left.left.tall() < left.right.tall() {
			left = grow(left.right.entry, grow(left.entry, left.left, left.right.left), left.right.right)
		}
		return grow(left.entry, left.left, grow(e, left.right, right))
	case right.tall() > left.tall()+1:
		if right.right.tall() < right.left.tall() {
			right = grow(right.left.entry, right.left.left, grow(right.entry, right.left.right, right.right))
		}
		return grow(right.entry, grow(e, left, right.left), right.right)
	}
	return grow(e, left, right)
}

func grow[K cmp.Ordered, V any](e *entry[K, V], left, right *tree[K, V]) *tree[K, V] {
	return &tree[K, V]{entry: e, left: left, right: right, height: 1 + max(left.tall(), right.tall())}
}

func (t *tree[K, V]) tall() int {
	if t == nil {
		return 0
	}
	return t.height
}
