// Package storage is the contract between roster and a database.
package storage

import (
	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/notify"
)

// Tx is the transaction of a backend: what every package of roster needs of one.
type Tx interface {
	invite.Tx
	contact.Tx
}

// A DB is a backend: units of work, single decisions, and the outbox.
type DB interface {
	access.Store[Tx]
	notify.Queue
}
