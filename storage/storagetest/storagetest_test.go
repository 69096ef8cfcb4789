package storagetest_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/memory"
	"github.com/rosterkit/roster/storage/storagetest"
)

// mutantVariable names the mutant on which a process of its own runs the suite.
const mutantVariable = "STORAGETEST_MUTANT"

// TestMutant runs the suite on one mutant. It fails, and only runs, where TestSuiteNotices asks for it.
func TestMutant(t *testing.T) {
	name, asked := os.LookupEnv(mutantVariable)
	if !asked {
		return
	}
	m, ok := mutants()[name]
	require.True(t, ok || name == "", "no mutant %q", name)
	storagetest.Run(t, func(*testing.T) storage.DB {
		if name == "" {
			return memory.New()
		}
		return m.make(memory.New())
	})
}

// TestSuiteNotices shows that the suite can fail: it runs it on backends that break one rule each.
func TestSuiteNotices(t *testing.T) {
	for name, m := range mutants() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			failed, output := runOn(t, name, m.fails)
			require.True(t, failed, "nobody noticed that it is broken: %s", m.rule)
			require.Contains(t, output, "--- FAIL: TestMutant/"+m.fails)
			require.Contains(t, output, "the rule: ")
		})
		t.Run("without "+name, func(t *testing.T) {
			t.Parallel()
			failed, output := runOn(t, "", m.fails)
			require.False(t, failed, output)
			require.Contains(t, output, "--- PASS: TestMutant/"+m.fails)
		})
	}
}

// runOn runs one case on a mutant, or on the backend that it was made of, in a process of its own.
func runOn(t *testing.T, mutant, testCase string) (failed bool, output string) {
	t.Helper()
	pattern := "^TestMutant$/^" + strings.ReplaceAll(testCase, "/", "$/^") + "$"
	command := exec.CommandContext(t.Context(), os.Args[0], "-test.v", "-test.run", pattern)
	command.Env = append(os.Environ(), mutantVariable+"="+mutant)
	text, err := command.CombinedOutput()
	return err != nil, string(text)
}
