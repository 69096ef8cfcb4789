// Command figures turns what benchstat says about benchmarks into a page of tables and a picture:
//
//	benchstat -format csv -row .fullname results | figures page.md [picture.svg]
//
// Whatever is named BenchmarkX/key=value/... in the results is shown, with all its units. Lines "key: value" in them, which
// may be added to what the benchmarks print, say on what they were made.
package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
)

func main() {
	if len(os.Args) < 2 || len(os.Args) > 3 {
		fmt.Fprintln(os.Stderr, "usage: figures page.md [picture.svg] <benchstat.csv")
		os.Exit(2)
	}
	if err := write(os.Stdin, os.Args[1], os.Args[2:]...); err != nil {
		fmt.Fprintln(os.Stderr, "figures:", err)
		os.Exit(1)
	}
}

// write reads results and writes the page, and the picture if there is to be one.
func write(in io.Reader, page string, pictures ...string) error {
	r, err := read(in)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	r.writePage(&text, pictures...)
	for _, picture := range pictures {
		var drawing bytes.Buffer
		if err := r.draw(&drawing); err != nil {
			return err
		}
		if err := os.WriteFile(picture, drawing.Bytes(), 0o644); err != nil {
			return err
		}
	}
	return os.WriteFile(page, text.Bytes(), 0o644)
}
