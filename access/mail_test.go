package access_test

import (
	"context"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/access/accesstest"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
)

// mail returns the only mail since the last time, and requires it to go to a user.
func (w *world) mail(t testing.TB, to access.UserID) notify.Mail {
	t.Helper()
	mails := w.mails()
	require.Len(t, mails, 1)
	require.Equal(t, accesstest.AddressOf(to).Original(), mails[0].To)
	return mails[0]
}

// TestMailsNameAccountAndActor: every mail, as text and as HTML, which is escaped.
func TestMailsNameAccountAndActor(t *testing.T) {
	w := newWorld(t)
	w.must(w.Members.UpdateAccount(t.Context(), olive, "acme", access.Profile{Name: "Oil <b>& Sons", TimeZone: "Europe/Vienna"}))
	require.NoError(t, w.Members.SyncUser(t.Context(), access.User{ID: "mona", Name: "Mona <i>Lisa"}))
	require.NoError(t, w.Members.SyncUser(t.Context(), access.User{ID: "alma", Address: accesstest.AddressOf("alma")}))
	for _, tt := range []struct {
		name, by, html string
		actor          access.Actor
	}{
		{"by name", "Mona <i>Lisa", "Mona &lt;i&gt;Lisa", mona},
		{"by masked address", "a...@example.com", "a...@example.com", alma},
		{"as staff", "our support team", "our support team", support},
		{"as system", "our system", "our system", signup},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, do := range []func(access.Actor) (access.Revision, error){
				func(a access.Actor) (access.Revision, error) {
					return w.Members.SetPermissions(t.Context(), a, "acme", "ivan", access.OpenTickets)
				},
				func(a access.Actor) (access.Revision, error) {
					return w.Members.Suspend(t.Context(), a, "acme", "ivan")
				},
				func(a access.Actor) (access.Revision, error) {
					return w.Members.Reinstate(t.Context(), a, "acme", "ivan")
				},
				func(a access.Actor) (access.Revision, error) {
					return w.Members.SetExpiry(t.Context(), a, "acme", "ivan", w.Members.Now().Add(time.Hour))
				},
				func(a access.Actor) (access.Revision, error) { return w.Members.Remove(t.Context(), a, "acme", "ivan") },
			} {
				w.must(do(tt.actor))
				m := w.mail(t, "ivan")
				require.Equal(t, "ivan", m.ToName)
				require.Contains(t, m.Subject, "Oil <b>& Sons")
				require.Contains(t, m.Text, "Oil <b>& Sons")
				require.Contains(t, m.Text, "by "+tt.by)
				require.Contains(t, m.HTML, "Oil &lt;b&gt;&amp; Sons")
				require.Contains(t, m.HTML, tt.html)
				require.NotContains(t, m.HTML, "<b>")
				require.NotContains(t, m.HTML, "<i>")
				require.NotContains(t, m.Text+m.HTML+m.Subject, "s-7", "who of the staff is on the record, not in the mail")
				require.NotContains(t, m.Text+m.HTML, "4711")
			}
			w.must(w.Members.AddMember(t.Context(), signup, "acme", "ivan", access.Terms{Permissions: access.PayInvoices}))
			w.mail(t, "ivan")
		})
	}
	t.Run("by id", func(t *testing.T) {
		w.must(w.Members.SetPermissions(t.Context(), olive, "acme", "ghost", managerBits))
		require.Empty(t, w.mails())
		w.must(w.Members.Suspend(t.Context(), access.As("ghost"), "acme", "ivan"))
		require.Contains(t, w.mail(t, "ivan").Text, "changed by ghost.")
	})
}

func TestAccessChangedMailTellsWhatHolds(t *testing.T) {
	w := newWorld(t)
	w.must(w.Members.UpdateAccount(t.Context(), olive, "acme", access.Profile{Name: "acme", TimeZone: "Europe/Vienna"}))
	w.must(w.Members.SetPermissions(t.Context(), olive, "acme", "ivan", access.ViewDomains|access.ManageDomains))
	m := w.mail(t, "ivan")
	require.Contains(t, m.Text, "- View Domains\n- Manage Domain Settings\n")
	require.NotContains(t, m.Text, "Invoices")
	require.NotContains(t, m.Text, "ends on")
	require.NotContains(t, m.Text, "http", "there is no link without Config.AccountURL")

	w.must(w.Members.SetExpiry(t.Context(), olive, "acme", "ivan", time.Date(2026, 12, 24, 17, 0, 0, 0, time.UTC)))
	require.Contains(t, w.mail(t, "ivan").Text, "ends on Thursday, 24 December 2026, 18:00 CET (Europe/Vienna).")
	w.must(w.Members.Suspend(t.Context(), olive, "acme", "ivan"))
	require.Contains(t, w.mail(t, "ivan").Text, "is suspended")
	w.must(w.Members.SetPermissions(t.Context(), olive, "acme", "dave", access.All))
	require.Contains(t, w.mail(t, "dave").Text, "everything the owner can")
}

