package storagetest

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/memory"
)

// The methods of a transaction that write nothing. Spoil only keeps it from writing, AfterCommit waits until it has.
var readers = []string{"Account", "AfterCommit", "Changes", "Contact", "ContactByAddress", "Contacts", "Deliveries", "Events", "Feed", "Feedback",
	"FindContact", "FindInvite", "Grant", "Granted", "Grants", "Invite", "InviteKeys", "Invites", "LiveInvites", "Members", "MembersByAddress",
	"Membership", "Message", "Messages", "Notice", "PendingInvite", "Preference", "Receivers", "Seats", "Spoil", "Subscribers", "Suppressed", "Suppressions",
	"Unsubscribed", "User", "UserAccounts", "Users", "Verification", "WaitingInvites"}

// The methods of the services that change nothing, by package, or nothing but the registry.
var lookers = map[string][]string{
	"access": {"Account", "Accounts", "Begin", "Can", "CanAll", "Catalog", "CheckHost", "Explain", "Filter", "Grant", "History", "HistoryHead", "Kinds", "Locales", "Look", "Mails", "Member",
		"Members", "Message", "Messages", "Now", "Prepare", "Preview", "SetLease", "Settle", "User", "VerifyHistory", "WhoCan", "Within"},
	"invite": {"KeysInUse", "Kinds", "Locales", "Lookup", "Invite", "Pending", "Prepare", "Preview", "Waiting", "Within"},
	"contact": {"Categories", "Contact", "Contacts", "Feedback", "Kinds", "Locales", "LookupUnsubscribe", "LookupVerification", "Preferences", "Prepare", "Preview",
		"Recipients", "Requester", "Suppressed", "Suppressions", "UnsubscribeURL", "VerificationMails", "Within"},
}

func methods(of reflect.Type) []string {
	var names []string
	for i := range of.NumMethod() {
		names = append(names, of.Method(i).Name)
	}
	return names
}

func TestEveryWriteIsTried(t *testing.T) {
	tried := slices.Clone(readers)
	for _, w := range append(writes(t), locks()...) {
		tried = append(tried, w.name)
	}
	require.ElementsMatch(t, methods(reflect.TypeFor[storage.Tx]()), tried)
}

func TestEveryMethodOfTheRegistryIsCalled(t *testing.T) {
	var called []string
	db := database{DB: memory.New(), t: t, ctx: t.Context()}
	for _, call := range registryCalls() {
		called = append(called, call.name)
		db.DB = memory.New()
		prepareRegistry(db)
		before := db.registry()
		require.NoError(t, call.do(t.Context(), db.DB))
		reads := call.name == "Poll" || call.name == "Followers"
		require.Equal(t, reads, before == db.registry(), "%s changes something, or nothing", call.name)
	}
	require.ElementsMatch(t, methods(reflect.TypeFor[access.Registry]()), called)
}

func TestEveryWriteCanFail(t *testing.T) {
	db := database{DB: memory.New(), t: t, ctx: t.Context()}
	prepare(db)
	before := db.dump()
	for _, w := range append(writes(t), locks()...) {
		for _, after := range []bool{false, true} {
			faulty := &faultyDB{DB: db.DB}
			faulty.fail(2, after)
			err := faulty.Update(t.Context(), func(ctx context.Context, tx storage.Tx) error {
				if _, err := tx.Lock(ctx, acme); err != nil {
					return err
				}
				require.ErrorIs(t, w.do(ctx, tx), errInjected, w.name)
				return nil // swallowed
			})
			require.ErrorIs(t, err, errInjected, w.name)
			require.False(t, faulty.commit)
			require.Equal(t, before, db.dump(), w.name)
		}
	}
}

func TestEveryVerbIsTried(t *testing.T) {
	services := map[string]reflect.Type{
		"access":  reflect.TypeFor[*access.Service](),
		"invite":  reflect.TypeFor[*invite.Service](),
		"contact": reflect.TypeFor[*contact.Service](),
	}
	for name, service := range services {
		tried := make(map[string]bool)
		for _, looker := range lookers[name] {
			tried[looker] = true
		}
		for _, v := range verbs() {
			if verb, ours := strings.CutPrefix(v.name, name+"."); ours {
				verb, _, _ = strings.Cut(verb, ",")
				require.NotContains(t, lookers[name], verb)
				tried[verb] = true
			}
		}
		for _, method := range methods(service) {
			require.True(t, tried[method], "%s.%s is never tried", name, method)
		}
	}
}

// TestDump shows that each write shows in a dump, but for Hit: how often a limit was used can only be learned by using it;
// and for PutUnsubscribed: what an address switched off can only be asked of that address.
func TestDump(t *testing.T) {
	for _, w := range writes(t) {
		db := database{DB: memory.New(), t: t, ctx: t.Context()}
		prepare(db)
		before := withoutVersions(db.dump())
		db.locked(acme, func(ctx context.Context, tx storage.Tx) { require.NoError(t, w.do(ctx, tx)) })
		after := withoutVersions(db.dump())
		if w.name == "Hit" || w.name == "PutUnsubscribed" {
			require.Equal(t, before, after)
		} else {
			require.NotEqual(t, before, after, w.name)
		}
	}
}

// withoutVersions leaves out what every lock changes.
func withoutVersions(dump string) string {
	words := strings.Fields(dump)
	return strings.Join(slices.DeleteFunc(words, func(word string) bool { return strings.Contains(word, "Version=") }), " ")
}

func TestDumpText(t *testing.T) {
	db := database{DB: memory.New(), t: t, ctx: t.Context()}
	db.insert(acme)
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		require.NoError(t, tx.PutMembership(ctx, newMembership(acme, ann, 3)))
		require.NoError(t, tx.PutUsers(ctx, access.User{ID: ann, Name: "Ann", Address: address(t, "Ann@example.com")}))
	})
	text, err := Dump(t.Context(), db.DB, []access.AccountID{acme, globex}, []access.UserID{ann, bob})
	require.NoError(t, err)
	require.Equal(t, `account ID="acme" Owner="olga" Status=active Profile.Name="Olga Owner" Created=2026-03-01T12:00:00Z Version=2
member Account="acme" User="ann" Permissions=3 Status=active Created=2026-03-01T12:00:00Z Person.ID="ann" Person.Address="Ann@example.com"("ann@example.com") Person.Name="Ann"
user ID="ann" Address="Ann@example.com"("ann@example.com") Name="Ann"
account of ann Account.ID="acme" Account.Owner="olga" Account.Status=active Account.Profile.Name="Olga Owner" Account.Created=2026-03-01T12:00:00Z Account.Version=2 Membership.Account="acme" Membership.User="ann" Membership.Permissions=3 Membership.Status=active Membership.Created=2026-03-01T12:00:00Z
`, text)
}
