package notify

import "sync/atomic"

// WorkerStats says what a worker has done since it was made. What waits for workers is in the queue's Backlog.
type WorkerStats struct {
	Sent      uint64 // mails that the mailer has taken
	Cancelled uint64 // messages that were no longer due
	Failed    uint64 // attempts that failed, of messages that will be tried again
	Dead      uint64 // messages that were given up
	Returned  uint64 // messages that were put back untried, since the worker stopped or their lease was too short
	TakenOver uint64 // attempts that weren't recorded, since another worker had begun one
	Broken    uint64 // passes that the queue has ended with an error
}

// Stats returns what the worker has done. Its numbers only grow.
func (w *Worker) Stats() WorkerStats {
	c := &w.counts
	return WorkerStats{Sent: c.sent.Load(), Cancelled: c.cancelled.Load(), Failed: c.failed.Load(), Dead: c.dead.Load(),
		Returned: c.returned.Load(), TakenOver: c.takenOver.Load(), Broken: c.broken.Load()}
}

// counts are what Stats tells.
type counts struct {
	sent, cancelled, failed, dead, returned, takenOver, broken atomic.Uint64
}

// count counts a result that was recorded.
func (c *counts) count(r Result) {
	switch {
	case r.State == Sent:
		c.sent.Add(1)
	case r.State == Cancelled:
		c.cancelled.Add(1)
	case r.State == Dead:
		c.dead.Add(1)
	case r.Uncounted:
		c.returned.Add(1)
	default:
		c.failed.Add(1)
	}
}
