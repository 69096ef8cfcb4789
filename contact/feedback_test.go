package contact_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/notify"
)

// heard tells the service what a provider reports about an address.
func (w *world) heard(kind notify.FeedbackKind, about string) {
	w.t.Helper()
	require.NoError(w.t, w.contacts.TakeFeedback(ctx, notify.Feedback{Kind: kind, Address: about}))
	w.now = w.now.Add(time.Microsecond) // or the next one would be the same
}

// suppressed returns what suppresses an address, zero for nothing.
func (w *world) suppressed(about string) notify.FeedbackKind {
	w.t.Helper()
	a := address(w.t, about)
	found, err := w.contacts.Suppressed(ctx, a, address(w.t, "nobody@example.com"))
	require.NoError(w.t, err)
	require.NotContains(w.t, found, "nobody@example.com")
	return found[a.Canonical()].Kind
}

const carls = "carl@contacts.example"

// TestFeedbackSuppresses checks what reports, in turn, make of an address.
func TestFeedbackSuppresses(t *testing.T) {
	const hard, soft, complaint = notify.HardBounce, notify.SoftBounce, notify.Complaint
	for name, test := range map[string]struct {
		reports []notify.FeedbackKind
		want    notify.FeedbackKind
	}{
		"nothing":                         {nil, 0},
		"a hard bounce":                   {[]notify.FeedbackKind{hard}, hard},
		"a complaint":                     {[]notify.FeedbackKind{complaint}, complaint},
		"a soft bounce":                   {[]notify.FeedbackKind{soft}, 0},
		"soft bounces, not enough":        {[]notify.FeedbackKind{soft, soft, soft, soft}, 0},
		"soft bounces, enough":            {[]notify.FeedbackKind{soft, soft, soft, soft, soft}, soft},
		"a complaint, then a hard bounce": {[]notify.FeedbackKind{complaint, hard}, hard},
		"a hard bounce, then a complaint": {[]notify.FeedbackKind{hard, complaint}, hard},
		"soft bounces, then a complaint":  {[]notify.FeedbackKind{soft, soft, soft, soft, soft, complaint}, soft},
		"a complaint, then soft bounces":  {[]notify.FeedbackKind{complaint, soft, soft, soft, soft, soft}, soft},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			for _, kind := range test.reports {
				w.heard(kind, "Carl@Contacts.Example")
			}
			require.Equal(t, test.want, w.suppressed(carls))
			require.Zero(t, w.suppressed("carla@contacts.example"))
		})
	}
}

// TestSoftBouncesCountWithinATime checks the window of the Config, and that it slides.
func TestSoftBouncesCountWithinATime(t *testing.T) {
	w := newWorld(t)
	w.contacts = contact.New(w.db, w.members, contact.Config{SoftBounces: 3, SoftWindow: time.Hour})
	for range 4 { // of which never more than two are within an hour
		w.heard(notify.SoftBounce, carls)
		require.Zero(t, w.suppressed(carls))
		w.now = w.now.Add(31 * time.Minute)
	}
	w.heard(notify.SoftBounce, carls)
	w.heard(notify.SoftBounce, carls)
	require.Equal(t, notify.SoftBounce, w.suppressed(carls))

	for _, config := range []contact.Config{{SoftBounces: -1}, {SoftWindow: -1}} {
		require.Panics(t, func() { contact.New(w.db, w.members, config) })
	}
}

// TestRepeatedReportsCountOnce checks reports with the provider's id, and without one.
func TestRepeatedReportsCountOnce(t *testing.T) {
	for name, report := range map[string]notify.Feedback{
		"by id":       {ID: "report-1", Kind: notify.SoftBounce, Address: carls},
		"by contents": {Kind: notify.SoftBounce, Address: carls, Message: "m1", At: start.Add(-time.Minute)},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.contacts = contact.New(w.db, w.members, contact.Config{SoftBounces: 2})
			for range 3 {
				require.NoError(t, w.contacts.TakeFeedback(ctx, report))
				w.now = w.now.Add(time.Minute)
			}
			require.Zero(t, w.suppressed(carls))
			other := report
			other.ID, other.At = "", start.Add(-time.Second)
			require.NoError(t, w.contacts.TakeFeedback(ctx, other))
			require.Equal(t, notify.SoftBounce, w.suppressed(carls))
		})
	}
}

