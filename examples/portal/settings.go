package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
)

// settings is what the flags and the environment say.
type settings struct {
	address  string   // Where to listen, host:port.
	database string   // A source, as parseSource reads it. It may hold a password.
	keyFile  string   // The path of the file with the key for links.
	baseURL  *url.URL // What links in mails start with; nil means the address it listens on.
	seed     bool     // Whether to fill an empty database with demo data.
	relay    *relay   // The server that mail goes to; nil means the development mailbox.
}

// A usageError is a setting that can't be used; the process ends with code 2.
type usageError struct{ message string }

func (e usageError) Error() string { return e.message }

// readSettings reads the environment and then the flags, which win. Help goes to out and is
// flag.ErrHelp; everything that can't be used is a usageError of one line.
func readSettings(args []string, getenv func(string) string, out io.Writer) (settings, error) {
	flags := flag.NewFlagSet("portal", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	address := flags.String("addr", "127.0.0.1:8080", "address to listen on (PORTAL_ADDR)")
	database := flags.String("db", "sqlite:portal.db", "database: "+sqliteForm+", "+postgresForm+"\nor "+mysqlForm+
		" (PORTAL_DB, which keeps the password out of lists of processes)")
	key := flags.String("key", "", "file with the secret for the links of invites, made if it is missing; portals on one database\n"+
		"need the same (PORTAL_KEY; default FILE.key beside an SQLite file, portal.key otherwise)")
	base := flags.String("base-url", "", "what links start with (PORTAL_BASE_URL; default http:// and the address)")
	seed := flags.Bool("seed", true, "fill an empty database with demo data (PORTAL_SEED)")
	smtp := flags.String("smtp", "", "server that mail goes to: "+smtpForm+"\nor "+smtpsForm+", over TLS unless &security=unprotected\n"+
		"says otherwise; the password is in PORTAL_SMTP_PASSWORD (PORTAL_SMTP; default none, mail stays in a development mailbox)")
	smtpPassword := flags.String("smtp-password-file", "", "file with the password for -smtp instead (PORTAL_SMTP_PASSWORD_FILE)")

	for name, variable := range map[string]string{
		"addr": "PORTAL_ADDR", "db": "PORTAL_DB", "key": "PORTAL_KEY", "base-url": "PORTAL_BASE_URL", "seed": "PORTAL_SEED",
		"smtp": "PORTAL_SMTP", "smtp-password-file": "PORTAL_SMTP_PASSWORD_FILE",
	} {
		if value := getenv(variable); value != "" {
			if err := flags.Set(name, value); err != nil {
				return settings{}, usageError{fmt.Sprintf("%s: %q is not a valid value", variable, value)}
			}
		}
	}
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(out, "Usage: portal [flags]")
			flags.SetOutput(out)
			flags.PrintDefaults()
			return settings{}, err
		}
		return settings{}, usageError{err.Error() + " (-help lists the flags)"}
	}
	if flags.NArg() > 0 {
		// It may be a forgotten -db before a password.
		return settings{}, usageError{"there is an argument that is not a flag (-help lists them)"}
	}

	if _, _, err := net.SplitHostPort(*address); err != nil {
		return settings{}, usageError{fmt.Sprintf("-addr: %q is not host:port", *address)}
	}
	source, err := parseSource(*database)
	if err != nil {
		return settings{}, err
	}
	if *key == "" {
		*key = source.keyFile()
	}
	baseURL, err := absoluteURL(*base)
	if err != nil {
		return settings{}, err
	}
	relay, err := chosenRelay(*smtp, *smtpPassword, getenv)
	if err != nil {
		return settings{}, err
	}
	return settings{address: *address, database: *database, keyFile: *key, baseURL: baseURL, seed: *seed, relay: relay}, nil
}

// chosenRelay is the mail server of the settings; nil without one.
func chosenRelay(value, passwordFile string, getenv func(string) string) (*relay, error) {
	if value == "" && passwordFile != "" {
		return nil, usageError{"-smtp-password-file: there is no -smtp"}
	}
	if value == "" {
		return nil, nil
	}
	password, err := relayPassword(passwordFile, getenv("PORTAL_SMTP_PASSWORD"))
	if err != nil {
		return nil, err
	}
	chosen, err := parseRelay(value, password)
	if err != nil {
		return nil, err
	}
	return &chosen, nil
}

// absoluteURL reads a base URL: scheme and host, nothing else. The empty value is nil.
func absoluteURL(value string) (*url.URL, error) {
	if value == "" {
		return nil, nil
	}
	base, err := url.Parse(value)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Hostname() == "" {
		return nil, usageError{"-base-url: the value must be absolute, such as https://portal.example.com"}
	}
	if strings.Trim(base.Path, "/") != "" || base.RawQuery != "" || base.Fragment != "" || base.User != nil {
		return nil, usageError{"-base-url: the value must be scheme and host only, such as https://portal.example.com"}
	}
	return &url.URL{Scheme: base.Scheme, Host: base.Host}, nil
}

// reachableURL is the URL under which this machine reaches a listener.
func reachableURL(address net.Addr) *url.URL {
	host := address.String()
	if tcp, ok := address.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		host = net.JoinHostPort("localhost", fmt.Sprint(tcp.Port))
	}
	return &url.URL{Scheme: "http", Host: host}
}

// loopback reports whether only this machine can reach a listener.
func loopback(address net.Addr) bool {
	tcp, ok := address.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}
