package casbinadapter

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/rosterkit/roster/access"
)

// A held is what a grouping says of a member: what they may do in the account's present state, and when.
type held struct {
	set    access.Permission
	period period
}

// String returns the second field of a grouping: "set", the set in decimal digits, and for a period that has a bound both
// of them in RFC 3339, each led by a tab. The tab keeps it apart from everything that can be an id.
func (h held) String() string {
	name := "set\t" + strconv.FormatUint(uint64(h.set), 10)
	if !h.period.always() {
		name += "\t" + bound(h.period.starts) + "\t" + bound(h.period.expires)
	}
	return name
}

// has reports whether what a key of the catalog stands for is held.
func (h held) has(catalog *access.Catalog, key string) bool {
	p, err := catalog.Parse(key)
	return err == nil && h.set.Has(p)
}

var errNoSet = errors.New("casbinadapter: a grouping names something other than a set of permissions")

// parseHeld reads what String writes. errNoSet for anything else.
func parseHeld(text string) (held, error) {
	fields := strings.Split(text, "\t")
	if fields[0] != "set" || len(fields) != 2 && len(fields) != 4 {
		return held{}, errNoSet
	}
	set, err := strconv.ParseUint(fields[1], 10, 63)
	if err != nil {
		return held{}, errNoSet
	}
	h := held{set: access.Permission(set)}
	if len(fields) == 4 {
		if h.period, err = parsePeriod(fields[2], fields[3]); err != nil {
			return held{}, errNoSet
		}
	}
	return h, nil
}

// A period is when a membership is in use: from starts on, until just before expires. The zero time is no bound.
type period struct{ starts, expires time.Time }

func (p period) always() bool { return p.starts.IsZero() && p.expires.IsZero() }

func (p period) contains(now time.Time) bool {
	return (p.starts.IsZero() || !now.Before(p.starts)) && (p.expires.IsZero() || now.Before(p.expires))
}

func parsePeriod(starts, expires string) (p period, err error) {
	if p.starts, err = parseBound(starts); err != nil {
		return period{}, err
	}
	p.expires, err = parseBound(expires)
	if err == nil && p.always() {
		err = errNoSet
	}
	return p, err
}

func bound(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func parseBound(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	return time.Parse(time.RFC3339Nano, text)
}
