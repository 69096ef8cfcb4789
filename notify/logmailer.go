package notify

import (
	"context"
	"log/slog"
	"strings"
	"unicode/utf8"
)

// LogMailer returns a mailer for development that sends nothing: it logs the message id, the subject and the masked
// address of each mail. It doesn't log the text, which may hold a secret such as the link of an invite; to read mails
// while developing use a Mailbox. It panics without a logger.
func LogMailer(log *slog.Logger) Mailer {
	if log == nil {
		panic("notify: LogMailer without a logger")
	}
	return logMailer{log}
}

type logMailer struct{ log *slog.Logger }

func (l logMailer) Send(ctx context.Context, m Mail) error {
	l.log.InfoContext(ctx, "mail not sent, only logged", "message", m.MessageID, "to", masked(m.To), "subject", m.Subject)
	return nil
}

// masked leaves of an address what tells a developer which one it was.
func masked(address string) string {
	local, domain, found := strings.Cut(address, "@")
	if !found {
		return "..."
	}
	_, size := utf8.DecodeRuneInString(local)
	return local[:size] + "...@" + domain
}
