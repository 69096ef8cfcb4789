package storagetest

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
)

// draw draws a ticket.
func (d database) draw() uint64 {
	d.t.Helper()
	ticket, _, err := d.DrawTicket(d.ctx)
	require.NoError(d.t, err)
	return ticket
}

// wait is the wait that a drawn ticket comes with.
func (d database) wait() time.Duration {
	d.t.Helper()
	_, wait, err := d.DrawTicket(d.ctx)
	require.NoError(d.t, err)
	return wait
}

func drawsTickets(t *testing.T, db database) {
	for want := uint64(1); want <= 5; want++ {
		require.Equal(t, want, db.draw())
		require.Equal(t, want, db.position("a").Ticket)
	}
}

func drawsTicketsTogether(t *testing.T, db database) {
	const n = 30
	tickets := make([]uint64, n)
	require.NoError(t, errors.Join(together(n, func(i int) (err error) {
		var wait time.Duration
		tickets[i], wait, err = db.DrawTicket(db.ctx)
		if err == nil && wait != access.DefaultLease {
			err = fmt.Errorf("a wait of %v", wait)
		}
		return err
	})...))
	slices.Sort(tickets)
	for i, ticket := range tickets {
		require.EqualValues(t, i+1, ticket)
	}
	require.EqualValues(t, n, db.position("a").Ticket)
}

func setsLease(t *testing.T, db database) {
	for _, step := range []struct{ lease, wait time.Duration }{
		{500 * time.Millisecond, time.Second},
		{time.Second, time.Second},
		{3 * time.Second, 3 * time.Second},
		{2 * time.Second, 3 * time.Second},
		{time.Minute, time.Minute},
		{time.Millisecond, time.Minute},
		{time.Millisecond, time.Minute},
	} {
		require.NoError(t, db.SetLease(db.ctx, step.lease))
		p := db.position("a")
		require.Equal(t, step.lease, p.Lease)
		require.Equal(t, step.wait, p.Wait)
		require.Equal(t, step.wait, db.wait())
	}
}

func shortensWait(t *testing.T, db database) {
	check := func(lease, wait time.Duration) {
		t.Helper()
		p := db.position("a")
		require.Equal(t, lease, p.Lease)
		require.Equal(t, wait, p.Wait)
		require.Equal(t, wait, db.wait())
	}
	set := func(lease time.Duration) (leaseChanges uint64) {
		t.Helper()
		before := db.position("a").LeaseChanges
		require.NoError(t, db.SetLease(db.ctx, lease))
		leaseChanges = db.position("a").LeaseChanges
		require.Equal(t, before+1, leaseChanges)
		require.NoError(t, db.SetLease(db.ctx, lease))
		require.Equal(t, leaseChanges, db.position("a").LeaseChanges, "the same isn't another one")
		return leaseChanges
	}
	shorten := func(leaseChanges uint64) {
		t.Helper()
		require.NoError(t, db.ShortenWait(db.ctx, leaseChanges))
		require.NoError(t, db.ShortenWait(db.ctx, leaseChanges), "again")
	}
	set(2 * time.Second)
	first := set(time.Second)
	for _, never := range []uint64{0, first - 1, first + 1, math.MaxInt64, math.MaxUint64} {
		shorten(never)
	}
	check(time.Second, 2*time.Second)
	shorten(first)
	check(time.Second, time.Second)

	overtaken := set(time.Millisecond)
	set(time.Second)
	last := set(time.Millisecond)
	shorten(overtaken)
	check(time.Millisecond, time.Second)
	shorten(last)
	check(time.Millisecond, time.Millisecond)
}

func leasesInMilliseconds(t *testing.T, db database) {
	const ms, bit = time.Millisecond, time.Nanosecond
	const century = 100 * 365 * 24 * time.Hour
	for _, lease := range []time.Duration{ms, ms + bit, 2*ms - bit, 1234567*time.Microsecond + bit, century} {
		want := lease / ms * ms
		require.NoError(t, db.SetLease(db.ctx, lease))
		require.Equal(t, want, db.position("a").Lease)
		require.NoError(t, db.ShortenWait(db.ctx, db.position("a").LeaseChanges))
		require.Equal(t, want, db.position("a").Wait)
		require.Equal(t, want, db.wait())
	}
	before := db.registry()
	for _, lease := range []time.Duration{0, bit, ms - bit, -bit, -ms, -time.Hour, math.MinInt64} {
		require.ErrorIs(t, db.SetLease(db.ctx, lease), access.ErrInvalid, "%v", lease)
		require.Equal(t, before, db.registry())
	}
}
