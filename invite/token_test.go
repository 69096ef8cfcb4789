package invite_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"context"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
	"github.com/stretchr/testify/require"
)

const tokenAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// invalid is the one answer to everything that isn't an authentic token.
func invalid() error {
	return &access.Error{Kind: access.ErrNotFound, Code: "invite.invalid", Field: "invite", Reason: "has a link that isn't valid"}
}

// byToken are the verbs that take a token.
func (w *world) byToken() map[string]func(token string, who invite.Identity) error {
	return map[string]func(string, invite.Identity) error{
		"Lookup": func(token string, who invite.Identity) error {
			p, err := w.Invites.Lookup(ctx, token, who)
			if err != nil {
				require.Zero(w.T, p)
			}
			return err
		},
		"Accept": func(token string, who invite.Identity) error {
			a, err := w.Invites.Accept(ctx, token, who)
			if err != nil {
				require.Zero(w.T, a)
			}
			return err
		},
		"Decline": func(token string, who invite.Identity) error { return only(w.Invites.Decline(ctx, token, who)) },
	}
}

func TestEveryOtherCharacterIsInvalid(t *testing.T) {
	w := newWorld(t, invite.Config{})
	w.send(bob, access.PayInvoices)
	token := w.Token(bob)
	before := w.dump()
	for i := range token {
		for _, c := range tokenAlphabet + "+/=\n" {
			if rune(token[i]) == c {
				continue
			}
			_, err := w.Invites.Lookup(ctx, token[:i]+string(c)+token[i+1:], verified(bob))
			if err == nil || codeOf(err) != "invite.invalid" {
				require.Fail(t, "another token is authentic", "position %d, %q: %v", i, c, err)
			}
			require.Equal(t, invalid(), err)
		}
	}
	require.Equal(t, before, w.dump())
	w.join(bob)
}

func TestInvalidTokensLookTheSame(t *testing.T) {
	w := newWorld(t, invite.Config{})
	sent := w.send(bob, access.PayInvoices)
	token := w.Token(bob)
	raw, err := base64.RawURLEncoding.DecodeString(token)
	require.NoError(t, err)
	with := func(place int, b byte) string {
		changed := bytes.Clone(raw)
		changed[place] = b
		return base64.RawURLEncoding.EncodeToString(changed)
	}
	other, err := w.service([]invite.Key{{ID: "2026", Secret: bytes.Repeat([]byte("x"), 32)}}, invite.Config{Delivery: invite.ByHost}).
		Send(ctx, access.As(bea), beta, offer(bob, access.PayInvoices))
	require.NoError(t, err)
	elsewhere, err := w.service(keys, invite.Config{Delivery: invite.ByHost, Deployment: "eu"}).
		Send(ctx, access.As(bea), beta, offer(eve, access.PayInvoices))
	require.NoError(t, err)

	bad := map[string]string{
		"empty": "", "63 characters": token[:63], "65 characters": token + "A", "padded": token[:63] + "=", "padded behind": token + "=",
		"a line break inside": token[:20] + "\n" + token[21:], "a line break behind": token + "\n", "blanks": " " + token + " ",
		"lower case": strings.ToLower(token), "upper case": strings.ToUpper(token), "twice": token + token,
		"the invite's id": string(sent.Invite.ID), "the placeholder": invite.Token{}.String(),
		"unknown id": with(0, raw[0]^1), "wrong MAC": with(47, raw[47]^1), "generation 0": with(17, 0), "a future generation": with(17, 2),
		"the greatest generation": with(16, 255), "made with another key": other.Token.Secret(), "made for another deployment": elsewhere.Token.Secret(),
		"all zero": strings.Repeat("A", 64), "huge": strings.Repeat("A", 1<<20),
	}
	for verb, do := range w.byToken() {
		for name, text := range bad {
			for _, who := range []invite.Identity{{}, verified(bob), verified(eve)} {
				before := w.dump()
				require.Equal(t, invalid(), do(text, who), "%s, %s", verb, name)
				require.Equal(t, before, w.dump(), "%s, %s", verb, name)
			}
		}
	}
}

