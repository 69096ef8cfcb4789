package smtpmail_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/notify/smtpmail"
	"github.com/rosterkit/roster/notify/smtpmail/smtptest"
	"github.com/stretchr/testify/require"
)

// A fault strikes when a server is about to write for the n-th time, over all connections and counted from 1: after that
// it is over.
type fault struct {
	n      atomic.Int32
	writes atomic.Int32
	strike func(net.Conn) error // nil to go on
}

func newFault(n int32, strike func(net.Conn) error) *fault {
	f := &fault{strike: strike}
	f.n.Store(n)
	return f
}

func (f *fault) wrap(c net.Conn) net.Conn { return &faultyConn{c, f} }

type faultyConn struct {
	net.Conn
	fault *fault
}

func (c *faultyConn) Write(p []byte) (int, error) {
	if c.fault.writes.Add(1) == c.fault.n.Load() {
		if err := c.fault.strike(c.Conn); err != nil {
			return 0, err
		}
	}
	return c.Conn.Write(p)
}

var errStruck = errors.New("the fault struck")

func drop(c net.Conn) error {
	c.Close()
	return errStruck
}

// eachWrite runs a test for each thing that a server says in a session with TLS, a password and two mails, as long as that
// lasts.
func eachWrite(t *testing.T, test func(t *testing.T, n int32) (struck bool)) {
	const most = 40 // more than a server says in such a session
	for n := int32(1); n <= most; n++ {
		struck := false
		t.Run(fmt.Sprint(n), func(t *testing.T) { struck = test(t, n) })
		if !struck {
			require.Greater(t, n, int32(15), "the session has more steps")
			return
		}
	}
	require.Fail(t, "the session doesn't end")
}

// protected starts a server with TLS and a password, which a fault strikes.
func protected(t *testing.T, certificate smtptest.Certificate, f *fault, cfg smtpmail.Config) (*smtptest.Server, *smtpmail.Mailer) {
	t.Helper()
	server := smtptest.Start(t, smtptest.Options{STARTTLS: certificate.Server, Username: "portal", Password: "swordfish", Wrap: f.wrap})
	cfg.TLS, cfg.Username, cfg.Password = certificate.Client, "portal", "swordfish"
	return server, newMailer(t, server.Address, cfg)
}

// TestDropsAtEveryStage ends the connection instead of each answer: the mail whose turn it is fails for now or goes over
// another connection, is not lost, and carries the same Message-ID when it is repeated.
func TestDropsAtEveryStage(t *testing.T) {
	certificate := smtptest.NewCertificate(t)
	failures, repeats := 0, 0
	eachWrite(t, func(t *testing.T, n int32) bool {
		f := newFault(n, drop)
		server, mailer := protected(t, certificate, f, smtpmail.Config{})
		failed := false
		for number := 1; number <= 2; number++ {
			err := mailer.Send(t.Context(), mail(number))
			if err != nil {
				require.False(t, failed, "one fault, one failure")
				failed = true
				failures++
				require.False(t, notify.IsPermanent(err), err)
				requireDiscreet(t, err)
				require.NoError(t, mailer.Send(t.Context(), mail(number)), "after the fault")
			}
		}
		requireDelivered(t, server, 2, &repeats)
		return f.writes.Load() >= n
	})
	require.Positive(t, failures)
	require.Equal(t, 2, repeats, "when the answer to the content of a mail is lost, nobody knows whether the server took it")
}

// requireDelivered fails unless each of so many mails was delivered. It counts the repeats.
func requireDelivered(t *testing.T, server *smtptest.Server, mails int, repeats *int) {
	t.Helper()
	delivered := make(map[notify.MessageID]int)
	for _, delivery := range server.Deliveries() {
		delivered[read(t, delivery.Message).MessageID]++
	}
	require.Len(t, delivered, mails)
	for number := 1; number <= mails; number++ {
		times := delivered[mail(number).MessageID]
		require.Positive(t, times)
		*repeats += times - 1
	}
}

