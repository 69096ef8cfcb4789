package servertest

import (
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

func TestPostgresSources(t *testing.T) {
	for _, source := range []string{
		"postgres://ann:secret@db.example:5433/mine?application_name=tests",
		"postgresql://ann:secret@db.example:5433?dbname=mine&application_name=tests",
		"postgresql://ann:secret@db.example:5433?database=mine&application_name=tests",
		"postgres://ann:secret@db.example:5433/my%2Fown?application_name=tests",
		"host=db.example port=5433 user=ann password=secret dbname=mine application_name=tests",
		"host=db.example port=5433 user=ann password=secret application_name=tests",
	} {
		t.Run(source, func(t *testing.T) {
			same, err := postgresEngine{}.within(source, "")
			require.NoError(t, err)
			require.Equal(t, source, same)

			other, err := postgresEngine{}.within(source, "fresh")
			require.NoError(t, err)
			config, err := pgx.ParseConfig(other)
			require.NoError(t, err)
			require.Equal(t, "fresh", config.Database)
			require.Equal(t, "db.example", config.Host)
			require.EqualValues(t, 5433, config.Port)
			require.Equal(t, "ann", config.User)
			require.Equal(t, "secret", config.Password)
			require.Equal(t, "tests", config.RuntimeParams["application_name"])
		})
	}
}

func TestMySQLSources(t *testing.T) {
	for _, source := range []string{
		"ann:secret@tcp(db.example:3307)/mine?parseTime=true",
		"ann:secret@tcp(db.example:3307)/?clientFoundRows=false&parseTime=true",
	} {
		t.Run(source, func(t *testing.T) {
			for _, database := range []string{"", "fresh"} {
				other, err := mysqlEngine{}.within(source, database)
				require.NoError(t, err)
				config, err := mysql.ParseDSN(other)
				require.NoError(t, err)
				if database != "" {
					require.Equal(t, database, config.DBName)
				}
				require.True(t, config.ClientFoundRows)
				require.True(t, config.ParseTime)
				require.Equal(t, "ann", config.User)
				require.Equal(t, "secret", config.Passwd)
				require.Equal(t, "db.example:3307", config.Addr)
			}
		})
	}
}

func TestSourcesThatAreNone(t *testing.T) {
	tests := map[string]struct {
		engine engine
		source string
	}{
		"postgres URL":  {postgresEngine{}, "postgres://ann:secret@db.example:port/mine"},
		"postgres text": {postgresEngine{}, "host=db.example password=secret port=many"},
		"mysql":         {mysqlEngine{}, "ann:secret@tcp(db.example:3307)"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := tt.engine.within(tt.source, "fresh")
			require.Error(t, err)
			require.NotContains(t, err.Error(), "secret")
		})
	}
}
