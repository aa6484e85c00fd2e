package openapi

import (
	"fmt"
	"net/url"
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
		fault := fmt.Sprintf("the reference leads to one of the %s, where one of the %s is needed", is, want)
		switch want {
		case schemas:
			l.diags.Warnf(f.value.pos(), "%s: any value is accepted there", fault)
		case responses:
			l.diags.Warnf(f.value.pos(), "%s: of the response only the status is known", fault)
		default:
			l.diags.Errorf(f.value.pos(), "%s", fault)
		}
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

// checkCircles reports the schemas of OpenAPI 3.1 whose references, which have
// siblings and so are nodes of their own, lead back to where they started.
func (l *loader) checkCircles() {
	walk := map[*inventory.Schema]int{} // which walk came by
	for i, o := range l.order {
		for s := l.schemas[o]; s != nil && s.Ref != nil; s = s.Ref {
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
