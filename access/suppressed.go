package access

import "context"

// Suppressed returns why mail to an address isn't sent, because the address is suppressed, and nothing if it isn't.
// Security mail goes to those who complained about mail too. Preparers ask it, just before a mail is sent.
func Suppressed(ctx context.Context, tx Tx, address Address, security bool) (reason string, err error) {
	suppressed, err := tx.Suppressed(ctx, []string{address.Canonical()})
	if err != nil {
		return "", err
	}
	if s := suppressed[address.Canonical()]; s.Stops(security) {
		return s.Reason(), nil
	}
	return "", nil
}

// CheckHost returns nil for system, and for staff whom the host's policy allows a kind of event that is of no account.
// ErrInvalid for an actor that can't be one, ErrDenied for users and for other staff.
func (s *Service) CheckHost(ctx context.Context, actor Actor, kind EventKind) error {
	if err := actor.Check(); err != nil {
		return err
	}
	if actor.Kind == ActorUser {
		return Denied("denies.host", "only staff may do this")
	}
	return s.staffMay(ctx, actor, kind, "")
}
