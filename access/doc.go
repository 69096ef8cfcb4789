// Package access holds accounts, the users who belong to them, and the decision who may do what.
//
// An Account is a party that you bill. It has exactly one owner, who may do everything, and members, who may do what
// their Membership says. A Service answers the question that the rest of your application asks,
//
//	yes, err := members.Can(ctx, user, account, access.PayInvoices)
//
// and has a verb for every change to the answer: SetPermissions, Suspend, Remove, TransferByStaff and so on. Each verb
// takes the Actor who does it, authorises them inside the transaction that writes, and leaves an Event in the
// account's history, or refuses and changes nothing.
//
// # What to know before using it
//
// You authenticate: this package believes the Actor it is given. Never make one from anything in a request that you
// didn't sign yourself. An error from Can comes with false; treat it as no. Ids are yours: never give the id of a
// deleted user or account to another one.
//
// What members may do is a Permission, a set of bits that a Catalog names. Use Portal, the catalog of a hosting
// portal, or make your own; the bits are stored, so never change what one means. All is not the same as every box
// ticked: it holds tomorrow's permissions too.
//
// Nobody can grant what they don't hold, or act on a member who holds more (Call.Bounds), and nobody changes their own
// membership except to leave.
//
// # Answers from memory
//
// Service.Can reads the database. A Cache in front of it answers from memory, and is still right when access is revoked in
// another process:
//
//	cache := access.NewCache(members, access.CacheConfig{})
//	go cache.Run(ctx)
//	yes, err := cache.Can(ctx, user, account, access.PayInvoices)
//
// Verbs that take something away return when no process says yes any more: each follower has heard of it, or outlived its
// lease, by default a second after it last asked what has changed. With no Cache running anywhere nobody waits. If the
// caller's context ends first, the error is ErrUnsettled: done, not yet certain everywhere. After Within, and after a
// transaction of your own, call Settle.
//
// How long that takes is how often followers ask (CacheConfig.Poll): a tenth of a second, or less if you like. On
// PostgreSQL they may be woken instead (CacheConfig.Listen), and ask seldom. Who isn't woken asks all the same.
//
// Something of your own that remembers what a Service decided becomes a follower with a Following.
//
// This holds on one primary. Asynchronous replicas, snapshots of machines that go on running, and servers that acknowledge
// commits before they are durable break it.
//
// # Refusals
//
// Errors are matched with errors.Is against the kinds (ErrNotFound, ErrDenied, ...), and errors.As with *Error gives
// a stable code and the field. What doesn't exist and what isn't for the actor look the same: ErrNotFound.
//
// # Compatibility
//
// Permission bits, the numbers of states, event kinds, the format of events and their hash, the codes of errors and
// the kinds of mail are promises: they are added to, never changed. Structs may get more fields.
package access
