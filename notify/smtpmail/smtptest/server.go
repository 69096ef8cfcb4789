package smtptest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"
)

// A Step is what a client has done when a server is about to answer.
type Step string

// The steps of a session, in their order.
const (
	Hello    Step = "hello"
	Password Step = "password"
	Sender   Step = "sender"
	Receiver Step = "receiver"
	Content  Step = "content" // the whole mail has arrived
)

// ErrDrop is an answer: the server ends the connection without a word.
var ErrDrop = errors.New("smtptest: drop")

// Refusal returns an answer with a reply code and an enhanced status code such as "5.1.1", or none.
func Refusal(code int, status, text string) error {
	enhanced := smtp.NoEnhancedCode
	if status != "" {
		if _, err := fmt.Sscanf(status, "%d.%d.%d", &enhanced[0], &enhanced[1], &enhanced[2]); err != nil {
			panic("smtptest: " + status + " is no enhanced status code")
		}
	}
	return &smtp.SMTPError{Code: code, EnhancedCode: enhanced, Message: text}
}

// Options say what a server is like. The zero value takes every mail, from everybody, in the clear.
type Options struct {
	STARTTLS    *tls.Config // offered, if it isn't nil
	ImplicitTLS *tls.Config // of the whole connection, if it isn't nil
	Username    string      // needed, with Password, if it isn't empty
	Password    string
	Mechanism   string // "PLAIN" by default, or "LOGIN"
	UTF8        bool   // whether addresses may have letters beyond ASCII
	MaxBytes    int64  // of a mail, as the server says; 0 for any

	// Answer is asked at each step, with the address of Sender and Receiver: nil for yes, ErrDrop, or a Refusal. It may
	// take its time, but not longer than the context, which ends with the test. Nil for always yes.
	Answer func(ctx context.Context, step Step, address string) error
	// Wrap changes a connection before anything is said on it, if it isn't nil.
	Wrap func(net.Conn) net.Conn
}

// A Delivery is a mail that the server took.
type Delivery struct {
	From, To   string // of the envelope
	UTF8       bool   // whether the client said that there are letters beyond ASCII
	Username   string // of who sent it; empty if nobody asked
	Encrypted  bool
	Connection int // which one of the server, counted from 1
	Message    []byte
}

// A Server is an SMTP server in this process.
type Server struct {
	Address string // host:port

	options Options
	ctx     context.Context

	mu          sync.Mutex
	connections int
	deliveries  []Delivery
}

// Start starts a server that ends with the test.
func Start(t testing.TB, options Options) *Server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{Address: listener.Addr().String(), options: options, ctx: ctx}
	server := smtp.NewServer(smtp.BackendFunc(s.begin))
	server.Domain = "localhost"
	server.TLSConfig = options.STARTTLS
	server.EnableSMTPUTF8 = options.UTF8
	server.MaxMessageBytes = options.MaxBytes
	server.ErrorLog = log.New(io.Discard, "", 0)
	server.WriteTimeout = time.Minute

	ended := make(chan error, 1)
	go func() { ended <- server.Serve(&wrapped{listener, s}) }()
	t.Cleanup(func() {
		cancel()
		_ = server.Close()   // says only that the listener is closed
		_ = listener.Close() // which the server doesn't know yet if nobody has connected
		<-ended
	})
	return s
}

// Deliveries returns what the server has taken, in that order.
func (s *Server) Deliveries() []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.deliveries)
}

// Connections returns how many connections there were.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.connections
}

func (s *Server) begin(c *smtp.Conn) (smtp.Session, error) {
	var numbered *connection
	raw := c.Conn()
	if secured, ok := raw.(*tls.Conn); ok {
		raw = secured.NetConn()
	}
	numbered, _ = raw.(*connection)
	session := &session{server: s, conn: c, number: numbered.number}
	return session, session.answer(Hello, "")
}

// A wrapped listener numbers the connections.
type wrapped struct {
	net.Listener
	server *Server
}

type connection struct {
	net.Conn
	number int
}

func (w *wrapped) Accept() (net.Conn, error) {
	accepted, err := w.Listener.Accept()
	if err != nil {
		return nil, err
	}
	s := w.server
	if s.options.Wrap != nil {
		accepted = s.options.Wrap(accepted)
	}
	s.mu.Lock()
	s.connections++
	accepted = &connection{accepted, s.connections}
	s.mu.Unlock()
	if s.options.ImplicitTLS != nil {
		accepted = tls.Server(accepted, s.options.ImplicitTLS)
	}
	return accepted, nil
}

// A session is one connection, as go-smtp asks about it.
type session struct {
	server   *Server
	conn     *smtp.Conn
	number   int
	username string
	from, to string
	utf8     bool
}

var _ smtp.AuthSession = (*session)(nil)

func (s *session) answer(step Step, address string) error {
	if s.server.options.Answer == nil {
		return nil
	}
	err := s.server.options.Answer(s.server.ctx, step, address)
	if errors.Is(err, ErrDrop) {
		_ = s.conn.Conn().Close() // what go-smtp writes then arrives nowhere
	}
	return err
}

func (s *session) AuthMechanisms() []string {
	switch {
	case s.server.options.Username == "":
		return nil
	case s.server.options.Mechanism == "":
		return []string{sasl.Plain}
	}
	return []string{s.server.options.Mechanism}
}

func (s *session) Auth(mechanism string) (sasl.Server, error) {
	check := func(username, password string) error {
		if err := s.answer(Password, ""); err != nil {
			return err
		}
		if username != s.server.options.Username || password != s.server.options.Password {
			return Refusal(535, "5.7.8", "no, "+username+", not with "+password)
		}
		s.username = username
		return nil
	}
	if mechanism == sasl.Login {
		return &loginServer{check: check}, nil
	}
	return sasl.NewPlainServer(func(_, username, password string) error { return check(username, password) }), nil
}

func (s *session) Mail(from string, options *smtp.MailOptions) error {
	if s.server.options.Username != "" && s.username == "" {
		return Refusal(530, "5.7.0", "who are you?")
	}
	s.from, s.utf8 = from, options.UTF8
	return s.answer(Sender, from)
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	return s.answer(Receiver, to)
}

// Data takes a mail. It counts as delivered even if the answer is ErrDrop: the client can't know.
func (s *session) Data(content io.Reader) error {
	message, err := io.ReadAll(content)
	if err != nil {
		return err
	}
	answer := s.answer(Content, s.to)
	if answer != nil && !errors.Is(answer, ErrDrop) {
		return answer
	}
	_, encrypted := s.conn.TLSConnectionState()
	s.server.mu.Lock()
	s.server.deliveries = append(s.server.deliveries, Delivery{s.from, s.to, s.utf8, s.username, encrypted, s.number, message})
	s.server.mu.Unlock()
	return answer
}

func (s *session) Reset() { s.from, s.to, s.utf8 = "", "", false }

func (s *session) Logout() error { return nil }

// A loginServer speaks the mechanism LOGIN, which go-sasl has for clients only.
type loginServer struct {
	check    func(username, password string) error
	asked    int
	username string
}

func (l *loginServer) Next(response []byte) (challenge []byte, done bool, err error) {
	l.asked++
	switch l.asked {
	case 1:
		return []byte("Username:"), false, nil
	case 2:
		l.username = string(response)
		return []byte("Password:"), false, nil
	}
	return nil, true, l.check(l.username, string(response))
}
