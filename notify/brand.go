package notify

import (
	"fmt"
	"net/url"
	"strings"
)

// A Brand is the name under which mails go out: a reseller's own, for example. The zero value is the mailer's sender,
// and links as they are configured.
type Brand struct {
	Name     string // stands at the end of each mail; up to MaxNameRunes characters; may be empty
	From     string // the sender's address; empty for the mailer's own
	FromName string // shown beside it; up to MaxNameRunes characters; may be empty
	ReplyTo  string // the address that answers go to; empty for the sender's
	// BaseURL is where links lead instead of to the site they are configured for: "https://panel.example" makes
	// "https://panel.example/invites/…" of "https://portal.example/invites/…". It may have a path, which comes before the
	// link's. Empty for links as they are.
	BaseURL   string
	Templates string // the name of a set of templates of its own; empty for the ones that all others have
	Locale    string // BCP 47: for readers of whom no language is known, nor of their account; may be empty
}

// Check returns an error that names the first part of a brand that can't be one.
func (b Brand) Check() error {
	if err := checkLine("the brand's name", b.Name, MaxNameRunes); err != nil {
		return err
	}
	if err := checkLine("the brand's sender's name", b.FromName, MaxNameRunes); err != nil {
		return err
	}
	for _, each := range []struct{ field, address string }{{"the brand's sender's address", b.From}, {"the brand's address for answers", b.ReplyTo}} {
		if each.address == "" {
			continue
		}
		if err := checkAddress(each.field, each.address); err != nil {
			return err
		}
	}
	if b.Locale != "" && !IsLocale(b.Locale) {
		return fmt.Errorf("notify: the brand's locale is not a BCP 47 language tag that is known")
	}
	if b.BaseURL == "" {
		return nil
	}
	return CheckBaseURL(b.BaseURL)
}

// Link returns where a link that is configured leads under the brand; nothing if there is none. It returns an error if it
// isn't an absolute http or https URL; the error doesn't hold it.
func (b Brand) Link(link string) (string, error) {
	if link == "" {
		return "", nil
	}
	if err := checkURL("link", link); err != nil {
		return "", err
	}
	if b.BaseURL == "" {
		return link, nil
	}
	if err := CheckBaseURL(b.BaseURL); err != nil {
		return "", err
	}
	_, rest, _ := strings.Cut(link, "://")
	path := ""
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		path = rest[i:]
	}
	return strings.TrimSuffix(b.BaseURL, "/") + path, nil
}

// CheckBaseURL returns an error if a text isn't an absolute http or https URL without user, query and fragment.
func CheckBaseURL(base string) error {
	if err := checkURL("base URL", base); err != nil {
		return err
	}
	if strings.ContainsAny(base, "?#") {
		return fmt.Errorf("notify: base URL has a query or a fragment")
	}
	return nil
}

func checkURL(field, text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "":
		return fmt.Errorf("notify: %s is not an absolute http or https URL", field)
	case u.User != nil:
		return fmt.Errorf("notify: %s holds a user", field)
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) || strings.ContainsAny(text, `\`):
		return fmt.Errorf("notify: %s holds characters that URLs can't", field)
	}
	return nil
}
