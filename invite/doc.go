// Package invite offers memberships to e-mail addresses, by links that work once, for 72 hours.
//
// A manager sends an invite; the worker of package notify mails the link; the page behind it calls Lookup, which
// changes nothing, and on a POST Accept. You authenticate the person first and pass an Identity; account and
// permissions come from the invite alone. Every way a link can be over has its own Outcome, so that the page can say
// what to do: sign in, sign up, switch to the other user, ask for a newer mail. For the last there is AskAgain, which
// mails the inviter and is for a POST too.
//
// # What to know before using it
//
// Never act on a GET: mail scanners follow links. Put the token into the path of the link, not the query, and send
// "Referrer-Policy: no-referrer" on its page. Keep the Key outside the database: neither a stolen database nor a
// stolen key alone is enough to make a token.
//
// By default only a person with the invited address can accept. With the link mailed by this library (ByMail) the
// token proves that they read that mailbox, so the address need not be verified before. If you deliver links yourself
// (ByHost) it must be. AnyHolder lets in whoever holds the link and is signed in: then a forwarded mail is an open
// door, until it is used.
//
// People who are signed in with a verified address see what waits for them with Waiting, and accept without a link.
package invite
