package access

import "time"

// A Status says whether a membership is in use. The zero value is no membership, and denies.
type Status uint8

// The statuses of a membership. The numbers are stored: they are never changed or reused.
const (
	Active    Status = 1
	Suspended Status = 2 // keeps its permissions for later, and may use none
)

// String returns the status in lower case, "none" for the zero value.
func (s Status) String() string {
	switch s {
	case Active:
		return "active"
	case Suspended:
		return "suspended"
	}
	return "none"
}

// A Membership links a user to an account. The owner has one too, without bits, so that lists are one scan.
type Membership struct {
	Account     AccountID
	User        UserID
	Permissions Permission
	Status      Status
	Starts      time.Time // may do nothing before; zero for at once
	Expires     time.Time // may do nothing at or after; zero for never
	Label       string    // the account's own note, for example a department; up to 200 characters
	Created     time.Time
	LastSeen    time.Time // when the user was last seen in this account, within five minutes; zero for never
}

// Terms are what a membership is offered or given with.
type Terms struct {
	Permissions Permission
	Starts      time.Time // zero for at once
	Expires     time.Time // zero for never
	Label       string    // up to 200 characters
}

// A Member is a membership as lists show it.
type Member struct {
	Membership
	Owner  bool
	Person User // the directory's entry; only its ID is set when the directory doesn't know the user
}

// A UserAccount is an account as the list of one user's accounts shows it.
type UserAccount struct {
	Account    Account
	Membership Membership
	Owner      bool
}

// A User is what the host has told about a person with a login. The directory is for showing and mailing: it grants
// nothing, and its addresses need not be unique.
type User struct {
	ID           UserID
	Address      Address // zero if unknown: the user receives no mail
	Verified     bool    // the host has proof that the address is the user's
	Name         string  // up to 200 characters
	SecondFactor bool    // signs in with one
	Locale       string  // of mails to the user: BCP 47; empty for the account's
	LastSignIn   time.Time
}

// A MemberFilter selects members. The zero value selects everybody.
type MemberFilter struct {
	Status     Status     // with this status
	Permission Permission // who hold all of these bits; the owner always does
	// Prefix selects by the beginning of the directory's name or canonical address, without regard to case, or of
	// the user's id where it is the same to the letter. Up to 200 characters.
	Prefix string
	// NotSeenSince selects who was not seen in the account at or after that time.
	NotSeenSince time.Time
}

// An AccountFilter selects among a user's accounts. The zero value selects them all.
type AccountFilter struct {
	Status     AccountStatus // with this status
	Permission Permission    // in which the user is owner, or the membership holds all of these bits
	Prefix     string        // by the beginning of the account's name or company, without regard to case; up to 200 characters
}
