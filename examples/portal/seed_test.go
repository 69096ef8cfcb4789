package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
)

// Of portals that start together on an empty database, one fills it, and all serve.
func TestSeed(t *testing.T) {
	onEachEngine(t, func(t *testing.T, source string) {
		c := config{key: bytes.Repeat([]byte("k"), keyBytes), log: slog.New(slog.DiscardHandler), now: time.Now,
			baseURL: &url.URL{Scheme: "http", Host: "portal.example"}}
		for _, err := range together(3, func(int) error { return seedAnother(t.Context(), source, c) }) {
			require.NoError(t, err)
		}
		c.database = newDatabaseOn(t, source)
		for table, want := range map[string]int{"portal_people": 8, "portal_products": 360, "portal_seeding": 0, "roster_accounts": 40,
			"roster_memberships": 40 + 39 + 6, "roster_invites": 6 + 5, "roster_contacts": 4} {
			require.Len(t, rowsOf(t, c.database, "SELECT * FROM "+table), want, table)
		}
		requireSeeded(t, newSiteWith(t, c))
	})
}

// TestOpenedAtOnce opens new files, each by several portals: some of them meet while they change its journal.
func TestOpenedAtOnce(t *testing.T) {
	folder := t.TempDir()
	for i := range 100 {
		source := fmt.Sprintf("sqlite:%s/%d.db", folder, i)
		for _, err := range together(4, func(int) error {
			db, err := openDatabase(t.Context(), source)
			if err != nil {
				return err
			}
			return db.handle.Close()
		}) {
			require.NoError(t, err)
		}
	}
}

func TestSeedingIsCutShort(t *testing.T) {
	onEachEngine(t, func(t *testing.T, source string) {
		s := newSiteOn(t, source)
		mine, err := s.seeding.take(t.Context(), s.now())
		require.NoError(t, err)
		require.True(t, mine)
		mine, err = s.seeding.take(t.Context(), s.now())
		require.NoError(t, err)
		require.False(t, mine, "it is another one's turn")

		s.clock.Advance(seedingTurn - time.Second)
		require.NoError(t, s.seeding.goOn(t.Context(), s.now()))
		s.clock.Advance(seedingTurn - time.Second)
		_, err = s.seeding.take(t.Context(), s.now())
		require.NoError(t, err)
		s.clock.Advance(time.Second)
		require.ErrorIs(t, s.seedOnce(t.Context(), config{}), errSeedingCutShort)

		require.NoError(t, s.seeding.end(t.Context()))
		mine, err = s.seeding.take(t.Context(), s.now())
		require.NoError(t, err)
		require.True(t, mine)
		require.NoError(t, s.seeding.giveUp(t.Context()))
		require.ErrorIs(t, s.seedOnce(t.Context(), config{}), errSeedingCutShort)
	})
}

// seedAnother does what one of the portals does until it serves.
func seedAnother(ctx context.Context, source string, c config) (err error) {
	if c.database, err = openDatabase(ctx, source); err != nil {
		return err
	}
	defer c.database.handle.Close()
	p, err := newPortal(ctx, c)
	if err != nil {
		return err
	}
	defer p.close()
	return p.seedOnce(ctx, c)
}

func requireSeeded(t *testing.T, s *site) {
	t.Helper()
	sam := s.browser(t)
	page := sam.signIn("sam@northlight.example", demoPassword)
	count := 0
	for account, err := range access.Walk(func(page access.Page) (access.List[access.UserAccount], error) {
		return s.members.Accounts(context.Background(), access.As("sam"), "sam", access.AccountFilter{}, page)
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
	page = page.follow("Contacts")
	for _, words := range []string{"Accounts Payable", "Invoice Emails confirmed", "Support Emails not confirmed", "mail bounces"} {
		require.Contains(t, page.text(), words)
	}
	verified, err := s.members.VerifyHistory(t.Context(), access.As("olivia"), bakery, access.Head{})
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
	first, made, err := readKey(file)
	require.NoError(t, err)
	require.True(t, made)
	require.Len(t, first, keyBytes)
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode().Perm())
	again, made, err := readKey(file)
	require.NoError(t, err)
	require.False(t, made)
	require.Equal(t, first, again)
	files, err := filepath.Glob(filepath.Join(filepath.Dir(file), "*"))
	require.NoError(t, err)
	require.Equal(t, []string{file}, files)

	_, _, err = readKey(filepath.Join(t.TempDir(), "missing", "key"))
	require.ErrorContains(t, err, "can't read or create the key file")
}

func TestKeyFileIsMadeOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "portal.key")
	keys, made := make([][]byte, 20), atomic.Int32{}
	var group sync.WaitGroup
	for i := range keys {
		group.Go(func() {
			key, isNew, err := readKey(file)
			require.NoError(t, err)
			keys[i] = key
			if isNew {
				made.Add(1)
			}
		})
	}
	group.Wait()
	require.EqualValues(t, 1, made.Load())
	for _, key := range keys {
		require.Equal(t, keys[0], key)
	}
}
