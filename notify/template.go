package notify

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	"regexp"
	"strings"
	texttemplate "text/template"
	"text/template/parse"
	"time"
	"unicode/utf8"
)

// Templates turn the data of a message into the subject, the text and the HTML of its mail. They are safe for
// concurrent use.
type Templates struct {
	kinds map[Kind]kindTemplates
	text  *texttemplate.Template // the layout around every text
	html  *htmltemplate.Template // the layout around every HTML part
}

type kindTemplates struct {
	subject *texttemplate.Template
	text    *texttemplate.Template
	html    *htmltemplate.Template
}

//go:embed layout.txt layout.html
var layouts embed.FS

// layoutData is what the layouts are given. The content has been escaped already.
type layoutData struct {
	Subject string
	Content htmltemplate.HTML
}

// maxValueRunes is the length of the longest value that a template prints, in characters; longer ones are cut.
const maxValueRunes = 2000

// ParseTemplates reads two files for each kind: "<kind>.txt", a text/template whose first line is "Subject: " and the
// subject, and "<kind>.html", an html/template of what goes inside the body. It returns an error that names the file if
// one is missing or doesn't parse.
//
// Whatever a template prints is put on one line, without control characters, so that a value can't forge a header or
// a paragraph. Besides the functions that come with the template packages there is
//
//	{{date .Until .Zone}}
//
// which writes a time in a zone: "Tuesday, 24 November 2026, 18:05 CET (Europe/Vienna)". A zone that is empty or
// unknown to the machine is taken as UTC.
func ParseTemplates(fsys fs.FS, kinds ...Kind) (*Templates, error) {
	t := &Templates{kinds: make(map[Kind]kindTemplates)}
	if err := t.parseLayouts(); err != nil {
		return nil, err
	}
	for _, kind := range kinds {
		parsed, err := parseKind(fsys, kind)
		if err != nil {
			return nil, err
		}
		t.kinds[kind] = parsed
	}
	return t, nil
}

// Render returns the mail of a kind: Subject, Text and HTML are set, the rest is the caller's. A subject that would be
// too long is cut. It returns an error for a kind that wasn't parsed, and for data that lacks what the templates name.
func (t *Templates) Render(kind Kind, data any) (Mail, error) {
	parsed, found := t.kinds[kind]
	if !found {
		return Mail{}, fmt.Errorf("notify: no templates for kind %q", kind)
	}
	var subject, text, html bytes.Buffer
	err := errors.Join(
		parsed.subject.Execute(&subject, data),
		parsed.text.Execute(&text, data),
		parsed.html.Execute(&html, data),
	)
	if err != nil {
		return Mail{}, fmt.Errorf("notify: %w", err)
	}
	mail := Mail{Subject: clip(strings.TrimSpace(oneLine(subject.String())), MaxSubjectRunes)}

	var textPart, htmlPart bytes.Buffer
	err = errors.Join(
		t.text.Execute(&textPart, struct{ Subject, Content string }{mail.Subject, tidy(text.String())}),
		t.html.Execute(&htmlPart, layoutData{mail.Subject, htmltemplate.HTML(tidy(html.String()))}),
	)
	if err != nil {
		return Mail{}, fmt.Errorf("notify: %w", err)
	}
	mail.Text, mail.HTML = textPart.String(), htmlPart.String()
	return mail, nil
}

func (t *Templates) parseLayouts() error {
	text, err := readFile(layouts, "layout.txt")
	if err != nil {
		return err
	}
	if t.text, err = texttemplate.New("layout.txt").Parse(text); err != nil {
		return fmt.Errorf("notify: %w", err)
	}
	html, err := readFile(layouts, "layout.html")
	if err != nil {
		return err
	}
	if t.html, err = htmltemplate.New("layout.html").Parse(html); err != nil {
		return fmt.Errorf("notify: %w", err)
	}
	return nil
}

