package faults_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/storage"
)

// A scenario does something in which a mutant goes wrong, and returns what went wrong. Two processes are held where they
// meet, so that it goes the same way each time.
type scenario func(*arena) error

const (
	lockStatement  = "SELECT id, owner_id, parent_id, roster_accounts.status"
	shardStatement = "UPDATE roster_feed SET number"
)

// starts begin what a side sends first that waits for another one: of SQLite, the transaction itself.
func starts(statement string) []string { return []string{"BEGIN IMMEDIATE", statement} }

// overlap has two processes count in one membership, by reading it and writing it back under the account's lock. One
// is held before it writes, until the other one would wait or is done.
func overlap(a *arena) error {
	a.hurry(a.q)
	var runs int
	count := func(s *side) func() error {
		return func() error {
			return s.unit(a.ctx, &runs, func(ctx context.Context, tx storage.Tx) error {
				if _, err := tx.Lock(ctx, acme); err != nil {
					return err
				}
				m, err := tx.Membership(ctx, acme, ann)
				if err != nil {
					return err
				}
				m.Label += "+"
				return tx.PutMembership(ctx, m)
			})
		}
	}
	before, err := a.account()
	if err != nil {
		return err
	}
	pErr, qErr := a.meet("INSERT INTO roster_memberships", count(a.p), count(a.q), onError)
	if err := errors.Join(pErr, qErr); err != nil {
		return err
	}
	after, err := a.account()
	if err != nil {
		return err
	}
	m, err := a.membership(ann)
	if err == nil && m.Label != "++" {
		err = fmt.Errorf("a count is lost: %q", m.Label)
	}
	if raised := after.Version - before.Version; raised != 2 {
		err = errors.Join(err, fmt.Errorf("two units raised the version by %d", raised))
	}
	return err
}

// lastSeat has two processes add a member each where there is one seat.
func lastSeat(a *arena) error {
	a.hurry(a.q)
	add := func(s *side, user access.UserID) func() error {
		return func() error {
			_, err := s.do.members.AddMember(a.ctx, staff(), acme, user, access.Terms{Permissions: access.PayInvoices})
			return err
		}
	}
	pErr, qErr := a.meet("INSERT INTO roster_memberships", add(a.p, dora), add(a.q, fred), onError)
	if pErr != nil {
		return fmt.Errorf("the first one isn't a member: %w", pErr)
	}
	if !errors.Is(qErr, access.ErrLimit) {
		return fmt.Errorf("the second one finds a seat: %v", qErr)
	}
	return nil
}

// revoked has olga take ann's rights away while ann uses them. Olga is held before her commit, until ann waits for the
// account.
func revoked(a *arena) error {
	take := func() error {
		_, err := a.p.do.members.SetPermissions(a.ctx, access.As(olga), acme, ann, access.PayInvoices)
		return err
	}
	use := func() error {
		_, err := a.q.do.members.Suspend(a.ctx, access.As(ann), acme, bob)
		return err
	}
	pErr, qErr := a.meet("COMMIT", take, use, func(release func()) watcher {
		return before(func() error { release(); return nil }, starts(lockStatement)...)
	})
	if pErr != nil {
		return pErr
	}
	if !errors.Is(qErr, access.ErrDenied) {
		return fmt.Errorf("a right was used that had been taken away: %v", qErr)
	}
	return nil
}

// twoShards has two processes append to the histories of accounts of the same two shards, in opposite orders. One is held
// when it has raised one shard, until the other one wants its first.
func twoShards(a *arena) error {
	accounts, err := a.accountsOfTwoShards()
	if err != nil {
		return err
	}
	var pRuns, qRuns int
	write := func(s *side, runs *int, ids ...access.AccountID) func() error {
		return func() error {
			return s.unit(a.ctx, runs, func(ctx context.Context, tx storage.Tx) error {
				if _, err := tx.Lock(ctx, ids...); err != nil {
					return err
				}
				for _, id := range ids {
					if _, err := s.do.members.Within(tx).SetPolicy(ctx, staff(), id, access.Policy{Seats: 7}); err != nil {
						return err
					}
				}
				return nil
			})
		}
	}
	low, high := accounts[0], accounts[1]
	pErr, qErr := a.meet("INSERT INTO roster_events", write(a.p, &pRuns, low[0], high[0]), write(a.q, &qRuns, high[1], low[1]),
		func(release func()) watcher {
			return before(func() error { release(); return nil }, starts(shardStatement)...)
		})
	if err := errors.Join(pErr, qErr); err != nil {
		return err
	}
	if pRuns+qRuns != 2 {
		return fmt.Errorf("they waited for each other: %d and %d runs", pRuns, qRuns)
	}
	return nil
}

// accountsOfTwoShards makes two accounts in each of two shards, the lower one first.
func (a *arena) accountsOfTwoShards() ([2][2]access.AccountID, error) {
	var made [2][2]access.AccountID
	count := [2]int{}
	for n := 0; count[0] < 2 || count[1] < 2; n++ {
		id := access.AccountID(fmt.Sprint("account ", n))
		shard := map[int]int{lowShard: 0, highShard: 1}
		i, wanted := shard[id.Shard()]
		if !wanted || count[i] == 2 {
			continue
		}
		made[i][count[i]] = id
		count[i]++
		account := access.NewAccount{ID: id, Owner: olga, Profile: access.Profile{Name: "Olga"}}
		if _, err := a.p.do.members.CreateAccount(a.ctx, access.AsSystem("signup"), account); err != nil {
			return made, err
		}
	}
	return made, nil
}

