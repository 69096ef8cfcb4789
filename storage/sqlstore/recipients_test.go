package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"runtime"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/sqlstore"
)

// loadContacts stores an account with n contacts that receive invoices, of which one in a hundred has a suppressed address.
func loadContacts(t testing.TB, engine engine, handle *sql.DB, db *sqlstore.DB, n int) {
	t.Helper()
	insertAccount(t, db, "large")
	load, err := handle.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer load.Rollback()
	run := func(statement string) func(args ...any) {
		prepared, err := load.PrepareContext(t.Context(), engine.placed(statement))
		require.NoError(t, err)
		return func(args ...any) {
			_, err := prepared.ExecContext(t.Context(), args...)
			require.NoError(t, err)
		}
	}
	addContact := run(`INSERT INTO roster_contacts (account_id, id, name, name_fold, address, canonical, company, postal_street, postal_city,
			postal_region, postal_postal_code, postal_country, phone, label, categories, created_at, updated_at)
		VALUES ('large', ?, 'Some Body', 'some body', ?, ?, 'Company', '1 High Street', 'Town', '', '12345', 'AT', '', '', ?, 0, 0)`)
	suppress := run(`INSERT INTO roster_suppressions (canonical, kind, since_at) VALUES (?, 1, 0)`)
	for i := range n {
		address := fmt.Sprintf("contact.%d@example.com", i)
		addContact(fmt.Sprintf("01900000-0000-7000-8000-%012x", i), address, address, int(contact.Invoice|contact.General))
		if i%100 == 99 {
			suppress(address)
		}
	}
	require.NoError(t, load.Commit())
	if engine != sqliteEngine {
		engine.analyze(t, handle, "roster_contacts")
		engine.analyze(t, handle, "roster_suppressions")
	}
}

// newContacts returns the service, with notices of one kind.
func newContacts(db storage.DB) *contact.Service {
	return contact.New(db, access.New(db, access.Config{}), contact.Config{
		Templates: fstest.MapFS{"en/invoice.txt": {Data: []byte("Subject: Invoice\nHello {{.Name}}")}, "en/invoice.html": {Data: []byte("<p>Hello</p>")}},
		Notices:   []notify.Sample{{Kind: "invoice", Data: func(string) any { return nil }}},
	})
}

// A peak is how much memory was in use, at the most, beyond what was in use at first.
type peak struct{ first, most uint64 }

func (h *peak) look() {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	if h.first == 0 {
		h.first = stats.HeapAlloc
	}
	h.most = max(h.most, stats.HeapAlloc)
}

func (h *peak) growth() float64 { return float64(h.most-h.first) / (1 << 20) }

// A heapDB looks at the heap while messages are enqueued.
type heapDB struct {
	storage.DB
	heap     *peak
	enqueued int
}

func (db *heapDB) Update(ctx context.Context, fn func(context.Context, storage.Tx) error) error {
	return db.DB.Update(ctx, func(ctx context.Context, tx storage.Tx) error { return fn(ctx, heapTx{tx, db}) })
}

type heapTx struct {
	storage.Tx
	db *heapDB
}

func (tx heapTx) Enqueue(ctx context.Context, messages ...notify.Message) error {
	err := tx.Tx.Enqueue(ctx, messages...)
	if before := tx.db.enqueued / 5_000; (tx.db.enqueued+len(messages))/5_000 != before {
		tx.db.heap.look()
	}
	tx.db.enqueued += len(messages)
	return err
}

// TestNotifyInBoundedMemory notifies many contacts and prepares some of their mails: what that takes doesn't depend on how
// many they are.
func TestNotifyInBoundedMemory(t *testing.T) {
	const most = 4 // MiB; 50,000 messages alone would be more than 15
	for _, n := range []int{5_000, 50_000} {
		done := measureNotify(t, sqliteEngine, n)
		t.Logf("report: %d contacts notified in %v: the heap grew by %.1f MiB at the most, and by %.1f while mails were prepared",
			done.contacts, done.took.Round(time.Millisecond), done.notifying, done.preparing)
		require.Less(t, done.preparing, float64(most))
	}
}

