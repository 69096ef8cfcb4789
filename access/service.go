package access

import (
	"context"
	"crypto/rand"
	"io"
	"io/fs"
	"time"

	"github.com/rosterkit/roster/notify"
)

// An Authorizer answers the question this library exists for. *Service is one.
type Authorizer interface {
	// Can reports whether a user may do all of p in an account, now. An error comes with false.
	Can(ctx context.Context, user UserID, account AccountID, p Permission) (bool, error)
}

var _ Authorizer = (*Service)(nil)

// Config is what a Service can be told. The zero value works.
type Config struct {
	// Catalog gives the permissions their meaning. Portal() if nil. The keys "users" and "profile" have a meaning to
	// this package: who may manage members, and who may change the account's profile. In a catalog without them only
	// the owner and members with All may.
	Catalog *Catalog
	// Now is the clock; time.Now if nil. Its times have to keep the monotonic reading of time.Now, which Round and Truncate
	// strip: by it leases are measured, and how long settling waits. By a clock that is set meanwhile revoked access goes on.
	Now func() time.Time
	// Random is where ids and salts come from; crypto/rand if nil.
	Random io.Reader
	// Staff is the host's policy: whether a member of staff may do what would go on the record of an account as an
	// event of this kind; the kind is empty for reading, and the account for what is of none. It returns nil for yes,
	// and for no what the verb is to return: Denied makes one. Staff may do nothing if it is nil.
	Staff func(ctx context.Context, actor Actor, kind EventKind, account AccountID) error
	// OnlyOwnerManages keeps members, whatever they hold, from managing members and invites.
	OnlyOwnerManages bool
	// Before is called inside the transaction with each event before it is stored, and may veto it: its error ends
	// the verb, which then changes nothing. It may read and write through tx, and may run again after a conflict.
	Before func(ctx context.Context, tx Tx, event Event) error
	// AccountURL returns the page of an account that mails link to: an absolute http or https URL, in which the id is escaped,
	// as url.PathEscape does. Nothing tries it before the first mail, and a mail for which it returns anything else isn't
	// sent, but tried again until it is given up. Where it is nil or returns nothing, mails have no link.
	AccountURL func(AccountID) string
	// Templates replaces the mails' texts: files as in this package's templates folder, and as notify.ParseTemplates
	// describes them. Each hides ours of the same name; what isn't there stays ours, so nil is for ours.
	Templates fs.FS
	// Locale is the language of mails to those of whom no language is known, nor of their account or brand: BCP 47.
	// English if empty.
	Locale string
	// Brand returns the name under which the mails of an account go out, those of package invite and contact too: a
	// reseller's own, for example. Nil for the zero Brand, which is for accounts without one. It is called when a mail
	// is written, outside any transaction, by several goroutines at once. When it fails, or its Brand can't be one, the
	// mail is written again later.
	Brand func(ctx context.Context, account Account) (notify.Brand, error)
	// BaseURLs are what Brand.BaseURL may be, to the letter: absolute http or https URLs.
	BaseURLs []string
	// BrandTemplates are the sets of templates that Brand.Templates names: files that hide those of all others, with
	// mails of package invite and contact too.
	BrandTemplates map[string]fs.FS
}

// Check returns an error of kind ErrInvalid for what New panics for: a template that can't be read or rendered, which
// is named, a Locale that isn't a BCP 47 language tag or has no templates, a base URL that isn't an absolute http or
// https URL.
func (c Config) Check() error {
	if c.Catalog == nil {
		c.Catalog = Portal()
	}
	_, err := c.mails()
	return err
}

// mails returns what writes this package's mails.
func (c Config) mails() (*Mails, error) {
	if err := c.checkMails(); err != nil {
		return nil, err
	}
	return newMails(c, c.Templates, nil, sampleMails(c.Catalog))
}

// A Service knows the rules of accounts, memberships and permissions. It is safe for concurrent use.
type Service struct {
	catalog *Catalog
	config  Config
	mails   *Mails
	grant   func(ctx context.Context, account AccountID, user UserID) (Grant, error)
	read    func(ctx context.Context, fn func(context.Context, Tx) error) error
	view    func(ctx context.Context, fn func(context.Context, Tx) error) error
	update  func(ctx context.Context, fn func(context.Context, Tx) error) error

	registry Registry
	caches   *caches
	inside   bool // a unit of work that somebody else commits
}

// New returns a Service on a store, which every storage backend is. It panics if the store is nil, and
// with the error of Config.Check.
func New[T Tx](store Store[T], config Config) *Service {
	if store == nil {
		panic("access: New without a store")
	}
	if config.Catalog == nil {
		config.Catalog = Portal()
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Random == nil {
		config.Random = rand.Reader
	}
	mails, err := config.mails()
	if err != nil {
		panic("access: " + err.Error())
	}
	return &Service{
		catalog: config.Catalog,
		config:  config,
		mails:   mails,
		grant:   store.Grant,
		read: func(ctx context.Context, fn func(context.Context, Tx) error) error {
			return store.Read(ctx, func(ctx context.Context, tx T) error { return fn(ctx, tx) })
		},
		view: func(ctx context.Context, fn func(context.Context, Tx) error) error {
			return store.View(ctx, func(ctx context.Context, tx T) error { return fn(ctx, tx) })
		},
		update: func(ctx context.Context, fn func(context.Context, Tx) error) error {
			return store.Update(ctx, func(ctx context.Context, tx T) error { return fn(ctx, tx) })
		},
		registry: store,
		caches:   new(caches),
	}
}

// Within returns the service inside a unit of work that is already under way: its verbs read and write through tx,
// and take effect when that commits. It is for one unit, inside its function. A refusal changes nothing, and the unit
// may go on; after any other error, a veto of Config.Before among them, it can't be committed. A unit with verbs on
// several accounts begins with tx.Lock of them all, or two such units may wait for each other. Nothing settles before the
// unit is committed: if it took something away, call Settle then.
//
// A unit belongs to one goroutine. Use the context that the unit's function is given: the outer service with that one
// returns ErrNested, but with the context from outside it waits for the unit that waits for it.
func (s *Service) Within(tx Tx) *Service {
	inside := *s
	inside.inside = true
	run := func(ctx context.Context, fn func(context.Context, Tx) error) error { return fn(ctx, tx) }
	inside.grant, inside.read, inside.view, inside.update = tx.Grant, run, run, run
	return &inside
}

// Catalog returns the catalog of the service.
func (s *Service) Catalog() *Catalog { return s.catalog }

// Now returns the time by the service's clock, in UTC at the precision of storage.
func (s *Service) Now() time.Time { return s.config.Now().UTC().Truncate(time.Microsecond) }

// A Revision is a state of an account, as a verb left it.
type Revision struct {
	Account AccountID
	Version uint64
}
