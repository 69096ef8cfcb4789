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
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/storage"
)

func contactCases() []testCase {
	return []testCase{
		{"round trip", "a contact comes back as it was stored", contactRoundTrip},
		{"stored again", "a contact that is stored again keeps Created, and nothing else of the old one", contactAgain},
		{"one address", "an account has one contact with an address; other accounts have their own", contactAddress},
		{"deleted", "a deleted contact is gone, and its address is free", contactDeleted},
		{"by id alone", "a contact is found by its id alone, as it is", contactFound},
		{"verification", "a verification comes back as it was stored last, and goes with its contact", contactVerification},
		{"unsubscribed", "what an address switched off is kept by account and canonical address", contactUnsubscribed},
		{"of one account", "a contact is found, changed and deleted by way of its own account only", contactIsolated},
		{"list", "an account's contacts come in byte order of their ids, by any page size and filter", contactList},
		{"list by prefix", "a prefix means its characters, in any script and whatever they mean to a database",
			contactPrefixes},
	}
}

func fullContact(t *testing.T, n int, account access.AccountID) contact.Contact {
	t.Helper()
	c := newContact(t, n, account, "Üwe % _ \\ '", "Some.One+tag@Example.com")
	c.Company, c.Phone, c.Label, c.Locale, c.Categories = "Acme 🏭", "+43 1 234", "Büro", "de-AT", contact.All
	c.AlternateOf = olga
	c.Verified, c.Unsubscribed, c.Waiting = noon().Add(time.Hour), contact.All, 1<<62|1
	c.Postal = access.PostalAddress{Street: "1 Road", City: "Wien", Region: "W", PostalCode: "1010", Country: "AT"}
	return c
}

func contactRoundTrip(t *testing.T, db database) {
	db.insert(acme)
	for n, want := range []contact.Contact{fullContact(t, 0, acme), newContact(t, 1, acme, "One", "one@example.com")} {
		read := func(ctx context.Context, tx storage.Tx) {
			got, err := tx.Contact(ctx, acme, want.ID)
			require.NoError(t, err)
			equal(t, want, got)
			got, err = tx.ContactByAddress(ctx, acme, want.Address)
			require.NoError(t, err)
			equal(t, want, got)
			list, err := tx.Contacts(ctx, acme, contact.Filter{}, "", 10)
			require.NoError(t, err)
			equal(t, want, list[n])
		}
		db.locked(acme, func(ctx context.Context, tx storage.Tx) {
			require.NoError(t, tx.PutContact(ctx, want))
			read(ctx, tx)
		})
		db.view(read)
	}
}

func contactAgain(t *testing.T, db database) {
	db.insert(acme)
	first, second := fullContact(t, 1, acme), newContact(t, 1, acme, "New", "new@example.com")
	second.Created, second.Updated = noon().AddDate(1, 0, 0), noon().AddDate(1, 0, 0)
	db.locked(acme, func(ctx context.Context, tx storage.Tx) { require.NoError(t, tx.PutContact(ctx, first)) })
	db.locked(acme, func(ctx context.Context, tx storage.Tx) { require.NoError(t, tx.PutContact(ctx, second)) })
	want := second
	want.Created = first.Created
	db.view(func(ctx context.Context, tx storage.Tx) {
		list, err := tx.Contacts(ctx, acme, contact.Filter{}, "", 10)
		require.NoError(t, err)
		equal(t, []contact.Contact{want}, list)
		_, err = tx.ContactByAddress(ctx, acme, first.Address)
		require.ErrorIs(t, err, access.ErrNotFound)
	})
}

func contactAddress(t *testing.T, db database) {
	db.insert(acme, globex)
	first := newContact(t, 1, acme, "One", "one@example.com")
	taken, other := newContact(t, 2, acme, "Two", "ONE@Example.com"), newContact(t, 3, acme, "Three", "three@example.com")
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		require.NoError(t, tx.PutContact(ctx, first))
		require.NoError(t, tx.PutContact(ctx, other))
		require.ErrorIs(t, tx.PutContact(ctx, taken), access.ErrExists)
	})
	moved := other
	moved.Name, moved.Address = "Moved", taken.Address
	respelled := first
	respelled.Address = taken.Address
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		require.ErrorIs(t, tx.PutContact(ctx, moved), access.ErrExists)
		require.NoError(t, tx.PutContact(ctx, respelled), "its own address in another spelling")
		for _, want := range []contact.Contact{respelled, other} {
			got, err := tx.Contact(ctx, acme, want.ID)
			require.NoError(t, err)
			equal(t, want, got)
		}
		_, err := tx.Contact(ctx, acme, taken.ID)
		require.ErrorIs(t, err, access.ErrNotFound)
	})
	db.locked(globex, func(ctx context.Context, tx storage.Tx) {
		require.NoError(t, tx.PutContact(ctx, newContact(t, 4, globex, "Same", "one@example.com")))
	})
}

