package notify

import (
	"sync"
	"time"
)

// A limiter keeps a worker from beginning more mails in any second than it may. Who wants to send claims no more than it
// has reserved, so that no message is held while it may not be sent. The zero value allows everything.
type limiter struct {
	rate int // mails per second; 0 for any number

	mu       sync.Mutex
	reserved int
	begun    []time.Time // of the mails of the last second, oldest first
}

// reserve returns how many of want mails may be sent, and where that is none, after which time to ask again. It waits
// for some to come together: each claim costs the queue something.
func (l *limiter) reserve(now time.Time, want int) (n int, wait time.Duration) {
	if l.rate == 0 {
		return want, 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.begun) > 0 && now.Sub(l.begun[0]).Abs() >= time.Second { // also if the clock was set back
		l.begun = l.begun[1:]
	}
	worthwhile := min(want, (l.rate+9)/10)
	free := l.rate - l.reserved - len(l.begun)
	if free >= worthwhile {
		n = min(want, free)
		l.reserved += n
		return n, 0
	}
	if missing := worthwhile - free; missing <= len(l.begun) {
		return 0, time.Second - now.Sub(l.begun[missing-1])
	}
	return 0, time.Second // others have reserved them
}

// begin turns a reservation into a mail that is sent now.
func (l *limiter) begin(now time.Time) {
	if l.rate == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reserved--
	l.begun = append(l.begun, now)
}

// release gives reservations back.
func (l *limiter) release(n int) {
	if l.rate == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reserved -= n
}
