package memory

import (
	"context"
	"encoding/binary"
	"time"
)

// A limit is what is stored of one: its uses, and until when the last of them is kept.
type limit struct {
	until time.Time
	uses  []use
}

// A use of a limit, how often it was used at that time, and until when that is kept: for twice the window, since
// callers' clocks may be behind.
type use struct {
	at, until time.Time
	times     int
}

// A deadline sorts limits by when they may be forgotten, and then by their digests, which it ends with.
type deadline string

// deadlineTime is how many bytes of a deadline are its time.
const deadlineTime = 8

func newDeadline(until time.Time, digest string) deadline {
	const sign = 1 << 63 // makes negative times sort before positive ones
	return deadline(binary.BigEndian.AppendUint64(nil, uint64(until.UnixMicro())^sign)) + deadline(digest)
}

// maxForgotten is how many other limits a use of one forgets, so that those nobody uses any more don't pile up.
const maxForgotten = 10

func (tx *tx) Hit(ctx context.Context, digest [32]byte, at time.Time, window time.Duration) (int, error) {
	if err := tx.write(ctx); err != nil {
		return 0, err
	}
	name := string(digest[:])
	at = stored(at)
	from := stored(at.Add(-window))
	now := use{at: at, until: stored(at.Add(2 * window)), times: 1}
	earlier, _ := tx.limits.get(name)
	var next limit
	count := 1
	for _, u := range earlier.uses {
		switch {
		case u.at.Equal(at):
			now.until, now.times = later(now.until, u.until), now.times+u.times
			count += u.times
			continue
		case !u.until.After(at) && !u.at.After(from):
			continue // counts no more, for the window it was counted with and for this one
		case u.at.After(from) && u.at.Before(at):
			count += u.times
		}
		next.uses = append(next.uses, u)
	}
	next.uses = append(next.uses, now)
	next.until = later(earlier.until, now.until)
	tx.passing = tx.passing.remove(newDeadline(earlier.until, name)).put(newDeadline(next.until, name), struct{}{})
	tx.limits = tx.limits.put(name, next)
	tx.forgetLimits(name, at)
	return count, nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// forgetLimits drops a few of the limits but one of which nothing is kept any more.
func (s *state) forgetLimits(but string, now time.Time) {
	var passed []deadline
	for d := range s.passing.above("") {
		if len(passed) == maxForgotten || d[:deadlineTime] > newDeadline(now, "") {
			break
		}
		if string(d[deadlineTime:]) != but {
			passed = append(passed, d)
		}
	}
	for _, d := range passed {
		s.passing = s.passing.remove(d)
		s.limits = s.limits.remove(string(d[deadlineTime:]))
	}
}
