package smtpmail_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/notify/smtpmail"
	"github.com/rosterkit/roster/notify/smtpmail/smtptest"
	"github.com/stretchr/testify/require"
)

func TestSend(t *testing.T) {
	server, mailer := unprotected(t, smtptest.Options{})
	require.NoError(t, mailer.Send(t.Context(), validMail()))
	require.Len(t, server.Deliveries(), 1)
	delivery := server.Deliveries()[0]
	require.Equal(t, "portal@example.net", delivery.From)
	require.Equal(t, "Bob.Builder@example.com", delivery.To)
	requireSame(t, validMail(), read(t, delivery.Message))
}

func TestABatchGoesOverOneConnection(t *testing.T) {
	server, mailer := unprotected(t, smtptest.Options{})
	for n := range 50 {
		require.NoError(t, mailer.Send(t.Context(), mail(n)))
	}
	require.Len(t, server.Deliveries(), 50)
	require.Equal(t, 1, server.Connections())
}

func TestOldConnectionsAreNotUsed(t *testing.T) {
	server := smtptest.Start(t, smtptest.Options{})
	now := noon
	mailer := newMailer(t, server.Address, smtpmail.Config{Security: smtpmail.Unprotected, Idle: time.Minute, Now: func() time.Time { return now }})
	for _, wait := range []time.Duration{0, time.Minute - 1, time.Minute, 30 * time.Second, 30 * time.Second} {
		now = now.Add(wait)
		require.NoError(t, mailer.Send(t.Context(), validMail()))
	}
	require.Equal(t, 2, server.Connections())
}

// A heard connection keeps what the client says.
type heard struct {
	net.Conn
	said  bytes.Buffer
	ended chan struct{} // the server has closed it
	close func()
}

func (h *heard) Read(p []byte) (int, error) {
	n, err := h.Conn.Read(p)
	h.said.Write(p[:n])
	return n, err
}

func (h *heard) Close() error {
	h.close()
	return h.Conn.Close()
}

// TestGoodbye has the mailer say it (RFC 5321 section 4.1.1.10), whyever it ends a connection that is in order.
func TestGoodbye(t *testing.T) {
	ways := map[string]func(t *testing.T, mailer *smtpmail.Mailer, pass func(time.Duration)){
		"it is old": func(t *testing.T, mailer *smtpmail.Mailer, pass func(time.Duration)) {
			pass(time.Minute)
			require.NoError(t, mailer.Send(t.Context(), validMail()))
		},
		"the mailer is closed": func(t *testing.T, mailer *smtpmail.Mailer, _ func(time.Duration)) { require.NoError(t, mailer.Close()) },
	}
	for name, end := range ways {
		t.Run(name, func(t *testing.T) {
			var first *heard
			server := smtptest.Start(t, smtptest.Options{Wrap: func(c net.Conn) net.Conn {
				if first != nil {
					return c
				}
				first = &heard{Conn: c, ended: make(chan struct{})}
				first.close = sync.OnceFunc(func() { close(first.ended) })
				return first
			}})
			now := noon
			mailer := newMailer(t, server.Address, smtpmail.Config{Security: smtpmail.Unprotected, Now: func() time.Time { return now }})
			require.NoError(t, mailer.Send(t.Context(), validMail()))
			end(t, mailer, func(d time.Duration) { now = now.Add(d) })
			<-first.ended
			require.Equal(t, "QUIT", lastLine(first.said.String()))
		})
	}
}

func lastLine(said string) string {
	lines := strings.Split(strings.TrimSuffix(said, "\r\n"), "\r\n")
	return lines[len(lines)-1]
}

// TestConnectionsThatAreGone ends connections that are kept, as servers do after a while: the next mail isn't delayed by it.
func TestConnectionsThatAreGone(t *testing.T) {
	f := newFault(0, drop) // never
	server := smtptest.Start(t, smtptest.Options{Wrap: f.wrap})
	mailer := newMailer(t, server.Address, smtpmail.Config{Security: smtpmail.Unprotected})
	for n := range 5 {
		if n > 0 {
			f.n.Store(f.writes.Load() + 1) // the next thing that the server says, to a mail on a connection that was kept
		}
		require.NoError(t, mailer.Send(t.Context(), mail(n)))
	}
	require.Equal(t, 5, server.Connections())
	require.Len(t, server.Deliveries(), 5)
}

func TestManyAtOnce(t *testing.T) {
	var all sync.WaitGroup // first mails, which wait for each other
	var met sync.Map
	all.Add(8)
	server := smtptest.Start(t, smtptest.Options{Answer: func(ctx context.Context, step smtptest.Step, address string) error {
		if _, before := met.LoadOrStore(address, true); step == smtptest.Receiver && !before {
			all.Done()
			all.Wait()
		}
		return nil
	}})
	mailer := newMailer(t, server.Address, smtpmail.Config{Security: smtpmail.Unprotected, Connections: 3})
	var senders sync.WaitGroup
	for sender := range 8 {
		senders.Go(func() {
			for n := range 10 {
				m := mail(10*sender + n)
				m.To = fmt.Sprintf("bob%d@example.com", sender)
				if err := mailer.Send(t.Context(), m); err != nil {
					t.Error(err)
				}
			}
		})
	}
	senders.Wait()
	require.Equal(t, 3, mailer.Kept())
	require.GreaterOrEqual(t, server.Connections(), 8)
	ids := make(map[notify.MessageID]bool)
	for _, delivery := range server.Deliveries() {
		ids[read(t, delivery.Message).MessageID] = true
	}
	require.Len(t, ids, 80)
	require.Len(t, server.Deliveries(), 80)
}

func TestClose(t *testing.T) {
	server := smtptest.Start(t, smtptest.Options{})
	mailer, err := smtpmail.New(server.Address, smtpmail.Config{From: "portal@example.net", Security: smtpmail.Unprotected})
	require.NoError(t, err)
	require.NoError(t, mailer.Send(t.Context(), validMail()))
	require.NoError(t, mailer.Close())
	err = mailer.Send(t.Context(), validMail())
	require.ErrorContains(t, err, "closed")
	require.False(t, notify.IsPermanent(err), "another process may send it")
	require.NoError(t, mailer.Close())
	require.Len(t, server.Deliveries(), 1)
}

func ExampleNew() {
	mailer, err := smtpmail.New("mail.example.net:587", smtpmail.Config{
		From: "portal@example.net", FromName: "The Portal",
		Username: "portal", Password: "from the environment",
	})
	fmt.Println(err)
	defer mailer.Close()

	_, err = smtpmail.New("mail.example.net:25", smtpmail.Config{
		From: "portal@example.net", Security: smtpmail.Unprotected,
		Username: "portal", Password: "from the environment",
	})
	fmt.Println(err)
	// Output:
	// <nil>
	// smtpmail: a Username needs TLS: everybody on the way could read the Password
}
