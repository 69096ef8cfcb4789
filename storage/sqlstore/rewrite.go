package sqlstore

import (
	"fmt"
	"strings"
)

// text returns a statement as the engine is sent it. A shared one reads, in a transaction that the host began, what is
// true now, whatever the transaction saw before.
func (db *DB) text(statement string, shared bool) string {
	if db.asWritten {
		return statement
	}
	texts := &db.texts
	if shared = shared && db.engine.share != ""; shared {
		texts = &db.sharedTexts
	}
	if text, known := texts.Load(statement); known {
		return text.(string)
	}
	text := db.config.full(statement)
	if shared && strings.HasPrefix(text, "SELECT ") && !strings.Contains(text, " FOR UPDATE") { // which locks more
		text += shareMark
	}
	if strings.Contains(text, looseMark) {
		text = strings.NewReplacer(looseMark, "", shareMark, "").Replace(text)
	}
	share := ""
	if shared {
		share = db.engine.share
	}
	text = strings.ReplaceAll(text, shareMark, share)
	if db.engine.rewrite != nil {
		text = db.engine.rewrite(text)
	}
	texts.Store(statement, text)
	return text
}

// shareMark stands at the end of each SELECT inside another one: the outer one's lock doesn't hold for it.
const shareMark = `/*share*/`

// looseMark stands at the end of a SELECT of what may have passed when it is used: it is never a shared one.
const looseMark = `/*loose*/`

// pageMark stands behind the column that is the same in all rows of a page, where the page begins in the middle of an
// index: "group_id = ?/*page*/ AND id < ?".
const pageMark = `/*page*/`

// lineMark stands behind the state of messages where the line is read, in the middle of an index.
const lineMark = `/*line*/`

// thenMark stands before a CROSS JOIN with a table that is looked into last: SQLite keeps that order anyhow.
const thenMark = `/*then*/`

// numbered returns a statement with $1, $2 ... in the place of question marks. No statement has one that isn't a
// placeholder.
func numbered(statement string) string {
	parts := strings.Split(statement, "?")
	var text strings.Builder
	text.WriteString(parts[0])
	for i, part := range parts[1:] {
		fmt.Fprintf(&text, "$%d%s", i+1, part)
	}
	return text.String()
}
