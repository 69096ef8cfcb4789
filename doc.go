// Package roster is the documentation of a library for tenant membership and permissions. It has no code of its own:
// import the packages below it.
//
// # The model on one page
//
// An Account is a party that you bill. A User is a person with a login; users exist apart from accounts. A Membership
// links the two, with a Permission: a set of bits that a Catalog names. Every account has exactly one Owner, who may do
// everything and changes only by transfer. An Invite offers a membership to an e-mail address, once, for 72 hours. A
// Contact is a name and an address that receives notifications: never a login, never a permission. A Message is a mail
// that waits in the outbox, stored in the transaction that caused it. An Event is one line of an account's history.
//
// You own authentication, the products you sell and the pages. roster owns the rules, the data behind them, and the
// mail that follows from them. It runs in your process, on your database.
//
//   - [github.com/rosterkit/roster/access]: accounts, users, memberships, the decision, the history
//   - [github.com/rosterkit/roster/invite]: invites and their tokens
//   - [github.com/rosterkit/roster/contact]: contacts, categories, preferences, recipients, links to verify an address and to unsubscribe
//   - [github.com/rosterkit/roster/notify]: messages, the mailer interface, the outbox worker; smtpmail is a mailer
//   - [github.com/rosterkit/roster/storage]: the contract of a backend; memory and sqlstore are two, storagetest checks yours
//   - [github.com/rosterkit/roster/access/accesshttp]: net/http middleware
//   - [github.com/rosterkit/roster/access/accesstest], [github.com/rosterkit/roster/notify/notifytest]: for your tests
//
// # Quick start
//
// The program in examples/quickstart creates an account, invites, accepts, asks, removes and asks again. The one in
// examples/portal is a whole client portal.
//
// # What is promised to stay
//
// Permission bits and categories, the numbers of states, table columns, the format of tokens, the kinds and the format
// of events and their hash, the kinds of mails and the codes of errors: they are added to, never changed. Interfaces
// that you implement, the storage contract, may grow methods between minor versions until version 1; storagetest says
// what they have to do. Migrations go forward, from every earlier version.
package roster
