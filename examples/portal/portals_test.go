package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// asPortal is the environment variable by which this program is a portal instead of its tests.
const asPortal = "PORTAL_OF_A_TEST"

// TestTwoPortals runs two portals on one database, as processes: whom the owner removes in one of them is out in the
// other with the very next click, although that one answers from memory.
func TestTwoPortals(t *testing.T) {
	onEachEngine(t, func(t *testing.T, source string) {
		key := filepath.Join(t.TempDir(), "key")
		first := startProcess(t, source, key)
		second := startProcess(t, source, key)
		owner := first.browser(t)
		owner.signIn("olivia@brightside.example", demoPassword)
		for _, address := range []string{"priya@ledgerly.example", "tom@brightside.example", "leo@brightside.example"} {
			login, _, _ := strings.Cut(address, "@")
			member := second.browser(t)
			member.signIn(address, demoPassword)
			for range 3 {
				require.Equal(t, http.StatusOK, member.get(accountPath(bakery)).status)
			}
			remembered := second.answeredFromMemory(t)
			require.Equal(t, http.StatusOK, member.get(accountPath(bakery)).status)
			require.Greater(t, second.answeredFromMemory(t), remembered)

			removed := owner.post(accountPath(bakery)+"/users/"+login+"/remove", url.Values{})
			require.Equal(t, http.StatusOK, removed.status, removed.text())
			require.Equal(t, http.StatusNotFound, member.get(accountPath(bakery)).status, "%s is still in", address)
		}
		require.Regexp(t, `Portals that follow 2\b`, first.browser(t).get("/memory").text())
		require.Regexp(t, `Settled revocations 3\b`, first.browser(t).get("/memory").text())
	})
}

// startProcess runs a portal as a process of its own, and returns when it follows.
func startProcess(t *testing.T, source, key string) *site {
	t.Helper()
	program, err := os.Executable()
	require.NoError(t, err)
	command := exec.Command(program, "-addr", "127.0.0.1:0", "-db", source, "-key", key)
	command.Env = append(os.Environ(), asPortal+"=1")
	var logged lockedBuffer
	command.Stderr = &logged
	said, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	t.Cleanup(func() {
		require.NoError(t, command.Process.Signal(syscall.SIGTERM))
		require.NoError(t, command.Wait(), logged.String())
	})
	lines := bufio.NewReader(said)
	line, err := lines.ReadString('\n')
	require.NoError(t, err)
	_, base, found := strings.Cut(strings.TrimSpace(line), "The portal is at ")
	require.True(t, found, line)
	go io.Copy(io.Discard, lines)
	s := &site{server: &httptest.Server{URL: base}}
	for b := s.browser(t); !strings.Contains(b.get("/memory").text(), "memory counts for"); {
	}
	return s
}

var fromMemory = regexp.MustCompile(`From memory \d+ %: (\d+),`)

// answeredFromMemory is how many checks were.
func (s *site) answeredFromMemory(t *testing.T) (n int) {
	t.Helper()
	text := s.browser(t).get("/memory").text()
	found := fromMemory.FindStringSubmatch(text)
	require.NotNil(t, found, text)
	_, err := fmt.Sscan(found[1], &n)
	require.NoError(t, err)
	return n
}
