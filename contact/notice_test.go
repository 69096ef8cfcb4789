package contact_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/notify/notifytest"
	"github.com/rosterkit/roster/storage"
)

const invoiceCreated notify.Kind = "invoice.created"

func noticeFiles() fs.FS {
	return fstest.MapFS{
		"en/invoice.created.txt":  {Data: []byte("Subject: Invoice {{.Data.number}} of {{.Account}}\nHello {{.Name}}, {{.Data.amount}} ({{.Category}}, {{.Reason}})")},
		"en/invoice.created.html": {Data: []byte("<p>Hello {{.Name}}, {{.Data.amount}}</p>")},
	}
}

// notices are what a host configures that notifies.
func notices(w *world) contact.Config {
	return contact.Config{
		Templates: noticeFiles(),
		Notices: []notify.Sample{{Kind: invoiceCreated, Data: func(string) any {
			return map[string]any{"number": 7, "amount": "10.00 EUR"}
		}}},
		Attachment: func(_ context.Context, account access.AccountID, name string) (notify.Attachment, error) {
			w.fetched = append(w.fetched, string(account)+" "+name)
			return notify.Attachment{Name: "invoice.pdf", Type: "application/pdf", Content: []byte(name)}, w.unfetched
		},
	}
}

func notifyingWorld(t tester) *world {
	t.Helper()
	w := newWorld(t)
	w.contacts = contact.New(w.db, w.members, notices(w))
	return w
}

func invoice(number int) contact.Notice {
	return contact.Notice{Kind: invoiceCreated, Data: map[string]any{"number": number, "amount": "10.00 EUR <b>"}}
}

// deliver sends what is due and returns who got it, as "address: subject", and the reasons of what was cancelled.
func (w *world) deliver() (sent, cancelled []string) {
	w.t.Helper()
	mailer := new(notifytest.Recorder)
	worker, err := notify.NewWorker(w.db, mailer, w.quiet(), w.contacts)
	require.NoError(w.t, err)
	waiting := map[notify.MessageID]bool{}
	for _, m := range w.state().Messages {
		waiting[m.ID] = m.State == notify.Queued
	}
	_, err = worker.Deliver(ctx)
	require.NoError(w.t, err)
	for _, m := range mailer.Mails() {
		sent = append(sent, m.To+": "+m.Subject)
	}
	for _, m := range w.state().Messages {
		if m.State == notify.Cancelled && waiting[m.ID] {
			cancelled = append(cancelled, m.Reason)
		}
	}
	return sent, cancelled
}

// quiet is a worker's configuration with the clock of the world, which logs nothing.
func (w *world) quiet() notify.WorkerConfig {
	return notify.WorkerConfig{Now: func() time.Time { return w.now }, Log: slog.New(slog.DiscardHandler)}
}

// forget empties the outbox.
func (w *world) forget() {
	w.t.Helper()
	w.deliver()
	w.now = w.now.Add(time.Millisecond) // messages are listed by age
}

func TestNotify(t *testing.T) {
	w := notifyingWorld(t)
	w.member("mia", access.PayInvoices)
	w.prefer("mia", contact.Invoice)
	w.member("ina", access.PayInvoices)
	w.member("tom", access.OpenTickets)
	w.contact("carl", contact.Invoice)
	w.contact("dora", contact.Support)
	w.forget()
	notice := invoice(42)
	notice.Attachments = []string{"invoice/42"}
	done, err := w.contacts.Notify(ctx, acme, contact.Invoice, "", notice, "ina", "tom")
	require.NoError(t, err)
	require.NotEmpty(t, done.ID)
	require.Equal(t, contact.Notified{ID: done.ID, Recipients: 4}, done)
	require.Empty(t, w.fetched, "nothing is fetched before it is sent")

	mailer := new(notifytest.Recorder)
	worker, err := notify.NewWorker(w.db, mailer, w.quiet(), w.contacts)
	require.NoError(t, err)
	_, err = worker.Deliver(ctx)
	require.NoError(t, err)
	var got []string
	for _, m := range mailer.Mails() {
		got = append(got, m.To+" "+strings.Split(m.Text, "\n")[0])
		require.Equal(t, "Invoice 42 of Acme & Sons", m.Subject)
		require.Contains(t, m.HTML, "10.00 EUR &lt;b&gt;")
		require.Equal(t, []notify.Attachment{{Name: "invoice.pdf", Type: "application/pdf", Content: []byte("invoice/42")}}, m.Attachments)
	}
	const says = ", 10.00 EUR <b> (Invoice Emails, "
	require.ElementsMatch(t, []string{
		"olive@example.com Hello Name of olive" + says + "owner)",
		"ina@example.com Hello Name of ina" + says + "involved)",
		"mia@example.com Hello Name of mia" + says + "member)",
		"carl@contacts.example Hello carl" + says + "contact)",
	}, got)
	require.Equal(t, []string{"acme invoice/42"}, w.fetched, "once for all of them")
}

