package notify_test

import (
	"strings"
	"testing"

	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/notify/notifytest"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestWithoutLinks(t *testing.T) {
	tests := []struct{ text, want string }{
		{"Hello Ann,\n\nit is ready.\n", "Hello Ann,\n\nit is ready.\n"},
		{"Open\n\nhttps://portal.example/invites/abc?x=1#y\n\nor don't.", "Open\n\n[link]\n\nor don't."},
		{"See (http://a.example/b), <ftp://c.example> and app://open.", "See ([link]), <[link]> and [link]"},
		{`"https://a.example/x"`, `"[link]"`},
		{"The token " + strings.Repeat("aB3_", 16) + ".", "The token […]"},
		{"ann@example.com", "ann@example.com"},
		{"", ""},
	}
	for _, tt := range tests {
		require.Equal(t, tt.want, notify.WithoutLinks(tt.text))
	}
}

func TestWithoutLinksKeepsNoToken(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		token := rapid.StringMatching(`[A-Za-z0-9_-]{32,64}`).Draw(r, "token")
		around := rapid.StringMatching(`[a-z .:/<>()"\n]{0,20}`)
		text := around.Draw(r, "before") + token + around.Draw(r, "after")
		require.NotContains(r, notify.WithoutLinks(text), token[:32])
	})
}

func TestHistoryKeepsWhatThePreparerLetsIt(t *testing.T) {
	for _, tt := range []struct{ said, want string }{
		{"", ""},
		{"Hello", "Hello"},
		{"a\xffb", "ab"},
		{"no\x00 zero\xff", "no zero"},
		{strings.Repeat("é", notify.MaxSaidBytes), strings.Repeat("é", notify.MaxSaidBytes/2-2) + "…"},
	} {
		o := newOutbox(t)
		o.enqueue("greeting", 1, 1)
		o.deliver(o.worker(&notifytest.Recorder{}, preparerFunc(func(m notify.Message) notify.Prepared {
			return notify.Prepared{Mail: greeting(m), Said: tt.said}
		})), 1)
		require.Empty(t, o.message().Said, "lists don't tell")
		require.Equal(t, tt.want, o.said())
	}
}
