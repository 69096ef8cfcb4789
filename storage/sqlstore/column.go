package sqlstore

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/rosterkit/roster/access"
)

// The types below read columns into fields of other types.

var errColumn = errors.New("sqlstore: a stored value has not the form it was written in")

// A moment reads a time, the zero time from NULL.
type moment time.Time

func (m *moment) Scan(value any) error {
	if value == nil {
		*m = moment{}
		return nil
	}
	n, err := asNumber(value)
	if err == nil {
		*m = moment(instant(n))
	}
	return err
}

// asNumber returns a whole number, which some drivers give as a text of digits.
func asNumber(value any) (int64, error) {
	switch value := value.(type) {
	case int64:
		return value, nil
	case []byte:
		if n, err := strconv.ParseInt(string(value), 10, 64); err == nil {
			return n, nil
		}
	}
	return 0, errColumn
}

// A whole reads a whole number into a field of another type. database/sql can do it too, by way of a text.
type whole[T ~int | ~uint8 | ~uint16 | ~uint64] struct{ field *T }

// wholly returns a whole for a field.
func wholly[T ~int | ~uint8 | ~uint16 | ~uint64](field *T) whole[T] { return whole[T]{field} }

func (w whole[T]) Scan(value any) error {
	n, err := asNumber(value)
	if err != nil || int64(T(n)) != n {
		return errColumn
	}
	*w.field = T(n)
	return nil
}

// readMoment reads a row of one time.
func readMoment(r row) (time.Time, error) {
	var m moment
	err := r.Scan(&m)
	return time.Time(m), err
}

// micros returns a time as it is stored: microseconds since 1970, rounded down. The zero time is stored as what it is.
func micros(t time.Time) int64 { return t.UnixMicro() }

// microsOr is micros, or something else for the zero time.
func microsOr(t time.Time, otherwise int64) int64 {
	if t.IsZero() {
		return otherwise
	}
	return micros(t)
}

// instant is the time that is stored as n.
func instant(n int64) time.Time { return time.UnixMicro(n).UTC() }

// An address is in two columns, which one field reads, the original first.
type (
	original  access.Address
	canonical access.Address
)

func (a *original) Scan(value any) error {
	text, ok := asText(value)
	if !ok {
		return errColumn
	}
	*a = original(access.StoredAddress(text, ""))
	return nil
}

func (a *canonical) Scan(value any) error {
	text, ok := asText(value)
	if !ok {
		return errColumn
	}
	*a = canonical(access.StoredAddress(access.Address(*a).Original(), text))
	return nil
}

// asText returns a text, which some drivers give as bytes.
func asText(value any) (text string, ok bool) {
	if bytes, ok := value.([]byte); ok {
		return string(bytes), true
	}
	text, ok = value.(string)
	return text, ok
}

// fixed reads bytes of a known number.
type fixed []byte

func (f fixed) Scan(value any) error {
	bytes, ok := value.([]byte)
	if !ok || len(bytes) != len(f) {
		return errColumn
	}
	copy(f, bytes)
	return nil
}

// bit returns yes or no as it is stored.
func bit(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// optional returns bytes as they are stored where they may be absent.
func optional(bytes []byte) any {
	if bytes == nil {
		return nil
	}
	return bytes
}

// texts reads a list of texts.
type texts []string

func (l *texts) Scan(value any) error {
	text, ok := asText(value)
	if !ok {
		return errColumn
	}
	*l = nil
	if text == "[]" {
		return nil
	}
	return json.Unmarshal([]byte(text), (*[]string)(l))
}

// textList returns a list of texts as it is stored.
func textList(list []string) string {
	if len(list) == 0 {
		return "[]"
	}
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // which would make a text up to six times as long, beyond what MySQL's TEXT has room for
	if err := encoder.Encode(list); err != nil {
		panic("sqlstore: a list of texts can't be written as JSON") // it always can
	}
	return strings.TrimSuffix(text.String(), "\n")
}

// lastText sorts behind every id: lists that begin at the newest begin below it.
const lastText = "\U0010FFFF"

// below returns the bound of a page of a list that is sorted downwards.
func below[T ~string](before T) string {
	if before == "" {
		return lastText
	}
	return string(before)
}
