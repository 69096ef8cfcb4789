package storagetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/storage"
)

func memberCases() []testCase {
	return []testCase{
		{"round trip", "a membership comes back as it was stored", membershipRoundTrip},
		{"stored again", "a membership that is stored again keeps Created and LastSeen, and nothing else of the old one",
			membershipAgain},
		{"deleted", "a deleted membership is gone from every list, and one added later starts anew", membershipDeleted},
		{"of one account", "memberships of other accounts and users stay as they are", membershipIsolated},
		{"directory", "members come with their directory entries; of users the directory doesn't know, only the id is set",
			membersWithPersons},
		{"pages", "pages of any size, put together, are the whole list in byte order of the ids", memberPages},
		{"pages while rows change", "rows that don't change while a list is paged appear once", memberPagesMoving},
		{"filters", "every combination of filters selects whom it says", memberFilters},
		{"prefix", "a prefix means its characters, in any script and whatever they mean to a database", memberPrefixes},
		{"seats", "seats are memberships but the owner's, and invites, that aren't over at the very instant", seats},
		{"touch", "Touch sets LastSeen unless it is later than asked, and changes nothing else", touch},
		{"granted", "the Grants of all memberships come in the order of account and user, by any page size", grantedInPages},
	}
}

func fullMembership(account access.AccountID, user access.UserID) access.Membership {
	return access.Membership{
		Account: account, User: user, Permissions: access.All, Status: access.Suspended,
		Starts: noon().AddDate(0, -1, 0), Expires: noon().AddDate(0, 1, 0), Label: "Büro % _ \\ '",
		Created: noon(), LastSeen: noon().Add(time.Hour),
	}
}

func membershipRoundTrip(t *testing.T, db database) {
	db.insert(acme)
	bare := access.Membership{Account: acme, User: eve, Status: access.Active}
	for _, want := range []access.Membership{fullMembership(acme, ann), newMembership(acme, bob, 1<<62), bare} {
		read := func(ctx context.Context, tx storage.Tx) {
			got, err := tx.Membership(ctx, acme, want.User)
			require.NoError(t, err)
			equal(t, want, got)
			members, err := tx.Members(ctx, acme, access.MemberFilter{Prefix: string(want.User)}, "", 10)
			require.NoError(t, err)
			equal(t, []access.Member{{Membership: want, Person: access.User{ID: want.User}}}, members)
		}
		db.locked(acme, func(ctx context.Context, tx storage.Tx) {
			require.NoError(t, tx.PutMembership(ctx, want))
			read(ctx, tx)
		})
		db.view(read)
	}
}

func membershipAgain(t *testing.T, db database) {
	db.insert(acme)
	first := fullMembership(acme, ann)
	second := access.Membership{Account: acme, User: ann, Permissions: 3, Status: access.Active, Label: "new",
		Created: noon().AddDate(1, 0, 0), LastSeen: noon().AddDate(1, 0, 0)}
	db.locked(acme, func(ctx context.Context, tx storage.Tx) { require.NoError(t, tx.PutMembership(ctx, first)) })
	db.locked(acme, func(ctx context.Context, tx storage.Tx) { require.NoError(t, tx.PutMembership(ctx, second)) })
	want := second
	want.Created, want.LastSeen = first.Created, first.LastSeen
	db.view(func(ctx context.Context, tx storage.Tx) {
		got, err := tx.Membership(ctx, acme, ann)
		require.NoError(t, err)
		equal(t, want, got)
	})
}

func membershipDeleted(t *testing.T, db database) {
	db.insert(acme)
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		require.NoError(t, tx.PutMembership(ctx, fullMembership(acme, ann)))
		require.NoError(t, tx.PutMembership(ctx, fullMembership(acme, bob)))
	})
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		require.NoError(t, tx.DeleteMembership(ctx, acme, ann))
		require.ErrorIs(t, tx.DeleteMembership(ctx, acme, ann), access.ErrNotFound)
		require.ErrorIs(t, tx.DeleteMembership(ctx, acme, eve), access.ErrNotFound)
	})
	db.view(func(ctx context.Context, tx storage.Tx) {
		_, err := tx.Membership(ctx, acme, ann)
		require.ErrorIs(t, err, access.ErrNotFound)
		members, err := tx.Members(ctx, acme, access.MemberFilter{}, "", 10)
		require.NoError(t, err)
		require.Len(t, members, 1)
		accounts, err := tx.UserAccounts(ctx, ann, access.AccountFilter{}, "", 10)
		require.NoError(t, err)
		require.Empty(t, accounts)
	})
	want := newMembership(acme, ann, 1)
	want.Created = noon().AddDate(1, 0, 0)
	db.locked(acme, func(ctx context.Context, tx storage.Tx) { require.NoError(t, tx.PutMembership(ctx, want)) })
	db.view(func(ctx context.Context, tx storage.Tx) {
		got, err := tx.Membership(ctx, acme, ann)
		require.NoError(t, err)
		equal(t, want, got)
	})
}

