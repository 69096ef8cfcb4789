package access_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/access/accesstest"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
)

// A verb is one method of the service that acts on an account, with arguments that can be right.
type verb struct {
	name string
	kind access.EventKind // what staff is asked for; empty for reading
	user string           // the field of the user argument, if there is one
	do   func(ctx context.Context, s *access.Service, actor access.Actor, account access.AccountID, user access.UserID) (any, error)
}

func everyVerb() []verb {
	later := accesstest.Epoch.Add(24 * time.Hour)
	return []verb{
		{"CreateAccount", access.EventAccountCreated, "owner", func(ctx context.Context, s *access.Service, actor access.Actor, account access.AccountID, user access.UserID) (any, error) {
			return s.CreateAccount(ctx, actor, access.NewAccount{ID: account, Owner: user, Profile: access.Profile{Name: "Another"}})
		}},
		{"UpdateAccount", access.EventAccountUpdated, "", func(ctx context.Context, s *access.Service, actor access.Actor, account access.AccountID, _ access.UserID) (any, error) {
			return s.UpdateAccount(ctx, actor, account, access.Profile{Name: "Renamed"})
		}},
		{"SetPolicy", access.EventAccountPolicySet, "", func(ctx context.Context, s *access.Service, actor access.Actor, account access.AccountID, _ access.UserID) (any, error) {
			return s.SetPolicy(ctx, actor, account, access.Policy{Domains: []string{"example.com"}})
		}},
		{"SuspendAccount", access.EventAccountSuspended, "", func(ctx context.Context, s *access.Service, actor access.Actor, account access.AccountID, _ access.UserID) (any, error) {
			return s.SuspendAccount(ctx, actor, account)
		}},
		{"ReactivateAccount", access.EventAccountReactivated, "", func(ctx context.Context, s *access.Service, actor access.Actor, account access.AccountID, _ access.UserID) (any, error) {
			return s.ReactivateAccount(ctx, actor, account)
		}},
		{"CloseAccount", access.EventAccountClosed, "", func(ctx context.Context, s *access.Service, actor access.Actor, account access.AccountID, _ access.UserID) (any, error) {
			return s.CloseAccount(ctx, actor, account)
		}},
		{"AddMember", access.EventMemberAdded, "user", func(ctx context.Context, s *access.Service, actor access.Actor, account access.AccountID, user access.UserID) (any, error) {
			return s.AddMember(ctx, actor, account, user, access.Terms{Permissions: access.PayInvoices})
		}},
		{"SetPermissions", access.EventMemberPermissions, "user", func(ctx context.Context, s *access.Service, actor access.Actor, account access.AccountID, user access.UserID) (any, error) {
			return s.SetPermissions(ctx, actor, account, user, access.OpenTickets)
		}},
		{"SetExpiry", access.EventMemberExpiry, "user", func(ctx context.Context, s *access.Service, actor access.Actor, account access.AccountID, user access.UserID) (any, error) {
			return s.SetExpiry(ctx, actor, account, user, later)
		}},
		{"SetLabel", access.EventMemberLabel, "user", func(ctx context.Context, s *access.Service, actor access.Actor, account access.AccountID, user access.UserID) (any, error) {
			return s.SetLabel(ctx, actor, account, user, "Accounts")
		}},
		{"Suspend", access.EventMemberSuspended, "user", func(ctx context.Context, s *access.Service, actor access.Actor, account access.AccountID, user access.UserID) (any, error) {
			return s.Suspend(ctx, actor, account, user)
		}},
		{"Reinstate", access.EventMemberReinstated, "user", func(ctx context.Context, s *access.Service, actor access.Actor, account access.AccountID, user access.UserID) (any, error) {
			return s.Reinstate(ctx, actor, account, user)
		}},
		{"Remove", access.EventMemberRemoved, "user", func(ctx context.Context, s *access.Service, actor access.Actor, account access.AccountID, user access.UserID) (any, error) {
			return s.Remove(ctx, actor, account, user)
		}},
		{"Leave", access.EventMemberLeft, "", func(ctx context.Context, s *access.Service, actor access.Actor, account access.AccountID, _ access.UserID) (any, error) {
			return s.Leave(ctx, actor, account)
		}},
		{"TransferByStaff", access.EventOwnerChanged, "owner", func(ctx context.Context, s *access.Service, actor access.Actor, account access.AccountID, user access.UserID) (any, error) {
			return s.TransferByStaff(ctx, actor, account, user, access.PayInvoices)
		}},
		{"Account", "", "", func(ctx context.Context, s *access.Service, actor access.Actor, account access.AccountID, _ access.UserID) (any, error) {
			return s.Account(ctx, actor, account)
		}},
		{"Members", "", "", func(ctx context.Context, s *access.Service, actor access.Actor, account access.AccountID, _ access.UserID) (any, error) {
			return s.Members(ctx, actor, account, access.MemberFilter{}, access.Page{})
		}},
		{"Member", "", "user", func(ctx context.Context, s *access.Service, actor access.Actor, account access.AccountID, user access.UserID) (any, error) {
			return s.Member(ctx, actor, account, user)
		}},
		{"WhoCan", "", "", func(ctx context.Context, s *access.Service, actor access.Actor, account access.AccountID, _ access.UserID) (any, error) {
			return s.WhoCan(ctx, actor, account, access.PayInvoices, access.Page{})
		}},
		{"Message", "", "", func(ctx context.Context, s *access.Service, actor access.Actor, account access.AccountID, _ access.UserID) (any, error) {
			list, err := s.Messages(ctx, actor, account, access.MessageFilter{}, access.Page{})
			if err != nil || len(list.Items) == 0 {
				return notify.Message{}, err
			}
			return s.Message(ctx, actor, account, list.Items[0].ID)
		}},
		{"Messages", "", "", func(ctx context.Context, s *access.Service, actor access.Actor, account access.AccountID, _ access.UserID) (any, error) {
			return s.Messages(ctx, actor, account, access.MessageFilter{}, access.Page{})
		}},
		{"History", "", "", func(ctx context.Context, s *access.Service, actor access.Actor, account access.AccountID, _ access.UserID) (any, error) {
			return s.History(ctx, actor, account, access.EventFilter{}, access.Page{})
		}},
		{"HistoryHead", "", "", func(ctx context.Context, s *access.Service, actor access.Actor, account access.AccountID, _ access.UserID) (any, error) {
			return s.HistoryHead(ctx, actor, account)
		}},
		{"VerifyHistory", "", "", func(ctx context.Context, s *access.Service, actor access.Actor, account access.AccountID, _ access.UserID) (any, error) {
			return s.VerifyHistory(ctx, actor, account, access.Head{})
		}},
	}
}

