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
		line, err := json.Marshal(exported{
			ID: event.ID, Version: event.Version, Index: event.Index, Time: event.Time.UTC(), Kind: event.Kind,
			Sentence: tell.sentence(event), Actor: event.Actor.Kind.String(), ActorID: event.Actor.ID, IP: event.Actor.IP,
			Reason: event.Actor.Reason, Target: event.Target, Before: event.Before, After: event.After, Hash: event.Hash.String(),
		})
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

// exported is an event in the JSON export.
type exported struct {
	ID       access.EventID   `json:"id"`
	Version  uint64           `json:"version"`
	Index    int              `json:"index"`
	Time     time.Time        `json:"time"`
	Kind     access.EventKind `json:"kind"`
	Sentence string           `json:"sentence"`
	Actor    string           `json:"actor"`
	ActorID  string           `json:"actor_id,omitempty"`
	IP       string           `json:"ip,omitempty"`
	Reason   string           `json:"reason,omitempty"`
	Target   access.Target    `json:"target"`
	Before   access.Facts     `json:"before,omitzero"`
	After    access.Facts     `json:"after,omitzero"`
	Hash     string           `json:"hash"`
}

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
