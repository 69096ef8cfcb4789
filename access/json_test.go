package access_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
)

// TestEventsSurviveJSON: an exported line is the event, and a head that was kept as text is the head.
func TestEventsSurviveJSON(t *testing.T) {
	w := newWorld(t)
	for _, e := range w.events("acme") {
		text, err := json.Marshal(e)
		require.NoError(t, err)
		var read access.Event
		require.NoError(t, json.Unmarshal(text, &read))
		require.Equal(t, e, read)
	}
	head := w.account("acme").Head
	text, err := json.Marshal(head)
	require.NoError(t, err)
	var read access.Head
	require.NoError(t, json.Unmarshal(text, &read))
	require.Equal(t, head, read)
}

func TestDigestsAreReadFromTheirTextOnly(t *testing.T) {
	good := strings.Repeat("0a", 32)
	d := access.Digest{7}
	for _, text := range []string{"", "0a", good + "0a", good[:63], strings.ToUpper(good), strings.Repeat("0g", 32), " " + good[1:]} {
		requireRefused(t, d.UnmarshalText([]byte(text)), access.ErrInvalid, "digest.text", "digest")
		require.Equal(t, access.Digest{7}, d)
	}
	require.NoError(t, d.UnmarshalText([]byte(good)))
	require.Equal(t, good, d.String())
}

func TestActorKindsAreReadFromTheirTextOnly(t *testing.T) {
	k := access.ActorStaff
	for _, text := range []string{"", "User", "nobody ", "4"} {
		requireRefused(t, k.UnmarshalText([]byte(text)), access.ErrInvalid, "actor.kind", "actor")
		require.Equal(t, access.ActorStaff, k)
	}
}