// TestNoticesHaveALinkToUnsubscribe checks the link in the mail and its headers: contacts have one that works, under the
// account's brand and not in the history, users and worlds without links have none.
func TestNoticesHaveALinkToUnsubscribe(t *testing.T) {
	w := newWorld(t)
	config := notices(w)
	config.Templates = fstest.MapFS{
		"en/invoice.created.txt":  {Data: []byte("Subject: Invoice {{.Data.number}}\nHello {{.Name}},{{with .Unsubscribe}} {{.}}{{end}}")},
		"en/invoice.created.html": {Data: []byte("<p>Hello {{.Name}}</p>")},
	}
	const brand = "https://brand.example/"
	branded := access.New(w.db, access.Config{Now: w.members.Now, BaseURLs: []string{brand},
		Brand: func(context.Context, access.Account) (notify.Brand, error) { return notify.Brand{BaseURL: brand}, nil }})
	links := linksOf(t, "", keyOf("2026"))
	for name, test := range map[string]struct {
		members *access.Service
		links   *contact.Links
		base    string
	}{
		"ours":     {w.members, links, linkBase},
		"branded":  {branded, links, brand + "contacts/"},
		"no links": {w.members, nil, ""},
	} {
		config.Links = test.links
		w.contacts = contact.New(w.db, test.members, config)
		carl := w.contact("carl", contact.Invoice)
		w.forget()
		_, err := w.contacts.Notify(ctx, acme, contact.Invoice, "", invoice(1))
		require.NoError(t, err)
		want := ""
		if test.base != "" {
			want = test.base + "unsubscribe/" + w.unsubscribeToken(carl.ID, contact.Invoice)
		}
		var messages []notify.Message
		for _, m := range w.state().Messages {
			if m.Kind == invoiceCreated && m.State == notify.Queued {
				messages = append(messages, m)
			}
		}
		got := map[string]string{}
		for _, prepared := range w.contacts.Prepare(ctx, messages) {
			require.NoError(t, prepared.Err)
			got[prepared.Mail.To] = prepared.Mail.Unsubscribe
			require.Contains(t, prepared.Mail.Text, prepared.Mail.Unsubscribe)
			require.NotContains(t, prepared.Said, "unsubscribe/")
		}
		require.Equal(t, map[string]string{"olive@example.com": "", carls: want}, got, name)
		remove(w, carl.ID)
		w.forget()
	}
}

// TestNotifyIsPartOfTheUnit checks that mails are there if and only if the host's unit of work is.
func TestNotifyIsPartOfTheUnit(t *testing.T) {
	w := notifyingWorld(t)
	for _, fails := range []error{errors.New("no"), nil} {
		before := len(w.state().Messages)
		err := w.db.Update(ctx, func(ctx context.Context, tx storage.Tx) error {
			done, err := w.contacts.Within(tx).Notify(ctx, acme, contact.Invoice, "", invoice(1))
			require.NoError(t, err)
			require.Equal(t, 1, done.Recipients)
			return fails
		})
		require.Equal(t, fails, err)
		if fails != nil {
			require.Len(t, w.state().Messages, before)
		} else {
			require.Len(t, w.state().Messages, before+1)
		}
	}
}

