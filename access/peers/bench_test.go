package peers_test

import (
	"flag"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

var sizes = flag.String("sizes", "1000,100000", "among how many memberships checks are measured")

// BenchmarkCan asks whether users may do something in accounts, half of the time with the answer no. impl=bare is a map by
// both ids. What answers wrongly isn't measured, but fails.
func BenchmarkCan(b *testing.B) {
	for size := range strings.SplitSeq(*sizes, ",") {
		n, err := strconv.Atoi(size)
		require.NoError(b, err)
		s := newScene(b, n)
		for _, dist := range []string{"uniform", "zipf"} {
			questions := s.questions(dist)
			for _, impl := range implementations() {
				if n <= impl.largest {
					measure(b, s, impl, dist, questions)
				}
			}
			measure(b, s, implementation{"impl=roster/mode=grant", 0, rosterGrant}, dist, s.aboutOne(questions[0]))
		}
	}
}

// measure builds an implementation, if it is asked for, checks a sample of its answers, and runs it on as many cores as are
// told.
func measure(b *testing.B, s *scene, impl implementation, dist string, questions []question) {
	var can can
	b.Run(fmt.Sprintf("%s/dist=%s/n=%d", impl.name, dist, s.n), func(b *testing.B) {
		if can == nil {
			can = impl.build(b, s, questions)
			require.Empty(b, s.wrong(can, questions), "%s answers wrongly", impl.name)
			runtime.GC() // what was there before is not to be collected while this is measured
		}
		b.ReportAllocs()
		b.ResetTimer()
		var started, allowed atomic.Int64
		b.RunParallel(func(pb *testing.PB) {
			i := int(started.Add(1)) * (len(questions) / 3)
			yes := int64(0)
			for pb.Next() {
				i++
				if can(&questions[i&(len(questions)-1)]) {
					yes++
				}
			}
			allowed.Add(yes)
		})
	})
}
