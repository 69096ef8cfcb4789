package notify_test

import (
	"encoding/json"
	"io/fs"
	"maps"
	"math"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/rosterkit/roster/notify"
	"github.com/stretchr/testify/require"
)

// of returns a sample of a kind with this data in every locale.
func of(kind notify.Kind, data any) []notify.Sample {
	return []notify.Sample{{Kind: kind, Data: func(string) any { return data }}}
}

// folder returns files by name and content.
func folder(contents map[string]string) fstest.MapFS {
	files := fstest.MapFS{}
	for name, content := range contents {
		files[name] = &fstest.MapFile{Data: []byte(content)}
	}
	return files
}

func TestRender(t *testing.T) {
	files := folder(map[string]string{
		"en/hello.txt":  "Subject: Hello {{.Name}}\r\nDear {{.Name}},{{$n := 3}}\r\n{{if .Sure}}\r\n\r\n  \r\nsure {{$n}}\r\n{{end}}\r\n",
		"en/hello.html": "<p title=\"{{.Name}}\">{{template \"name\" .Name}}</p>{{define \"name\"}}<i>{{.}}</i>{{end}}",
	})
	templates, err := notify.ParseTemplates(of("hello", map[string]any{"Name": "x", "Sure": false}), files)
	require.NoError(t, err)

	m, err := templates.Render("hello", "en", notify.Brand{}, map[string]any{"Name": "Ann\r\nBcc: <eve>", "Sure": true})
	require.NoError(t, err)
	require.Equal(t, "Hello Ann  Bcc: <eve>", m.Subject)
	require.Equal(t, "Dear Ann  Bcc: <eve>,\n\nsure 3\n\n-- \nThis is an automatic message.\n", m.Text)
	require.Contains(t, m.HTML, "<p title=\"Ann  Bcc: &lt;eve&gt;\"><i>Ann  Bcc: &lt;eve&gt;</i></p>")
	require.Contains(t, m.HTML, "<title>Hello Ann  Bcc: &lt;eve&gt;</title>")
	require.Contains(t, m.HTML, `<html lang="en">`)

	_, err = templates.Render("hello", "en", notify.Brand{}, map[string]any{"Name": "Ann"})
	require.ErrorContains(t, err, "Sure", "a missing key")
	_, err = templates.Render("hello", "en", notify.Brand{}, struct{ Name string }{"Ann"})
	require.ErrorContains(t, err, "Sure", "a missing field")
	_, err = templates.Render("bye", "en", notify.Brand{}, nil)
	require.ErrorContains(t, err, `no templates for kind "bye"`)
	_, err = templates.Render("hello", "de", notify.Brand{}, nil)
	require.ErrorContains(t, err, `no templates for kind "hello" in locale "de"`)
}

func TestRenderCutsLongValues(t *testing.T) {
	files := folder(map[string]string{"en/hello.txt": "Subject: {{.}}\n{{.}}\n", "en/hello.html": "{{.}}"})
	templates, err := notify.ParseTemplates(of("hello", "x"), files)
	require.NoError(t, err)
	m, err := templates.Render("hello", "en", notify.Brand{}, strings.Repeat("é", 10_000))
	require.NoError(t, err)
	require.Equal(t, strings.Repeat("é", 249)+"…", m.Subject)
	require.Contains(t, m.Text, strings.Repeat("é", 1999)+"…\n")
}

// TestRenderUnderABrand: its name is text like any other value, and the sender is as it says.
func TestRenderUnderABrand(t *testing.T) {
	files := folder(map[string]string{"en/k.txt": "Subject: x\nx", "en/k.html": "x", "de/k.txt": "Subject: x\nx", "de/k.html": "x"})
	templates, err := notify.ParseTemplates(of("k", nil), files)
	require.NoError(t, err)
	brand := notify.Brand{Name: "Host <b>& Sons\r\nx", From: "mail@reseller.example", FromName: "Reseller", ReplyTo: "help@reseller.example"}
	m, err := templates.Render("k", "de", brand, nil)
	require.NoError(t, err)
	require.Equal(t, "x\n\n-- \nDies ist eine automatische Nachricht von Host <b>& Sons  x.\n", m.Text)
	require.Contains(t, m.HTML, "von Host &lt;b&gt;&amp; Sons  x.")
	require.Equal(t, []string{"mail@reseller.example", "Reseller", "help@reseller.example"}, []string{m.From, m.FromName, m.ReplyTo})
}

