package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access/accesstest"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/notify/notifytest"
	"github.com/rosterkit/roster/notify/smtpmail"
	"github.com/rosterkit/roster/notify/smtpmail/smtptest"
)

// mailPassword is the portal's at its mail server.
const mailPassword = "correct horse battery"

// writeFile writes a file of a test and returns its path.
func writeFile(t *testing.T, name, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
	return file
}

func TestRelaySettings(t *testing.T) {
	certificate := smtptest.NewCertificate(t)
	ca := writeFile(t, "ca.pem", string(certificate.Chain))
	for value, want := range map[string]relay{
		"smtp://mail.example.net?from=portal@example.net": {"mail.example.net:587",
			smtpmail.Config{From: "portal@example.net", FromName: brand}},
		"smtps://portal@mail.example.net?from=portal@example.net&name=The+Portal": {"mail.example.net:465",
			smtpmail.Config{From: "portal@example.net", FromName: "The Portal", Username: "portal", Password: mailPassword, Security: smtpmail.ImplicitTLS}},
		"smtp://portal%40example.net@[::1]:2525/?from=portal@example.net": {"[::1]:2525",
			smtpmail.Config{From: "portal@example.net", FromName: brand, Username: "portal@example.net", Password: mailPassword}},
		"smtp://127.0.0.1:25?from=portal@example.net&security=unprotected": {"127.0.0.1:25",
			smtpmail.Config{From: "portal@example.net", FromName: brand, Security: smtpmail.Unprotected}},
	} {
		got, err := readSettings([]string{"-smtp", value}, environment(map[string]string{"PORTAL_SMTP_PASSWORD": mailPassword}), io.Discard)
		require.NoError(t, err, value)
		require.Equal(t, want, *got.relay)
	}
	got, err := readSettings(nil, environment(map[string]string{"PORTAL_SMTP": "smtp://portal@mail.example.net?from=a@example.net&ca=" + url.QueryEscape(ca),
		"PORTAL_SMTP_PASSWORD_FILE": writeFile(t, "password", mailPassword+"\n")}), io.Discard)
	require.NoError(t, err)
	require.Equal(t, mailPassword, got.relay.config.Password, "without the line's end")
	require.NotNil(t, got.relay.config.TLS.RootCAs)

	got, err = readSettings(nil, environment(map[string]string{"PORTAL_SMTP_PASSWORD": mailPassword}), io.Discard)
	require.NoError(t, err)
	require.Nil(t, got.relay, "mail stays in the mailbox")
}

// A password in the URL is refused, however it is written, and nothing that could be one is repeated.
func TestRelaySettingsRefused(t *testing.T) {
	const from = "?from=portal@example.net"
	given := map[string]string{"PORTAL_SMTP_PASSWORD": "hunter2"}
	for _, test := range []struct {
		args   []string
		values map[string]string
	}{
		{[]string{"-smtp", "secret"}, given},
		{[]string{"-smtp", "mail.example.net:587"}, given},
		{[]string{"-smtp", "http://mail.example.net" + from}, given},
		{[]string{"-smtp", "smtp://" + from}, given},
		{[]string{"-smtp", "smtp://mail.example.net"}, given},
		{[]string{"-smtp", "smtp://mail.example.net?from=secret"}, given},
		{[]string{"-smtp", "smtp://mail.example.net?from=%secret"}, given},
		{[]string{"-smtp", "smtp://mail.example.net/secret" + from}, given},
		{[]string{"-smtp", "smtp://mail.example.net" + from + "#secret"}, given},
		{[]string{"-smtp", "smtp://mail.example.net:secret" + from}, given},
		{[]string{"-smtp", "smtp://mail.example.net" + from + "&password=secret"}, given},
		{[]string{"-smtp", "smtp://mail.example.net" + from + "&security=none"}, given},
		{[]string{"-smtp", "smtps://mail.example.net" + from + "&security=unprotected"}, given},
		{[]string{"-smtp", "smtp://mail.example.net" + from + "&ca=/missing"}, given},
		{[]string{"-smtp", "smtp://mail.example.net" + from + "&ca=" + url.QueryEscape(writeFile(t, "empty.pem", "secret"))}, given},
		{[]string{"-smtp", "smtp://portal@mail.example.net" + from + "&security=unprotected"}, given}, // everybody could read the password
		{[]string{"-smtp", "smtp://portal:secret@mail.example.net" + from}, nil},
		{[]string{"-smtp", "smtp://portal:@mail.example.net" + from}, given},
		{[]string{"-smtp", "smtp://portal:se@cret@mail.example.net" + from}, nil},
		{[]string{"-smtp", "smtp://portal:%secret@mail.example.net" + from}, nil},
		{[]string{"-smtp", "smtp://portal:12/secret@mail.example.net" + from}, nil},
		{[]string{"-smtp", "smtp://portal:12?secret@mail.example.net" + from}, nil},
		{[]string{"-smtp", "smtp://portal@mail.example.net" + from}, nil}, // no password
		{[]string{"-smtp", "smtp://portal@mail.example.net" + from, "-smtp-password-file", "/missing"}, nil},
		{[]string{"-smtp", "smtp://portal@mail.example.net" + from, "-smtp-password-file", writeFile(t, "password", "secret")}, given}, // two
		{[]string{"-smtp-password-file", writeFile(t, "password", "secret")}, nil},
	} {
		_, err := readSettings(test.args, environment(test.values), io.Discard)
		_, ok := err.(usageError)
		require.True(t, ok, "%v: %v", test.args, err)
		require.Contains(t, err.Error(), "-smtp")
		for _, hidden := range []string{"\n", "secret", "hunter2"} {
			require.NotContains(t, err.Error(), hidden, test.args)
		}
	}
	var help strings.Builder
	_, err := readSettings([]string{"-h"}, environment(given), &help)
	require.Error(t, err)
	require.Contains(t, help.String(), "-smtp")
	require.NotContains(t, help.String(), "hunter2")
}

