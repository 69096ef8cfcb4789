package contact

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/notify"
)

// Config is what a Service can be told. The zero value works.
type Config struct {
	// Categories give the kinds of mail their meaning. Portal() if nil, which goes with the permissions of
	// access.Portal: New panics if the catalog of the members' service has others in their place, or hasn't what a
	// category reveals.
	Categories *Categories
	// Links are those in mails to contacts. Without them contacts can neither verify their address nor unsubscribe.
	Links *Links
	// Lifetime is how long the link works by which a contact verifies its address; DefaultLifetime if zero.
	Lifetime time.Duration
	// RequireVerified says that a contact receives no category before it has verified its address. It needs Links.
	RequireVerified bool
	// VerifyAgain is how long an address stays verified. Zero, the default, is for ever. Nobody is asked again by itself: a
	// job of the host's goes through Contacts, by Filter.VerifiedBefore, and calls SendVerification for them.
	VerifyAgain time.Duration
	Limits      Limits
	// Templates replaces the mails' texts: files as in this package's templates folder, and as notify.ParseTemplates
	// describes them. Each hides ours of the same name; what isn't there stays ours, so nil is for ours.
	Templates fs.FS
	// Notices are samples of the host's own mails, the kinds that Notify takes: each with what Notice.Data could be, with
	// which the templates of the kind are tried, in Templates: "en/invoice.created.txt" and so on. They are given a
	// NoticeMail. New panics if one is of a kind that this package has, or its templates can't be rendered.
	Notices []notify.Sample
	// Attachment returns what a name of Notice.Attachments stands for, when the mail is about to be sent: outside of units of
	// work, and again for each attempt. After an error it is tried again later, or never after one made by notify.Permanent.
	Attachment func(ctx context.Context, account access.AccountID, name string) (notify.Attachment, error)
	// SoftBounces is how many soft bounces within SoftWindow suppress an address: 5 within 7 days by default.
	SoftBounces int
	SoftWindow  time.Duration
}

// Check returns an error of kind access.ErrInvalid, with which New panics: for a template that can't be read or rendered,
// which is named, for notices that can't be, for RequireVerified without Links, and for numbers below zero.
func (c Config) Check(members *access.Service) error {
	_, err := c.mails(members, categoriesFor(members.Catalog(), c.Categories))
	return err
}

func (c Config) mails(members *access.Service, categories *Categories) (*access.Mails, error) {
	if err := c.fit(); err != nil {
		return nil, err
	}
	notices, err := c.notices(categories)
	if err != nil {
		return nil, err
	}
	return newMails(members, c.Templates, append(samples(categories), notices...))
}

// DefaultLifetime is how long a link to verify an address works if the Config doesn't say.
const DefaultLifetime = 72 * time.Hour

// Limits keep contacts from being used to send unwanted mail: the mails that tell contacts about themselves, without those
// to an address that a contact gave up. A zero field has its default. A system is an actor as well: one that signs customers
// up, or asks many contacts to verify their addresses again, needs a larger PerActor.
type Limits struct {
	PerAccount   int           // mails of an account in 24 hours; 250
	PerActor     int           // of an actor in 24 hours, over all accounts; 250
	PerRecipient int           // of an account to one address in 24 hours; 5
	Between      time.Duration // between two links to a contact that keeps its address; 60 seconds
}

func (c Config) withDefaults() Config {
	c.Lifetime = cmp.Or(c.Lifetime, DefaultLifetime)
	c.Limits.PerAccount = cmp.Or(c.Limits.PerAccount, 250)
	c.Limits.PerActor = cmp.Or(c.Limits.PerActor, 250)
	c.Limits.PerRecipient = cmp.Or(c.Limits.PerRecipient, 5)
	c.Limits.Between = cmp.Or(c.Limits.Between, time.Minute)
	c.SoftBounces = cmp.Or(c.SoftBounces, 5)
	c.SoftWindow = cmp.Or(c.SoftWindow, 7*24*time.Hour)
	return c
}

// fit returns an error if the config can't be meant.
func (c Config) fit() error {
	switch {
	case c.RequireVerified && c.Links == nil:
		return access.Invalid("links", "links.missing", "are missing: without them nobody could verify an address, which is required")
	case c.Lifetime < 0:
		return access.Invalid("lifetime", "config.range", "is negative")
	case c.VerifyAgain < 0:
		return access.Invalid("verifyAgain", "config.range", "is negative")
	case min(c.Limits.PerAccount, c.Limits.PerActor, c.Limits.PerRecipient, c.SoftBounces) < 0 || min(c.Limits.Between, c.SoftWindow) < 0:
		return access.Invalid("limits", "config.range", "are negative")
	}
	return nil
}

// A Service knows the rules of contacts, preferences and recipients. It is safe for concurrent use.
type Service struct {
	members    *access.Service
	categories *Categories
	config     Config
	mails      *access.Mails
	view       func(ctx context.Context, fn func(context.Context, Tx) error) error
	update     func(ctx context.Context, fn func(context.Context, Tx) error) error
}

