package main

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"
)

// What a session holds.
const (
	sessionPerson     = "person"
	sessionGeneration = "generation"
	sessionFlash      = "flash"
	sessionFlashKind  = "flash-kind"
)

// newSessions returns the session manager. Cookies are out of reach of scripts, of other sites'
// forms, and of plain HTTP where the portal is reached by HTTPS.
func newSessions(db *database, https bool) *scs.SessionManager {
	sessions := scs.New()
	sessions.Store = sessionStore{db}
	sessions.HashTokenInStore = true
	sessions.Lifetime = 12 * time.Hour
	sessions.Cookie.Name = "portal_session"
	sessions.Cookie.HttpOnly = true
	sessions.Cookie.SameSite = http.SameSiteLaxMode
	sessions.Cookie.Secure = https
	return sessions
}

// sessionStore keeps sessions in the database, under the hash of their token.
type sessionStore struct{ db *database }

var _ scs.CtxStore = sessionStore{}

// FindCtx implements scs.CtxStore.
func (s sessionStore) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	var data []byte
	row := s.db.queryRow(ctx, `SELECT data FROM portal_sessions WHERE token = ? AND expires > ?`,
		token, time.Now().UnixMicro())
	err := row.Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	return data, err == nil, err
}

// CommitCtx implements scs.CtxStore. It also deletes sessions that are over.
func (s sessionStore) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	if _, err := s.db.exec(ctx, `DELETE FROM portal_sessions WHERE expires <= ?`, time.Now().UnixMicro()); err != nil {
		return err
	}
	_, err := s.db.exec(ctx, `INSERT INTO portal_sessions (token, data, expires) VALUES (?, ?, ?)`+
		s.db.engine.overwrite("token", "data", "expires"), token, data, expiry.UnixMicro())
	return err
}

// DeleteCtx implements scs.CtxStore.
func (s sessionStore) DeleteCtx(ctx context.Context, token string) error {
	_, err := s.db.exec(ctx, `DELETE FROM portal_sessions WHERE token = ?`, token)
	return err
}

// Find implements scs.Store.
func (s sessionStore) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}

// Commit implements scs.Store.
func (s sessionStore) Commit(token string, data []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), token, data, expiry)
}

// Delete implements scs.Store.
func (s sessionStore) Delete(token string) error {
	return s.DeleteCtx(context.Background(), token)
}
