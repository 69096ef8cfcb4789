package invite

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/rosterkit/roster/access"
	"github.com/stretchr/testify/require"
)

func address(t testing.TB, text string) access.Address {
	t.Helper()
	a, err := access.ParseAddress(text)
	require.NoError(t, err)
	return a
}

// fixedRing and fixedRecord are what the golden token is made from.
func fixedRing(t testing.TB, deployment string) keyring {
	t.Helper()
	ring, err := newKeyring([]Key{{ID: "2026", Secret: []byte("0123456789abcdef0123456789abcdef")}}, deployment)
	require.NoError(t, err)
	return ring
}

func fixedRecord(t testing.TB) Record {
	t.Helper()
	return Record{
		Invite: Invite{ID: "0190a6e2-7c10-7abc-8def-0123456789ab", Account: "acme", Address: address(t, "Bob@Example.com"),
			Generation: 3, State: Pending},
		Secret: [16]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
		Key:    "2026",
	}
}

func fixedToken(t testing.TB) string {
	t.Helper()
	token, ok := fixedRing(t, "eu").token(fixedRecord(t))
	require.True(t, ok)
	return token.Secret()
}

// Links in mails that are under way must work after an update of this package: the format is a promise.
func TestTokenIsGolden(t *testing.T) {
	want, err := os.ReadFile("testdata/token.golden")
	require.NoError(t, err)
	require.Equal(t, strings.TrimSpace(string(want)), fixedToken(t))
}

func TestTokenLayout(t *testing.T) {
	text := fixedToken(t)
	require.Len(t, text, TokenLength)
	b, err := base64.RawURLEncoding.DecodeString(text)
	require.NoError(t, err)
	require.Len(t, b, 48)
	require.Equal(t, "0190a6e27c107abc8def0123456789ab", hex.EncodeToString(b[:16]), "the id")
	require.Equal(t, "0003", hex.EncodeToString(b[16:18]), "the generation, big-endian")

	c, ok := access.ParseToken(text)
	require.True(t, ok)
	require.Equal(t, "0190a6e2-7c10-7abc-8def-0123456789ab", c.ID())
	require.EqualValues(t, 3, c.Number())
	require.True(t, fixedRing(t, "eu").authentic(c, fixedRecord(t)))
}

func TestTokenIsBoundToEverything(t *testing.T) {
	c, ok := access.ParseToken(fixedToken(t))
	require.True(t, ok)
	for name, change := range map[string]func(*Record){
		"id":                   func(r *Record) { r.ID = "0190a6e2-7c10-7abc-8def-0123456789ac" },
		"secret":               func(r *Record) { r.Secret[15]++ },
		"account":              func(r *Record) { r.Account = "acmf" },
		"address":              func(r *Record) { r.Address = address(t, "bo@example.com") },
		"account and address":  func(r *Record) { r.Account, r.Address = "acmeb", address(t, "ob@example.com") },
		"key":                  func(r *Record) { r.Key = "2025" },
		"no such invite":       func(r *Record) { *r = Record{} },
		"a future generation":  func(r *Record) { r.Generation = 2 },
		"no state, but a row":  func(r *Record) { r.State = 0 },
		"an id that isn't one": func(r *Record) { r.ID = "x" },
	} {
		r := fixedRecord(t)
		change(&r)
		require.False(t, fixedRing(t, "eu").authentic(c, r), name)
	}
	for generation := range uint16(9) {
		b, err := base64.RawURLEncoding.DecodeString(fixedToken(t))
		require.NoError(t, err)
		binary.BigEndian.PutUint16(b[16:], generation)
		changed, ok := access.ParseToken(base64.RawURLEncoding.EncodeToString(b))
		require.True(t, ok)
		r := fixedRecord(t)
		r.Generation = 9
		require.Equal(t, generation == 3, fixedRing(t, "eu").authentic(changed, r), "generation %d", generation)
	}
	require.False(t, fixedRing(t, "us").authentic(c, fixedRecord(t)), "another deployment")

	other, err := newKeyring([]Key{{ID: "2026", Secret: []byte("0123456789abcdef0123456789abcdeg")}}, "eu")
	require.NoError(t, err)
	require.False(t, other.authentic(c, fixedRecord(t)), "another key with the same id")
}

// The spelling of an address doesn't matter, nor in what state the invite is: that is told to the holder.
func TestTokenStaysAuthentic(t *testing.T) {
	c, ok := access.ParseToken(fixedToken(t))
	require.True(t, ok)
	for name, change := range map[string]func(*Record){
		"spelling":         func(r *Record) { r.Address = address(t, "bOB@EXAMPLE.COM") },
		"accepted":         func(r *Record) { r.State = Accepted },
		"revoked":          func(r *Record) { r.State = Revoked },
		"declined":         func(r *Record) { r.State = Declined },
		"later generation": func(r *Record) { r.Generation = 4 },
	} {
		r := fixedRecord(t)
		change(&r)
		require.True(t, fixedRing(t, "eu").authentic(c, r), name)
	}
}

func TestTokenNeedsKeyAndID(t *testing.T) {
	for name, change := range map[string]func(*Record){
		"unknown key": func(r *Record) { r.Key = "2025" },
		"no id":       func(r *Record) { r.ID = "" },
	} {
		r := fixedRecord(t)
		change(&r)
		token, ok := fixedRing(t, "eu").token(r)
		require.False(t, ok, name)
		require.True(t, token.IsZero(), name)
	}
}
