package revocations_test

import (
	"encoding/gob"
	"fmt"
	"os"
	"strings"

	"github.com/rosterkit/roster/access"
)

// A journal is what one process did and was answered.
type journal struct {
	Process  int
	Cached   bool
	Verbs    []verb
	Checks   []check
	Failures []string // of checks
}

// A verb is one that may have changed what a user may do in an account.
type verb struct {
	Call, Return int64
	Over         int64 // when the unit of work was
	Settled      int64 // when all had heard of it, if somebody waited for that after its return; or 0
	Kind         string
	Account      access.AccountID
	User         access.UserID
	Bits         access.Permission
	Version      uint64 // that it left; 0 if it was refused, or nobody knows
	Answer       string // done, unsettled, unknown, or the code of a refusal
	Cause        string // of an answer that isn't done
	Failure      string // an error that shouldn't be
}

const (
	done      = "done"
	unsettled = "unsettled"
	unknown   = "unknown"
)

func (v verb) String() string {
	return fmt.Sprintf("%d to %d: %s %s in %s, %d: %s at version %d", v.Call, v.Return, v.Kind, v.User, v.Account, v.Bits, v.Answer, v.Version)
}

// A check is one question that was answered.
type check struct {
	Call, Return int64
	Question     uint8 // of questions
	Yes          bool
}

// A question is about one permission of one user in one account.
type question struct {
	account access.AccountID
	user    access.UserID
	bit     access.Permission
}

// accounts, users and bits are what verbs and checks are about.
func accounts() []access.AccountID { return []access.AccountID{"acme", "globex"} }
func users() []access.UserID       { return []access.UserID{"ann", "bob", "cid"} }
func bits() []access.Permission {
	return []access.Permission{access.PayInvoices, access.OpenTickets, access.ViewDomains}
}

func questions() []question {
	var all []question
	for _, account := range accounts() {
		for _, user := range users() {
			for _, bit := range bits() {
				all = append(all, question{account, user, bit})
			}
		}
	}
	return all
}

func (j journal) write(name string) error {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := gob.NewEncoder(file).Encode(j); err != nil {
		return err
	}
	return file.Close()
}

func readJournal(name string) (j journal, err error) {
	file, err := os.Open(name)
	if err != nil {
		return journal{}, err
	}
	defer file.Close()
	err = gob.NewDecoder(file).Decode(&j)
	return j, err
}

// failures are the errors in journals that shouldn't be.
func failures(journals []journal) string {
	var text strings.Builder
	for _, j := range journals {
		for _, f := range j.Failures {
			fmt.Fprintf(&text, "process %d: %s\n", j.Process, f)
		}
		for _, v := range j.Verbs {
			if v.Failure != "" {
				fmt.Fprintf(&text, "process %d: %s: %s\n", j.Process, v, v.Failure)
			}
		}
	}
	return text.String()
}
