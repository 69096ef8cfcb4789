package contact

import (
	"context"
	"errors"

	"github.com/rosterkit/roster/notify"
)

// An attached is what was attached to the last mail of a batch. Mails about one notice are often sent one after the other:
// what they have in common is fetched once then, and what one notice has is all that is in memory.
type attached struct {
	service *Service
	record  *NoticeRecord
	files   []notify.Attachment
}

// to returns what is attached to mails about a notice.
func (a *attached) to(ctx context.Context, record *NoticeRecord) ([]notify.Attachment, error) {
	if a.record == record {
		return a.files, nil
	}
	a.record, a.files = nil, nil
	if a.service.config.Attachment == nil {
		return nil, errors.New("contact: an attachment, and no Config.Attachment")
	}
	var files []notify.Attachment
	for _, name := range record.Attachments {
		file, err := a.service.config.Attachment(ctx, record.Account, name)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	a.record, a.files = record, files
	return files, nil
}