func membershipIsolated(t *testing.T, db database) {
	db.insert(acme, globex)
	db.update(func(ctx context.Context, tx storage.Tx) {
		_, err := tx.Lock(ctx, acme, globex)
		require.NoError(t, err)
		for _, account := range []access.AccountID{acme, globex} {
			for _, user := range []access.UserID{ann, bob} {
				require.NoError(t, tx.PutMembership(ctx, fullMembership(account, user)))
			}
		}
	})
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		require.NoError(t, tx.PutMembership(ctx, newMembership(acme, ann, 2)))
		require.NoError(t, tx.Touch(ctx, acme, ann, noon().AddDate(1, 0, 0), noon().AddDate(1, 0, 0)))
		require.NoError(t, tx.DeleteMembership(ctx, acme, ann))
	})
	db.view(func(ctx context.Context, tx storage.Tx) {
		for account, users := range map[access.AccountID][]access.UserID{acme: {bob}, globex: {ann, bob}} {
			for _, user := range users {
				got, err := tx.Membership(ctx, account, user)
				require.NoError(t, err)
				equal(t, fullMembership(account, user), got)
			}
		}
	})
}

func membersWithPersons(t *testing.T, db database) {
	db.insert(acme)
	known := fullUser(t, ann)
	want := []access.Member{
		{Membership: newMembership(acme, ann, 1), Person: known},
		{Membership: newMembership(acme, bob, 1), Person: access.User{ID: bob}},
		{Membership: newMembership(acme, olga, 0), Person: access.User{ID: olga}, Owner: true},
	}
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		require.NoError(t, tx.PutUsers(ctx, known, access.User{ID: eve, Name: "no member"}))
		for _, m := range want {
			require.NoError(t, tx.PutMembership(ctx, m.Membership))
		}
	})
	db.view(func(ctx context.Context, tx storage.Tx) {
		got, err := tx.Members(ctx, acme, access.MemberFilter{}, "", 10)
		require.NoError(t, err)
		equal(t, want, got)
	})
}

// orderedIDs are ids that a language's order or a number's would put otherwise.
func orderedIDs() []access.UserID {
	return []access.UserID{"10", "9", "A", "B", "Z", "_", "a", "a ", "a b", "a%", "aa", "b", "olga", "z", "Ä", "ä", "é", "日本", "👩"}
}

func memberPager(ctx context.Context, tx storage.Tx, f access.MemberFilter) pager[access.UserID, access.Member] {
	return pager[access.UserID, access.Member]{
		page: func(after access.UserID, limit int) ([]access.Member, error) {
			return tx.Members(ctx, acme, f, after, limit)
		},
		key: func(m access.Member) access.UserID { return m.User },
	}
}

func memberPages(t *testing.T, db database) {
	db.insert(acme, globex)
	want := orderedIDs()
	db.update(func(ctx context.Context, tx storage.Tx) {
		_, err := tx.Lock(ctx, acme, globex)
		require.NoError(t, err)
		for i := range want {
			user := want[(i*7)%len(want)] // in no order
			require.NoError(t, tx.PutMembership(ctx, newMembership(acme, user, 1)))
			require.NoError(t, tx.PutMembership(ctx, newMembership(globex, user+"x", 1)))
		}
	})
	db.view(func(ctx context.Context, tx storage.Tx) {
		memberPager(ctx, tx, access.MemberFilter{}).check(t, want)
		memberPager(ctx, tx, access.MemberFilter{Permission: 1}).check(t, want)
		memberPager(ctx, tx, access.MemberFilter{Permission: 2}).check(t, []access.UserID{olga})
		memberPager(ctx, tx, access.MemberFilter{Prefix: "a"}).check(t, []access.UserID{"a", "a ", "a b", "a%", "aa"})
	})
}

