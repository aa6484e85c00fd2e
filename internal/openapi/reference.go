package openapi

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/threatgate/threatgate/internal/inventory"
)

// refKey is a reference as written, and what it is relative to.
type refKey struct {
	from *source
	ref  string
}

// deref follows the references that n consists of, if it is one, to something
// that isn't. Of a node that has a reference and more, alone says whether the
// reference is all that counts. The result is nil, after a diagnostic, if the
// references lead nowhere, or to a component that isn't in the section wanted.
func (l *loader) deref(n *node, want section, alone func(*node) bool) *node {
	first := n.get("$ref")
	for steps := 0; ; steps++ {
		ref := n.get("$ref")
		if ref == nil || !alone(n) {
			return n
		}
		if ref.value.kind != text {
			l.wrongKind(ref, text)
			return nil
		}
		if steps > len(l.targets) { // so one of them was followed twice
			l.diags.Errorf(first.value.pos(), "the reference leads round in a circle")
			return nil
		}
		if n = l.follow(ref, want); n == nil {
			return nil
		}
	}
}

// follow returns what the $ref in f names, or nil after a diagnostic.
func (l *loader) follow(f *field, want section) *node {
	n, fault := l.find(f)
	if fault != "" {
		l.diags.Errorf(f.value.pos(), "%s", fault)
	}
	if n == nil {
		return nil
	}
	if is := n.section(); is != "" && is != want {
		l.diags.Errorf(f.value.pos(), "the reference leads to one of the %s, where one of the %s is needed", is, want)
		return nil
	}
	return n
}

// section is a part of the Components object (OAS section 4.8.7), and the kind
// of thing that is in it.
type section string

const (
	schemas         section = "schemas"
	responses       section = "responses"
	parameters      section = "parameters"
	requestBodies   section = "requestBodies"
	headers         section = "headers"
	securitySchemes section = "securitySchemes"
	pathItems       section = "pathItems"
	mediaTypes      section = "mediaTypes"
)

// section is what the place of n says it is, or "" if that tells nothing.
func (n *node) section() section {
	holder := n.parent
	if holder == nil || holder.parent == nil {
		return ""
	}
	name := holder.parent.fields[holder.at].name
	if holder.kind == array && name == "parameters" {
		return parameters
	}
	if components := holder.parent; components.parent != nil && components.parent.parent == nil &&
		components.parent.fields[components.at].name == "components" {
		return section(name)
	}
	return ""
}

// found is the outcome of looking for a reference's target. Both are empty
// where the fault is in the file that it is in, and is reported there.
type found struct {
	node  *node
	fault string
}

// find resolves the reference in f (RFC 3986 section 5; OAS section 4.6).
func (l *loader) find(f *field) (*node, string) {
	key := refKey{f.value.src, f.value.text}
	known, ok := l.targets[key]
	if !ok {
		known.node, known.fault = l.search(key)
		l.targets[key] = known
	}
	return known.node, known.fault
}

func (l *loader) search(key refKey) (*node, string) {
	ref, err := url.Parse(key.ref)
	if err != nil {
		return nil, fmt.Sprintf("%q is not a reference: %v", key.ref, err.(*url.Error).Err)
	}
	src, fault := l.resource(key.from, ref)
	if src == nil {
		return nil, fault
	}
	target := src.root
	switch fragment := ref.Fragment; {
	case strings.HasPrefix(fragment, "/"):
		target = descend(src.root, fragment)
	case fragment != "":
		target = src.anchors[fragment]
	}
	if target == nil {
		return nil, fmt.Sprintf("%q names nothing: there is no #%s in %s", key.ref, ref.Fragment, src.name())
	}
	return target, ""
}

// name is what messages call the source.
func (s *source) name() string {
	if s.id != "" {
		return s.id
	}
	return s.file
}

// resource finds what the part of a reference before "#" names.
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
	if src := l.ids[uri.String()]; src != nil {
		return src, ""
	}
	if base.Scheme != "" || base.Host != "" {
		return nil, fmt.Sprintf("%q is on the network, where references are not followed: store a copy beside this file and refer to that", ref)
	}
	name := filepath.FromSlash(base.Path)
	if !filepath.IsAbs(name) {
		name = filepath.Join(filepath.Dir(from.file), name)
	}
	src := l.open(name)
	if src.fault != nil {
		return nil, fmt.Sprintf("%q can't be read: %v", ref, src.fault)
	}
	if src.root == nil {
		return nil, ""
	}
	if l.v31 && src.anchors == nil {
		src.anchors = map[string]*node{}
		l.identify(src.root)
	}
	return src.root.src, ""
}

// descend follows a JSON pointer (RFC 6901) and returns nil if it leads nowhere.
func descend(n *node, pointer string) *node {
	for token := range strings.SplitSeq(pointer[1:], "/") {
		token = unescapeToken.Replace(token)
		switch n.kind {
		case object:
			f := n.get(token)
			if f == nil {
				return nil
			}
			n = f.value
		case array:
			i, err := strconv.ParseUint(token, 10, 31)
			if err != nil || int(i) >= len(n.fields) {
				return nil
			}
			n = n.fields[i].value
		default:
			return nil
		}
	}
	return n
}

// identify records the $id and $anchor of every schema under n (JSON Schema
// 2020-12, section 8.2). It can't know which objects are schemas, so it takes
// every one; an example that has a string $anchor does no harm.
func (l *loader) identify(n *node) {
	if id := n.get("$id"); id != nil && id.value.kind == text {
		l.rebase(n, id)
	}
	for _, keyword := range []string{"$anchor", "$dynamicAnchor"} {
		if anchor := n.get(keyword); anchor != nil && anchor.value.kind == text && n.src.anchors[anchor.value.text] == nil {
			n.src.anchors[anchor.value.text] = n
		}
	}
	for _, f := range n.fields {
		f.value.src = n.src
		l.identify(f.value)
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
	src := &source{file: n.src.file, id: uri.String(), root: n, anchors: map[string]*node{}}
	if l.ids[src.id] == nil {
		l.ids[src.id] = src
	}
	n.src = src
}

// checkCircles reports the schemas of OpenAPI 3.1 whose references, which have
// siblings and so are nodes of their own, lead back to where they started.
func (l *loader) checkCircles() {
	walk := map[*inventory.Schema]int{} // which walk came by
	for i, n := range l.order {
		for s := l.schemas[n]; s != nil && s.Ref != nil; s = s.Ref {
			if walk[s] == i+1 {
				l.diags.Errorf(s.Pos, "the reference leads round in a circle")
			}
			if walk[s] != 0 {
				break
			}
			walk[s] = i + 1
		}
	}
}
