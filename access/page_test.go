package access_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/notify"
)

// A pager is one list of the service.
type pager struct {
	name string
	page func(access.Page) (keys []string, next access.Cursor, err error)
}

func keysOf[E any](list access.List[E], err error, key func(E) string) ([]string, access.Cursor, error) {
	keys := []string{}
	for _, item := range list.Items {
		keys = append(keys, key(item))
	}
	return keys, list.Next, err
}

func (w *world) everyList(t testing.TB, s *access.Service, account access.AccountID, user access.UserID) []pager {
	return []pager{
		{"members", func(p access.Page) ([]string, access.Cursor, error) {
			list, err := s.Members(t.Context(), support, account, access.MemberFilter{}, p)
			return keysOf(list, err, func(m access.Member) string { return string(m.User) })
		}},
		{"who can", func(p access.Page) ([]string, access.Cursor, error) {
			list, err := s.WhoCan(t.Context(), support, account, access.PayInvoices, p)
			return keysOf(list, err, func(m access.Member) string { return string(m.User) })
		}},
		{"accounts", func(p access.Page) ([]string, access.Cursor, error) {
			list, err := s.Accounts(t.Context(), support, user, access.AccountFilter{}, p)
			return keysOf(list, err, func(a access.UserAccount) string { return string(a.Account.ID) })
		}},
		{"messages", func(p access.Page) ([]string, access.Cursor, error) {
			list, err := s.Messages(t.Context(), support, account, access.MessageFilter{}, p)
			return keysOf(list, err, func(m notify.Message) string { return string(m.ID) })
		}},
		{"history", func(p access.Page) ([]string, access.Cursor, error) {
			list, err := s.History(t.Context(), support, account, access.EventFilter{}, p)
			return keysOf(list, err, func(e access.Event) string { return fmt.Sprintf("%d/%d", e.Version, e.Index) })
		}},
	}
}

// pages reads a list page by page.
func (l pager) pages(t require.TestingT, size int) []string {
	var all []string
	page := access.Page{Limit: size}
	for {
		keys, next, err := l.page(page)
		require.NoError(t, err)
		require.LessOrEqual(t, len(keys), size)
		all = append(all, keys...)
		if next == "" {
			return all
		}
		require.Len(t, keys, size, "a page that isn't the last is full")
		page.After = next
	}
}

// TestAnyPageSizeIsTheWhole: the pages of every list, one after the other, are the list.
func TestAnyPageSizeIsTheWhole(t *testing.T) {
	w := newWorld(t)
	for i := range 30 {
		w.AsStaff("s-7").Adds("acme", access.UserID(fmt.Sprintf("m%02d", i)), access.PayInvoices)
		id := access.AccountID(fmt.Sprintf("of-ivan-%02d", i))
		w.must(w.Members.CreateAccount(t.Context(), ivan, access.NewAccount{ID: id, Owner: "ivan", Profile: access.Profile{Name: "x"}}))
	}
	for _, l := range w.everyList(t, w.Members, "acme", "ivan") {
		t.Run(l.name, func(t *testing.T) {
			whole := l.pages(t, access.MaxPage)
			require.Greater(t, len(whole), 30)
			require.Len(t, slices.Compact(slices.Sorted(slices.Values(whole))), len(whole), "nothing is there twice")
			rapid.Check(t, func(t *rapid.T) {
				require.Equal(t, whole, l.pages(t, rapid.IntRange(1, len(whole)+1).Draw(t, "size")))
			})
			first, next, err := l.page(access.Page{})
			require.NoError(t, err)
			require.Equal(t, whole[:min(len(whole), access.DefaultPage)], first)
			require.Equal(t, len(whole) > access.DefaultPage, next != "")
			_, next, err = l.page(access.Page{Limit: len(whole)})
			require.NoError(t, err)
			require.Empty(t, next, "a last page that is full has no next")
		})
	}
}

func TestPagesThatCannotBe(t *testing.T) {
	w := newWorld(t)
	for _, id := range []access.AccountID{"fresh", "another"} {
		w.must(w.Members.CreateAccount(t.Context(), ivan, access.NewAccount{ID: id, Owner: "ivan", Profile: access.Profile{Name: "x"}}))
	}
	w.must(w.Members.CreateAccount(t.Context(), signup, access.NewAccount{ID: "third", Owner: "greg", Profile: access.Profile{Name: "x"}}))
	w.must(w.Members.Suspend(t.Context(), gina, "globex", "greg"))
	w.must(w.Members.Reinstate(t.Context(), gina, "globex", "greg"))
	lists := w.everyList(t, w.Members, "acme", "ivan")
	others := w.everyList(t, w.Members, "globex", "greg")
	for i, l := range lists {
		t.Run(l.name, func(t *testing.T) {
			_, next, err := l.page(access.Page{Limit: 1})
			require.NoError(t, err)
			require.NotEmpty(t, next)
			for _, limit := range []int{-1, 501, 1 << 62, -1 << 62} {
				_, _, err := l.page(access.Page{Limit: limit})
				requireRefused(t, err, access.ErrInvalid, "page.limit", "page")
			}
			made := []access.Cursor{"x", "!", next[1:], next[:len(next)-1], next + "A", next + "\n", "\n" + next, next + "=", next + next,
				access.Cursor(strings.Repeat("A", 1<<20)), access.Cursor(base64.RawURLEncoding.EncodeToString(make([]byte, 8))),
				access.Cursor(strings.Repeat("A", 44)), flip(next)}
			for j, other := range lists {
				if j != i { // WhoCan and Members have the same keys
					_, foreign, err := other.page(access.Page{Limit: 1})
					require.NoError(t, err)
					made = append(made, foreign)
				}
			}
			_, foreign, err := others[i].page(access.Page{Limit: 1})
			require.NoError(t, err)
			require.NotEmpty(t, foreign)
			made = append(made, foreign)
			for _, c := range made {
				keys, next, err := l.page(access.Page{After: c})
				requireRefused(t, err, access.ErrInvalid, "page.cursor", "page")
				require.Empty(t, keys)
				require.Empty(t, next)
			}
			_, _, err = l.page(access.Page{After: next})
			require.NoError(t, err)
		})
	}
}

