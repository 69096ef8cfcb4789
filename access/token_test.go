package access_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
)

// alphabet is every character that a token may hold.
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

const fixedID = "0190a6e2-7c10-7abc-8def-0123456789ab"

func fixedKey() access.Key {
	return access.Key{ID: "2026", Secret: []byte("0123456789abcdef0123456789abcdef")}
}

func fixedRing(t testing.TB, deployment, purpose string) *access.Keyring {
	t.Helper()
	ring, err := access.NewKeyring([]access.Key{fixedKey()}, deployment, purpose)
	require.NoError(t, err)
	return ring
}

func fixedToken(t testing.TB) string {
	t.Helper()
	text, ok := fixedRing(t, "eu", "test").Token("2026", fixedID, 3, []byte("bound"))
	require.True(t, ok)
	return text
}

// Links in mails that are under way must work after an update: how tokens are made is a promise.
func TestTokenIsGolden(t *testing.T) {
	requireGolden(t, "token.golden", fixedToken(t)+"\n")
}

func TestTokenIsRecognised(t *testing.T) {
	token, ok := access.ParseToken(fixedToken(t))
	require.True(t, ok)
	require.Equal(t, fixedID, token.ID())
	require.EqualValues(t, 3, token.Number())
	require.Equal(t, []string{"2026"}, fixedRing(t, "eu", "test").Makers(token, []byte("bound")))

	other, err := access.NewKeyring([]access.Key{{ID: "2026", Secret: []byte("0123456789abcdef0123456789abcdeg")}}, "eu", "test")
	require.NoError(t, err)
	require.Empty(t, other.Makers(token, []byte("bound")), "another key with the same id")
	require.Empty(t, fixedRing(t, "us", "test").Makers(token, []byte("bound")), "another deployment")
	require.Empty(t, fixedRing(t, "eu", "invite").Makers(token, []byte("bound")), "another purpose")
	require.Empty(t, fixedRing(t, "eu", "test").Makers(token, []byte("found")), "for something else")
	require.Empty(t, fixedRing(t, "eu", "test").Makers(access.LinkToken{}, []byte("bound")))
}

// TestEveryByteOfATokenCounts changes them one by one.
func TestEveryByteOfATokenCounts(t *testing.T) {
	good, err := base64.RawURLEncoding.DecodeString(fixedToken(t))
	require.NoError(t, err)
	require.Len(t, good, 48)
	for i := range good {
		changed := append([]byte(nil), good...)
		changed[i] ^= 1
		token, ok := access.ParseToken(base64.RawURLEncoding.EncodeToString(changed))
		require.True(t, ok)
		require.Empty(t, fixedRing(t, "eu", "test").Makers(token, []byte("bound")), "byte %d", i)
	}
}

func TestTokenNeedsKeyAndID(t *testing.T) {
	ring := fixedRing(t, "eu", "test")
	for _, test := range [][2]string{{"2025", fixedID}, {"2026", ""}, {"2026", "x"}} {
		text, ok := ring.Token(test[0], test[1], 3, nil)
		require.False(t, ok)
		require.Empty(t, text)
	}
}

func TestKeysOfARingRotate(t *testing.T) {
	former := access.Key{ID: "2025", Secret: []byte(strings.Repeat("f", 32))}
	ring, err := access.NewKeyring([]access.Key{fixedKey(), former}, "eu", "test")
	require.NoError(t, err)
	require.Equal(t, "2026", ring.Current())
	for _, key := range []string{"2026", "2025"} {
		text, ok := ring.Token(key, fixedID, 3, []byte("bound"))
		require.True(t, ok)
		token, ok := access.ParseToken(text)
		require.True(t, ok)
		require.Equal(t, []string{key}, ring.Makers(token, []byte("bound")))
	}
}