func TestFeedbackThatIsRefused(t *testing.T) {
	w := newWorld(t)
	for _, test := range []struct {
		feedback    notify.Feedback
		code, field string
	}{
		{notify.Feedback{Address: carls}, "feedback.kind", "feedback"},
		{notify.Feedback{Kind: notify.Lifted, Address: carls}, "feedback.kind", "feedback"},
		{notify.Feedback{Kind: 99, Address: carls}, "feedback.kind", "feedback"},
		{notify.Feedback{Kind: notify.HardBounce}, "address.empty", "address"},
		{notify.Feedback{Kind: notify.HardBounce, Address: "<" + carls + ">"}, "address.local", "address"},
		{notify.Feedback{Kind: notify.HardBounce, Address: carls, ID: strings.Repeat("x", 129)}, "id.long", "id"},
		{notify.Feedback{Kind: notify.HardBounce, Address: carls, ID: "a\nb"}, "text.control", "id"},
		{notify.Feedback{Kind: notify.HardBounce, Address: carls, Message: notify.MessageID(strings.Repeat("x", 65))}, "id.long", "message"},
	} {
		err := w.contacts.TakeFeedback(ctx, test.feedback)
		requireRefused(t, err, access.ErrInvalid, test.code, test.field)
		require.True(t, notify.IsPermanent(err))
	}
	list, err := w.contacts.Suppressions(ctx, system, access.Page{})
	require.NoError(t, err)
	require.Empty(t, list.Items)
}

// TestFeedbackIsOnTheRecord checks what is kept of reports and of who lifted a suppression, and that it is without
// secrets.
func TestFeedbackIsOnTheRecord(t *testing.T) {
	w := newWorld(t)
	at := start.Add(-time.Hour)
	require.NoError(t, w.contacts.TakeFeedback(ctx, notify.Feedback{ID: "r1", Kind: notify.HardBounce, Address: "Carl@Contacts.Example",
		Message: "m1", Detail: "550 <carl@contacts.example> unknown,\r\nsee https://errors.example/550", At: at, By: "somebody"}))
	w.now = start.Add(time.Minute)
	require.NoError(t, w.contacts.TakeFeedback(ctx, notify.Feedback{ID: "r2", Kind: notify.Complaint, Address: carls, At: start.AddDate(1, 0, 0)}))
	w.now = start.Add(time.Hour)
	require.NoError(t, w.contacts.Lift(ctx, access.AsStaff("sam", "carl called"), address(t, "CARL@contacts.example")))

	want := []notify.Feedback{
		{ID: "lifted/1793624400000000", Kind: notify.Lifted, Address: carls, Detail: "carl called", At: start.Add(time.Hour), By: "staff/sam"},
		{ID: "r2", Kind: notify.Complaint, Address: carls, At: start.Add(time.Minute)},
		{ID: "r1", Kind: notify.HardBounce, Address: carls, Message: "m1", Detail: "550 … unknown, see …", At: at},
	}
	got := collect(t, func(page access.Page) (access.List[notify.Feedback], error) {
		return w.contacts.Feedback(ctx, staff, address(t, carls), page)
	})
	require.Equal(t, want, got)
}

// collect reads a list, one entry to a page.
func collect[E any](t *testing.T, fetch func(access.Page) (access.List[E], error)) []E {
	t.Helper()
	var all []E
	for page := (access.Page{Limit: 1}); ; {
		list, err := fetch(page)
		require.NoError(t, err)
		all = append(all, list.Items...)
		if page.After = list.Next; page.After == "" {
			return all
		}
	}
}

func TestSuppressionsAreListed(t *testing.T) {
	w := newWorld(t)
	w.heard(notify.Complaint, "b@example.com")
	w.heard(notify.HardBounce, "a@example.com")
	w.heard(notify.SoftBounce, "c@example.com")
	got := collect(t, func(page access.Page) (access.List[notify.Suppression], error) {
		return w.contacts.Suppressions(ctx, system, page)
	})
	require.Equal(t, []notify.Suppression{
		{Address: "a@example.com", Kind: notify.HardBounce, Since: start.Add(time.Microsecond)},
		{Address: "b@example.com", Kind: notify.Complaint, Since: start},
	}, got)
}

