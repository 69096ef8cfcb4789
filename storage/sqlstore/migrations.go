package sqlstore

import (
	"bytes"
	"embed"
	"io"
	"io/fs"
	"strings"
)

//go:embed migrations
var embedded embed.FS

// Migrations returns the files that Migrate runs, for hosts that run migrations themselves: in goose's format, one for
// each version, named 00001_name.sql and so on. On PostgreSQL they name tables without a schema: run them with the
// search_path set to that of the Config. Verify knows by goose's table of versions, the Config's prefix and
// "migrations", what was done: tell your goose to use it.
//
// It panics where New does.
func Migrations(dialect Dialect, config Config) fs.FS {
	engine := dialect.engine()
	return engine.migrations(config.mustFit(engine))
}

// migrations returns the engine's migrations.
func (e engine) migrations(config Config) fs.FS {
	folder, err := fs.Sub(embedded, "migrations/"+e.name)
	if err != nil {
		panic("sqlstore: no migrations for " + e.name)
	}
	if config.Prefix == "" || config.Prefix == defaultPrefix {
		return folder
	}
	return renamed{folder, config}
}

// renamed are migrations with another prefix.
type renamed struct {
	fs.FS
	config Config
}

func (r renamed) Open(name string) (fs.File, error) {
	file, err := r.FS.Open(name)
	if err != nil || !strings.HasSuffix(name, ".sql") {
		return file, err
	}
	text, err := io.ReadAll(file)
	if err != nil {
		return nil, err
	}
	text = []byte(r.config.local(string(text)))
	return &renamedFile{file, bytes.NewReader(text)}, nil
}

// ReadDir implements fs.ReadDirFS. Sizes are those of the files as they were written.
func (r renamed) ReadDir(name string) ([]fs.DirEntry, error) { return fs.ReadDir(r.FS, name) }

type renamedFile struct {
	fs.File
	text *bytes.Reader
}

func (f *renamedFile) Read(p []byte) (int, error) { return f.text.Read(p) }

func (f *renamedFile) Stat() (fs.FileInfo, error) {
	info, err := f.File.Stat()
	return renamedInfo{info, f.text.Size()}, err
}

type renamedInfo struct {
	fs.FileInfo
	size int64
}

func (i renamedInfo) Size() int64 { return i.size }
