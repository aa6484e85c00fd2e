package openapi

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/threatgate/threatgate/internal/inventory"
)

// discriminator reads the Discriminator object (OAS section 4.8.25) at f of
// the schema at n: what its mapping says and, for alternatives that are
// references to components, the component's name.
func (l *loader) discriminator(f *field, n *node) *inventory.Discriminator {
	d := &inventory.Discriminator{Pos: f.pos()}
	alternatives := l.alternatives(n)
	members := l.members(f)
	for i := range members {
		switch f := &members[i]; f.name {
		case "propertyName":
			d.Property = l.text(f)
		case "mapping":
			d.Mapping = l.mapping(f, alternatives)
		default:
			l.unknown(f, "a discriminator")
		}
	}
	if d.Property == "" {
		l.diags.Warnf(d.Pos, "a discriminator needs a propertyName; it is ignored")
		return nil
	}
	for _, a := range alternatives {
		taken := func(m inventory.Mapping) bool { return m.Value == a.name }
		if a.name != "" && !slices.ContainsFunc(d.Mapping, taken) {
			d.Mapping = append(d.Mapping, inventory.Mapping{Value: a.name, Schema: a.schema})
		}
	}
	return d
}

// alternative is an element of oneOf or anyOf that is a reference.
type alternative struct {
	name   string            // of the component that it refers to, if it is one
	schema *inventory.Schema // the element's own
	target *inventory.Schema // what it refers to; the same unless the reference has siblings
}

func (l *loader) alternatives(n *node) []alternative {
	var out []alternative
	for _, keyword := range []string{"oneOf", "anyOf"} {
		list := n.get(keyword)
		if list == nil || list.value.kind != array {
			continue
		}
		for i := range list.value.fields {
			element := &list.value.fields[i]
			ref := element.value.get("$ref")
			if ref == nil || ref.value.kind != text {
				continue
			}
			if target, _ := l.find(ref); target != nil {
				out = append(out, alternative{componentName(ref.value.text), l.schemaIn(element), l.referred(ref, target)})
			}
		}
	}
	return out
}

// componentName is the last part of a reference to a component schema, else "".
func componentName(ref string) string {
	u, err := url.Parse(ref)
	if err != nil {
		return ""
	}
	name, ok := strings.CutPrefix(u.Fragment, "/components/schemas/")
	if !ok || strings.Contains(name, "/") {
		return ""
	}
	return unescapeToken.Replace(name)
}

// mapping reads the explicit values, each for a component's name or a reference.
func (l *loader) mapping(f *field, alternatives []alternative) []inventory.Mapping {
	var out []inventory.Mapping
	members := l.members(f)
	for i := range members {
		f := &members[i]
		if !l.is(f, text) {
			continue
		}
		s, fault := l.mapped(f)
		if fault != "" {
			l.diags.Warnf(f.value.pos(), "%s; the value is not mapped", fault)
		}
		if s == nil {
			continue
		}
		if i := slices.IndexFunc(alternatives, func(a alternative) bool { return a.target == s }); i >= 0 {
			s = alternatives[i].schema // which may say more
		}
		out = append(out, inventory.Mapping{Value: f.name, Schema: s})
	}
	return out
}

// mapped is the schema that the text in f names.
func (l *loader) mapped(f *field) (*inventory.Schema, string) {
	name := f.value.text
	if target := descend(l.root, "/components/schemas/"+escapeToken.Replace(name)); target != nil {
		return l.referred(f, target), ""
	}
	if !strings.ContainsAny(name, "/#.") {
		return nil, fmt.Sprintf("no component schema is called %q", name)
	}
	target, fault := l.find(f)
	if target == nil {
		return nil, fault
	}
	return l.referred(f, target), ""
}