// TestSilenceAtEveryStage has the server say nothing any more at each point, until the mailer's patience is over.
func TestSilenceAtEveryStage(t *testing.T) {
	certificate := smtptest.NewCertificate(t)
	repeats := 0
	eachWrite(t, func(t *testing.T, n int32) bool {
		over := make(chan struct{})
		defer close(over)
		f := newFault(n, func(net.Conn) error {
			<-over
			return errStruck
		})
		server, mailer := protected(t, certificate, f, smtpmail.Config{Timeout: 200 * time.Millisecond})
		for number := 1; number <= 2; number++ {
			for {
				err := mailer.Send(t.Context(), mail(number))
				if err == nil {
					break
				}
				require.False(t, notify.IsPermanent(err), err)
				require.ErrorContains(t, err, "timeout")
				requireDiscreet(t, err)
			}
		}
		requireDelivered(t, server, 2, &repeats)
		return f.writes.Load() >= n
	})
}

// TestTheContextEndsAtEveryStage ends the context of a mail while the server takes its time for each answer.
func TestTheContextEndsAtEveryStage(t *testing.T) {
	certificate := smtptest.NewCertificate(t)
	repeats := 0
	eachWrite(t, func(t *testing.T, n int32) bool {
		over := make(chan struct{})
		defer close(over)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		f := newFault(n, func(net.Conn) error {
			cancel()
			<-over
			return errStruck
		})
		server, mailer := protected(t, certificate, f, smtpmail.Config{})
		for number := 1; number <= 2; number++ {
			err := mailer.Send(ctx, mail(number))
			if err == nil {
				continue
			}
			require.ErrorIs(t, err, context.Canceled)
			require.False(t, notify.IsPermanent(err), err)
			requireDiscreet(t, err)
			ctx = t.Context()
			require.NoError(t, mailer.Send(ctx, mail(number)))
		}
		requireDelivered(t, server, 2, &repeats)
		return f.writes.Load() >= n
	})
}

func TestTheContextHasEnded(t *testing.T) {
	server, mailer := unprotected(t, smtptest.Options{})
	require.NoError(t, mailer.Send(t.Context(), mail(1)))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, mailer.Send(ctx, mail(2)), context.Canceled)
	require.NoError(t, mailer.Send(t.Context(), mail(3)))
	require.Len(t, server.Deliveries(), 2)
}

// TestLateAnswers has each answer come late, though in time.
func TestLateAnswers(t *testing.T) {
	server, mailer := unprotected(t, smtptest.Options{Answer: func(ctx context.Context, step smtptest.Step, address string) error {
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
		return nil
	}})
	require.NoError(t, mailer.Send(t.Context(), mail(1)))
	require.NoError(t, mailer.Send(t.Context(), mail(2)))
	require.Len(t, server.Deliveries(), 2)
	require.Equal(t, 1, server.Connections())
}

// TestAServerThatIsNone talks to something that speaks another protocol: its words don't get into the error.
func TestAServerThatIsNone(t *testing.T) {
	for _, greeting := range []string{"HTTP/1.1 400 secret\r\n\r\n", "220\r\nsecret\r\n", "secret\r\n", "999 secret\r\n", "250 secret\r\n", "\x00\r\n"} {
		t.Run(fmt.Sprintf("%q", greeting), func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			defer listener.Close()
			go func() {
				conn, err := listener.Accept()
				if err == nil {
					_, _ = conn.Write([]byte(greeting))
					_, _ = conn.Read(make([]byte, 1000))
					_, _ = conn.Write([]byte(greeting))
					conn.Close()
				}
			}()
			mailer := newMailer(t, listener.Addr().String(), smtpmail.Config{})
			err = mailer.Send(t.Context(), validMail())
			require.Error(t, err)
			require.False(t, notify.IsPermanent(err))
			requireDiscreet(t, err)
		})
	}
}