func parseKind(fsys fs.FS, kind Kind) (kindTemplates, error) {
	name := string(kind) + ".txt"
	file, err := readFile(fsys, name)
	if err != nil {
		return kindTemplates{}, err
	}
	firstLine, text, _ := strings.Cut(file, "\n")
	subject, found := strings.CutPrefix(firstLine, "Subject: ")
	if !found {
		return kindTemplates{}, fmt.Errorf("notify: the first line of %s is not \"Subject: \" and a subject", name)
	}
	html, err := readFile(fsys, string(kind)+".html")
	if err != nil {
		return kindTemplates{}, err
	}
	var parsed kindTemplates
	if parsed.subject, err = parseText(name+" (subject)", subject); err != nil {
		return kindTemplates{}, err
	}
	if parsed.text, err = parseText(name, text); err != nil {
		return kindTemplates{}, err
	}
	if parsed.html, err = parseHTML(string(kind)+".html", html); err != nil {
		return kindTemplates{}, err
	}
	return parsed, nil
}

func readFile(fsys fs.FS, name string) (string, error) {
	content, err := fs.ReadFile(fsys, name)
	if err != nil {
		return "", fmt.Errorf("notify: template: %w", err)
	}
	return strings.ReplaceAll(string(content), "\r\n", "\n"), nil
}

// functions are what templates can call. "oneLine" is added to everything they print.
func functions() map[string]any {
	return map[string]any{"date": date, "oneLine": printOneLine}
}

func parseText(name, content string) (*texttemplate.Template, error) {
	t, err := texttemplate.New(name).Option("missingkey=error").Funcs(functions()).Parse(content)
	if err != nil {
		return nil, fmt.Errorf("notify: %w", err)
	}
	for _, each := range t.Templates() {
		putOnOneLine(each.Tree, each.Root)
	}
	return t, nil
}

func parseHTML(name, content string) (*htmltemplate.Template, error) {
	t, err := htmltemplate.New(name).Option("missingkey=error").Funcs(functions()).Parse(content)
	if err != nil {
		return nil, fmt.Errorf("notify: %w", err)
	}
	for _, each := range t.Templates() {
		if each.Tree != nil {
			putOnOneLine(each.Tree, each.Tree.Root)
		}
	}
	return t, nil
}

// putOnOneLine appends the function oneLine to every pipeline below a node that prints, as html/template does with its
// escapers: a template can't forget it.
func putOnOneLine(tree *parse.Tree, node parse.Node) {
	branch := func(b *parse.BranchNode) {
		putOnOneLine(tree, b.List)
		putOnOneLine(tree, b.ElseList)
	}
	switch n := node.(type) {
	case *parse.ListNode:
		if n == nil {
			return
		}
		for _, each := range n.Nodes {
			putOnOneLine(tree, each)
		}
	case *parse.IfNode:
		branch(&n.BranchNode)
	case *parse.RangeNode:
		branch(&n.BranchNode)
	case *parse.WithNode:
		branch(&n.BranchNode)
	case *parse.ActionNode:
		if len(n.Pipe.Decl) > 0 { // assigns, prints nothing
			return
		}
		function := parse.NewIdentifier("oneLine").SetTree(tree).SetPos(n.Pos)
		n.Pipe.Cmds = append(n.Pipe.Cmds, &parse.CommandNode{NodeType: parse.NodeCommand, Pos: n.Pos, Args: []parse.Node{function}})
	}
}

// printOneLine is what templates call. It returns a string whatever it is given, so that no value can claim to be
// escaped HTML.
func printOneLine(value any) string { return clip(oneLine(fmt.Sprint(value)), maxValueRunes) }

// oneLine replaces control characters and line ends by blanks.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unfitForLine(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// clip cuts a text that is longer than max characters, and shows that it did.
func clip(s string, max int) string {
	if utf8.RuneCountInString(s) <= max {
		return s
	}
	return string([]rune(s)[:max-1]) + "…"
}

var (
	blanksAtLineEnd = regexp.MustCompile(`[ \t]+\n`)
	emptyLines      = regexp.MustCompile(`\n{3,}`)
)

// tidy removes the blanks and empty lines that conditions in a template leave behind.
func tidy(s string) string {
	s = blanksAtLineEnd.ReplaceAllString(s, "\n")
	return strings.TrimSpace(emptyLines.ReplaceAllString(s, "\n\n"))
}

func date(t time.Time, zone string) string {
	location, err := time.LoadLocation(zone)
	if err != nil || location == time.Local {
		location = time.UTC
	}
	const format = "Monday, 2 January 2006, 15:04 MST"
	if location == time.UTC {
		return t.UTC().Format(format)
	}
	return t.In(location).Format(format) + " (" + location.String() + ")"
}