func contactDeleted(t *testing.T, db database) {
	db.insert(acme)
	first, next := newContact(t, 1, acme, "One", "one@example.com"), newContact(t, 2, acme, "Next", "one@example.com")
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		require.NoError(t, tx.PutContact(ctx, first))
		require.NoError(t, tx.DeleteContact(ctx, acme, first.ID))
		require.ErrorIs(t, tx.DeleteContact(ctx, acme, first.ID), access.ErrNotFound)
		_, err := tx.ContactByAddress(ctx, acme, first.Address)
		require.ErrorIs(t, err, access.ErrNotFound)
		require.NoError(t, tx.PutContact(ctx, next))
	})
	db.view(func(ctx context.Context, tx storage.Tx) {
		list, err := tx.Contacts(ctx, acme, contact.Filter{}, "", 10)
		require.NoError(t, err)
		equal(t, []contact.Contact{next}, list)
	})
}

func contactFound(t *testing.T, db database) {
	db.insert(acme, globex)
	one, other := fullContact(t, 1, acme), newContact(t, 2, globex, "Other", "other@example.com")
	db.update(func(ctx context.Context, tx storage.Tx) {
		_, err := tx.Lock(ctx, acme, globex)
		require.NoError(t, err)
		require.NoError(t, tx.PutContact(ctx, one))
		require.NoError(t, tx.PutContact(ctx, other))
	})
	one.Address, one.Categories = address(t, "moved@example.com"), 1
	db.locked(acme, func(ctx context.Context, tx storage.Tx) { require.NoError(t, tx.PutContact(ctx, one)) })
	db.view(func(ctx context.Context, tx storage.Tx) {
		for _, want := range []contact.Contact{one, other} {
			got, err := tx.FindContact(ctx, want.ID)
			require.NoError(t, err)
			equal(t, want, got)
		}
		for _, id := range []contact.ID{"", "none", contact.ID(uuid(3)), contact.ID(strings.ToUpper(uuid(0xa1)))} {
			_, err := tx.FindContact(ctx, id)
			require.ErrorIs(t, err, access.ErrNotFound)
		}
	})
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		require.NoError(t, tx.DeleteContact(ctx, acme, one.ID))
		_, err := tx.FindContact(ctx, one.ID)
		require.ErrorIs(t, err, access.ErrNotFound)
	})
}

func contactVerification(t *testing.T, db database) {
	db.insert(acme, globex)
	first := newVerification(1, acme)
	last := contact.Verification{Account: acme, Contact: first.Contact, Generation: 1<<16 - 1, Secret: access.Secret{0: 255, 15: 1},
		Sent: noon().Add(time.Hour), Expires: noon().Add(2 * time.Hour), Used: noon().Add(90 * time.Minute)}
	for _, want := range []contact.Verification{first, last} {
		db.locked(acme, func(ctx context.Context, tx storage.Tx) {
			require.NoError(t, tx.PutContact(ctx, newContact(t, 1, acme, "One", "one@example.com")))
			require.NoError(t, tx.PutContact(ctx, newContact(t, 2, acme, "Two", "two@example.com")))
			require.NoError(t, tx.PutVerification(ctx, want))
			require.NoError(t, tx.PutVerification(ctx, newVerification(2, acme)))
		})
		db.view(func(ctx context.Context, tx storage.Tx) {
			got, err := tx.Verification(ctx, acme, first.Contact)
			require.NoError(t, err)
			require.Equal(t, want, got)
			_, err = tx.Verification(ctx, globex, first.Contact)
			require.ErrorIs(t, err, access.ErrNotFound)
		})
	}
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		require.NoError(t, tx.DeleteContact(ctx, acme, first.Contact))
		_, err := tx.Verification(ctx, acme, first.Contact)
		require.ErrorIs(t, err, access.ErrNotFound)
		got, err := tx.Verification(ctx, acme, contact.ID(uuid(2)))
		require.NoError(t, err)
		require.Equal(t, newVerification(2, acme), got)
		require.NoError(t, tx.PutContact(ctx, newContact(t, 1, acme, "One", "one@example.com")))
		_, err = tx.Verification(ctx, acme, first.Contact)
		require.ErrorIs(t, err, access.ErrNotFound)
	})
}

func contactUnsubscribed(t *testing.T, db database) {
	db.insert(acme, globex)
	one, other := address(t, "One@Example.com"), address(t, "other@example.com")
	read := func(account access.AccountID, of access.Address) (c contact.Category) {
		db.view(func(ctx context.Context, tx storage.Tx) {
			var err error
			c, err = tx.Unsubscribed(ctx, account, of)
			require.NoError(t, err)
		})
		return c
	}
	put := func(c contact.Category) {
		db.locked(acme, func(ctx context.Context, tx storage.Tx) {
			require.NoError(t, tx.PutUnsubscribed(ctx, acme, one, c))
			got, err := tx.Unsubscribed(ctx, acme, one)
			require.NoError(t, err)
			require.Equal(t, c, got)
		})
	}
	require.Zero(t, read(acme, one))
	for _, c := range []contact.Category{3, contact.All, 1 << 62, 0, 0, 1} {
		put(c)
		require.Equal(t, c, read(acme, address(t, "oNE@example.com")))
		require.Zero(t, read(acme, other))
		require.Zero(t, read(globex, one))
	}
}

