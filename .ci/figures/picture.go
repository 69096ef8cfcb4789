package main

import (
	"cmp"
	"fmt"
	"html"
	"io"
	"math"
	"slices"
	"strconv"
)

// The picture has time upwards and memberships to the right, both on logarithmic scales, in units of the SVG.
const (
	width, height            = 860, 480
	left, right, top, bottom = 70, 190, 46, 54
	labelHeight              = 15
	plotWidth, plotHeight    = width - left - right, height - top - bottom
	pictureOf, pictureDist   = "Can", "uniform"
)

// A line is what is drawn of one implementation: one point for each number of memberships.
type line struct {
	label  string
	family string // a class of the style
	points []point
}

type point struct{ n, seconds float64 }

// lines returns what is to be drawn: checks on one core, all users alike.
func (r *results) lines() (lines []*line) {
	for _, f := range r.figures {
		impl, mode := f.get("impl"), f.get("mode")
		v, ok := f.values[timeUnit]
		n, err := strconv.ParseFloat(f.get("n"), 64)
		if f.name != pictureOf || f.get("dist") != pictureDist || f.cores != 1 || !ok || err != nil || n <= 0 || v.median <= 0 {
			continue
		}
		label := impl
		if mode != "" {
			label += ", " + mode
		}
		at := slices.IndexFunc(lines, func(l *line) bool { return l.label == label })
		if at < 0 {
			at = len(lines)
			lines = append(lines, &line{label: label, family: familyOf(impl)})
		}
		lines[at].points = append(lines[at].points, point{n, v.median})
	}
	for _, l := range lines {
		slices.SortFunc(l.points, func(a, b point) int { return cmp.Compare(a.n, b.n) })
	}
	return lines
}

// familyOf returns what is drawn in one colour: roster's, the floor, and each peer.
func familyOf(impl string) string {
	for _, family := range []string{"roster", "bare", "casbin", "cedar"} {
		if len(impl) >= len(family) && impl[:len(family)] == family {
			return family
		}
	}
	return "other"
}

// A scale places powers of ten on a length.
type scale struct{ low, high, length float64 }

func newScale(values []float64, length float64) scale {
	low, high := math.Floor(math.Log10(slices.Min(values))), math.Ceil(math.Log10(slices.Max(values)))
	return scale{low, max(high, low+1), length}
}

func (s scale) place(x float64) float64 { return (math.Log10(x) - s.low) / (s.high - s.low) * s.length }

const style = `<style>
svg { --ground: #ffffff; --text: #1f2328; --faint: #d8dee4; --roster: #0a58ca; --bare: #6e7781; --casbin: #b35900; --cedar: #1a7f37; --other: #8250df; }
@media (prefers-color-scheme: dark) {
  svg { --ground: #0d1117; --text: #e6edf3; --faint: #30363d; --roster: #6cb6ff; --bare: #9da7b1; --casbin: #f0a35e; --cedar: #57c273; --other: #c297ff; }
}
text { font: 12px system-ui, sans-serif; fill: var(--text); }
.title { font-size: 15px; font-weight: 600; }
.ground { fill: var(--ground); }
.grid { stroke: var(--faint); }
path { fill: none; stroke-width: 2; }
.roster { stroke: var(--roster); } circle.roster, text.roster { fill: var(--roster); stroke: none; }
.bare { stroke: var(--bare); } circle.bare, text.bare { fill: var(--bare); stroke: none; }
.casbin { stroke: var(--casbin); } circle.casbin, text.casbin { fill: var(--casbin); stroke: none; }
.cedar { stroke: var(--cedar); } circle.cedar, text.cedar { fill: var(--cedar); stroke: none; }
.other { stroke: var(--other); } circle.other, text.other { fill: var(--other); stroke: none; }
path.bare { stroke-dasharray: 5 4; } text.roster { font-weight: 600; }
</style>
`

