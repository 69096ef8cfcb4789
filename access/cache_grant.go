package access

import (
	"context"
	"time"
)

// seenWithin is how old an answer may be from which a Grant is made: as old as LastSeen.
const seenWithin = 5 * time.Minute

// Grant returns what a user may do in an account, for asking several questions about one moment: from memory, if that is
// certain, the account and the membership are active, no time limits it, and it holds nothing that the catalog calls
// sensitive. Its LastSeen is then when it was read, at most five minutes ago. Its errors are those of Can.
func (c *Cache) Grant(ctx context.Context, user UserID, account AccountID) (Grant, error) {
	if err := ctx.Err(); err != nil {
		return Grant{}, err
	}
	now := c.service.config.Now()
	place := c.table.place(user, account)
	if c.certain(now) { // before the table is looked at, as in recall
		if a, ok := c.table.tell(place); ok {
			if g, ok := c.grantOf(a, now); ok {
				if c.hits.counts(place) {
					c.hits.count()
				}
				return g, nil
			}
		}
	}
	g, err := c.fetch(ctx, user, account)
	if err == nil {
		c.table.hand(place)
	}
	return g, err
}

// grantOf returns the grant of which an answer is remembered, if that much is known of it, and a grant was given to
// somebody when it was read: who was given it has recorded that the user was seen.
func (c *Cache) grantOf(a answer, now time.Time) (Grant, bool) {
	read := time.Unix(c.zero.Unix()+int64(a.read), 0).UTC()
	if a.kind == otherwise || !a.handed || a.bits&c.database != 0 || a.version == maxVersion || now.Sub(read) >= seenWithin {
		return Grant{}, false
	}
	g := Grant{WhileSuspended: c.service.catalog.WhileSuspended(), Account: AccountActive, Version: a.version}
	switch a.kind {
	case owner:
		g.Owner, g.LastSeen = true, read
	case member:
		g.Permissions, g.Status, g.LastSeen = a.bits, Active, read
	}
	return g, true
}

// A Remembered is what a Cache would answer from memory.
type Remembered struct {
	Allowed  bool
	Revision Revision      // of the account, when it was read
	Age      time.Duration // since then, in whole seconds
}

// Explain is Service.Explain, by the database, with what Can answers from memory, nil if it doesn't. The two differ for
// one lease at most. Its errors are those of Service.Explain.
func (c *Cache) Explain(ctx context.Context, user UserID, account AccountID, p Permission) (Explanation, *Remembered, error) {
	now := c.service.config.Now()
	place := c.table.place(user, account)
	a, ok := c.table.tell(place)
	_, certain := c.recall(place)
	e, err := c.service.Explain(ctx, user, account, p)
	if err != nil || !ok || !certain || p&c.database != 0 {
		return e, nil, err
	}
	age := max(0, time.Duration(c.seconds(now))-time.Duration(a.read)) * time.Second // the clock may have been set back
	return e, &Remembered{a.bits.Has(p), Revision{account, a.version}, age}, nil
}
