package crashes_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"sync"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/notify"
)

// A line of a journal says what the database has told a writer about one verb. It is written when the verb has
// returned, and synced before the writer goes on.
type line struct {
	Verb    string
	Account access.AccountID
	// Done says that the verb was acknowledged: what it left, named below, must be there.
	Done    bool   `json:",omitempty"`
	Version uint64 `json:",omitempty"` // of the account, or a later one
	Effects
	// Unknown are what calls of the verb before this one would have left, whose outcome was access.ErrUnknownOutcome. Of
	// all that did something, exactly one did it.
	Unknown []Effects `json:",omitempty"`
	// Failed are what calls would have left that ended with another error: nothing of it may be there.
	Failed []Effects `json:",omitempty"`

	User    access.UserID            `json:",omitempty"` // whose directory entry has this name, or a later one
	Name    string                   `json:",omitempty"`
	Claimed map[notify.MessageID]int `json:",omitempty"` // attempts that have begun
	Sent    notify.MessageID         `json:",omitempty"`
}

// Effects are what a unit of work adds to the account it changes, by ids that nothing else has.
type Effects struct {
	Events   []access.EventID   `json:",omitempty"`
	Messages []notify.MessageID `json:",omitempty"`
}

func (e Effects) none() bool { return len(e.Events)+len(e.Messages) == 0 }

// A journal is the file to which a writer's lines are appended.
type journal struct {
	mu   sync.Mutex
	file *os.File
}

func openJournal(name string) (*journal, error) {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	return &journal{file: file}, err
}

// add appends a line and waits until it is on the disk.
func (j *journal) add(l line) error {
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, err := j.file.Write(append(text, '\n')); err != nil {
		return err
	}
	return j.file.Sync()
}

// A reader reads what processes have appended to a journal.
type reader struct {
	name string
	read int // bytes
}

// next returns the lines since the last call. What is behind the last complete one, which a process was killed in, is
// cut off.
func (r *reader) next() ([]line, error) {
	text, err := os.ReadFile(r.name)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	whole := bytes.LastIndexByte(text, '\n') + 1
	if whole < len(text) {
		if err := os.Truncate(r.name, int64(whole)); err != nil {
			return nil, err
		}
	}
	var lines []line
	for text := range bytes.Lines(text[r.read:whole]) {
		var l line
		if err := json.Unmarshal(text, &l); err != nil {
			return nil, fmt.Errorf("%w in %q", err, text)
		}
		lines = append(lines, l)
	}
	r.read = whole
	return lines, nil
}
