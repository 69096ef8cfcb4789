package sqlstore

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAtLeast(t *testing.T) {
	for _, tt := range []struct {
		version string
		than    []int
		want    bool
	}{
		{"8.0.19", []int{8, 0, 19}, true},
		{"8.0.18", []int{8, 0, 19}, false},
		{"8.4.0-commercial", []int{8, 0, 19}, true},
		{"9.1.0", []int{8, 0, 19}, true},
		{"5.7.44-log", []int{8, 0, 19}, false},
		{"10.6.0-MariaDB", []int{10, 6, 0}, true},
		{"10.11.19-MariaDB-0+deb12u1", []int{10, 6, 0}, true},
		{"11.4.2-MariaDB", []int{10, 6, 0}, true},
		{"10.5.29-MariaDB", []int{10, 6, 0}, false},
		{"", []int{8, 0, 19}, false},
		{"a.b.c", []int{8, 0, 19}, false},
	} {
		require.Equal(t, tt.want, atLeast(tt.version, tt.than...), tt.version)
	}
}

// TestSettingsOfOtherServers refuses what the servers of the tests don't have.
func TestSettingsOfOtherServers(t *testing.T) {
	good := map[string]string{"sql_mode": "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES", "autocommit": "ON", "transaction_isolation": "REPEATABLE-READ",
		"log_bin": "ON", "binlog_format": "ROW", "character_set_client": "utf8mb4", "character_set_connection": "utf8mb4",
		"character_set_results": "utf8mb4"}
	require.NoError(t, refuseSettings(good))
	for _, tt := range []struct{ name, value, want string }{
		{"binlog_format", "MIXED", ""},
		{"binlog_format", "", ""}, // servers that know no other than ROW have no such setting
		{"binlog_format", "STATEMENT", "the binlog_format is STATEMENT"},
		{"sql_mode", "STRICT_ALL_TABLES", ""},
		{"sql_mode", "", "the sql_mode is not strict"},
		{"transaction_isolation", "READ-UNCOMMITTED", "the isolation level is READ UNCOMMITTED"},
		{"transaction_isolation", "SERIALIZABLE", ""},
		{"autocommit", "OFF", "autocommit is off"},
		{"character_set_results", "", "the character_set_results is"},
	} {
		settings := maps.Clone(good)
		settings[tt.name] = tt.value
		err := refuseSettings(settings)
		if tt.want == "" {
			require.NoError(t, err, tt)
		} else {
			require.ErrorContains(t, err, tt.want)
		}
	}
}