// flip changes the first character of a cursor.
func flip(c access.Cursor) access.Cursor {
	if c[0] == 'A' {
		return "B" + c[1:]
	}
	return "A" + c[1:]
}

// TestCursorsAreSpelledOneWay: base64 has bits to spare at the end, which must be zero.
func TestCursorsAreSpelledOneWay(t *testing.T) {
	for _, keys := range [][]string{{"a"}, {"ab"}, {"abc"}} {
		list := access.ListOf([]string{keys[0], "z"}, 1, "a list", func(string) []string { return keys })
		_, key, err := access.Page{After: list.Next}.Open("a list", 1)
		require.NoError(t, err)
		require.Equal(t, keys, key)
		passed := 0
		for _, last := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" {
			if _, _, err := (access.Page{After: list.Next[:len(list.Next)-1] + access.Cursor(last)}).Open("a list", 1); err == nil {
				passed++
			}
		}
		require.Equal(t, 1, passed)
		_, _, err = access.Page{After: list.Next}.Open("a list", 2)
		requireRefused(t, err, access.ErrInvalid, "page.cursor", "page")
		_, _, err = access.Page{After: list.Next}.Open("a lis", 1)
		requireRefused(t, err, access.ErrInvalid, "page.cursor", "page")
	}
}

func TestCursorsHoldAnyTexts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringN(0, 20, 150).Draw(t, "list")
		keys := rapid.SliceOfN(rapid.StringN(0, 40, 128), 1, 3).Draw(t, "keys")
		list := access.ListOf([]int{1, 2}, 1, name, func(int) []string { return keys })
		limit, key, err := access.Page{After: list.Next, Limit: 7}.Open(name, len(keys))
		require.NoError(t, err)
		require.Equal(t, 7, limit)
		require.Equal(t, keys, key)
	})
}

func FuzzCursor(f *testing.F) {
	f.Add("", 1)
	f.Add("AWFCJj3bR5VB6A", 1)
	f.Fuzz(func(t *testing.T, cursor string, n int) {
		_, key, err := access.Page{After: access.Cursor(cursor)}.Open("a list", n)
		if err != nil {
			requireRefused(t, err, access.ErrInvalid, "page.cursor", "page")
			return
		}
		if cursor != "" {
			list := access.ListOf([]int{1, 2}, 1, "a list", func(int) []string { return key })
			require.Equal(t, cursor, string(list.Next))
		}
	})
}

func TestWalk(t *testing.T) {
	w := newWorld(t)
	w.crowd("acme", access.MaxPage+20)
	calls := 0
	fetch := func(p access.Page) (access.List[access.Member], error) {
		calls++
		require.Equal(t, access.MaxPage, p.Limit)
		return w.Members.Members(t.Context(), olive, "acme", access.MemberFilter{}, p)
	}
	var walked []access.UserID
	for m, err := range access.Walk(fetch) {
		require.NoError(t, err)
		walked = append(walked, m.User)
	}
	require.Equal(t, 2, calls)
	require.Len(t, walked, access.MaxPage+20+9)
	require.IsIncreasing(t, walked)

	calls = 0
	for range access.Walk(fetch) {
		break
	}
	require.Equal(t, 1, calls)

	// Each page is authorised anew: the walk ends with the error as soon as the actor may no longer.
	n := 0
	var last error
	for m, err := range access.Walk(func(p access.Page) (access.List[access.Member], error) {
		return w.Members.Members(t.Context(), mona, "acme", access.MemberFilter{}, p)
	}) {
		if err != nil {
			require.Zero(t, m)
			require.NoError(t, last, "nothing comes after an error")
			last = err
			continue
		}
		if n++; n == access.MaxPage {
			w.As("olive").Suspends("acme", "mona")
		}
	}
	require.Equal(t, access.MaxPage, n)
	requireRefused(t, last, access.ErrDenied, "denies.manage", "")
}
