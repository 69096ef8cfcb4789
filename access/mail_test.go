package access_test

import (
	"context"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/access/accesstest"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/memory"
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
		{"mail to the address bounces", "the address is suppressed: hard bounce", func(w *world) {
			suppressIvan(w, notify.HardBounce)
			w.As("olive").Suspends("acme", "ivan")
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

// TestSecurityMailGoesToThoseWhoComplained: somebody whose access changes is told, even if they want no mail.
func TestSecurityMailGoesToThoseWhoComplained(t *testing.T) {
	w := newWorld(t)
	suppressIvan(w, notify.Complaint)
	w.As("olive").Suspends("acme", "ivan")
	require.Equal(t, []string{"ivan" + changedMail}, w.receivers())
}

// suppressIvan suppresses the address of ivan.
func suppressIvan(w *world, kind notify.FeedbackKind) {
	w.T.Helper()
	w.update(func(ctx context.Context, tx storage.Tx) error {
		return tx.PutSuppression(ctx, notify.Suppression{Address: accesstest.AddressOf("ivan").Canonical(), Kind: kind, Since: w.Clock.Now()})
	})
}

// TestCheckHost checks who may do what is of no account.
func TestCheckHost(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		actor access.Actor
		kind  error
		code  string
	}{
		{signup, nil, ""},
		{support, nil, ""},
		{olive, access.ErrDenied, "denies.host"},
		{access.Actor{}, access.ErrInvalid, "actor.zero"},
		{access.AsStaff("s-7", ""), access.ErrInvalid, "actor.reason"},
	} {
		err := w.Members.CheckHost(t.Context(), tt.actor, access.EventSuppressionLifted)
		if tt.kind == nil {
			require.NoError(t, err)
			continue
		}
		require.ErrorIs(t, err, tt.kind)
		var refusal *access.Error
		require.ErrorAs(t, err, &refusal)
		require.Equal(t, tt.code, refusal.Code)
	}
	night := access.Denied("denies.night", "not at night")
	asked := w.service(func(c *access.Config) {
		c.Staff = func(_ context.Context, actor access.Actor, kind access.EventKind, account access.AccountID) error {
			require.Equal(t, support, actor)
			require.Equal(t, access.EventSuppressionLifted, kind)
			require.Empty(t, account)
			return night
		}
	})
	require.Equal(t, night, asked.CheckHost(t.Context(), support, access.EventSuppressionLifted))
	require.NoError(t, asked.CheckHost(t.Context(), signup, access.EventSuppressionLifted))
	require.ErrorIs(t, w.service(func(c *access.Config) { c.Staff = nil }).CheckHost(t.Context(), support, ""), access.ErrDenied)
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
		files["en/"+string(kind)+".txt"] = &fstest.MapFile{Data: []byte("Subject: Hallo {{.Account}}\nvon {{.Actor}}")}
		files["en/"+string(kind)+".html"] = &fstest.MapFile{Data: []byte("<p>von {{.Actor}}</p>")}
	}
	w.must(w.Members.Reinstate(t.Context(), olive, "acme", "sue"))
	message := notify.Message{Kind: access.MailAccessChanged, Group: "acme", Ref: "sue", To: "sue", Generation: w.account("acme").Version}
	s := w.service(func(c *access.Config) { c.Templates = files })
	m := s.Prepare(t.Context(), []notify.Message{message})[0].Mail
	require.Equal(t, "Hallo acme", m.Subject)
	require.Contains(t, m.Text, "von olive")
	require.Contains(t, m.HTML, "<p>von olive</p>")

	delete(files, "en/access.changed.txt")
	s = w.service(func(c *access.Config) {
		c.Templates = files
		c.AccountURL = func(id access.AccountID) string { return "https://portal.example/accounts/" + string(id) }
	})
	m = s.Prepare(t.Context(), []notify.Message{message})[0].Mail
	require.Contains(t, m.Text, "https://portal.example/accounts/acme", "ours, as the host's isn't there")
	require.Contains(t, m.HTML, "<p>von olive</p>")
}

// TestMailConfigIsChecked: what can't be used is found when the service is made.
func TestMailConfigIsChecked(t *testing.T) {
	broken := fstest.MapFS{"fr/access.removed.html": {Data: []byte("<p>{{.Nothing}}</p>")}}
	for _, tt := range []struct {
		name        string
		config      access.Config
		code, field string
		says        string
	}{
		{"a template that doesn't parse", access.Config{Templates: fstest.MapFS{"de/access.changed.txt": {Data: []byte("Subject: {{")}}},
			"templates.invalid", "templates", "de/access.changed.txt"},
		{"a template that can't be rendered", access.Config{Templates: broken}, "templates.invalid", "templates", "fr/access.removed.html"},
		{"a brand's template that can't be rendered", access.Config{BrandTemplates: map[string]fs.FS{"reseller": broken}},
			"templates.invalid", "brand_templates", "fr/access.removed.html"},
		{"brand templates without a name", access.Config{BrandTemplates: map[string]fs.FS{"": broken}}, "templates.invalid", "brand_templates", "without a name"},
		{"brand templates without files", access.Config{BrandTemplates: map[string]fs.FS{"x": nil}}, "templates.invalid", "brand_templates", "files"},
		{"a locale that isn't one", access.Config{Locale: "German"}, "locale.unknown", "locale", "not a language"},
		{"a locale without templates", access.Config{Locale: "ja"}, "locale.unknown", "locale", "without templates"},
		{"a relative base URL", access.Config{BaseURLs: []string{"https://good.example", "/portal"}}, "link.base", "base_urls", "absolute"},
		{"a base URL of another scheme", access.Config{BaseURLs: []string{"ftp://portal.example"}}, "link.base", "base_urls", "absolute"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.config.Check()
			requireOutcome(t, err, tt.code, tt.field)
			require.ErrorContains(t, err, tt.says)
			require.PanicsWithValue(t, "access: "+err.Error(), func() { access.New(memory.New(), tt.config) })
		})
	}
	require.NoError(t, access.Config{Locale: "de-AT", BaseURLs: []string{"https://panel.example:8443/portal/"}}.Check())
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