// New returns a Service on a store, which every storage backend is, beside the service for the members of its
// accounts: clock, randomness, catalog, staff policy, observers and brands are taken from there. It panics if either
// is nil, and with the error of Config.Check.
func New[T Tx](store access.Store[T], members *access.Service, config Config) *Service {
	if store == nil {
		panic("contact: New without a store")
	}
	if members == nil {
		panic("contact: New without a service for members")
	}
	categories := categoriesFor(members.Catalog(), config.Categories)
	mails, err := config.mails(members, categories)
	if err != nil {
		panic("contact: " + err.Error())
	}
	return &Service{
		members:    members,
		config:     config.withDefaults(),
		categories: categories,
		mails:      mails,
		view: func(ctx context.Context, fn func(context.Context, Tx) error) error {
			return store.View(ctx, func(ctx context.Context, tx T) error { return fn(ctx, tx) })
		},
		update: func(ctx context.Context, fn func(context.Context, Tx) error) error {
			return store.Update(ctx, func(ctx context.Context, tx T) error { return fn(ctx, tx) })
		},
	}
}

// notices are samples of the mails that notices become.
func (c Config) notices(categories *Categories) ([]notify.Sample, error) {
	var mails []notify.Sample
	own := samples(categories)
	for _, notice := range c.Notices {
		taken := slices.ContainsFunc(own, func(sample notify.Sample) bool { return sample.Kind == notice.Kind })
		if taken || notice.Kind == "" || len(notice.Kind) > notify.MaxKindBytes || notice.Data == nil {
			return nil, access.Invalid("notices", "notices.kind", fmt.Sprintf("have %q, which is taken, too long, or without data", notice.Kind))
		}
		data, err := json.Marshal(notice.Data(notify.English))
		if err != nil {
			return nil, access.Invalid("notices", "notice.data", fmt.Sprintf("have data of %q that JSON has no room for", notice.Kind))
		}
		mails = append(mails, notify.Sample{Kind: notice.Kind, Data: func(locale string) any {
			given, _ := decoded(data) // can't fail: it was written just now
			label := categories.LabelsIn(locale, categories.definitions[0].Category)
			return NoticeMail{Account: "Example & Sons", Name: "Carl Example", Category: label[0], Reason: ReasonContact,
				Unsubscribe: "https://portal.example/unsubscribe/sample", Data: given}
		}})
	}
	return mails, nil
}

// categoriesFor returns the categories that go with a catalog, and panics if they don't.
func categoriesFor(catalog *access.Catalog, chosen *Categories) *Categories {
	categories := chosen
	if chosen == nil {
		categories = Portal()
		portal := access.Portal()
		for _, key := range portal.Keys(categories.reveals) {
			if catalog.Bit(key) != portal.Bit(key) {
				panic("contact: New without Config.Categories for a catalog other than access.Portal")
			}
		}
	}
	if categories.reveals&^catalog.Known() != 0 {
		panic("contact: New with a category that reveals a permission which the catalog doesn't have")
	}
	return categories
}

// Within returns the service inside a unit of work that is already under way: its verbs read and write through tx,
// and take effect when that commits. It is for one unit, inside its function. If a verb fails with anything but a
// refusal, the unit can't be committed any more.
func (s *Service) Within(tx Tx) *Service {
	inside := *s
	run := func(ctx context.Context, fn func(context.Context, Tx) error) error { return fn(ctx, tx) }
	inside.view, inside.update = run, run
	return &inside
}

// Categories returns the categories of the service.
func (s *Service) Categories() *Categories { return s.categories }

// A call is a verb under way, with the transaction of this package.
type call struct {
	*access.Call
	tx      Tx
	service *Service
}

// change runs a verb on one account.
func (s *Service) change(ctx context.Context, actor access.Actor, kind access.EventKind, account access.AccountID,
	verb func(context.Context, *call) error) (access.Revision, error) {
	var revision access.Revision
	err := s.update(ctx, func(ctx context.Context, tx Tx) error {
		c, err := s.begin(ctx, tx, actor, kind, account)
		if err != nil {
			return err
		}
		revision = c.Revision()
		return verb(ctx, c)
	})
	if err != nil {
		return access.Revision{}, err
	}
	return revision, nil
}

// begin locks an account for a verb.
func (s *Service) begin(ctx context.Context, tx Tx, actor access.Actor, kind access.EventKind, account access.AccountID) (*call, error) {
	c, err := s.members.Begin(ctx, tx, actor, kind, account)
	if err != nil {
		return nil, err
	}
	return &call{c, tx, s}, nil
}

// look runs a reading verb on one account.
func (s *Service) look(ctx context.Context, actor access.Actor, account access.AccountID,
	verb func(context.Context, *call) error) error {
	return s.view(ctx, func(ctx context.Context, tx Tx) error {
		c, err := s.members.Look(ctx, tx, actor, account)
		if err != nil {
			return err
		}
		return verb(ctx, &call{c, tx, s})
	})
}

// bit is the permission with a key; access.All in a catalog that has none.
func (s *Service) bit(key string) access.Permission {
	if bit := s.members.Catalog().Bit(key); bit != 0 {
		return bit
	}
	return access.All
}

// held returns the permissions of the actor, whatever the state of an account that isn't closed. Staff and system
// have all.
func (c *call) held() access.Permission {
	if c.Actor.Kind != access.ActorUser {
		return access.All
	}
	return c.Grant.Held(c.Now)
}
