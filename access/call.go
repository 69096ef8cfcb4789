package access

import (
	"context"
	"errors"
	"io"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/rosterkit/roster/notify"
)

// A Call is one verb under way: who acts, on which account, with which rights, at what time. The verbs of this
// package and of its neighbours, invite and contact, are written with it, and a host's own can be.
type Call struct {
	Tx       Tx
	Actor    Actor
	Account  Account
	Grant    Grant // the acting user's, the owner's without a membership; zero for staff and system
	Now      time.Time
	reading  bool
	narrows  bool // the verb takes something away from somebody
	recorded bool // the verb changes something
	service  *Service
}

// Begin starts a verb that changes an account: it locks the account and reads what the actor may do there. It
// authorises staff for this kind of event, by the host's policy; users are authorised by the methods of the Call.
// ErrInvalid for an actor or an id that can't be one, ErrNotFound if there is no such account, ErrDenied for staff.
func (s *Service) Begin(ctx context.Context, tx Tx, actor Actor, kind EventKind, account AccountID) (*Call, error) {
	return s.open(ctx, tx, actor, kind, account, func() (Account, error) {
		locked, err := tx.Lock(ctx, account)
		if err != nil {
			return Account{}, err
		}
		s.caches.expireAfter(tx, account)
		return locked[0], nil
	})
}

// Look is Begin for reading: it locks nothing.
func (s *Service) Look(ctx context.Context, tx Tx, actor Actor, account AccountID) (*Call, error) {
	c, err := s.open(ctx, tx, actor, "", account, func() (Account, error) { return tx.Account(ctx, account) })
	if err != nil {
		return nil, err
	}
	c.reading = true
	return c, nil
}

func (s *Service) open(ctx context.Context, tx Tx, actor Actor, kind EventKind, account AccountID,
	read func() (Account, error)) (*Call, error) {
	if err := actor.Check(); err != nil {
		return nil, err
	}
	if err := account.Check(); err != nil {
		return nil, err
	}
	a, err := read()
	if errors.Is(err, ErrNotFound) {
		return nil, NotFound("account")
	}
	if err != nil {
		return nil, err
	}
	c := &Call{Tx: tx, Actor: actor, Account: a, Now: s.Now(), service: s}
	if user := actor.User(); user != "" {
		c.Grant, err = granted(ctx, tx, a, user)
		c.Grant.WhileSuspended = s.catalog.WhileSuspended()
		return c, err
	}
	return c, s.staffMay(ctx, actor, kind, account)
}

// granted returns what a user may do in an account. The owner's follows from the account: a membership adds nothing.
func granted(ctx context.Context, tx Tx, a Account, user UserID) (Grant, error) {
	if user == a.Owner {
		return Grant{Owner: true, Account: a.Status, Version: a.Version}, nil
	}
	return tx.Grant(ctx, a.ID, user)
}

func (s *Service) staffMay(ctx context.Context, actor Actor, kind EventKind, account AccountID) error {
	if actor.Kind != ActorStaff {
		return nil
	}
	if s.config.Staff == nil {
		return Denied("denies.staff", "staff has no policy that allows it")
	}
	return s.config.Staff(ctx, actor, kind, account)
}

// GrantOf returns what a member of the account may do.
func (c *Call) GrantOf(m Member) Grant {
	return Grant{Owner: m.Owner, Permissions: m.Permissions, WhileSuspended: c.service.catalog.WhileSuspended(), Status: m.Status,
		Account: c.Account.Status, Starts: m.Starts, Expires: m.Expires, LastSeen: m.LastSeen, Version: c.Account.Version}
}

// Known returns nil if the actor has to do with the account: as the owner, a member, staff or system. To anybody
// else the account doesn't exist: ErrNotFound.
func (c *Call) Known() error {
	if c.Actor.Kind == ActorUser && !c.Grant.Member() {
		return NotFound("account")
	}
	return nil
}

// Host returns nil for staff and system, and ErrDenied for users.
func (c *Call) Host() error {
	if err := c.Known(); err != nil {
		return err
	}
	if c.Actor.Kind == ActorUser {
		return Denied("denies.host", "only staff may do this")
	}
	return nil
}

// Open returns nil if the account is active: what gives somebody more than before needs that. Otherwise ErrDenied,
// with the rule as its code.
func (c *Call) Open() error {
	switch c.Account.Status {
	case AccountActive:
		return nil
	case AccountSuspended:
		return Denied(DeniesAccountSuspended.String(), "the account is suspended")
	}
	return c.closed()
}

