package access_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rosterkit/roster/access"
)

func TestTermsCheck(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	vienna := time.FixedZone("", 3600)
	tests := []struct {
		name        string
		terms       access.Terms
		code, field string
	}{
		{"for ever, at once", access.Terms{}, "", ""},
		{"from now on", access.Terms{Starts: now}, "", ""},
		{"since yesterday", access.Terms{Starts: now.AddDate(0, 0, -1), Expires: now.Add(time.Microsecond)}, "", ""},
		{"for an hour, in another zone", access.Terms{Starts: now.In(vienna), Expires: now.Add(time.Hour).In(vienna)}, "", ""},
		{"over now", access.Terms{Expires: now}, "time.past", "expires"},
		{"over now, in another zone", access.Terms{Expires: now.In(vienna)}, "time.past", "expires"},
		{"over before", access.Terms{Expires: now.Add(-time.Microsecond)}, "time.past", "expires"},
		{"for no time", access.Terms{Starts: now.Add(time.Hour), Expires: now.Add(time.Hour)}, "time.order", "expires"},
		{"over before it starts", access.Terms{Starts: now.Add(2 * time.Hour), Expires: now.Add(time.Hour)}, "time.order", "expires"},
		{"in the year 10000", access.Terms{Expires: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}, "time.range", "expires"},
		{"since the year -1", access.Terms{Starts: time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC)}, "time.range", "starts"},
		{"a label", access.Terms{Label: strings.Repeat("é", 200)}, "", ""},
		{"a long label", access.Terms{Label: strings.Repeat("é", 201)}, "text.long", "label"},
		{"a label of two lines", access.Terms{Label: "a\nb"}, "text.control", "label"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { requireOutcome(t, tt.terms.Check(now), tt.code, tt.field) })
	}
}

func TestUserCheck(t *testing.T) {
	address := parse(t, "ann@example.com")
	tests := []struct {
		name        string
		user        access.User
		code, field string
	}{
		{"only an id", access.User{ID: "ann"}, "", ""},
		{"everything", access.User{ID: "ann", Address: address, Verified: true, Name: "Ann"}, "", ""},
		{"no proof of the address", access.User{ID: "ann", Address: address}, "", ""},
		{"no id", access.User{Address: address, Name: "Ann"}, "id.empty", "user"},
		{"a long id", access.User{ID: access.UserID(strings.Repeat("a", 129))}, "id.long", "user"},
		{"a long name", access.User{ID: "ann", Name: strings.Repeat("a", 201)}, "text.long", "name"},
		{"a name of two lines", access.User{ID: "ann", Name: "a\nb"}, "text.control", "name"},
		{"proof of no address", access.User{ID: "ann", Verified: true}, "address.missing", "address"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { requireOutcome(t, tt.user.Check(), tt.code, tt.field) })
	}
}
