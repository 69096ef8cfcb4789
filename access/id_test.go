package access_test

import (
	"strings"
	"testing"

	"github.com/rosterkit/roster/access"
)

func TestIDs(t *testing.T) {
	tests := []struct {
		name, id, code string
	}{
		{"one byte", "a", ""},
		{"a number", "42", ""},
		{"a UUID", "0197a5b0-7e3c-7000-8000-000000000000", ""},
		{"128 bytes", strings.Repeat("a", 128), ""},
		{"128 bytes of two each", strings.Repeat("é", 64), ""},
		{"a blank, which is not ours to judge", " ", ""},
		{"punctuation", `a/b:c|d'e"f%`, ""},
		{"empty", "", "id.empty"},
		{"129 bytes", strings.Repeat("a", 129), "id.long"},
		{"129 bytes in 65 characters", strings.Repeat("é", 64) + "a", "id.long"},
		{"a megabyte", strings.Repeat("a", 1<<20), "id.long"},
		{"not UTF-8", "a\xff", "id.text"},
		{"NUL", "a\x00b", "id.text"},
		{"line feed", "a\n", "id.text"},
		{"delete", "a\x7f", "id.text"},
		{"C1 control", "a\u0085", "id.text"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			requireOutcome(t, access.AccountID(tt.id).Check(), tt.code, "account")
			requireOutcome(t, access.UserID(tt.id).Check(), tt.code, "user")
		})
	}
}