// An attacker who counts or times the calls to the database learns nothing about which ids there are.
func TestInvalidTokensCostTheSame(t *testing.T) {
	w := newWorld(t, invite.Config{})
	sent := w.send(bob, access.PayInvoices)
	first := w.Token(bob)
	w.Clock.Advance(time.Hour)
	_, err := w.Invites.Resend(ctx, access.As(ann), acme, sent.Invite.ID)
	require.NoError(t, err)
	future := w.Token(bob)
	// As after a restore of the database from before the resend.
	w.write(func(ctx context.Context, tx storage.Tx) error {
		r, err := tx.Invite(ctx, sent.Invite.Account, sent.Invite.ID)
		require.NoError(t, err)
		r.Generation = 1
		return tx.UpdateInvite(ctx, r, 2)
	})
	change := func(place int) string {
		raw, err := base64.RawURLEncoding.DecodeString(first)
		require.NoError(t, err)
		raw[place] ^= 1
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	for verb, do := range w.byToken() {
		for name, text := range map[string]string{"unknown id": change(0), "wrong MAC": change(47),
			"future generation": future, "other generation": change(17)} {
			calls := w.db.trace(func() { require.Equal(t, invalid(), do(text, verified(bob)), "%s, %s", verb, name) })
			require.Equal(t, []string{"FindInvite"}, calls, "%s, %s", verb, name)
		}
		require.Empty(t, w.db.trace(func() { require.Equal(t, invalid(), do("x", verified(bob))) }), "%s of no token at all", verb)
	}
}

// A failing database is no invalid token: the person may come back.
func TestBrokenStorageIsNoInvalidToken(t *testing.T) {
	w := newWorld(t, invite.Config{})
	sent := w.send(bob, access.PayInvoices)
	token := w.Token(bob)
	w.db.broken = "FindInvite"
	for verb, do := range w.byToken() {
		require.ErrorIs(t, do(token, verified(bob)), errBroken, verb)
	}
	_, err := w.Invites.AcceptPending(ctx, sent.Invite.ID, verified(bob))
	require.ErrorIs(t, err, errBroken)
	require.ErrorIs(t, only(w.Invites.DeclinePending(ctx, sent.Invite.ID, verified(bob))), errBroken)
	w.db.broken = ""
	w.join(bob)
}

func TestSecretsDontPrint(t *testing.T) {
	w := newWorld(t, invite.Config{Delivery: invite.ByHost})
	sent := w.send(bob, access.PayInvoices)
	secret := sent.Token.Secret()
	require.Len(t, secret, invite.TokenLength)
	require.False(t, sent.Token.IsZero())
	key := invite.Key{ID: "2026", Secret: []byte("0123456789abcdef0123456789abcdef")}

	for name, value := range map[string]any{
		"token": sent.Token, "pointer to a token": &sent.Token, "sent": sent, "pointer to sent": &sent, "tokens": []invite.Token{sent.Token},
		"result": invite.Result{Sent: sent}, "service": w.Invites, "record": w.record(sent.Invite.ID), "key": key, "pointer to a key": &key, "keys": []invite.Key{key},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%o", "%c", "%T", "%20v", "%!"} {
			requireNoSecret(t, name+" by "+verb, fmt.Sprintf(verb, value), secret, key)
		}
		requireNoSecret(t, name, fmt.Sprint(value)+fmt.Sprintln(value)+fmt.Errorf("%w", errors.New(fmt.Sprint(value))).Error(), secret, key)
		text, err := json.Marshal(value)
		require.NoError(t, err)
		requireNoSecret(t, name+" as JSON", string(text), secret, key)
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "value", value)
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "value", value)
		requireNoSecret(t, name+" in a log", log.String(), secret, key)
	}
	row := w.record(sent.Invite.ID)
	for _, verb := range []string{"%v", "%+v", "%s", "%#v", "%d", "%x"} {
		for _, spelling := range []string{"%v", "%x", "%#v"} {
			require.NotContains(t, fmt.Sprintf(verb, row), strings.Trim(fmt.Sprintf(spelling, row.Secret[:]), "[]"), verb)
		}
		require.Contains(t, fmt.Sprintf(verb, row.Secret), "access.Secret")
	}
	text, err := json.Marshal(row)
	require.NoError(t, err)
	require.Contains(t, string(text), `"Secret":"access.Secret"`)
	for _, verb := range []string{"%v", "%+v", "%s", "%#v", "%d"} {
		require.Equal(t, "invite.Token(secret)", fmt.Sprintf(verb, sent.Token), verb)
		require.Equal(t, "access.Key(2026)", fmt.Sprintf(verb, key), verb)
	}
	text, err = json.Marshal(sent.Token)
	require.NoError(t, err)
	require.JSONEq(t, `"invite.Token(secret)"`, string(text))
	require.True(t, invite.Token{}.IsZero())
	require.Empty(t, invite.Token{}.Secret())
}

func requireNoSecret(t *testing.T, name, text, token string, key invite.Key) {
	t.Helper()
	for _, spelling := range []string{"%s", "%x", "%X", "%d", "%#v"} {
		require.NotContains(t, text, fmt.Sprintf(spelling, token), name)
		require.NotContains(t, text, fmt.Sprintf(spelling, key.Secret), name)
	}
	require.NotContains(t, text, token[24:], name)
	require.NotContains(t, text, base64.StdEncoding.EncodeToString(key.Secret), name)
	require.NotContains(t, text, "48 49 50 51", name)
}

