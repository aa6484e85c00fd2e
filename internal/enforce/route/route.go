// Package route finds the operation that a request path names.
package route

import (
	"bytes"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/enforce/uri"
)

// Match is the outcome of matching one path. It is reused from request to
// request; its captures are valid until the next call of Find.
type Match struct {
	Operation *artifact.Operation // nil if no template with that method matches
	Index     uint32              // of Operation, in the bundle
	Methods   []artifact.Method   // then those of a template that matches the path; empty if none does
	Ambiguous bool                // a servlet, which drops "a;x" to "a", finds another one

	captures [artifact.MaxCaptures][]byte
	count    int
	plain    bool   // no segment has escapes or parameters
	decoded  []byte // memory of segments that had escapes
}

// Capture is the text of the template's i-th parameter, decoded as far as
// uri.UnescapeText does.
func (m *Match) Capture(i int) []byte { return m.captures[i] }

// Find matches a method and the path of a target below root. Concrete paths
// go before templated ones (OAS section 4.8.8.1), segment by segment; a path
// that leads nowhere, or to a template without that method, backs up. Since
// routes are a tree, no node is visited twice.
func (m *Match) Find(b *artifact.Bundle, root uint32, method []byte, target *uri.Target) {
	m.Operation, m.Methods, m.Ambiguous = nil, nil, false
	m.count, m.plain, m.decoded = 0, target.PlainPath(), m.decoded[:0]
	if path := target.Path; len(path) > 0 && path[0] == '/' {
		m.walk(b, root, method, path[1:], false)
	}
}

// walk matches rest, which starts at a segment, below node; ended says that
// the last segment was used up.
func (m *Match) walk(b *artifact.Bundle, node uint32, method, rest []byte, ended bool) bool {
	n := &b.Nodes[node]
	if ended {
		return m.end(b, artifact.Of(b.Methods, n.Methods), method)
	}
	segment, tail, more := uri.Cut(rest, '/')
	captured := segment
	if !m.plain {
		start := len(m.decoded)
		m.decoded = uri.UnescapeText(m.decoded, segment)
		captured = m.decoded[start:]
		start = len(m.decoded)
		m.decoded, _ = uri.Unescape(m.decoded, segment, false)
		segment = m.decoded[start:]
	}
	if next, ok := literal(b, artifact.Of(b.Literals, n.Literals), segment); ok && m.walk(b, next, method, tail, !more) {
		return true
	}
	if !m.plain {
		if stem := bytes.IndexByte(segment, ';'); stem > 0 {
			_, found := literal(b, artifact.Of(b.Literals, n.Literals), segment[:stem])
			m.Ambiguous = m.Ambiguous || found
		}
	}
	for i := range artifact.Of(b.Templates, n.Templates) {
		t := &b.Templates[int(n.Templates.Off)+i]
		mark := m.count
		if m.capture(b, artifact.Of(b.Pieces, t.Pieces), captured) && m.walk(b, t.Node, method, tail, !more) {
			return true
		}
		m.count = mark
	}
	return false
}

// end looks for the method where the path ends. HEAD follows GET (RFC 9110
// section 9.3.2).
func (m *Match) end(b *artifact.Bundle, methods []artifact.Method, method []byte) bool {
	if m.choose(b, methods, method) || string(method) == "HEAD" && m.choose(b, methods, get) {
		return true
	}
	if len(m.Methods) == 0 {
		m.Methods = methods
	}
	return false
}

// choose takes the operation with that method, if there is one.
func (m *Match) choose(b *artifact.Bundle, methods []artifact.Method, method []byte) bool {
	for i := range methods {
		if one := &methods[i]; bytes.Equal(b.String(one.Name), method) {
			m.Operation, m.Index = &b.Operations[one.Operation], one.Operation
			return true
		}
	}
	return false
}

var get = []byte("GET")

// literal finds the edge for segment by bisection.
func literal(b *artifact.Bundle, edges []artifact.Literal, segment []byte) (uint32, bool) {
	lo, hi := 0, len(edges)
	for lo < hi {
		mid := int(uint(lo+hi) / 2)
		switch bytes.Compare(b.String(edges[mid].Text), segment) {
		case 0:
			return edges[mid].Node, true
		case -1:
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return 0, false
}

// capture matches one segment against the pieces of a template. A capture
// takes as little as it can and at least one byte, the last one all there is.
func (m *Match) capture(b *artifact.Bundle, pieces []artifact.Piece, segment []byte) bool {
	for i, p := range pieces {
		if text := b.String(p.Text); len(text) > 0 {
			if !bytes.HasPrefix(segment, text) {
				return false
			}
			segment = segment[len(text):]
			continue
		}
		size := len(segment)
		switch rest := pieces[i+1:]; {
		case len(rest) == 0:
		case len(rest) == 1 && rest[0].Text.Len > 0: // a literal end: it stands at the end, wherever else it occurs
			size -= int(rest[0].Text.Len)
		default:
			if size > 0 {
				size = 1 + bytes.Index(segment[1:], b.String(rest[0].Text))
			}
		}
		if size < 1 || m.count == len(m.captures) {
			return false
		}
		m.captures[m.count] = segment[:size]
		m.count++
		segment = segment[size:]
	}
	return len(segment) == 0
}
