package memory

import (
	"context"
	"slices"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
)

func (tx *tx) InsertNotice(ctx context.Context, n contact.NoticeRecord) error {
	if err := tx.write(ctx); err != nil {
		return err
	}
	if _, ok := tx.get(n.Account).notices.get(n.ID); ok {
		return access.ErrExists
	}
	n.Created = stored(n.Created)
	n = copyNotice(n)
	tx.change(n.Account, func(a *account) { a.notices = a.notices.put(n.ID, n) })
	return nil
}

func (tx *tx) Notice(ctx context.Context, account access.AccountID, id string) (contact.NoticeRecord, error) {
	if err := tx.read(ctx); err != nil {
		return contact.NoticeRecord{}, err
	}
	n, ok := tx.get(account).notices.get(id)
	if !ok {
		return contact.NoticeRecord{}, access.NotFound("notice")
	}
	return copyNotice(n), nil
}

func copyNotice(n contact.NoticeRecord) contact.NoticeRecord {
	n.Also, n.Data, n.Attachments = slices.Clone(n.Also), slices.Clone(n.Data), slices.Clone(n.Attachments)
	return n
}
