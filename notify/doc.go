// Package notify sends the mail that follows from changes: a message is stored in the transaction that causes it, and
// a worker sends it afterwards. It knows nothing of accounts, and can carry a host's own mail beside this library's.
//
// # Sending
//
// Give a worker the queue of your storage, a mailer, and the preparers of the packages you use, and run it beside
// your server:
//
//	worker, err := notify.NewWorker(db, mailer, notify.WorkerConfig{}, members, invites, contacts)
//	...
//	go worker.Run(ctx)
//
// Run as many workers as you like, in as many processes: they share the queue, which serves groups in turns, so that one
// with many mails doesn't hold up another one with few. WorkerConfig.Rate bounds how many mails a worker sends per second.
// In a test, call Deliver instead, which makes one pass and returns. Package smtpmail has a mailer for SMTP servers. While
// developing, use a Mailbox, which keeps mails in memory to be looked at.
//
// # Templates
//
// A mail's subject, text and HTML come from templates, in English, German and French, in folders by language. Replace
// single files of them, or add a language, with an fs.FS in the Config of the package that owns the kind: what isn't in
// it stays as it is, and ParseTemplates says what the files are. All of them are rendered with sample data when a
// service is made, so that a template that fails does so at the start of your program, and Preview shows what comes of
// them. A reader gets their language, or else the account's, the brand's or yours, whichever is the first that there
// are templates for; English at last.
//
// A Brand has mails of some accounts go out under another name, with links to another site: access.Config.Brand says which.
//
// # What is promised
//
// A mail is handed to the mailer at least once if the transaction that enqueued it committed, it is still due when its
// turn comes, and the mailer takes it before the message is given up; and never if that transaction did not commit.
// It can be handed over twice, when a worker dies or loses its database between handing a mail over and recording
// that it did, or when the carrier's word that it has taken the mail is lost or late. What became of mails is recorded
// at once, and of mails that take less than 20 milliseconds, together for those of that time: so many may be repeated at
// most, with the one in hand. Both copies carry the same message id: don't count on anything else to be the same, as the
// second copy is written anew.
//
// A worker takes messages for the time of a lease. When it dies, others take over after that time. A worker that was
// merely slow can't record anything any more, because each attempt has a number and the queue knows the latest.
//
// Whether a mail is still due is decided when it is written, just before it is handed over and no longer than a lease.
// What is revoked in between can't be called back, so that a late mail must do no harm: guard the door that a link
// opens, not the mail.
//
// A mail that fails is tried again, less and less often, until it is given up: it is then Dead, and its Reason says
// why. Watch for these: Queue.DeadLetters lists them, to be retried or dropped. Queue.Backlog and Worker.Stats are
// figures for your metrics. A mail whose address is refused for good, which a mailer says with an AddressError, is given
// up at once.
//
// # Addresses that refuse mail
//
// A mailer's AddressError says that an address takes no mail. The worker gives the message up, and tells the preparers
// that are FeedbackTakers, as contact.Service is: they suppress the address, and cancel what else is to go there. What a
// provider reports later, a bounce or a complaint, the host takes to them itself, as Feedback.
//
// # Secrets
//
// A message holds no secret: it refers to what the mail is about, and the preparer writes the mail when its turn
// comes. A mail does hold secrets. Don't log one, and don't put a mailer between that does. Reasons and logs of this
// package are without addresses and links; what a mailer says in its errors is freed of them before it is stored.
//
// Never build a link from the address that a request came in by: anybody can send a request that names another host.
package notify