func contactIsolated(t *testing.T, db database) {
	db.insert(acme, globex)
	theirs := fullContact(t, 1, globex)
	db.locked(globex, func(ctx context.Context, tx storage.Tx) { require.NoError(t, tx.PutContact(ctx, theirs)) })
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		_, err := tx.Contact(ctx, acme, theirs.ID)
		require.ErrorIs(t, err, access.ErrNotFound)
		_, err = tx.ContactByAddress(ctx, acme, theirs.Address)
		require.ErrorIs(t, err, access.ErrNotFound)
		require.ErrorIs(t, tx.DeleteContact(ctx, acme, theirs.ID), access.ErrNotFound)
		list, err := tx.Contacts(ctx, acme, contact.Filter{}, "", 10)
		require.NoError(t, err)
		require.Empty(t, list)
	})
	// An id that another account has: refused or a contact of its own, never theirs.
	_ = db.Update(db.ctx, func(ctx context.Context, tx storage.Tx) error {
		_, err := tx.Lock(ctx, acme)
		require.NoError(t, err)
		return tx.PutContact(ctx, newContact(t, 1, acme, "Stolen", "stolen@example.com"))
	})
	db.view(func(ctx context.Context, tx storage.Tx) {
		got, err := tx.Contact(ctx, globex, theirs.ID)
		require.NoError(t, err)
		equal(t, theirs, got)
	})
}

func contactPager(ctx context.Context, tx storage.Tx, f contact.Filter) pager[contact.ID, contact.Contact] {
	return pager[contact.ID, contact.Contact]{
		page: func(after contact.ID, limit int) ([]contact.Contact, error) {
			return tx.Contacts(ctx, acme, f, after, limit)
		},
		key: func(c contact.Contact) contact.ID { return c.ID },
	}
}

func contactList(t *testing.T, db database) {
	db.insert(acme, globex)
	sets := []contact.Category{0, 1, 2, 3, 1 << 62, contact.All}
	var all []contact.Contact
	for i := range 18 {
		name, local := []string{"Ann", "annb", "Bob", "Äpfel"}[i%4], []string{"ann", "bob", "an_"}[i%3]
		c := newContact(t, (i*5)%18, acme, name, fmt.Sprintf("%s%d@example.com", local, i))
		c.Categories = sets[i%len(sets)]
		if i%5 > 0 {
			c.Verified = noon().Add(time.Duration(i) * time.Microsecond)
		}
		all = append(all, c)
	}
	db.update(func(ctx context.Context, tx storage.Tx) {
		_, err := tx.Lock(ctx, acme, globex)
		require.NoError(t, err)
		for _, c := range all {
			require.NoError(t, tx.PutContact(ctx, c))
		}
		require.NoError(t, tx.PutContact(ctx, newContact(t, 100, globex, "Ann", "ann@example.com")))
	})
	db.view(func(ctx context.Context, tx storage.Tx) {
		for _, categories := range append(sets, 4) {
			for _, prefix := range []string{"", "ANN", "bob", "an_", "%", "äP", "ann0@example.com"} {
				var want []contact.ID
				for _, c := range all {
					named := foldedPrefix(c.Name, prefix) || foldedPrefix(c.Address.Canonical(), prefix)
					if named && (categories == 0 || c.Categories.Has(categories)) {
						want = append(want, c.ID)
					}
				}
				slices.Sort(want)
				contactPager(ctx, tx, contact.Filter{Categories: categories, Prefix: prefix}).check(t, want)
			}
		}
		for i := range 20 {
			before := noon().Add(time.Duration(i) * time.Microsecond)
			var want []contact.ID
			for _, c := range all {
				if c.Categories.Has(1) && c.Verified.Before(before) {
					want = append(want, c.ID)
				}
			}
			slices.Sort(want)
			for _, before := range []time.Time{before, before.Add(999)} { // which is as the same microsecond
				contactPager(ctx, tx, contact.Filter{Categories: 1, VerifiedBefore: before}).check(t, want)
			}
		}
	})
}

func contactPrefixes(t *testing.T, db database) {
	db.insert(acme)
	names, prefixes := prefixNames()
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		for i, name := range names {
			require.NoError(t, tx.PutContact(ctx, newContact(t, i, acme, name, fmt.Sprintf("Mail_%d@example.com", i))))
		}
	})
	db.view(func(ctx context.Context, tx storage.Tx) {
		all := contactPager(ctx, tx, contact.Filter{}).all(t, 1000)
		require.Len(t, all, len(names))
		for _, prefix := range prefixes {
			var want []contact.ID
			for _, c := range all {
				if foldedPrefix(c.Name, prefix) || foldedPrefix(c.Address.Canonical(), prefix) {
					want = append(want, c.ID)
				}
			}
			pages := contactPager(ctx, tx, contact.Filter{Prefix: prefix})
			require.Equal(t, fmt.Sprint(want), fmt.Sprint(pages.keys(pages.all(t, 1000))), "prefix %q", prefix)
		}
	})
}
