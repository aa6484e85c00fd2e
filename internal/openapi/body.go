package openapi

import (
	"strings"

	"github.com/threatgate/threatgate/internal/inventory"
)

// body reads a Request Body object (OAS section 4.8.13).
func (l *loader) body(f *field) *inventory.Body {
	n := l.reach(f, requestBodies)
	if n == nil {
		return nil
	}
	b := &inventory.Body{Pos: n.pos()}
	for i := range n.fields {
		switch f := &n.fields[i]; f.name {
		case "required":
			b.Required = l.bool(f)
		case "content":
			b.Content = l.content(f)
		case "description":
		default:
			l.unknown(f, "a request body")
		}
	}
	if n.get("content") == nil {
		l.diags.Errorf(n.pos(), "a request body needs content")
	}
	return b
}

// content reads a map from media types to Media Type objects (OAS section 4.8.14).
func (l *loader) content(f *field) []*inventory.MediaType {
	var out []*inventory.MediaType
	members := l.members(f)
	for i := range members {
		f := &members[i]
		m := &inventory.MediaType{Type: strings.ToLower(f.name), Pos: f.pos()}
		if !strings.Contains(m.Type, "/") {
			l.diags.Warnf(f.pos(), "%q is not a media type, so no content matches it", f.name)
		}
		if n := l.reach(f, mediaTypes); n != nil {
			l.mediaType(m, n)
		}
		out = append(out, m)
	}
	return out
}

func (l *loader) mediaType(m *inventory.MediaType, n *node) {
	for i := range n.fields {
		switch f := &n.fields[i]; f.name {
		case "schema":
			m.Schema = l.schemaIn(f)
		case "encoding":
			m.Encoding = l.encodings(f)
		case "example", "examples":
		default:
			l.unknown(f, "a media type")
		}
	}
}

// encodings reads a map from properties to Encoding objects (OAS section 4.8.15).
func (l *loader) encodings(f *field) []*inventory.Encoding {
	var out []*inventory.Encoding
	members := l.members(f)
	for i := range members {
		f := &members[i]
		if !l.is(f, object) {
			continue
		}
		e := &inventory.Encoding{Property: f.name, Pos: f.pos()}
		var style, explode *field
		for i := range f.value.fields {
			switch f := &f.value.fields[i]; f.name {
			case "contentType":
				e.ContentType = l.text(f)
			case "headers":
				e.Headers = l.headers(f)
			case "style":
				style = f
			case "explode":
				explode = f
			case "allowReserved":
			default:
				l.unknown(f, "an encoding")
			}
		}
		e.Style, e.Explode = l.style(style, explode, inventory.InQuery)
		out = append(out, e)
	}
	return out
}

// responses reads a Responses object (OAS section 4.8.16).
func (l *loader) responses(f *field) []*inventory.Response {
	var out []*inventory.Response
	members := l.members(f)
	for i := range members {
		f := &members[i]
		status := strings.ToUpper(f.name)
		switch {
		case strings.HasPrefix(f.name, "x-"):
			continue
		case f.name == "default":
			status = f.name
		case !isStatus(status):
			l.diags.Warnf(f.pos(), "%q is not a status code, a range like 4XX, or default; the response is ignored", f.name)
			continue
		}
		r := &inventory.Response{Status: status, Pos: f.pos()}
		if n := l.reach(f, responses); n != nil {
			l.response(r, n)
		}
		out = append(out, r)
	}
	return out
}

// isStatus reports whether s is like 404 or 4XX.
func isStatus(s string) bool {
	digit := func(c byte) bool { return c >= '0' && c <= '9' }
	return len(s) == 3 && s[0] >= '1' && s[0] <= '5' && (s[1:] == "XX" || digit(s[1]) && digit(s[2]))
}

func (l *loader) response(r *inventory.Response, n *node) {
	r.Pos = n.pos()
	for i := range n.fields {
		switch f := &n.fields[i]; f.name {
		case "headers":
			r.Headers = l.headers(f)
		case "content":
			r.Content = l.content(f)
		case "description", "links":
		default:
			l.unknown(f, "a response")
		}
	}
}