const lowShard, highShard = 7, 40

// lookedFirst has a unit read before it locks, as those do that begin with a token. What another process commits in
// between is seen under the lock, without beginning again.
func lookedFirst(a *arena) error {
	var runs int
	var before, after access.Membership
	var between error
	err := a.p.unit(a.ctx, &runs, func(ctx context.Context, tx storage.Tx) (err error) {
		if before, err = tx.Membership(ctx, acme, ann); err != nil {
			return err
		}
		if runs == 1 {
			between = a.interrupt()
		}
		if _, err = tx.Lock(ctx, acme); err != nil {
			return err
		}
		after, err = tx.Membership(ctx, acme, ann)
		return err
	})
	if err != nil {
		return err
	}
	if runs != 1 {
		err = fmt.Errorf("a unit that is alone with its lock ran %d times", runs)
	}
	if done := between == nil; done != (after.Label == "changed") || before.Label != "" && runs == 1 {
		err = errors.Join(err, fmt.Errorf("the change (%v) is read as %q", between, after.Label))
	}
	return err
}

// interrupt changes the membership of ann, unless that has to wait.
func (a *arena) interrupt() error {
	a.hurry(a.q)
	ctx, cancel := context.WithCancel(a.ctx)
	defer cancel()
	a.q.line.set(onError(cancel))
	defer a.q.line.set(nil)
	_, err := a.q.do.members.SetLabel(ctx, access.As(olga), acme, ann, "changed")
	return err
}

// joined has ann use, in a transaction that the host began and read in, a right that she lost since.
func joined(a *arena) error {
	host, err := a.p.handle.BeginTx(a.ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead})
	if err != nil {
		return err
	}
	defer host.Rollback()
	var accounts int
	if err := host.QueryRowContext(a.ctx, "SELECT COUNT(*) FROM roster_memberships").Scan(&accounts); err != nil {
		return err
	}
	if _, err := a.q.do.members.SetPermissions(a.ctx, access.As(olga), acme, ann, access.PayInvoices); err != nil {
		return err
	}
	err = a.p.db.Join(a.ctx, host, func(ctx context.Context, tx storage.Tx) error {
		_, err := a.p.do.members.Within(tx).Suspend(ctx, access.As(ann), acme, bob)
		return err
	})
	if !errors.Is(err, access.ErrDenied) {
		return fmt.Errorf("a revoked bit was read as held: %v", err)
	}
	return nil
}

// unfit stores what doesn't fit.
func unfit(a *arena) error {
	long := access.AccountID(strings.Repeat("x", access.MaxIDBytes+1))
	err := a.p.db.Update(a.ctx, func(ctx context.Context, tx storage.Tx) error {
		return tx.InsertAccount(ctx, access.Account{ID: long, Owner: olga, Status: access.AccountActive})
	})
	if err == nil && a.Engine == "mysql" { // the others store any length
		return errors.New("an id was cut off")
	}
	err = a.p.db.Update(a.ctx, func(ctx context.Context, tx storage.Tx) error {
		if _, err := tx.Lock(ctx, acme); err != nil {
			return err
		}
		return tx.PutMembership(ctx, access.Membership{Account: acme, User: dora}) // has no status
	})
	if err == nil {
		return errors.New("a membership without a status was stored, or not stored")
	}
	return nil
}

// alike stores ids that differ in case only.
func alike(a *arena) error {
	err := a.p.db.Update(a.ctx, func(ctx context.Context, tx storage.Tx) error {
		return tx.InsertAccount(ctx, access.Account{ID: "ACME", Owner: "OLGA", Status: access.AccountActive})
	})
	if err != nil {
		err = fmt.Errorf("ACME is acme: %w", err)
	}
	grant, grantErr := a.p.db.Grant(a.ctx, acme, "OLGA")
	if grantErr == nil && grant.Owner {
		grantErr = errors.New("OLGA owns what is olga's")
	}
	member, memberErr := a.p.db.Grant(a.ctx, acme, "Ann")
	if memberErr == nil && member.Permissions != 0 {
		memberErr = errors.New("Ann has what is ann's")
	}
	return errors.Join(err, grantErr, memberErr)
}

// unchanged updates an invite to what it is.
func unchanged(a *arena) error {
	sent, err := a.p.do.invites.Send(a.ctx, access.As(olga), acme, invite.Offer{Address: address("dora@example.com"),
		Terms: access.Terms{Permissions: access.PayInvoices}})
	if err != nil {
		return err
	}
	return a.p.db.Update(a.ctx, func(ctx context.Context, tx storage.Tx) error {
		if _, err := tx.Lock(ctx, acme); err != nil {
			return err
		}
		r, err := tx.Invite(ctx, acme, sent.Invite.ID)
		if err != nil {
			return err
		}
		return tx.UpdateInvite(ctx, r, r.Generation)
	})
}

// address is one that can be parsed.
func address(text string) access.Address {
	a, err := access.ParseAddress(text)
	if err != nil {
		panic("faults: " + err.Error())
	}
	return a
}

// account and membership read what is there.
func (a *arena) account() (found access.Account, err error) {
	err = a.p.db.View(a.ctx, func(ctx context.Context, tx storage.Tx) error {
		found, err = tx.Account(ctx, acme)
		return err
	})
	return found, err
}

func (a *arena) membership(user access.UserID) (found access.Membership, err error) {
	err = a.p.db.View(a.ctx, func(ctx context.Context, tx storage.Tx) error {
		found, err = tx.Membership(ctx, acme, user)
		return err
	})
	return found, err
}
