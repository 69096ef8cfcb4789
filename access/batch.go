package access

import (
	"context"
	"slices"
	"time"
)

// CanAll is Can for several permissions in one account, at one moment: the answers are in the order of the questions. Its
// errors are those of Can.
func (s *Service) CanAll(ctx context.Context, user UserID, account AccountID, permissions ...Permission) ([]bool, error) {
	g, err := s.Grant(ctx, user, account)
	if err != nil {
		return nil, err
	}
	return g.all(permissions, s.config.Now()), nil
}

func (g Grant) all(permissions []Permission, now time.Time) []bool {
	answers := make([]bool, len(permissions))
	for i, p := range permissions {
		answers[i] = g.Can(p, now)
	}
	return answers
}

// Filter returns those of the accounts in which a user may do all of p, now, in their order. Its errors are those of Can.
func (s *Service) Filter(ctx context.Context, user UserID, p Permission, accounts ...AccountID) ([]AccountID, error) {
	grants, err := s.grants(ctx, user, accounts)
	if err != nil {
		return nil, err
	}
	now := s.config.Now()
	return filter(accounts, func(id AccountID) bool { return grants[id].Can(p, now) }), nil
}

func filter(accounts []AccountID, may func(AccountID) bool) []AccountID {
	return slices.DeleteFunc(slices.Clone(accounts), func(id AccountID) bool { return !may(id) })
}

// grants reads the grants of a user in several accounts.
func (s *Service) grants(ctx context.Context, user UserID, accounts []AccountID) (map[AccountID]Grant, error) {
	if err := user.Check(); err != nil {
		return nil, err
	}
	for _, id := range accounts {
		if err := id.Check(); err != nil {
			return nil, err
		}
	}
	var grants map[AccountID]Grant
	err := s.read(ctx, func(ctx context.Context, tx Tx) (err error) {
		grants, err = tx.Grants(ctx, user, accounts)
		return err
	})
	for id, g := range grants {
		g.WhileSuspended = s.catalog.WhileSuspended()
		grants[id] = g
	}
	return grants, err
}

// CanAll is Service.CanAll, from memory if that is certain. Its errors are those of Cache.Can.
func (c *Cache) CanAll(ctx context.Context, user UserID, account AccountID, permissions ...Permission) ([]bool, error) {
	g, err := c.Grant(ctx, user, account)
	if err != nil {
		return nil, err
	}
	return g.all(permissions, c.service.config.Now()), nil
}

// Filter is Service.Filter, from memory as far as that is certain: what isn't known is read at once. Its errors are those
// of Cache.Can.
func (c *Cache) Filter(ctx context.Context, user UserID, p Permission, accounts ...AccountID) ([]AccountID, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	may := make(map[AccountID]bool, len(accounts))
	epochs := make(map[AccountID]uint32)
	var unknown []AccountID
	for _, id := range accounts {
		place := c.table.place(user, id)
		if held, ok := c.recall(place); ok && p&c.database == 0 {
			may[id] = held.Has(p)
		} else {
			unknown = append(unknown, id)
			epochs[id] = c.table.epoch(place).Load() // before it is read
		}
	}
	c.hits.total.Add(uint64(len(accounts) - len(unknown)))
	if len(unknown) > 0 {
		c.counts.misses.Add(uint64(len(unknown)))
		certain := c.certain(c.service.config.Now())
		var grants map[AccountID]Grant
		err := c.shielded(ctx, func() (err error) {
			grants, err = c.service.grants(ctx, user, unknown)
			return err
		})
		if err != nil && !certain {
			err = stale(ctx, err)
		}
		if err != nil {
			return nil, err
		}
		now := c.service.config.Now()
		for _, id := range unknown {
			may[id] = grants[id].Can(p, now)
			c.remember(c.table.place(user, id), epochs[id], grants[id], now)
		}
	}
	return filter(accounts, func(id AccountID) bool { return may[id] }), nil
}
