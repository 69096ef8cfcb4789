package contact

import (
	"math/bits"
	"net/url"
	"strings"

	"github.com/rosterkit/roster/access"
)

// Links are the links in mails to contacts: to verify an address, and to unsubscribe. NewLinks makes them.
type Links struct {
	verify, unsubscribe *access.Keyring
	base                string
}

// NewLinks returns the links below a base: an absolute http or https URL whose path ends with a slash, such as
// "https://portal.example/contacts/", where the handler of package contacthttp is mounted. The first key makes new
// links; the others are former ones, whose links are still honoured: a link to unsubscribe is never over, so keep a key
// as long as mails are read that it was used for. The deployment tells installations apart that share a host key.
// ErrInvalid for keys as access.NewKeyring, and with code "link.base".
func NewLinks(keys []access.Key, deployment, base string) (*Links, error) {
	verify, err := access.NewKeyring(keys, deployment, "verify")
	if err != nil {
		return nil, err
	}
	unsubscribe, err := access.NewKeyring(keys, deployment, "unsubscribe")
	if err != nil {
		return nil, err
	}
	// A token in a host name or a query would reach resolvers and logs, and one in a fragment wouldn't reach us.
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil ||
		!strings.HasSuffix(u.Path, "/") || strings.ContainsAny(base, "?#") ||
		strings.ContainsFunc(base, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, access.Invalid("base", "link.base", "is not an absolute http or https URL whose path ends with a slash")
	}
	return &Links{verify, unsubscribe, base}, nil
}

// verifyURL returns the link of a verification, bound to the contact's address.
func (l *Links) verifyURL(c Contact, v Verification) string {
	token, ok := l.verify.Token(l.verify.Current(), string(c.ID), v.Generation, boundTo(c, v))
	if !ok {
		return ""
	}
	return l.base + "verify/" + token
}

// unsubscribeURL returns the link by which a contact switches off one category, bound to its address.
func (l *Links) unsubscribeURL(account access.AccountID, id ID, address access.Address, category Category) string {
	number := uint16(bits.TrailingZeros64(uint64(category)))
	token, ok := l.unsubscribe.Token(l.unsubscribe.Current(), string(id), number, boundToAddress(account, address))
	if !ok {
		return ""
	}
	return l.base + "unsubscribe/" + token
}

// boundTo is what a verification's token is for: the address, which only this contact was sent it at.
func boundTo(c Contact, v Verification) []byte {
	return append(v.Secret[:], boundToAddress(c.Account, c.Address)...)
}

func boundToAddress(account access.AccountID, address access.Address) []byte {
	return access.Bind(string(account), address.Canonical())
}

// invalid is the one answer to a link that can't be used, whatever is wrong with it.
func invalid() error {
	return &access.Error{Kind: access.ErrNotFound, Code: "contact.invalid", Field: "contact", Reason: "has a link that isn't valid"}
}
