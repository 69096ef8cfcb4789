package roster_test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestReadme checks that the quick start is the example's file, that every test it names is there, and every file it
// links to.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	readme := string(text)

	program, err := os.ReadFile("examples/quickstart/main.go")
	require.NoError(t, err)
	require.True(t, strings.Contains(readme, "```go\n"+string(program)+"```\n"), "the quick start is not examples/quickstart/main.go")

	host, err := os.ReadFile("examples/quickstart/host_test.go")
	require.NoError(t, err)
	_, snippet, found := strings.Cut(readme, "```go\nhandle")
	require.True(t, found)
	snippet, _, _ = strings.Cut("handle"+snippet, "```\n")
	unindented := regexp.MustCompile(`(?m)^\t`).ReplaceAllString(string(host), "")
	require.True(t, strings.Contains(unindented, snippet), "the host's code is not in examples/quickstart/host_test.go")

	var tests strings.Builder
	files, err := exec.Command("go", "list", "-f", `{{range .TestGoFiles}}{{$.Dir}}/{{.}}
{{end}}{{range .XTestGoFiles}}{{$.Dir}}/{{.}}
{{end}}`, "./...").Output()
	require.NoError(t, err)
	for _, file := range strings.Fields(string(files)) {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		tests.Write(content)
	}
	named := regexp.MustCompile("`(Test[A-Za-z]+)").FindAllStringSubmatch(readme, -1)
	require.NotEmpty(t, named)
	for _, name := range named {
		require.True(t, strings.Contains(tests.String(), "func "+name[1]+"("), "the README names %s", name[1])
	}

	for _, link := range regexp.MustCompile(`\]\(([\w./-]+)\)`).FindAllStringSubmatch(readme, -1) {
		_, err := os.Stat(link[1])
		require.NoError(t, err, "the README links to %s", link[1])
	}
}
