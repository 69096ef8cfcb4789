package access

import "context"

// feedPage is how many changes are read at once.
const feedPage = 1000

// Changed calls each with the account of every change between two positions of the change feed, as often as it was
// changed, and perhaps of some that came after. It reports whether the feed goes on where the earlier position was: if
// not, a backup was restored or the feed was pruned, and anything may have changed. It is for followers, who remember what
// they read. Its errors are the storage's.
func Changed(ctx context.Context, tx Tx, since, until [Shards]FeedHead, each func(AccountID)) (goesOn bool, err error) {
	for shard, head := range until {
		if head == since[shard] {
			continue
		}
		if goesOn, err = changedIn(ctx, tx, shard, since[shard], head, each); err != nil || !goesOn {
			return false, err
		}
	}
	return true, nil
}

func changedIn(ctx context.Context, tx Tx, shard int, since, until FeedHead, each func(AccountID)) (goesOn bool, err error) {
	if until.Number <= since.Number {
		return false, nil
	}
	at := since.Number
	if at > 0 { // the last one that is known is read again: it tells this feed from another one
		at--
	}
	for at < until.Number {
		changes, err := tx.Changes(ctx, shard, at, feedPage)
		if err != nil || len(changes) == 0 {
			return false, err
		}
		for _, change := range changes {
			at++
			if change.Number != at || at == since.Number && change.ID != since.Tail {
				return false, nil
			}
			if at > since.Number {
				each(change.Account)
			}
		}
	}
	return true, nil
}
