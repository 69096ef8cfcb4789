// Package casbinadapter joins roster and Casbin (github.com/casbin/casbin/v2), both ways round: an enforcer of yours
// answers by our memberships, or narrows what they allow. If you have no Casbin yet you need neither: ask access.Service.
//
// # Memberships as policies
//
// An Adapter loads memberships as policies, of all accounts or of some, and a Watcher keeps them up to date:
//
//	enforcer, err := casbin.NewSyncedEnforcer(casbinadapter.Model())
//	adapter := casbinadapter.New(db, casbinadapter.Config{})
//	watcher, err := casbinadapter.NewWatcher(adapter, enforcer, casbinadapter.WatcherConfig{})
//	go watcher.Run(ctx)
//	yes, err := enforcer.Enforce("bob", "acme", "invoices") // user, account, key of a permission
//
// The answers are those of access.Service.Can as of the last poll, about owners, suspended members, suspended and closed
// accounts too, and about starts and expiries at the very moment. A key is one of the catalog, or "all". Ids are passed as
// plain strings; what can't be an id is never allowed.
//
// Policies are read only: changing them through Casbin is ErrReadOnly. Without a watcher, attach the adapter
// (Adapter.Attach) and load as you like; nothing follows then but what you load again.
//
// # What the watcher guarantees
//
// A watcher is a follower like an access.Cache: verbs that take something away return when it has followed them, or has
// outlived its lease. So when Remove has returned, no question that is asked later, in whatever process, is answered as if
// it hadn't been done. What is given shows after the next poll, of which Run does ten in a second.
//
// Only accounts that changed are read, at one moment, and all of them are replaced under the enforcer's lock: nobody sees
// half of one, and no right stays beside what replaced it. The watcher acknowledges after that, and its lease begins
// before it has asked what changed.
//
// If polls fail, or nobody calls Poll, the enforcer goes on with what it has until the lease is over, by both clocks: a
// second unless access.Service.SetLease says otherwise. From then on every yes is an error, access.ErrStale, until a poll
// succeeds.
//
// If the change feed is not the one that the watcher remembers, since a backup was restored, everything is loaded again,
// and so it is if somebody tried to load or write policies through Casbin, or the enforcer's have become more or fewer. Who
// keeps its number but swaps its policies, past Casbin's own storing and watching, isn't noticed. Loading everything reads the whole feed to find the
// accounts, unless a Filter names them, and holds the enforcer's lock while the new policies are put in.
//
// Permissions that the catalog calls sensitive are answered from memory like others.
//
// An enforcer with a cache (casbin.CachedEnforcer, casbin.SyncedCachedEnforcer) before or in place of the one that is
// followed answers by what was true when it was asked first, and mixes up questions whose ids hold "$$". Don't use one.
// Disabling the enforcer with EnableEnforce(false) makes it allow everything.
//
// # Arrangements
//
// Casbin goes through all policies for each question. In the arrangement of Model, model.conf, there is one policy per
// permission, shared by all accounts,
//
//	p, invoices
//
// and one grouping per membership, which names the set of permissions, here bit 7:
//
//	g, bob, set 128, acme
//
// (with a tab for the blank). The adapter's own role manager knows which permissions a set has, so that there are as many
// policies as permissions, whatever members hold. DomainsModel, rbac_with_domains.conf, is RBAC with domains as Casbin
// documents it, with policies per account. Time per question with 1,000 memberships in 100 accounts, one core of a shared
// machine, from BenchmarkCasbinEnforce:
//
//	                                                        sets of the presets   random sets
//	as documented: policy per account, set and permission   2.0 ms                8.5 ms
//	policy per set and permission, shared by all accounts   28 us                 4.1 ms
//	DomainsModel: policy per account and permission         1.9 ms                1.6 ms
//	Model: policy per permission, shared by all accounts    18 us                 16 us
//
// The first two use Casbin's own role manager. Following one change among these takes 60 us (BenchmarkCasbinPoll).
//
// A model of your own may have the policy fields sub and act (the key of a permission), dom (the account), obj (the text
// "account") and eft ("allow"), in any order. Its matcher asks g(r.sub, p.act, r.dom); or during(r.sub, p.act, r.dom),
// for members with a start or an expiry; and current(r.sub, r.dom), last, which checks ids and that policies aren't
// stale. Casbin keeps the answers of g until policies change, so that g can't tell the time: members with a start or an
// expiry are grouped under g2 instead, and a model without g2 or during doesn't let them in. A model without current
// goes on when its policies are stale, and may let in who has an empty name where there are no policies: don't leave it
// out.
//
// # Casbin as a second authorizer
//
// Narrow makes an access.Authorizer that says yes only if another one does and an enforcer of yours too. What the
// enforcer looks at, such as office hours, address ranges or amounts, comes from a function of yours. It never allows more
// than the first, and an error or a panic in the enforcer or the function is an error with no. ConditionsModel,
// conditions.conf, is a model to begin with. Such an enforcer has policies and an adapter of your own.
package casbinadapter