// memberPagesMoving reads pages in views of their own, as pages of a web site are, and changes rows between them.
func memberPagesMoving(t *testing.T, db database) {
	db.insert(acme)
	name := func(n int) access.UserID { return access.UserID(fmt.Sprintf("user %02d", n)) }
	const n = 20
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		for i := range n {
			require.NoError(t, tx.PutMembership(ctx, newMembership(acme, name(i), 1)))
		}
	})
	for size := 1; size <= n+1; size += 3 {
		var seen []access.UserID
		var after access.UserID
		for round := 0; ; round++ {
			var page []access.Member
			db.view(func(ctx context.Context, tx storage.Tx) {
				var err error
				page, err = tx.Members(ctx, acme, access.MemberFilter{}, after, size)
				require.NoError(t, err)
			})
			for _, m := range page {
				seen = append(seen, m.User)
			}
			if len(page) < size {
				break
			}
			require.NotEqual(t, after, page[size-1].User)
			after = page[size-1].User
			db.locked(acme, func(ctx context.Context, tx storage.Tx) {
				// Odd ones come and go, before and behind the place reached, which itself may go.
				for i := 1; i < n; i += 2 {
					if (i/2+round)%3 == 0 {
						require.NoError(t, tx.PutMembership(ctx, newMembership(acme, name(i), 1)))
					} else if _, err := tx.Membership(ctx, acme, name(i)); err == nil {
						require.NoError(t, tx.DeleteMembership(ctx, acme, name(i)))
					}
				}
				require.NoError(t, tx.PutMembership(ctx, newMembership(acme, name(0)+" and one more", 1)))
			})
		}
		require.True(t, slices.IsSorted(seen))
		require.Equal(t, slices.Compact(slices.Clone(seen)), seen, "in pages of %d, one appears twice", size)
		for i := 0; i < n; i += 2 {
			require.Contains(t, seen, name(i), "in pages of %d", size)
		}
	}
}

func memberFilters(t *testing.T, db database) {
	db.insert(acme)
	seen := []time.Time{{}, noon(), noon().Add(time.Microsecond), noon().Add(time.Hour)}
	sets := []access.Permission{0, 1, 2, 3, 1 << 62, 1<<62 | 1, 1<<14 - 1, access.All}
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		require.NoError(t, tx.PutMembership(ctx, newMembership(acme, olga, 0)))
		for i := range 32 {
			m := newMembership(acme, access.UserID(fmt.Sprintf("user %02d", i)), sets[i%len(sets)])
			m.Status, m.LastSeen = access.Status(1+i/3%2), seen[i/2%len(seen)]
			require.NoError(t, tx.PutMembership(ctx, m))
			if i%5 != 0 {
				require.NoError(t, tx.PutUsers(ctx, access.User{ID: m.User, Name: []string{"Ann", "anna", "Bob"}[i%3],
					Address: address(t, []string{"ann@example.com", "Bob@example.com"}[i%2])}))
			}
		}
	})
	db.view(func(ctx context.Context, tx storage.Tx) {
		everybody := memberPager(ctx, tx, access.MemberFilter{}).all(t, 100)
		require.Len(t, everybody, 33)
		for _, status := range []access.Status{0, access.Active, access.Suspended} {
			for _, p := range append(sets, 4) {
				for _, prefix := range []string{"", "ANN", "ann@", "bob", "user 1", "USER", "olga"} {
					for _, since := range append(seen, noon().AddDate(1, 0, 0)) {
						f := access.MemberFilter{Status: status, Permission: p, Prefix: prefix, NotSeenSince: since}
						var want []access.UserID
						for _, m := range everybody {
							if selects(f, m) {
								want = append(want, m.User)
							}
						}
						pages := memberPager(ctx, tx, f)
						require.Equal(t, fmt.Sprint(want), fmt.Sprint(pages.keys(pages.all(t, 100))), "%+v", f)
					}
				}
			}
		}
		some := memberPager(ctx, tx, access.MemberFilter{Status: access.Active, Permission: 1, Prefix: "a"})
		some.check(t, some.keys(some.all(t, 100)))
	})
}