func TestParseTemplatesRefuses(t *testing.T) {
	good := map[string]string{"en/k.txt": "Subject: x\nx", "en/k.html": "x"}
	tests := []struct {
		name, file, content string
		want                string
	}{
		{"no text", "en/k.txt", "", "en/k.txt"},
		{"no HTML", "en/k.html", "", "en/k.html"},
		{"no subject", "en/k.txt", "x", "the first line of en/k.txt"},
		{"a bad subject", "en/k.txt", "Subject: {{\nx", "en/k.txt"},
		{"a bad text", "en/k.txt", "Subject: x\n{{if}}", "en/k.txt"},
		{"an unknown function", "en/k.txt", "Subject: x\n{{env 1}}", "env"},
		{"a bad HTML", "en/k.html", "{{end}}", "en/k.html"},
		{"a subject that can't be rendered", "en/k.txt", "Subject: {{.Missing}}\nx", "en/k.txt"},
		{"a text that can't be rendered", "en/k.txt", "Subject: x\n{{.Missing}}", "en/k.txt"},
		{"HTML that can't be rendered", "en/k.html", "{{.Missing}}", "en/k.html"},
		{"HTML that can't be escaped", "en/k.html", "<a href={{if .Name}}\"{{end}}>", "en/k.html"},
		{"a mail without a subject", "en/k.txt", "Subject: {{if false}}x{{end}}\nx", "en/k"},
		{"a mail that is too long", "en/k.txt", "Subject: x\n" + strings.Repeat("x", notify.MaxPartBytes), "en/k"},
		{"a language without HTML", "de/k.txt", "Subject: x\nx", "de/k.html"},
		{"a language without a text", "fr/k.html", "x", "fr/k.txt"},
		{"a language that can't be rendered", "it/words.txt", `{{define "months"}}x{{end}}`, ""},
		{"a folder of no language", "deutsch/k.txt", "Subject: x\nx", `"deutsch"`},
		{"a folder of no known language", "xq/k.txt", "Subject: x\nx", `"xq"`},
		{"a folder that isn't written so", "pt-br/k.txt", "Subject: x\nx", `"pt-br"`},
		{"a text in no folder", "k.txt", "Subject: x\nx", `"k.txt"`},
		{"HTML in no folder", "words.html", "x", `"words.html"`},
		{"a file of another kind", "README.md", "x", ""},
		{"a layout that doesn't parse", "layout.html", "{{end}}", "layout.html"},
		{"a layout that can't be rendered", "layout.txt", "{{.Missing}}", "layout.txt"},
		{"words that don't parse", "en/words.txt", "{{end}}", "en/words.txt"},
		{"months that are too few", "en/words.txt", `{{define "months"}}January, February{{end}}`, "en/words.txt"},
		{"weekdays that are too many", "en/words.txt", `{{define "weekdays"}}1, 2, 3, 4, 5, 6, 7, 8{{end}}`, "en/words.txt"},
		{"a date that can't be rendered", "en/words.txt", `{{define "date"}}{{.Century}}{{end}}`, "en/words.txt"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			contents := maps.Clone(good)
			contents[tt.file] = tt.content
			if tt.content == "" {
				delete(contents, tt.file)
			}
			_, err := notify.ParseTemplates(of("k", map[string]any{"Name": "x"}), folder(contents))
			if tt.want == "" {
				require.NoError(t, err, "nothing is lost")
				return
			}
			require.ErrorContains(t, err, tt.want)
		})
	}
	_, err := notify.ParseTemplates(of("k", nil), fstest.MapFS{})
	require.ErrorIs(t, err, fs.ErrNotExist)

	italian := maps.Clone(good)
	italian["it/k.txt"], italian["it/k.html"] = "Subject: x\nx", "x"
	_, err = notify.ParseTemplates(of("k", nil), folder(italian))
	require.ErrorContains(t, err, "it/words.txt", "a language without words")
}

