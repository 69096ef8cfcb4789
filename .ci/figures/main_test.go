package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write testdata instead of comparing with it")

// TestGolden writes what is in testdata.
func TestGolden(t *testing.T) {
	in, err := os.Open("testdata/results.csv")
	require.NoError(t, err)
	defer in.Close()
	folder := t.TempDir()
	require.NoError(t, write(in, filepath.Join(folder, "page.md"), filepath.Join(folder, "picture.svg")))
	for _, name := range []string{"page.md", "picture.svg"} {
		got, err := os.ReadFile(filepath.Join(folder, name))
		require.NoError(t, err)
		golden := filepath.Join("testdata", name)
		if *update {
			require.NoError(t, os.WriteFile(golden, got, 0o644))
			continue
		}
		want, err := os.ReadFile(golden)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(string(want), string(got)), "%s differs: if that is what you want, run the test with -update", golden)
	}
}

// TestWithoutAPicture writes a page of what isn't drawn, and refuses to draw it.
func TestWithoutAPicture(t *testing.T) {
	const results = "goos: linux\n,sec/op,CI\nOutbox/impl=roster/unit=100-2,6e-05,2%\n"
	page := filepath.Join(t.TempDir(), "page.md")
	require.NoError(t, write(strings.NewReader(results), page))
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	require.NotContains(t, string(text), "![")
	require.Contains(t, string(text), "### unit=100\n\n| impl | time |\n|---|---:|\n| roster | 60.0 µs ± 2% |\n")
	require.ErrorContains(t, write(strings.NewReader(results), page, page+".svg"), "there is nothing to draw")
}

func TestThePictureIsXML(t *testing.T) {
	picture, err := os.ReadFile("testdata/picture.svg")
	require.NoError(t, err)
	for decoder := xml.NewDecoder(bytes.NewReader(picture)); ; {
		_, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err)
	}
}

func TestResultsThatCantBeRead(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"nothing", "", "there are no results"},
		{"only settings", "goos: linux\n", "there are no results"},
		{"a number that is none", ",sec/op,CI\nCan/n=1,fast,∞\n", `strconv.ParseFloat: parsing "fast": invalid syntax`},
		{"nothing to draw", ",sec/op,CI\nOther,1,∞\n", "there is nothing to draw"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			folder := t.TempDir()
			require.ErrorContains(t, write(strings.NewReader(tt.in), filepath.Join(folder, "page.md"), filepath.Join(folder, "picture.svg")), tt.want)
		})
	}
}

func TestFormat(t *testing.T) {
	for _, tt := range []struct {
		x    float64
		unit string
		want string
	}{
		{0, "B/op", "0"},
		{48, "B/membership", "48"},
		{47.25, "B/membership", "47.2"},
		{1234567, "B/op", "1,234,567"},
		{5.1e-9, timeUnit, "5.10 ns"},
		{123.4e-9, timeUnit, "123 ns"},
		{1.5e-6, timeUnit, "1.50 µs"},
		{8.25e-3, timeUnit, "8.25 ms"},
		{2.5, "p50-sec", "2.50 s"},
		{0.75, "p50-ms", "0.750"},
	} {
		require.Equal(t, tt.want, format(tt.x, tt.unit))
	}
}
