package deliveries_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/notify/smtpmail"
	"github.com/rosterkit/roster/storage/sqlstore"
	"github.com/rosterkit/roster/storage/sqlstore/internal/processtest"
	"github.com/rosterkit/roster/storage/storagetest/servertest"
)

const (
	domain   = "example.net"
	username = "portal"
	password = "swordfish"
)

// A task is what one process is to do: send what is due until nobody can tell it anything any more.
type task struct {
	Database servertest.Database
	Postfix  string // the servers, host:port; Postfix is empty if there is none
	Faulty   string
	Chain    []byte // of the servers' certificate
	Mutant   string // of mutants, if it is one
}

func (t task) run() error {
	handle, err := sql.Open(t.Database.Driver, t.Database.Source)
	if err != nil {
		return err
	}
	defer handle.Close()
	handle.SetMaxOpenConns(4)
	db := sqlstore.New(handle, processtest.Dialect(t.Database.Engine), sqlstore.Config{})
	defer db.Close()
	mailer, err := t.mailer()
	if err != nil {
		return err
	}
	var preparer notify.Preparer = desk{handle}
	queue := notify.Queue(db)
	switch t.Mutant {
	case "":
	case "forgetful":
		mailer = &forgetful{mailer: mailer}
	case "renaming":
		mailer = &renaming{mailer: mailer}
	case "blind":
		preparer = blind{desk{handle}}
	case "hasty":
		queue = hasty{db}
	default:
		return errors.New("there is no mutant " + t.Mutant)
	}
	worker, err := notify.NewWorker(queue, mailer, notify.WorkerConfig{
		Log: slog.New(slog.DiscardHandler), Batch: 10, Lease: 6 * time.Second, Timeout: 2 * time.Second, Poll: 50 * time.Millisecond,
		Backoff: 100 * time.Millisecond, MaxBackoff: time.Second,
	}, preparer)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // which ends with the test
		stop()
	}()
	return worker.Run(ctx)
}

// mailer returns one for each server.
func (t task) mailer() (notify.Mailer, error) {
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(t.Chain) {
		return nil, errors.New("the certificate isn't one")
	}
	cfg := smtpmail.Config{From: "portal@" + domain, TLS: &tls.Config{RootCAs: roots}, Timeout: time.Second}
	var m mailers
	var err error
	if t.Postfix != "" {
		if m.postfix, err = smtpmail.New(t.Postfix, cfg); err != nil {
			return nil, err
		}
	}
	cfg.Username, cfg.Password = username, password
	m.faulty, err = smtpmail.New(t.Faulty, cfg)
	return m, err
}

type mailers struct{ postfix, faulty *smtpmail.Mailer }

func (m mailers) Send(ctx context.Context, mail notify.Mail) error {
	if m.postfix != nil && goesToPostfix(mail.MessageID) {
		return m.postfix.Send(ctx, mail)
	}
	return m.faulty.Send(ctx, mail)
}

// A desk prepares mails. They are due unless the table "cancelled", which is the test's own, has their reference.
type desk struct{ handle *sql.DB }

const createCancelled = "CREATE TABLE cancelled (ref VARCHAR(64) PRIMARY KEY)"

func (desk) Kinds() []notify.Kind { return []notify.Kind{kind} }

func (d desk) Prepare(ctx context.Context, messages []notify.Message) []notify.Prepared {
	prepared := make([]notify.Prepared, len(messages))
	over, err := d.cancelled(ctx, messages)
	for i, m := range messages {
		switch {
		case err != nil:
			prepared[i].Err = err
		case over[m.Ref]:
			prepared[i].Cancel = "no longer due"
		default:
			prepared[i].Mail = content(m.Ref)
		}
	}
	return prepared
}

func (d desk) cancelled(ctx context.Context, messages []notify.Message) (map[string]bool, error) {
	var refs []string
	for _, m := range messages {
		refs = append(refs, "'"+m.Ref+"'") // of the test's making
	}
	rows, err := d.handle.QueryContext(ctx, fmt.Sprintf("SELECT ref FROM cancelled WHERE ref IN (%s)", strings.Join(refs, ", ")))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	over := make(map[string]bool)
	for rows.Next() {
		var ref string
		if err := rows.Scan(&ref); err != nil {
			return nil, err
		}
		over[ref] = true
	}
	return over, rows.Err()
}

// mutants are workers that are wrong in one way, with what is then found.
var mutants = map[string]string{
	"forgetful": "was delivered 0 times and is sent",
	"renaming":  "has the Message-ID",
	"blind":     "was cancelled, delivered 1 times",
	"hasty":     "was delivered 0 times and is sent",
}

// A forgetful mailer says of every tenth mail that it is sent, and doesn't send it.
type forgetful struct {
	mailer notify.Mailer
	mails  atomic.Int64
}

func (f *forgetful) Send(ctx context.Context, m notify.Mail) error {
	if f.mails.Add(1)%10 == 0 {
		return nil
	}
	return f.mailer.Send(ctx, m)
}

// A renaming mailer gives each attempt a Message-ID of its own.
type renaming struct {
	mailer notify.Mailer
	mails  atomic.Int64
}

func (r *renaming) Send(ctx context.Context, m notify.Mail) error {
	m.MessageID += notify.MessageID(fmt.Sprint(".", r.mails.Add(1)))
	return r.mailer.Send(ctx, m)
}

// A blind preparer doesn't look whether a mail is still due.
type blind struct{ desk }

func (blind) Prepare(ctx context.Context, messages []notify.Message) []notify.Prepared {
	prepared := make([]notify.Prepared, len(messages))
	for i, m := range messages {
		prepared[i].Mail = content(m.Ref)
	}
	return prepared
}

// A hasty queue records that mails are sent when they are claimed, so that none is sent twice.
type hasty struct{ notify.Queue }

func (h hasty) Claim(ctx context.Context, now time.Time, lease time.Duration, n int) ([]notify.Message, error) {
	messages, err := h.Queue.Claim(ctx, now, lease, n)
	if err != nil {
		return nil, err
	}
	var sent []notify.Result
	for _, m := range messages {
		if strings.HasPrefix(m.Ref, string(due)) {
			sent = append(sent, notify.Result{ID: m.ID, Attempt: m.Attempt, State: notify.Sent, At: now, Address: "x"})
		}
	}
	if len(sent) > 0 {
		_, err = h.Queue.Finish(ctx, sent...)
	}
	return messages, err
}
