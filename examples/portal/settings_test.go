package main

import (
	"bytes"
	"context"
	"flag"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func environment(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

func TestSettings(t *testing.T) {
	got, err := readSettings(nil, environment(nil), io.Discard)
	require.NoError(t, err)
	require.Equal(t, settings{address: "127.0.0.1:8080", database: "sqlite:portal.db", keyFile: "portal.db.key", seed: true}, got)

	variables := environment(map[string]string{
		"PORTAL_ADDR": "127.0.0.1:1", "PORTAL_DB": "sqlite:/tmp/a b.db", "PORTAL_BASE_URL": "https://portal.example.com/", "PORTAL_SEED": "false",
	})
	got, err = readSettings(nil, variables, io.Discard)
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1:1", got.address)
	require.Equal(t, "sqlite:/tmp/a b.db", got.database)
	require.Equal(t, "/tmp/a b.db.key", got.keyFile)
	require.Equal(t, "https://portal.example.com", got.baseURL.String())
	require.False(t, got.seed)

	got, err = readSettings([]string{"-addr", "127.0.0.1:2", "-seed"}, variables, io.Discard)
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1:2", got.address, "flags win")
	require.True(t, got.seed)

	var help strings.Builder
	_, err = readSettings([]string{"-help"}, environment(nil), &help)
	require.ErrorIs(t, err, flag.ErrHelp)
	require.Contains(t, help.String(), "-base-url")
}

func TestSettingsRefused(t *testing.T) {
	for _, args := range [][]string{
		{"-nonsense"},
		{"stray"},
		{"-addr", "nowhere"},
		{"-db", "portal.db"},
		{"-db", "sqlite:"},
		{"-db", "sqlite::memory:"},
		{"-base-url", "portal.example.com"},
		{"-base-url", "ftp://portal.example.com"},
		{"-base-url", "https://portal.example.com/deeper"},
		{"-base-url", "https://portal.example.com/?query"},
		{"-seed=perhaps"},
	} {
		_, err := readSettings(args, environment(nil), io.Discard)
		_, ok := err.(usageError)
		require.True(t, ok, "%v: %v", args, err)
		require.NotContains(t, err.Error(), "\n")
		require.NotContains(t, err.Error(), "secret")
	}
	_, err := readSettings(nil, environment(map[string]string{"PORTAL_SEED": "perhaps"}), io.Discard)
	require.ErrorContains(t, err, "PORTAL_SEED")
}

func TestDatabaseSettings(t *testing.T) {
	for value, keyFile := range map[string]string{
		"sqlite:a.db":                                   "a.db.key",
		"postgres://user:p%40ss@host:5432/name":         "portal.key",
		"postgresql://user@/name?host=/run/postgresql":  "portal.key",
		"postgres://host/name?sslmode=verify-full":      "portal.key",
		"mysql://user:p%40%2f%3f%23ss@host/name":        "portal.key",
		"mysql://user:pa@ss@[::1]:3307/name?tls=true":   "portal.key",
		"mysql://user@/name?socket=/run/mysqld/my.sock": "portal.key",
	} {
		got, err := readSettings([]string{"-db", value}, environment(nil), io.Discard)
		require.NoError(t, err, value)
		require.Equal(t, settings{address: "127.0.0.1:8080", database: value, keyFile: keyFile, seed: true}, got)
		got, err = readSettings([]string{"-db", value}, environment(map[string]string{"PORTAL_KEY": "/etc/key"}), io.Discard)
		require.NoError(t, err)
		require.Equal(t, "/etc/key", got.keyFile)
	}
}

// A password that isn't escaped must not end up as part of a host or a name, which errors show.
func TestDatabaseSettingsRefused(t *testing.T) {
	for _, value := range []string{
		"secret", "secret:", "oracle://user:secret@host/name", "user:secret@tcp(host:3306)/name",
		"postgres:user:secret@host/name", "postgres:secret", "mysql:secret", "mysql:/secret",
		"postgres://user:secret@host:port/name", "mysql://user:secret@host:port/name",
		"postgres://user:%secret@host/name", "mysql://user:%secret@host/name",
		"postgres://user:12/secret@host/name", "mysql://user:12/secret@host/name",
		"postgres://user:12?secret@host/name", "mysql://user:12?secret@host/name",
		"postgres://user:12#secret@host/name", "mysql://user:12#secret@host/name",
		"postgres://user:secret@host/name#fragment",
		"postgres://user:secret@host/name?sslmode=secret", "postgres://user:secret@host/name?sslrootcert=/missing",
		"mysql://user:secret@host/name?parseTime=secret", "mysql://user:secret@host/name?tls=secret",
		"mysql://user:secret@host/", "mysql://user:secret@host", "mysql://user:secret@/name", "mysql://user:secret@:3306/name",
	} {
		for _, args := range [][]string{{"-db", value}, {"-db=" + value}, {value}} {
			_, err := readSettings(args, environment(nil), io.Discard)
			_, ok := err.(usageError)
			require.True(t, ok, "%v: %v", args, err)
			require.NotContains(t, err.Error(), "\n")
			require.NotContains(t, err.Error(), "secret")
			require.NotContains(t, err.Error(), "12")
		}
		_, err := readSettings(nil, environment(map[string]string{"PORTAL_DB": value}), io.Discard)
		require.Error(t, err)
		require.NotContains(t, err.Error(), "secret")
	}
}

func TestHelpShowsNoPassword(t *testing.T) {
	var help strings.Builder
	_, err := readSettings([]string{"-h"}, environment(map[string]string{"PORTAL_DB": "postgres://user:hunter2@host/name"}), &help)
	require.ErrorIs(t, err, flag.ErrHelp)
	require.Contains(t, help.String(), "mysql://")
	require.NotContains(t, help.String(), "hunter2")
}

func TestRunRefusesABusyPort(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	file := filepath.Join(t.TempDir(), "portal.db")
	err = run(t.Context(), []string{"-addr", listener.Addr().String(), "-db", "sqlite:" + file}, environment(nil), io.Discard, io.Discard)
	require.ErrorContains(t, err, "address already in use")
	require.NoFileExists(t, file)
}

func TestRunRefusesADatabaseItCannotWrite(t *testing.T) {
	folder := t.TempDir()
	broken := filepath.Join(folder, "broken.db")
	require.NoError(t, os.WriteFile(broken, bytes.Repeat([]byte("no database "), 100), 0o600))
	for _, file := range []string{folder, filepath.Join(folder, "missing", "portal.db"), broken} {
		err := run(t.Context(), []string{"-addr", "127.0.0.1:0", "-db", "sqlite:" + file}, environment(nil), io.Discard, io.Discard)
		require.ErrorContains(t, err, "can't create or write the database file "+file)
		require.NotContains(t, err.Error(), "\n")
	}
}

func TestRunServesAndStops(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	reader, writer := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		file := filepath.Join(t.TempDir(), "a folder?#%.db")
		ended <- run(ctx, []string{"-addr", "127.0.0.1:0", "-seed=false", "-db", "sqlite:" + file}, environment(nil), writer, io.Discard)
		writer.Close()
	}()
	address := announcedURL(t, reader)
	go io.Copy(io.Discard, reader)
	response, err := http.Get(address + "/sign-in")
	require.NoError(t, err)
	response.Body.Close()
	require.Equal(t, http.StatusOK, response.StatusCode)
	stop()
	require.NoError(t, <-ended)
	_, err = http.Get(address + "/sign-in")
	require.Error(t, err, "nobody listens any more")
}

// announcedURL reads the address that run prints first.
func announcedURL(t *testing.T, out io.Reader) string {
	t.Helper()
	var line strings.Builder
	for letter := make([]byte, 1); letter[0] != '\n'; {
		_, err := out.Read(letter)
		require.NoError(t, err)
		line.Write(letter)
	}
	_, address, ok := strings.Cut(strings.TrimSpace(line.String()), "The portal is at ")
	require.True(t, ok, line.String())
	return address
}
