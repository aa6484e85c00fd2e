package openapi

import (
	"reflect"
	"slices"
	"strings"

	"github.com/threatgate/threatgate/internal/inventory"
)

// distinct leaves one operation of those that no request tells apart, because
// their templates differ only in the names of parameters. OpenAPI forbids such
// documents (OAS section 4.8.8.1), but some of the best known are. It takes
// what any of them does: which of them would refuse a request can't be seen.
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
	op.Parameters = eitherParameters(op.Parameters, renamed)
	op.Body = eitherBody(op.Body, other.Body)
	op.Responses = eitherResponses(op.Responses, other.Responses)
	op.Security = eitherSecurity(op.Security, other.Security)
	op.Deprecated = op.Deprecated && other.Deprecated
}

func eitherParameters(a, b []*inventory.Parameter) (out []*inventory.Parameter) {
	for _, p := range a {
		i := slices.IndexFunc(b, func(q *inventory.Parameter) bool { return same(p, q) })
		if i >= 0 {
			out = append(out, eitherParameter(p, b[i]))
		} else if p.In != inventory.InPath { // a path parameter that one doesn't declare is any text
			out = append(out, optional(p))
		}
	}
	for _, q := range b {
		if q.In != inventory.InPath && !slices.ContainsFunc(a, func(p *inventory.Parameter) bool { return same(p, q) }) {
			out = append(out, optional(q))
		}
	}
	return out
}

func optional(p *inventory.Parameter) *inventory.Parameter {
	out := *p
	out.Required = false
	return &out
}

func eitherParameter(p, q *inventory.Parameter) *inventory.Parameter {
	out := *p
	out.Required = p.Required && q.Required
	out.AllowEmpty = p.AllowEmpty || q.AllowEmpty
	switch alike := p.Style == q.Style && p.Explode == q.Explode; {
	case alike && p.Content == nil && q.Content == nil:
		out.Schema = eitherSchema(p.Schema, q.Schema)
	case alike && p.Content != nil && q.Content != nil && p.Content.Type == q.Content.Type:
		out.Content = eitherMediaType(p.Content, q.Content)
	default:
		out.Schema, out.Content = nil, nil
	}
	return &out
}

func eitherBody(a, b *inventory.Body) *inventory.Body {
	out := inventory.Body{}
	switch {
	case a == nil && b == nil:
		return nil
	case a == nil:
		out = *b
	case b == nil:
		out = *a
	default:
		return &inventory.Body{Pos: a.Pos, Required: a.Required && b.Required, Content: eitherContent(a.Content, b.Content)}
	}
	out.Required = false
	return &out
}

func eitherContent(a, b []*inventory.MediaType) []*inventory.MediaType {
	out := slices.Clone(a)
	for _, m := range b {
		if i := slices.IndexFunc(a, func(n *inventory.MediaType) bool { return n.Type == m.Type }); i >= 0 {
			out[i] = eitherMediaType(a[i], m)
		} else {
			out = append(out, m)
		}
	}
	return out
}

func eitherMediaType(a, b *inventory.MediaType) *inventory.MediaType {
	out := *a
	out.Schema = nil
	if reflect.DeepEqual(a.Encoding, b.Encoding) {
		out.Schema = eitherSchema(a.Schema, b.Schema)
	}
	return &out
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
		both.Headers = eitherParameters(both.Headers, r.Headers)
		both.Content = eitherContent(both.Content, r.Content)
		out[i] = &both
	}
	return out
}

func eitherSecurity(a, b inventory.Security) inventory.Security {
	switch {
	case a.Public() || reflect.DeepEqual(a.Alternatives, b.Alternatives):
	case b.Public():
		a.Declared, a.Alternatives = b.Declared, b.Alternatives
	default:
		a.Alternatives = slices.Concat(a.Alternatives, b.Alternatives)
	}
	return a
}

// eitherSchema is nil, which is any value, if a or b is.
func eitherSchema(a, b *inventory.Schema) *inventory.Schema {
	switch {
	case a == nil || b == nil:
		return nil
	case a == b:
		return a
	}
	return &inventory.Schema{Pos: a.Pos, Pointer: a.Pointer, Types: inventory.TypeAny, AnyOf: []*inventory.Schema{a, b}}
}
