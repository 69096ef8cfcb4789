package access

import "time"

// An AccountStatus says whether an account is in use. The zero value is no status, and denies.
type AccountStatus uint8

// The statuses of an account. The numbers are stored: they are never changed or reused.
const (
	AccountActive    AccountStatus = 1
	AccountSuspended AccountStatus = 2 // everybody keeps, of what they hold, only what works while suspended
	AccountClosed    AccountStatus = 3 // nobody may do anything; final
)

// String returns the status in lower case, "none" for the zero value.
func (s AccountStatus) String() string {
	switch s {
	case AccountActive:
		return "active"
	case AccountSuspended:
		return "suspended"
	case AccountClosed:
		return "closed"
	}
	return "none"
}

// An Account is a billable party. It has exactly one owner, always.
type Account struct {
	ID      AccountID
	Owner   UserID
	Parent  AccountID // the reseller's account; reserved, empty
	Status  AccountStatus
	Profile Profile
	Policy  Policy
	Created time.Time

	// Version rises with every change to the account, its members or its invites, by at least one.
	Version uint64
	// Head is the end of the account's history.
	Head Head
}

// A Profile is what an account says about its holder. Everything but Name may be empty.
type Profile struct {
	Name     string        // of the account holder, up to 200 characters
	Company  string        // up to 200 characters
	Billing  PostalAddress // what invoices are addressed to
	Postal   PostalAddress // where letters go, if that is elsewhere
	Phone    string        // up to 40 characters
	Locale   string        // BCP 47, for example "en-GB"; empty for the one of Config.Locale
	TimeZone string        // IANA name, for example "Europe/Vienna"; empty for UTC
}

// A PostalAddress is free text by line, as the post wants it. Each field is up to 200 characters; Country is an
// ISO 3166-1 alpha-2 code in capitals, or empty.
type PostalAddress struct {
	Street, City, Region, PostalCode, Country string
}

// A Policy is what limits the members of an account.
type Policy struct {
	// Seats is how many memberships and live invites there may be beside the owner; 0 is no limit.
	Seats int
	// Domains are the e-mail domains that may be invited, in canonical (ASCII, lower case) form; empty is any.
	Domains []string
}
