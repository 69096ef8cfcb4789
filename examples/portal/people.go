package main

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/rosterkit/roster/access"
)

// A person is a login: the host's user directory. The library knows people by their id only.
type person struct {
	ID           string
	Address      access.Address // Unique by its canonical form.
	Name         string
	Verified     bool      // They have proved that mail to the address reaches them.
	SecondFactor bool      // They sign in with a second factor.
	Generation   int       // Raised with every new password: older sessions end.
	LastSignIn   time.Time // Zero means never.
	passwordHash string
}

var (
	errNoPerson     = errors.New("no such person")
	errAddressTaken = errors.New("the address has a login already")
)

// people is the table of logins.
type people struct{ db *database }

const personColumns = `id, address, typed_address, name, password_hash, verified, second_factor, generation, last_sign_in`

// add stores a new login with the hash of its password. A taken address is errAddressTaken.
func (p people) add(ctx context.Context, who person, passwordHash string) error {
	_, err := p.db.exec(ctx, `INSERT INTO portal_people (`+personColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		who.ID, who.Address.Canonical(), who.Address.Original(), who.Name, passwordHash, who.Verified, who.SecondFactor,
		who.Generation, nullableMicros(who.LastSignIn))
	if isDuplicate(err) { // The id is a new one. The driver's words may hold the address.
		return errAddressTaken
	}
	return err
}

// byID finds a person, or returns errNoPerson.
func (p people) byID(ctx context.Context, id string) (person, error) {
	return p.one(ctx, `SELECT `+personColumns+` FROM portal_people WHERE id = ?`, id)
}

// byAddress finds the person with an address, or returns errNoPerson.
func (p people) byAddress(ctx context.Context, address access.Address) (person, error) {
	return p.one(ctx, `SELECT `+personColumns+` FROM portal_people WHERE address = ?`, address.Canonical())
}

func (p people) one(ctx context.Context, query, key string) (person, error) {
	var who person
	var canonical, original string
	var lastSignIn sql.NullInt64
	err := p.db.queryRow(ctx, query, key).Scan(&who.ID, &canonical, &original, &who.Name, &who.passwordHash,
		&who.Verified, &who.SecondFactor, &who.Generation, &lastSignIn)
	if errors.Is(err, sql.ErrNoRows) {
		return person{}, errNoPerson
	}
	if err != nil {
		return person{}, err
	}
	if lastSignIn.Valid {
		who.LastSignIn = time.UnixMicro(lastSignIn.Int64).UTC()
	}
	who.Address, err = access.ParseAddress(original)
	return who, err
}

// signedIn records a sign-in.
func (p people) signedIn(ctx context.Context, id string, at time.Time) error {
	_, err := p.db.exec(ctx, `UPDATE portal_people SET last_sign_in = ? WHERE id = ?`, at.UnixMicro(), id)
	return err
}

// verified records that mail to the person's address reaches them.
func (p people) verified(ctx context.Context, id string) error {
	_, err := p.db.exec(ctx, `UPDATE portal_people SET verified = TRUE WHERE id = ?`, id)
	return err
}

// empty reports whether nobody has a login yet: the first start.
func (p people) empty(ctx context.Context) (bool, error) {
	var found bool
	err := p.db.queryRow(ctx, `SELECT EXISTS (SELECT 1 FROM portal_people)`).Scan(&found)
	return !found, err
}

func nullableMicros(t time.Time) sql.NullInt64 {
	return sql.NullInt64{Int64: t.UnixMicro(), Valid: !t.IsZero()}
}
