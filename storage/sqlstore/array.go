package sqlstore

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// An engine that takes arrays is sent the rows of a statement as one argument for each column, which costs it and the driver
// much less than one for each value.

// givenRows writes an INSERT of one row as one of many.
func givenRows(statement string, rows [][]any) (string, []any) {
	columns := make([][]any, len(rows[0]))
	for i := range columns {
		columns[i] = make([]any, len(rows))
		for j, row := range rows {
			columns[i][j] = row[i]
		}
	}
	head, row, _ := strings.Cut(statement, "VALUES (")
	parts := strings.SplitN(row, "?", len(columns)+1)
	given, args := given(columns)
	var b strings.Builder
	b.WriteString(head + "SELECT ")
	for i, value := range given {
		b.WriteString(parts[i] + value)
	}
	b.WriteString(strings.TrimPrefix(parts[len(columns)], ")"))
	return b.String(), args
}

// givenValues writes an UPDATE with CASEs for rows with ids as one that finds what it needs of each in a table that is given.
// Further columns of that come behind those of the CASEs.
func givenValues[T ~string](statement string, ids []T, columns ...[]any) (string, []any) {
	keys := make([]any, len(ids))
	for i, id := range ids {
		keys[i] = id
	}
	given, args := given(append([][]any{keys}, columns...))
	for i := range given {
		given[i] += " AS " + givenName(i)
	}
	parts := strings.Split(statement, "CASE id"+whenMark)
	for i := 1; i < len(parts); i++ {
		_, rest, _ := strings.Cut(parts[i], " END")
		parts[i] = "given." + givenName(i) + rest
	}
	from := "FROM (SELECT " + strings.Join(given, ", ") + ") AS given WHERE id = ANY (CAST(? AS text[])) AND id = given." + givenName(0)
	return strings.Replace(strings.Join(parts, ""), "WHERE id IN (?...)", from, 1), append(args, args[0])
}

// valued is when, or givenValues.
func valued[T ~string](e engine, statement string, ids []T, values ...[]any) (string, []any) {
	if e.arrays {
		return givenValues(statement, ids, values...)
	}
	return when(statement, ids, values...)
}

// givenName is the name of the i-th column of the table that is given.
func givenName(i int) string { return "v" + strconv.Itoa(i) }

// given returns what gives the columns of a table in a SELECT, and their arguments: the first, which are keys, row by row, and
// so all others in which not all rows have the same value.
func given(columns [][]any) (texts []string, args []any) {
	for i, column := range columns {
		column = plain(column)
		kind := "text"
		if _, number := column[0].(int64); number {
			kind = "bigint"
		}
		if i > 0 && !slices.ContainsFunc(column, func(value any) bool { return value != column[0] }) {
			texts, args = append(texts, "CAST(? AS "+kind+")"), append(args, column[0])
			continue
		}
		texts, args = append(texts, "unnest(CAST(? AS "+kind+"[]))"), append(args, array(column))
	}
	return texts, args
}

var escaped = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// array writes texts or numbers as PostgreSQL writes an array of them, in a text, which is what all drivers can send. It
// quotes all texts: some words and signs mean something else without.
func array(values []any) string {
	var b strings.Builder
	for i, value := range values {
		b.WriteByte("{,"[min(i, 1)])
		switch value := value.(type) {
		case int64:
			b.WriteString(strconv.FormatInt(value, 10))
		case string:
			b.WriteByte('"')
			escaped.WriteString(&b, value)
			b.WriteByte('"')
		default:
			panic(fmt.Sprintf("sqlstore: an array with a %T", value))
		}
	}
	return b.String() + "}"
}