// TestLayers: a file of the first layer is used, all others are those of the next, and of words each definition.
func TestLayers(t *testing.T) {
	own := folder(map[string]string{
		"en/k.txt": "Subject: ours\nours", "en/k.html": "<p>ours</p>",
		"de/k.txt": "Subject: unser\n{{template \"thing\"}}", "de/k.html": "<p>unser</p>",
		"de/words.txt": `{{define "thing"}}Ding{{end}}`, "en/words.txt": `{{define "thing"}}thing{{end}}`,
	})
	hosts := folder(map[string]string{
		"de/k.txt":        "Subject: dein\n{{template \"thing\"}}",
		"de-AT/k.txt":     "Subject: österreichisch\n{{template \"thing\"}} {{date .At .Zone}}",
		"de-AT/k.html":    "<p>x</p>",
		"de-AT/words.txt": `{{define "months"}}Jänner, Februar, März, April, Mai, Juni, Juli, August, September, Oktober, November, Dezember{{end}}`,
		"de/words.txt":    `{{define "automatic"}}Gesendet von selbst.{{end}}`,
		"layout.txt":      "{{.Content}} // {{template \"automatic\" .}}",
	})
	data := struct {
		At   time.Time
		Zone string
	}{time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC), ""}
	templates, err := notify.ParseTemplates(of("k", data), hosts, nil, own)
	require.NoError(t, err)
	require.Equal(t, []string{"en", "de", "de-AT"}, templates.Locales("k"))
	require.Empty(t, templates.Locales("other"))
	for locale, want := range map[string][]string{
		"en":    {"ours", "ours // This is an automatic message.", "<p>ours</p>"},
		"de":    {"dein", "Ding // Gesendet von selbst.", "<p>unser</p>"},
		"de-AT": {"österreichisch", "Ding Montag, 5. Jänner 2026, 12:00 Uhr UTC // Gesendet von selbst.", "<p>x</p>"},
	} {
		m, err := templates.Render("k", locale, notify.Brand{}, data)
		require.NoError(t, err)
		require.Equal(t, want[:2], []string{m.Subject, strings.TrimSpace(m.Text)})
		require.Contains(t, m.HTML, want[2])
	}
}

func TestMatch(t *testing.T) {
	files := folder(map[string]string{
		"en/k.txt": "Subject: x\nx", "en/k.html": "x", "de/k.txt": "Subject: x\nx", "de/k.html": "x",
		"fr/k.txt": "Subject: x\nx", "fr/k.html": "x", "de-CH/k.txt": "Subject: x\nx", "de-CH/k.html": "x",
		"en/only.txt": "Subject: x\nx", "en/only.html": "x",
	})
	templates, err := notify.ParseTemplates(append(of("k", nil), of("only", nil)...), files)
	require.NoError(t, err)
	tests := []struct {
		preferred []string
		want      string
	}{
		{nil, "en"},
		{[]string{"de"}, "de"},
		{[]string{"DE"}, "de"},
		{[]string{"de-AT"}, "de"},
		{[]string{"de-CH"}, "de-CH"},
		{[]string{"de-Latn-CH-1901"}, "de-CH"},
		{[]string{"gsw"}, "de"},
		{[]string{"fr-CA"}, "fr"},
		{[]string{"en-GB", "de"}, "en"},
		{[]string{"it", "de"}, "de"},
		{[]string{"", "fr", "de"}, "fr"},
		{[]string{"it", "ja", ""}, "en"},
		{[]string{"nonsense", "de_AT@euro", "fr"}, "fr"},
		{[]string{strings.Repeat("a", 10_000), "fr"}, "fr"},
	}
	for _, tt := range tests {
		require.Equal(t, tt.want, templates.Match("k", tt.preferred...), "%.50q", tt.preferred)
		require.Equal(t, "en", templates.Match("only", tt.preferred...))
		require.Equal(t, "en", templates.Match("unknown", tt.preferred...))
	}
}

// FuzzMatch: whatever is preferred, one of the locales is found, and what is checked as a locale matches itself.
func FuzzMatch(f *testing.F) {
	for _, locale := range []string{"", "de", "de-AT", "zh-Hant-TW", "sl-rozaj-biske", "en-u-ca-buddhist", "x-private", "i-klingon", "de_AT", "en-x-a-b", "und", "*"} {
		f.Add(locale)
	}
	files := folder(map[string]string{
		"en/k.txt": "Subject: x\nx", "en/k.html": "x", "de/k.txt": "Subject: x\nx", "de/k.html": "x", "fr/k.txt": "Subject: x\nx", "fr/k.html": "x",
	})
	templates, err := notify.ParseTemplates(of("k", nil), files)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, locale string) {
		found := templates.Match("k", locale)
		require.Contains(t, theLocales, found)
		if !templates.Speak("k", locale) {
			require.Equal(t, "en", found)
			require.Equal(t, "fr", templates.Match("k", locale, "fr"))
		}
		m, err := templates.Render("k", found, notify.Brand{Locale: locale}, nil)
		require.NoError(t, err)
		require.Contains(t, m.HTML, `<html lang="`+found+`">`)
	})
}