func TestNotifyTwice(t *testing.T) {
	w := notifyingWorld(t)
	notice := invoice(1)
	notice.ID = "invoice/1/created"
	done, err := w.contacts.Notify(ctx, acme, contact.Invoice, "service", notice, "mia")
	require.NoError(t, err)
	require.Equal(t, contact.Notified{ID: notice.ID, Recipients: 1}, done)
	again, err := w.contacts.Notify(ctx, acme, contact.Invoice, "service", notice, "mia")
	require.NoError(t, err)
	require.Equal(t, contact.Notified{ID: notice.ID, Repeated: true}, again)
	require.Len(t, w.state().Messages, 1)

	for name, other := range map[string]func() error{
		"data": func() error {
			other := invoice(2)
			other.ID = notice.ID
			_, err := w.contacts.Notify(ctx, acme, contact.Invoice, "service", other, "mia")
			return err
		},
		"category": func() error {
			_, err := w.contacts.Notify(ctx, acme, contact.Domain, "service", notice, "mia")
			return err
		},
		"resource": func() error { _, err := w.contacts.Notify(ctx, acme, contact.Invoice, "", notice, "mia"); return err },
		"also":     func() error { _, err := w.contacts.Notify(ctx, acme, contact.Invoice, "service", notice); return err },
	} {
		t.Run(name, func(t *testing.T) { requireRefused(t, other(), access.ErrExists, "notice.exists", "id") })
	}
	w.account("other", "otto")
	done, err = w.contacts.Notify(ctx, "other", contact.Invoice, "service", notice, "mia")
	require.NoError(t, err)
	require.Equal(t, 1, done.Recipients)
}

func TestNotifyRefuses(t *testing.T) {
	w := notifyingWorld(t)
	long := strings.Repeat("x", contact.MaxNoticeBytes)
	change := func(fn func(*contact.Notice)) contact.Notice {
		n := invoice(1)
		fn(&n)
		return n
	}
	for name, test := range map[string]struct {
		account     access.AccountID
		category    contact.Category
		notice      contact.Notice
		kind        error
		code, field string
	}{
		"no account":       {"nobodys", contact.Invoice, invoice(1), access.ErrNotFound, "not_found", "account"},
		"no category":      {acme, 0, invoice(1), access.ErrInvalid, "category.unknown", "category"},
		"two categories":   {acme, contact.Invoice | contact.Domain, invoice(1), access.ErrInvalid, "category.unknown", "category"},
		"unknown kind":     {acme, contact.Invoice, contact.Notice{Kind: "other"}, access.ErrInvalid, "notice.kind", "notice"},
		"a kind of ours":   {acme, contact.Invoice, contact.Notice{Kind: contact.MailContactAdded}, access.ErrInvalid, "notice.kind", "notice"},
		"long id":          {acme, contact.Invoice, change(func(n *contact.Notice) { n.ID = long[:101] }), access.ErrInvalid, "id.long", "id"},
		"no text as id":    {acme, contact.Invoice, change(func(n *contact.Notice) { n.ID = "a\n" }), access.ErrInvalid, "text.control", "id"},
		"much data":        {acme, contact.Invoice, change(func(n *contact.Notice) { n.Data["more"] = long }), access.ErrInvalid, "notice.data", "notice"},
		"data not in JSON": {acme, contact.Invoice, change(func(n *contact.Notice) { n.Data["more"] = func() {} }), access.ErrInvalid, "notice.data", "notice"},
		"many attachments": {acme, contact.Invoice, change(func(n *contact.Notice) { n.Attachments = make([]string, 21) }), access.ErrInvalid, "notice.attachments", "notice"},
		"no attachment":    {acme, contact.Invoice, change(func(n *contact.Notice) { n.Attachments = []string{""} }), access.ErrInvalid, "text.empty", "attachment"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.contacts.Notify(ctx, test.account, test.category, "", test.notice)
			requireRefused(t, err, test.kind, test.code, test.field)
			require.Empty(t, w.state().Messages)
		})
	}
	config := notices(w)
	config.Attachment = nil
	w.contacts = contact.New(w.db, w.members, config)
	_, err := w.contacts.Notify(ctx, acme, contact.Invoice, "", change(func(n *contact.Notice) { n.Attachments = []string{"a"} }))
	requireRefused(t, err, access.ErrInvalid, "notice.attachments", "notice")
	_, err = w.contacts.Notify(ctx, acme, contact.Invoice, "", invoice(1), make([]access.UserID, contact.MaxAlso+1)...)
	requireRefused(t, err, access.ErrInvalid, "also.many", "also")
}

