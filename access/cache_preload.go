package access

import "context"

// preloadPage is how many memberships are read at once.
const preloadPage = 5000

// Preload reads all memberships, or as many as may be remembered, and returns how many. It is for a process that starts:
// call it after the first Poll, or before Run of a Cache that is Single. What changes meanwhile is not remembered. Its
// errors are the storage's; what was read before is remembered. Afterwards memory takes as little as the answers need.
func (c *Cache) Preload(ctx context.Context) (n int, err error) {
	c.table.loading.Store(true)
	defer c.table.fit()
	var epochs [counters]uint32
	for after := (MembershipKey{}); n < c.config.Entries; {
		for i := range epochs { // before the page is read
			epochs[i] = c.table.epochs[i].Load()
		}
		var page []Granted
		err := c.shielded(ctx, func() error {
			return c.service.read(ctx, func(ctx context.Context, tx Tx) (err error) {
				page, err = tx.Granted(ctx, after, min(preloadPage, c.config.Entries-n))
				return err
			})
		})
		if err != nil || len(page) == 0 {
			return n, err
		}
		now := c.service.config.Now()
		for _, g := range page {
			g.Grant.WhileSuspended = c.service.catalog.WhileSuspended()
			place := c.table.place(g.User, g.Account)
			c.remember(place, epochs[place.pair.low&counterMask], g.Grant, now)
		}
		n += len(page)
		after = page[len(page)-1].MembershipKey
	}
	return n, nil
}
