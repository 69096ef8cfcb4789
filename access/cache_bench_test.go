package access_test

import (
	"flag"
	"testing"

	"github.com/rosterkit/roster/access/internal/benchtest"
)

var tenMillion = flag.Bool("tenmillion", false, "measure checks among ten million memberships too")

// BenchmarkCan asks whether users may do something in accounts, half of the time with the answer no. impl=roster is a
// Cache on the memory backend; impl=bare is a map by both ids, and where the Cache has to know the time, one reading of the
// clock. mode=grant asks one grant again, as those do who serve one request.
func BenchmarkCan(b *testing.B) {
	sizes := []int{1_000, 100_000, 1_000_000}
	if *tenMillion {
		sizes = append(sizes, 10_000_000)
	}
	for _, n := range sizes {
		s := benchtest.NewScene(b, n)
		for _, dist := range []string{"uniform", "zipf"} {
			questions := s.Questions(dist)
			for _, impl := range benchtest.Ours() {
				benchtest.Measure(b, s, impl, dist, questions)
			}
			benchtest.Measure(b, s, benchtest.Grant(), dist, s.AboutOne(questions[0]))
		}
	}
}
