package access_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
)

func TestCheckText(t *testing.T) {
	tests := []struct {
		name, text, code string
	}{
		{"empty", "", ""},
		{"as long as it may be", strings.Repeat("é", 10), ""},
		{"as long, in four bytes each", strings.Repeat("𝄞", 10), ""},
		{"one more", strings.Repeat("a", 11), "text.long"},
		{"one more, in four bytes each", strings.Repeat("𝄞", 11), "text.long"},
		{"a megabyte", strings.Repeat("a", 1<<20), "text.long"},
		{"markup is text", "<a>{{.}}'\"", ""},
		{"emoji with a joiner", "👩\u200d💻", ""},
		{"Persian with a non-joiner", "می\u200cخواهم", ""},
		{"no-break space", "a\u00a0b", ""},
		{"not UTF-8", "a\xffb", "text.control"},
		{"half a surrogate pair", "a\xed\xa0\x80", "text.control"},
		{"NUL", "a\x00b", "text.control"},
		{"carriage return", "a\rb", "text.control"},
		{"line feed", "a\nb", "text.control"},
		{"tab", "a\tb", "text.control"},
		{"escape", "\x1b[31m", "text.control"},
		{"next line", "a\u0085b", "text.control"},
		{"line separator", "a\u2028b", "text.control"},
		{"paragraph separator", "a\u2029b", "text.control"},
		{"right-to-left override", "a\u202eb", "text.control"},
		{"left-to-right isolate", "a\u2066b", "text.control"},
		{"zero-width space", "a\u200bb", "text.control"},
		{"soft hyphen", "a\u00adb", "text.control"},
		{"byte order mark", "\ufeffa", "text.control"},
		{"tag characters", "a\U000e0041", "text.control"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			requireOutcome(t, access.CheckText("label", tt.text, 10), tt.code, "label")
		})
	}
	require.EqualError(t, access.CheckText("label", "abc", 2), "roster: label is longer than 2 characters")
}

func TestCheckName(t *testing.T) {
	require.NoError(t, access.CheckName("name", "Ann O'Neil"))
	for _, seen := range []string{"x", "7", "?", "+", "李", "𝄞", "👩\u200d💻", "\u3164ㄱ", "\u0e01\u0e33"} {
		require.NoError(t, access.CheckName("name", seen))
	}
	for _, blank := range []string{"", " ", "\u00a0", "\u3000 ", "\n", "\u200d", "\u3164", "\u115f\u1160", "\uffa0", "\u2800", "\u0301", "\ufe0f"} {
		requireOutcome(t, access.CheckName("name", blank), "text.empty", "name")
	}
	requireOutcome(t, access.CheckName("name", strings.Repeat("a", 201)), "text.long", "name")
	requireOutcome(t, access.CheckName("name", "a\nb"), "text.control", "name")
}

func TestFold(t *testing.T) {
	for text, want := range map[string]string{"": "", "ANN": "ann", "ÄÖ": "äö", "ΣΑΣ": "σασ", "straße": "straße", "\u212a": "k"} {
		require.Equal(t, want, access.Fold(text))
		require.Equal(t, want, access.Fold(access.Fold(text)))
	}
}
