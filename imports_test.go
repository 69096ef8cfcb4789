package roster_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const modulePath = "github.com/rosterkit/roster"

// corePackages are what every host imports.
var corePackages = []string{"access", "contact", "invite", "notify"}

// anything marks the packages that may import every other package of the module.
var anything = []string{"*"}

// importRule says which packages of this module each package may import outside its tests. A package that has no row
// here, and is more than tests, fails the test, so that the rule is extended on purpose.
var importRule = map[string][]string{
	".":                                     {},
	"notify":                                {},
	"notify/notifytest":                     {"notify"},
	"notify/smtpmail":                       {"notify"},
	"notify/smtpmail/smtptest":              {},
	"access":                                {"notify"},
	"access/accesshttp":                     {"access"},
	"access/accesstest":                     anything,
	"access/casbinadapter":                  {"access"},
	"access/internal/benchtest":             append([]string{"storage", "storage/memory"}, corePackages...),
	"invite":                                {"access", "notify"},
	"contact":                               {"access", "notify"},
	"contact/contacthttp":                   {"access", "contact"},
	"storage":                               corePackages,
	"storage/memory":                        append([]string{"storage"}, corePackages...),
	"storage/sqlstore":                      append([]string{"storage"}, corePackages...),
	"storage/sqlstore/internal/processtest": append([]string{"storage", "storage/sqlstore"}, corePackages...),
	"storage/sqlstore/pgxtx":                append([]string{"storage", "storage/sqlstore"}, corePackages...),
	"storage/storagetest":                   append([]string{"storage"}, corePackages...),
	"storage/storagetest/servertest":        {},
	"examples/embed":                        anything,
	"examples/portal":                       anything,
	"examples/quickstart":                   anything,
}

// coreModules are the only modules that a host downloads for the core packages.
var coreModules = []string{"github.com/google/uuid", "golang.org/x/net", "golang.org/x/text"}

// testLibraries are imported by tests and by packages whose name ends in "test".
var testLibraries = []string{
	"testing",
	"net/http/httptest",
	"github.com/google/go-cmp",
	"github.com/stretchr/testify",
	"go.uber.org/goleak",
	"pgregory.net/rapid",
}

// drivers are imported by tests, examples and driverPackages: hosts bring their own handle.
var drivers = []string{
	"github.com/go-sql-driver/mysql",
	"github.com/jackc/pgx",
	"github.com/lib/pq",
	"github.com/mattn/go-sqlite3",
	"github.com/ncruces/go-sqlite3",
	"modernc.org/sqlite",
}

// driverPackages are the packages that import drivers outside their tests, and which.
var driverPackages = map[string][]string{
	"storage/sqlstore/pgxtx":         {"github.com/jackc/pgx"}, // takes transactions of pgx
	"storage/storagetest/servertest": drivers,                  // starts servers for tests
}

func TestImportRule(t *testing.T) {
	require.Empty(t, importViolations(ourPackages(t)))
}

func TestEveryRowOfTheImportRuleNamesAPackage(t *testing.T) {
	rows := make(map[string]bool)
	for row := range importRule {
		rows[row] = true
	}
	for _, pkg := range ourPackages(t) {
		delete(rows, pkg.folder())
	}
	require.Empty(t, rows, "rows of the import rule without a package")
}

func TestCorePackagesNeedFewModules(t *testing.T) {
	paths := make([]string, len(corePackages))
	for i, folder := range corePackages {
		paths[i] = "./" + folder
	}
	for _, pkg := range goList(t, append([]string{"-deps"}, paths...)...) {
		if pkg.Standard || pkg.ours() {
			continue
		}
		require.Contains(t, coreModules, pkg.Module.Path, "the core packages reach %s", pkg.ImportPath)
	}
}

// TestImportViolations shows that each part of the rule can fail.
func TestImportViolations(t *testing.T) {
	tests := []struct {
		name    string
		folder  string
		imports string
		want    string
	}{
		{"a package below", "access", modulePath + "/notify", ""},
		{"a package above", "notify", modulePath + "/access", "notify imports access"},
		{"a sibling", "invite", modulePath + "/contact", "invite imports contact"},
		{"an unknown package", "billing", "fmt", "billing has no row in importRule"},
		{"an example imports all", "examples/portal", modulePath + "/storage/memory", ""},
		{"testing", "access", "testing", "access reaches the test library testing"},
		{"a test library", "storage", "github.com/stretchr/testify/require", "storage reaches the test library github.com/stretchr/testify/require"},
		{"testing in an example", "examples/portal", "testing", "examples/portal reaches the test library testing"},
		{"testing in a test package", "access/accesstest", "testing", ""},
		{"a name that only resembles testing", "access", "testingground", ""},
		{"a driver", "storage/sqlstore", "modernc.org/sqlite/lib", "storage/sqlstore reaches the driver modernc.org/sqlite/lib"},
		{"a driver in a test package", "storage/storagetest", "modernc.org/sqlite", "storage/storagetest reaches the driver modernc.org/sqlite"},
		{"a driver where test servers are started", "storage/storagetest/servertest", "github.com/go-sql-driver/mysql", ""},
		{"pgx where its transactions are taken", "storage/sqlstore/pgxtx", "github.com/jackc/pgx/v5", ""},
		{"another driver there", "storage/sqlstore/pgxtx", "modernc.org/sqlite", "storage/sqlstore/pgxtx reaches the driver modernc.org/sqlite"},
		{"a driver in an example", "examples/portal", "modernc.org/sqlite", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			pkg := listedPackage{
				ImportPath: modulePath + "/" + tt.folder,
				Name:       tt.folder[strings.LastIndex(tt.folder, "/")+1:],
				GoFiles:    []string{"doc.go"},
				Imports:    []string{tt.imports},
				Deps:       []string{tt.imports},
			}
			require.Equal(t, tt.want, strings.Join(importViolations([]listedPackage{pkg}), "\n"))
		})
	}
}

