package contact

import (
	"context"

	"github.com/rosterkit/roster/access"
)

// Tx is what this package needs of a transaction, under the rules of access.Tx.
type Tx interface {
	access.Tx

	// Contact returns a contact. access.ErrNotFound.
	Contact(ctx context.Context, account access.AccountID, id ID) (Contact, error)
	// FindContact returns a contact by its id alone, for who comes with a link and doesn't know the account yet: the one
	// of the first account byte for byte, if several have one with this id. access.ErrNotFound.
	FindContact(ctx context.Context, id ID) (Contact, error)
	// PutContact stores a contact of a locked account, new or not. Of one that is there it keeps Created.
	// access.ErrExists if another contact of the account has the canonical address.
	PutContact(ctx context.Context, c Contact) error
	// DeleteContact deletes a contact of a locked account, and its verification. access.ErrNotFound.
	DeleteContact(ctx context.Context, account access.AccountID, id ID) error
	// Contacts returns contacts of an account, ordered by id byte for byte, from the first id after `after`, at most
	// limit of them.
	Contacts(ctx context.Context, account access.AccountID, f Filter, after ID, limit int) ([]Contact, error)
	// ContactByAddress returns the account's contact with a canonical address. access.ErrNotFound.
	ContactByAddress(ctx context.Context, account access.AccountID, address access.Address) (Contact, error)
	// Receivers returns the contacts of an account that have all of c, ordered by id byte for byte, from the first id after
	// `after`, at most limit of them, each with the kind of its address's suppression.
	Receivers(ctx context.Context, account access.AccountID, c Category, after ID, limit int) ([]Receiver, error)

	// InsertNotice stores a notice. It needs no lock. access.ErrExists if the account has one with the id.
	InsertNotice(ctx context.Context, n NoticeRecord) error
	// Notice returns a notice. access.ErrNotFound.
	Notice(ctx context.Context, account access.AccountID, id string) (NoticeRecord, error)

	// Verification returns the latest verification of a contact. access.ErrNotFound.
	Verification(ctx context.Context, account access.AccountID, contact ID) (Verification, error)
	// PutVerification stores a verification of a contact of a locked account, in the place of an older one.
	PutVerification(ctx context.Context, v Verification) error
	// Unsubscribed returns what was kept of an address by PutUnsubscribed, none if nothing was.
	Unsubscribed(ctx context.Context, account access.AccountID, address access.Address) (Category, error)
	// PutUnsubscribed keeps the categories that a canonical address, which is that of no contact, switched off in a
	// locked account. The empty set is forgotten.
	PutUnsubscribed(ctx context.Context, account access.AccountID, address access.Address, c Category) error

	// Preference returns the categories that a user chose in an account. access.ErrNotFound if they never chose.
	Preference(ctx context.Context, account access.AccountID, user access.UserID) (Category, error)
	// PutPreference stores the choice of a user in a locked account.
	PutPreference(ctx context.Context, account access.AccountID, user access.UserID, c Category) error
	// Subscribers returns the members of an account, not the owner, who chose all of c, ordered by user id byte for
	// byte, from the first id after `after`, at most limit of them.
	Subscribers(ctx context.Context, account access.AccountID, c Category, after access.UserID, limit int) ([]access.Member, error)
}