// selects says what a filter means.
func selects(f access.MemberFilter, m access.Member) bool {
	return (f.Status == 0 || m.Status == f.Status) &&
		(f.Permission == 0 || m.Owner || m.Permissions.Has(f.Permission)) &&
		(f.NotSeenSince.IsZero() || m.LastSeen.Before(f.NotSeenSince)) &&
		(foldedPrefix(m.Person.Name, f.Prefix) || foldedPrefix(m.Person.Address.Canonical(), f.Prefix) ||
			strings.HasPrefix(string(m.User), f.Prefix))
}

func foldedPrefix(text, prefix string) bool {
	return strings.HasPrefix(access.Fold(text), access.Fold(prefix))
}

// prefixNames are names that a database might compare in its own way, and the beginnings to ask for.
func prefixNames() (names, prefixes []string) {
	names = []string{"", "Ann", "ann b", "ANNA", "an_n", "an%n", `an\n`, "Äpfel", "äpfel", "A\u0308pfel",
		"İstanbul", "istanbul", "ısparta",
		"Straße", "STRASSE", "ẞ", "ςigma", "Σigma", "σigma", "\u212Aelvin", "kelvin", "日本", "👩‍👩‍👧", "👩",
		"O'Neill", `"quoted"`, "%", "_", `\`, "*", "[a]", "?",
		"\u00a0blank", " blank", "\U0010FFFFlast", "\U0010FFFF\U0010FFFF", "ﬀ", "ff", "Ǆ", "ǅ", "ǆ", "1", "01",
		strings.Repeat("é", 200)}
	prefixes = []string{"a", "AN", "ann ", "an_", "AN%", `an\`, "ä", "Ä", "a\u0308", "i", "I", "İ", "ı", "straß", "strass", "ß",
		"σ", "Σ", "ς", "k", "\u212A",
		"日", "👩", "👩‍", "'", "o'", `"`, "%", "_", `\`, `\\`, "%%", "_n", "*", "[", "?", "\u00a0", " ", "\U0010FFFF",
		"ﬀ", "f", "ǆ", "Ǆ", "1", "0", "é",
		strings.Repeat("É", 200), strings.Repeat("x", 200), "user", "USER", "ann@", "Mail_"}
	return names, prefixes
}

func memberPrefixes(t *testing.T, db database) {
	db.insert(acme)
	names, prefixes := prefixNames()
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		for i, name := range names {
			user := access.User{ID: access.UserID(fmt.Sprintf("user %03d", i)), Name: name}
			if i%4 == 0 {
				user.Address = address(t, "Mail_%@example.com")
			}
			require.NoError(t, tx.PutUsers(ctx, user))
			require.NoError(t, tx.PutMembership(ctx, newMembership(acme, user.ID, 1)))
		}
		for _, id := range []access.UserID{"Ann's id", "ann%", "a_", "Äid", "👩id", "\U0010FFFF"} {
			require.NoError(t, tx.PutMembership(ctx, newMembership(acme, id, 1)))
		}
	})
	db.view(func(ctx context.Context, tx storage.Tx) {
		everybody := memberPager(ctx, tx, access.MemberFilter{}).all(t, 1000)
		require.Len(t, everybody, len(names)+6)
		for _, prefix := range prefixes {
			f := access.MemberFilter{Prefix: prefix}
			var want []access.UserID
			for _, m := range everybody {
				if selects(f, m) {
					want = append(want, m.User)
				}
			}
			pages := memberPager(ctx, tx, f)
			require.Equal(t, fmt.Sprint(want), fmt.Sprint(pages.keys(pages.all(t, 1000))), "prefix %q", prefix)
		}
	})
}

