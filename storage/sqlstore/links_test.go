package sqlstore_test

import (
	"bytes"
	"context"
	"errors"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage/sqlstore"
)

// atOnce runs fn for 0 to n-1 at the same time, and returns the errors.
func atOnce(n int, fn func(i int) error) []error {
	errs, begin := make([]error, n), make(chan struct{})
	var running sync.WaitGroup
	for i := range n {
		running.Go(func() {
			<-begin
			errs[i] = fn(i)
		})
	}
	close(begin)
	running.Wait()
	return errs
}

// mailed is the account acme of olga, whose contacts get links.
type mailed struct {
	members  *access.Service
	contacts *contact.Service
}

func newMailed(t *testing.T, db *sqlstore.DB) mailed {
	t.Helper()
	const base = "https://portal.example/contacts/"
	links, err := contact.NewLinks([]access.Key{{ID: "1", Secret: bytes.Repeat([]byte("k"), access.MinKeyBytes)}}, "", base)
	require.NoError(t, err)
	members := access.New(db, access.Config{Now: func() time.Time { return noon }})
	m := mailed{members, contact.New(db, members, contact.Config{Links: links, SoftBounces: 2,
		Templates: fstest.MapFS{"en/invoice.txt": {Data: []byte("Subject: Invoice\nHello {{.Name}}")}, "en/invoice.html": {Data: []byte("<p>Hello</p>")}},
		Notices:   []notify.Sample{{Kind: "invoice", Data: func(string) any { return nil }}}})}
	require.NoError(t, members.SyncUser(t.Context(), access.User{ID: "olga", Address: parse(t, "olga@example.com"), Verified: true}))
	_, err = members.CreateAccount(t.Context(), access.AsSystem("test"), access.NewAccount{ID: "acme", Owner: "olga", Profile: access.Profile{Name: "Acme"}})
	require.NoError(t, err)
	return m
}

func parse(t *testing.T, text string) access.Address {
	t.Helper()
	a, err := access.ParseAddress(text)
	require.NoError(t, err)
	return a
}

// add adds a contact, and returns the tokens of its links.
func (m mailed) add(t *testing.T, name string, c contact.Category) (verify, unsubscribe string) {
	t.Helper()
	address := parse(t, name+"@contacts.example")
	added, revision, err := m.contacts.Add(t.Context(), access.AsSystem("test"), "acme", contact.Details{Name: name, Address: address, Categories: c})
	require.NoError(t, err)
	prepared := m.contacts.Prepare(t.Context(), []notify.Message{{Kind: contact.MailContactAdded, Group: "acme", Ref: string(added.ID), Generation: revision.Version}})
	require.NoError(t, prepared[0].Err)
	found := regexp.MustCompile(`contacts/verify/([A-Za-z0-9_-]{64})\n`).FindStringSubmatch(prepared[0].Mail.Text)
	require.NotNil(t, found)
	link, err := m.contacts.UnsubscribeURL("acme", contact.Recipient{Contact: added.ID, Address: address}, contact.Domain)
	require.NoError(t, err)
	return found[1], link[strings.LastIndexByte(link, '/')+1:]
}

// events counts the events of acme of a kind.
func (m mailed) events(t *testing.T, kind access.EventKind) int {
	t.Helper()
	history, err := m.members.History(t.Context(), access.AsSystem("test"), "acme", access.EventFilter{Kinds: []access.EventKind{kind}}, access.Page{})
	require.NoError(t, err)
	return len(history.Items)
}

// TestMailVerbsAtOnce: links, notices and reports that come at the same time do what they would one after the other.
func TestMailVerbsAtOnce(t *testing.T) {
	const n = 8
	link := access.AsSystem("link")
	onEngines(t, engines(), func(t *testing.T, engine engine) {
		_, db := engine.migrated(t)
		m := newMailed(t, db)
		verify, first := m.add(t, "first", contact.Domain)
		_, second := m.add(t, "second", contact.Domain)
		_, err := m.contacts.SetPreferences(t.Context(), access.AsSystem("test"), "acme", "olga", 0)
		require.NoError(t, err)

		for _, err := range atOnce(n, func(int) error { return onlyError(m.contacts.Verify(t.Context(), link, verify)) }) {
			require.NoError(t, err)
		}
		require.Equal(t, 1, m.events(t, access.EventContactVerified))

		// The last two recipients of domain mail: one of them stays.
		refused := 0
		for i, err := range atOnce(n, func(i int) error {
			return onlyError(m.contacts.Unsubscribe(t.Context(), link, []string{first, second}[i%2]))
		}) {
			if err != nil {
				require.ErrorIs(t, err, access.ErrDenied, "%d", i)
				refused++
			}
		}
		require.Equal(t, n/2, refused)
		require.Equal(t, 1, m.events(t, access.EventContactUnsubscribed))
		left, err := m.contacts.Recipients(t.Context(), "acme", contact.Domain, "")
		require.NoError(t, err)
		require.Len(t, left, 1)
		require.Equal(t, contact.ReasonContact, left[0].Reason)

		var mails, repeats [n]int
		for _, err := range atOnce(n, func(i int) error {
			done, err := m.contacts.Notify(t.Context(), "acme", contact.Domain, "", contact.Notice{ID: "one", Kind: "invoice"})
			if mails[i] = done.Recipients; done.Repeated {
				repeats[i] = 1
			}
			return err
		}) {
			require.NoError(t, err)
		}
		require.Equal(t, 1, sum(mails[:]))
		require.Equal(t, n-1, sum(repeats[:]))

		reports(t, m, n)
	})
}

// reports has reports about one address come at once: the gravest suppresses it.
func reports(t *testing.T, m mailed, n int) {
	kinds := []notify.FeedbackKind{notify.Complaint, notify.SoftBounce, notify.SoftBounce, notify.HardBounce}
	for _, err := range atOnce(n, func(i int) error {
		return m.contacts.TakeFeedback(t.Context(), notify.Feedback{ID: string(rune('a' + i)), Kind: kinds[i%len(kinds)], Address: "bob@example.com"})
	}) {
		require.NoError(t, err)
	}
	bob := parse(t, "bob@example.com")
	suppressed, err := m.contacts.Suppressed(context.Background(), bob)
	require.NoError(t, err)
	require.Equal(t, notify.HardBounce, suppressed[bob.Canonical()].Kind)
	errs := atOnce(n, func(int) error { return m.contacts.Lift(t.Context(), access.AsSystem("test"), bob) })
	lifted := 0
	for _, err := range errs {
		if err == nil {
			lifted++
		} else {
			require.True(t, errors.Is(err, access.ErrNotFound), err)
		}
	}
	require.Equal(t, 1, lifted)
}

func onlyError(_ access.Revision, err error) error { return err }

func sum(numbers []int) (total int) {
	for _, n := range numbers {
		total += n
	}
	return total
}
