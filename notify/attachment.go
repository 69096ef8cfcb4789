package notify

import (
	"errors"
	"fmt"
	"mime"
	"strings"
	"unicode"
)

// The sizes of attachments that Mail.Check allows.
const (
	MaxAttachments         = 20       // of a mail
	MaxAttachmentsBytes    = 16 << 20 // of the content of all attachments of a mail; base64 makes it a third more
	MaxAttachmentNameBytes = 200
	maxMediaTypeBytes      = 200
)

// An Attachment is a file that goes with a mail. Neither a mailer nor anybody after it changes its content.
type Attachment struct {
	Name    string // as it is offered to be saved: "invoice-7.pdf"
	Type    string // its media type, of letters, digits and "!#$&-^_.+" around one slash: "application/pdf"
	Content []byte
}

func checkAttachments(attachments []Attachment) error {
	if len(attachments) > MaxAttachments {
		return fmt.Errorf("notify: more than %d attachments", MaxAttachments)
	}
	total := 0
	for _, a := range attachments {
		if err := a.check(); err != nil {
			return err
		}
		total += len(a.Content)
	}
	if total > MaxAttachmentsBytes {
		return fmt.Errorf("notify: attachments are longer than %d bytes", MaxAttachmentsBytes)
	}
	return nil
}

func (a Attachment) check() error {
	if len(a.Name) > MaxAttachmentNameBytes {
		return fmt.Errorf("notify: attachment's name is longer than %d bytes", MaxAttachmentNameBytes)
	}
	if err := checkLine("attachment's name", a.Name, MaxAttachmentNameBytes); err != nil {
		return err
	}
	if strings.Trim(a.Name, ". ") == "" || strings.ContainsAny(a.Name, `/\`) {
		return errors.New("notify: attachment's name is not a file's")
	}
	// What is a message or made of parts itself would be read as more than a file.
	parsed, parameters, err := mime.ParseMediaType(a.Type)
	main, _, found := strings.Cut(parsed, "/")
	switch {
	case len(a.Type) > maxMediaTypeBytes, err != nil, !found, len(parameters) > 0, strings.ContainsFunc(a.Type, unfitForMediaType),
		main == "multipart", main == "message":
		return errors.New("notify: attachment's media type is not one of a file")
	}
	return nil
}

// unfitForMediaType finds what the names of RFC 6838 section 4.2 don't hold, or the slash between them.
func unfitForMediaType(r rune) bool {
	return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("/!#$&-^_.+", r)
}
