// Package smtpmail is a notify.Mailer that hands mails to an SMTP server: the relay of the host's mail provider, or one
// of the host's own that knows what to do with them.
//
//	mailer, err := smtpmail.New("mail.example.net:587", smtpmail.Config{
//		From: "portal@example.net", FromName: "The Portal",
//		Username: "portal", Password: password,
//	})
//	...
//	defer mailer.Close()
//	worker, err := notify.NewWorker(db, mailer, notify.WorkerConfig{}, members, invites, contacts)
//
// # What protects a mail
//
// Mails hold secrets, such as the link of an invite, and so does the connection's start, which is where the password is
// said. So the connection must turn to TLS, with a certificate for the server's name, before anything is said on it: a
// server that doesn't offer that gets no mail. Unprotected is for a server on the same machine.
//
// # What becomes of a mail
//
// A mail that the server takes is the server's: what it can't deliver later it tells the sender's address by mail. One that
// it refuses is told apart by the reply code. With 4xx, and whenever the connection fails, the error is temporary. With
// 5xx it is permanent, and a notify.AddressError if it is the receiver's address that the server doesn't take, and not the
// sender, the mail or its size. What goes wrong before the server has heard of the mail, such as a password that is no
// longer right, and a sender that it refuses, is always temporary, as that says nothing about the mail.
//
// When a connection fails after the mail was handed over and before the server said that it took it, nobody knows: the mail
// is sent again, with the same Message-ID.
//
// Errors hold the server's codes and not its text, which likes to repeat addresses and parts of the mail.
//
// # Connections
//
// A connection that has carried a mail is kept, and carries the next one, so that a batch goes over one connection
// without the mailer having to know what is a batch. One that wasn't used for a while is closed at the next use: nothing
// runs in the background.
package smtpmail
