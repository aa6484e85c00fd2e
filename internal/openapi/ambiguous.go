package openapi

import (
	"slices"
	"strings"

	"github.com/threatgate/threatgate/internal/inventory"
)

// distinct leaves one operation of those that no request tells apart, because
// their templates differ only in the names of parameters. OpenAPI forbids such
// documents (OAS section 4.8.8.1), but some of the best known are. It takes
// what any of them does, part by part of a request, and is Blurred if that may
// be more than what any of them does: which would refuse a request can't be
// seen.
func distinct(all []*inventory.Operation) (out []*inventory.Operation) {
	known := map[string]*inventory.Operation{}
	for _, op := range all {
		shape, names := unnamed(op.Path)
		first := known[op.Method+" "+shape]
		switch {
		case first == nil:
			known[op.Method+" "+shape] = op
			out = append(out, op)
		case !slices.Equal(first.Servers, op.Servers):
			out = append(out, op)
		default:
			_, captures := unnamed(first.Path)
			admit(first, op, func(name string) string {
				if i := slices.Index(names, name); i >= 0 {
					return captures[i]
				}
				return name
			})
		}
	}
	return out
}

// unnamed is a template without the names of its parameters, and the names.
func unnamed(template string) (shape string, names []string) {
	for {
		before, rest, found := strings.Cut(template, "{")
		shape += before
		if !found {
			return shape, names
		}
		name, after, _ := strings.Cut(rest, "}")
		shape, names, template = shape+"{}", append(names, name), after
	}
}

// admit makes op take what other does, too. The path parameters of other have
// the names that rename gives.
func admit(op, other *inventory.Operation, rename func(string) string) {
	op.Others = append(op.Others, other.Pos)
	renamed := make([]*inventory.Parameter, len(other.Parameters))
	for i, p := range other.Parameters {
		if p.In == inventory.InPath {
			clone := *p
			clone.Name = rename(p.Name)
			p = &clone
		}
		renamed[i] = p
	}
	parameters, parts := eitherParameters(op.Parameters, renamed)
	body, ofBody := eitherBody(op.Body, other.Body)
	security, ofSecurity := eitherSecurity(op.Security, other.Security)
	op.Blurred = op.Blurred || !exact(append(parts, ofBody, ofSecurity))
	op.Parameters, op.Body, op.Security = parameters, body, security
	op.Responses = eitherResponses(op.Responses, other.Responses)
	op.Deprecated = op.Deprecated && other.Deprecated
}

// eitherParameters has a fit for each parameter.
func eitherParameters(a, b []*inventory.Parameter) (out []*inventory.Parameter, parts []fit) {
	hasOpen := slices.ContainsFunc(a, mayBeOpen) || slices.ContainsFunc(b, mayBeOpen)
	alone := func(p *inventory.Parameter, first bool) {
		f := loose
		switch {
		case p.In != inventory.InQuery: // where it is not declared it is any text
			f = is(!first, first)
		case !hasOpen && p.Required: // where it is not declared it is refused
			f = apart
		case !hasOpen:
			f = is(first, !first)
		}
		if parts = append(parts, f); p.In == inventory.InQuery {
			out = append(out, optional(p))
		}
	}
	for _, p := range a {
		i := slices.IndexFunc(b, func(q *inventory.Parameter) bool { return same(p, q) })
		if i < 0 {
			alone(p, true)
			continue
		}
		either, f := eitherParameter(p, b[i])
		out, parts = append(out, either), append(parts, f)
	}
	for _, q := range b {
		if !slices.ContainsFunc(a, func(p *inventory.Parameter) bool { return same(p, q) }) {
			alone(q, false)
		}
	}
	return out, parts
}

// mayBeOpen reports whether undeclared query parameters may be properties of p.
func mayBeOpen(p *inventory.Parameter) bool {
	return p.In == inventory.InQuery && p.Schema != nil && p.Schema.Types&inventory.TypeObject != 0
}

func optional(p *inventory.Parameter) *inventory.Parameter {
	out := *p
	out.Required = false
	return &out
}

