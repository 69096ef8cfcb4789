package smtpmail

import "github.com/rosterkit/roster/notify"

// Compose returns the envelope and the message that Send hands over.
func (m *Mailer) Compose(mail notify.Mail) (from, to string, message []byte, err error) {
	l, err := m.compose(mail)
	return l.from, l.to, l.message, err
}

// Kept returns how many connections are kept.
func (m *Mailer) Kept() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.idle)
}
