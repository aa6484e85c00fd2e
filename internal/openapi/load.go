package openapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/inventory"
)

// Load reads the description at path and the files that it refers to. Where it
// refers to an absolute URI, which is never fetched, references says which file
// is the copy of what is there. Faults go to diags; the API is nil if one of
// them is an error. Either way files lists, sorted, what was read or looked
// for, so that whoever watches them sees the repair of a broken description,
// too.
func Load(path string, references map[string]string, diags *diag.List) (api *inventory.API, files []string) {
	return LoadFrom(readFile, path, references, diags)
}

// LoadFrom is Load with the reading of files in the caller's hands. What
// readFile returns as an error is reported where the file is referred to.
func LoadFrom(readFile func(name string) ([]byte, error), path string, references map[string]string, diags *diag.List) (api *inventory.API, files []string) {
	l := newLoader()
	l.readFile, l.references = readFile, references
	return l.load(l.open(path), diags)
}

// LoadBytes is Load for a description already in memory: name stands in
// positions, and relative references start from its directory.
func LoadBytes(data []byte, name string, diags *diag.List) (api *inventory.API, files []string) {
	l := newLoader()
	return l.load(l.read(data, name), diags)
}

func newLoader() *loader {
	return &loader{
		readFile: readFile,
		files:    map[string]*source{},
		ids:      map[string]*source{},
		targets:  map[refKey]found{},
		scopes:   map[scope]*scope{},
		dialects: map[*node]vocabulary{},
		schemas:  map[occurrence]*inventory.Schema{},
	}
}

func (l *loader) load(src *source, diags *diag.List) (*inventory.API, []string) {
	if src.fault != nil {
		l.diags.Errorf(diag.Pos{File: src.file}, "%v", src.fault)
	} else if src.root != nil {
		l.root = src.root
		l.document()
		l.fillSchemas()
		l.checkCircles()
	}
	diags.Merge(&l.diags)
	files := slices.Sorted(maps.Keys(l.files))
	if l.diags.HasErrors() {
		return nil, files
	}
	l.api.Operations = distinct(l.api.Operations) // which compares schemas
	return l.api, files
}

// loader is the state of one Load.
type loader struct {
	readFile   func(name string) ([]byte, error)
	references map[string]string // names of copies, by the absolute URI of what is on the network

	diags diag.List
	api   *inventory.API
	root  *node
	v31   bool // the dialect is OpenAPI 3.1's; else 3.0's

	files   map[string]*source // by cleaned name
	ids     map[string]*source // schemas that have an $id, by that
	targets map[refKey]found

	declares bool                 // some node names a meta-schema
	dialects map[*node]vocabulary // by where the meta-schema is named

	scope   *scope           // that the schema being read is reached in
	scopes  map[scope]*scope // each is there once
	schemas map[occurrence]*inventory.Schema
	order   []occurrence // the keys of schemas, as they were met
}

// source is what a reference without a file name is relative to: a file, or a
// schema in it that is a resource of its own because it has an $id.
type source struct {
	file    string // as positions show it
	id      string // absolute URI; "" for a file
	root    *node  // nil if there is none, after a diagnostic or for the fault
	fault   error  // why the file can't be read as text
	anchors map[string]*node
	dynamic map[string]*node // those of anchors that are dynamic
}

func (s *source) pos(p place) diag.Pos {
	return diag.Pos{File: s.file, Line: int(p.line), Col: int(p.col)}
}

// open reads the named file, if that wasn't done before.
func (l *loader) open(name string) *source {
	if known := l.files[filepath.Clean(name)]; known != nil {
		return known
	}
	data, err := l.readFile(name)
	if err != nil {
		src := &source{file: name, fault: withoutPath(err)}
		l.files[filepath.Clean(name)] = src
		return src
	}
	return l.read(data, name)
}

// read makes a source of a file's content. Syntax errors are reported.
func (l *loader) read(data []byte, name string) *source {
	src := &source{file: name}
	l.files[filepath.Clean(name)] = src
	l.parse(data, src)
	return src
}

// parse makes the tree of a source.
func (l *loader) parse(data []byte, src *source) {
	if data, src.fault = unmark(data); src.fault != nil {
		return
	}
	if i, what := notText(data); i >= 0 {
		l.diags.Errorf(src.pos(placeOf(data, i)), "%s: a description is UTF-8 text", what)
		return
	}
	if strings.EqualFold(filepath.Ext(src.file), ".json") || json.Valid(data) {
		src.root = parseJSON(data, src, &l.diags)
	} else {
		src.root = parseYAML(data, src, &l.diags)
	}
}

// readFile reads a regular file of at most maxBytes.
func readFile(name string) ([]byte, error) {
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, errors.New("no such file")
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, errors.New("not a regular file")
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxBytes+1)) // one more, for unmark to refuse
}

// withoutPath drops what a message says already: which file it is about.
func withoutPath(err error) error {
	if fault := (*fs.PathError)(nil); errors.As(err, &fault) {
		return fault.Err
	}
	return err
}

// unmark strips a UTF-8 byte order mark and refuses what can't be a description.
func unmark(data []byte) ([]byte, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	switch {
	case len(data) > maxBytes:
		return nil, fmt.Errorf("larger than %d MiB", maxBytes>>20)
	case len(bytes.TrimSpace(data)) == 0:
		return nil, errors.New("the file is empty")
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		return nil, errors.New("UTF-16: a description is UTF-8 text")
	}
	return data, nil
}

// notText finds the first byte that is not UTF-8 text and says what it is.
func notText(data []byte) (offset int, what string) {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			return i, "invalid UTF-8"
		case r < ' ' && r != '\t' && r != '\n' && r != '\r':
			return i, "a control character"
		}
		i += size
	}
	return -1, ""
}
