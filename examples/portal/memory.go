package main

import (
	"net/http"

	"github.com/rosterkit/roster/access"
)

// A memory is what the page about answers from memory shows.
type memory struct {
	access.CacheStats
	HitRate   int // in percent
	Followers []access.Follower
}

// showMemory shows staff how many checks were answered from memory, and who follows what is changed. It names nobody.
func (p *portal) showMemory(w http.ResponseWriter, r *http.Request) error {
	m := memory{CacheStats: p.cache.Stats()}
	if all := m.Hits + m.Misses; all > 0 {
		m.HitRate = int(100 * m.Hits / all)
	}
	var err error
	if m.Followers, err = p.store.Followers(r.Context()); err != nil {
		return err
	}
	return p.render(w, r, "memory", "Answers from memory", m)
}
