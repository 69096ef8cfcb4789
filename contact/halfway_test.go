package contact_test

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/storage"
)

// A drySource is random until it has been read so many times.
type drySource struct{ left int }

var errDry = errors.New("no randomness is left")

func (s *drySource) Read(b []byte) (int, error) {
	if s.left--; s.left < 0 {
		return 0, errDry
	}
	return rand.Read(b)
}

// TestNoHalfOfAVerbIsCommitted has randomness end at each point of each verb, within a unit of a host that takes every
// error for a refusal: either nothing was done, or the unit can't be committed.
func TestNoHalfOfAVerbIsCommitted(t *testing.T) {
	for name, verb := range map[string]func(*contact.Service, contact.Contact) error{
		"Add": func(s *contact.Service, _ contact.Contact) error {
			_, _, err := s.Add(ctx, system, acme, details(t, "dora", contact.Invoice))
			return err
		},
		"Update": func(s *contact.Service, carl contact.Contact) error {
			_, err := s.Update(ctx, system, acme, carl.ID, details(t, "karl", contact.Invoice))
			return err
		},
		"SendVerification": func(s *contact.Service, carl contact.Contact) error {
			_, err := s.SendVerification(ctx, system, acme, carl.ID)
			return err
		},
		"Notify": func(s *contact.Service, _ contact.Contact) error {
			_, err := s.Notify(ctx, acme, contact.Invoice, "", invoice(1))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			for reads := 0; ; reads++ {
				w := newWorld(t)
				config := notices(w)
				config.Links = linksOf(t, "", keyOf("2026"))
				w.configured(config)
				carl := w.contact("carl", contact.Invoice)
				w.now = w.now.Add(time.Minute)
				source := &drySource{reads}
				members := access.New(w.db, access.Config{Now: w.members.Now, Random: source})
				service := contact.New(w.db, members, config)

				before := w.state()
				var failed error
				err := w.db.Update(ctx, func(_ context.Context, tx storage.Tx) error {
					failed = verb(service.Within(tx), carl)
					return nil
				})
				if failed == nil {
					require.NoError(t, err)
					require.Greater(t, reads, 1)
					return
				}
				require.ErrorIs(t, failed, errDry)
				after := w.state()
				after.Account.Version = before.Account.Version // which a lock raises
				requireSame(t, before, after, "after %d reads", reads)
			}
		})
	}
}
