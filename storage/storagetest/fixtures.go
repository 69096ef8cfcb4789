package storagetest

import (
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/notify"
)

// The accounts and users that cases are about. olga owns every account.
const (
	acme    access.AccountID = "acme"
	globex  access.AccountID = "globex"
	initech access.AccountID = "initech"

	olga access.UserID = "olga"
	ann  access.UserID = "ann"
	bob  access.UserID = "bob"
	eve  access.UserID = "eve"
	carl access.UserID = "carl"
	dora access.UserID = "dora"
	fred access.UserID = "fred"
)

// noon is when things happen.
func noon() time.Time { return time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC) }

// uuid returns the n-th of ascending UUIDv7s.
func uuid(n int) string { return fmt.Sprintf("01900000-0000-7000-8000-%012x", n) }

func address(t *testing.T, text string) access.Address {
	t.Helper()
	a, err := access.ParseAddress(text)
	require.NoError(t, err)
	return a
}

func newAccount(id access.AccountID) access.Account {
	return access.Account{ID: id, Owner: olga, Status: access.AccountActive, Created: noon(),
		Profile: access.Profile{Name: "Olga Owner"}}
}

func newMembership(account access.AccountID, user access.UserID, p access.Permission) access.Membership {
	return access.Membership{Account: account, User: user, Permissions: p, Status: access.Active, Created: noon()}
}

// newInvite returns the n-th invite, pending for 72 hours from noon, sent by ann.
func newInvite(t *testing.T, n int, account access.AccountID, to string) invite.Record {
	t.Helper()
	return invite.Record{
		Invite: invite.Invite{
			ID: invite.ID(uuid(n)), Account: account, Address: address(t, to), Terms: access.Terms{Permissions: 1},
			By: invite.Inviter{Kind: access.ActorUser, ID: string(ann)}, Generation: 1, State: invite.Pending,
			Created: noon(), Sent: noon(), Expires: noon().Add(72 * time.Hour),
		},
		Secret: invite.Secret{byte(n), 0, 255}, Key: "k1",
	}
}

func newContact(t *testing.T, n int, account access.AccountID, name, to string) contact.Contact {
	t.Helper()
	return contact.Contact{ID: contact.ID(uuid(n)), Account: account, Name: name, Address: address(t, to),
		Created: noon(), Updated: noon()}
}

// newVerification returns the verification of the n-th contact, for 72 hours from noon.
func newVerification(n int, account access.AccountID) contact.Verification {
	return contact.Verification{Account: account, Contact: contact.ID(uuid(n)), Generation: 1, Secret: access.Secret{byte(n), 0, 255},
		Sent: noon(), Expires: noon().Add(72 * time.Hour)}
}

// newMessage returns the n-th message, due at noon.
func newMessage(n int, group access.AccountID) notify.Message {
	return notify.Message{ID: notify.MessageID(uuid(n)), Kind: "invite", Group: string(group), Ref: uuid(n), Generation: 1,
		Created: noon(), State: notify.Queued, Due: noon()}
}

// newRecord returns the n-th event of an account as a verb hands it to Append: ann acts on bob.
func newRecord(n int, account access.AccountID, kind access.EventKind) access.Record {
	return access.Record{
		ID: access.EventID(uuid(n)), Account: account, Time: noon(), Kind: kind, Public: []byte(`{}`),
		Actor: newPart(`{"kind":"user","id":"ann"}`), Target: newPart(`{"kind":"user","id":"bob"}`),
		By: ann, TargetKind: access.TargetUser, TargetID: string(bob), Shard: account.Shard(),
	}
}

func newPart(text string) access.Part {
	salt := make([]byte, 32)
	return access.Part{Salt: salt, Text: []byte(text), Commitment: sha256.Sum256(append(salt, text...))}
}
