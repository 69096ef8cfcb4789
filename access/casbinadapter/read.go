package casbinadapter

import (
	"context"
	"errors"
	"slices"

	"github.com/casbin/casbin/v2/model"
	"github.com/rosterkit/roster/access"
)

// A source says what is to be read: the accounts that a filter selects, and of those, the ones that changed since.
type source struct {
	filter *Filter // nil for all accounts
	since  *[access.Shards]access.FeedHead
}

// A snapshot is what was read, as it was at one moment.
type snapshot struct {
	layout   layout
	heads    [access.Shards]access.FeedHead
	accounts []access.AccountID // each once
	rules    map[access.AccountID][]rule
}

// errGap says that the feed doesn't go on where it is known to have been: a backup was restored, or it was pruned.
var errGap = errors.New("casbinadapter: the change feed doesn't follow what is known of it")

// read reads from one view of the store. errGap if the accounts can't be found in the feed.
func (a *Adapter) read(ctx context.Context, m model.Model, from source) (s snapshot, err error) {
	if s.layout, err = layoutOf(m); err != nil {
		return snapshot{}, err
	}
	err = a.view(ctx, func(ctx context.Context, tx access.Tx) error {
		if s.heads, err = tx.Feed(ctx); err != nil {
			return err
		}
		if s.accounts, err = accounts(ctx, tx, from, s.heads); err != nil {
			return err
		}
		s.rules = make(map[access.AccountID][]rule, len(s.accounts))
		for _, id := range s.accounts {
			if s.rules[id], err = a.rules(ctx, tx, s.layout, id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return snapshot{}, err
	}
	return s, nil
}

// addTo adds everything that was read to a model.
func (s snapshot) addTo(m model.Model, catalog *access.Catalog) error {
	for _, r := range s.layout.shared(catalog) {
		if err := r.addTo(m); err != nil {
			return err
		}
	}
	for _, id := range s.accounts {
		for _, r := range s.rules[id] {
			if err := r.addTo(m); err != nil {
				return err
			}
		}
	}
	return nil
}

// rules reads one account. That there is none is no error: it may come.
func (a *Adapter) rules(ctx context.Context, tx access.Tx, l layout, id access.AccountID) ([]rule, error) {
	account, err := tx.Account(ctx, id)
	if errors.Is(err, access.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var members []access.Member
	for after := access.UserID(""); ; after = members[len(members)-1].User {
		page, err := tx.Members(ctx, id, access.MemberFilter{}, after, access.MaxPage)
		if err != nil {
			return nil, err
		}
		members = append(members, page...)
		if len(page) < access.MaxPage {
			return l.rules(a.catalog, account, members), nil
		}
	}
}

// accounts returns the accounts to read, each once. Every account is in the feed, with its creation.
func accounts(ctx context.Context, tx access.Tx, from source, heads [access.Shards]access.FeedHead) ([]access.AccountID, error) {
	var once distinct
	if from.since == nil && from.filter != nil {
		for _, id := range from.filter.Accounts {
			once.add(id)
		}
		return once.ids, nil
	}
	var since [access.Shards]access.FeedHead // the beginning
	if from.since != nil {
		since = *from.since
	}
	goesOn, err := access.Changed(ctx, tx, since, heads, once.add)
	if err != nil {
		return nil, err
	}
	if !goesOn {
		return nil, errGap
	}
	if from.filter != nil {
		once.ids = slices.DeleteFunc(once.ids, func(id access.AccountID) bool { return !slices.Contains(from.filter.Accounts, id) })
	}
	return once.ids, nil
}

// distinct are ids in their order, each once. The feed has many more entries than there are accounts.
type distinct struct {
	ids  []access.AccountID
	seen map[access.AccountID]bool
}

func (d *distinct) add(id access.AccountID) {
	if d.seen[id] {
		return
	}
	if d.seen == nil {
		d.seen = make(map[access.AccountID]bool)
	}
	d.seen[id] = true
	d.ids = append(d.ids, id)
}
