package roster_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestConsumer builds a module of a host that imports the core packages: it runs, and requires at most three modules
// besides this one.
func TestConsumer(t *testing.T) {
	checkout, err := filepath.Abs(".")
	require.NoError(t, err)
	folder := t.TempDir()
	write := func(name, content string) {
		t.Helper()
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(content), 0o644))
	}
	write("go.mod", "module example.com/host\n\ngo 1.26.0\n")
	write("main.go", `package main

import (
	"fmt"
	"time"

	"`+modulePath+`/access"
	_ "`+modulePath+`/contact"
	_ "`+modulePath+`/invite"
	_ "`+modulePath+`/notify"
)

func main() { fmt.Print(access.Grant{}.Can(1, time.Now())) }
`)
	// Known checksums: nothing has to be asked of a checksum database.
	checksums, err := os.ReadFile("go.sum")
	require.NoError(t, err)
	write("go.sum", string(checksums))

	environment := []string{"GOFLAGS=-mod=mod -buildvcs=false", "GOWORK=off"}
	runGo(t, folder, environment, "mod", "edit", "-require="+modulePath+"@v0.0.0", "-replace="+modulePath+"="+checkout)
	runGo(t, folder, environment, "mod", "tidy")

	var goMod struct{ Require []struct{ Path string } }
	require.NoError(t, json.Unmarshal([]byte(runGo(t, folder, environment, "mod", "edit", "-json")), &goMod))
	var others []string
	for _, module := range goMod.Require {
		if module.Path != modulePath {
			others = append(others, module.Path)
		}
	}
	require.Len(t, goMod.Require, len(others)+1, "the host requires this module")
	require.LessOrEqual(t, len(others), 3, "modules that a host has to require: %v", others)
	require.Equal(t, "false", runGo(t, folder, environment, "run", "."))
}