// BenchmarkNotify notifies so many contacts of one account in one unit of work. MiB is how much the heap grows, at the
// most, while they are notified and some of their mails are prepared.
func BenchmarkNotify(b *testing.B) {
	for _, engine := range engines() {
		for _, n := range []int{5_000, 50_000} {
			b.Run(fmt.Sprintf("impl=roster/db=%s/n=%d", engine.name, n), func(b *testing.B) {
				var took time.Duration
				var grew float64
				for range b.N {
					notified := measureNotify(b, engine, n)
					took, grew = took+notified.took, max(grew, notified.preparing)
				}
				b.ReportMetric(float64(took.Nanoseconds())/float64(b.N), "ns/op") // without that of loading them
				b.ReportMetric(float64(n)*float64(b.N)/took.Seconds(), "contacts/s")
				b.ReportMetric(grew, "MiB")
			})
		}
	}
}

// A notified is what it took to notify contacts.
type notified struct {
	contacts             int
	took                 time.Duration
	notifying, preparing float64 // by how many MiB the heap grew at the most, until then
}

func measureNotify(t testing.TB, engine engine, n int) notified {
	t.Helper()
	handle, db := engine.migrated(t)
	loadContacts(t, engine, handle, db, n)
	counted := &heapDB{DB: db, heap: new(peak)}
	contacts := newContacts(counted)
	_, err := contacts.Notify(t.Context(), "large", contact.General, "", contact.Notice{ID: "first", Kind: "invoice"})
	require.NoError(t, err) // statements are prepared now, and buffers made
	counted.heap, counted.enqueued = new(peak), 0
	counted.heap.look()
	began := time.Now()
	done, err := contacts.Notify(t.Context(), "large", contact.Invoice, "", contact.Notice{ID: "second", Kind: "invoice"})
	require.NoError(t, err)
	took := time.Since(began)
	require.Equal(t, n-n/100, done.Recipients)
	require.Equal(t, done.Recipients, counted.enqueued)

	notifying := counted.heap.growth()
	for range 5 {
		messages, err := db.Claim(t.Context(), time.Now(), time.Hour, 100)
		require.NoError(t, err)
		require.Len(t, messages, 100)
		for _, prepared := range contacts.Prepare(t.Context(), messages) {
			require.NoError(t, prepared.Err)
			require.Empty(t, prepared.Cancel)
		}
		counted.heap.look()
	}
	return notified{n, took, notifying, counted.heap.growth()}
}

// BenchmarkRecipients resolves a category of an account with 10,000 contacts. impl=roster is contact.Service.Recipients,
// impl=bare the one statement that one would write by hand for what it tells of them, without those at suppressed addresses.
func BenchmarkRecipients(b *testing.B) {
	const n = 10_000
	for _, engine := range engines() {
		handle, db := engine.migrated(b)
		loadContacts(b, engine, handle, db, n)
		contacts := newContacts(db)
		statement, err := handle.PrepareContext(b.Context(), engine.placed(`SELECT c.id, c.name, c.address, c.canonical, c.verified_at, c.locale
			FROM roster_contacts AS c LEFT JOIN roster_suppressions AS s ON s.canonical = c.canonical
			WHERE c.account_id = ? AND c.categories & ? <> 0 AND s.canonical IS NULL ORDER BY c.id`))
		require.NoError(b, err)
		b.Cleanup(func() { require.NoError(b, statement.Close()) })
		for _, impl := range []struct {
			name    string
			resolve func(context.Context) (int, error)
		}{
			{"bare", func(ctx context.Context) (int, error) { return bareRecipients(ctx, statement) }},
			{"roster", func(ctx context.Context) (int, error) {
				found, err := contacts.Recipients(ctx, "large", contact.Invoice, "")
				return len(found), err
			}},
		} {
			b.Run(fmt.Sprintf("impl=%s/db=%s/n=%d", impl.name, engine.name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if found, err := impl.resolve(b.Context()); err != nil || found != n-n/100 {
						b.Fatalf("%d, %v", found, err)
					}
				}
			})
		}
	}
}

func bareRecipients(ctx context.Context, statement *sql.Stmt) (int, error) {
	rows, err := statement.QueryContext(ctx, "large", int(contact.Invoice))
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	type recipient struct {
		id, name, address, canonical, locale string
		verified                             int64
	}
	var list []recipient
	for rows.Next() {
		var r recipient
		if err := rows.Scan(&r.id, &r.name, &r.address, &r.canonical, &r.verified, &r.locale); err != nil {
			return 0, err
		}
		list = append(list, r)
	}
	return len(list), rows.Err()
}
