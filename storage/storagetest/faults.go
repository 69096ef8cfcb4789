package storagetest

import (
	"context"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
)

// A faultyDB is a backend one of whose writes fails, if it is told so. The commit of an update is the last of its
// writes. While none is to fail it may be used by several goroutines.
type faultyDB struct {
	storage.DB
	at     int  // which write fails, from 1; none if zero
	after  bool // it fails after its effect, not instead of it
	writes int  // so far
	struck bool // it has failed
	commit bool // it was a commit
}

func (f *faultyDB) Update(ctx context.Context, fn func(context.Context, storage.Tx) error) error {
	if f.at == 0 {
		return f.DB.Update(ctx, fn)
	}
	return f.DB.Update(ctx, func(ctx context.Context, tx storage.Tx) error {
		if err := fn(ctx, &faultyTx{Tx: tx, db: f}); err != nil {
			return err
		}
		if f.struck {
			return errInjected // somebody swallowed it: a failed write poisons the unit
		}
		err := f.write(func() error { return nil })
		f.commit = err != nil
		return err
	})
}

// fail has the n-th write from now on fail, instead of its effect or after it; none if n is 0.
func (f *faultyDB) fail(n int, after bool) {
	f.at, f.after = n, after
	f.writes, f.struck, f.commit = 0, false, false
}

// write does a write, or fails.
func (f *faultyDB) write(do func() error) error {
	f.writes++
	if f.writes != f.at {
		return do()
	}
	f.struck = true
	if f.after {
		if err := do(); err != nil {
			return err
		}
	}
	return errInjected
}

// A faultyTx sends every method that writes through its faultyDB.
type faultyTx struct {
	storage.Tx
	db *faultyDB
}

// wrote is write for a method with a result, which a failure takes away.
func wrote[R any](f *faultyDB, do func() (R, error)) (R, error) {
	var result R
	err := f.write(func() (err error) {
		result, err = do()
		return err
	})
	if err != nil {
		var none R
		return none, err
	}
	return result, nil
}

func (t *faultyTx) Lock(ctx context.Context, ids ...access.AccountID) ([]access.Account, error) {
	return wrote(t.db, func() ([]access.Account, error) { return t.Tx.Lock(ctx, ids...) })
}

func (t *faultyTx) InsertAccount(ctx context.Context, a access.Account) error {
	return t.db.write(func() error { return t.Tx.InsertAccount(ctx, a) })
}

func (t *faultyTx) UpdateAccount(ctx context.Context, a access.Account) error {
	return t.db.write(func() error { return t.Tx.UpdateAccount(ctx, a) })
}

func (t *faultyTx) PutMembership(ctx context.Context, m access.Membership) error {
	return t.db.write(func() error { return t.Tx.PutMembership(ctx, m) })
}

func (t *faultyTx) DeleteMembership(ctx context.Context, account access.AccountID, user access.UserID) error {
	return t.db.write(func() error { return t.Tx.DeleteMembership(ctx, account, user) })
}

func (t *faultyTx) Touch(ctx context.Context, account access.AccountID, user access.UserID, at, notAfter time.Time) error {
	return t.db.write(func() error { return t.Tx.Touch(ctx, account, user, at, notAfter) })
}

func (t *faultyTx) RevokeInvites(ctx context.Context, account access.AccountID,
	inviter access.UserID, held access.Permission, at time.Time) ([]access.RevokedInvite, error) {
	return wrote(t.db, func() ([]access.RevokedInvite, error) { return t.Tx.RevokeInvites(ctx, account, inviter, held, at) })
}

func (t *faultyTx) DeletePreferences(ctx context.Context, account access.AccountID, users ...access.UserID) error {
	return t.db.write(func() error { return t.Tx.DeletePreferences(ctx, account, users...) })
}

func (t *faultyTx) PutUsers(ctx context.Context, users ...access.User) error {
	return t.db.write(func() error { return t.Tx.PutUsers(ctx, users...) })
}

func (t *faultyTx) SignedIn(ctx context.Context, id access.UserID, at time.Time) error {
	return t.db.write(func() error { return t.Tx.SignedIn(ctx, id, at) })
}

func (t *faultyTx) Append(ctx context.Context, r access.Record) error {
	return t.db.write(func() error { return t.Tx.Append(ctx, r) })
}

func (t *faultyTx) Enqueue(ctx context.Context, messages ...notify.Message) error {
	return t.db.write(func() error { return t.Tx.Enqueue(ctx, messages...) })
}

func (t *faultyTx) AddFeedback(ctx context.Context, f notify.Feedback) (bool, error) {
	return wrote(t.db, func() (bool, error) { return t.Tx.AddFeedback(ctx, f) })
}

func (t *faultyTx) PutSuppression(ctx context.Context, s notify.Suppression) error {
	return t.db.write(func() error { return t.Tx.PutSuppression(ctx, s) })
}

func (t *faultyTx) DeleteSuppression(ctx context.Context, address string) (bool, error) {
	return wrote(t.db, func() (bool, error) { return t.Tx.DeleteSuppression(ctx, address) })
}

func (t *faultyTx) InsertInvite(ctx context.Context, r invite.Record) error {
	return t.db.write(func() error { return t.Tx.InsertInvite(ctx, r) })
}

func (t *faultyTx) UpdateInvite(ctx context.Context, r invite.Record, generation uint16) error {
	return t.db.write(func() error { return t.Tx.UpdateInvite(ctx, r, generation) })
}

func (t *faultyTx) Hit(ctx context.Context, limit [32]byte, at time.Time, window time.Duration) (int, error) {
	return wrote(t.db, func() (int, error) { return t.Tx.Hit(ctx, limit, at, window) })
}

func (t *faultyTx) PutContact(ctx context.Context, c contact.Contact) error {
	return t.db.write(func() error { return t.Tx.PutContact(ctx, c) })
}

func (t *faultyTx) DeleteContact(ctx context.Context, account access.AccountID, id contact.ID) error {
	return t.db.write(func() error { return t.Tx.DeleteContact(ctx, account, id) })
}

func (t *faultyTx) InsertNotice(ctx context.Context, n contact.NoticeRecord) error {
	return t.db.write(func() error { return t.Tx.InsertNotice(ctx, n) })
}

func (t *faultyTx) PutVerification(ctx context.Context, v contact.Verification) error {
	return t.db.write(func() error { return t.Tx.PutVerification(ctx, v) })
}

func (t *faultyTx) PutUnsubscribed(ctx context.Context, account access.AccountID,
	address access.Address, c contact.Category) error {
	return t.db.write(func() error { return t.Tx.PutUnsubscribed(ctx, account, address, c) })
}

func (t *faultyTx) PutPreference(ctx context.Context, account access.AccountID,
	user access.UserID, c contact.Category) error {
	return t.db.write(func() error { return t.Tx.PutPreference(ctx, account, user, c) })
}
