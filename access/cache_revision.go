package access

import (
	"context"
	"fmt"
	"sync"
)

// AtLeast returns this Cache for somebody who has seen a revision, and must not be answered from before: for a request
// that follows a change which another process made. About other accounts it answers as the Cache. ErrStale if the database
// isn't there yet, as one is that was restored from a backup.
func (c *Cache) AtLeast(revision Revision) Authorizer { return atLeast{c, revision} }

type atLeast struct {
	cache    *Cache
	revision Revision
}

func (a atLeast) Can(ctx context.Context, user UserID, account AccountID, p Permission) (bool, error) {
	c := a.cache
	if account != a.revision.Account || c.reached.by(a.revision) {
		return c.Can(ctx, user, account, p)
	}
	c.counts.misses.Add(1)
	g, err := c.read(ctx, user, account)
	if err != nil {
		return false, err
	}
	if g.Version < a.revision.Version {
		return false, fmt.Errorf("%w: the database is at version %d of the account, not at %d", ErrStale, g.Version, a.revision.Version)
	}
	c.table.expire(account)    // whatever is remembered from now on was read when the database was there
	c.reached.note(a.revision) // not what was read just now: others may have read in between, and less
	return g.Can(p, c.service.config.Now()), nil
}

// reached are the revisions of accounts that everything which is remembered about them is at, at least.
type reached struct {
	mu       sync.Mutex
	versions map[AccountID]uint64
}

// maxReached is how many revisions are kept. Without one, the database is asked once more.
const maxReached = 10_000

func (r *reached) by(revision Revision) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.versions[revision.Account] >= revision.Version
}

func (r *reached) note(revision Revision) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.versions == nil || len(r.versions) >= maxReached {
		r.versions = make(map[AccountID]uint64)
	}
	r.versions[revision.Account] = max(r.versions[revision.Account], revision.Version)
}

func (r *reached) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.versions = nil
}
