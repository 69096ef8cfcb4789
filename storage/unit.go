package storage

import (
	"context"
	"errors"
	"slices"

	"github.com/rosterkit/roster/access"
)

// A Unit is what the transaction of every backend has to keep in mind: which accounts are locked, which events wait
// to be written, and whether a write failed. Backends embed one in their transaction.
type Unit struct {
	locked map[access.AccountID]*account
	events []access.Record
	failed error
	after  []func()
}

type account struct {
	access.Account
	next int // index of the next event
}

// Locked returns an account that this unit has locked, with the changes made since.
func (u *Unit) Locked(id access.AccountID) (access.Account, bool) {
	a := u.locked[id]
	if a == nil {
		return access.Account{}, false
	}
	return copyAccount(a.Account), true
}

// Keep notes that an account is locked, or was changed since.
func (u *Unit) Keep(a access.Account) {
	if u.locked == nil {
		u.locked = make(map[access.AccountID]*account)
	}
	a = copyAccount(a)
	if old := u.locked[a.ID]; old != nil {
		a.Head = old.Head
		old.Account = a
		return
	}
	u.locked[a.ID] = &account{Account: a}
}

// MustHold panics unless the account is locked: a verb that writes without the lock would race.
func (u *Unit) MustHold(id access.AccountID) {
	if u.locked[id] == nil {
		panic("storage: write to an account that the transaction has not locked")
	}
}

// Append seals an event after the head of its account, which must be locked, and keeps it for the end.
func (u *Unit) Append(r access.Record) {
	u.MustHold(r.Account)
	a := u.locked[r.Account]
	r.Version = a.Version
	a.Head = r.Seal(a.Head, a.next)
	a.next++
	u.events = append(u.events, r)
}

// Events returns the events to be written, by ascending shard, and in the order they were appended within one.
func (u *Unit) Events() []access.Record {
	slices.SortStableFunc(u.events, func(a, b access.Record) int { return a.Shard - b.Shard })
	return u.events
}

// Accounts returns the accounts that this unit has locked, with the changes made since and the heads of their histories,
// in ascending order of their ids.
func (u *Unit) Accounts() []access.Account {
	var accounts []access.Account
	for _, a := range u.locked {
		accounts = append(accounts, a.Account)
	}
	slices.SortFunc(accounts, func(a, b access.Account) int { return compare(a.ID, b.ID) })
	return accounts
}

// Fail notes that a write failed and returns its error. Refusals that say what is there, ErrNotFound and ErrExists,
// leave the transaction as it was and are not failures.
func (u *Unit) Fail(err error) error {
	if !errors.Is(err, access.ErrNotFound) && !errors.Is(err, access.ErrExists) {
		u.Spoil(err)
	}
	return err
}

// Spoil keeps the unit from being committed, by an error of any kind: for a verb that ends halfway. Nil spoils nothing.
func (u *Unit) Spoil(err error) {
	if u.failed == nil {
		u.failed = err
	}
}

// Failed returns the first failure, or what spoiled the unit first: a unit that has one must not be committed.
func (u *Unit) Failed() error { return u.failed }

// AfterCommit keeps what is to be run after the commit.
func (u *Unit) AfterCommit(fn func()) { u.after = append(u.after, fn) }

// Committed runs what waited for the commit. Backends call it when the unit was committed, or may have been.
func (u *Unit) Committed() {
	for _, fn := range u.after {
		fn()
	}
}

func copyAccount(a access.Account) access.Account {
	a.Policy.Domains = slices.Clone(a.Policy.Domains)
	return a
}

func compare(a, b access.AccountID) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// An inside is a backend that a context runs a unit of work of, and those around it.
type inside struct {
	backend any
	around  *inside
}

// Inside returns the context for a unit of work of a backend, which must not begin another one with it. The backend
// is a comparable value: a pointer.
func Inside(ctx context.Context, backend any) context.Context {
	around, _ := ctx.Value(access.UnitKey{}).(*inside)
	return context.WithValue(ctx, access.UnitKey{}, &inside{backend, around})
}

// CheckOutside returns access.ErrNested if the context is that of a unit of work of the backend. It allocates
// nothing: every decision asks.
func CheckOutside(ctx context.Context, backend any) error {
	unit, _ := ctx.Value(access.UnitKey{}).(*inside)
	for ; unit != nil; unit = unit.around {
		if unit.backend == backend {
			return access.ErrNested
		}
	}
	return nil
}
