package notify

import (
	"fmt"
	"regexp"
	"strings"
	"text/template/parse"
	"unicode/utf8"
)

// maxValueRunes is the length of the longest value that a template prints, in characters; longer ones are cut.
const maxValueRunes = 2000

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
		if last := n.Pipe.Cmds[len(n.Pipe.Cmds)-1].Args[0]; last.String() == "oneLine" {
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
