package servertest

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// patience is how long a server may take to start, to end, or to answer.
const patience = 2 * time.Minute

// Options say how to start a server.
type Options struct {
	// Durable has the server bring every commit to the disk before it answers, as in production. By default it is fast.
	Durable bool
}

// A Server is a database server for tests. Its methods may be called by several goroutines.
type Server struct {
	engine engine
	source string // of the database from which others are made

	home      *home // nil for a server that was there before the tests
	program   string
	arguments []string
	leftovers []string // files that a server that was killed leaves, and that keep another from starting

	mutex   sync.Mutex
	process *process // nil while the server doesn't run
}

// Driver returns the name by which database/sql knows the server's engine: "pgx" or "mysql".
func (s *Server) Driver() string { return s.engine.driver() }

// Database makes an empty database and returns its data source, for the server's driver. It is dropped with the test.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	name := "roster_test_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	source, err := s.engine.within(s.source, name)
	require.NoError(t, err)
	require.NoError(t, s.administer(s.engine.create(name)))
	t.Cleanup(func() {
		if s.home == nil || s.runs() { // what a server has that ended goes with its folder
			require.NoError(t, s.administer(s.engine.drop(name)))
		}
	})
	return source
}

// Open returns a handle to a data source of the server. It is closed with the test.
func (s *Server) Open(t testing.TB, source string) *sql.DB {
	t.Helper()
	return open(t, s.Driver(), source)
}

// Version returns the name and the version of the server, such as "PostgreSQL 15.18" or "MariaDB 10.11.19".
func (s *Server) Version(t testing.TB) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	version, err := s.engine.version(ctx, s.Open(t, s.source))
	require.NoError(t, err)
	return version
}

// Kill ends the server as a crash does: at once, without a chance to bring anything to the disk. It returns when the
// server and all of its processes are gone.
func (s *Server) Kill() error { return s.end(syscall.SIGKILL) }

// Shutdown ends the server by the shortest way that it has itself: PostgreSQL drops its connections and leaves recovery to
// the next start; MariaDB and MySQL roll back what is open and write down what they have. It returns when the server and
// all of its processes are gone.
func (s *Server) Shutdown() error { return s.end(s.engine.shutdown()) }

// Start starts a server again that was ended by Kill or Shutdown, on the same data and the same socket. It returns when
// the server answers.
func (s *Server) Start() error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.home == nil {
		return errElsewhere
	}
	if s.process != nil {
		return errors.New("servertest: the server runs already")
	}
	for _, name := range s.leftovers { // nobody uses them: all processes are gone
		if err := os.Remove(filepath.Join(s.home.folder, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	process, err := s.home.start(s.program, s.arguments...)
	if err != nil {
		return err
	}
	if err := process.answers(func(ctx context.Context) error { return execute(ctx, s.Driver(), s.source, "SELECT 1") }); err != nil {
		_ = process.end(syscall.SIGKILL)
		return s.home.explain(err)
	}
	s.process = process
	return nil
}

// Stop ends the server, if it runs, and removes its folder. It can't be started again. A server that was there before the
// tests stays as it is.
func (s *Server) Stop() {
	if s.home == nil {
		return
	}
	if s.runs() && s.Shutdown() != nil { // at once is good enough, but would leave shared memory behind
		_ = s.Kill()
	}
	s.home.remove()
}

// errElsewhere says that a server isn't ours to start and end.
var errElsewhere = errors.New("servertest: the server was named by the environment, not started here")

// end sends a signal to the server and waits for its processes to be gone.
func (s *Server) end(signal syscall.Signal) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.home == nil {
		return errElsewhere
	}
	if s.process == nil {
		return errors.New("servertest: the server doesn't run")
	}
	if err := s.process.end(signal); err != nil {
		return s.home.explain(err)
	}
	s.process = nil
	return nil
}

func (s *Server) runs() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.process != nil
}

// administer runs a statement outside the databases of the tests.
func (s *Server) administer(statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return execute(ctx, s.Driver(), s.source, statement)
}