// changing are the verbs that write, without CreateAccount, which needs no account.
func changing() []verb {
	var verbs []verb
	for _, v := range everyVerb() {
		if v.kind != "" && v.kind != access.EventAccountCreated {
			verbs = append(verbs, v)
		}
	}
	return verbs
}

func TestEveryVerbRefusesActorsThatCannotBe(t *testing.T) {
	w := newWorld(t)
	for _, v := range everyVerb() {
		for _, tt := range []struct {
			name, code, field string
			actor             access.Actor
		}{
			{"zero", "actor.zero", "actor", access.Actor{}},
			{"of no kind", "actor.zero", "actor", access.Actor{Kind: 4, ID: "x"}},
			{"without an id", "id.empty", "actor", access.As("")},
			{"with an id too long", "id.long", "actor", access.As(access.UserID(strings.Repeat("a", 129)))},
			{"with a control character", "id.text", "actor", access.As("a\nb")},
			{"staff without a reason", "actor.reason", "actor", access.AsStaff("s-7", "")},
			{"a silent user", "actor.staff", "actor", access.Actor{Kind: access.ActorUser, ID: "olive", Silent: true}},
			{"a user on behalf", "actor.staff", "actor", access.Actor{Kind: access.ActorUser, ID: "olive", OnBehalf: "ivan"}},
			{"a reason too long", "text.long", "reason", access.AsStaff("s-7", strings.Repeat("a", 201))},
		} {
			t.Run(v.name+", "+tt.name, func(t *testing.T) {
				w.refuses(t, access.ErrInvalid, tt.code, tt.field, func() (any, error) {
					return v.do(t.Context(), w.Members, tt.actor, "acme", "ivan")
				})
			})
		}
	}
}

func TestEveryVerbRefusesIdsThatCannotBe(t *testing.T) {
	w := newWorld(t)
	for _, v := range everyVerb() {
		for _, tt := range []struct{ id, code string }{
			{"", "id.empty"}, {strings.Repeat("a", 129), "id.long"}, {"a\x00", "id.text"}, {"a\n", "id.text"}, {"\xff", "id.text"},
		} {
			t.Run(v.name+", "+tt.code, func(t *testing.T) {
				w.refuses(t, access.ErrInvalid, tt.code, "account", func() (any, error) {
					return v.do(t.Context(), w.Members, support, access.AccountID(tt.id), "ivan")
				})
				if v.user != "" {
					w.refuses(t, access.ErrInvalid, tt.code, v.user, func() (any, error) {
						return v.do(t.Context(), w.Members, support, "acme", access.UserID(tt.id))
					})
				}
			})
		}
	}
}

