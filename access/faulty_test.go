package access_test

import (
	"context"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
)

// A faultyTx asks before each call of a transaction that this package makes whether it fails.
type faultyTx struct {
	storage.Tx
	fault func() error
}

func (tx faultyTx) Lock(ctx context.Context, ids ...access.AccountID) ([]access.Account, error) {
	if err := tx.fault(); err != nil {
		return nil, err
	}
	return tx.Tx.Lock(ctx, ids...)
}

func (tx faultyTx) InsertAccount(ctx context.Context, a access.Account) error {
	if err := tx.fault(); err != nil {
		return err
	}
	return tx.Tx.InsertAccount(ctx, a)
}

func (tx faultyTx) Account(ctx context.Context, id access.AccountID) (access.Account, error) {
	if err := tx.fault(); err != nil {
		return access.Account{}, err
	}
	return tx.Tx.Account(ctx, id)
}

func (tx faultyTx) UpdateAccount(ctx context.Context, a access.Account) error {
	if err := tx.fault(); err != nil {
		return err
	}
	return tx.Tx.UpdateAccount(ctx, a)
}

func (tx faultyTx) Grant(ctx context.Context, account access.AccountID, user access.UserID) (access.Grant, error) {
	if err := tx.fault(); err != nil {
		return access.Grant{}, err
	}
	return tx.Tx.Grant(ctx, account, user)
}

func (tx faultyTx) Membership(ctx context.Context, account access.AccountID, user access.UserID) (access.Membership, error) {
	if err := tx.fault(); err != nil {
		return access.Membership{}, err
	}
	return tx.Tx.Membership(ctx, account, user)
}

func (tx faultyTx) PutMembership(ctx context.Context, m access.Membership) error {
	if err := tx.fault(); err != nil {
		return err
	}
	return tx.Tx.PutMembership(ctx, m)
}

func (tx faultyTx) DeleteMembership(ctx context.Context, account access.AccountID, user access.UserID) error {
	if err := tx.fault(); err != nil {
		return err
	}
	return tx.Tx.DeleteMembership(ctx, account, user)
}

func (tx faultyTx) Members(ctx context.Context, account access.AccountID, f access.MemberFilter, after access.UserID, limit int) ([]access.Member, error) {
	if err := tx.fault(); err != nil {
		return nil, err
	}
	return tx.Tx.Members(ctx, account, f, after, limit)
}

func (tx faultyTx) UserAccounts(ctx context.Context, user access.UserID, f access.AccountFilter, after access.AccountID, limit int) ([]access.UserAccount, error) {
	if err := tx.fault(); err != nil {
		return nil, err
	}
	return tx.Tx.UserAccounts(ctx, user, f, after, limit)
}

func (tx faultyTx) Seats(ctx context.Context, account access.AccountID, now time.Time) (int, error) {
	if err := tx.fault(); err != nil {
		return 0, err
	}
	return tx.Tx.Seats(ctx, account, now)
}

func (tx faultyTx) Touch(ctx context.Context, account access.AccountID, user access.UserID, at, notAfter time.Time) error {
	if err := tx.fault(); err != nil {
		return err
	}
	return tx.Tx.Touch(ctx, account, user, at, notAfter)
}

func (tx faultyTx) RevokeInvites(ctx context.Context, account access.AccountID, inviter access.UserID, held access.Permission, at time.Time) ([]access.RevokedInvite, error) {
	if err := tx.fault(); err != nil {
		return nil, err
	}
	return tx.Tx.RevokeInvites(ctx, account, inviter, held, at)
}

func (tx faultyTx) DeletePreferences(ctx context.Context, account access.AccountID, users ...access.UserID) error {
	if err := tx.fault(); err != nil {
		return err
	}
	return tx.Tx.DeletePreferences(ctx, account, users...)
}

func (tx faultyTx) User(ctx context.Context, id access.UserID) (access.User, error) {
	if err := tx.fault(); err != nil {
		return access.User{}, err
	}
	return tx.Tx.User(ctx, id)
}

func (tx faultyTx) Users(ctx context.Context, ids []access.UserID) (map[access.UserID]access.User, error) {
	if err := tx.fault(); err != nil {
		return nil, err
	}
	return tx.Tx.Users(ctx, ids)
}

func (tx faultyTx) SignedIn(ctx context.Context, id access.UserID, at time.Time) error {
	if err := tx.fault(); err != nil {
		return err
	}
	return tx.Tx.SignedIn(ctx, id, at)
}

func (tx faultyTx) PutUsers(ctx context.Context, users ...access.User) error {
	if err := tx.fault(); err != nil {
		return err
	}
	return tx.Tx.PutUsers(ctx, users...)
}

func (tx faultyTx) Append(ctx context.Context, r access.Record) error {
	if err := tx.fault(); err != nil {
		return err
	}
	return tx.Tx.Append(ctx, r)
}

func (tx faultyTx) Events(ctx context.Context, account access.AccountID, f access.EventFilter, before access.EventKey, ascending bool, limit int) ([]access.Record, error) {
	if err := tx.fault(); err != nil {
		return nil, err
	}
	return tx.Tx.Events(ctx, account, f, before, ascending, limit)
}

func (tx faultyTx) Enqueue(ctx context.Context, messages ...notify.Message) error {
	if err := tx.fault(); err != nil {
		return err
	}
	return tx.Tx.Enqueue(ctx, messages...)
}

func (tx faultyTx) Message(ctx context.Context, group string, id notify.MessageID) (notify.Message, error) {
	if err := tx.fault(); err != nil {
		return notify.Message{}, err
	}
	return tx.Tx.Message(ctx, group, id)
}

func (tx faultyTx) Messages(ctx context.Context, group string, q notify.MessageQuery) ([]notify.Message, error) {
	if err := tx.fault(); err != nil {
		return nil, err
	}
	return tx.Tx.Messages(ctx, group, q)
}

func (tx faultyTx) Deliveries(ctx context.Context, group string, kind notify.Kind, refs []string) (map[string]notify.Message, error) {
	if err := tx.fault(); err != nil {
		return nil, err
	}
	return tx.Tx.Deliveries(ctx, group, kind, refs)
}
