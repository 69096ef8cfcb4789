// Package storage is the contract between roster and a database.
//
// A backend implements DB: units of work for the services, single decisions, and the outbox for the worker. Two are
// here, memory and sqlstore; hosts can write their own. What each method does is said where it is declared, in
// access.Store, in access.Registry, in the Tx of access, invite, contact and notify, and in notify.Queue; package
// storagetest checks it.
//
// # One unit, several verbs
//
// Every verb of a service is a unit of work of its own. To do several in one, run them through Within:
//
//	err := db.Update(ctx, func(ctx context.Context, tx storage.Tx) error {
//		if _, err := members.Within(tx).Remove(ctx, actor, account, user); err != nil {
//			return err
//		}
//		_, _, err := contacts.Within(tx).Add(ctx, actor, account, details)
//		return err
//	})
//
// Inside, use the context and the transaction that you are given: a unit that is begun inside another one is
// access.ErrNested. The function may run again after a conflict, so it does nothing that the transaction can't undo.
//
// # Writing a backend
//
// Lock is the first statement of a verb that changes an account. It serialises the writers of one account, and what
// the library promises rests on that: exactly one owner, no lost revocation, seats. Correctness rests on row locks and
// conditional statements, never on an isolation level. Ids, canonical addresses and digests compare byte for byte;
// times are instants of UTC at microsecond precision. Embed a Unit in the transaction: it keeps which accounts are
// locked, seals events into their account's history, and remembers that a write failed, after which nothing may be
// committed. Events are written at the end, in ascending order of shards.
package storage

import (
	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/notify"
)

// Tx is the transaction of a backend: what every package of roster needs of one.
type Tx interface {
	invite.Tx
	contact.Tx
}

// A DB is a backend: units of work, single decisions, the registry of followers, and the outbox.
type DB interface {
	access.Store[Tx]
	notify.Queue
}
