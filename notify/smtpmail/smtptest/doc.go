// Package smtptest has SMTP servers for tests, on a port of this machine: one in this process, which keeps the mails that
// it takes and answers as a test wants, and Postfix, in a throw-away configuration.
package smtptest