// TestForeignAndAbsentLookTheSame: to somebody who has nothing to do with an account, the answer about it is that
// about one which doesn't exist, whatever its state, and no byte of it changes.
func TestForeignAndAbsentLookTheSame(t *testing.T) {
	for _, status := range []string{"active", "suspended", "closed"} {
		w := newWorld(t)
		switch status {
		case "suspended":
			w.must(w.Members.SuspendAccount(t.Context(), signup, "globex"))
		case "closed":
			w.must(w.Members.CloseAccount(t.Context(), signup, "globex"))
		}
		for _, v := range everyVerb() {
			if v.name == "CreateAccount" {
				continue // its answer to a foreign id is ErrExists: see TestCreateAccountAgain
			}
			for _, actor := range []access.Actor{olive, mona, alma, ivan, access.As("sue"), access.As("nobody")} {
				for _, user := range []access.UserID{"greg", "nobody", actor.User()} {
					t.Run(strings.Join([]string{status, v.name, actor.ID, string(user)}, " "), func(t *testing.T) {
						before := w.dump()
						result, foreign := v.do(t.Context(), w.Members, actor, "globex", user)
						require.Zero(t, result)
						result, absent := v.do(t.Context(), w.Members, actor, "nowhere", user)
						require.Zero(t, result)
						require.Equal(t, absent, foreign)
						require.Equal(t, access.NotFound("account"), foreign)
						require.Equal(t, before, w.dump())
					})
				}
			}
		}
	}
}

// TestUsersCannotDoWhatStaffDoes: not even the owner.
func TestUsersCannotDoWhatStaffDoes(t *testing.T) {
	w := newWorld(t)
	for _, v := range everyVerb() {
		switch v.name {
		case "SuspendAccount", "ReactivateAccount", "CloseAccount", "AddMember", "TransferByStaff":
			for _, actor := range []access.Actor{olive, alma, mona, ivan} {
				w.refuses(t, access.ErrDenied, "denies.host", "", func() (any, error) {
					return v.do(t.Context(), w.Members, actor, "acme", "nobody")
				})
			}
		}
	}
}

func TestStaffNeedsAPolicy(t *testing.T) {
	w := newWorld(t)
	without := w.service(func(c *access.Config) { c.Staff = nil })
	for _, v := range everyVerb() {
		t.Run(v.name, func(t *testing.T) {
			w.refuses(t, access.ErrDenied, "denies.staff", "", func() (any, error) {
				return v.do(t.Context(), without, support, "acme", "ivan")
			})
		})
	}
	_, err := without.Accounts(t.Context(), support, "ivan", access.AccountFilter{}, access.Page{})
	requireRefused(t, err, access.ErrDenied, "denies.staff", "")
}

// TestStaffPolicyIsAsked with the actor, the kind of event that would be left, and the account; and its no is
// returned as it is.
func TestStaffPolicyIsAsked(t *testing.T) {
	w := newWorld(t)
	type question struct {
		Actor   access.Actor
		Kind    access.EventKind
		Account access.AccountID
	}
	var asked []question
	strict := w.service(func(c *access.Config) {
		c.Staff = func(_ context.Context, actor access.Actor, kind access.EventKind, account access.AccountID) error {
			asked = append(asked, question{actor, kind, account})
			return errVeto
		}
	})
	for _, v := range everyVerb() {
		t.Run(v.name, func(t *testing.T) {
			asked = nil
			before := w.dump()
			result, err := v.do(t.Context(), strict, support, "acme", "ivan")
			require.Equal(t, errVeto, err)
			require.Zero(t, result)
			require.Equal(t, []question{{support, v.kind, "acme"}}, asked)
			require.Equal(t, before, w.dump())
		})
	}
	asked = nil
	_, err := strict.Accounts(t.Context(), support, "ivan", access.AccountFilter{}, access.Page{})
	require.Equal(t, errVeto, err)
	require.Equal(t, []question{{support, "", ""}}, asked)

	asked = nil
	w.must(strict.SetLabel(t.Context(), olive, "acme", "ivan", "x"))
	w.must(strict.SetLabel(t.Context(), signup, "acme", "ivan", "y"))
	require.Empty(t, asked, "the policy is for staff alone")
}

