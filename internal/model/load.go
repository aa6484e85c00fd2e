package model

import (
	"path/filepath"
	"reflect"

	"go.yaml.in/yaml/v3"

	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/inventory"
)

// Options say where Load finds what a document names, and what it is bound for.
type Options struct {
	// OpenSpec loads one specification; it is openapi.Load. It returns an API
	// of its own each time, since classifications are written into it, and nil
	// if it reports an error; files are what it read or looked for. References
	// are files that stand for documents on the network, by URI.
	OpenSpec func(path string, references map[string]string, diags *diag.List) (api *inventory.API, files []string)

	// ReadFile reads any other file, the document included; nil means from the disk.
	ReadFile func(path string) ([]byte, error)

	// Environment is the id of the overlay to apply; "" applies none.
	Environment string

	// MatchHosts fills Service.Hosts.
	MatchHosts bool
}

// Load reads the threat model document at path and the files that it names,
// relative to it, and binds them. Faults go to diags; the graph is nil if one
// of them is an error. Either way files lists, sorted, what was read or looked
// for, so that whoever watches them sees the repair of a broken model, too.
func Load(path string, options Options, diags *diag.List) (graph *Graph, files []string) {
	b := newBinder(path, options)
	if doc := b.document(path); doc != nil {
		b.bind(doc)
	}
	diags.Merge(&b.diags)
	files = keys(b.files)
	if b.diags.HasErrors() {
		return nil, files
	}
	return b.graph, files
}

// document reads and decodes the document; nil if it isn't YAML at all, or too much of it.
func (b *binder) document(path string) *document {
	data, ok := b.read(path, diag.Pos{File: path})
	if !ok {
		return nil
	}
	src, root := parseYAML(path, data, &b.diags)
	if root == nil {
		return nil
	}
	if root.Kind == yaml.MappingNode && len(root.Content) > 0 && root.Content[0].Value == "openapi" {
		b.diags.Errorf(src.pos(root.Content[0]), "this is an OpenAPI document: --spec names it")
		return nil
	}
	doc := new(document)
	d := decoder{src: src, diags: &b.diags}
	d.value(root, reflect.ValueOf(doc).Elem(), "", "the document")
	if d.values > maxValues {
		return nil
	}
	return doc
}

// read reads the file at path, which the model names at pos.
func (b *binder) read(path string, pos diag.Pos) (data []byte, ok bool) {
	b.files[path] = true
	data, err := b.options.ReadFile(path)
	switch err := fileFault(data, err); {
	case err == nil:
		return data, true
	case pos.File == path:
		b.diags.Errorf(pos, "%v", err)
	default:
		b.diags.Errorf(pos, "%s: %v", path, err)
	}
	return nil, false
}

// beside is the path of a file that the document names.
func (b *binder) beside(file string) string {
	if filepath.IsAbs(file) {
		return filepath.Clean(file)
	}
	return filepath.Join(b.dir, file)
}
