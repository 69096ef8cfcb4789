package main

import (
	"encoding/csv"
	"encoding/json"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/rosterkit/roster/access"
)

// exportCSV writes the events that the filter selects for a spreadsheet.
func (p *portal) exportCSV(w http.ResponseWriter, r *http.Request, v *visit) error {
	events, err := p.events(r, v)
	if err != nil {
		return err
	}
	attach(w, "text/csv; charset=utf-8", "activity.csv")
	out := csv.NewWriter(w)
	out.Write([]string{"Time", "Kind", "What happened", "Details", "Actor", "From address", "Account version"})
	tell := p.newTeller(r, v)
	for event, err := range events {
		if err != nil {
			return p.cutShort(err)
		}
		out.Write(defused([]string{
			event.Time.UTC().Format(time.RFC3339), string(event.Kind), tell.sentence(event), strings.Join(tell.changes(event), "; "),
			tell.actor(event), event.Actor.IP, strconv.FormatUint(event.Version, 10),
		}))
	}
	out.Flush()
	return nil
}

// exportJSON writes the same events as one JSON array.
func (p *portal) exportJSON(w http.ResponseWriter, r *http.Request, v *visit) error {
	events, err := p.events(r, v)
	if err != nil {
		return err
	}
	attach(w, "application/json", "activity.json")
	tell := p.newTeller(r, v)
	separator := "[\n"
	for event, err := range events {
		if err != nil {
			return p.cutShort(err)
		}
		line, err := json.Marshal(exported{event, tell.sentence(event)})
		if err != nil {
			return p.cutShort(err)
		}
		w.Write([]byte(separator))
		w.Write(line)
		separator = ",\n"
	}
	if separator == "[\n" {
		w.Write([]byte("["))
	}
	w.Write([]byte("\n]\n"))
	return nil
}

// exported is an event in the JSON export: as the library says it, with its sentence.
type exported struct {
	access.Event
	Sentence string `json:"sentence"`
}

// attach announces a download.
func attach(w http.ResponseWriter, contentType, name string) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
}

// cutShort ends a download that can't be completed: part of it may have left, so that an error
// page would look like data. The connection breaks off and the reader can tell.
func (p *portal) cutShort(err error) error {
	p.log.Error("an export was cut short", slog.String("cause", err.Error()))
	panic(http.ErrAbortHandler)
}

// defused keeps spreadsheets from running a cell: an apostrophe before what they take for a
// formula (CWE-1236).
func defused(cells []string) []string {
	for index, cell := range cells {
		if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
			cells[index] = "'" + cell
		}
	}
	return cells
}