func seats(t *testing.T, db database) {
	db.insert(acme, globex)
	end := noon().Add(time.Hour)
	db.update(func(ctx context.Context, tx storage.Tx) {
		_, err := tx.Lock(ctx, acme, globex)
		require.NoError(t, err)
		expiring, suspended, early := newMembership(acme, ann, 1), newMembership(acme, bob, 1), newMembership(acme, eve, 1)
		expiring.Expires, suspended.Status, early.Starts = end, access.Suspended, noon().AddDate(1, 0, 0)
		for _, m := range []access.Membership{newMembership(acme, olga, 0), expiring, suspended, early, newMembership(globex, eve, 1)} {
			require.NoError(t, tx.PutMembership(ctx, m))
		}
		for i, to := range []string{"a@example.com", "b@example.com", "c@example.com"} {
			r := newInvite(t, i, acme, to)
			r.Expires = end
			if i == 1 {
				r.State, r.Closed = invite.Revoked, noon()
			}
			require.NoError(t, tx.InsertInvite(ctx, r))
		}
		require.NoError(t, tx.InsertInvite(ctx, newInvite(t, 9, globex, "a@example.com")))
	})
	db.view(func(ctx context.Context, tx storage.Tx) {
		for now, want := range map[time.Time]int{noon(): 5, end.Add(-time.Microsecond): 5, end: 2, end.AddDate(9, 0, 0): 2} {
			got, err := tx.Seats(ctx, acme, now)
			require.NoError(t, err)
			require.Equal(t, want, got, now)
		}
	})
}

func touch(t *testing.T, db database) {
	db.insert(acme)
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		require.NoError(t, tx.PutMembership(ctx, newMembership(acme, ann, 1)))
	})
	version := db.account(acme).Version
	at := func(minutes int) time.Time { return noon().Add(time.Duration(minutes) * time.Minute) }
	for _, step := range []struct{ at, notAfter, want int }{
		{10, 5, 10}, // never seen before
		{12, 7, 10}, // seen later than 7
		{15, 10, 15},
		{16, 14, 15},
		{30, 25, 30},
	} {
		db.update(func(ctx context.Context, tx storage.Tx) {
			require.NoError(t, tx.Touch(ctx, acme, ann, at(step.at), at(step.notAfter)))
			require.NoError(t, tx.Touch(ctx, acme, bob, at(step.at), at(step.notAfter)))
			require.NoError(t, tx.Touch(ctx, "nobody's", ann, at(step.at), at(step.notAfter)))
		})
		want := newMembership(acme, ann, 1)
		want.LastSeen = at(step.want)
		db.view(func(ctx context.Context, tx storage.Tx) {
			got, err := tx.Membership(ctx, acme, ann)
			require.NoError(t, err)
			equal(t, want, got)
			_, err = tx.Membership(ctx, acme, bob)
			require.ErrorIs(t, err, access.ErrNotFound)
		})
	}
	require.Equal(t, version, db.account(acme).Version)
}

func grantedInPages(t *testing.T, db database) {
	db.insert(acme, globex, initech)
	for i, account := range []access.AccountID{globex, acme} {
		db.locked(account, func(ctx context.Context, tx storage.Tx) {
			for j, user := range []access.UserID{eve, olga, ann, "ANN", "ann "} {
				m := newMembership(account, user, access.Permission(8*i+j+1))
				m.Expires = noon().Add(time.Duration(j) * time.Hour)
				require.NoError(t, tx.PutMembership(ctx, m))
			}
		})
	}
	var want []access.Granted
	for _, account := range []access.AccountID{acme, globex} {
		for _, user := range slices.Sorted(slices.Values([]access.UserID{eve, olga, ann, "ANN", "ann "})) {
			grant, err := db.Grant(db.ctx, account, user)
			require.NoError(t, err)
			want = append(want, access.Granted{MembershipKey: access.MembershipKey{Account: account, User: user}, Grant: grant})
		}
	}
	for limit := range len(want) + 2 {
		var got []access.Granted
		db.view(func(ctx context.Context, tx storage.Tx) {
			for after := (access.MembershipKey{}); ; after = got[len(got)-1].MembershipKey {
				page, err := tx.Granted(ctx, after, limit)
				require.NoError(t, err)
				require.LessOrEqual(t, len(page), limit)
				got = append(got, page...)
				if len(page) == 0 {
					break
				}
			}
		})
		if limit > 0 {
			equal(t, want, got)
		}
	}
	db.update(func(ctx context.Context, tx storage.Tx) {
		_, err := tx.Lock(ctx, acme)
		require.NoError(t, err)
		page, err := tx.Granted(ctx, access.MembershipKey{}, 1)
		require.NoError(t, err)
		require.EqualValues(t, 3, page[0].Grant.Version)
	})
}
