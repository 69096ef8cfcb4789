package main

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// seeding is the turn of one portal to fill the database, when several start on an empty one.
type seeding struct{ db *database }

// seedingTurn is more than any step of the seeder takes. Who hasn't said for so long that it goes on was killed.
const seedingTurn = 20 * time.Second

var errSeedingCutShort = errors.New("a portal was stopped while it did so: start on an empty database, or with -seed=false")

// take reports whether it is this portal's turn from now on. If another one began and will not end, it is
// errSeedingCutShort.
func (s seeding) take(ctx context.Context, now time.Time) (bool, error) {
	_, err := s.db.exec(ctx, `INSERT INTO portal_seeding (id, until) VALUES (1, ?)`, now.Add(seedingTurn).UnixMicro())
	if !isDuplicate(err) {
		return err == nil, err
	}
	var until int64
	err = s.db.queryRow(ctx, `SELECT until FROM portal_seeding WHERE id = 1`).Scan(&until)
	if errors.Is(err, sql.ErrNoRows) { // It has ended just now.
		return false, nil
	}
	if err == nil && until <= now.UnixMicro() {
		err = errSeedingCutShort
	}
	return false, err
}

// goOn makes the turn of this portal longer.
func (s seeding) goOn(ctx context.Context, now time.Time) error {
	return s.lastUntil(ctx, now.Add(seedingTurn).UnixMicro())
}

// giveUp tells the others that it was cut short.
func (s seeding) giveUp(ctx context.Context) error { return s.lastUntil(ctx, 0) }

func (s seeding) lastUntil(ctx context.Context, until int64) error {
	_, err := s.db.exec(ctx, `UPDATE portal_seeding SET until = ? WHERE id = 1`, until)
	return err
}

// end ends the turn of this portal.
func (s seeding) end(ctx context.Context) error {
	_, err := s.db.exec(ctx, `DELETE FROM portal_seeding WHERE id = 1`)
	return err
}