// A runningPortal is the command, with demo data and a mail server.
type runningPortal struct {
	*site
	said, logged *lockedBuffer
	stop         func() error // ends it as a signal does
}

func startWithRelay(t *testing.T, relay string) *runningPortal {
	t.Helper()
	p := &runningPortal{said: &lockedBuffer{}, logged: &lockedBuffer{}}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	reader, writer := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		args := []string{"-addr", "127.0.0.1:0", "-db", "sqlite:" + filepath.Join(t.TempDir(), "portal.db"), "-smtp", relay}
		ended <- run(ctx, args, environment(map[string]string{"PORTAL_SMTP_PASSWORD": mailPassword}), io.MultiWriter(writer, p.said), p.logged)
		writer.Close()
	}()
	stopped := false
	p.stop = func() error {
		stopped = true
		cancel()
		return <-ended
	}
	t.Cleanup(func() {
		if !stopped {
			require.NoError(t, p.stop())
		}
	})
	base := announcedURL(t, reader)
	go io.Copy(io.Discard, reader)
	p.site = &site{server: &httptest.Server{URL: base}}
	return p
}

// arrivals returns options of a server that takes mail, and a channel that hears of each receiver whose mail is there.
func arrivals() (smtptest.Options, <-chan string) {
	came := make(chan string, 100)
	return smtptest.Options{Answer: func(_ context.Context, step smtptest.Step, address string) error {
		if step == smtptest.Content {
			came <- address
		}
		return nil
	}}, came
}

// The command hands the library's mail and its own to the server, over TLS and with its password, and says the password
// nowhere. What is under way when it is stopped arrives.
func TestMailLeavesBySMTP(t *testing.T) {
	certificate := smtptest.NewCertificate(t)
	options, came := arrivals()
	options.STARTTLS, options.Username, options.Password = certificate.Server, "portal", mailPassword
	server := smtptest.Start(t, options)
	p := startWithRelay(t, "smtp://portal@"+server.Address+"?from=portal@harbour.example&ca="+url.QueryEscape(writeFile(t, "ca.pem", string(certificate.Chain))))

	olivia := p.browser(t)
	olivia.signIn("olivia@brightside.example", demoPassword)
	page := olivia.get(accountPath(bakery)+"/users").submit("Send Invite", url.Values{"address": {"nora@counting.example"}, "permission": {"invoices"}})
	require.Contains(t, page.text(), "is on its way")
	require.Equal(t, "nora@counting.example", <-came, "and the first: demo data mails nobody")
	require.False(t, page.has("Mailbox"))
	require.Equal(t, http.StatusNotFound, olivia.get("/mailbox").status, "there is no mailbox to look into")

	page = p.browser(t).get("/forgotten-password").submit("Send the link", url.Values{"address": {"tom@brightside.example"}})
	require.Equal(t, http.StatusOK, page.status)
	require.NotContains(t, page.text(), "mailbox")
	require.NoError(t, p.stop())
	require.Equal(t, "tom@brightside.example", <-came)

	deliveries := server.Deliveries()
	require.Len(t, deliveries, 2)
	for _, d := range deliveries {
		require.True(t, d.Encrypted)
		require.Equal(t, "portal", d.Username)
		require.Equal(t, "portal@harbour.example", d.From)
		require.Contains(t, string(d.Message), brand)
	}
	require.Contains(t, p.said.String(), "Its mail goes to "+server.Address)
	for _, text := range []string{p.said.String(), p.logged.String()} {
		require.NotContains(t, text, mailPassword)
		require.NotContains(t, text, "nora@counting.example")
	}
}