// importViolations returns one line for everything that packages import, directly or through others, and may not.
func importViolations(packages []listedPackage) []string {
	var violations []string
	add := func(format string, args ...any) { violations = append(violations, fmt.Sprintf(format, args...)) }
	for _, pkg := range packages {
		if pkg.isOnlyTests() {
			continue
		}
		allowed, known := importRule[pkg.folder()]
		if !known {
			add("%s has no row in importRule", pkg.folder())
			continue
		}
		for _, path := range pkg.Imports {
			folder, ours := folderOf(path)
			if ours && !slices.Contains(allowed, folder) && !slices.Equal(allowed, anything) {
				add("%s imports %s", pkg.folder(), folder)
			}
		}
		for _, path := range pkg.Deps {
			if within(path, testLibraries) && !pkg.isForTests() {
				add("%s reaches the test library %s", pkg.folder(), path)
			}
			if within(path, drivers) && !pkg.isExample() && !within(path, driverPackages[pkg.folder()]) {
				add("%s reaches the driver %s", pkg.folder(), path)
			}
		}
	}
	return violations
}

// A listedPackage is what "go list -json" says about a package.
type listedPackage struct {
	ImportPath   string
	Name         string
	Standard     bool
	Module       *struct{ Path string }
	GoFiles      []string // outside tests
	Imports      []string // outside tests, direct
	Deps         []string // outside tests, direct and indirect
	TestImports  []string
	XTestImports []string
}

func (p listedPackage) ours() bool { return p.Module != nil && p.Module.Path == modulePath }

// folder is the package's place in the repository, "." for its root.
func (p listedPackage) folder() string {
	folder, _ := folderOf(p.ImportPath)
	return folder
}

func (p listedPackage) isForTests() bool { return strings.HasSuffix(p.Name, "test") }

// isOnlyTests reports whether nobody can import the package, for it has nothing but tests.
func (p listedPackage) isOnlyTests() bool { return len(p.GoFiles) == 0 }

func (p listedPackage) isExample() bool { return strings.HasPrefix(p.folder(), "examples/") }

// isInternal reports whether nobody outside this module can import the package.
func (p listedPackage) isInternal() bool {
	return slices.Contains(strings.Split(p.folder(), "/"), "internal")
}

// folderOf turns an import path of this module into a folder.
func folderOf(path string) (folder string, ours bool) {
	if path == modulePath {
		return ".", true
	}
	return strings.CutPrefix(path, modulePath+"/")
}

// within reports whether path is one of roots or below one.
func within(path string, roots []string) bool {
	return slices.ContainsFunc(roots, func(root string) bool {
		return path == root || strings.HasPrefix(path, root+"/")
	})
}

// ourPackages lists the packages of this module.
func ourPackages(t *testing.T) []listedPackage {
	t.Helper()
	return goList(t, "./...")
}

// goList runs "go list -json" for one platform, so that the answer is the same on every machine.
func goList(t *testing.T, args ...string) []listedPackage {
	t.Helper()
	args = append([]string{"list", "-buildvcs=false", "-json=ImportPath,Name,Standard,Module,GoFiles,Imports,Deps,TestImports,XTestImports"}, args...)
	output := runGo(t, ".", []string{"GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0"}, args...)
	var packages []listedPackage
	for decoder := json.NewDecoder(strings.NewReader(output)); ; {
		var pkg listedPackage
		err := decoder.Decode(&pkg)
		if errors.Is(err, io.EOF) {
			return packages
		}
		require.NoError(t, err)
		packages = append(packages, pkg)
	}
}

// runGo runs the go command in folder and returns what it printed.
func runGo(t *testing.T, folder string, environment []string, args ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", args...)
	command.Dir = folder
	command.Env = append(os.Environ(), environment...)
	output, err := command.Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		require.NoError(t, err, "go %s\n%s", strings.Join(args, " "), failed.Stderr)
	}
	require.NoError(t, err)
	return string(output)
}
