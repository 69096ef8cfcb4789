package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"time"
)

const resetLifetime = time.Hour

var errResetLink = errors.New("the link for a new password is used, replaced, expired or unknown")

// resets holds the links for new passwords. Only the SHA-256 of a token is stored: 32 random
// bytes need no slow hash.
type resets struct{ db *database }

// create makes the token for a person's reset link and voids the earlier ones.
func (r resets) create(ctx context.Context, personID string, now time.Time) (string, error) {
	secret := make([]byte, 32)
	rand.Read(secret)
	token := base64.RawURLEncoding.EncodeToString(secret)
	if _, err := r.db.exec(ctx, `DELETE FROM portal_resets WHERE expires <= ?`, now.UnixMicro()); err != nil {
		return "", err
	}
	// There is one row for each person, so that of links that are made at the same time one is left.
	_, err := r.db.exec(ctx, `INSERT INTO portal_resets (digest, person, expires) VALUES (?, ?, ?)`+
		r.db.engine.overwrite("person", "digest", "expires"), digestOf(token), personID, now.Add(resetLifetime).UnixMicro())
	return token, err
}

// owner finds whose link it is without using it up. Any other link is errResetLink.
func (r resets) owner(ctx context.Context, token string, now time.Time) (personID string, err error) {
	row := r.db.queryRow(ctx, `SELECT person FROM portal_resets WHERE digest = ? AND expires > ?`,
		digestOf(token), now.UnixMicro())
	if err := row.Scan(&personID); errors.Is(err, sql.ErrNoRows) {
		return "", errResetLink
	} else if err != nil {
		return "", err
	}
	return personID, nil
}

// use sets the new password and uses the link up, together. It ends the person's sessions, and
// counts as proof that mail to their address reaches them. A dead link is errResetLink.
func (r resets) use(ctx context.Context, token, password string, now time.Time) error {
	personID, err := r.owner(ctx, token, now)
	if err != nil {
		return err
	}
	hash := hashPassword(password)
	return r.db.transaction(ctx, func(tx statements) error {
		// Of several who use the link at the same time, one deletes it.
		rows, err := tx.exec(ctx, `DELETE FROM portal_resets WHERE digest = ? AND expires > ?`, digestOf(token), now.UnixMicro())
		if err != nil {
			return err
		}
		if rows == 0 {
			return errResetLink
		}
		_, err = tx.exec(ctx, `
			UPDATE portal_people SET password_hash = ?, verified = TRUE, generation = generation + 1 WHERE id = ?`, hash, personID)
		return err
	})
}

func digestOf(token string) []byte {
	digest := sha256.Sum256([]byte(token))
	return digest[:]
}
