package access

import (
	"context"
	"errors"
	"math"
	"strconv"
)

// History returns a page of an account's history, newest first. Those who manage members see all of it, other
// members only what concerns themselves, without the others' IP and request, and without staff's reason. ErrInvalid, ErrNotFound, ErrDenied.
func (s *Service) History(ctx context.Context, actor Actor, account AccountID, f EventFilter, page Page) (List[Event], error) {
	list := "history/" + string(account)
	limit, key, err := page.Open(list, 2)
	if err != nil {
		return List[Event]{}, err
	}
	if err := f.check(); err != nil {
		return List[Event]{}, err
	}
	before, err := eventKey(key)
	if err != nil {
		return List[Event]{}, err
	}
	if f.Concerns != "" {
		if err := f.Concerns.Check(); err != nil {
			return List[Event]{}, err
		}
	}
	var history List[Event]
	err = s.look(ctx, actor, account, func(ctx context.Context, c *Call) error {
		f, err := c.visible(f)
		if err != nil {
			return err
		}
		rows, err := c.Tx.Events(ctx, account, f, before, false, limit+1)
		if err != nil {
			return err
		}
		events := make([]Event, len(rows))
		for i, r := range rows {
			e, err := r.Event()
			if err != nil {
				return err
			}
			events[i] = c.shown(e)
		}
		history = ListOf(events, limit, list, func(e Event) []string {
			return []string{strconv.FormatUint(e.Version, 10), strconv.Itoa(e.Index)}
		})
		return nil
	})
	return orZero(history, err)
}

// visible narrows a filter to what the actor may see.
func (c *Call) visible(f EventFilter) (EventFilter, error) {
	err := c.Manage()
	if err == nil || !errors.Is(err, ErrDenied) || c.Actor.Kind != ActorUser {
		return f, err
	}
	if f.Concerns != "" && f.Concerns != c.Actor.User() {
		return f, err
	}
	f.Concerns = c.Actor.User()
	return f, nil
}

// shown returns an event as the actor may see it: where others' requests came from, and why staff acted, is for those
// who manage.
func (c *Call) shown(e Event) Event {
	if c.Manage() != nil && e.Actor.User() != c.Actor.User() {
		e.Actor = Actor{Kind: e.Actor.Kind, ID: e.Actor.ID, OnBehalf: e.Actor.OnBehalf}
	}
	return e
}

func eventKey(key []string) (EventKey, error) {
	if key == nil {
		return EventKey{}, nil
	}
	version, err1 := strconv.ParseUint(key[0], 10, 63)
	index, err2 := strconv.ParseInt(key[1], 10, 32)
	if err1 != nil || err2 != nil {
		return EventKey{}, Invalid("page", "page.cursor", "has a cursor that this list didn't make")
	}
	return EventKey{version, int(index)}, nil
}

// HistoryHead returns the end of an account's history, to keep elsewhere: VerifyHistory later takes it. It is for
// those who manage members. ErrNotFound, ErrDenied.
func (s *Service) HistoryHead(ctx context.Context, actor Actor, account AccountID) (Head, error) {
	var head Head
	err := s.look(ctx, actor, account, func(_ context.Context, c *Call) error {
		head = c.Account.Head
		return c.Manage()
	})
	if err != nil {
		return Head{}, err
	}
	return head, nil
}

// A Verification is what VerifyHistory found.
type Verification struct {
	Events   uint64 // lines read
	Redacted uint64 // of them, with a personal part that was forgotten
	// Altered reports that a line was changed, dropped, added or moved by somebody who couldn't rewrite all later
	// lines and the account's head, or that the history doesn't contain the head that was kept.
	Altered bool
	At      EventKey // the first line that doesn't fit; zero if it is the end
}

// VerifyHistory recomputes the chain of hashes over an account's whole history and compares it with the account's
// head and with one that was kept; the zero Head stands for none. It is for those who manage members. ErrNotFound,
// ErrDenied; what it finds is no error. Inside a unit of work
// that has changed the account the end of the history isn't written yet, and doesn't fit.
func (s *Service) VerifyHistory(ctx context.Context, actor Actor, account AccountID, kept Head) (Verification, error) {
	var v Verification
	err := s.lookOnce(ctx, actor, account, func(ctx context.Context, c *Call) error {
		v = Verification{}
		if err := c.Manage(); err != nil {
			return err
		}
		return v.read(ctx, c, kept)
	})
	if err != nil {
		return Verification{}, err
	}
	return v, nil
}

func (v *Verification) read(ctx context.Context, c *Call, kept Head) error {
	var head Head
	var last EventKey
	fits := kept.Count == 0 && kept.Hash == Digest{}
	for {
		rows, err := c.Tx.Events(ctx, c.Account.ID, EventFilter{}, last, true, MaxPage)
		if err != nil {
			return err
		}
		for _, r := range rows {
			last = EventKey{r.Version, r.Index}
			v.Events++
			if r.Actor.Text == nil || r.Target.Text == nil {
				v.Redacted++
			}
			sealed := r
			head = sealed.Seal(head, r.Index)
			if !v.Altered && (sealed.Hash != r.Hash || !r.Actor.intact() || !r.Target.intact() || !r.indexed()) {
				v.Altered, v.At = true, last
			}
			head.Hash = r.Hash
			fits = fits || head == kept
		}
		if len(rows) < MaxPage {
			break
		}
	}
	if !v.Altered && (head != c.Account.Head || !fits) {
		v.Altered = true
	}
	return nil
}

// intact reports whether a part is what was committed to, or was forgotten as a whole.
func (p Part) intact() bool {
	if p.Text == nil && p.Salt == nil {
		return true
	}
	return p.Text != nil && commit(p.Salt, p.Text) == p.Commitment
}

// indexed reports whether a record is found under the users whom its parts name, and under none once they are
// forgotten: the chain doesn't cover that.
func (r Record) indexed() bool {
	e, err := r.Event()
	if err != nil {
		return false
	}
	return r.By == e.Actor.User() && r.For == e.Actor.OnBehalf && r.TargetKind == e.Target.Kind && r.TargetID == e.Target.ID
}

// lastIndex is above the index of every event.
const lastIndex = math.MaxInt32
