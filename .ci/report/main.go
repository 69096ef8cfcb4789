// Command report reads the output of "go test -json" and prints what a person wants to know: a line per package,
// failures in full, skipped tests with their reason, what tests log that begins with "report: ", and the totals. It fails
// if a test failed or was skipped.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

func main() {
	passed, err := report(os.Stdin, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
	}
	if !passed {
		os.Exit(1)
	}
}

// An event is one line of "go test -json"; see "go doc test2json".
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
	Elapsed float64
}

// A test is one test of one package; with an empty name, the package itself.
type test struct{ Package, Name string }

// A summary is what is known so far.
type summary struct {
	out     io.Writer
	printed map[test][]string // by the tests that have not ended
	tests   map[string]int    // per package
	total   map[string]int    // per outcome
	skipped []string
	told    []string // what tests reported
	broken  int      // packages
	seen    int      // packages
}

// report copies what matters from in to out and says whether everything ran and passed.
func report(in io.Reader, out io.Writer) (passed bool, err error) {
	s := &summary{out: out, printed: make(map[test][]string), tests: make(map[string]int), total: make(map[string]int)}
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadString('\n')
		if err != nil && err != io.EOF {
			return false, err
		}
		var e event
		switch {
		case line == "":
		case json.Unmarshal([]byte(line), &e) != nil:
			fmt.Fprint(out, line) // the go command's own words
		default:
			s.add(e)
		}
		if err == io.EOF {
			return s.close(), nil
		}
	}
}

func (s *summary) add(e event) {
	key := test{e.Package, e.Test}
	switch e.Action {
	case "build-output":
		fmt.Fprint(s.out, e.Output)
	case "output":
		s.printed[key] = append(s.printed[key], e.Output)
	case "pass", "fail", "skip":
		if e.Test == "" {
			s.endPackage(e)
		} else {
			s.endTest(e)
		}
		delete(s.printed, key)
	}
}

func (s *summary) endTest(e event) {
	s.total[e.Action]++
	s.tests[e.Package]++
	key := test{e.Package, e.Test}
	switch e.Action {
	case "pass":
		s.told = append(s.told, told(e.Test, s.printed[key])...)
	case "fail":
		s.print(key)
	case "skip":
		s.skipped = append(s.skipped, fmt.Sprintf("%s %s: %s", e.Package, e.Test, reason(s.printed[key])))
	}
}

func (s *summary) endPackage(e event) {
	s.seen++
	word := map[string]string{"pass": "ok", "fail": "FAIL", "skip": "none"}[e.Action]
	if e.Action == "fail" {
		s.broken++
		// A test that never ended, in a crash for example, says why before its package does.
		for key := range s.printed {
			if key.Package == e.Package && key.Name != "" {
				s.print(key)
			}
		}
		s.print(test{Package: e.Package})
	}
	fmt.Fprintf(s.out, "%-4s %-60s %4d tests %7.1fs\n", word, e.Package, s.tests[e.Package], e.Elapsed)
}

// print shows everything that a test printed.
func (s *summary) print(key test) {
	for _, line := range s.printed[key] {
		fmt.Fprint(s.out, line)
	}
}

// close prints the totals.
func (s *summary) close() (passed bool) {
	if len(s.told) > 0 {
		fmt.Fprintf(s.out, "\nreported:\n%s\n", strings.Join(s.told, "\n"))
	}
	fmt.Fprintln(s.out)
	if len(s.skipped) == 0 {
		fmt.Fprintln(s.out, "skipped: nothing")
	} else {
		slices.Sort(s.skipped)
		fmt.Fprintf(s.out, "skipped, and nothing may be:\n  %s\n", strings.Join(s.skipped, "\n  "))
	}
	fmt.Fprintf(s.out, "tests and subtests: %d passed, %d failed, %d skipped\n", s.total["pass"], s.total["fail"], s.total["skip"])
	fmt.Fprintf(s.out, "packages: %d, of which %d failed\n", s.seen, s.broken)
	return s.seen > 0 && s.broken == 0 && s.total["fail"] == 0 && len(s.skipped) == 0
}

// reason is what a test said when it was skipped.
func reason(printed []string) string {
	var said []string
	for _, line := range printed {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "=== ") && !strings.HasPrefix(line, "--- ") {
			said = append(said, line)
		}
	}
	return strings.Join(said, " ")
}

// told returns what a test logged that begins with "report: ". The further lines of a log are indented by eight blanks.
func told(name string, printed []string) (lines []string) {
	const mark, further = ": report: ", "        "
	reporting := false
	for _, line := range printed {
		line = strings.TrimRight(line, "\n")
		_, text, found := strings.Cut(line, mark)
		switch {
		case found:
			reporting = true
			lines = append(lines, fmt.Sprintf("  %s: %s", name, text))
		case reporting && strings.HasPrefix(line, further):
			lines = append(lines, "  "+line)
		default:
			reporting = false
		}
	}
	return lines
}
