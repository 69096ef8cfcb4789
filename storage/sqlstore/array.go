package sqlstore

import (
	"fmt"
	"strconv"
	"strings"
)

// An engine that takes arrays is sent the rows of a statement as one argument for each column, which costs it and the driver
// much less than one for each value, and makes one text for any number of rows.

// sameMark stands behind the place of a value that is the same in all rows, in a SELECT inside the statement: no column can
// be given there.
const sameMark = `/*same*/`

// givenRows writes an INSERT of one row as one of many.
func givenRows(statement string, rows [][]any) (string, []any) {
	head, row, _ := strings.Cut(statement, "VALUES (")
	parts := strings.SplitN(row, "?", len(rows[0])+1)
	parts[len(rows[0])] = strings.TrimPrefix(parts[len(rows[0])], ")")
	args := make([]any, len(rows[0]))
	var b strings.Builder
	b.WriteString(head + "SELECT " + parts[0])
	for i := range args {
		text := "?"
		if args[i] = rows[0][i]; !strings.HasPrefix(parts[i+1], sameMark) {
			column := make([]any, len(rows))
			for j, row := range rows {
				column[j] = row[i]
			}
			text, args[i] = given(column)
		}
		b.WriteString(text + parts[i+1])
	}
	return b.String(), args
}

// givenValues writes an UPDATE with CASEs for rows with ids as one that finds what it needs of each in a table that is given.
// Further columns of that come behind those of the CASEs. It has the ids once more as a list: by that it finds the rows in
// their index, and then what is given for each.
func givenValues[T ~string](statement string, ids []T, columns ...[]any) (string, []any) {
	keys := make([]any, len(ids))
	for i, id := range ids {
		keys[i] = storable(string(id)) // which is no other one's id
	}
	var table []string
	var args []any
	for i, column := range append([][]any{keys}, columns...) {
		text, arg := given(column)
		table, args = append(table, text+" AS "+givenName(i)), append(args, arg)
	}
	parts := strings.Split(statement, "CASE id"+whenMark)
	for i := 1; i < len(parts); i++ {
		_, rest, _ := strings.Cut(parts[i], " END")
		parts[i] = "given." + givenName(i) + rest
	}
	from := "FROM (SELECT " + strings.Join(table, ", ") + ") AS given WHERE id = ANY (CAST(? AS text[])) AND id = given." + givenName(0)
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

// given returns what gives a column in a SELECT, and its argument.
func given(column []any) (text string, arg any) {
	column = plain(column)
	if _, number := column[0].(int64); number {
		return "unnest(CAST(? AS bigint[]))", array(column)
	}
	return "unnest(CAST(? AS text[]))", array(column)
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
