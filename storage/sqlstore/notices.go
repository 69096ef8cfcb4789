package sqlstore

import (
	"context"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
)

const (
	insertNotice = `INSERT INTO roster_notices (account_id, id, kind, category, resource, also, data, attachments, created_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (account_id, id) DO NOTHING`

	selectNotice = `SELECT account_id, id, kind, category, resource, also, data, attachments, created_at FROM roster_notices
		WHERE account_id = ? AND id = ?`
)

func readNotice(r row) (contact.NoticeRecord, error) {
	var n contact.NoticeRecord
	var also texts
	err := r.Scan(&n.Account, &n.ID, &n.Kind, wholly(&n.Category), &n.Resource, &also, &n.Data, (*texts)(&n.Attachments), (*moment)(&n.Created))
	for _, user := range also {
		n.Also = append(n.Also, access.UserID(user))
	}
	return n, err
}

func (t *tx) InsertNotice(ctx context.Context, n contact.NoticeRecord) error {
	var also []string
	for _, user := range n.Also {
		also = append(also, string(user))
	}
	return t.insert(ctx, "insert a notice", insertNotice, n.Account, n.ID, n.Kind, n.Category, n.Resource, textList(also),
		n.Data, textList(n.Attachments), micros(n.Created))
}

func (t *tx) Notice(ctx context.Context, account access.AccountID, id string) (contact.NoticeRecord, error) {
	return find(ctx, t, readNotice, "notice", selectNotice, account, id)
}