// TestNoticesAreChecked checks what New says of configurations that would fail at the first mail.
func TestNoticesAreChecked(t *testing.T) {
	w := newWorld(t)
	for name, change := range map[string]func(*contact.Config){
		"notices.kind":      func(c *contact.Config) { c.Notices[0].Kind = contact.MailContactAdded },
		"notice.data":       func(c *contact.Config) { c.Notices[0].Data = func(string) any { return func() {} } },
		"templates.invalid": func(c *contact.Config) { c.Templates = nil },
	} {
		config := notices(w)
		require.NoError(t, config.Check(w.members))
		change(&config)
		err := config.Check(w.members)
		require.ErrorIs(t, err, access.ErrInvalid)
		require.Equal(t, name, code(t, err))
		require.Panics(t, func() { contact.New(w.db, w.members, config) })
	}
	mails, err := contact.New(w.db, w.members, notices(w)).Preview(invoiceCreated, "en", notify.Brand{})
	require.NoError(t, err)
	require.Equal(t, "Invoice 7 of Example & Sons", mails[0].Subject)
}

// TestNoticesAreAsThingsAreThen checks who still gets a notice when something changes after Notify, of acme's owner, the
// member mia, the involved ina and the contact carl.
func TestNoticesAreAsThingsAreThen(t *testing.T) {
	setIna := func(p access.Permission) func(*world) {
		return func(w *world) {
			_, err := w.members.SetPermissions(ctx, system, acme, "ina", p)
			require.NoError(w.t, err)
		}
	}
	remove := func(user access.UserID) func(*world) {
		return func(w *world) {
			_, err := w.members.Remove(ctx, system, acme, user)
			require.NoError(w.t, err)
		}
	}
	changeCarl := func(change func(*contact.Details)) func(*world) {
		return func(w *world) {
			carl := w.state().Contacts[0]
			d := carl.Details()
			change(&d)
			_, err := w.contacts.Update(ctx, system, acme, carl.ID, d)
			require.NoError(w.t, err)
		}
	}
	const olives, minas, inas = "olive@example.com", "mia@example.com", "ina@example.com"
	for name, test := range map[string]struct {
		change func(*world)
		sent   []string
		reason string
	}{
		"nothing":                         {func(*world) {}, []string{olives, minas, inas, carls}, ""},
		"the owner switched it off":       {func(w *world) { w.prefer(olive, contact.Domain) }, []string{minas, inas, carls}, "the user doesn't receive such mail any more"},
		"the member switched it off":      {func(w *world) { w.prefer("mia", 0) }, []string{olives, inas, carls}, "the user doesn't receive such mail any more"},
		"the member may not see it":       {setMia(access.OpenTickets), []string{olives, inas, carls}, "the user may not see what it is about any more"},
		"the member was suspended":        {suspendMia, []string{olives, inas, carls}, "the user may not see what it is about any more"},
		"the member was removed":          {remove("mia"), []string{olives, inas, carls}, "the user is no member any more"},
		"the involved may not see it":     {setIna(access.OpenTickets), []string{olives, minas, carls}, "the user may not see what it is about any more"},
		"the involved was removed":        {remove("ina"), []string{olives, minas, carls}, "the user is no member any more"},
		"the directory forgot the member": {func(w *world) { require.NoError(w.t, w.members.SyncUser(ctx, access.User{ID: "mia"})) }, []string{olives, inas, carls}, "the directory has no address"},
		"the contact was removed": {func(w *world) {
			_, err := w.contacts.Remove(ctx, system, acme, w.state().Contacts[0].ID)
			require.NoError(w.t, err)
		}, []string{olives, minas, inas}, "the contact was removed"},
		"the contact's category went":       {changeCarl(func(d *contact.Details) { d.Categories = contact.Domain }), []string{olives, minas, inas}, "the contact doesn't receive such mail any more"},
		"the contact's address was changed": {changeCarl(func(d *contact.Details) { d.Address = parsed("carla@contacts.example") }), []string{olives, minas, inas, "carla@contacts.example"}, ""},
		"the contact's mail bounces":        {func(w *world) { w.heard(notify.HardBounce, carls) }, []string{olives, minas, inas}, "the address is suppressed: hard bounce"},
		"the member complained":             {func(w *world) { w.heard(notify.Complaint, minas) }, []string{olives, inas, carls}, "the address is suppressed: complaint"},
		"the account was suspended":         {(*world).suspend, []string{olives, minas, inas, carls}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := notifyingWorld(t)
			w.member("mia", access.PayInvoices)
			w.prefer("mia", contact.Invoice)
			w.member("ina", access.PayInvoices)
			w.contact("carl", contact.Invoice)
			w.forget()
			_, err := w.contacts.Notify(ctx, acme, contact.Invoice, "", invoice(1), "ina")
			require.NoError(t, err)
			test.change(w)
			sent, cancelled := w.deliver()
			var got []string
			for _, each := range sent {
				if to, subject, _ := strings.Cut(each, ": "); strings.HasPrefix(subject, "Invoice") {
					got = append(got, to)
				}
			}
			require.ElementsMatch(t, test.sent, got)
			if test.reason == "" {
				require.Empty(t, cancelled)
			} else {
				require.Equal(t, []string{test.reason}, cancelled)
			}
		})
	}
}