// The ring keeps no secret of the host, and doesn't notice what becomes of the caller's slice.
func TestKeyringDerives(t *testing.T) {
	key := fixedKey()
	ring, err := access.NewKeyring([]access.Key{key}, "eu", "test")
	require.NoError(t, err)
	clear(key.Secret)
	text, ok := ring.Token("2026", fixedID, 3, []byte("bound"))
	require.True(t, ok)
	require.Equal(t, fixedToken(t), text)
}

func TestBind(t *testing.T) {
	seen := map[string][]string{}
	for _, texts := range [][]string{nil, {""}, {"", ""}, {"ab"}, {"a", "b"}, {"", "ab"}, {"ab", ""}, {"a\x00b"}} {
		bound := string(access.Bind(texts...))
		require.Len(t, bound, 32)
		require.NotContains(t, seen, bound, "%q and %q", texts, seen[bound])
		seen[bound] = texts
	}
}

func TestKeysAndTokensDontPrint(t *testing.T) {
	token, ok := access.ParseToken(fixedToken(t))
	require.True(t, ok)
	key := fixedKey()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		require.Equal(t, "access.LinkToken(secret)", fmt.Sprintf(verb, token), verb)
		require.Equal(t, "access.Key(2026)", fmt.Sprintf(verb, key), verb)
	}
	text, err := json.Marshal(map[string]any{"token": token, "key": key, "secret": access.Secret{7}})
	require.NoError(t, err)
	require.JSONEq(t, `{"token":"access.LinkToken(secret)","key":"access.Key(2026)","secret":"access.Secret"}`, string(text))
	require.Equal(t, "access.Secret", fmt.Sprintf("%x", access.Secret{7}))
	require.NotContains(t, fmt.Sprintf("%+v", fixedRing(t, "eu", "test")), "48 49 50 51")
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
		c, ok := access.ParseToken(text)
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
	ring := fixedRing(f, "eu", "test")
	f.Fuzz(func(t *testing.T, text string) {
		c, ok := access.ParseToken(text)
		if !ok {
			require.Zero(t, c)
			return
		}
		require.Len(t, text, access.TokenLength)
		require.Len(t, c.ID(), 36)
		b, err := base64.RawURLEncoding.DecodeString(text)
		require.NoError(t, err)
		require.Equal(t, text, base64.RawURLEncoding.EncodeToString(b))
		require.Equal(t, text == fixedToken(t), len(ring.Makers(c, []byte("bound"))) > 0)
	})
}

func TestKeyring(t *testing.T) {
	secret := []byte(strings.Repeat("s", 32))
	for _, test := range []struct {
		name string
		keys []access.Key
		code string
	}{
		{"none", nil, "key.missing"},
		{"empty list", []access.Key{}, "key.missing"},
		{"no id", []access.Key{{Secret: secret}}, "key.id"},
		{"long id", []access.Key{{ID: strings.Repeat("k", 33), Secret: secret}}, "key.id"},
		{"blank in the id", []access.Key{{ID: "a b", Secret: secret}}, "key.id"},
		{"line break in the id", []access.Key{{ID: "a\n", Secret: secret}}, "key.id"},
		{"letter outside ASCII in the id", []access.Key{{ID: "é", Secret: secret}}, "key.id"},
		{"no secret", []access.Key{{ID: "a"}}, "key.short"},
		{"31 bytes", []access.Key{{ID: "a", Secret: secret[:31]}}, "key.short"},
		{"a short former key", []access.Key{{ID: "a", Secret: secret}, {ID: "b", Secret: secret[:31]}}, "key.short"},
		{"twice", []access.Key{{ID: "a", Secret: secret}, {ID: "a", Secret: []byte(strings.Repeat("t", 32))}}, "key.twice"},
	} {
		ring, err := access.NewKeyring(test.keys, "", "test")
		var refused *access.Error
		require.ErrorAs(t, err, &refused, test.name)
		require.ErrorIs(t, err, access.ErrInvalid, test.name)
		require.Equal(t, test.code, refused.Code, test.name)
		require.NotContains(t, err.Error(), "sss", test.name)
		require.Nil(t, ring, test.name)
	}
}