func (c *Call) closed() error { return Denied(DeniesClosed.String(), "the account is closed") }

// May returns nil if the actor may do all of p now: staff and system may. Otherwise ErrNotFound for strangers and
// ErrDenied, with the rule as its code, for members.
func (c *Call) May(p Permission) error {
	if err := c.Known(); err != nil || c.Actor.Kind != ActorUser {
		return err
	}
	if rule := c.Grant.Decide(p, c.Now); !rule.Allows() {
		return Denied(rule.String(), "the permission is missing or not in use")
	}
	return nil
}

// Holds returns nil if the actor holds all of p, in a suspended account too: for what narrows, so that people can be
// removed from it. A closed account can only be read, by its owner, staff and system. What widens needs Open besides.
// Otherwise ErrNotFound for strangers and ErrDenied, with the rule as its code, for members.
func (c *Call) Holds(p Permission) error {
	if err := c.Known(); err != nil {
		return err
	}
	user := c.Actor.Kind == ActorUser
	if c.Account.Status == AccountClosed {
		if c.reading && (!user || c.Grant.Owner) {
			return nil
		}
		return c.closed()
	}
	if rule := c.Grant.held(p, c.Now); user && !rule.Allows() {
		return Denied(rule.String(), "the permission is missing or not in use")
	}
	return nil
}

// Manage returns nil if the actor may manage members, invites and the history of the account, as Holds says. It
// needs the permission with the key "users". Otherwise ErrNotFound for strangers, and ErrDenied.
func (c *Call) Manage() error {
	err := c.Holds(c.service.bitOrAll("users"))
	notOwner := c.Actor.Kind == ActorUser && !c.Grant.Owner
	if errors.Is(err, ErrDenied) && c.Account.Status != AccountClosed || err == nil && notOwner && c.service.config.OnlyOwnerManages {
		return Denied("denies.manage", "managing members is not permitted")
	}
	return err
}

// Bounds is the rule of delegation: nobody grants, keeps through an edit, or removes a bit that they don't hold.
// before and after are the stored bits of the member or invite concerned. ErrDenied with code "permissions.beyond".
func (c *Call) Bounds(before, after Permission) error {
	power := All
	if c.Actor.Kind == ActorUser {
		power = c.Grant.Held(c.Now)
	}
	if beyond := (before | after) &^ power; beyond != 0 {
		return &Error{Kind: ErrDenied, Code: "permissions.beyond", Field: "permissions", Reason: "go beyond what the actor holds"}
	}
	return nil
}

// Seat returns nil if one more membership or invite fits into the account, after as many as freed have gone.
// ErrLimit with code "seats.used".
func (c *Call) Seat(ctx context.Context, freed int) error {
	seats := c.Account.Policy.Seats
	if seats == 0 {
		return nil
	}
	used, err := c.Tx.Seats(ctx, c.Account.ID, c.Now)
	if err != nil || used-freed < seats {
		return err
	}
	return &Error{Kind: ErrLimit, Code: "seats.used", Field: "seats", Reason: "are all used",
		Params: map[string]string{"seats": strconv.Itoa(seats)}}
}

// Record puts one event on the account's history: it happens to target, now, by the actor. The host's Before is
// asked first, and its error returned. A verb records what it has written: after an error, whatever it is, the unit of
// work can't be committed.
func (c *Call) Record(ctx context.Context, kind EventKind, target Target, before, after Facts) error {
	returned := false
	defer func() {
		if !returned { // a panic of the host's, which somebody may recover from
			c.Tx.Spoil(errHalfway)
		}
	}()
	err := c.orSpoil(c.record(ctx, kind, target, before, after))
	returned = true
	return err
}

var errHalfway = errors.New("access: a verb ended halfway")

// orSpoil keeps half a verb from being committed by a host that takes its error for a refusal.
func (c *Call) orSpoil(err error) error {
	if err != nil {
		c.Tx.Spoil(err)
	}
	return err
}

