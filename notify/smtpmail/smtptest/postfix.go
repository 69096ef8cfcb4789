package smtptest

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/mail"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// patience is how long Postfix has for what takes it a moment.
const patience = time.Minute

// A Postfix is Postfix in a throw-away configuration: it takes mails for every address and puts them in one folder, and no
// mail leaves it. It offers STARTTLS. An address that begins with "gone" it refuses with 550 5.1.1, one that begins with
// "busy" with 450 4.2.1, and a mail whose subject holds "spam", when it has all of it, with 550 5.7.1.
type Postfix struct {
	Address string // host:port
	folder  string
}

// StartPostfix starts Postfix, which ends with the test. It needs root, or else fakeroot, which has it believe so. The test
// is skipped where one of these programs isn't installed, unless ROSTER_TEST_ALL is set.
func StartPostfix(t testing.TB, certificate Certificate) *Postfix {
	t.Helper()
	as := []string{"sh"}
	if os.Getuid() != 0 {
		as = []string{"fakeroot", "sh"}
	}
	t.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin") // where servers are
	for _, program := range append(as, "postfix") {
		_, err := exec.LookPath(program)
		if errors.Is(err, exec.ErrNotFound) && os.Getenv("ROSTER_TEST_ALL") == "" {
			t.Skip("install " + program)
		}
		require.NoError(t, err, "install %s", program)
	}

	folder, err := os.MkdirTemp("", "roster-postfix-")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(folder)) })
	p := &Postfix{Address: freeAddress(t), folder: folder}
	p.configure(t, certificate)
	p.start(t, as)
	return p
}

// configure writes the files of the configuration, and makes the folders that it names.
func (p *Postfix) configure(t testing.TB, certificate Certificate) {
	t.Helper()
	require.NoError(t, os.Chmod(p.folder, 0o755)) // Postfix runs as several users
	for _, name := range []string{"queue", "data", "mail"} {
		require.NoError(t, os.Mkdir(filepath.Join(p.folder, name), 0o755))
	}
	for name, content := range map[string]string{
		"main.cf": fmt.Sprintf(mainSettings, p.folder, number(t, "nobody")),
		// The port, and the programs that Postfix consists of.
		"master.cf": p.Address + " inet n - n - - smtpd\n" + programs,
		"receivers": "/^gone/ 550 5.1.1 nobody is here\n/^busy/ 450 4.2.1 come back later\n",
		"headers":   "/^Subject:.*spam/ REJECT no spam\n",
		"key.pem":   string(certificate.key),
		"chain.pem": string(certificate.Chain),
	} {
		require.NoError(t, os.WriteFile(filepath.Join(p.folder, name), []byte(content), 0o644))
	}
}

// runPostfix is what root does in the folder. The server leads a group of processes.
const runPostfix = `chown postfix data && chown nobody mail && postfix -c "$PWD" check &&
	exec "$(postconf -c "$PWD" -h daemon_directory)/master" -s -c "$PWD"`

// start starts Postfix and waits until it answers.
func (p *Postfix) start(t testing.TB, as []string) {
	t.Helper()
	log, err := os.Create(filepath.Join(p.folder, "log"))
	require.NoError(t, err)
	defer log.Close()
	command := exec.Command(as[0], append(as[1:], "-c", runPostfix)...)
	command.Dir, command.Stdout, command.Stderr, command.SysProcAttr = p.folder, log, log, endedWithThis()
	require.NoError(t, command.Start())
	ended := make(chan struct{})
	go func() {
		_ = command.Wait() // what there is to say is in the log
		close(ended)
	}()
	t.Cleanup(func() {
		p.await(t, "to end", func() bool { return !endGroup(p.leader()) })
		<-ended
	})
	p.await(t, "to answer", func() bool {
		connection, err := net.Dial("tcp", p.Address)
		if err != nil {
			return false
		}
		defer connection.Close()
		require.NoError(t, connection.SetDeadline(time.Now().Add(patience)))
		greeting := make([]byte, 3)
		_, err = connection.Read(greeting)
		return err == nil && string(greeting) == "220"
	})
}

// leader returns the number of the process that leads the others; 0 if Postfix hasn't started.
func (p *Postfix) leader() int {
	content, _ := os.ReadFile(filepath.Join(p.folder, "queue", "pid", "master.pid"))
	pid, _ := strconv.Atoi(strings.TrimSpace(string(content)))
	return pid
}

