package main

import (
	"net/http"

	"github.com/rosterkit/roster/access"
)

// An overviewPage is the first page of an account: what the person may do there.
type overviewPage struct {
	*visit
	All     bool // The person holds all permissions, of today and tomorrow.
	Labels  []string
	Tiles   []section
	Expired bool
}

func (p *portal) showOverview(w http.ResponseWriter, r *http.Request, v *visit) error {
	catalog := p.members.Catalog()
	content := overviewPage{
		visit: v, All: v.Grant.Permissions == access.All, Labels: catalog.Labels(v.Grant.Permissions),
		Expired: !v.Grant.Expires.IsZero() && !v.Now.Before(v.Grant.Expires),
	}
	for _, group := range v.sections("") {
		if group.Heading != "" {
			content.Tiles = append(content.Tiles, group)
		}
	}
	return p.show(w, r, v, "overview", "Overview", content)
}