// TestRequiredNoticesReachSomebody checks who gets domain mail when those who were to get it don't any more.
func TestRequiredNoticesReachSomebody(t *testing.T) {
	withoutDomain := contact.Portal().Known() &^ contact.Domain
	silenced := func(w *world) { w.contact("dora", contact.Domain); w.prefer(olive, withoutDomain) }
	for name, test := range map[string]struct {
		before, change func(*world)
		sent           []string
	}{
		"the last contact bounces": {silenced, func(w *world) { w.heard(notify.HardBounce, "dora@contacts.example") }, []string{"olive@example.com"}},
		"the last contact bounces, and the owner complained": {silenced, func(w *world) {
			w.heard(notify.HardBounce, "dora@contacts.example")
			w.heard(notify.Complaint, "olive@example.com")
		}, []string{"olive@example.com"}},
		"the last contact and the owner bounce": {silenced, func(w *world) {
			w.heard(notify.HardBounce, "dora@contacts.example")
			w.heard(notify.HardBounce, "olive@example.com")
		}, nil},
		"the account is closed": {func(w *world) { silenced(w); w.contact("emil", contact.Domain) }, (*world).close, []string{"olive@example.com"}},
		"there was nobody, and somebody came": {func(w *world) {
			silenced(w)
			w.heard(notify.HardBounce, "dora@contacts.example")
		}, func(w *world) { w.contact("emil", contact.Domain) }, []string{"olive@example.com"}},
		"there was nobody, and the owner's mail bounces": {func(w *world) {
			silenced(w)
			w.heard(notify.HardBounce, "dora@contacts.example")
		}, func(w *world) { w.heard(notify.HardBounce, "olive@example.com") }, nil},
		"another contact has replaced the last one": {silenced, func(w *world) {
			w.contact("emil", contact.Domain)
			remove(w, w.state().Contacts[0].ID)
		}, []string{"emil@contacts.example"}},
		"a contact has replaced the owner": {func(*world) {}, func(w *world) {
			w.contact("emil", contact.Domain)
			w.prefer(olive, withoutDomain)
		}, []string{"emil@contacts.example"}},
		"there was nobody, the owner's mail bounces, and somebody came": {func(w *world) {
			silenced(w)
			w.heard(notify.HardBounce, "dora@contacts.example")
		}, func(w *world) {
			w.contact("emil", contact.Domain)
			w.heard(notify.HardBounce, "olive@example.com")
		}, []string{"emil@contacts.example"}},
		"another contact is left": {func(w *world) { silenced(w); w.contact("emil", contact.Domain) },
			func(w *world) { w.heard(notify.HardBounce, "dora@contacts.example") }, []string{"emil@contacts.example"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := notifyingWorld(t)
			test.before(w)
			w.forget()
			done, err := w.contacts.Notify(ctx, acme, contact.Domain, "", invoice(1))
			require.NoError(t, err)
			require.NotZero(t, done.Recipients)
			test.change(w)
			sent, _ := w.deliver()
			var got []string
			for _, each := range sent {
				if to, subject, _ := strings.Cut(each, ": "); strings.HasPrefix(subject, "Invoice") {
					got = append(got, to)
				}
			}
			require.Equal(t, test.sent, got)
		})
	}
}

