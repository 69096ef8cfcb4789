package storagetest

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
)

// Model runs random verbs by random actors on a backend and on a naive model of the rules, and compares after every
// step each answer, each list on random page sizes, each decision and the histories. At the end it searches for every
// token that was mailed in all that the library said and stored; it returns the tokens, so that a backend's own test
// can search its files as well. A failure prints the seed and the shortest sequence that rapid finds.
func Model(t *testing.T, db storage.DB) (tokens []string) {
	m := newModel(t, db)
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		m.reset(run)
		defer m.remember()
		m.begin(rt)
		for range 4 {
			rt.Repeat(m.actions(rt))
		}
	})
	m.searchSecrets(t)
	return m.said.tokens
}

// A model is the services on a backend beside the naive answer to everything. Each run has accounts and users of its
// own on the same database.
type model struct {
	db      storage.DB
	members *access.Service
	invites *invite.Service
	worker  *notify.Worker
	post    *post
	said    *utterances

	populations []population // of all runs that are over

	naive    *naive
	prefix   string
	users    []access.UserID
	links    []link
	accepted map[string]access.UserID // by invite id
}

// A link is a token that was mailed at some time.
type link struct {
	token   string
	account access.AccountID
	invited access.UserID
	id      string
	number  int // among the links of its invite
}

func newModel(t *testing.T, db storage.DB) *model {
	m := &model{db: db, naive: &naive{now: noon()}, said: &utterances{}, post: &post{last: map[string]string{}}}
	now := func() time.Time { return m.naive.now }
	m.members = access.New(db, access.Config{Now: now,
		Staff: func(context.Context, access.Actor, access.EventKind, access.AccountID) error { return nil }})
	var err error
	key := invite.Key{ID: "k", Secret: bytes.Repeat([]byte{7}, invite.MinKeyBytes)}
	m.invites, err = invite.New(db, m.members, []invite.Key{key}, invite.Config{LinkBase: linkBase})
	require.NoError(t, err)
	log := slog.New(slog.NewTextHandler(m.said, &slog.HandlerOptions{Level: slog.LevelDebug}))
	m.worker, err = notify.NewWorker(db, m.post, notify.WorkerConfig{Now: now, Log: log}, m.members, m.invites)
	require.NoError(t, err)
	return m
}

const linkBase = "https://portal.example/i/"

func (m *model) reset(run int) {
	m.prefix = fmt.Sprintf("r%d-", run)
	// The clock goes on from run to run: the outbox is shared by all of them.
	m.naive = &naive{now: m.naive.now.Add(time.Minute), between: time.Minute, perDay: 5,
		accounts: map[access.AccountID]*naiveAccount{}, sends: map[string][]time.Time{}}
	m.links, m.accepted = nil, map[string]access.UserID{}
	m.users = nil
	for _, name := range []string{"ann", "bob", "cyd", "dan", "eve"} {
		user := access.UserID(m.prefix + name)
		m.users = append(m.users, user)
		err := m.members.SyncUser(context.Background(), access.User{ID: user, Name: name, Address: addressOf(user), Verified: true})
		if err != nil {
			panic(err)
		}
	}
}

// begin gives a run something to start from: an account with an owner, managers and a member.
func (m *model) begin(rt *rapid.T) {
	ctx, id, staff := context.Background(), access.AccountID(m.prefix+"x"), access.AsStaff("sam", "a test")
	m.create(rt, id, m.users[0])
	for i, p := range []access.Permission{access.All, access.ManageUsers | access.PayInvoices, access.ViewProducts} {
		_, err := m.members.AddMember(ctx, staff, id, m.users[i+1], access.Terms{Permissions: p})
		m.same(rt, m.naive.admit(m.naive.accounts[id], m.users[i+1], p, 0), err)
	}
}

func addressOf(user access.UserID) access.Address {
	a, err := access.ParseAddress(string(user) + "@example.com")
	if err != nil {
		panic(err)
	}
	return a
}

func (m *model) identity(user access.UserID) invite.Identity {
	return invite.Identity{Actor: access.As(user), Address: addressOf(user), Verified: true}
}

// collect takes the token that a send has mailed, and checks that exactly the mails that are due leave.
func (m *model) collect(rt *rapid.T, sent invite.Sent, invited access.UserID) {
	for {
		n, err := m.worker.Deliver(context.Background())
		require.NoError(rt, err)
		if n == 0 {
			break
		}
	}
	a := m.naive.accounts[sent.Invite.Account]
	i := a.pending[invited]
	i.id = string(sent.Invite.ID)
	a.pending[invited] = i
	_, after, found := strings.Cut(m.post.last[addressOf(invited).Original()], linkBase)
	if !found {
		rt.Fatalf("the invite was not mailed")
	}
	token := after[:invite.TokenLength]
	m.said.secret(token)
	m.links = append(m.links, link{token, sent.Invite.Account, invited, i.id, i.links})
}

// TokenSecret returns the secret bytes of a token, without the id that is none: what no file of a database holds.
func TokenSecret(token string) []byte {
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		panic("storagetest: no token")
	}
	const public = 18 // id and generation
	return b[public:]
}

// post is a mailer that keeps the last invite to each address.
type post struct{ last map[string]string }

// Send takes every mail.
func (p *post) Send(_ context.Context, mail notify.Mail) error {
	if strings.Contains(mail.Text, linkBase) {
		p.last[mail.To] = mail.Text
	}
	return nil
}

// remember notes who there was in the run that is over, for the search at the end.
func (m *model) remember() {
	m.populations = append(m.populations, population{slices.Sorted(maps.Keys(m.naive.accounts)), m.users})
}

// searchSecrets looks for every token in everything that was said and stored, in all runs.
func (m *model) searchSecrets(t *testing.T) {
	dump, err := dumpAll(t.Context(), m.db, m.populations)
	require.NoError(t, err)
	m.said.add(dump)
	require.NotEmpty(t, m.said.tokens)
	all := m.said.text.String()
	for _, token := range m.said.tokens {
		require.False(t, strings.Contains(all, token), "a token was found in a log, list, event, error or row")
		// The end of a token is its secret: the id before it is none.
		require.False(t, strings.Contains(all, token[24:]), "the secret part of a token was found")
	}
}

// utterances is all that was said: logs, errors, lists. It is safe for concurrent use.
type utterances struct {
	mu     sync.Mutex
	text   strings.Builder
	tokens []string
}

// Write takes a line of a log.
func (u *utterances) Write(line []byte) (int, error) {
	u.add(string(line))
	return len(line), nil
}

func (u *utterances) add(text string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.text.WriteString(text)
	u.text.WriteByte('\n')
}

func (u *utterances) secret(token string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.tokens = append(u.tokens, token)
}
