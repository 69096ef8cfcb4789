// Package contacthttp serves the pages of the links in mails to contacts: to verify an address, and to unsubscribe.
//
//	links, err := contact.NewLinks(keys, "", "https://portal.example/contacts/")
//	...
//	handler, err := contacthttp.New(contacts, contacthttp.Config{})
//	mux.Handle("/contacts/", http.StripPrefix("/contacts", handler))
//
// Nobody is signed in: the link says who. So mount it outside what asks people to sign in, and outside what protects
// forms against forgery by a cookie, which mail programs don't have.
//
// GET and HEAD change nothing: mail scanners and browsers follow links before anybody clicks. They get a page with a
// button, whose POST acts. A mail program that knows RFC 8058 posts to the link to unsubscribe without showing a page.
// Every link that can't be used has the same answer, whatever is wrong with it.
package contacthttp
