package main

import (
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const preface = `# Benchmarks

Written by "make benchmarks" from what the benchmarks print: medians of rounds that alternate, with the 95% interval of the
median. Ratios are to impl=bare, what one would write by hand, of the same table and mode; below 1 is faster.

`

// described says what a benchmark measures; those that aren't here are shown by their names.
var described = map[string]string{
	"Can": `## Checks

One check, half of the answers no, ids are UUIDs as text, ten members to an account with random sets of permissions; users
are chosen at random, all alike (uniform), or a few of them most of the time (zipf). Each question has its ids in strings of
its own, one after the other in memory, as requests do, which were read just before. Before it is measured, each
implementation gives the answers of the map.

- bare: a map by both ids; leased, and one reading of the clock.
- roster: an access.Cache that is the single one, or follows with a lease; grant, one Grant in hand.
- casbin-rbac: RBAC with domains as Casbin documents it; casbin-fast: a role for each permission, shared by all accounts;
  casbin-cached: the same in a SyncedCachedEnforcer that knows the answers; casbin-adapter: roster's casbinadapter.
- cedar-groups: users in groups for each permission and account; cedar-context: the host finds what the user may do, and
  passes it.

`,
	"Preload": `## Loading all memberships

bare is one query and the scan of its rows; map, the same into a map by both ids; roster, Cache.Preload. B/membership is what
stays in the heap, without the database's.

`,
	"Outbox": `## The outbox

Mails are enqueued, so many in a unit of work, and then delivered by two workers to a mailer that takes everything: per
second each, and both one after the other (mails/s). The servers bring each commit to the disk. River has a job for each
mail, inserted by COPY where there are many, and fetches as often as it may; hand is how many mails are in hand at a time:
two of roster's batches, or River's MaxWorkers.

`,
	"OutboxBehind": `## The outbox, behind others

The same, a hundred mails in a unit of work, while so many mails of another account wait.

`,
	"Notify": `## Notifying a category

contact.Service.Notify for n contacts of one account, in one unit of work. MiB is how much the heap grows at the most,
until some of the mails are prepared too.

`,
	"Recipients": `## The recipients of a category

bare is one query for the contacts that receive invoices, without those at suppressed addresses; roster,
contact.Service.Recipients.

`,
}

// writePage writes all tables.
func (r *results) writePage(out io.Writer, pictures ...string) {
	fmt.Fprint(out, preface)
	for _, picture := range pictures {
		fmt.Fprintf(out, "![Time per check against memberships](%s)\n\n", filepath.Base(picture))
	}
	fmt.Fprint(out, "| made on | |\n|---|---|\n")
	for _, s := range r.about {
		fmt.Fprintf(out, "| %s | %s |\n", s.key, s.value)
	}
	for _, name := range distinct(r.figures, func(f *figure) string { return f.name }) {
		text, ok := described[name]
		if !ok {
			text = "## " + name + "\n\n"
		}
		fmt.Fprint(out, "\n", strings.TrimSuffix(text, "\n"))
		ofName := matching(r.figures, func(f *figure) bool { return f.name == name })
		for _, title := range distinct(ofName, titleOf) {
			r.writeTable(out, title, matching(ofName, func(f *figure) bool { return title == titleOf(f) }))
		}
	}
}

// titled are the keys that tables are divided by.
var titled = []string{"dist", "n", "unit", "queued"}

// titleOf returns the heading of the table in which a figure is, or "".
func titleOf(f *figure) string {
	var parts []string
	for _, key := range titled {
		value := f.get(key)
		if number, err := strconv.Atoi(value); err == nil {
			value = grouped(strconv.Itoa(number))
		}
		if value != "" {
			parts = append(parts, key+"="+value)
		}
	}
	return strings.Join(parts, ", ")
}

// writeTable writes a table with a row for each benchmark, and columns for each number of cores and unit.
func (r *results) writeTable(out io.Writer, title string, figures []*figure) {
	if title != "" {
		fmt.Fprintf(out, "\n### %s\n", title)
	}
	keys := keysOf(figures)
	columns := columnsOf(figures)
	heads := slices.Clone(keys)
	for _, c := range columns {
		heads = append(heads, c.heads()...)
	}
	fmt.Fprintf(out, "\n| %s |\n|%s%s\n", strings.Join(heads, " | "), strings.Repeat("---|", len(keys)), strings.Repeat("---:|", len(heads)-len(keys)))
	for i, f := range figures {
		if slices.ContainsFunc(figures[:i], f.is) { // on another number of cores
			continue
		}
		var cells []string
		for _, key := range keys {
			cells = append(cells, f.get(key))
		}
		for _, c := range columns {
			cells = append(cells, r.cells(c, matching(figures, f.is))...)
		}
		fmt.Fprintf(out, "| %s |\n", strings.Join(cells, " | "))
	}
}

// keysOf returns the keys that some of the figures have, but those of the heading.
func keysOf(figures []*figure) (keys []string) {
	for _, f := range figures {
		for _, s := range f.without(titled...) {
			if !slices.Contains(keys, s.key) {
				keys = append(keys, s.key)
			}
		}
	}
	return keys
}

// A column is of a unit on a number of cores.
type column struct {
	cores     int
	unit      string
	ofSeveral bool // numbers of cores
	hasFloor  bool
}

// columnsOf returns the columns of a table: each unit for each number of cores; but what is allocated, for the first.
func columnsOf(figures []*figure) (columns []column) {
	var cores []int
	var units []string
	hasFloor := false
	for _, f := range figures {
		cores = append(cores, f.cores)
		units = append(units, f.units...)
		hasFloor = hasFloor || f.get("impl") == "bare"
	}
	slices.Sort(cores)
	cores = slices.Compact(cores)
	for _, unit := range distinct(units, func(unit string) string { return unit }) {
		of := cores
		if unit != timeUnit {
			of = cores[:1]
		}
		for _, n := range of {
			columns = append(columns, column{n, unit, len(cores) > 1, hasFloor && unit == timeUnit})
		}
	}
	return columns
}

const timeUnit = "sec/op"

func (c column) heads() []string {
	head := c.unit
	if c.unit == timeUnit {
		head = "time"
	}
	if c.ofSeveral && c.unit == timeUnit {
		head += fmt.Sprintf(", %d core", c.cores)
		if c.cores > 1 {
			head += "s"
		}
	}
	if c.hasFloor {
		return []string{head, "ratio"}
	}
	return []string{head}
}

// cells returns what is to be said in a column of figures of one benchmark.
func (r *results) cells(c column, figures []*figure) []string {
	cells := make([]string, len(c.heads()))
	for _, f := range figures {
		v, ok := f.values[c.unit]
		if !ok || f.cores != c.cores {
			continue
		}
		cells[0] = format(v.median, c.unit)
		if strings.HasSuffix(v.within, "%") && v.within != "0%" { // not ∞, of too few rounds
			cells[0] += " ± " + v.within
		}
		if floor := r.floor(f); c.hasFloor && floor != nil && floor.values[c.unit].median > 0 {
			cells[1] = digits(v.median / floor.values[c.unit].median)
		}
	}
	return cells
}

// format returns a number with its unit, if it is a time; the others are in the heading.
func format(x float64, unit string) string {
	if !strings.HasPrefix(unit, "sec") && !strings.HasSuffix(unit, "-sec") {
		return digits(x)
	}
	for _, u := range []struct {
		name  string
		scale float64
	}{{"s", 1}, {"ms", 1e-3}, {"µs", 1e-6}} {
		if x >= u.scale {
			return digits(x/u.scale) + " " + u.name
		}
	}
	return digits(x/1e-9) + " ns"
}

// digits returns a number with three digits, or all of those before the point.
func digits(x float64) string {
	if x == 0 {
		return "0"
	}
	after := max(0, 2-int(math.Floor(math.Log10(math.Abs(x)))))
	if after > 0 && x == math.Trunc(x) {
		after = 0
	}
	return grouped(strconv.FormatFloat(x, 'f', after, 64))
}

// grouped puts commas between each three digits of a number of four or more before the point.
func grouped(number string) string {
	whole, rest, _ := strings.Cut(number, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if rest == "" {
		return whole
	}
	return whole + "." + rest
}

// distinct returns what key says of each, each once.
func distinct[T any](all []T, key func(T) string) (keys []string) {
	for _, x := range all {
		if !slices.Contains(keys, key(x)) {
			keys = append(keys, key(x))
		}
	}
	return keys
}

// matching returns those of which ok is true.
func matching[T any](all []T, ok func(T) bool) (some []T) {
	for _, x := range all {
		if ok(x) {
			some = append(some, x)
		}
	}
	return some
}
