package notify_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/rosterkit/roster/notify"
	"github.com/stretchr/testify/require"
)

func TestBrandLink(t *testing.T) {
	for _, tt := range []struct{ base, link, want string }{
		{"", "", ""},
		{"https://panel.example", "", ""},
		{"", "https://portal.example/invites/x", "https://portal.example/invites/x"},
		{"https://panel.example", "https://portal.example/invites/x", "https://panel.example/invites/x"},
		{"https://panel.example/", "https://portal.example/invites/x", "https://panel.example/invites/x"},
		{"https://panel.example/portal", "https://portal.example/invites/x", "https://panel.example/portal/invites/x"},
		{"http://localhost:8080", "https://portal.example:8443/a%2Fb/?q=1&r=https://x.example#top", "http://localhost:8080/a%2Fb/?q=1&r=https://x.example#top"},
		{"https://panel.example", "https://portal.example", "https://panel.example"},
		{"https://panel.example/x/", "https://portal.example#token", "https://panel.example/x#token"},
		{"https://panel.example", "https://portal.example?token", "https://panel.example?token"},
	} {
		link, err := notify.Brand{BaseURL: tt.base}.Link(tt.link)
		require.NoError(t, err)
		require.Equal(t, tt.want, link)
	}
	for _, link := range []string{"/invites/x", "portal.example/x", "//portal.example/x", "ftp://portal.example/x", "javascript:alert(1)", "https://",
		"https:///x", "https://:443/x", "https://ann:secret@portal.example/x", "https://portal.example/a b", "https://portal.example/\r\nBcc: x",
		`https://portal.example\@evil.example/`, "https://pörtal.example/", "https://portal.example/%zz"} {
		for _, base := range []string{"", "https://panel.example"} {
			got, err := notify.Brand{BaseURL: base}.Link(link)
			require.ErrorContains(t, err, "link", link)
			require.Empty(t, got)
			require.NotContains(t, err.Error(), "secret")
		}
	}
	_, err := notify.Brand{BaseURL: "/portal"}.Link("https://portal.example/x")
	require.ErrorContains(t, err, "base URL is not an absolute http or https URL")
}

func TestCheckBaseURL(t *testing.T) {
	for _, base := range []string{"https://panel.example", "http://127.0.0.1:8080/", "https://[::1]/a/b/", "https://panel.example/portal"} {
		require.NoError(t, notify.CheckBaseURL(base), base)
	}
	for _, base := range []string{"", "panel.example", "/portal", "//panel.example", "ftp://panel.example", "https://", "https://a@panel.example", "https://panel.example?a=b",
		"https://panel.example/?", "https://panel.example/#", "https://panel.example/#top", "https://panel example", "https://panel.example\n"} {
		require.Error(t, notify.CheckBaseURL(base), "%q", base)
	}
}

// FuzzBrandLink: whatever the link, it leads to the brand's site or is refused.
func FuzzBrandLink(f *testing.F) {
	for _, link := range []string{"", "https://portal.example/invites/x", "http://x#y", "https://x?y", `https://x\@y`, "https://x@y", "https://[::1]:1/%2e%2e/"} {
		f.Add(link)
	}
	f.Fuzz(func(t *testing.T, link string) {
		const base = "https://panel.example/portal"
		got, err := notify.Brand{BaseURL: base}.Link(link)
		if err != nil || link == "" {
			require.Empty(t, got)
			return
		}
		u, err := url.Parse(got)
		require.NoError(t, err)
		require.Equal(t, "https", u.Scheme)
		require.Equal(t, "panel.example", u.Host)
		require.Nil(t, u.User)
		require.True(t, strings.HasPrefix(got, base))
	})
}

func TestBrandCheck(t *testing.T) {
	require.NoError(t, notify.Brand{}.Check())
	require.NoError(t, notify.Brand{Name: "Reseller", From: "mail@reseller.example", FromName: "R", ReplyTo: "help@reseller.example",
		BaseURL: "https://panel.example", Templates: "any", Locale: "de-AT"}.Check())
	for want, brand := range map[string]notify.Brand{
		"brand's name":                {Name: strings.Repeat("x", notify.MaxNameRunes+1)},
		"brand's sender's name":       {FromName: "a\u202eb"},
		"brand's sender's address":    {From: "a@a.example\r\nBcc: b@b.example"},
		"brand's address for answers": {ReplyTo: "nobody"},
		"brand's locale":              {Locale: "de_AT"},
		"base URL":                    {BaseURL: "https://panel.example/?x"},
	} {
		require.ErrorContains(t, brand.Check(), want)
	}
}