func TestKeysRotate(t *testing.T) {
	w := newWorld(t, invite.Config{})
	former := invite.Key{ID: "2025", Secret: bytes.Repeat([]byte("f"), 32)}
	current := invite.Key{ID: "2026", Secret: bytes.Repeat([]byte("c"), 32)}
	use := func(keys ...invite.Key) {
		w.Invites = w.service(keys, invite.Config{})
		w.worker(w.Mail)
	}
	inUse := func(want ...string) {
		t.Helper()
		ids, err := w.Invites.KeysInUse(ctx)
		require.NoError(t, err)
		require.ElementsMatch(t, want, ids)
	}
	use(former)
	inUse()
	sent := w.send(bob, access.PayInvoices)
	w.send(eve, access.PayInvoices)
	toBob, toEve := w.Token(bob), w.Token(eve)
	w.Clock.Advance(time.Hour)

	use(current, former)
	inUse("2025")
	w.send("zoe", access.PayInvoices)
	inUse("2025", "2026")
	_, err := w.Invites.Accept(ctx, toBob, verified(bob))
	require.NoError(t, err, "the former key is honoured")
	require.Equal(t, "2025", w.record(sent.Invite.ID).Key)

	// A resend makes its link with the current key.
	resent := w.send(eve, access.PayInvoices)
	require.True(t, resent.Resent)
	require.Equal(t, "2026", w.record(resent.Invite.ID).Key)
	inUse("2026")
	p, err := w.Invites.Lookup(ctx, toEve, verified(eve))
	require.NoError(t, err)
	require.Equal(t, invite.IsReplaced, p.Outcome, "although the row names another key now")

	// Dropped too early: its tokens are invalid, and its mails wait.
	use(former)
	_, err = w.Invites.Lookup(ctx, w.tokenOf("zoe"), verified("zoe"))
	require.Equal(t, invalid(), err)
	message := notify.Message{Kind: invite.MailInvite, Group: string(acme), Ref: string(resent.Invite.ID), Generation: uint64(resent.Invite.Generation)}
	prepared := w.Invites.Prepare(ctx, []notify.Message{message})
	require.Len(t, prepared, 1)
	require.EqualError(t, prepared[0].Err, "invite: the key of the invite is not in the configuration")
	require.Empty(t, prepared[0].Cancel)
	require.Zero(t, prepared[0].Mail)
	require.False(t, notify.IsPermanent(prepared[0].Err), "it is sent when the key is back")

	use(current)
	prepared = w.Invites.Prepare(ctx, []notify.Message{message})
	require.NoError(t, prepared[0].Err)
	require.NotEmpty(t, prepared[0].Mail.Text)
	w.join(eve)
}

// The key of an invite that has expired isn't needed: sending it again makes its link with the current one.
func TestKeysOfExpiredInvites(t *testing.T) {
	w := newWorld(t, invite.Config{})
	w.send(bob, access.PayInvoices)
	w.Clock.Advance(72*time.Hour - time.Microsecond)
	ids, err := w.Invites.KeysInUse(ctx)
	require.NoError(t, err)
	require.Equal(t, []string{"2026"}, ids)
	w.Clock.Advance(time.Microsecond)
	ids, err = w.Invites.KeysInUse(ctx)
	require.NoError(t, err)
	require.Empty(t, ids)
	w.Invites = w.service([]invite.Key{{ID: "2027", Secret: bytes.Repeat([]byte("n"), 32)}}, invite.Config{})
	w.worker(w.Mail)
	w.send(bob, access.PayInvoices)
	w.join(bob)
}

// tokenOf returns what would be mailed to a user about their pending invite to acme now, with the key "2026".
func (w *world) tokenOf(user access.UserID) string {
	w.T.Helper()
	with := w.service([]invite.Key{{ID: "2026", Secret: bytes.Repeat([]byte("c"), 32)}}, invite.Config{})
	list, err := with.Pending(ctx, access.As(ann), acme, invite.Filter{Prefix: string(user)}, access.Page{})
	require.NoError(w.T, err)
	require.Len(w.T, list.Items, 1)
	prepared := with.Prepare(ctx, []notify.Message{{Kind: invite.MailInvite, Group: string(acme), Ref: string(list.Items[0].ID), Generation: uint64(list.Items[0].Generation)}})
	require.NoError(w.T, prepared[0].Err)
	_, after, found := strings.Cut(prepared[0].Mail.Text, linkBase)
	require.True(w.T, found)
	return after[:invite.TokenLength]
}

// A stolen database is not enough to make a token, and neither is a stolen key.
func TestTokenNeedsBothDatabaseAndKey(t *testing.T) {
	w := newWorld(t, invite.Config{})
	sent := w.send(bob, access.PayInvoices)
	token := w.Token(bob)

	w.Invites = w.service([]invite.Key{{ID: "2026", Secret: bytes.Repeat([]byte("g"), 32)}}, invite.Config{})
	require.Equal(t, invalid(), w.byToken()["Accept"](token, verified(bob)), "the database with a guessed key")

	w.Invites = w.service(keys, invite.Config{})
	w.write(func(ctx context.Context, tx storage.Tx) error {
		r, err := tx.Invite(ctx, sent.Invite.Account, sent.Invite.ID)
		require.NoError(t, err)
		r.Secret = [16]byte{}
		return tx.UpdateInvite(ctx, r, r.Generation)
	})
	require.Equal(t, invalid(), w.byToken()["Accept"](token, verified(bob)), "the key without the row's secret")
}