func TestOwnerChangedMail(t *testing.T) {
	w := newWorld(t)
	w.must(w.Members.TransferByStaff(t.Context(), support, "acme", "ivan", access.PayInvoices))
	for _, m := range w.mails() {
		require.Contains(t, m.Text, "our support team")
		require.Contains(t, m.Text, "contact support right away")
		if strings.HasPrefix(m.To, "ivan@") {
			require.Contains(t, m.Text, "you are now the owner of the account “acme”")
		} else {
			require.Equal(t, "olive@example.com", m.To)
			require.Contains(t, m.Text, "ivan is now the owner of the account “acme”")
			require.Contains(t, m.Text, "- View & Pay Invoices")
		}
	}
	w.must(w.Members.TransferByStaff(t.Context(), signup, "acme", "olive", 0))
	for _, m := range w.mails() {
		if strings.HasPrefix(m.To, "ivan@") {
			require.Contains(t, m.Text, "You keep no permissions")
		}
	}
}

// TestMailsAreAsThingsAreThen: what isn't true any more when its turn comes is cancelled, with a reason on its row.
func TestMailsAreAsThingsAreThen(t *testing.T) {
	for _, tt := range []struct {
		name, reason string
		do           func(*world)
		want         []string
	}{
		{"changed and then removed", "the user is no member any more", func(w *world) {
			w.As("olive").Sets("acme", "ivan", access.OpenTickets).Removes("acme", "ivan")
		}, []string{"ivan: Your access to “acme” was removed"}},
		{"removed and then added", "the user is a member again", func(w *world) {
			w.As("olive").Removes("acme", "ivan")
			w.AsStaff("s-7").Adds("acme", "ivan", access.OpenTickets)
		}, []string{"ivan" + changedMail}},
		{"nobody knows the address", "the directory has no address", func(w *world) {
			w.As("olive").Suspends("acme", "ghost")
		}, nil},
		{"the address has gone", "the directory has no address", func(w *world) {
			require.NoError(w.T, w.Members.SyncUser(context.Background(), access.User{ID: "ivan"}))
			w.As("olive").Suspends("acme", "ivan")
		}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.Clock.Advance(time.Second)
			now := w.Members.Now()
			tt.do(w)
			require.Equal(t, tt.want, w.receivers())
			list, err := w.Members.Messages(t.Context(), support, "acme", access.MessageFilter{}, access.Page{})
			require.NoError(t, err)
			var reasons []string
			for _, m := range list.Items {
				if m.State == notify.Cancelled && m.Created.Equal(now) {
					reasons = append(reasons, m.Reason)
				}
			}
			require.Equal(t, []string{tt.reason}, reasons)
		})
	}
}

// TestSilentStaffMailsNobody, and the event says that it was silent.
func TestSilentStaffMailsNobody(t *testing.T) {
	silent := support
	silent.Silent = true
	for _, v := range changing() {
		w := newWorld(t)
		user := access.UserID("dave")
		if v.name == "AddMember" {
			user = "nobody"
			w.As(user).Exists()
		}
		mailed := w.mailed("acme")
		_, err := v.do(t.Context(), w.Members, silent, "acme", user)
		require.Equal(t, mailed, w.mailed("acme"), v.name)
		if err != nil {
			require.Equal(t, "Leave", v.name)
			continue
		}
		if events := w.events("acme"); events[len(events)-1].Kind == v.kind {
			require.True(t, events[len(events)-1].Actor.Silent, v.name)
		}
	}
}

func TestMailOfForgottenActor(t *testing.T) {
	w := newWorld(t)
	w.must(w.Members.Suspend(t.Context(), olive, "acme", "ivan"))
	for _, tt := range []struct {
		by     string
		change func([]access.Record) []access.Record
	}{
		{"changed by somebody.", func(rows []access.Record) []access.Record {
			for i := range rows {
				rows[i].Actor = access.Part{Commitment: rows[i].Actor.Commitment}
			}
			return rows
		}},
		{"changed by somebody.", func([]access.Record) []access.Record { return nil }},
	} {
		message := notify.Message{Kind: access.MailAccessChanged, Group: "acme", Ref: "ivan", To: "ivan", Generation: w.account("acme").Version}
		s := w.on(store{view: func(ctx context.Context, fn func(context.Context, storage.Tx) error) error {
			return w.DB.View(ctx, func(ctx context.Context, tx storage.Tx) error { return fn(ctx, rereadTx{tx, tt.change}) })
		}})
		prepared := s.Prepare(t.Context(), []notify.Message{message})
		require.Len(t, prepared, 1)
		require.NoError(t, prepared[0].Err)
		require.Contains(t, prepared[0].Mail.Text, tt.by)
	}
}

