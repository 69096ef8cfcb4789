package storagetest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
)

func noticeCases() []testCase {
	return []testCase{
		{"round trip", "a notice comes back as it was inserted, to the account that it is of", noticeRoundTrip},
		{"taken id", "a notice with an id that the account has is ErrExists, and leaves the one that has it and the unit as they were",
			noticeTaken},
	}
}

// noticeKind is the kind of the notices of cases.
const noticeKind notify.Kind = "notice"

// noticeID is the id of the n-th notice.
func noticeID(n int) string { return "notice/" + uuid(n) }

// newNotice returns the n-th notice.
func newNotice(n int, account access.AccountID) contact.NoticeRecord {
	return contact.NoticeRecord{Account: account, ID: noticeID(n), Kind: noticeKind, Category: contact.Invoice,
		Data: []byte(`{"number":7}`), Created: noon()}
}

func noticeRoundTrip(t *testing.T, db database) {
	full := newNotice(1, acme)
	full.ID, full.Category, full.Resource = strings.Repeat("ü", contact.MaxNoticeIDBytes/2), 1<<62, "service-7 % '"
	full.Also = []access.UserID{"b", "a", `"ü"`, "a"}
	full.Data = []byte("{\"b\": 1.00 ,\n \"a\":\"ü\"}") // byte for byte
	full.Attachments = []string{"invoice/7", `"'%`}
	full.Created = noon().Add(time.Microsecond)
	empty, large := newNotice(2, acme), newNotice(3, acme)
	for i := range contact.MaxAlso {
		large.Also = append(large.Also, access.UserID(fmt.Sprint(i)+strings.Repeat("<", access.MaxIDBytes-2)))
	}
	for range notify.MaxAttachments {
		large.Attachments = append(large.Attachments, strings.Repeat("\U0010FFFF", access.MaxNameRunes))
	}
	large.Data = []byte(`"` + strings.Repeat("ü", contact.MaxNoticeBytes/2-1) + `"`)
	read := func(ctx context.Context, tx storage.Tx) {
		for _, want := range []contact.NoticeRecord{full, empty, large} {
			got, err := tx.Notice(ctx, acme, want.ID)
			require.NoError(t, err)
			equal(t, want, got)
			_, err = tx.Notice(ctx, globex, want.ID)
			require.ErrorIs(t, err, access.ErrNotFound)
		}
	}
	db.insert(acme, globex)
	db.update(func(ctx context.Context, tx storage.Tx) { // without a lock
		require.NoError(t, tx.InsertNotice(ctx, full))
		require.NoError(t, tx.InsertNotice(ctx, empty))
		require.NoError(t, tx.InsertNotice(ctx, large))
		read(ctx, tx)
	})
	db.view(read)
}

func noticeTaken(t *testing.T, db database) {
	db.insert(acme, globex)
	first, other := newNotice(1, acme), newNotice(1, acme)
	other.Data = []byte(`{}`)
	db.update(func(ctx context.Context, tx storage.Tx) {
		require.NoError(t, tx.InsertNotice(ctx, first))
		require.ErrorIs(t, tx.InsertNotice(ctx, other), access.ErrExists)
	})
	db.update(func(ctx context.Context, tx storage.Tx) {
		require.ErrorIs(t, tx.InsertNotice(ctx, other), access.ErrExists)
		require.NoError(t, tx.InsertNotice(ctx, newNotice(1, globex)))
		require.NoError(t, tx.InsertNotice(ctx, newNotice(2, acme)))
	})
	db.view(func(ctx context.Context, tx storage.Tx) {
		got, err := tx.Notice(ctx, acme, first.ID)
		require.NoError(t, err)
		equal(t, first, got)
	})
}