func (c *Call) record(ctx context.Context, kind EventKind, target Target, before, after Facts) error {
	if err := checkTarget(kind, target); err != nil {
		return err
	}
	id, err := c.NewID()
	if err != nil {
		return err
	}
	e := Event{ID: EventID(id), Account: c.Account.ID, Version: c.Account.Version, Time: c.Now, Kind: kind,
		Actor: c.Actor, Target: target, Before: before, After: after}
	if c.service.config.Before != nil {
		if err := c.service.config.Before(ctx, c.Tx, e); err != nil {
			return err
		}
	}
	var salts [2][32]byte
	for i := range salts {
		if _, err := io.ReadFull(c.service.config.Random, salts[i][:]); err != nil {
			return err
		}
	}
	record, err := newRecord(e, salts[0], salts[1])
	if err != nil {
		return err
	}
	c.recorded = true
	c.narrows = c.narrows || narrows(kind, before, after)
	return c.Tx.Append(ctx, record)
}

// Mail puts a mail to each receiver into the outbox, unless the actor is staff and silent. See notify.Message for ref,
// generation and to.
func (c *Call) Mail(ctx context.Context, kind notify.Kind, ref string, generation uint64, to ...string) error {
	if c.Actor.Silent {
		return nil
	}
	messages := make([]notify.Message, len(to))
	for i, receiver := range to {
		id, err := c.NewID()
		if err != nil {
			return c.orSpoil(err)
		}
		messages[i] = notify.Message{ID: notify.MessageID(id), Kind: kind, Group: string(c.Account.ID), Ref: ref,
			Generation: generation, To: receiver, Created: c.Now, State: notify.Queued, Due: c.Now}
	}
	return c.orSpoil(c.Tx.Enqueue(ctx, messages...))
}

// MailTo is Mail for an address instead of a user or contact, such as one that somebody just gave up.
func (c *Call) MailTo(ctx context.Context, kind notify.Kind, ref string, generation uint64, to Address) error {
	if c.Actor.Silent {
		return nil
	}
	id, err := c.NewID()
	if err != nil {
		return c.orSpoil(err)
	}
	return c.orSpoil(c.Tx.Enqueue(ctx, notify.Message{ID: notify.MessageID(id), Kind: kind, Group: string(c.Account.ID), Ref: ref,
		Generation: generation, Created: c.Now, State: notify.Queued, Due: c.Now, Address: to.Original()}))
}

// Revision returns the state of the account that the verb leaves.
func (c *Call) Revision() Revision { return Revision{c.Account.ID, c.Account.Version} }

// Random fills b with random bytes.
func (c *Call) Random(b []byte) error {
	_, err := io.ReadFull(c.service.config.Random, b)
	return err
}

// NewID returns a new UUIDv7 (RFC 9562) in its text form, of the time of the call.
func (c *Call) NewID() (string, error) {
	var id uuid.UUID
	if err := c.Random(id[:]); err != nil {
		return "", err
	}
	ms := uint64(c.Now.UnixMilli())
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	return id.String(), nil
}

// change runs a verb on one account, and settles it if it took something away, or would have if that hadn't been done
// before: by a call that was given up before it had settled, or is still waiting.
func (s *Service) change(ctx context.Context, actor Actor, kind EventKind, account AccountID,
	verb func(context.Context, *Call) error) (Revision, error) {
	var c *Call
	err := s.update(ctx, func(ctx context.Context, tx Tx) (err error) {
		if c, err = s.Begin(ctx, tx, actor, kind, account); err != nil {
			return err
		}
		return verb(ctx, c)
	})
	if err != nil {
		s.caches.expire(account) // an earlier verb of unknown outcome may have been committed after it had been given up
		return Revision{}, err
	}
	if (c.narrows || !c.recorded && mayNarrow(kind)) && !s.inside {
		return c.Revision(), s.Settle(ctx, c.Revision())
	}
	return c.Revision(), nil
}

// look runs a reading verb on one account, whose reads needn't fit each other.
func (s *Service) look(ctx context.Context, actor Actor, account AccountID, verb func(context.Context, *Call) error) error {
	return s.read(ctx, s.looking(actor, account, verb))
}

// lookOnce is look on one snapshot.
func (s *Service) lookOnce(ctx context.Context, actor Actor, account AccountID, verb func(context.Context, *Call) error) error {
	return s.view(ctx, s.looking(actor, account, verb))
}

func (s *Service) looking(actor Actor, account AccountID, verb func(context.Context, *Call) error) func(context.Context, Tx) error {
	return func(ctx context.Context, tx Tx) error {
		c, err := s.Look(ctx, tx, actor, account)
		if err != nil {
			return err
		}
		return verb(ctx, c)
	}
}