// TestPrepareFailsOneByOne: what storage answers to one message is that message's error, and no mail is written.
func TestPrepareFailsOneByOne(t *testing.T) {
	w := newWorld(t)
	w.must(w.Members.TransferByStaff(t.Context(), support, "acme", "ivan", access.PayInvoices))
	version := w.account("acme").Version
	for _, m := range []notify.Message{
		{Kind: access.MailOwnerChanged, Group: "acme", Ref: "ivan", To: "olive", Generation: version},
		{Kind: access.MailAccessChanged, Group: "acme", Ref: "mona", To: "mona", Generation: version},
		{Kind: access.MailAccessRemoved, Group: "acme", Ref: "gina", To: "gina", Generation: version},
	} {
		for n := 1; ; n++ {
			calls := 0
			s := w.on(store{view: func(ctx context.Context, fn func(context.Context, storage.Tx) error) error {
				return w.DB.View(ctx, func(ctx context.Context, tx storage.Tx) error {
					return fn(ctx, faultyTx{tx, func() error {
						if calls++; calls == n {
							return errBroken
						}
						return nil
					}})
				})
			}})
			prepared := s.Prepare(t.Context(), []notify.Message{m, {Kind: m.Kind, Group: m.Group, To: "nobody"}})
			require.Len(t, prepared, 2)
			if calls >= n && prepared[0].Err == nil {
				continue // it was the other's
			}
			if prepared[0].Err == nil {
				require.Greater(t, n, 4)
				require.NotEmpty(t, prepared[0].Mail.Subject)
				break
			}
			require.Equal(t, notify.Prepared{Err: errBroken}, prepared[0], "call %d", n)
			require.Equal(t, notify.Prepared{Cancel: "the directory has no address"}, prepared[1])
		}
	}
	prepared := w.Members.Prepare(t.Context(), []notify.Message{{Kind: access.MailAccessChanged, Group: "nowhere", To: "ivan"}})
	require.ErrorIs(t, prepared[0].Err, access.ErrNotFound)
	require.Empty(t, w.Members.Prepare(t.Context(), nil))
}

func TestTemplatesAndLinksAreTheHosts(t *testing.T) {
	w := newWorld(t)
	files := fstest.MapFS{}
	for _, kind := range w.Members.Kinds() {
		files[string(kind)+".txt"] = &fstest.MapFile{Data: []byte("Subject: Hallo {{.Account}}\nvon {{.Actor}}")}
		files[string(kind)+".html"] = &fstest.MapFile{Data: []byte("<p>von {{.Actor}}</p>")}
	}
	w.must(w.Members.Reinstate(t.Context(), olive, "acme", "sue"))
	message := notify.Message{Kind: access.MailAccessChanged, Group: "acme", Ref: "sue", To: "sue", Generation: w.account("acme").Version}
	s := w.service(func(c *access.Config) { c.Templates = files })
	m := s.Prepare(t.Context(), []notify.Message{message})[0].Mail
	require.Equal(t, "Hallo acme", m.Subject)
	require.Contains(t, m.Text, "von olive")
	require.Contains(t, m.HTML, "<p>von olive</p>")

	s = w.service(func(c *access.Config) {
		c.AccountURL = func(id access.AccountID) string { return "https://portal.example/accounts/" + string(id) }
	})
	m = s.Prepare(t.Context(), []notify.Message{message})[0].Mail
	require.Contains(t, m.Text, "https://portal.example/accounts/acme")
	require.Contains(t, m.HTML, `href="https://portal.example/accounts/acme"`)

	require.PanicsWithValue(t, `access: `+missingTemplate(t), func() {
		w.service(func(c *access.Config) { c.Templates = fstest.MapFS{} })
	})
}

func missingTemplate(t *testing.T) string {
	t.Helper()
	_, err := notify.ParseTemplates(fstest.MapFS{}, access.MailAccessChanged)
	require.Error(t, err)
	return err.Error()
}

// TestMailsThatWaitKeepTheirActor: each tells who did what it is about, whatever happened since; and what replaces a
// mail is a newer one about the same person.
func TestMailsThatWaitKeepTheirActor(t *testing.T) {
	w := newWorld(t)
	w.must(w.Members.Suspend(t.Context(), mona, "acme", "ivan"))
	w.must(w.Members.SetLabel(t.Context(), olive, "acme", "ivan", "no mail about that"))
	w.Clock.Advance(time.Second)
	w.must(w.Members.Suspend(t.Context(), alma, "acme", "dave"))
	w.Clock.Advance(time.Second)
	w.must(w.Members.Suspend(t.Context(), mona, "acme", "nora"))
	w.must(w.Members.Suspend(t.Context(), support, "acme", "alma"))
	by := map[string]string{}
	for _, m := range w.mails() {
		_, after, found := strings.Cut(m.Text, "changed by ")
		require.True(t, found)
		by[m.To], _, _ = strings.Cut(after, ".")
	}
	require.Equal(t, map[string]string{"ivan@example.com": "mona", "dave@example.com": "alma", "nora@example.com": "mona",
		"alma@example.com": "our support team"}, by)
}

// TestNewerMailReplacesOlder: of several changes to one person, the last one's mail is sent, as things are then.
func TestNewerMailReplacesOlder(t *testing.T) {
	w := newWorld(t)
	w.must(w.Members.Suspend(t.Context(), mona, "acme", "ivan"))
	w.Clock.Advance(time.Second)
	w.must(w.Members.Reinstate(t.Context(), olive, "acme", "ivan"))
	m := w.mail(t, "ivan")
	require.Contains(t, m.Text, "changed by olive.")
	require.NotContains(t, m.Text, "suspended")
}
