package main

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
)

func TestActivity(t *testing.T) {
	s, ann := acme(t)
	bob := s.visitor(t, "bob", access.PayInvoices)
	sendInvite(ann, "carl@example.com", "invoices")
	ann.get(users).submit("Suspend bob", nil)

	page := ann.get("/accounts/acme").follow("Activity")
	for _, sentence := range []string{"Ann Archer suspended bob", "Ann Archer invited c...@example.com", "Permissions: Accounting",
		brand + " gave bob access", "Ann Archer created the account for Ann Archer", "from 127.0.0.1"} {
		require.Contains(t, page.text(), sentence)
	}
	page = page.submit("Filter", url.Values{"group": {"invites"}})
	require.Contains(t, page.text(), "invited")
	require.NotContains(t, page.text(), "suspended bob")
	page = page.submit("Filter", url.Values{"group": {""}, "since": {"2026-11-03"}})
	require.Contains(t, page.text(), "Nothing happened that fits.")
	page = ann.get("/accounts/acme/activity?until=2026-11-02&mine=yes")
	require.Contains(t, page.text(), "suspended bob")
	require.NotContains(t, page.text(), brand+" gave bob access")
	require.Equal(t, http.StatusBadRequest, ann.get("/accounts/acme/activity?since=yesterday").status)

	page = bob.get("/accounts/acme/activity")
	require.Contains(t, page.text(), "Ann Archer suspended bob")
	require.NotContains(t, page.text(), "invited", "others see only what concerns themselves")
}

func TestExports(t *testing.T) {
	_, ann := acme(t)
	ann.post("/accounts/acme/contacts", url.Values{"name": {"Carl"}, "address": {"carl@example.com"}})
	csvPage := ann.get("/accounts/acme/activity.csv?group=contacts")
	require.Contains(t, csvPage.header.Get("Content-Disposition"), "attachment")
	rows, err := csv.NewReader(strings.NewReader(csvPage.body)).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 2)
	require.Equal(t, "Ann Archer added the contact Carl", rows[1][2])

	var events []exported
	require.NoError(t, json.Unmarshal([]byte(ann.get("/accounts/acme/activity.json").body), &events))
	require.Len(t, events, 2)
	require.Equal(t, access.EventContactAdded, events[0].Kind)
	require.Equal(t, access.ActorUser, events[0].Actor.Kind)
	require.Equal(t, "ann", events[0].Actor.ID)
	require.Equal(t, "Ann Archer added the contact Carl", events[0].Sentence)
	filtered := ann.get("/accounts/acme/activity").submit("Filter", url.Values{"group": {"invites"}, "since": {"2026-11-02"}})
	require.NoError(t, json.Unmarshal([]byte(filtered.follow("Export JSON").body), &events))
	require.Empty(t, events, "what is exported is what is shown")
}

func TestExportsAreDefused(t *testing.T) {
	cells := []string{"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "plain", "", "a=b"}
	require.Equal(t, []string{"'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\t=1", "'\r=1", "plain", "", "a=b"}, defused(cells))

	s, ann := acme(t)
	s.addMember(t, "acme", s.addPerson(t, "eve@example.com", "=HYPERLINK(1)"), access.ManageContacts)
	eve := s.browser(t)
	eve.signIn("eve@example.com", testPassword)
	eve.post("/accounts/acme/contacts", url.Values{"name": {"Carl"}, "address": {"carl@example.com"}})
	rows, err := csv.NewReader(strings.NewReader(ann.get("/accounts/acme/activity.csv").body)).ReadAll()
	require.NoError(t, err)
	require.Equal(t, "'=HYPERLINK(1) added the contact Carl", rows[1][2])
	require.Equal(t, "'=HYPERLINK(1)", rows[1][4])
}

func TestEveryEventHasWords(t *testing.T) {
	for _, kind := range eventKinds {
		require.NotEmpty(t, eventWords[kind], kind)
		found := false
		for _, group := range activityGroups {
			for _, in := range kindsOf(group.Key) {
				found = found || in == kind
			}
		}
		require.True(t, found, "%s is in no group", kind)
	}
}
