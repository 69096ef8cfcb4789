package access

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"iter"
	"strconv"
)

// DefaultPage and MaxPage are how many entries a page has if it isn't said, and at most.
const (
	DefaultPage = 50
	MaxPage     = 500
)

// A Page selects a part of a list. The zero value selects the first page.
type Page struct {
	After Cursor // the Next of the page before; empty for the first
	Limit int    // 1 to MaxPage; 0 for DefaultPage
}

// A Cursor is a place in one list. It is opaque, and refused by any other list.
type Cursor string

// A List is one page of a list.
type List[E any] struct {
	Items []E
	Next  Cursor // of the next page; empty on the last
}

// Walk returns all entries of a list, fetching page by page, each authorised anew. It ends after the first error.
//
//	for member, err := range access.Walk(func(p access.Page) (access.List[access.Member], error) {
//		return members.Members(ctx, actor, account, access.MemberFilter{}, p)
//	}) { ... }
func Walk[E any](fetch func(Page) (List[E], error)) iter.Seq2[E, error] {
	return func(yield func(E, error) bool) {
		page := Page{Limit: MaxPage}
		for {
			list, err := fetch(page)
			if err != nil {
				var none E
				yield(none, err)
				return
			}
			for _, item := range list.Items {
				if !yield(item, nil) {
					return
				}
			}
			if list.Next == "" {
				return
			}
			page.After = list.Next
		}
	}
}

// Open returns how many entries the page has, and the key that its cursor holds, of n texts; the key is nil on the
// first page. ErrInvalid with code "page.limit" or "page.cursor", the latter for a cursor that this list didn't make.
func (p Page) Open(list string, n int) (limit int, key []string, err error) {
	limit = p.Limit
	if limit == 0 {
		limit = DefaultPage
	}
	if limit < 0 || limit > MaxPage {
		return 0, nil, &Error{Kind: ErrInvalid, Code: "page.limit", Field: "page", Reason: "has a limit out of range",
			Params: map[string]string{"max": strconv.Itoa(MaxPage)}}
	}
	if p.After == "" {
		return limit, nil, nil
	}
	key, ok := p.After.key(list, n)
	if !ok {
		return 0, nil, Invalid("page", "page.cursor", "has a cursor that this list didn't make")
	}
	return limit, key, nil
}

// ListOf returns the page of up to limit entries from rows, of which one more than that was asked of storage, so
// that it is known whether there is a next page. It starts after the last entry's key.
func ListOf[E any](rows []E, limit int, list string, key func(E) []string) List[E] {
	if len(rows) <= limit {
		return List[E]{Items: rows}
	}
	rows = rows[:limit]
	return List[E]{Items: rows, Next: newCursor(list, key(rows[limit-1]))}
}

// A cursor is the base64url of its key's texts, each led by its length, and 8 bytes of a hash of them and the list.
func newCursor(list string, key []string) Cursor {
	var b []byte
	for _, text := range key {
		b = binary.AppendUvarint(b, uint64(len(text)))
		b = append(b, text...)
	}
	return Cursor(base64.RawURLEncoding.EncodeToString(append(b, cursorSum(list, b)...)))
}

func (c Cursor) key(list string, n int) ([]string, bool) {
	const maxCursor = 1024
	if len(c) > maxCursor {
		return nil, false
	}
	b, err := base64.RawURLEncoding.DecodeString(string(c))
	if err != nil || len(b) < 8 || base64.RawURLEncoding.EncodeToString(b) != string(c) {
		return nil, false
	}
	b, sum := b[:len(b)-8], b[len(b)-8:]
	if string(sum) != string(cursorSum(list, b)) {
		return nil, false
	}
	var key []string
	for len(b) > 0 {
		size, read := binary.Uvarint(b)
		if read <= 0 || size > uint64(len(b)-read) {
			return nil, false
		}
		key = append(key, string(b[read:read+int(size)]))
		b = b[read+int(size):]
	}
	return key, len(key) == n
}

func cursorSum(list string, b []byte) []byte {
	sum := sha256.Sum256(append([]byte(list+"\x00"), b...))
	return sum[:8]
}

// orZero returns the zero value beside an error: what was read before it isn't an answer.
func orZero[T any](value T, err error) (T, error) {
	if err != nil {
		var zero T
		return zero, err
	}
	return value, nil
}
