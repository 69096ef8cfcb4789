package contact

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/notify"
)

var _ notify.FeedbackTaker = (*Service)(nil)

// TakeFeedback keeps what the host's mail provider reports about an address. The host has made sure that the report comes
// from the provider, which no actor stands for: whoever can report can keep mail from people. A hard bounce and a
// complaint suppress the address at once, soft bounces when there are as many as the Config says.
//
// A suppressed address, whoever has it, receives no mail of any category and no invite, and mail to it that waits is
// cancelled. Security mail goes to those who complained, as their mail arrives, and not where it bounces. Whether it is
// suppressed is asked just before a mail is sent. Lift ends it.
//
// A repeat of a report changes nothing. ErrInvalid, which is permanent: a report that can't be taken never can.
func (s *Service) TakeFeedback(ctx context.Context, feedback notify.Feedback) error {
	f, err := s.taken(feedback)
	if err != nil {
		return notify.Permanent(err)
	}
	return s.update(ctx, func(ctx context.Context, tx Tx) error {
		added, err := tx.AddFeedback(ctx, f)
		if err != nil || !added {
			return err
		}
		if f.Kind == notify.SoftBounce {
			if enough, err := s.countSoft(ctx, tx, f.Address); err != nil || !enough {
				return err
			}
		}
		return tx.PutSuppression(ctx, notify.Suppression{Address: f.Address, Kind: f.Kind, Since: s.members.Now()})
	})
}

// taken returns feedback as it is put on the record.
func (s *Service) taken(f notify.Feedback) (notify.Feedback, error) {
	if f.Kind < notify.HardBounce || f.Kind > notify.Complaint {
		return notify.Feedback{}, access.Invalid("feedback", "feedback.kind", "is of no kind that can be reported")
	}
	address, err := access.ParseAddress(f.Address)
	if err != nil {
		return notify.Feedback{}, err
	}
	if err := checkShort("id", f.ID, notify.MaxRefBytes); err != nil {
		return notify.Feedback{}, err
	}
	if err := checkShort("message", string(f.Message), notify.MaxKindBytes); err != nil {
		return notify.Feedback{}, err
	}
	if now := s.members.Now(); f.At.IsZero() || f.At.After(now) {
		f.At = now
	}
	f.Address, f.Detail, f.By = address.Canonical(), notify.PlainReason(f.Detail), ""
	f.At = f.At.UTC().Truncate(time.Microsecond)
	if f.ID == "" {
		f.ID = contentOf(f)
	}
	return f, nil
}

// contentOf is the id of a report that has none.
func contentOf(f notify.Feedback) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %d %q %q", f.Kind, f.At.UnixMicro(), f.Address, f.Message))
	return hex.EncodeToString(sum[:])
}

// countSoft counts a soft bounce, and reports whether there were enough of them since the suppression was last lifted.
func (s *Service) countSoft(ctx context.Context, tx Tx, address string) (bool, error) {
	lifted, err := tx.Feedback(ctx, notify.FeedbackQuery{Address: address, Kind: notify.Lifted, Limit: 1})
	if err != nil {
		return false, err
	}
	since := ""
	if len(lifted) > 0 {
		since = lifted[0].ID
	}
	limit := sha256.Sum256(fmt.Appendf(nil, "contact/soft %q %q", address, since))
	bounces, err := tx.Hit(ctx, limit, s.members.Now(), s.config.SoftWindow)
	return bounces >= s.config.SoftBounces, err
}

// Lift ends the suppression of an address: it receives mail again, and its soft bounces are counted anew. It is for staff
// and system, and on the record of the address with who did it and their reason. ErrInvalid, ErrDenied, and ErrNotFound
// if the address isn't suppressed.
func (s *Service) Lift(ctx context.Context, actor access.Actor, address access.Address) error {
	if err := s.members.CheckHost(ctx, actor, access.EventSuppressionLifted); err != nil {
		return err
	}
	if address.IsZero() {
		return access.Invalid("address", "address.empty", "is empty")
	}
	now := s.members.Now()
	by := actor.Kind.String() + "/" + actor.ID
	lifted := notify.Feedback{ID: "lifted/" + strconv.FormatInt(now.UnixMicro(), 10), Kind: notify.Lifted,
		Address: address.Canonical(), Detail: notify.PlainReason(actor.Reason), At: now, By: by}
	return s.update(ctx, func(ctx context.Context, tx Tx) error {
		deleted, err := tx.DeleteSuppression(ctx, lifted.Address)
		if err != nil {
			return err
		}
		if !deleted {
			return access.NotFound("suppression")
		}
		_, err = tx.AddFeedback(ctx, lifted)
		return err
	})
}

