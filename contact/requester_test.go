package contact_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/storage"
)

func TestRequester(t *testing.T) {
	mia := func(p access.Permission) func(*world) { return func(w *world) { w.member("mia", p) } }
	sync := func(u access.User) func(*world) {
		return func(w *world) { require.NoError(w.t, w.members.SyncUser(ctx, u)) }
	}
	then := func(steps ...func(*world)) func(*world) {
		return func(w *world) {
			for _, step := range steps {
				step(w)
			}
		}
	}
	shared := addressOf(t, "mia")
	duringSuspension := access.Portal().WhileSuspended()
	owner := contact.Requester{Kind: contact.RequesterOwner, Name: "Name of olive", User: olive, Permissions: access.All}
	user := contact.Requester{Kind: contact.RequesterUser, Name: "Name of mia", User: "mia", Permissions: access.PayInvoices | access.ViewProducts}
	suspendedOwner, suspendedUser := owner, user
	suspendedOwner.Permissions, suspendedUser.Permissions = duringSuspension, access.PayInvoices
	anna := contact.Requester{Kind: contact.RequesterContact, Name: "anna"}
	unknown := contact.Requester{}

	for name, test := range map[string]struct {
		before  func(*world)
		address string
		want    contact.Requester
	}{
		"the owner":                                  {func(*world) {}, "olive@example.com", owner},
		"the owner, spelled otherwise":               {func(*world) {}, "OLIVE@Example.COM", owner},
		"the owner, not verified":                    {sync(access.User{ID: olive, Address: addressOf(t, olive)}), "olive@example.com", unknown},
		"a user":                                     {mia(user.Permissions), "mia@example.com", user},
		"a user, not verified":                       {then(mia(user.Permissions), sync(access.User{ID: "mia", Address: shared})), "mia@example.com", unknown},
		"a suspended user":                           {then(mia(user.Permissions), suspendMia), "mia@example.com", unknown},
		"an expired user":                            {then(mia(user.Permissions), expireMia), "mia@example.com", unknown},
		"a user, suspended account":                  {then(mia(user.Permissions), (*world).suspend), "mia@example.com", suspendedUser},
		"the owner, suspended account":               {(*world).suspend, "olive@example.com", suspendedOwner},
		"the owner, closed account":                  {(*world).close, "olive@example.com", unknown},
		"a contact, closed account":                  {then(func(w *world) { w.contact("anna", contact.All) }, (*world).close), "anna@contacts.example", unknown},
		"a contact":                                  {func(w *world) { w.contact("anna", contact.All) }, "anna@contacts.example", anna},
		"a contact with the owner's name":            {func(w *world) { namesake(w) }, "alternate@contacts.example", contact.Requester{Kind: contact.RequesterContact, Name: "Name of olive"}},
		"a user's address, a contact too":            {then(mia(user.Permissions), contactAtMias), "mia@example.com", user},
		"a suspended user's, a contact too":          {then(mia(user.Permissions), contactAtMias, suspendMia), "mia@example.com", anna},
		"an unverified user's, contact too":          {then(mia(user.Permissions), contactAtMias, sync(access.User{ID: "mia", Address: shared})), "mia@example.com", anna},
		"nobody's":                                   {func(*world) {}, "eve@example.com", unknown},
		"a user's of another account":                {func(w *world) { w.account("other", "otto") }, "otto@example.com", unknown},
		"the owner's and a user's, verified":         {then(mia(user.Permissions), sync(access.User{ID: olive, Address: shared, Verified: true})), "mia@example.com", unknown},
		"the owner's and a suspended user's":         {then(mia(user.Permissions), suspendMia, sync(access.User{ID: olive, Address: shared, Verified: true})), "mia@example.com", unknown},
		"a user's, claimed by another without proof": {then(mia(user.Permissions), sync(access.User{ID: olive, Address: shared})), "mia@example.com", user},
		"two users', and a contact's":                {then(mia(user.Permissions), contactAtMias, sync(access.User{ID: olive, Address: shared, Verified: true})), "mia@example.com", unknown},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			test.before(w)
			for _, actor := range []access.Actor{staff, system} {
				got, err := w.contacts.Requester(ctx, actor, acme, address(t, test.address))
				require.NoError(t, err)
				require.Empty(t, cmp.Diff(test.want, got, cmpopts.IgnoreFields(contact.Requester{}, "Contact")))
				require.Equal(t, got.Kind == contact.RequesterContact, got.Contact != "")
			}
		})
	}
}

// TestRequesterAmongTooMany checks that one verified user isn't taken for the only one where not all could be looked at.
func TestRequesterAmongTooMany(t *testing.T) {
	w := newWorld(t)
	shared := addressOf(t, olive)
	w.write(func(tx storage.Tx) error {
		for i := range access.MaxPage {
			user := access.UserID(fmt.Sprintf("a%03d", i))
			require.NoError(t, tx.PutUsers(ctx, access.User{ID: user, Address: shared, Verified: i == 0}))
			require.NoError(t, tx.PutMembership(ctx, access.Membership{Account: acme, User: user, Status: access.Active, Permissions: access.All}))
		}
		return nil
	})
	got, err := w.contacts.Requester(ctx, system, acme, shared)
	require.NoError(t, err)
	require.Equal(t, contact.Requester{}, got)
}

// namesake adds a contact that has the owner's name.
func namesake(w *world) {
	w.t.Helper()
	d := details(w.t, "alternate", 0)
	d.Name = "Name of olive"
	_, _, err := w.contacts.Add(ctx, system, acme, d)
	require.NoError(w.t, err)
}

func TestRequesterIsForTheDesk(t *testing.T) {
	w := newWorld(t)
	w.member("mia", access.All)
	for actor, want := range map[access.Actor]struct{ kind, field string }{
		access.As(olive): {"denies.host", ""},
		access.As("mia"): {"denies.host", ""},
		access.As("eve"): {"not_found", "account"},
	} {
		_, err := w.contacts.Requester(ctx, actor, acme, addressOf(t, olive))
		require.Error(t, err)
		require.Equal(t, want.kind, code(t, err))
	}
	w.policy = access.Denied("denies.night", "not at night")
	_, err := w.contacts.Requester(ctx, staff, acme, addressOf(t, olive))
	require.Equal(t, "denies.night", code(t, err))
	_, err = w.contacts.Requester(ctx, system, acme, addressOf(t, olive))
	require.NoError(t, err)
}

func TestRequesterKindTexts(t *testing.T) {
	for kind, want := range map[contact.RequesterKind]string{contact.RequesterUnknown: "unknown", contact.RequesterContact: "contact",
		contact.RequesterUser: "user", contact.RequesterOwner: "owner", 99: "unknown"} {
		require.Equal(t, want, kind.String())
	}
}
