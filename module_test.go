package roster_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write testdata/modules.txt instead of comparing with it")

// longFiles are the files that may have more than maxLines lines, each with the reason.
var longFiles = map[string]string{}

const maxLines = 500

// TestModules compares the modules that this module requires, and those that each of its packages brings into a host's
// build, with the list in testdata/modules.txt.
func TestModules(t *testing.T) {
	const golden = "testdata/modules.txt"
	got := "# The modules this module needs. Written by: go test -run TestModules . -update\n" +
		"\nRequired in go.mod, and by whom:\n" + requiredModules(t) +
		"\nPart of a host's build when it imports:\n" + modulesPerPackage(t)
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
		return
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(string(want), got), "%s differs: if that is what you want, run the command in its first line", golden)
}

// requiredModules has a line for each direct requirement and tool of go.mod.
func requiredModules(t *testing.T) string {
	var goMod struct {
		Require []struct {
			Path     string
			Indirect bool
		}
		Tool []struct{ Path string }
	}
	require.NoError(t, json.Unmarshal([]byte(runGo(t, ".", nil, "mod", "edit", "-json")), &goMod))

	isTool := func(module string) bool { // go.mod calls the modules of tools indirect
		for _, tool := range goMod.Tool {
			if within(tool.Path, []string{module}) {
				return true
			}
		}
		return false
	}
	users := make(map[string]map[string]bool)
	for _, module := range goMod.Require {
		if !module.Indirect || isTool(module.Path) {
			users[module.Path] = make(map[string]bool)
		}
	}
	use := func(path, user string) {
		if module := moduleOf(path, slices.Collect(maps.Keys(users))); module != "" {
			users[module][user] = true
		}
	}
	for _, tool := range goMod.Tool {
		use(tool.Path, "go generate")
	}
	for _, pkg := range ourPackages(t) {
		for _, path := range pkg.Imports {
			use(path, userName(pkg))
		}
		for _, path := range slices.Concat(pkg.TestImports, pkg.XTestImports) {
			use(path, "tests")
		}
	}

	var list strings.Builder
	for _, module := range slices.Sorted(maps.Keys(users)) {
		names := slices.Sorted(maps.Keys(users[module]))
		require.NotEmpty(t, names, "go.mod requires %s, which nothing imports", module)
		fmt.Fprintf(&list, "  %-32s %s\n", module, strings.Join(names, ", "))
	}
	return list.String()
}

// userName says in which capacity a package uses a module.
func userName(pkg listedPackage) string {
	switch {
	case slices.Contains(corePackages, pkg.folder()):
		return "core"
	case pkg.isExample():
		return "examples"
	default:
		return pkg.folder()
	}
}

// modulesPerPackage has a line for each package that hosts import.
func modulesPerPackage(t *testing.T) string {
	modules := make(map[string]string) // of packages that are neither ours nor the standard library's
	for _, pkg := range goList(t, "-deps", "./...") {
		if !pkg.Standard && !pkg.ours() {
			modules[pkg.ImportPath] = pkg.Module.Path
		}
	}
	var list strings.Builder
	for _, pkg := range ourPackages(t) {
		if pkg.isExample() || pkg.isOnlyTests() || pkg.isInternal() {
			continue
		}
		reached := make(map[string]bool)
		for _, path := range pkg.Deps {
			if module, found := modules[path]; found {
				reached[module] = true
			}
		}
		names := slices.Sorted(maps.Keys(reached))
		if len(names) == 0 {
			names = []string{"nothing"}
		}
		fmt.Fprintf(&list, "  %-32s %s\n", pkg.folder(), strings.Join(names, ", "))
	}
	return list.String()
}

// moduleOf returns the longest of modules that the import path lies in.
func moduleOf(path string, modules []string) string {
	longest := ""
	for _, module := range modules {
		if within(path, []string{module}) && len(module) > len(longest) {
			longest = module
		}
	}
	return longest
}

func TestNoLeftovers(t *testing.T) {
	for path, content := range goFiles(t) {
		for number, line := range strings.Split(string(content), "\n") {
			for _, marker := range []string{"TO" + "DO", "FIX" + "ME"} {
				require.NotContains(t, line, marker, "%s:%d", path, number+1)
			}
		}
	}
}

func TestFilesAreShort(t *testing.T) {
	long := make(map[string]bool)
	for path, content := range goFiles(t) {
		generated := bytes.HasPrefix(content, []byte("// Code generated"))
		if lines := bytes.Count(content, []byte("\n")); lines > maxLines && !generated && !strings.HasSuffix(path, "_test.go") {
			long[path] = true
			require.Contains(t, longFiles, path, "%s has %d lines: split it by noun, or say in longFiles why it is long", path, lines)
		}
	}
	for path := range longFiles {
		require.Contains(t, long, path, "%s is listed in longFiles and isn't long", path)
	}
}

// goFiles returns the content of every Go file of the module, by its path.
func goFiles(t *testing.T) map[string][]byte {
	t.Helper()
	files := make(map[string][]byte)
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == ".git" || entry.Name() == "testdata") {
			return filepath.SkipDir
		}
		if entry.IsDir() || filepath.Ext(path) != ".go" {
			return nil
		}
		content, err := os.ReadFile(path)
		files[filepath.ToSlash(path)] = content
		return err
	})
	require.NoError(t, err)
	require.NotEmpty(t, files)
	return files
}