// Suppressions returns a page of the suppressed addresses, ordered byte for byte. It is for staff and system. ErrInvalid,
// ErrDenied.
func (s *Service) Suppressions(ctx context.Context, actor access.Actor, page access.Page) (access.List[notify.Suppression], error) {
	const list = "suppressions"
	limit, key, err := page.Open(list, 1)
	if err != nil {
		return access.List[notify.Suppression]{}, err
	}
	if err := s.members.CheckHost(ctx, actor, ""); err != nil {
		return access.List[notify.Suppression]{}, err
	}
	after := ""
	if key != nil {
		after = key[0]
	}
	var suppressions access.List[notify.Suppression]
	err = s.view(ctx, func(ctx context.Context, tx Tx) error {
		rows, err := tx.Suppressions(ctx, after, limit+1)
		suppressions = access.ListOf(rows, limit, list, func(s notify.Suppression) []string { return []string{s.Address} })
		return err
	})
	if err != nil {
		return access.List[notify.Suppression]{}, err
	}
	return suppressions, nil
}

// Feedback returns a page of what is on the record about an address, newest first: reports, and who lifted suppressions.
// It is for staff and system. ErrInvalid, ErrDenied.
func (s *Service) Feedback(ctx context.Context, actor access.Actor, address access.Address, page access.Page) (access.List[notify.Feedback], error) {
	list := "feedback/" + address.Canonical()
	limit, key, err := page.Open(list, 2)
	if err != nil {
		return access.List[notify.Feedback]{}, err
	}
	if err := s.members.CheckHost(ctx, actor, ""); err != nil {
		return access.List[notify.Feedback]{}, err
	}
	if address.IsZero() {
		return access.List[notify.Feedback]{}, access.Invalid("address", "address.empty", "is empty")
	}
	before, err := feedbackKey(key)
	if err != nil {
		return access.List[notify.Feedback]{}, err
	}
	var feedback access.List[notify.Feedback]
	err = s.view(ctx, func(ctx context.Context, tx Tx) error {
		rows, err := tx.Feedback(ctx, notify.FeedbackQuery{Address: address.Canonical(), Before: before, Limit: limit + 1})
		feedback = access.ListOf(rows, limit, list, func(f notify.Feedback) []string {
			return []string{strconv.FormatInt(f.At.UnixMicro(), 10), f.ID}
		})
		return err
	})
	if err != nil {
		return access.List[notify.Feedback]{}, err
	}
	return feedback, nil
}

func feedbackKey(key []string) (notify.FeedbackKey, error) {
	if key == nil {
		return notify.FeedbackKey{}, nil
	}
	at, err := strconv.ParseInt(key[0], 10, 64)
	if err != nil {
		return notify.FeedbackKey{}, access.Invalid("page", "page.cursor", "has a cursor that this list didn't make")
	}
	return notify.FeedbackKey{At: time.UnixMicro(at).UTC(), ID: key[1]}, nil
}

// Suppressed returns the suppressions of those of some addresses that are suppressed, by the canonical address: for the
// pages that show contacts, and for the host's own mail. It has no actor: it is the host's own question. ErrInvalid for
// more than access.MaxPage addresses.
func (s *Service) Suppressed(ctx context.Context, addresses ...access.Address) (map[string]notify.Suppression, error) {
	if len(addresses) > access.MaxPage {
		return nil, access.Invalid("addresses", "addresses.many", "are more than "+strconv.Itoa(access.MaxPage))
	}
	var canonical []string
	for _, a := range addresses {
		canonical = append(canonical, a.Canonical())
	}
	var suppressed map[string]notify.Suppression
	err := s.view(ctx, func(ctx context.Context, tx Tx) (err error) {
		suppressed, err = tx.Suppressed(ctx, canonical)
		return err
	})
	if err != nil {
		return nil, err
	}
	return suppressed, nil
}
