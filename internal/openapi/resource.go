package openapi

import (
	"fmt"
	"net/url"
	"path/filepath"
)

// resource finds what the part of a reference before "#" names (JSON Schema
// 2020-12, section 8.2): a schema by its $id, a copy of what is on the
// network, or a file.
func (l *loader) resource(from *source, ref *url.URL) (*source, string) {
	base := *ref
	base.Fragment, base.RawFragment = "", ""
	if base.String() == "" {
		return from, ""
	}
	uri := &base
	if parent, err := url.Parse(from.id); err == nil {
		uri = parent.ResolveReference(&base)
	}
	src := l.identified(uri.String())
	switch {
	case src != nil:
	case base.Scheme != "" || base.Host != "":
		return nil, fmt.Sprintf("%q is on the network, where references are not followed: store a copy, and refer to that or list it under references in the model", ref)
	default:
		name := filepath.FromSlash(base.Path)
		if !filepath.IsAbs(name) {
			name = filepath.Join(filepath.Dir(from.file), name)
		}
		src = l.open(name)
	}
	if src.fault != nil && src.id != "" {
		return nil, fmt.Sprintf("%q can't be read from %s: %v", ref, src.file, src.fault)
	}
	if src.fault != nil {
		return nil, fmt.Sprintf("%q can't be read: %v", ref, src.fault)
	}
	if src.root == nil {
		return nil, ""
	}
	if l.v31 && src.anchors == nil {
		l.identify(src.root)
	}
	return src.root.src, ""
}

// identified is the schema that has uri as its $id, or the copy of what is
// there on the network, or nil. References in a copy are relative to uri,
// unless it has an $id.
func (l *loader) identified(uri string) *source {
	if src := l.ids[uri]; src != nil {
		return src
	}
	var src *source
	if name, ok := l.references[uri]; ok {
		src = l.open(name)
		src.id = uri
	} else if data, ok := metaSchema(uri); ok {
		src = &source{file: uri, id: uri}
		l.parse(data, src)
	} else {
		return nil
	}
	l.ids[uri] = src
	return src
}

// identify records the resources and anchors of a source.
func (l *loader) identify(root *node) {
	root.src.anchors, root.src.dynamic = map[string]*node{}, map[string]*node{}
	l.identifyIn(root, inAny)
}

// role is what the place of an object tells of it.
type role uint8

const (
	inAny    role = iota // nothing, so it may be a schema
	inSchema             // it is a schema, or a list of them
	inNames              // it holds schemas by names
	inValue              // neither it nor what it holds is a schema
)

// identifyIn records the $id, $anchor and $dynamicAnchor of every schema under
// n, and of what may be one (JSON Schema 2020-12, section 8.2).
func (l *loader) identifyIn(n *node, is role) {
	if is <= inSchema {
		if id := n.get("$id"); id != nil && id.value.kind == text {
			l.rebase(n, id)
		}
		l.declares = l.declares || n.get("$schema") != nil || n.get("jsonSchemaDialect") != nil
		anchor(n, "$anchor", n.src.anchors)
		anchor(n, "$dynamicAnchor", n.src.anchors)
		anchor(n, "$dynamicAnchor", n.src.dynamic)
	}
	for i := range n.fields {
		f := &n.fields[i]
		f.value.src = n.src
		l.identifyIn(f.value, is.of(f))
	}
}

// of is the role of what a field of the object holds.
func (r role) of(f *field) role {
	_, known := keywords[f.name]
	switch {
	case r == inNames:
		return inSchema
	case r == inValue, r == inSchema && !known && f.name != "":
		return inValue
	}
	switch f.name {
	case "enum", "const", "default", "example", "examples":
		return inValue
	case "properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies", "schemas":
		return inNames
	case "schema":
		return inSchema
	}
	return r
}

// anchor adds n by the name that the keyword gives it, if it is the first of that name.
func anchor(n *node, keyword string, named map[string]*node) {
	if f := n.get(keyword); f != nil && f.value.kind == text && named[f.value.text] == nil {
		named[f.value.text] = n
	}
}

// rebase makes n, which has an $id, a source of its own.
func (l *loader) rebase(n *node, id *field) {
	uri, err := url.Parse(id.value.text)
	if err != nil {
		l.diags.Errorf(id.value.pos(), "$id is not a URI: %v", err.(*url.Error).Err)
		return
	}
	if parent, err := url.Parse(n.src.id); err == nil {
		uri = parent.ResolveReference(uri)
	}
	src := &source{file: n.src.file, id: uri.String(), root: n, anchors: map[string]*node{}, dynamic: map[string]*node{}}
	if l.ids[src.id] == nil {
		l.ids[src.id] = src
	}
	n.src = src
}
