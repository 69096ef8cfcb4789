package access

import (
	"context"
	"errors"
)

// A NamedActor is who did something, as mails call them. Templates say what staff and system are called in their
// language; it prints in English.
type NamedActor struct {
	Kind ActorKind // zero if nobody knows any more
	Name string    // of a user; never empty for one
}

// String returns a user's name, and "our support team", "our system" or "somebody" for others.
func (a NamedActor) String() string {
	switch a.Kind {
	case ActorUser:
		return a.Name
	case ActorStaff:
		return "our support team"
	case ActorSystem:
		return "our system"
	}
	return "somebody"
}

// NameActor returns how mails call an actor: a user by the directory's name, or else by masked address or id; staff
// and system by what they are.
func NameActor(ctx context.Context, tx Tx, kind ActorKind, id string) (NamedActor, error) {
	if kind != ActorUser {
		return NamedActor{Kind: kind}, nil
	}
	u, err := tx.User(ctx, UserID(id))
	if err != nil && !errors.Is(err, ErrNotFound) {
		return NamedActor{}, err
	}
	switch {
	case u.Name != "":
		return NamedActor{kind, u.Name}, nil
	case !u.Address.IsZero():
		return NamedActor{kind, u.Address.String()}, nil
	}
	return NamedActor{kind, id}, nil
}

// ActorName returns what NameActor does, in English.
func ActorName(ctx context.Context, tx Tx, kind ActorKind, id string) (string, error) {
	named, err := NameActor(ctx, tx, kind, id)
	if err != nil {
		return "", err
	}
	return named.String(), nil
}
