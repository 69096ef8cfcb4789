package main

import (
	"net/http"
	"time"
)

// formatDate writes a day as it is in a zone: 2 Jan 2026.
func formatDate(t time.Time, zone *time.Location) string { return t.In(zone).Format("2 Jan 2006") }

// formatDateTime writes a minute with its zone: 2 Jan 2026, 15:04 CET.
func formatDateTime(t time.Time, zone *time.Location) string {
	return t.In(zone).Format("2 Jan 2006, 15:04 MST")
}

// lastSeen writes when somebody was last here, or "never".
func lastSeen(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return "never"
	}
	return formatDateTime(t, zone)
}

// endOfDay reads the day of a form as the moment at which it is over in a zone. No day is the zero
// time.
func endOfDay(day string, zone *time.Location) (time.Time, error) {
	if day == "" {
		return time.Time{}, nil
	}
	start, err := time.ParseInLocation(time.DateOnly, day, zone)
	if err != nil {
		return time.Time{}, fieldError{"expires", "Write the day like 2030-12-31."}
	}
	return start.AddDate(0, 0, 1), nil
}

// daysOf reads the first and the last day of a filter as the moments at which they begin and are
// over in a zone. No day is the zero time, and one that can't be read a statusError.
func daysOf(first, last string, zone *time.Location) (since, until time.Time, err error) {
	if first != "" {
		since, err = time.ParseInLocation(time.DateOnly, first, zone)
	}
	if err == nil {
		until, err = endOfDay(last, zone)
	}
	if err != nil {
		return time.Time{}, time.Time{}, statusError{http.StatusBadRequest, "Write days like 2030-12-31."}
	}
	return since, until, nil
}

// lastDay is the day that endOfDay read, for showing it in a form.
func lastDay(end time.Time, zone *time.Location) string {
	if end.IsZero() {
		return ""
	}
	return end.Add(-time.Microsecond).In(zone).Format(time.DateOnly)
}

// lastDate writes the last day before an end.
func lastDate(end time.Time, zone *time.Location) string {
	return formatDate(end.Add(-time.Microsecond), zone)
}
