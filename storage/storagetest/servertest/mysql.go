package servertest

import (
	"context"
	"database/sql"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/go-sql-driver/mysql"
)

// StartMySQL starts a MariaDB server, or one of MySQL where there is no MariaDB, of one's own, that the caller stops. The
// error is exec.ErrNotFound where its programs aren't installed.
func StartMySQL(o Options) (*Server, error) {
	program, initialize, err := mysqlPrograms()
	if err != nil {
		return nil, err
	}
	home, err := newHome("mysql")
	if err != nil {
		return nil, err
	}
	socket := filepath.Join(home.folder, "socket")
	config := mysql.NewConfig()
	config.User, config.Net, config.Addr = "root", "unix", socket
	files := append([]string{
		"--no-defaults", "--datadir=" + filepath.Join(home.folder, "data"), "--tmpdir=" + home.folder,
		"--innodb-buffer-pool-size=64M", "--loose-innodb-log-file-size=32M", "--innodb-use-native-aio=OFF",
	}, mysqlDurability(o)...)
	s := &Server{
		engine: mysqlEngine{},
		source: config.FormatDSN(),

		home:    home,
		program: program,
		arguments: append(slices.Clone(files),
			"--socket="+socket, "--pid-file="+filepath.Join(home.folder, "pid"), "--skip-networking", "--loose-mysqlx=OFF",
			"--skip-log-bin", "--performance-schema=OFF", "--max-connections=300", "--default-time-zone=+09:00",
			"--character-set-server=utf8mb4", "--collation-server=utf8mb4_general_ci",
			"--transaction-isolation=REPEATABLE-READ"),
		leftovers: []string{"socket", "socket.lock", "pid"},
	}
	err = home.run(initialize[0], append(files, initialize[1:]...)...)
	if err == nil {
		err = s.Start()
	}
	if err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

// mysqlDurability returns the settings on which it depends when commits reach the disk.
func mysqlDurability(o Options) []string {
	if o.Durable {
		return []string{"--innodb-buffer-pool-size=512M", "--innodb-flush-log-at-trx-commit=1", "--innodb-doublewrite=ON", "--sync-binlog=1"}
	}
	return []string{"--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=OFF", "--loose-sync-frm=OFF"}
}

// mysqlPrograms finds a server, and the command that prepares its data, without the settings that both take.
func mysqlPrograms() (server string, initialize []string, err error) {
	mariadb, err := findProgram("mariadbd")
	if err != nil {
		if mariadb, err = findProgram("mysqld"); err != nil {
			return "", nil, err
		}
		return mariadb, []string{mariadb, "--initialize-insecure"}, nil
	}
	install, err := findProgram("mariadb-install-db")
	return mariadb, []string{install, "--auth-root-authentication-method=normal", "--skip-test-db", "--force"}, err
}

type mysqlEngine struct{}

func (mysqlEngine) driver() string { return "mysql" }

func (mysqlEngine) within(source, database string) (string, error) {
	config, err := mysql.ParseDSN(source)
	if err != nil {
		return "", err
	}
	config.ClientFoundRows = true
	if database != "" {
		config.DBName = database
	}
	return config.FormatDSN(), nil
}

func (mysqlEngine) create(database string) string { return "CREATE DATABASE " + database }

func (mysqlEngine) drop(database string) string { return "DROP DATABASE " + database }

func (mysqlEngine) version(ctx context.Context, handle *sql.DB) (string, error) {
	var version string
	err := handle.QueryRowContext(ctx, "SELECT VERSION()").Scan(&version)
	number, rest, _ := strings.Cut(version, "-")
	if strings.Contains(rest, "MariaDB") {
		return "MariaDB " + number, err
	}
	return "MySQL " + number, err
}

// shutdown has the server roll back what is open and write down what it has.
func (mysqlEngine) shutdown() syscall.Signal { return syscall.SIGTERM }
