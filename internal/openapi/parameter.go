package openapi

import (
	"slices"
	"strings"

	"github.com/threatgate/threatgate/internal/inventory"
)

// parameters reads an array of parameters or references to them.
func (l *loader) parameters(f *field) []*inventory.Parameter {
	var out []*inventory.Parameter
	elements := l.elements(f)
	for i := range elements {
		n := l.reach(&elements[i], parameters)
		if n == nil {
			continue
		}
		p := l.parameter(n)
		if p == nil {
			continue
		}
		first := slices.IndexFunc(out, func(q *inventory.Parameter) bool { return same(p, q) })
		switch {
		case first < 0:
			out = append(out, p)
		case out[first].Pos == p.Pos:
			l.diags.Warnf(elements[i].pos(), "%s parameter %q is listed twice", p.In, p.Name)
		default:
			l.diags.Errorf(p.Pos, "%s parameter %q is declared at %s already", p.In, p.Name, out[first].Pos)
		}
	}
	return out
}

// same reports whether p and q are about the same part of a request.
func same(p, q *inventory.Parameter) bool {
	return p.In == q.In && (p.Name == q.Name || p.In == inventory.InHeader && strings.EqualFold(p.Name, q.Name))
}

// parameter reads a Parameter object (OAS section 4.8.12). It returns nil for
// one that can't be judged and, as the OAS says, for the headers that other
// fields describe.
func (l *loader) parameter(n *node) *inventory.Parameter {
	name, in := n.get("name"), n.get("in")
	if name == nil || in == nil {
		l.diags.Errorf(n.pos(), "a parameter needs name and in")
		return nil
	}
	p := &inventory.Parameter{Name: l.text(name), Pos: n.pos()}
	if p.Name == "" {
		l.diags.Warnf(name.value.pos(), "the parameter has an empty name; it is ignored")
		return nil
	}
	var ok bool
	if p.In, ok = l.in(in); !ok {
		return nil
	}
	if p.In == inventory.InHeader && slices.ContainsFunc([]string{"Accept", "Content-Type", "Authorization"},
		func(h string) bool { return strings.EqualFold(h, p.Name) }) {
		return nil
	}
	l.value(p, n, "a parameter")
	if p.In == inventory.InPath && !p.Required {
		l.diags.Warnf(p.Pos, "path parameter %q must say \"required: true\"; it is required all the same", p.Name)
		p.Required = true
	}
	return p
}

// header reads a Header object (OAS section 4.8.21), a parameter whose name
// and place are given from outside.
func (l *loader) header(name string, n *node) *inventory.Parameter {
	p := &inventory.Parameter{Name: name, In: inventory.InHeader, Pos: n.pos()}
	l.value(p, n, "a header")
	return p
}

// headers reads a map of headers. Content-Type is described by the content's own key.
func (l *loader) headers(f *field) []*inventory.Parameter {
	var out []*inventory.Parameter
	members := l.members(f)
	for i := range members {
		if n := l.reach(&members[i], headers); n != nil && !strings.EqualFold(members[i].name, "Content-Type") {
			out = append(out, l.header(members[i].name, n))
		}
	}
	return out
}

// value reads what parameters and headers have in common into p.
func (l *loader) value(p *inventory.Parameter, n *node, owner string) {
	var style, explode, schema, content *field
	for i := range n.fields {
		switch f := &n.fields[i]; f.name {
		case "required":
			p.Required = l.bool(f)
		case "deprecated":
			p.Deprecated = l.bool(f)
		case "allowReserved":
			p.AllowReserved = l.bool(f)
		case "allowEmptyValue":
			p.AllowEmpty = l.bool(f)
		case "style":
			style = f
		case "explode":
			explode = f
		case "schema":
			schema = f
		case "content":
			content = f
		case "name", "in":
			if owner == "a header" {
				l.unknown(f, owner)
			}
		case "description", "example", "examples":
		default:
			l.unknown(f, owner)
		}
	}
	p.Style, p.Explode = l.style(style, explode, p.In)
	if content != nil {
		switch types := l.content(content); len(types) {
		case 1:
			p.Content = types[0]
		default:
			l.diags.Errorf(content.pos(), "content of %s must have one media type, not %d", owner, len(types))
		}
	}
	switch {
	case schema != nil && content != nil:
		l.diags.Errorf(schema.pos(), "%s has schema or content, not both", owner)
	case schema != nil:
		p.Schema = l.schemaIn(schema)
	case content == nil:
		l.diags.Warnf(n.pos(), "%s has neither schema nor content, so any value is accepted", owner)
	}
}

// in reads where a parameter or an API key is.
func (l *loader) in(f *field) (inventory.In, bool) {
	if !l.is(f, text) {
		return 0, false
	}
	switch f.value.text {
	case "path":
		return inventory.InPath, true
	case "query":
		return inventory.InQuery, true
	case "header":
		return inventory.InHeader, true
	case "cookie":
		return inventory.InCookie, true
	}
	l.diags.Errorf(f.value.pos(), "in must be path, query, header or cookie, not %q", f.value.text)
	return 0, false
}

// stylesIn lists the styles each place allows, its default first (OAS section 4.8.12.3).
var stylesIn = [...][]inventory.Style{
	inventory.InPath:   {inventory.StyleSimple, inventory.StyleLabel, inventory.StyleMatrix},
	inventory.InQuery:  {inventory.StyleForm, inventory.StyleSpaceDelimited, inventory.StylePipeDelimited, inventory.StyleDeepObject},
	inventory.InHeader: {inventory.StyleSimple},
	inventory.InCookie: {inventory.StyleForm},
}

// style reads style and explode, either of which may be nil for absent.
func (l *loader) style(style, explode *field, in inventory.In) (inventory.Style, bool) {
	allowed := stylesIn[in]
	s := allowed[0]
	if style != nil && l.is(style, text) {
		i := slices.IndexFunc(allowed, func(a inventory.Style) bool { return a.String() == style.value.text })
		if i < 0 {
			l.diags.Errorf(style.value.pos(), "style %q is not one that %s has", style.value.text, in)
			return s, false
		}
		s = allowed[i]
	}
	if explode != nil {
		return s, l.bool(explode)
	}
	return s, s == inventory.StyleForm
}
