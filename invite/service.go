package invite

import (
	"cmp"
	"context"
	"io/fs"
	"net/url"
	"strings"
	"time"

	"github.com/rosterkit/roster/access"
)

// DefaultLifetime is how long an invite is valid if the Config doesn't say.
const DefaultLifetime = 72 * time.Hour

// A Delivery says how links reach the invited.
type Delivery uint8

// The ways of delivery. The numbers are stored: they are never changed or reused.
const (
	ByMail Delivery = 0 // this library mails the link to the invited address, and nobody else gets to see it
	ByHost Delivery = 1 // the host gets the token and delivers it; it then proves nothing about an address
)

// A Holder says who may accept with a token.
type Holder uint8

// The holders that may accept.
const (
	// InvitedAddress: who has the invited address. With ByMail the token itself proves that they read its mail; with
	// ByHost the host must have verified the address.
	InvitedAddress Holder = iota
	// AnyHolder: whoever holds the link and is signed in, with any address.
	AnyHolder
)

// Config is what a Service can be told.
type Config struct {
	// LinkBase is what a token is appended to for the link in a mail: an absolute http or https URL whose path ends with
	// a slash, such as "https://portal.example/invites/", or, for a page that reads the fragment, one that ends with #.
	// It is needed with ByMail.
	LinkBase string
	// Deployment tells installations that share a host key apart, for example "eu" or "staging".
	Deployment string
	Lifetime   time.Duration // of an invite, from sending or resending; DefaultLifetime if zero
	Delivery   Delivery
	Holder     Holder
	Limits     Limits
	// MembersURL returns the page of an account's members, to which the mails link that an invite was accepted, and that
	// a new link is asked for. Without it there is no link.
	MembersURL func(access.AccountID) string
	// Templates replaces the mails' texts: files as in this package's templates folder, and as notify.ParseTemplates
	// describes them. Each hides ours of the same name; what isn't there stays ours, so nil is for ours.
	Templates fs.FS
}

// Limits keep invites from being used to send unwanted mail. A zero field has its default.
type Limits struct {
	Live         int           // live invites of an account; 50
	PerAccount   int           // sends and resends of an account in 24 hours; 250
	PerActor     int           // of an actor in 24 hours, over all accounts; 100
	PerRecipient int           // of an account to one address in 24 hours; 5
	Between      time.Duration // between two sends of one invite; 60 seconds
	BetweenAsks  time.Duration // between two mails that somebody asks for a new link of one invite; 1 hour
}

func (l Limits) withDefaults() Limits {
	for _, d := range []struct {
		value    *int
		standard int
	}{{&l.Live, 50}, {&l.PerAccount, 250}, {&l.PerActor, 100}, {&l.PerRecipient, 5}} {
		if *d.value == 0 {
			*d.value = d.standard
		}
	}
	l.Between = cmp.Or(l.Between, time.Minute)
	l.BetweenAsks = cmp.Or(l.BetweenAsks, time.Hour)
	return l
}

// A Service knows the rules of invites. It is safe for concurrent use.
type Service struct {
	members *access.Service
	ring    keyring
	config  Config
	mails   *access.Mails
	view    func(ctx context.Context, fn func(context.Context, Tx) error) error
	update  func(ctx context.Context, fn func(context.Context, Tx) error) error
}

// New returns a Service on a store and on the service that knows the members; it shares the clock, the catalog,
// the observers and the brands of that. The first key makes new tokens; the others are former ones, whose invites are still
// honoured. ErrInvalid for a key shorter than 32 bytes or a LinkBase that isn't absolute, or for a template that
// can't be read or rendered, which is named. It panics if store or members is nil.
func New[T Tx](store access.Store[T], members *access.Service, keys []Key, config Config) (*Service, error) {
	if store == nil || members == nil {
		panic("invite: New without a store or members")
	}
	ring, err := newKeyring(keys, config.Deployment)
	if err != nil {
		return nil, err
	}
	if err := config.check(); err != nil {
		return nil, err
	}
	mails, err := newMails(members, config.Templates)
	if err != nil {
		return nil, err
	}
	if config.Lifetime == 0 {
		config.Lifetime = DefaultLifetime
	}
	config.Limits = config.Limits.withDefaults()
	return &Service{
		members: members,
		ring:    ring,
		config:  config,
		mails:   mails,
		view: func(ctx context.Context, fn func(context.Context, Tx) error) error {
			return store.View(ctx, func(ctx context.Context, tx T) error { return fn(ctx, tx) })
		},
		update: func(ctx context.Context, fn func(context.Context, Tx) error) error {
			return store.Update(ctx, func(ctx context.Context, tx T) error { return fn(ctx, tx) })
		},
	}, nil
}

func (c Config) check() error {
	if c.Lifetime < 0 || c.Delivery > ByHost || c.Holder > AnyHolder {
		return access.Invalid("config", "config.range", "has a lifetime, delivery or holder out of range")
	}
	if c.Limits.Live < 0 || c.Limits.PerAccount < 0 || c.Limits.PerActor < 0 || c.Limits.PerRecipient < 0 ||
		c.Limits.Between < 0 || c.Limits.BetweenAsks < 0 {
		return access.Invalid("config", "config.range", "has a negative limit")
	}
	if c.Delivery == ByHost {
		return nil
	}
	base, err := url.Parse(c.LinkBase)
	if err != nil || base.Scheme != "https" && base.Scheme != "http" || base.Hostname() == "" || base.User != nil {
		return access.Invalid("link_base", "link.base", "is not an absolute http or https URL")
	}
	// A token in a host name or a query would reach resolvers and logs.
	inPath := strings.HasSuffix(c.LinkBase, "/") && base.Fragment == ""
	inFragment := strings.HasSuffix(c.LinkBase, "#")
	if base.Path == "" || base.RawQuery != "" || !inPath && !inFragment ||
		strings.ContainsFunc(c.LinkBase, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return access.Invalid("link_base", "link.base", "is not a URL whose path ends with a slash, or that ends with #")
	}
	return nil
}

// Within returns the service inside a unit of work that is already under way, as access.Service.Within does.
func (s *Service) Within(tx Tx) *Service {
	inside := *s
	run := func(ctx context.Context, fn func(context.Context, Tx) error) error { return fn(ctx, tx) }
	inside.view, inside.update = run, run
	return &inside
}

// KeysInUse returns the ids of the host's keys that live invites need, sorted: the others can be dropped. A link that
// a dropped key made, which is over anyway, is answered as one that isn't valid.
func (s *Service) KeysInUse(ctx context.Context) ([]string, error) {
	var ids []string
	err := s.view(ctx, func(ctx context.Context, tx Tx) (err error) {
		ids, err = tx.InviteKeys(ctx, s.members.Now())
		return err
	})
	return ids, err
}