func eitherParameter(p, q *inventory.Parameter) (*inventory.Parameter, fit) {
	out, f := *p, loose
	out.Required = p.Required && q.Required
	out.AllowEmpty = p.AllowEmpty || q.AllowEmpty
	switch isAlike := p.Style == q.Style && p.Explode == q.Explode; {
	case isAlike && p.Content == nil && q.Content == nil:
		out.Schema, f = eitherText(p.Schema, q.Schema)
	case isAlike && p.Content != nil && q.Content != nil && p.Content.Type == q.Content.Type:
		out.Content, f = eitherMediaType(p.Content, q.Content)
	default:
		out.Schema, out.Content = nil, nil
	}
	f = f.join(is(q.Required && !p.Required, p.Required && !q.Required))
	return &out, f.join(is(p.AllowEmpty && !q.AllowEmpty, q.AllowEmpty && !p.AllowEmpty))
}

// eitherText is for values that are written as text, which is read by the
// types that a schema admits.
func eitherText(a, b *inventory.Schema) (*inventory.Schema, fit) {
	switch either, f := eitherSchema(a, b); {
	case f != apart:
		return either, f
	case isText(a) && isScalar(b):
		return a, wider
	case isText(b) && isScalar(a):
		return b, narrower
	case isScalar(a) && a.Types == b.Types:
		return either, apart
	default:
		return either, loose
	}
}

func eitherBody(a, b *inventory.Body) (*inventory.Body, fit) {
	out, f := inventory.Body{}, equal
	switch {
	case a == nil && b == nil:
		return nil, equal
	case a == nil:
		out, f = *b, narrower
	case b == nil:
		out, f = *a, wider
	default:
		content, f := eitherContent(a.Content, b.Content)
		f = f.join(is(b.Required && !a.Required, a.Required && !b.Required))
		return &inventory.Body{Pos: a.Pos, Required: a.Required && b.Required, Content: content}, f
	}
	if out.Required {
		f = apart
	}
	out.Required = false
	return &out, f
}

func eitherContent(a, b []*inventory.MediaType) ([]*inventory.MediaType, fit) {
	out, f := slices.Clone(a), equal
	onlyFirst, onlySecond := len(a), false
	for _, m := range b {
		i := slices.IndexFunc(a, func(n *inventory.MediaType) bool { return n.Type == m.Type })
		if i < 0 {
			out, onlySecond = append(out, m), true
			continue
		}
		either, g := eitherMediaType(a[i], m)
		out[i], f, onlyFirst = either, f.join(g), onlyFirst-1
	}
	f = f.join(is(onlyFirst > 0, false)).join(is(false, onlySecond))
	if (onlyFirst > 0 || onlySecond) && slices.ContainsFunc(out, mayOverlap) {
		f = loose
	}
	return out, f
}

// mayOverlap reports whether a content type that m matches may match another
// declared type, too, by which it is not judged.
func mayOverlap(m *inventory.MediaType) bool { return strings.ContainsAny(m.Type, "*;") }

func eitherMediaType(a, b *inventory.MediaType) (*inventory.MediaType, fit) {
	out, f := *a, loose
	out.Schema = nil
	if alike(a.Encoding, b.Encoding) {
		out.Schema, f = eitherSchema(a.Schema, b.Schema)
	}
	if f == apart && !strings.HasSuffix(a.Type, "json") { // others are read by their schema
		f = loose
	}
	return &out, f
}

func eitherResponses(a, b []*inventory.Response) []*inventory.Response {
	out := slices.Clone(a)
	for _, r := range b {
		i := slices.IndexFunc(a, func(s *inventory.Response) bool { return s.Status == r.Status })
		if i < 0 {
			out = append(out, r)
			continue
		}
		both := *a[i]
		both.Headers, _ = eitherParameters(both.Headers, r.Headers)
		both.Content, _ = eitherContent(both.Content, r.Content)
		out[i] = &both
	}
	return out
}

func eitherSecurity(a, b inventory.Security) (inventory.Security, fit) {
	switch {
	case alike(a.Alternatives, b.Alternatives):
		return a, equal
	case a.Public():
		return a, wider
	case b.Public():
		a.Declared, a.Alternatives = b.Declared, b.Alternatives
		return a, narrower
	}
	a.Alternatives = slices.Concat(a.Alternatives, b.Alternatives)
	return a, apart
}

// eitherSchema is nil, which is any value, if a or b is.
func eitherSchema(a, b *inventory.Schema) (*inventory.Schema, fit) {
	switch {
	case alike(a, b):
		return a, equal
	case a == nil || b == nil:
		return nil, is(a == nil, b == nil)
	}
	return &inventory.Schema{Pos: a.Pos, Pointer: a.Pointer, Types: inventory.TypeAny, AnyOf: []*inventory.Schema{a, b}}, apart
}
