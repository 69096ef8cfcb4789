package casbinadapter

import (
	"strings"
	"time"
)

// A period is when a membership is in use: from starts on, until just before expires. The zero time is no bound.
type period struct{ starts, expires time.Time }

func (p period) always() bool { return p.starts.IsZero() && p.expires.IsZero() }

func (p period) contains(now time.Time) bool {
	return (p.starts.IsZero() || !now.Before(p.starts)) && (p.expires.IsZero() || now.Before(p.expires))
}

// String returns what is appended to the name of a set: both bounds in RFC 3339, each led by a tab, empty for none.
func (p period) String() string { return "\t" + bound(p.starts) + "\t" + bound(p.expires) }

func bound(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// parsePeriod reads what String writes. Anything else is no period.
func parsePeriod(text string) (p period, ok bool) {
	bounds := strings.Split(text, "\t")
	if len(bounds) != 3 || bounds[0] != "" {
		return period{}, false
	}
	for i, t := range []*time.Time{&p.starts, &p.expires} {
		if bounds[i+1] == "" {
			continue
		}
		var err error
		if *t, err = time.Parse(time.RFC3339Nano, bounds[i+1]); err != nil {
			return period{}, false
		}
	}
	return p, true
}
