package peers_test

import (
	"flag"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access/internal/benchtest"
)

var sizes = flag.String("sizes", "1000,100000", "among how many memberships checks are measured")

// BenchmarkCan asks whether users may do something in accounts, half of the time with the answer no. impl=bare is a map by
// both ids. What answers wrongly isn't measured, but fails.
func BenchmarkCan(b *testing.B) {
	for size := range strings.SplitSeq(*sizes, ",") {
		n, err := strconv.Atoi(size)
		require.NoError(b, err)
		s := benchtest.NewScene(b, n)
		for _, dist := range []string{"uniform", "zipf"} {
			questions := s.Questions(dist)
			for _, impl := range implementations() {
				if n <= impl.Largest {
					benchtest.Measure(b, s, impl, dist, questions)
				}
			}
			benchtest.Measure(b, s, benchtest.Grant(), dist, s.AboutOne(questions[0]))
		}
	}
}
