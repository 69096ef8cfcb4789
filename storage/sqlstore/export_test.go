package sqlstore

import (
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Sent returns the names of the statements that a DB of a server has sent, and the texts of those that aren't listed.
func (db *DB) Sent() []string {
	names := make(map[string]string)
	for name, statement := range statements {
		for _, form := range forms(statement) {
			names[single(form)] = name
		}
	}
	var sent []string
	for _, texts := range []*sync.Map{&db.texts, &db.sharedTexts} {
		texts.Range(func(text, _ any) bool {
			for part := range strings.SplitSeq(text.(string), "; ") { // some begin a transaction and do more at once
				if aboutTransaction.MatchString(part) {
					continue
				}
				sent = append(sent, nameOf(single(part), names))
			}
			return true
		})
	}
	slices.Sort(sent)
	return slices.Compact(sent)
}

// forms returns a statement as it is written, and as it is given rows by columns.
func forms(statement string) []string {
	forms := []string{statement}
	switch {
	case strings.Contains(statement, "VALUES ("):
		byColumns, _ := givenRows(statement, [][]any{slices.Repeat([]any{""}, strings.Count(statement, "?"))})
		forms = append(forms, byColumns)
	case strings.HasPrefix(statement, "UPDATE ") && strings.Contains(statement, "(?...)"):
		columns := slices.Repeat([][]any{{""}}, strings.Count(statement, whenMark)+1)
		plain, _ := givenValues(statement, []string{""}, columns[1:]...)
		fenced, _ := givenValues(statement, []string{""}, columns...)
		forms = append(forms, plain, fenced+fmt.Sprintf(ifAttempt, givenName(len(columns))))
	}
	return forms
}

// nameOf returns the name of a statement, with whatever conditions, or the statement itself.
func nameOf(statement string, names map[string]string) string {
	for listed, name := range names {
		begin, end, narrowable := strings.Cut(listed, andMark)
		if statement == listed || narrowable && strings.HasPrefix(statement, begin) && strings.HasSuffix(statement, end) {
			return name
		}
	}
	return statement
}

// Listed returns the names of the statements that a DB may send.
func (db *DB) Listed() []string {
	var names []string
	for _, c := range callsOf(db.engine) {
		names = append(names, c.statement)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

var (
	aboutTransaction = regexp.MustCompile(`^(BEGIN|START|SET) `)
	manyPlaces       = regexp.MustCompile(`IN \(\?(, \?)*\)`)
	manyWhens        = regexp.MustCompile(`( WHEN \? THEN \?)+`)
	manyColumns      = regexp.MustCompile(`unnest\(CAST\(\? AS \w+\[\]\)\)`)
	manyRows         = regexp.MustCompile(`(?s)(VALUES \([^()]*\))(, \([^()]*\))*`)
)

// single returns a statement without what is added for one call: with its lists not written out, with one row, and without
// conditions.
func single(statement string) string {
	statement = strings.TrimSuffix(strings.TrimSuffix(statement, " SKIP LOCKED"), " FOR UPDATE")
	statement = shortLists(strings.Replace(statement, andMark, "", 1))
	for _, added := range conditions {
		for _, condition := range added {
			statement = strings.Replace(statement, shortLists(condition), "", 1)
		}
	}
	statement = manyWhens.ReplaceAllString(statement, whenMark)
	statement = manyColumns.ReplaceAllString(statement, "?")
	return manyRows.ReplaceAllString(statement, "$1")
}

// shortLists returns a text of SQL with its lists not written out.
func shortLists(text string) string { return manyPlaces.ReplaceAllString(text, "IN (?...)") }

// Known returns the version of the newest migration of a dialect.
func Known(dialect Dialect) int64 { return dialect.engine().known() }

// Versions returns how many migrations of a dialect there are.
func Versions(dialect Dialect) int {
	files, _ := fs.Glob(dialect.engine().migrations(Config{}), "*.sql")
	return len(files)
}
