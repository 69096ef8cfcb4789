package access

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strconv"
	"time"
)

// A Limit is how often something may happen in 24 hours.
type Limit struct {
	Code string // of the error when it is reached
	Max  int
	Name []string // what is counted: of which account, actor, recipient
}

// Count counts one use of each limit. ErrLimit, with the code of the limit, if one was reached already: then nothing
// is counted, and a composed unit of work can't be committed.
func (c *Call) Count(ctx context.Context, limits ...Limit) error {
	// They are locked in ascending order, so that two units never wait for each other.
	slices.SortFunc(limits, func(a, b Limit) int {
		x, y := a.key(), b.key()
		return slices.Compare(x[:], y[:])
	})
	for _, l := range limits {
		n, err := c.Tx.Hit(ctx, l.key(), c.Now, 24*time.Hour)
		if err != nil {
			return err
		}
		if n > l.Max {
			return c.orSpoil(&Error{Kind: ErrLimit, Code: l.Code, Field: "limit", Reason: "is reached for these 24 hours",
				Params: map[string]string{"max": strconv.Itoa(l.Max)}})
		}
	}
	return nil
}

// key names the limit in storage, without saying whom it concerns.
func (l Limit) key() [32]byte {
	h := sha256.New()
	for _, part := range l.Name {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		h.Write([]byte(part))
	}
	return [32]byte(h.Sum(nil))
}
