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
		return nil, fmt.Sprintf("%q is on the network, where references are not followed: store a copy beside this file and refer to that", ref)
	default:
		name := filepath.FromSlash(base.Path)
		if !filepath.IsAbs(name) {
			name = filepath.Join(filepath.Dir(from.file), name)
		}
		src = l.open(name)
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
	data, ok := l.copies[uri]
	if !ok {
		return nil
	}
	src := &source{file: uri, id: uri}
	l.ids[uri] = src
	l.parse(data, src)
	return src
}

// identify records the resources and anchors of a source.
func (l *loader) identify(root *node) {
	root.src.anchors, root.src.dynamic = map[string]*node{}, map[string]*node{}
	l.identifyIn(root)
}

// identifyIn records the $id, $anchor and $dynamicAnchor of every schema under
// n (JSON Schema 2020-12, section 8.2). It can't know which objects are
// schemas, so it takes every one; an example that has a string $anchor does no
// harm.
func (l *loader) identifyIn(n *node) {
	if id := n.get("$id"); id != nil && id.value.kind == text {
		l.rebase(n, id)
	}
	anchor(n, "$anchor", n.src.anchors)
	anchor(n, "$dynamicAnchor", n.src.anchors)
	anchor(n, "$dynamicAnchor", n.src.dynamic)
	for _, f := range n.fields {
		f.value.src = n.src
		l.identifyIn(f.value)
	}
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