// draw writes the picture, readable in light and in dark.
func (r *results) draw(out io.Writer) error {
	lines := r.lines()
	if len(lines) == 0 {
		return fmt.Errorf("there is nothing to draw: no Benchmark%s with dist=%s on one core", pictureOf, pictureDist)
	}
	var numbers, times []float64
	for _, l := range lines {
		for _, p := range l.points {
			numbers, times = append(numbers, p.n), append(times, p.seconds)
		}
	}
	across, up := newScale(numbers, plotWidth), newScale(times, plotHeight)
	fmt.Fprintf(out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-labelledby="title">`+"\n", width, height)
	fmt.Fprint(out, `<title id="title">Time per check against memberships</title>`+"\n"+style)
	fmt.Fprintf(out, `<rect class="ground" width="%d" height="%d"/>`+"\n", width, height)
	fmt.Fprintf(out, `<text class="title" x="%d" y="24">Time per check, one core: below is better</text>`+"\n", left)
	drawGrid(out, across, up)
	drawLines(out, lines, across, up)
	fmt.Fprint(out, "</svg>\n")
	return nil
}

func drawGrid(out io.Writer, across, up scale) {
	for power := up.low; power <= up.high; power++ {
		y := top + plotHeight - up.place(math.Pow(10, power))
		fmt.Fprintf(out, `<line class="grid" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/>`, left, left+plotWidth, y, y)
		fmt.Fprintf(out, `<text x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n", left-8, y+4, tick(power))
	}
	for power := across.low; power <= across.high; power++ {
		x := left + across.place(math.Pow(10, power))
		fmt.Fprintf(out, `<line class="grid" x1="%.1f" x2="%.1f" y1="%d" y2="%d"/>`, x, x, top, top+plotHeight)
		fmt.Fprintf(out, `<text x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n", x, top+plotHeight+18, grouped(strconv.FormatFloat(math.Pow(10, power), 'f', 0, 64)))
	}
	fmt.Fprintf(out, `<text x="%d" y="%d" text-anchor="middle">memberships</text>`+"\n", left+plotWidth/2, height-12)
}

// tick returns a power of ten of seconds, from a nanosecond to a day.
func tick(power float64) string {
	thousands := min(max(math.Floor(power/3), -3), 0)
	unit := map[float64]string{-3: "ns", -2: "µs", -1: "ms", 0: "s"}[thousands]
	return strconv.FormatFloat(math.Pow(10, power-3*thousands), 'f', -1, 64) + " " + unit
}

// drawLines draws the lines, and beside the last point of each its label.
func drawLines(out io.Writer, lines []*line, across, up scale) {
	labels := make(map[float64][]*label) // by where they begin
	for _, l := range lines {
		command := "M"
		path := ""
		var x, y float64
		for _, p := range l.points {
			x, y = left+across.place(p.n), top+plotHeight-up.place(p.seconds)
			path += fmt.Sprintf("%s%.1f %.1f", command, x, y)
			command = "L"
			fmt.Fprintf(out, `<circle class="%s" cx="%.1f" cy="%.1f" r="3"/>`, l.family, x, y)
		}
		fmt.Fprintf(out, `<path class="%s" d="%s"/>`+"\n", l.family, path)
		labels[x] = append(labels[x], &label{l, y})
	}
	for _, l := range lines {
		x := left + across.place(l.points[len(l.points)-1].n)
		if labels[x] == nil { // drawn
			continue
		}
		spread(labels[x])
		for _, of := range labels[x] {
			fmt.Fprintf(out, `<text class="%s" x="%.1f" y="%.1f">%s</text>`+"\n", of.line.family, x+9, of.y+4, html.EscapeString(of.line.label))
		}
		labels[x] = nil
	}
}

// A label stands at a height.
type label struct {
	line *line
	y    float64
}

// spread moves labels apart that would cover each other: as little as it takes, and none below the plot.
func spread(labels []*label) {
	slices.SortFunc(labels, func(a, b *label) int { return cmp.Compare(a.y, b.y) })
	for range labels { // each pass moves two neighbours half of what they lack
		for i := 1; i < len(labels); i++ {
			if lack := labelHeight - (labels[i].y - labels[i-1].y); lack > 0 {
				labels[i-1].y -= lack / 2
				labels[i].y += lack / 2
			}
		}
	}
	for i := len(labels) - 1; i >= 0; i-- {
		limit := float64(top + plotHeight)
		if i < len(labels)-1 {
			limit = labels[i+1].y - labelHeight
		}
		labels[i].y = min(labels[i].y, limit)
	}
}