// TestRequiredNoticesThatAreRefused: when the last receiver's address turns out to refuse mail, the owner gets what it was
// to get, and nobody gets anything twice.
func TestRequiredNoticesThatAreRefused(t *testing.T) {
	w := notifyingWorld(t)
	w.contact("dora", contact.Domain)
	w.prefer(olive, 0)
	w.forget()
	_, err := w.contacts.Notify(ctx, acme, contact.Domain, "", invoice(1))
	require.NoError(t, err)
	var tried []string
	refused := map[string]bool{"dora@contacts.example": true}
	mailer := &notifytest.MailerMock{SendFunc: func(_ context.Context, m notify.Mail) error {
		tried = append(tried, m.To)
		if refused[m.To] {
			return &notify.AddressError{Code: 550, Status: "5.1.1"}
		}
		return nil
	}}
	worker, err := notify.NewWorker(w.db, mailer, w.quiet(), w.contacts)
	require.NoError(t, err)
	for range 3 {
		_, err := worker.Deliver(ctx)
		require.NoError(t, err)
	}
	require.Equal(t, []string{"dora@contacts.example", "olive@example.com"}, tried)
	require.Equal(t, notify.Sent, w.state().Messages[0].State)

	w.now = w.now.Add(time.Millisecond) // messages are listed by age
	_, err = w.contacts.Notify(ctx, acme, contact.Domain, "", invoice(2))
	require.NoError(t, err)
	refused["olive@example.com"] = true
	for range 3 {
		_, err := worker.Deliver(ctx)
		require.NoError(t, err)
	}
	require.Equal(t, []string{"dora@contacts.example", "olive@example.com", "olive@example.com"}, tried)
	require.Equal(t, notify.Dead, w.state().Messages[0].State, "there is nobody else")
}

// TestAttachmentsAreTriedAgain checks what becomes of a mail whose attachment can't be fetched.
func TestAttachmentsAreTriedAgain(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		want notify.State
	}{
		"later": {errors.New("the store is away"), notify.Queued},
		"never": {notify.Permanent(errors.New("there is no such invoice")), notify.Dead},
	} {
		t.Run(name, func(t *testing.T) {
			w := notifyingWorld(t)
			notice := invoice(1)
			notice.Attachments = []string{"invoice/1"}
			_, err := w.contacts.Notify(ctx, acme, contact.Invoice, "", notice)
			require.NoError(t, err)
			w.unfetched = test.err
			sent, _ := w.deliver()
			require.Empty(t, sent)
			m := w.state().Messages[0]
			require.Equal(t, test.want, m.State)
			require.Contains(t, m.Reason, test.err.Error())
		})
	}
}