func TestPreview(t *testing.T) {
	files := folder(map[string]string{
		"en/k.txt": "Subject: k\n{{.}}", "en/k.html": "{{.}}", "de/k.txt": "Subject: k\n{{.}}", "de/k.html": "{{.}}",
		"en/other.txt": "Subject: other\nx", "en/other.html": "x",
	})
	sample := func(kind notify.Kind, text string) notify.Sample {
		return notify.Sample{Kind: kind, Data: func(locale string) any { return text + " in " + locale }}
	}
	templates, err := notify.ParseTemplates([]notify.Sample{sample("k", "one"), sample("other", ""), sample("k", "two")}, files)
	require.NoError(t, err)
	mails, err := templates.Preview("k", "de-AT", notify.Brand{Name: "Brand"})
	require.NoError(t, err)
	require.Len(t, mails, 2)
	require.Contains(t, mails[0].Text, "one in de\n")
	require.Contains(t, mails[1].Text, "two in de\n")
	require.Contains(t, mails[1].Text, "von Brand.")

	_, err = templates.Preview("unknown", "de", notify.Brand{})
	require.ErrorContains(t, err, `no templates for kind "unknown"`)
	for _, locale := range []string{"ja", "", "deutsch", "../../etc"} {
		_, err = templates.Preview("k", locale, notify.Brand{})
		require.ErrorContains(t, err, "locale", locale)
	}
}

func TestDates(t *testing.T) {
	contents := map[string]string{"en/k.html": "x", "de/k.html": "x", "fr/k.html": "x"}
	for _, locale := range theLocales {
		contents[locale+"/k.txt"] = "Subject: x\n{{date .At .Zone}} / {{number .N}}"
	}
	type data struct {
		At   any
		Zone string
		N    any
	}
	templates, err := notify.ParseTemplates(of("k", data{until, "", 0}), folder(contents))
	require.NoError(t, err)
	first := time.Date(2026, time.August, 1, 6, 5, 0, 0, time.UTC)
	tests := []struct {
		locale string
		data   data
		want   string
	}{
		{"en", data{until, "Europe/Vienna", 1}, "Tuesday, 24 November 2026, 18:05 CET (Europe/Vienna) / 1"},
		{"en", data{until, "America/Sao_Paulo", 1234}, "Tuesday, 24 November 2026, 14:05 -03 (America/Sao_Paulo) / 1,234"},
		{"en", data{until, "UTC", -1}, "Tuesday, 24 November 2026, 17:05 UTC / -1"},
		{"en", data{until, "", 0}, "Tuesday, 24 November 2026, 17:05 UTC / 0"},
		{"en", data{until, "Local", 0}, "Tuesday, 24 November 2026, 17:05 UTC / 0"},
		{"en", data{until, "Nowhere/Town", 0}, "Tuesday, 24 November 2026, 17:05 UTC / 0"},
		{"en", data{until, "../../etc/passwd", 0}, "Tuesday, 24 November 2026, 17:05 UTC / 0"},
		{"de", data{until, "Europe/Vienna", 72}, "Dienstag, 24. November 2026, 18:05 Uhr MEZ (Europe/Vienna) / 72"},
		{"de", data{first, "Europe/Berlin", 1234567}, "Samstag, 1. August 2026, 08:05 Uhr MESZ (Europe/Berlin) / 1.234.567"},
		{"en", data{"2026-11-24T18:05:00+01:00", "", json.Number("1234.50")}, "Tuesday, 24 November 2026, 17:05 UTC / 1,234.50"},
		{"de", data{"2026-11-24T17:05:00Z", "Europe/Vienna", json.Number("-1234.5")}, "Dienstag, 24. November 2026, 18:05 Uhr MEZ (Europe/Vienna) / -1.234,5"},
		{"en", data{until, "", 1234567.5}, "Tuesday, 24 November 2026, 17:05 UTC / 1,234,567.5"},
		{"en", data{until, "", json.Number("1e6")}, "Tuesday, 24 November 2026, 17:05 UTC / 1,000,000"},
		{"fr", data{until, "", 0.25}, "mardi 24 novembre 2026 à 17\u00a0h\u00a005 UTC / 0,25"},
		{"de", data{first, "", 999}, "Samstag, 1. August 2026, 06:05 Uhr UTC / 999"},
		{"fr", data{until, "Europe/Paris", 72}, "mardi 24 novembre 2026 à 18\u00a0h\u00a005 CET (Europe/Paris) / 72"},
		{"fr", data{first, "", 1234}, "samedi 1er août 2026 à 6\u00a0h\u00a005 UTC / 1\u00a0234"},
	}
	for _, tt := range tests {
		m, err := templates.Render("k", tt.locale, notify.Brand{}, tt.data)
		require.NoError(t, err)
		text, _, _ := strings.Cut(m.Text, "\n")
		require.Equal(t, tt.want, text)
	}
	for _, bad := range []data{{"tomorrow", "", 1}, {"", "", 1}, {nil, "", 1}, {17, "", 1}, {until, "", "many"}, {until, "", nil}, {until, "", "Inf"}, {until, "", true},
		{until, "", math.NaN()}} {
		_, err := templates.Render("k", "en", notify.Brand{}, bad)
		require.Error(t, err, "%v", bad)
	}
}
