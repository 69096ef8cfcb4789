package races_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/sqlstore/internal/processtest"
)

// A host is a process that has the library in it. It delivers tokens by writing them into files that all processes read.
type host struct {
	db      storage.DB
	members *access.Service
	invites *invite.Service
	folder  string // of the tokens
}

func newHost(db storage.DB, folder string) (*host, error) {
	members := access.New(db, access.Config{Now: func() time.Time { return timeOf(processtest.Now()) }})
	key := invite.Key{ID: "k", Secret: bytes.Repeat([]byte{7}, invite.MinKeyBytes)}
	const many = math.MaxInt32
	invites, err := invite.New(db, members, []invite.Key{key}, invite.Config{Delivery: invite.ByHost, Holder: invite.AnyHolder,
		Limits: invite.Limits{Live: many, PerAccount: many, PerActor: many, PerRecipient: many, Between: time.Nanosecond}})
	if err != nil {
		return nil, err
	}
	return &host{db: db, members: members, invites: invites, folder: folder}, nil
}

// timeOf is an instant of the clock of all processes, for the services.
func timeOf(at int64) time.Time {
	return time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration(at))
}

// perform does an operation and returns what the services answered.
func (h *host) perform(ctx context.Context, o operation) result {
	r, err := h.ask(ctx, o)
	if err == nil {
		return r
	}
	var refused *access.Error
	switch {
	case errors.Is(err, access.ErrUnknownOutcome), errors.Is(err, context.DeadlineExceeded), ctx.Err() != nil:
		return result{Unknown: true}
	case errors.As(err, &refused):
		return result{Code: refused.Code}
	}
	return result{Failure: err.Error()}
}

func (h *host) ask(ctx context.Context, o operation) (result, error) {
	var revision access.Revision
	var err error
	actor, account := o.actor(), o.Account
	switch o.Kind {
	case create:
		revision, err = h.members.CreateAccount(ctx, actor, access.NewAccount{ID: account, Owner: o.User,
			Profile: access.Profile{Name: "A race"}, Policy: access.Policy{Seats: seats}})
	case add:
		revision, err = h.members.AddMember(ctx, actor, account, o.User, access.Terms{Permissions: o.Bits})
	case set:
		revision, err = h.members.SetPermissions(ctx, actor, account, o.User, o.Bits)
	case suspend:
		revision, err = h.members.Suspend(ctx, actor, account, o.User)
	case reinstate:
		revision, err = h.members.Reinstate(ctx, actor, account, o.User)
	case remove:
		revision, err = h.members.Remove(ctx, actor, account, o.User)
	case leave:
		revision, err = h.members.Leave(ctx, actor, account)
	case transfer:
		revision, err = h.members.TransferByStaff(ctx, actor, account, o.User, o.Bits)
	case revoke:
		revision, err = h.invites.Revoke(ctx, actor, account, invite.ID(o.Invite))
	case send, resend:
		return h.send(ctx, o)
	case accept:
		return h.accept(ctx, o)
	default:
		return h.read(ctx, o)
	}
	return result{Version: revision.Version}, err
}

func (o operation) actor() access.Actor {
	if o.Actor == "" {
		return access.AsSystem("races")
	}
	return access.As(o.Actor)
}

func (h *host) send(ctx context.Context, o operation) (result, error) {
	var sent invite.Sent
	var err error
	if o.Kind == send {
		var address access.Address
		if address, err = access.ParseAddress(o.Address); err != nil {
			return result{}, err
		}
		sent, err = h.invites.Send(ctx, o.actor(), o.Account, invite.Offer{Address: address, Terms: access.Terms{Permissions: o.Bits}})
	} else {
		sent, err = h.invites.Resend(ctx, o.actor(), o.Account, invite.ID(o.Invite))
	}
	if err != nil {
		return result{}, err
	}
	return result{Version: sent.Revision.Version, Invite: string(sent.Invite.ID), Generation: sent.Invite.Generation}, h.deliver(sent)
}

// deliver hands a token to all processes.
func (h *host) deliver(sent invite.Sent) error {
	file, err := os.OpenFile(h.mailbox(sent.Invite.Account), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(file, sent.Invite.ID, sent.Invite.Generation, sent.Token.Secret()) // one write
	return errors.Join(err, file.Close())
}

func (h *host) mailbox(account access.AccountID) string {
	return filepath.Join(h.folder, string(account))
}

// A letter is a token that was delivered.
type letter struct {
	invite     string
	generation uint16
	token      string
}

// letters returns what was delivered for an account, in the order of arrival.
func (h *host) letters(account access.AccountID) []letter {
	content, _ := os.ReadFile(h.mailbox(account)) // nothing was delivered
	var letters []letter
	for text := range strings.Lines(string(content)) {
		var l letter
		if n, _ := fmt.Sscanln(text, &l.invite, &l.generation, &l.token); n == 3 && len(l.token) == invite.TokenLength {
			letters = append(letters, l)
		}
	}
	return letters
}

func (h *host) accept(ctx context.Context, o operation) (result, error) {
	for _, l := range h.letters(o.Account) {
		if l.invite == o.Invite && l.generation == o.Generation {
			accepted, err := h.invites.Accept(ctx, l.token, invite.Identity{Actor: o.userActor()})
			if err == nil && accepted.Outcome == invite.Already {
				return result{Code: already}, nil
			}
			return result{Version: accepted.Revision.Version}, err
		}
	}
	return result{}, errors.New("races: a letter is lost")
}

func (o operation) userActor() access.Actor { return access.As(o.User) }

func (h *host) read(ctx context.Context, o operation) (result, error) {
	switch o.Kind {
	case can:
		yes, err := h.members.Can(ctx, o.User, o.Account, o.Bits)
		return result{Yes: yes}, err
	case grant:
		g, err := h.members.Grant(ctx, o.User, o.Account)
		m := account{members: map[access.UserID]member{o.User: {bits: g.Permissions, suspended: g.Status == access.Suspended}}}
		switch {
		case g.Owner:
			m.owner = o.User
		case g.Status == 0:
			m.members = nil
		}
		return result{Version: g.Version, Seen: m.seenGrant(o.User)}, err
	case look:
		a, err := h.look(ctx, o.Account)
		return result{Version: a.version, Seen: a.seen()}, err
	}
	panic("races: there is no operation " + o.Kind)
}

// look reads a whole account at one moment.
func (h *host) look(ctx context.Context, id access.AccountID) (account, error) {
	var seen account
	err := h.db.View(ctx, func(ctx context.Context, tx storage.Tx) error {
		seen = account{members: make(map[access.UserID]member), invites: make(map[string]offer)}
		stored, err := tx.Account(ctx, id)
		if errors.Is(err, access.ErrNotFound) {
			return nil
		} else if err != nil {
			return err
		}
		seen.owner, seen.version = stored.Owner, stored.Version
		const all = 100
		members, err := tx.Members(ctx, id, access.MemberFilter{}, "", all)
		if err != nil {
			return err
		}
		for _, m := range members {
			if !m.Owner {
				seen.members[m.User] = member{m.Permissions, m.Status == access.Suspended}
			}
		}
		pending, err := tx.Invites(ctx, id, invite.Filter{State: invite.Pending}, "", all)
		for _, i := range pending {
			seen.invites[string(i.ID)] = offer{i.Address.Canonical(), i.Terms.Permissions, i.By.User(), i.Generation, i.State, ""}
		}
		return err
	})
	return seen, err
}
