package access

import (
	"context"
	"fmt"
	"io/fs"
	"slices"

	"github.com/rosterkit/roster/notify"
)

// Mails write the mails of one package's kinds, in the reader's language and under the account's brand. The packages
// beside this one have theirs from Service.Mails; a host can have its own for its own kinds. They are safe for
// concurrent use.
type Mails struct {
	sets    map[string]*notify.Templates // by Brand.Templates
	samples []notify.Sample
	config  Config
}

// A Draft is a mail before it has a language and a brand.
type Draft struct {
	Kind    notify.Kind
	Account Account
	To      Address
	ToName  string // up to 200 characters; may be empty
	Locale  string // the receiver's, BCP 47; empty if it isn't known
	// Data returns what the templates are given. It depends on the locale, one that there are templates for, where it
	// holds names of permissions; its links are those that brand.Link returns.
	Data func(locale string, brand notify.Brand) (any, error)
}

// Mails returns what writes the mails of the kinds of samples. The templates are files as in the templates folder of
// this package: of the host, which may be nil, and under them those that are embedded. Each sample is rendered in each
// language of each set of Config.BrandTemplates. ErrInvalid for a template that can't be read or rendered, which is
// named, and for a Config.Locale that there are no templates for.
func (s *Service) Mails(host, embedded fs.FS, samples ...notify.Sample) (*Mails, error) {
	return newMails(s.config, host, embedded, samples)
}

func newMails(config Config, host, embedded fs.FS, samples []notify.Sample) (*Mails, error) {
	m := &Mails{sets: map[string]*notify.Templates{}, samples: samples, config: config}
	var err error
	if m.sets[""], err = notify.ParseTemplates(samples, host, embedded, templates()); err != nil {
		return nil, Invalid("templates", "templates.invalid", "can't be used: "+err.Error())
	}
	for name, files := range config.BrandTemplates {
		if name == "" || files == nil {
			return nil, Invalid("brand_templates", "templates.invalid", "hold a set without a name or files")
		}
		if m.sets[name], err = notify.ParseTemplates(samples, files, host, embedded, templates()); err != nil {
			return nil, Invalid("brand_templates", "templates.invalid", fmt.Sprintf("hold %q, which can't be used: %s", name, err))
		}
	}
	for _, sample := range samples {
		if config.Locale != "" && !m.sets[""].Speak(sample.Kind, config.Locale) {
			return nil, Invalid("locale", "locale.unknown", "is a language without templates")
		}
	}
	return m, nil
}

// Write returns the mail: in the receiver's language, or else in that of the account, of the brand, of Config.Locale,
// or in English, whichever is the first that there are templates for. It asks Config.Brand, and is to be called
// outside units of work. It returns the error of Config.Brand, one of kind ErrInvalid for a brand that can't be, and
// those of Data and of the templates: the mail is then to be written again later.
func (m *Mails) Write(ctx context.Context, d Draft) (notify.Mail, error) {
	brand, err := m.config.brand(ctx, d.Account)
	if err != nil {
		return notify.Mail{}, err
	}
	set := m.sets[brand.Templates]
	locale := set.Match(d.Kind, d.Locale, d.Account.Profile.Locale, brand.Locale, m.config.Locale)
	data, err := d.Data(locale, brand)
	if err != nil {
		return notify.Mail{}, err
	}
	mail, err := set.Render(d.Kind, locale, brand, data)
	if err != nil {
		return notify.Mail{}, err
	}
	mail.To, mail.ToName = d.To.Original(), d.ToName
	return mail, nil
}

// Prepared is what a preparer answers for a draft that it has read: the mail, or a cancellation if there is a reason for
// one, or the error that reading or writing ended with.
func (m *Mails) Prepared(ctx context.Context, d Draft, cancel string, err error) notify.Prepared {
	switch {
	case err != nil:
		return notify.Prepared{Err: err}
	case cancel != "":
		return notify.Prepared{Cancel: cancel}
	}
	mail, err := m.Write(ctx, d)
	if err != nil {
		return notify.Prepared{Err: err}
	}
	return notify.Prepared{Mail: mail, Said: notify.WithoutLinks(mail.Text)}
}

// Kinds returns the kinds of the mails, in the order of their first samples. The caller may change the slice.
func (m *Mails) Kinds() []notify.Kind {
	var kinds []notify.Kind
	for _, sample := range m.samples {
		if !slices.Contains(kinds, sample.Kind) {
			kinds = append(kinds, sample.Kind)
		}
	}
	return kinds
}

// Locales returns the languages that mails of a kind are written in, English first. The caller may change the slice.
func (m *Mails) Locales(kind notify.Kind) []string { return m.sets[""].Locales(kind) }

// Preview returns how mails of a kind look with sample data: one for each sample, in a language, under a brand, the
// zero Brand for none. Nothing of them is true, and their links lead to nowhere. ErrInvalid for a kind that isn't
// among these, a locale that there are no templates for, and a brand that can't be.
func (m *Mails) Preview(kind notify.Kind, locale string, brand notify.Brand) ([]notify.Mail, error) {
	if m.sets[""].Locales(kind) == nil {
		return nil, Invalid("kind", "kind.unknown", "is not one of these mails")
	}
	if err := m.config.checkBrand(brand); err != nil {
		return nil, err
	}
	mails, err := m.sets[brand.Templates].Preview(kind, locale, brand)
	if err != nil {
		return nil, Invalid("locale", "locale.unknown", "is a language without templates")
	}
	return mails, nil
}
