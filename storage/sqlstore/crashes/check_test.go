package crashes_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
)

// A content is what lines speak of: an account's own, or the directory's.
type content struct {
	version  uint64
	events   map[access.EventID]uint64 // by id, the version of the account
	messages map[notify.MessageID]notify.Message
	user     access.User
}

// checkLines returns an error if the database isn't as the lines say. Nobody may be writing.
func checkLines(ctx context.Context, db storage.DB, lines []line) error {
	accounts, users := make(map[access.AccountID]content), make(map[access.UserID]content)
	return db.View(ctx, func(ctx context.Context, tx storage.Tx) error {
		var problems []error
		for _, l := range lines {
			c, err := contentOf(ctx, tx, l, accounts, users)
			if err != nil {
				return err
			}
			if err := l.check(c); err != nil && len(problems) < 5 {
				problems = append(problems, fmt.Errorf("%s of %q: %w", l.Verb, l.Account, err))
			}
		}
		return errors.Join(problems...)
	})
}

// contentOf returns what a line speaks of, reading it if no line before did.
func contentOf(ctx context.Context, tx storage.Tx, l line, accounts map[access.AccountID]content, users map[access.UserID]content) (content, error) {
	var err error
	if l.Account == "" {
		c, known := users[l.User]
		if !known && l.User != "" {
			c.user, err = tx.User(ctx, l.User)
			users[l.User] = c
		}
		return c, noneFound(err)
	}
	c, known := accounts[l.Account]
	if !known {
		c, err = readAccount(ctx, tx, l.Account)
		accounts[l.Account] = c
	}
	return c, err
}

func noneFound(err error) error {
	if errors.Is(err, access.ErrNotFound) {
		return nil
	}
	return err
}

// pageSize is how much of a list is read at a time.
const pageSize = 500

func readAccount(ctx context.Context, tx storage.Tx, id access.AccountID) (content, error) {
	c := content{events: make(map[access.EventID]uint64), messages: make(map[notify.MessageID]notify.Message)}
	account, err := tx.Account(ctx, id)
	if err != nil {
		return c, noneFound(err)
	}
	c.version = account.Version
	for last, more := (access.EventKey{}), true; more; {
		records, err := tx.Events(ctx, id, access.EventFilter{}, last, true, pageSize)
		if err != nil {
			return c, err
		}
		for _, r := range records {
			c.events[r.ID] = r.Version
			last = access.EventKey{Version: r.Version, Index: r.Index}
		}
		more = len(records) == pageSize
	}
	for last, more := (notify.MessageID("")), true; more; {
		messages, err := tx.Messages(ctx, string(id), notify.MessageQuery{Before: last, Limit: pageSize})
		if err != nil {
			return c, err
		}
		for _, m := range messages {
			c.messages[m.ID] = m
			last = m.ID
		}
		more = len(messages) == pageSize
	}
	return c, nil
}

// check returns an error if the content isn't as the line says.
func (l line) check(c content) error {
	for _, e := range l.Failed {
		if there, _ := c.has(e); there > 0 {
			return fmt.Errorf("it failed, and left %d of %+v", there, e)
		}
	}
	if err := l.checkUnknown(c); err != nil {
		return err
	}
	if !l.Done {
		return nil
	}
	if c.version < l.Version {
		return fmt.Errorf("it left version %d, and there is %d", l.Version, c.version)
	}
	if _, all := c.has(l.Effects); !all {
		return fmt.Errorf("it was acknowledged, and not all is there of %+v", l.Effects)
	}
	for _, id := range l.Events {
		if version := c.events[id]; l.Version != 0 && version != l.Version {
			return fmt.Errorf("its event %s is at version %d, and should be at %d", id, version, l.Version)
		}
	}
	if c.user.Name < l.Name {
		return fmt.Errorf("it called the user %q, who is called %q", l.Name, c.user.Name)
	}
	for id, attempt := range l.Claimed {
		if c.messages[id].Attempt < attempt {
			return fmt.Errorf("attempt %d at message %s began, and %d is the last", attempt, id, c.messages[id].Attempt)
		}
	}
	if m := c.messages[l.Sent]; l.Sent != "" && m.State != notify.Sent {
		return fmt.Errorf("message %s was sent, and is %s", l.Sent, m.State)
	}
	return nil
}

// checkUnknown checks that a verb, called again because it wasn't known what became of it, was done once.
func (l line) checkUnknown(c content) error {
	calls := l.Unknown
	if len(calls) > 0 && l.Done {
		calls = append(calls[:len(calls):len(calls)], l.Effects)
	}
	tried, done := 0, 0
	for _, e := range calls {
		there, all := c.has(e)
		switch {
		case e.none():
			continue
		case all:
			done++
		case there > 0:
			return fmt.Errorf("one call left %d of %+v", there, e)
		}
		tried++
	}
	if tried > 0 && done != 1 {
		return fmt.Errorf("%d of %d calls took effect, of %+v", done, tried, calls)
	}
	return nil
}

// has returns how many of the effects are there, and whether all are.
func (c content) has(e Effects) (there int, all bool) {
	for _, id := range e.Events {
		if _, ok := c.events[id]; ok {
			there++
		}
	}
	for _, id := range e.Messages {
		if _, ok := c.messages[id]; ok {
			there++
		}
	}
	return there, there == len(e.Events)+len(e.Messages)
}