// TestNoticesOfSeveralAccounts checks that a batch of several notices is answered in its order.
func TestNoticesOfSeveralAccounts(t *testing.T) {
	w := notifyingWorld(t)
	w.account("other", "otto")
	for i := range 3 {
		for _, account := range []access.AccountID{acme, "other"} {
			_, err := w.contacts.Notify(ctx, account, contact.Invoice, "", invoice(i))
			require.NoError(t, err)
		}
	}
	w.contact("carl", 0)
	sent, _ := w.deliver()
	var want []string
	for i := range 3 {
		for _, owner := range []access.UserID{olive, "otto"} {
			want = append(want, fmt.Sprintf("%s@example.com: Invoice %d of Acme & Sons", owner, i))
		}
	}
	require.ElementsMatch(t, append(want, "carl@contacts.example: You are now a contact of “Acme & Sons”"), sent)
}

// TestNoticesEqualRecipients checks, for random accounts, that a notice goes to exactly those whom Recipients returns, and,
// after a random change, to exactly those of them whom it returns then.
func TestNoticesEqualRecipients(t *testing.T) {
	users := rapid.SampledFrom([]access.UserID{olive, "mia", "max", "zoe", "nobody"})
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		m := drawModel(t)
		m.store(w)
		config := notices(w)
		config.Links, config.RequireVerified, config.VerifyAgain = linksOf(t, "", keyOf("2026")), m.required, m.again
		w.configured(config)
		also := rapid.SliceOfN(users, 0, 3).Draw(t, "also")
		d := rapid.SampledFrom(contact.Portal().Definitions()).Draw(t, "category")
		first, err := w.contacts.Recipients(ctx, acme, d.Category, "", also...)
		require.NoError(t, err)
		done, err := w.contacts.Notify(ctx, acme, d.Category, "", invoice(1), also...)
		require.NoError(t, err)
		require.Equal(t, len(first), done.Recipients)
		requireSame(t, addressesOf(first), w.noticed(nil))

		_ = m.drawNarrowing(t)(w) // which may be refused
		for about, kind := range m.suppressed {
			if rapid.Bool().Draw(t, "suppressed more") {
				w.heard(kind, strings.Replace(about, "a@", "b@", 1))
			}
		}
		then, err := w.contacts.Recipients(ctx, acme, d.Category, "", also...)
		require.NoError(t, err)
		w.noticed(append([]contact.Recipient{}, then...))
	})
}

func addressesOf(list []contact.Recipient) map[string]contact.Reason {
	addresses := map[string]contact.Reason{}
	for _, r := range list {
		addresses[r.Address.Canonical()] = r.Reason
	}
	return addresses
}

// noticed returns to which addresses, and why, the notices in the outbox would go now. If due isn't nil, they must go to
// those whom they are for and who are due, and to nobody else.
func (w *world) noticed(due []contact.Recipient) map[string]contact.Reason {
	w.t.Helper()
	addresses, allowed := map[string]contact.Reason{}, addressesOf(due)
	var messages []notify.Message
	for _, m := range w.state().Messages {
		if m.Kind == invoiceCreated {
			messages = append(messages, m)
		}
	}
	for i, prepared := range w.contacts.Prepare(ctx, messages) {
		require.NoError(w.t, prepared.Err)
		if prepared.Cancel != "" {
			for _, r := range due {
				isFor := messages[i].To == string(r.User)+string(r.Contact) && r.Reason != contact.ReasonFallback
				require.False(w.t, isFor, "%s is due, and has none: %s", messages[i].To, prepared.Cancel)
			}
			continue
		}
		canonical := parsed(prepared.Mail.To).Canonical()
		require.NotContains(w.t, addresses, canonical, "twice")
		_, reason, _ := strings.Cut(prepared.Mail.Text, "Emails, ")
		reason, _, _ = strings.Cut(reason, ")")
		addresses[canonical] = contact.Reason(reason)
		if due != nil && contact.Reason(reason) != contact.ReasonFallback { // which stays, as nobody else was told
			require.Contains(w.t, allowed, canonical)
		}
	}
	return addresses
}
