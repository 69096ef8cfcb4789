package crashes_test

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A snapshot is every row of every table of roster's, by table.
type snapshot map[string]table

type table struct {
	columns []string
	rows    [][]any
	text    string // a line for each row, sorted
}

// tables returns the names of roster's tables, but for the one in which migrations are noted.
func (d database) tables(ctx context.Context, handle *sql.DB) ([]string, error) {
	statement := `SELECT table_name FROM information_schema.tables WHERE table_schema = `
	switch d.Engine {
	case "postgres":
		statement += `current_schema()`
	case "mysql":
		statement += `DATABASE()`
	default:
		statement = `SELECT name FROM sqlite_master WHERE type = 'table'`
	}
	rows, err := handle.QueryContext(ctx, statement)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		if strings.HasPrefix(name, "roster_") && name != "roster_migrations" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, rows.Err()
}

// take takes a snapshot.
func take(ctx context.Context, handle *sql.DB, names []string) (snapshot, error) {
	s := make(snapshot)
	for _, name := range names {
		t, err := takeTable(ctx, handle, name)
		if err != nil {
			return nil, err
		}
		s[name] = t
	}
	return s, nil
}

func takeTable(ctx context.Context, handle *sql.DB, name string) (table, error) {
	var t table
	rows, err := handle.QueryContext(ctx, `SELECT * FROM `+name)
	if err != nil {
		return t, err
	}
	defer rows.Close()
	if t.columns, err = rows.Columns(); err != nil {
		return t, err
	}
	var lines []string
	for rows.Next() {
		row, targets := make([]any, len(t.columns)), make([]any, len(t.columns))
		for i := range row {
			targets[i] = &row[i]
		}
		if err := rows.Scan(targets...); err != nil {
			return t, err
		}
		t.rows, lines = append(t.rows, row), append(lines, t.line(name, row))
	}
	slices.Sort(lines)
	t.text = strings.Join(lines, "")
	return t, rows.Err()
}

// line writes a row down, but for the version of an account: a verb that finds nothing to do raises it too.
func (t table) line(name string, row []any) string {
	var text strings.Builder
	text.WriteString(name)
	for i, value := range row {
		if name == "roster_accounts" && t.columns[i] == "version" {
			continue
		}
		if bytes, ok := value.([]byte); ok {
			value = string(bytes)
		}
		fmt.Fprintf(&text, " %s=%#v", t.columns[i], value)
	}
	return text.String() + "\n"
}

// text writes a snapshot down.
func (s snapshot) text() string {
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(s)) {
		text.WriteString(s[name].text)
	}
	return text.String()
}

// sizes writes down how many rows there are in each table.
func (s snapshot) sizes() string {
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(s)) {
		fmt.Fprintf(&text, "%s: %d\n", name, len(s[name].rows))
	}
	return text.String()
}

// versions writes down the versions of the accounts, which text leaves out.
func (s snapshot) versions() string {
	accounts := s["roster_accounts"]
	id, version := slices.Index(accounts.columns, "id"), slices.Index(accounts.columns, "version")
	var lines []string
	for _, row := range accounts.rows {
		lines = append(lines, fmt.Sprintf("%s is at version %v", row[id], row[version]))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// restore makes the tables what they were in a snapshot.
func (d database) restore(ctx context.Context, handle *sql.DB, was, is snapshot) error {
	tx, err := handle.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for name, old := range was {
		if old.text == is[name].text && name != "roster_accounts" {
			continue
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM `+name); err != nil {
			return err
		}
		for rows := range slices.Chunk(old.rows, 50) {
			if _, err := tx.ExecContext(ctx, d.insertion(name, old.columns, len(rows)), slices.Concat(rows...)...); err != nil {
				return err
			}
		}
	}
	return tx.Commit()
}

// insertion returns a statement that inserts rows.
func (d database) insertion(name string, columns []string, rows int) string {
	var text strings.Builder
	fmt.Fprintf(&text, `INSERT INTO %s (%s) VALUES `, name, strings.Join(columns, ", "))
	for i := range rows * len(columns) {
		switch {
		case i == 0:
			text.WriteString("(")
		case i%len(columns) == 0:
			text.WriteString("), (")
		default:
			text.WriteString(", ")
		}
		if d.Engine == "postgres" {
			fmt.Fprintf(&text, "$%d", i+1)
		} else {
			text.WriteString("?")
		}
	}
	text.WriteString(")")
	return text.String()
}
