package main

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"

	"github.com/rosterkit/roster/notify/smtpmail"
)

// The forms of the setting -smtp.
const (
	smtpForm  = "smtp://USER@HOST:587?from=ADDRESS"
	smtpsForm = "smtps://USER@HOST:465?from=ADDRESS"
)

// A relay is the mail server that the setting -smtp names.
type relay struct {
	server string // host:port.
	config smtpmail.Config
}

// mailer returns the mailer for the server, which doesn't connect yet.
func (r relay) mailer() (*smtpmail.Mailer, error) {
	mailer, err := smtpmail.New(r.server, r.config)
	if err != nil {
		return nil, usageError{"-smtp: " + strings.TrimPrefix(err.Error(), "smtpmail: ")}
	}
	return mailer, nil
}

// parseRelay reads the setting. The password comes from elsewhere, as lists of processes show the setting: in it, it
// is refused. What can't be used is a usageError, and repeats nothing of either.
func parseRelay(value, password string) (relay, error) {
	server, err := url.Parse(value)
	if err != nil || server.Scheme != "smtp" && server.Scheme != "smtps" || server.Hostname() == "" || server.Fragment != "" ||
		strings.Trim(server.Path, "/") != "" {
		return relay{}, usageError{"-smtp: the value must look like " + smtpForm + " or " + smtpsForm}
	}
	if _, given := server.User.Password(); given {
		return relay{}, usageError{"-smtp: the password must not be in the value: give it in PORTAL_SMTP_PASSWORD or -smtp-password-file"}
	}
	r := relay{config: smtpmail.Config{FromName: brand, Username: server.User.Username()}}
	port := "587"
	if server.Scheme == "smtps" {
		port, r.config.Security = "465", smtpmail.ImplicitTLS
	}
	r.server = net.JoinHostPort(server.Hostname(), cmp.Or(server.Port(), port))
	if r.config.Username != "" {
		if password == "" {
			return relay{}, usageError{"-smtp: the password of the user is missing: give it in PORTAL_SMTP_PASSWORD or -smtp-password-file"}
		}
		r.config.Password = password
	}
	options, err := url.ParseQuery(server.RawQuery)
	if err != nil {
		return relay{}, usageError{"-smtp: special characters behind the question mark must be escaped, as %40 and the like"}
	}
	for name, values := range options {
		if err := r.set(name, values[0]); err != nil {
			return relay{}, err
		}
	}
	mailer, err := r.mailer() // Says what else is wrong.
	if err != nil {
		return relay{}, err
	}
	return r, mailer.Close()
}

// set reads one of the settings behind the question mark.
func (r *relay) set(name, value string) error {
	switch {
	case name == "from":
		r.config.From = value
	case name == "name":
		r.config.FromName = value
	case name == "ca":
		roots, err := readRoots(value)
		if err != nil {
			return err
		}
		r.config.TLS = &tls.Config{RootCAs: roots}
	case name == "security" && value == "unprotected" && r.config.Security == smtpmail.STARTTLS:
		r.config.Security = smtpmail.Unprotected
	case name == "security":
		return usageError{"-smtp: security=unprotected, with smtp: alone, is the only way not to insist on TLS"}
	default:
		return usageError{"-smtp: the URL has no settings but from, name, ca and security"}
	}
	return nil
}

// readRoots reads the certificates of those who vouch for a server that isn't publicly known.
func readRoots(file string) (*x509.CertPool, error) {
	certificates, err := os.ReadFile(file)
	if err != nil {
		return nil, usageError{fmt.Sprintf("-smtp: can't read the certificates in %s: %s", file, rootCause(err))}
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(certificates) {
		return nil, usageError{fmt.Sprintf("-smtp: there is no certificate in %s", file)}
	}
	return roots, nil
}

// relayPassword is the password of the user of -smtp, from a file or, where none is named, from the environment.
func relayPassword(file, fromEnvironment string) (string, error) {
	if file == "" {
		return fromEnvironment, nil
	}
	if fromEnvironment != "" {
		return "", usageError{"-smtp-password-file: there is a password in PORTAL_SMTP_PASSWORD, too"}
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return "", usageError{fmt.Sprintf("-smtp-password-file: can't read %s: %s", file, rootCause(err))}
	}
	return strings.TrimRight(string(content), "\r\n"), nil
}
