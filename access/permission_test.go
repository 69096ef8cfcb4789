package access_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rosterkit/roster/access"
)

func TestHas(t *testing.T) {
	tests := []struct {
		held, asked access.Permission
		want        bool
	}{
		{0, 0, false}, {1, 0, false}, {access.All, 0, false},
		{0, 1, false}, {1, 1, true}, {1, 2, false}, {3, 1, true}, {3, 3, true},
		{1, 3, false}, // all of them, not one of them
		{access.All, 1 << 62, true}, {access.All, access.All, true}, {access.All, 1 << 63, false},
		{access.All &^ 4, access.All, false},
	}
	for _, tt := range tests {
		require.Equal(t, tt.want, tt.held.Has(tt.asked), "%b.Has(%b)", tt.held, tt.asked)
	}
}

func TestAllIsBits0To62(t *testing.T) {
	require.Equal(t, access.Permission(0x7fffffffffffffff), access.All)
}

func TestPermissionText(t *testing.T) {
	for text, want := range map[string]access.Permission{
		"0": 0, "7": 7, "9007199254740993": 1<<53 + 1, "9223372036854775807": access.All,
	} {
		var p access.Permission
		require.NoError(t, p.UnmarshalText([]byte(text)))
		require.Equal(t, want, p)
		back, err := p.MarshalText()
		require.NoError(t, err)
		require.Equal(t, text, string(back))
	}
	_, err := access.Permission(1 << 63).MarshalText()
	requireCode(t, err, access.ErrInvalid, "permissions.unknown")
	for _, text := range []string{"", " ", "-1", "-0", "+7", "07", "00", " 7", "7 ", "7\n", "7.0", "1e3", "0x7", "0b1", "1_000", "٧",
		"9223372036854775808", "18446744073709551615", "18446744073709551616", "all", "null", "\x00"} {
		p := access.Permission(5)
		requireCode(t, p.UnmarshalText([]byte(text)), access.ErrInvalid, "permissions.text", "%q", text)
		require.Equal(t, access.Permission(5), p, "%q", text)
	}
}

func TestPermissionJSON(t *testing.T) {
	type form struct {
		Permissions access.Permission `json:"permissions"`
	}
	text, err := json.Marshal(form{access.All})
	require.NoError(t, err)
	require.JSONEq(t, `{"permissions":"9223372036854775807"}`, string(text))
	for _, value := range []string{`18446744073709551616`, `"18446744073709551616"`, `9223372036854775808`, `"9223372036854775808"`,
		`1e3`, `"1e3"`, `7.0`, `"7.0"`, `-1`, `"-1"`, `7`, `" 7"`, `"07"`, `"+7"`, `""`, `true`, `{}`, `["7"]`, `[7]`} {
		f := form{5}
		require.Error(t, json.Unmarshal([]byte(`{"permissions":`+value+`}`), &f), value)
		require.Equal(t, access.Permission(5), f.Permissions, value)
	}
}

func TestPermissionTextProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := access.Permission(rapid.Uint64Max(uint64(access.All)).Draw(t, "set"))
		text, err := json.Marshal(p)
		var back access.Permission
		if err != nil || json.Unmarshal(text, &back) != nil || back != p {
			t.Fatalf("%d became %s and %d, %v", p, text, back, err)
		}
	})
}
