package servertest

import (
	"errors"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// A sharedServer is the one server of an engine that all tests of this process use.
type sharedServer struct {
	engine   engine
	start    func(Options) (*Server, error)
	programs string // what has to be installed for start
	variable string // names an existing server in the environment

	mutex  sync.Mutex
	server *Server
	err    error // of the first attempt: the next would fail as well
}

var (
	sharedPostgres = &sharedServer{engine: postgresEngine{}, start: StartPostgres, programs: "PostgreSQL", variable: "ROSTER_TEST_POSTGRES"}
	sharedMySQL    = &sharedServer{engine: mysqlEngine{}, start: StartMySQL, programs: "MariaDB or MySQL", variable: "ROSTER_TEST_MYSQL"}
)

// Postgres returns the PostgreSQL server that all tests of this process share. The first call starts it.
func Postgres(t testing.TB) *Server {
	t.Helper()
	return sharedPostgres.get(t)
}

// MySQL returns the MariaDB or MySQL server that all tests of this process share. The first call starts it.
func MySQL(t testing.TB) *Server {
	t.Helper()
	return sharedMySQL.get(t)
}

// Stop ends what Postgres and MySQL started. TestMain calls it after the tests.
func Stop() {
	sharedPostgres.stop()
	sharedMySQL.stop()
}

// get returns the server, or skips the test where there is none.
func (s *sharedServer) get(t testing.TB) *Server {
	t.Helper()
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.server == nil && s.err == nil {
		s.server, s.err = s.find()
	}
	skipWithoutPrograms(t, s.err, "install "+s.programs+", or set "+s.variable)
	return s.server
}

// find returns the server that the environment names, or starts one.
func (s *sharedServer) find() (*Server, error) {
	named := os.Getenv(s.variable)
	if named == "" {
		return s.start(Options{})
	}
	source, err := s.engine.within(named, "")
	if err != nil {
		return nil, err
	}
	return &Server{engine: s.engine, source: source}, nil
}

func (s *sharedServer) stop() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.server != nil {
		s.server.Stop()
	}
	s.server, s.err = nil, nil
}

// skipWithoutPrograms ends the test on an error: by skipping it if a program is missing, unless all tests have to run.
func skipWithoutPrograms(t testing.TB, err error, advice string) {
	t.Helper()
	if errors.Is(err, exec.ErrNotFound) && os.Getenv("ROSTER_TEST_ALL") == "" {
		t.Skipf("%v: %s", err, advice)
	}
	require.NoError(t, err, advice)
}
