package sqlstore_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/invite"
)

// BenchmarkAccept accepts invites, each to another account. impl=roster is invite.Service.AcceptPending, impl=bare what
// one would write by hand at the least: a transaction that locks the account, reads the invite, and writes the
// membership, the invite, an event and a message.
func BenchmarkAccept(b *testing.B) {
	for _, engine := range engines() {
		for _, conns := range []int{1, 16} {
			benchmarkAccept(b, engine, conns)
		}
	}
}

// An acceptance is an invite and the person that it is for.
type acceptance struct {
	id      invite.ID
	account access.AccountID
	who     invite.Identity
}

func benchmarkAccept(b *testing.B, engine engine, conns int) {
	handle, db := engine.durable(b)
	handle.SetMaxOpenConns(conns)
	handle.SetMaxIdleConns(conns)
	members := access.New(db, access.Config{})
	invites, err := invite.New(db, members, []invite.Key{{ID: "1", Secret: bytes.Repeat([]byte{1}, 32)}},
		invite.Config{LinkBase: "https://portal.example/invites/"})
	require.NoError(b, err)
	waiting := sendInvites(b, members, invites)
	bare := bareAccept{handle, engine}
	for _, impl := range []struct {
		name   string
		accept func(context.Context, acceptance) error
	}{
		{"bare", bare.accept},
		{"roster", func(ctx context.Context, a acceptance) error {
			_, err := invites.AcceptPending(ctx, a.id, a.who)
			return err
		}},
	} {
		b.Run(fmt.Sprintf("impl=%s/db=%s/conns=%d", impl.name, engine.name, conns), func(b *testing.B) {
			b.ReportAllocs()
			for done := 0; done < b.N; done += len(waiting) {
				b.StopTimer()
				openAgain(b, engine, handle)
				b.StartTimer()
				require.NoError(b, acceptAll(b.Context(), waiting[:min(len(waiting), b.N-done)], conns, impl.accept))
			}
		})
	}
}

// acceptAll accepts invites, so many at a time.
func acceptAll(ctx context.Context, waiting []acceptance, atATime int, accept func(context.Context, acceptance) error) error {
	var next atomic.Int64
	var group sync.WaitGroup
	errs := make(chan error, atATime)
	for range atATime {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(waiting); i = int(next.Add(1)) - 1 {
				if err := accept(ctx, waiting[i]); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	group.Wait()
	close(errs)
	return <-errs
}

// sendInvites invites a person to each of a number of new accounts.
func sendInvites(b *testing.B, members *access.Service, invites *invite.Service) []acceptance {
	b.Helper()
	var waiting []acceptance
	for i := range 256 {
		owner, account := access.UserID(uuid.NewString()), access.AccountID(uuid.NewString())
		_, err := members.CreateAccount(b.Context(), access.As(owner), access.NewAccount{ID: account, Owner: owner,
			Profile: access.Profile{Name: "Acme"}})
		require.NoError(b, err)
		address, err := access.ParseAddress(fmt.Sprintf("person%d@example.com", i))
		require.NoError(b, err)
		sent, err := invites.Send(b.Context(), access.As(owner), account, invite.Offer{Address: address,
			Terms: access.Terms{Permissions: access.PayInvoices}})
		require.NoError(b, err)
		waiting = append(waiting, acceptance{sent.Invite.ID, account,
			invite.Identity{Actor: access.As(access.UserID(uuid.NewString())), Address: address, Verified: true}})
	}
	return waiting
}

// openAgain makes all invites pending and their members strangers.
func openAgain(b *testing.B, engine engine, handle *sql.DB) {
	b.Helper()
	for _, statement := range []string{
		`DELETE FROM roster_memberships WHERE permissions > 0`,
		`UPDATE roster_invites SET state = 1, pending = 1, closed_at = -62135596800000000, accepted_by = ''`,
	} {
		_, err := handle.ExecContext(b.Context(), statement)
		require.NoError(b, err)
	}
}

// A bareAccept is the acceptance by hand.
type bareAccept struct {
	handle *sql.DB
	engine engine
}

func (b bareAccept) accept(ctx context.Context, a acceptance) error {
	conn, err := b.handle.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	for _, statement := range b.engine.beginUpdate() {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	if err := b.within(ctx, conn, a); err != nil {
		conn.ExecContext(ctx, "ROLLBACK")
		return err
	}
	_, err = conn.ExecContext(ctx, "COMMIT")
	return err
}

func (b bareAccept) within(ctx context.Context, conn *sql.Conn, a acceptance) error {
	user, now, never := a.who.Actor.ID, time.Now().UnixMicro(), time.Time{}.UnixMicro()
	exec := func(statement string, args ...any) error {
		result, err := conn.ExecContext(ctx, b.engine.placed(statement), args...)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n != 1 {
			return fmt.Errorf("%d rows: %w", n, err)
		}
		return nil
	}
	if err := exec(`UPDATE roster_accounts SET version = version + 1 WHERE id = ?`, string(a.account)); err != nil {
		return err
	}
	var permissions, expires, generation int64
	var address string
	row := conn.QueryRowContext(ctx, b.engine.placed(`SELECT permissions, expires_at, generation, canonical FROM roster_invites
		WHERE account_id = ? AND id = ? AND pending = 1`), string(a.account), string(a.id))
	if err := row.Scan(&permissions, &expires, &generation, &address); err != nil {
		return err
	}
	if address != a.who.Address.Canonical() || expires <= now {
		return fmt.Errorf("not for them")
	}
	if err := exec(`INSERT INTO roster_memberships (account_id, user_id, permissions, status, starts_at, expires_at, label, created_at, last_seen_at)
		VALUES (?, ?, ?, 1, ?, ?, '', ?, ?)`, string(a.account), user, permissions, never, never, now, never); err != nil {
		return err
	}
	if err := exec(`UPDATE roster_invites SET state = 2, pending = NULL, closed_at = ?, accepted_by = ?
		WHERE account_id = ? AND id = ? AND pending = 1 AND generation = ?`, now, user, string(a.account), string(a.id), generation); err != nil {
		return err
	}
	digest := make([]byte, 32)
	if err := exec(`INSERT INTO roster_events (account_id, version, idx, id, occurred_at, kind, public, actor_commitment, target_commitment,
			by_user_id, for_user_id, target_kind, target_id, hash, shard, number)
		VALUES (?, ?, 0, ?, ?, 'member.added', ?, ?, ?, ?, '', 'user', ?, ?, 0, ?)`,
		string(a.account), now, uuid.NewString(), now, []byte(`{"permissions":["invoices"]}`), digest, digest, user, user, digest,
		now<<20|numbers.Add(1)); err != nil {
		return err
	}
	return exec(`INSERT INTO roster_messages (id, kind, group_id, ref, generation, recipient_id, created_at, state, due_at, attempt,
			leased_until, done_at, reason, address, subject)
		VALUES (?, 'invite.accepted', ?, ?, ?, ?, ?, 1, ?, 0, ?, ?, '', '', '')`,
		uuid.Must(uuid.NewV7()).String(), string(a.account), string(a.id), generation, user, now, now, never, never)
}

// numbers tell the events that were written by hand apart.
var numbers atomic.Int64