// TestLift checks that a lifted suppression is over, and that soft bounces are counted anew.
func TestLift(t *testing.T) {
	w := newWorld(t)
	w.contacts = contact.New(w.db, w.members, contact.Config{SoftBounces: 2})
	carl := address(t, carls)
	for range 2 {
		w.heard(notify.SoftBounce, carls)
		w.heard(notify.SoftBounce, carls)
		require.Equal(t, notify.SoftBounce, w.suppressed(carls))
		require.NoError(t, w.contacts.Lift(ctx, staff, carl))
		require.Zero(t, w.suppressed(carls))
		w.heard(notify.SoftBounce, carls)
		require.Zero(t, w.suppressed(carls))
		w.heard(notify.HardBounce, carls)
		require.NoError(t, w.contacts.Lift(ctx, system, carl))
	}
	requireRefused(t, w.contacts.Lift(ctx, staff, carl), access.ErrNotFound, "not_found", "suppression")
	requireRefused(t, w.contacts.Lift(ctx, staff, access.Address{}), access.ErrInvalid, "address.empty", "address")
}

// TestSuppressionsAreTheHosts checks who may see and lift suppressions.
func TestSuppressionsAreTheHosts(t *testing.T) {
	w := newWorld(t)
	w.heard(notify.HardBounce, carls)
	refused := func(actor access.Actor, kind error, code string) {
		t.Helper()
		_, err := w.contacts.Suppressions(ctx, actor, access.Page{})
		requireRefused(t, err, kind, code, fieldOf(err))
		_, err = w.contacts.Feedback(ctx, actor, address(t, carls), access.Page{})
		requireRefused(t, err, kind, code, fieldOf(err))
		requireRefused(t, w.contacts.Lift(ctx, actor, address(t, carls)), kind, code, fieldOf(err))
	}
	refused(access.As(olive), access.ErrDenied, "denies.host")
	refused(access.Actor{}, access.ErrInvalid, "actor.zero")
	w.policy = access.Denied("denies.night", "not at night")
	refused(staff, access.ErrDenied, "denies.night")
	require.NotZero(t, w.suppressed(carls))
}

// fieldOf is the field that a refusal names.
func fieldOf(err error) string {
	if refusal, ok := err.(*access.Error); ok {
		return refusal.Field
	}
	return ""
}

// TestFeedbackListsRefuse checks what can't be asked of the lists of the host.
func TestFeedbackListsRefuse(t *testing.T) {
	w := newWorld(t)
	w.member("mia", access.PayInvoices) // so that the other list has a second page
	for range 2 {
		w.heard(notify.Complaint, carls)
		w.heard(notify.Complaint, "dora@contacts.example")
	}
	feedback := func(about access.Address, page access.Page) error {
		_, err := w.contacts.Feedback(ctx, system, about, page)
		return err
	}
	suppressions := func(page access.Page) error {
		_, err := w.contacts.Suppressions(ctx, system, page)
		return err
	}
	carl, dora := address(t, carls), address(t, "dora@contacts.example")
	requireRefused(t, feedback(access.Address{}, access.Page{}), access.ErrInvalid, "address.empty", "address")
	for _, page := range []access.Page{{Limit: -1}, {Limit: access.MaxPage + 1}} {
		requireRefused(t, feedback(carl, page), access.ErrInvalid, "page.limit", "page")
		requireRefused(t, suppressions(page), access.ErrInvalid, "page.limit", "page")
	}
	first, err := w.contacts.Feedback(ctx, system, carl, access.Page{Limit: 1})
	require.NoError(t, err)
	require.NotEmpty(t, first.Next)
	require.NoError(t, feedback(carl, access.Page{After: first.Next}))
	for _, cursor := range []access.Cursor{"abc", firstCursorOf(t, w)} {
		requireRefused(t, feedback(carl, access.Page{After: cursor}), access.ErrInvalid, "page.cursor", "page")
		requireRefused(t, suppressions(access.Page{After: cursor}), access.ErrInvalid, "page.cursor", "page")
	}
	requireRefused(t, feedback(dora, access.Page{After: first.Next}), access.ErrInvalid, "page.cursor", "page")
	requireRefused(t, suppressions(access.Page{After: first.Next}), access.ErrInvalid, "page.cursor", "page")
}

