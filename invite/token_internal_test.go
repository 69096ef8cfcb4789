package invite

import (
	"encoding/base64"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/rosterkit/roster/access"
	"github.com/stretchr/testify/require"
)

// alphabet is every character that a token may hold.
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

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

	c, ok := parseToken(text)
	require.True(t, ok)
	require.Equal(t, ID("0190a6e2-7c10-7abc-8def-0123456789ab"), c.id)
	require.EqualValues(t, 3, c.generation)
	require.Equal(t, b[18:], c.mac[:])
	require.True(t, fixedRing(t, "eu").authentic(c, fixedRecord(t)))
}

func TestTokenIsBoundToEverything(t *testing.T) {
	c, ok := parseToken(fixedToken(t))
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
		changed := c
		changed.generation = generation
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
	c, ok := parseToken(fixedToken(t))
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

func TestParseTokenRefuses(t *testing.T) {
	good := fixedToken(t)
	require.Len(t, alphabet, 64)
	bad := map[string]string{
		"empty":                   "",
		"63 characters":           good[:63],
		"65 characters":           good + "A",
		"a blank behind":          good + " ",
		"padding":                 good[:63] + "=",
		"padding behind":          good + "=",
		"a line break inside":     good[:32] + "\n" + good[33:],
		"a line break in between": good[:32] + "\r\n" + good[32:62],
		"a NUL":                   good[:32] + "\x00" + good[33:],
		"two bytes":               good[:31] + "é" + good[33:],
		"not UTF-8":               good[:32] + "\xff" + good[33:],
		"very long":               strings.Repeat(good, 1000),
	}
	for _, c := range "+/=.,~ \t\n\r%" {
		bad["with "+string(c)] = good[:32] + string(c) + good[33:]
	}
	for name, text := range bad {
		c, ok := parseToken(text)
		require.False(t, ok, name)
		require.Zero(t, c, name)
	}
}

// FuzzParseToken looks for a panic, and for a second spelling: what is accepted is the one way to write its bytes.
func FuzzParseToken(f *testing.F) {
	f.Add(fixedToken(f))
	f.Add("")
	f.Add(strings.Repeat("A", 22) + fixedToken(f)[22:]) // the rest of a token behind another id
	f.Add(strings.Repeat("A", 64))
	f.Add(strings.Repeat("A", 63) + "\n")
	f.Add(strings.Repeat("-_", 32))
	f.Add(strings.Repeat("+/", 32))
	ring, record := fixedRing(f, "eu"), fixedRecord(f)
	f.Fuzz(func(t *testing.T, text string) {
		c, ok := parseToken(text)
		if !ok {
			require.Zero(t, c)
			return
		}
		require.Len(t, text, TokenLength)
		require.Len(t, c.id, 36)
		b, err := base64.RawURLEncoding.DecodeString(text)
		require.NoError(t, err)
		require.Equal(t, text, base64.RawURLEncoding.EncodeToString(b))
		require.Equal(t, c.mac[:], b[18:])
		require.Equal(t, text == fixedToken(t), ring.authentic(c, record))
	})
}

func TestKeyring(t *testing.T) {
	secret := []byte(strings.Repeat("s", 32))
	for _, test := range []struct {
		name string
		keys []Key
		code string
	}{
		{"none", nil, "key.missing"},
		{"empty list", []Key{}, "key.missing"},
		{"no id", []Key{{Secret: secret}}, "key.id"},
		{"long id", []Key{{ID: strings.Repeat("k", 33), Secret: secret}}, "key.id"},
		{"blank in the id", []Key{{ID: "a b", Secret: secret}}, "key.id"},
		{"line break in the id", []Key{{ID: "a\n", Secret: secret}}, "key.id"},
		{"letter outside ASCII in the id", []Key{{ID: "é", Secret: secret}}, "key.id"},
		{"no secret", []Key{{ID: "a"}}, "key.short"},
		{"31 bytes", []Key{{ID: "a", Secret: secret[:31]}}, "key.short"},
		{"a short former key", []Key{{ID: "a", Secret: secret}, {ID: "b", Secret: secret[:31]}}, "key.short"},
		{"twice", []Key{{ID: "a", Secret: secret}, {ID: "a", Secret: []byte(strings.Repeat("t", 32))}}, "key.twice"},
	} {
		ring, err := newKeyring(test.keys, "")
		var refused *access.Error
		require.ErrorAs(t, err, &refused, test.name)
		require.ErrorIs(t, err, access.ErrInvalid, test.name)
		require.Equal(t, test.code, refused.Code, test.name)
		require.NotContains(t, err.Error(), "sss", test.name)
		require.Zero(t, ring, test.name)
	}

	ring, err := newKeyring([]Key{{ID: strings.Repeat("k", 32), Secret: secret}, {ID: "b", Secret: secret}}, "")
	require.NoError(t, err, "32 bytes and an id of 32 characters are enough")
	require.Equal(t, strings.Repeat("k", 32), ring.current)
	require.Len(t, ring.derived, 2)
}

// The keyring keeps no secret of the host, and doesn't notice what becomes of the caller's slice.
func TestKeyringDerives(t *testing.T) {
	secret := []byte("0123456789abcdef0123456789abcdef")
	ring, err := newKeyring([]Key{{ID: "2026", Secret: secret}}, "eu")
	require.NoError(t, err)
	require.NotEqual(t, secret, ring.derived["2026"].bytes)
	clear(secret)
	token, ok := ring.token(fixedRecord(t))
	require.True(t, ok)
	require.Equal(t, fixedToken(t), token.Secret())
}
