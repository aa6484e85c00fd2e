package openapi

import (
	"net/url"

	"github.com/threatgate/threatgate/internal/inventory"
)

// maxOccurrences bounds the schemas of a description that are read in several
// dynamic scopes: n resources can be entered in as many ways as there are
// paths through them.
const maxOccurrences = 1 << 18

// scope is a dynamic scope (JSON Schema 2020-12, section 7.1): the resources
// that evaluation has come through, as far as they have a dynamic anchor that
// none further out has. A schema that is reached in two scopes is two schemas
// of the inventory, so $dynamicRef leads from each to one place. nil is the
// scope without anchors, and the only one of most descriptions.
type scope struct {
	outer    *scope
	resource *source
}

// occurrence is a schema in one of the scopes that it is reached in.
type occurrence struct {
	node  *node
	scope *scope
}

// anchor is the outermost schema in scope that has a dynamic anchor, or nil.
func (s *scope) anchor(name string) *node {
	if s == nil {
		return nil
	}
	if n := s.outer.anchor(name); n != nil {
		return n
	}
	return s.resource.dynamic[name]
}

// enter is the scope within n, a schema that is reached from outer.
func (l *loader) enter(outer *scope, n *node) *scope {
	for name := range n.src.dynamic {
		if outer.anchor(name) == nil {
			inner := scope{outer, n.src}
			if l.scopes[inner] == nil {
				l.scopes[inner] = &inner
			}
			return l.scopes[inner]
		}
	}
	return outer
}

// dynamic is the schema that the $dynamicRef in f leads to from the scope
// being read (JSON Schema 2020-12, section 8.2.3.2), or nil after a diagnostic.
func (l *loader) dynamic(f *field) *inventory.Schema {
	if !l.is(f, text) {
		return nil
	}
	target := l.follow(f, schemas)
	if target == nil {
		return nil
	}
	// That it is a URI is known once it leads somewhere.
	ref, _ := url.Parse(f.value.text)
	if name := ref.Fragment; name != "" && target.src.dynamic[name] == target {
		if outermost := l.scope.anchor(name); outermost != nil {
			target = outermost
		}
	}
	return l.referred(f, target)
}