func TestSuppressedTakesAPage(t *testing.T) {
	w := newWorld(t)
	many := make([]access.Address, access.MaxPage+1)
	for i := range many {
		many[i] = address(t, carls)
	}
	_, err := w.contacts.Suppressed(ctx, many...)
	requireRefused(t, err, access.ErrInvalid, "addresses.many", "addresses")
	found, err := w.contacts.Suppressed(ctx, many[1:]...)
	require.NoError(t, err)
	require.Empty(t, found)
}

// TestSuppressedAddressesReceiveNothing checks who is left of the owner, an involved user, a member and a contact.
func TestSuppressedAddressesReceiveNothing(t *testing.T) {
	everybody := []string{"owner olive@example.com", "involved ina@example.com", "member mia@example.com", "contact carl@contacts.example"}
	for _, kind := range []notify.FeedbackKind{notify.HardBounce, notify.Complaint} {
		for i, each := range everybody {
			w := newWorld(t)
			w.member("ina", access.PayInvoices)
			w.member("mia", access.PayInvoices)
			w.prefer("mia", contact.Invoice)
			w.contact("carl", contact.Invoice)
			require.Equal(t, everybody, w.hear(contact.Invoice, "ina"))
			_, about, _ := strings.Cut(each, " ")
			w.heard(kind, about)
			var others []string
			others = append(append(others, everybody[:i]...), everybody[i+1:]...)
			require.Equal(t, others, w.hear(contact.Invoice, "ina"))
			require.NoError(t, w.contacts.Lift(ctx, system, address(t, about)))
			require.Equal(t, everybody, w.hear(contact.Invoice, "ina"))
		}
	}
}

// TestFallbackWhereMailBounces checks what the owner receives of a required category when nobody else does any more.
func TestFallbackWhereMailBounces(t *testing.T) {
	const fallback = "fallback olive@example.com"
	for name, test := range map[string]struct {
		silent bool // the owner switched it off
		heard  map[string]notify.FeedbackKind
		want   []string
	}{
		"the last contact bounces":                            {true, map[string]notify.FeedbackKind{carls: notify.HardBounce}, []string{fallback}},
		"the last contact complained":                         {true, map[string]notify.FeedbackKind{carls: notify.Complaint}, []string{fallback}},
		"the last contact bounces, and the owner complained":  {true, map[string]notify.FeedbackKind{carls: notify.HardBounce, "olive@example.com": notify.Complaint}, []string{fallback}},
		"the last contact and the owner bounce":               {true, map[string]notify.FeedbackKind{carls: notify.HardBounce, "olive@example.com": notify.HardBounce}, []string{}},
		"the owner bounces, the contact is left":              {false, map[string]notify.FeedbackKind{"olive@example.com": notify.HardBounce}, []string{"contact " + carls}},
		"the owner, who wants it, complained, as the contact": {false, map[string]notify.FeedbackKind{carls: notify.Complaint, "olive@example.com": notify.Complaint}, []string{fallback}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.contact("carl", contact.Domain)
			if test.silent {
				w.prefer(olive, contact.Portal().Known()&^contact.Domain)
			}
			for about, kind := range test.heard {
				w.heard(kind, about)
			}
			require.Equal(t, test.want, w.hear(contact.Domain))
		})
	}
}

// TestSuppressedMailIsCancelled checks the mail that tells a contact that it was added.
func TestSuppressedMailIsCancelled(t *testing.T) {
	for kind, reason := range map[notify.FeedbackKind]string{
		notify.HardBounce: "the address is suppressed: hard bounce",
		notify.Complaint:  "the address is suppressed: complaint",
	} {
		w := newWorld(t)
		w.contact("carl", 0)
		w.heard(kind, carls)
		require.Equal(t, []notify.Prepared{{Cancel: reason}}, w.prepare())
	}
}
