package races_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"reflect"
	"strings"
	"sync"

	"github.com/rosterkit/roster/access"
)

// The kinds of operations: verbs, and three ways to read.
const (
	create    = "create"    // the account, owned by User
	add       = "add"       // User with Bits
	set       = "set"       // Bits of User
	suspend   = "suspend"   // User
	reinstate = "reinstate" // User
	remove    = "remove"    // User
	leave     = "leave"     // Actor
	transfer  = "transfer"  // to User, and the owner before keeps Bits
	send      = "send"      // Bits to Address
	resend    = "resend"    // Invite
	revoke    = "revoke"    // Invite
	accept    = "accept"    // the token of Invite and Generation, by User
	can       = "can"       // User, all of Bits
	grant     = "grant"     // of User
	look      = "look"      // at the whole account
)

// An operation is what a client asks for.
type operation struct {
	Kind       string
	Account    access.AccountID
	Actor      access.UserID `json:",omitempty"` // empty for the system
	User       access.UserID `json:",omitempty"`
	Bits       access.Permission
	Address    string `json:",omitempty"`
	Invite     string `json:",omitempty"`
	Generation uint16 `json:",omitempty"`
}

// A result is what the client was answered.
type result struct {
	Code       string `json:",omitempty"` // of the refusal, empty for success
	Unknown    bool   `json:",omitempty"` // nobody can say whether it was done
	Failure    string `json:",omitempty"` // an error that shouldn't be
	Version    uint64 `json:",omitempty"` // that a verb left, or that was read
	Yes        bool   `json:",omitempty"`
	Invite     string `json:",omitempty"` // that was sent
	Generation uint16 `json:",omitempty"`
	Seen       string `json:",omitempty"`
}

// A line of a journal is one operation of one client, from call to return by the clock of all processes.
type line struct {
	Client       int
	Call, Return int64
	Operation    operation
	Result       result
}

// forever is when an operation returns of which nobody knows whether it is over.
const forever = math.MaxInt64

func (o operation) reads() bool { return o.Kind == can || o.Kind == grant || o.Kind == look }

// answer is the result in a word.
func (l line) answer() string {
	switch {
	case l.Result.Failure != "":
		return "failed"
	case l.Result.Unknown:
		return "unknown"
	case l.Result.Code != "":
		return l.Result.Code
	case l.Operation.Kind == can:
		return fmt.Sprint(l.Result.Yes)
	}
	return "done"
}

// String writes down what was asked and answered, with what isn't empty of it.
func (l line) String() string {
	o, r := l.Operation, l.Result
	var text strings.Builder
	fmt.Fprintf(&text, "%d to %d, client %d: %s", l.Call, l.Return, l.Client, o.Kind)
	for _, part := range []struct {
		name  string
		value any
	}{{"by", o.Actor}, {"user", o.User}, {"address", o.Address}, {"bits", o.Bits}, {"invite", o.Invite}, {"generation", o.Generation},
		{":", l.answer()}, {"failure", r.Failure}, {"version", r.Version}, {"invite", r.Invite}, {"generation", r.Generation}, {"seen", r.Seen}} {
		if !reflect.ValueOf(part.value).IsZero() {
			fmt.Fprintf(&text, " %s %v", part.name, part.value)
		}
	}
	return text.String()
}

// A journal is the file in which a process writes its lines.
type journal struct {
	mutex   sync.Mutex
	file    *os.File
	encoder *json.Encoder
	err     error
}

func newJournal(name string) (*journal, error) {
	file, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	return &journal{file: file, encoder: json.NewEncoder(file)}, nil
}

func (j *journal) write(l line) {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	if err := j.encoder.Encode(l); err != nil {
		j.err = err
	}
}

func (j *journal) close() error {
	if err := j.file.Close(); err != nil {
		return err
	}
	return j.err
}

func readJournal(name string) ([]line, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var lines []line
	for decoder := json.NewDecoder(file); ; {
		var l line
		if err := decoder.Decode(&l); err == io.EOF {
			return lines, nil
		} else if err != nil {
			return nil, err
		}
		lines = append(lines, l)
	}
}
