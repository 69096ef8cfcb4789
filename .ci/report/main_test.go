package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

func TestReport(t *testing.T) {
	const passing = `{"Action":"run","Package":"a","Test":"TestOne"}
{"Action":"output","Package":"a","Test":"TestOne","Output":"chatter\n"}
{"Action":"pass","Package":"a","Test":"TestOne","Elapsed":1}
{"Action":"pass","Package":"a","Elapsed":1.5}
`
	tests := []struct {
		name   string
		in     string
		passed bool
		want   []string // lines
	}{
		{"passing", passing, true, []string{
			"ok   a                                                               1 tests     1.5s",
			"", "skipped: nothing", "tests and subtests: 1 passed, 0 failed, 0 skipped", "packages: 1, of which 0 failed", "",
		}},
		{"reporting", `{"Action":"output","Package":"a","Test":"TestOne","Output":"    a_test.go:7: report: 4 processes\n"}
{"Action":"output","Package":"a","Test":"TestOne","Output":"        and 3 seeds\n"}
{"Action":"output","Package":"a","Test":"TestOne","Output":"    a_test.go:8: chatter\n"}
{"Action":"output","Package":"a","Test":"TestOne","Output":"        more of it\n"}
{"Action":"pass","Package":"a","Test":"TestOne"}
{"Action":"pass","Package":"a","Elapsed":1.5}
`, true, []string{
			"ok   a                                                               1 tests     1.5s",
			"", "reported:", "  TestOne: 4 processes", "          and 3 seeds",
			"", "skipped: nothing", "tests and subtests: 1 passed, 0 failed, 0 skipped", "packages: 1, of which 0 failed", "",
		}},
		{"failing", `{"Action":"output","Package":"a","Test":"TestOne","Output":"expected yes\n"}
{"Action":"fail","Package":"a","Test":"TestOne"}
{"Action":"fail","Package":"a","Elapsed":2}
`, false, []string{
			"expected yes",
			"FAIL a                                                               1 tests     2.0s",
			"", "skipped: nothing", "tests and subtests: 0 passed, 1 failed, 0 skipped", "packages: 1, of which 1 failed", "",
		}},
		{"skipping", passing + `{"Action":"output","Package":"b","Test":"TestTwo","Output":"=== RUN   TestTwo\n"}
{"Action":"output","Package":"b","Test":"TestTwo","Output":"    b_test.go:7: no browser\n"}
{"Action":"output","Package":"b","Test":"TestTwo","Output":"--- SKIP: TestTwo (0.00s)\n"}
{"Action":"skip","Package":"b","Test":"TestTwo"}
{"Action":"pass","Package":"b","Elapsed":2}
`, false, []string{
			"ok   a                                                               1 tests     1.5s",
			"ok   b                                                               1 tests     2.0s",
			"", "skipped, and nothing may be:", "  b TestTwo: b_test.go:7: no browser",
			"tests and subtests: 1 passed, 0 failed, 1 skipped", "packages: 2, of which 0 failed", "",
		}},
		{"crashing in a test", `{"Action":"output","Package":"a","Test":"TestOne","Output":"panic: boom\n"}
{"Action":"fail","Package":"a"}
`, false, []string{
			"panic: boom",
			"FAIL a                                                               0 tests     0.0s",
			"", "skipped: nothing", "tests and subtests: 0 passed, 0 failed, 0 skipped", "packages: 1, of which 1 failed", "",
		}},
		{"not compiling", `{"Action":"build-output","ImportPath":"a","Output":"a.go:1: undefined: b\n"}
{"Action":"build-fail","ImportPath":"a"}
{"Action":"output","Package":"a","Output":"FAIL\ta [build failed]\n"}
{"Action":"fail","Package":"a","FailedBuild":"a"}
`, false, []string{
			"a.go:1: undefined: b", "FAIL\ta [build failed]",
			"FAIL a                                                               0 tests     0.0s",
			"", "skipped: nothing", "tests and subtests: 0 passed, 0 failed, 0 skipped", "packages: 1, of which 1 failed", "",
		}},
		{"a package without tests", passing + `{"Action":"skip","Package":"b"}
`, true, []string{
			"ok   a                                                               1 tests     1.5s",
			"none b                                                               0 tests     0.0s",
			"", "skipped: nothing", "tests and subtests: 1 passed, 0 failed, 0 skipped", "packages: 2, of which 0 failed", "",
		}},
		{"nothing at all", "", false, []string{
			"", "skipped: nothing", "tests and subtests: 0 passed, 0 failed, 0 skipped", "packages: 0, of which 0 failed", "",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			passed, err := report(strings.NewReader(tt.in), &out)
			require.NoError(t, err)
			require.Equal(t, tt.passed, passed)
			require.Empty(t, cmp.Diff(tt.want, strings.Split(out.String(), "\n")))
		})
	}
}