// TestClosedAccountIsClosedToEverybody: no verb changes it, whoever acts.
func TestClosedAccountIsClosedToEverybody(t *testing.T) {
	w := newWorld(t)
	w.must(w.Members.CloseAccount(t.Context(), support, "acme"))
	for _, v := range changing() {
		for _, actor := range []access.Actor{olive, mona, alma, access.As("ivan"), support, signup} {
			t.Run(v.name+" by "+actor.ID, func(t *testing.T) {
				before := w.account("acme").Head
				members := w.membership("acme", "dave")
				_, err := v.do(t.Context(), w.Members, actor, "acme", "dave")
				switch {
				case v.name == "CloseAccount" && actor.Kind != access.ActorUser:
					require.NoError(t, err) // it is closed already
				case v.name == "Leave" && actor == olive:
					require.ErrorIs(t, err, access.ErrOwner)
				default:
					require.ErrorIs(t, err, access.ErrDenied)
				}
				require.Equal(t, before, w.account("acme").Head)
				require.Equal(t, members, w.membership("acme", "dave"))
				require.Equal(t, access.AccountClosed, w.account("acme").Status)
			})
		}
	}
	for _, user := range everyUser {
		for _, p := range []access.Permission{access.PayInvoices, access.All} {
			w.As(user).Cannot("acme", p)
		}
	}
}

// TestStorageErrorsChangeNothing: whichever call of the transaction fails, the verb returns that error and a zero
// result, and everything is as it was.
func TestStorageErrorsChangeNothing(t *testing.T) {
	for _, v := range everyVerb() {
		t.Run(v.name, func(t *testing.T) {
			w := newWorld(t)
			actor, account, user := support, access.AccountID("acme"), access.UserID("dave")
			switch v.name {
			case "CreateAccount":
				account = "fresh"
			case "AddMember":
				user = "nobody"
			case "Reinstate":
				user = "sue"
			case "ReactivateAccount":
				w.must(w.Members.SuspendAccount(t.Context(), signup, "acme"))
			case "Leave":
				actor = ivan
			}
			before := w.dump()
			for n := 0; ; n++ {
				calls := 0
				failing := func(run func(context.Context, func(context.Context, storage.Tx) error) error) func(context.Context, func(context.Context, storage.Tx) error) error {
					return func(ctx context.Context, fn func(context.Context, storage.Tx) error) error {
						return run(ctx, func(ctx context.Context, tx storage.Tx) error {
							return fn(ctx, faultyTx{tx, func() error {
								calls++
								if calls == n+1 {
									return errBroken
								}
								return nil
							}})
						})
					}
				}
				s := w.on(store{view: failing(w.DB.View), update: failing(w.DB.Update)})
				result, err := v.do(t.Context(), s, actor, account, user)
				if err == nil {
					require.Positive(t, n)
					return
				}
				require.Equal(t, errBroken, err, "call %d", n)
				require.Zero(t, result)
				require.Equal(t, before, w.dump(), "call %d", n)
			}
		})
	}
}

// TestVerbsMayRunAgain: after a conflict the function of a unit runs again, and leaves what it leaves the first time.
func TestVerbsMayRunAgain(t *testing.T) {
	twice := func(run func(context.Context, func(context.Context, storage.Tx) error) error) func(context.Context, func(context.Context, storage.Tx) error) error {
		return func(ctx context.Context, fn func(context.Context, storage.Tx) error) error {
			err := run(ctx, func(ctx context.Context, tx storage.Tx) error {
				if err := fn(ctx, tx); err != nil {
					return err
				}
				return errUndo
			})
			if err != errUndo {
				return err
			}
			return run(ctx, fn)
		}
	}
	for _, v := range everyVerb() {
		t.Run(v.name, func(t *testing.T) {
			var results [2]any
			var heads [2]uint64
			for i := range 2 {
				w := newWorld(t)
				s := w.Members
				if i == 1 {
					s = w.on(store{view: twice(w.DB.View), update: twice(w.DB.Update)})
				}
				actor, account, user := signup, access.AccountID("acme"), access.UserID("dave")
				switch v.name {
				case "CreateAccount":
					account = "fresh"
				case "AddMember":
					user = "nobody"
				case "Leave":
					actor = ivan
				}
				result, err := v.do(t.Context(), s, actor, account, user)
				require.NoError(t, err)
				heads[i] = w.account(account).Head.Count
				switch v.name {
				case "Account", "HistoryHead", "History", "Message", "Messages": // hold random ids and hashes
				default:
					results[i] = result
				}
			}
			require.Equal(t, results[0], results[1])
			require.Equal(t, heads[0], heads[1])
		})
	}
}

// must requires that a verb succeeded.
func (w *world) must(r access.Revision, err error) {
	w.T.Helper()
	require.NoError(w.T, err)
	require.NotZero(w.T, r)
}
