package access_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
)

// TestErrorCodesAreGolden collects the codes of errors from the source of every package that returns them. Hosts
// write their own texts by code: a code that goes from the list, or changes, breaks them.
func TestErrorCodesAreGolden(t *testing.T) {
	found := codes{texts: map[string]bool{}, takers: map[string]int{}, computed: map[string]bool{}}
	var files []*ast.File
	for _, folder := range []string{".", "accesshttp", "../invite", "../contact", "../notify"} {
		files = append(files, parseFolder(t, folder)...)
	}
	for _, file := range files {
		ast.Inspect(file, found.findTaker)
	}
	for _, file := range files {
		ast.Inspect(file, found.collect)
	}
	// Some codes aren't written as literals where an error is made: the rules of the decision, an outcome of an invite,
	// which is collected where it is declared, and the code of a limit, which is collected where the limit is.
	require.Equal(t, map[string]bool{"rule.String()": true, "DeniesAccountSuspended.String()": true,
		"DeniesClosed.String()": true, "string(o)": true, "l.Code": true}, found.computed)
	for rule := access.Rule(0); rule.String() != "denies.unknown"; rule++ {
		if !rule.Allows() {
			found.texts[rule.String()] = true
		}
	}
	sorted := slices.Sorted(maps.Keys(found.texts))
	requireGolden(t, "codes.golden", strings.Join(sorted, "\n")+"\n")
	for _, code := range sorted {
		require.Regexp(t, `^[a-z][a-z_]*(\.[a-z_]+)?$`, code)
	}
}

func parseFolder(t *testing.T, folder string) []*ast.File {
	t.Helper()
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	var files []*ast.File
	for _, entry := range entries {
		name := entry.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(folder, name), nil, 0)
		require.NoError(t, err)
		files = append(files, file)
	}
	return files
}

// codes are the error codes of some source files. A code is what stands in the field Code or code of a struct, or is
// passed as the parameter code of a function. The constants of type Outcome are codes too.
type codes struct {
	texts    map[string]bool
	computed map[string]bool // expressions that give a code and are neither literals nor handed on
	takers   map[string]int  // functions with a parameter code, and which it is
}

func (c *codes) findTaker(node ast.Node) bool {
	if function, ok := node.(*ast.FuncDecl); ok {
		if i := fieldIndex(function.Type.Params, "code"); i >= 0 {
			c.takers[function.Name.Name] = i
		}
	}
	return true
}

func (c *codes) collect(node ast.Node) bool {
	switch n := node.(type) {
	case *ast.CallExpr:
		if i, ok := c.takers[lastName(n.Fun)]; ok && i < len(n.Args) {
			c.add(n.Args[i])
		}
	case *ast.KeyValueExpr:
		if name := lastName(n.Key); name == "Code" || name == "code" {
			c.add(n.Value)
		}
	case *ast.ValueSpec:
		if lastName(n.Type) == "Outcome" {
			for _, value := range n.Values {
				c.add(value)
			}
		}
	case *ast.CompositeLit:
		c.collectRows(n)
	}
	return true
}

// collectRows adds the codes in a table whose rows are structs declared in place.
func (c *codes) collectRows(table *ast.CompositeLit) {
	list, ok := table.Type.(*ast.ArrayType)
	if !ok {
		return
	}
	row, ok := list.Elt.(*ast.StructType)
	if !ok {
		return
	}
	i := fieldIndex(row.Fields, "code")
	for _, element := range table.Elts {
		if fields, ok := element.(*ast.CompositeLit); ok && i >= 0 && i < len(fields.Elts) {
			if _, keyed := fields.Elts[i].(*ast.KeyValueExpr); !keyed {
				c.add(fields.Elts[i])
			}
		}
	}
}

func (c *codes) add(code ast.Expr) {
	literal, ok := code.(*ast.BasicLit)
	switch {
	case ok:
		text, err := strconv.Unquote(literal.Value)
		if err != nil {
			panic(err) // the parser has read it
		}
		c.texts[text] = true
	case lastName(code) == "code": // handed on, and collected where it comes from
	default:
		c.computed[exprText(code)] = true
	}
}

// fieldIndex returns the place of a name in a list of fields or parameters, -1 if it isn't there.
func fieldIndex(list *ast.FieldList, name string) int {
	i := 0
	for _, field := range list.List {
		for _, ident := range field.Names {
			if ident.Name == name {
				return i
			}
			i++
		}
	}
	return -1
}

// lastName returns the name of an identifier or, in a selector, of what is selected.
func lastName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

func exprText(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.CallExpr:
		var arguments []string
		for _, argument := range e.Args {
			arguments = append(arguments, exprText(argument))
		}
		return exprText(e.Fun) + "(" + strings.Join(arguments, ", ") + ")"
	case *ast.SelectorExpr:
		return exprText(e.X) + "." + e.Sel.Name
	case *ast.Ident:
		return e.Name
	}
	return fmt.Sprintf("%T", e)
}