// Deliveries waits until Postfix has nothing to do, and returns the mails that it has delivered, in no order, without the
// headers that it adds above them.
func (p *Postfix) Deliveries(t testing.TB) []Delivery {
	t.Helper()
	p.await(t, "to deliver", func() bool {
		queued := 0
		for _, name := range []string{"maildrop", "incoming", "active", "deferred", "hold"} {
			_ = filepath.WalkDir(filepath.Join(p.folder, "queue", name), func(_ string, entry fs.DirEntry, err error) error {
				if err == nil && !entry.IsDir() { // a file that is gone meanwhile is no error
					queued++
				}
				return nil
			})
		}
		return queued == 0
	})
	files, err := filepath.Glob(filepath.Join(p.folder, "mail", "inbox", "new", "*"))
	require.NoError(t, err)
	var deliveries []Delivery
	for _, file := range files {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		deliveries = append(deliveries, readDelivery(t, content))
	}
	return deliveries
}

// readDelivery reads a mail in a folder: lines end with \n there.
func readDelivery(t testing.TB, content []byte) Delivery {
	t.Helper()
	parsed, err := mail.ReadMessage(bytes.NewReader(content))
	require.NoError(t, err)
	d := Delivery{From: strings.Trim(parsed.Header.Get("Return-Path"), "<>"), To: parsed.Header.Get("X-Original-To")}
	received := parsed.Header.Get("Received")
	d.Encrypted = strings.Contains(received, "using TLS")
	d.UTF8 = strings.Contains(received, "with UTF8SMTP")
	// Return-Path, X-Original-To, Delivered-To and Received are Postfix's, Received with lines that go on.
	lines := bytes.SplitAfter(content, []byte("\n"))
	for added := 0; len(lines) > 0; lines = lines[1:] {
		if continued := bytes.HasPrefix(lines[0], []byte("\t")) || bytes.HasPrefix(lines[0], []byte(" ")); !continued {
			if added++; added > 4 {
				break
			}
		}
	}
	d.Message = bytes.ReplaceAll(bytes.Join(lines, nil), []byte("\n"), []byte("\r\n"))
	return d
}

// await waits until Postfix has done something.
func (p *Postfix) await(t testing.TB, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			log, _ := os.ReadFile(filepath.Join(p.folder, "log"))
			require.Fail(t, "Postfix takes too long "+what, "%s", log)
		}
	}
}

// number returns the number of a user.
func number(t testing.TB, name string) int {
	t.Helper()
	somebody, err := user.Lookup(name)
	require.NoError(t, err)
	var uid int
	_, err = fmt.Sscan(somebody.Uid, &uid)
	require.NoError(t, err)
	return uid
}

// freeAddress returns an address of this machine on which nobody listened a moment ago.
func freeAddress(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	return listener.Addr().String()
}

// mainSettings are the settings, with the folder and the number of the user that mails belong to. Postfix removes from its
// environment what they don't name, such as what fakeroot needs.
const mainSettings = `
compatibility_level = 3.6
queue_directory = %[1]s/queue
data_directory = %[1]s/data
maillog_file = /dev/stdout
import_environment = MAIL_CONFIG LANG=C LD_PRELOAD LD_LIBRARY_PATH FAKEROOTKEY
export_environment = MAIL_CONFIG LANG LD_PRELOAD LD_LIBRARY_PATH FAKEROOTKEY
myhostname = localhost
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mydestination =
alias_maps =
virtual_mailbox_domains = static:all
virtual_mailbox_base = %[1]s/mail
virtual_mailbox_maps = static:inbox/
virtual_mailbox_limit = 0
virtual_minimum_uid = 1
virtual_uid_maps = static:%[2]d
virtual_gid_maps = static:%[2]d
default_transport = error:no mail leaves
relay_transport = error:no mail leaves
smtpd_tls_chain_files = %[1]s/key.pem, %[1]s/chain.pem
smtpd_tls_security_level = may
smtpd_tls_received_header = yes
smtpd_recipient_restrictions = check_recipient_access regexp:%[1]s/receivers
header_checks = regexp:%[1]s/headers
message_size_limit = 40000000
smtpd_client_connection_count_limit = 0
in_flow_delay = 0
`

const programs = `
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
`
