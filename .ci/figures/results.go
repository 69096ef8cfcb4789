package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Results are what benchstat prints as CSV.
type results struct {
	about   []setting
	figures []*figure // in the order of the results
}

// A setting is a line "key: value": what the results were made on.
type setting struct{ key, value string }

// A figure is what was measured of one benchmark on so many cores.
type figure struct {
	name   string // without "Benchmark"
	keys   []setting
	cores  int
	values map[string]value // by unit
	units  []string         // in the order of the results
}

// A value is a median, and how far from it the middle of the measurements may lie: 5%, or ∞ of too few.
type value struct {
	median float64
	within string
}

var coresSuffix = regexp.MustCompile(`-([0-9]+)$`)

var errNothing = errors.New("there are no results")

// read reads the output of benchstat -format csv -row .fullname.
func read(in io.Reader) (*results, error) {
	r := &results{}
	unit := ""
	rows := csv.NewReader(in)
	rows.FieldsPerRecord = -1
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		switch {
		case len(row) == 1:
			r.addSetting(row[0])
		case len(row) < 3, row[0] == "geomean", row[1] == "":
		case row[0] == "":
			unit = row[1] // or the name of a file, in the row before
		default:
			median, err := strconv.ParseFloat(row[1], 64)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", row[0], err)
			}
			f := r.figure(row[0])
			f.units = append(f.units, unit)
			f.values[unit] = value{median, row[2]}
		}
	}
	if len(r.figures) == 0 {
		return nil, errNothing
	}
	return r, nil
}

// addSetting adds a line "key: value", unless it is known, or says only where the benchmarks are.
func (r *results) addSetting(line string) {
	key, value, _ := strings.Cut(line, ": ")
	if s := (setting{key, value}); key != "pkg" && !slices.Contains(r.about, s) {
		r.about = append(r.about, s)
	}
}

// figure returns the figure of a benchmark's full name, such as Can/impl=bare/n=1000-2.
func (r *results) figure(full string) *figure {
	cores := 1
	if found := coresSuffix.FindStringSubmatch(full); found != nil {
		cores, _ = strconv.Atoi(found[1])
		full = strings.TrimSuffix(full, found[0])
	}
	parts := strings.Split(full, "/")
	f := &figure{name: parts[0], cores: cores, values: make(map[string]value)}
	for _, part := range parts[1:] {
		key, value, _ := strings.Cut(part, "=")
		f.keys = append(f.keys, setting{key, value})
	}
	for _, known := range r.figures {
		if known.is(f) && known.cores == cores {
			return known
		}
	}
	r.figures = append(r.figures, f)
	return f
}

// get returns the value of a key, or "".
func (f *figure) get(key string) string {
	for _, s := range f.keys {
		if s.key == key {
			return s.value
		}
	}
	return ""
}

// is reports whether two figures are of the same benchmark, on whatever number of cores.
func (f *figure) is(other *figure) bool {
	return f.name == other.name && slices.Equal(f.keys, other.keys)
}

// floor returns the figure of what one would write by hand in place of f: impl=bare, with the other keys the same; or if
// there is none, the first that differs in its mode only.
func (r *results) floor(f *figure) *figure {
	same := func(ignored ...string) *figure {
		for _, bare := range r.figures {
			if bare.get("impl") == "bare" && bare.name == f.name && bare.cores == f.cores &&
				slices.Equal(bare.without(ignored...), f.without(ignored...)) {
				return bare
			}
		}
		return nil
	}
	if bare := same("impl"); bare != nil {
		return bare
	}
	return same("impl", "mode")
}

// without returns the keys but some.
func (f *figure) without(ignored ...string) (keys []setting) {
	for _, s := range f.keys {
		if !slices.Contains(ignored, s.key) {
			keys = append(keys, s)
		}
	}
	return keys
}