// A server without TLS gets nothing, not even a greeting worth having, unless it is named as one.
func TestMailStaysWithoutTLS(t *testing.T) {
	for query, leaves := range map[string]bool{"": false, "&security=unprotected": true} {
		t.Run(query, func(t *testing.T) {
			options, _ := arrivals()
			server := smtptest.Start(t, options)
			chosen, err := parseRelay("smtp://"+server.Address+"?from=portal@harbour.example"+query, "")
			require.NoError(t, err)
			mailer, err := chosen.mailer()
			require.NoError(t, err)
			defer mailer.Close()
			s := newSiteWith(t, config{database: newDatabaseOn(t, freshSource(t, "sqlite")), key: bytes.Repeat([]byte("k"), keyBytes), now: accesstest.NewClock(accesstest.Epoch).Now, mailer: mailer})
			s.addAccount(t, "acme", "Acme", s.addPerson(t, "ann@example.com", "Ann Archer"))
			ann := s.browser(t)
			ann.signIn("ann@example.com", testPassword)
			sendInvite(ann, "bob@example.com", "invoices")
			s.deliver(t)
			page := ann.get(emails)
			if leaves {
				require.Len(t, server.Deliveries(), 1)
				require.Contains(t, page.text(), "bob@example.com")
				return
			}
			require.Empty(t, server.Deliveries())
			require.Contains(t, page.text(), "waiting to be sent")
			require.Contains(t, page.text(), "TLS")
		})
	}
}

func textLog(to io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(to, nil)) }

func TestCourier(t *testing.T) {
	mail := func(id string) notify.Mail {
		return notify.Mail{MessageID: notify.MessageID(id), To: "tom@example.com", Subject: "s", Text: "t"}
	}
	send := func(t *testing.T, mailer notify.Mailer, mails ...string) (logged string) {
		t.Helper()
		log := &lockedBuffer{}
		c := newCourier(mailer, textLog(log))
		c.wait = 1
		for _, id := range mails {
			require.NoError(t, c.Send(t.Context(), mail(id)))
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- c.Run(ctx) }()
		stop()
		require.NoError(t, <-ended)
		return log.String()
	}
	sent := &notifytest.Recorder{}
	require.Empty(t, send(t, sent, "1", "2", "3"))
	require.Len(t, sent.Mails(), 3)

	broken := &notifytest.Failing{Times: -1, Permanent: true}
	logged := send(t, broken, "1")
	require.Equal(t, 1, broken.Refused(), "once is enough")
	require.Contains(t, logged, "could not be sent")
	require.NotContains(t, logged, "tom@")

	full := newCourier(sent, textLog(&lockedBuffer{}))
	for range courierSize {
		require.NoError(t, full.Send(t.Context(), mail("1")))
	}
	require.ErrorIs(t, full.Send(t.Context(), mail("1")), errManyMails)

	// What waits when it is stopped is still sent.
	late := &notifytest.Recorder{}
	c := newCourier(late, textLog(&lockedBuffer{}))
	require.NoError(t, c.Send(t.Context(), mail("1")))
	stopped, stop := context.WithCancel(t.Context())
	stop()
	require.NoError(t, c.Run(stopped))
	require.Len(t, late.Mails(), 1)
}

// A mail that fails at first is tried again.
func TestCourierTriesAgain(t *testing.T) {
	sent := &notifytest.Recorder{}
	flaky := &notifytest.Failing{Times: 2, Mailer: sent}
	c := newCourier(flaky, textLog(&lockedBuffer{}))
	c.wait = 1
	c.deliver(t.Context(), notify.Mail{MessageID: "1", To: "tom@example.com", Subject: "s", Text: "t"})
	require.Len(t, sent.Mails(), 1)
	broken := &notifytest.Failing{Times: -1}
	c = newCourier(broken, textLog(&lockedBuffer{}))
	c.wait = 1
	c.deliver(t.Context(), notify.Mail{MessageID: "1", To: "tom@example.com", Subject: "s", Text: "t"})
	require.Equal(t, courierAttempts, broken.Refused())
}
