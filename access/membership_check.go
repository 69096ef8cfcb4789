package access

import "time"

// Check returns an error of kind ErrInvalid if nobody could be given these terms at a time: the codes of CheckText
// for the label, "time.past" if they are over, "time.order" if they end before they start, "time.range" for a year
// beyond 9999. The permissions are checked by Catalog.Check.
func (t Terms) Check(now time.Time) error {
	if err := CheckText("label", t.Label, MaxNameRunes); err != nil {
		return err
	}
	if err := checkYear("starts", t.Starts); err != nil {
		return err
	}
	starts, expires := stored(t.Starts), stored(t.Expires)
	switch {
	case t.Expires.IsZero():
		return nil
	case !expires.After(now):
		return Invalid("expires", "time.past", "is not in the future")
	case !t.Starts.IsZero() && !starts.Before(expires):
		return Invalid("expires", "time.order", "is not after the start")
	}
	return checkYear("expires", t.Expires)
}

// checkYear refuses what JSON (RFC 3339) has no way to write.
func checkYear(field string, t time.Time) error {
	if year := t.UTC().Year(); year < 1 || year > 9999 {
		return Invalid(field, "time.range", "is not in a year from 1 to 9999")
	}
	return nil
}

// Check returns an error of kind ErrInvalid if the directory can't hold the user: the codes of UserID.Check and
// CheckText and CheckLocale, and "address.missing" for a verified address that isn't there.
func (u User) Check() error {
	if err := u.ID.Check(); err != nil {
		return err
	}
	if err := CheckText("name", u.Name, MaxNameRunes); err != nil {
		return err
	}
	if u.Verified && u.Address.IsZero() {
		return Invalid("address", "address.missing", "is verified and not there")
	}
	return CheckLocale("locale", u.Locale)
}
