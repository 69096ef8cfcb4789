package notify_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage/memory"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

// A previewer shows mails of its kinds with sample data: the services of this library.
type previewer interface {
	Kinds() []notify.Kind
	Preview(kind notify.Kind, locale string, brand notify.Brand) ([]notify.Mail, error)
}

// previews calls do with the sample mails of every kind of this library, in the order of their samples, by locale.
func previews(t *testing.T, do func(t *testing.T, kind notify.Kind, mails map[string][]notify.Mail)) {
	db := memory.New()
	members := access.New(db, access.Config{})
	invites, err := invite.New(db, members, []invite.Key{{ID: "k", Secret: make([]byte, 32)}}, invite.Config{Delivery: invite.ByHost})
	require.NoError(t, err)
	for _, each := range []previewer{members, invites, contact.New(db, members, contact.Config{})} {
		for _, kind := range each.Kinds() {
			t.Run(string(kind), func(t *testing.T) {
				mails := map[string][]notify.Mail{}
				for _, locale := range theLocales {
					var err error
					mails[locale], err = each.Preview(kind, locale, notify.Brand{Name: "Example Hosting"})
					require.NoError(t, err)
					require.NotEmpty(t, mails[locale])
				}
				do(t, kind, mails)
			})
		}
	}
}

// TestGoldenMails compares all mails in all languages with what was read and found good.
func TestGoldenMails(t *testing.T) {
	var files []string
	previews(t, func(t *testing.T, kind notify.Kind, mails map[string][]notify.Mail) {
		for _, locale := range theLocales {
			var text strings.Builder
			for i, m := range mails[locale] {
				fmt.Fprintf(&text, "==== %d: text\nSubject: %s\n\n%s\n==== %d: HTML\n%s\n", i+1, m.Subject, m.Text, i+1, inside(t, m.HTML))
			}
			file := filepath.Join("testdata", "mails", string(kind)+"."+locale+".golden")
			files = append(files, file)
			requireGolden(t, file, text.String())
		}
	})
	layout := filepath.Join("testdata", "mails", "layout.golden")
	templates, err := notify.ParseTemplates(of("k", nil), folder(map[string]string{"en/k.txt": "Subject: A subject\nA text", "en/k.html": "<p>HTML</p>"}))
	require.NoError(t, err)
	m, err := templates.Render("k", notify.English, notify.Brand{Name: "Example Hosting"}, nil)
	require.NoError(t, err)
	requireGolden(t, layout, m.Text+"\n"+m.HTML)

	found, err := filepath.Glob(filepath.Join("testdata", "mails", "*"))
	require.NoError(t, err)
	require.ElementsMatch(t, append(files, layout), found, "golden files of mails that are no more")
}

func requireGolden(t *testing.T, file, text string) {
	t.Helper()
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	}
	golden, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(string(golden), text), "%s; if that is right, run the test with -update", file)
}

// inside returns what is in the layout of HTML.
func inside(t *testing.T, content string) string {
	_, content, found := strings.Cut(content, "<div class=\"mail\">\n")
	require.True(t, found)
	content, _, found = strings.Cut(content, "\n</div>")
	require.True(t, found)
	return content
}

// TestMailsTellTheSameFacts in every language, as text and as HTML: names, numbers, times and links, in as many
// paragraphs, lists and links.
func TestMailsTellTheSameFacts(t *testing.T) {
	previews(t, func(t *testing.T, kind notify.Kind, mails map[string][]notify.Mail) {
		for i, english := range mails[notify.English] {
			require.NotEmpty(t, facts(english.Text))
			for _, locale := range theLocales {
				m := mails[locale][i]
				require.Equal(t, facts(english.Text), facts(m.Text), "%s, %d: text", locale, i+1)
				require.Equal(t, facts(english.Text), facts(visible(t, m.HTML)), "%s, %d: HTML", locale, i+1)
				require.Equal(t, facts(english.Subject), facts(m.Subject), "%s, %d: subject", locale, i+1)
				require.Equal(t, shape(english.Text), shape(m.Text), "%s, %d: text", locale, i+1)
				// Languages differ in the order of words, and so of the names among them.
				want, got := elements(t, english.HTML), elements(t, m.HTML)
				require.Equal(t, "html lang="+locale, got[0])
				require.ElementsMatch(t, want[1:], got[1:], "%s, %d: HTML", locale, i+1)
			}
		}
	})
}

// TestLanguagesDiffer: no line of a mail is left in another language, other than what is a fact.
func TestLanguagesDiffer(t *testing.T) {
	previews(t, func(t *testing.T, kind notify.Kind, mails map[string][]notify.Mail) {
		for i := range mails[notify.English] {
			lines := map[string]string{}
			for _, locale := range theLocales {
				m := mails[locale][i]
				for _, line := range append(strings.Split(m.Text, "\n"), m.Subject) {
					if line == "" || line == "-- " || strings.HasPrefix(line, "https://") {
						continue
					}
					other, found := lines[line]
					require.False(t, found && other != locale, "%q is in %s and in %s", line, locale, other)
					lines[line] = locale
				}
			}
		}
	})
}

var fact = regexp.MustCompile(`https://[^\s]+[^\s.]|\d+|Example & Sons|(Ann|Bob|Carl) Example|c\.\.\.@[a-z.]+[a-z]|carl@example\.com|UTC|\([A-Z][a-z]+/[A-Z][a-z]+\)`)

// facts returns what a text says whatever its language, sorted, each once.
func facts(text string) []string {
	found := fact.FindAllString(text, -1)
	slices.Sort(found)
	return slices.Compact(found)
}

// shape returns the lines of a text by what they are.
func shape(text string) []string {
	var shape []string
	for line := range strings.Lines(text) {
		switch {
		case line == "\n":
			shape = append(shape, "")
		case strings.HasPrefix(line, "- "):
			shape = append(shape, "item")
		case strings.HasPrefix(line, "https://"):
			shape = append(shape, "link")
		default:
			shape = append(shape, "sentences")
		}
	}
	return shape
}
