package revocations_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// report says what was done and found.
func report(journals []journal, found verdict) string {
	var text strings.Builder
	answers := make(map[string]map[string]int)
	for _, j := range journals {
		for _, v := range j.Verbs {
			if answers[v.Kind] == nil {
				answers[v.Kind] = make(map[string]int)
			}
			answers[v.Kind][v.Answer]++
		}
	}
	fmt.Fprintf(&text, "%d checks said yes, %d no; %d of them wrong; %d operations on registers, %d without an order\n",
		found.yes, found.no, found.wrong, found.ordered, len(found.disorders))
	for _, kind := range slices.Sorted(maps.Keys(answers)) {
		fmt.Fprintf(&text, "  %-10s", kind)
		for _, answer := range slices.Sorted(maps.Keys(answers[kind])) {
			fmt.Fprintf(&text, " %s %d", answer, answers[kind][answer])
		}
		text.WriteByte('\n')
	}
	if len(found.revocations) > 0 {
		fmt.Fprintf(&text, "%d revocations, from the call to the return: %s; of that to settle: %s", len(found.revocations),
			distribution(found.revocations, func(t took) time.Duration { return t.whole }),
			distribution(found.revocations, func(t took) time.Duration { return t.settling }))
	}
	return text.String()
}

func distribution(all []took, of func(took) time.Duration) string {
	var d []time.Duration
	for _, t := range all {
		d = append(d, of(t))
	}
	slices.Sort(d)
	const unit = 100 * time.Microsecond
	return fmt.Sprintf("median %s, 99th percentile %s, at most %s", d[len(d)/2].Round(unit), d[len(d)*99/100].Round(unit), d[len(d)-1].Round(unit))
}
