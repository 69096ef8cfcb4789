package crashes_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/notify"
)

// TestLines shows what the check of a line complains about.
func TestLines(t *testing.T) {
	is := content{
		version:  7,
		events:   map[access.EventID]uint64{"e1": 6, "e2": 7},
		messages: map[notify.MessageID]notify.Message{"m1": {State: notify.Queued, Attempt: 1}, "m2": {State: notify.Sent}},
		user:     access.User{Name: "Bea"},
	}
	effects := func(events ...access.EventID) Effects { return Effects{Events: events} }
	tests := []struct {
		name string
		line line
		want string // the beginning of the complaint; none if empty
	}{
		{"there", line{Done: true, Version: 7, Effects: Effects{[]access.EventID{"e2"}, []notify.MessageID{"m1"}}}, ""},
		{"nothing to leave", line{Done: true, Version: 5}, ""},
		{"version", line{Done: true, Version: 8}, "it left version 8"},
		{"event", line{Done: true, Effects: effects("e2", "e3")}, "it was acknowledged"},
		{"message", line{Done: true, Effects: Effects{Messages: []notify.MessageID{"m3"}}}, "it was acknowledged"},
		{"event elsewhere", line{Done: true, Version: 6, Effects: effects("e2")}, "its event e2"},
		{"refused", line{Effects: effects("e3")}, ""},

		{"failed, and not there", line{Failed: []Effects{effects("e3")}}, ""},
		{"failed, and there", line{Failed: []Effects{effects("e3", "e1")}}, "it failed"},

		{"unknown, there, refused", line{Unknown: []Effects{effects("e1")}}, ""},
		{"unknown, there, again without effect", line{Unknown: []Effects{effects("e1")}, Done: true}, ""},
		{"unknown, not there, done again", line{Unknown: []Effects{effects("e3")}, Done: true, Effects: effects("e1")}, ""},
		{"unknown, there, done twice", line{Unknown: []Effects{effects("e1")}, Done: true, Effects: effects("e2")}, "2 of 2 calls"},
		{"unknown twice, there twice", line{Unknown: []Effects{effects("e1"), effects("e2")}}, "2 of 2 calls"},
		{"unknown, not there, refused", line{Unknown: []Effects{effects("e3")}}, "0 of 1 calls"},
		{"unknown, half there", line{Unknown: []Effects{effects("e1", "e3")}}, "one call left 1"},
		{"unknown, without effects", line{Unknown: []Effects{effects()}}, ""},

		{"user", line{Done: true, Name: "Ann"}, ""},
		{"user of former times", line{Done: true, Name: "Cid"}, "it called the user"},
		{"claimed", line{Done: true, Claimed: map[notify.MessageID]int{"m1": 1}}, ""},
		{"claim forgotten", line{Done: true, Claimed: map[notify.MessageID]int{"m1": 2}}, "attempt 2"},
		{"sent", line{Done: true, Sent: "m2"}, ""},
		{"sent and forgotten", line{Done: true, Sent: "m1"}, "message m1 was sent"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.line.check(is)
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.want)
		})
	}
}
