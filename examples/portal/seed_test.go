package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
)

func TestSeed(t *testing.T) {
	db, err := openDatabase(t.Context(), filepath.Join(t.TempDir(), "portal.db"))
	require.NoError(t, err)
	t.Cleanup(func() { db.Close() })
	server := httptest.NewUnstartedServer(nil)
	logged := &lockedBuffer{}
	c := config{database: db, key: bytes.Repeat([]byte("k"), keyBytes), log: slog.New(slog.NewTextHandler(logged, nil)), now: time.Now,
		baseURL: &url.URL{Scheme: "http", Host: server.Listener.Addr().String()}}
	p, err := newPortal(t.Context(), c)
	require.NoError(t, err)
	t.Cleanup(func() { p.close() })
	require.NoError(t, p.seedOnce(t.Context(), c))
	require.NoError(t, p.seedOnce(t.Context(), c), "once is enough")
	server.Config.Handler = p.handler()
	server.Start()
	t.Cleanup(server.Close)
	s := &site{portal: p, server: server, logged: logged}

	sam := s.browser(t)
	page := sam.signIn("sam@northlight.example", demoPassword)
	count := 0
	for account, err := range access.Walk(func(page access.Page) (access.List[access.UserAccount], error) {
		return p.members.Accounts(context.Background(), access.As("sam"), "sam", access.AccountFilter{}, page)
	}) {
		require.NoError(t, err)
		require.Contains(t, page.text(), account.Account.Profile.Name)
		count++
	}
	require.Equal(t, 40, count)

	page = s.browser(t).signIn("olivia@brightside.example", demoPassword).follow("User Management")
	for _, words := range []string{"All permissions", "Trusted manager", "Developer", "Accounting", "Domain manager", "suspended", "never",
		"old.contractor@example.com", "expired", "new.bookkeeper@example.com", "pending"} {
		require.Contains(t, page.text(), words)
	}
	require.Contains(t, page.follow("Contacts").text(), "Accounts Payable")
	verified, err := p.members.VerifyHistory(t.Context(), access.As("olivia"), bakery, access.Head{})
	require.NoError(t, err)
	require.False(t, verified.Altered)

	require.Contains(t, s.browser(t).signIn("priya@ledgerly.example", demoPassword).text(), "1 invite waits for you")
	require.Contains(t, s.browser(t).signIn("eve@solo.example", demoPassword).text(), "No accounts yet")
}

func TestRunSeedsServesAndStops(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	reader, writer := io.Pipe()
	ended := make(chan error, 1)
	file := filepath.Join(t.TempDir(), "portal.db")
	go func() {
		ended <- run(ctx, []string{"-addr", "127.0.0.1:0", "-db", "sqlite:" + file}, environment(nil), writer, io.Discard)
		writer.Close()
	}()
	announcedURL(t, reader)
	go func() { stop(); io.Copy(io.Discard, reader) }()
	require.NoError(t, <-ended)
	require.FileExists(t, file+".key")
}

func TestKeyFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "portal.db.key")
	first, err := readKey(file)
	require.NoError(t, err)
	require.Len(t, first, keyBytes)
	again, err := readKey(file)
	require.NoError(t, err)
	require.Equal(t, first, again)
	_, err = readKey(filepath.Join(t.TempDir(), "missing", "key"))
	require.ErrorContains(t, err, "can't read or create the key file")
}
