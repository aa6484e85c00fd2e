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
	Ambiguous bool                // another reader of the path finds another one

	captures [artifact.MaxCaptures][]byte
	count    int
	reading  reading
	decoded  []byte // memory of segments that had escapes
}

// reading is a way to read a path that has escapes or semicolons.
type reading uint8

const (
	ours    reading = iota // literals decoded, values but for what separates the parts of one
	decoded                // all decoded first: net/http, Flask, FastAPI
	raw                    // nothing decoded that need not be encoded: Express
	stems                  // decoded, and without what follows a semicolon: servlets
	plain                  // there is nothing to decode or to cut
)

// Capture is the text of the template's i-th parameter, decoded but for
// uri.Separators.
func (m *Match) Capture(i int) []byte { return m.captures[i] }

// Find matches a method and the path of a target below root. Concrete paths
// go before templated ones (OAS section 4.8.8.1), segment by segment; a path
// that leads nowhere, or to a template without that method, backs up. Since
// routes are a tree, no node is visited twice.
func (m *Match) Find(b *artifact.Bundle, root uint32, method []byte, target *uri.Target) {
	m.Ambiguous = false
	path := target.Path
	if len(path) == 0 || path[0] != '/' {
		m.Operation, m.Methods = nil, nil
		return
	}
	if target.PlainPath() {
		m.find(b, root, method, path[1:], plain)
		return
	}
	var others [plain]*artifact.Operation
	for r := decoded; r < plain; r++ {
		m.find(b, root, method, path[1:], r)
		others[r] = m.Operation
	}
	m.find(b, root, method, path[1:], ours)
	for _, other := range others {
		m.Ambiguous = m.Ambiguous || other != nil && other != m.Operation
	}
}

// find is Find for one reading of the path.
func (m *Match) find(b *artifact.Bundle, root uint32, method, path []byte, r reading) {
	m.Operation, m.Methods = nil, nil
	m.count, m.reading, m.decoded = 0, r, m.decoded[:0]
	m.walk(b, root, method, path, false)
}

// walk matches rest, which starts at a segment, below node; ended says that
// the last segment was used up.
func (m *Match) walk(b *artifact.Bundle, node uint32, method, rest []byte, ended bool) bool {
	n := &b.Nodes[node]
	if ended {
		return m.end(b, artifact.Of(b.Methods, n.Methods), method)
	}
	segment, tail, more := uri.Cut(rest, '/')
	name, value := segment, segment
	if m.reading != plain {
		name, value = m.read(segment)
	}
	literals := artifact.Of(b.Literals, n.Literals)
	if next, ok := literal(b, literals, name); ok && m.walk(b, next, method, tail, !more) {
		return true
	}
	for i := range artifact.Of(b.Templates, n.Templates) {
		t := &b.Templates[int(n.Templates.Off)+i]
		mark := m.count
		if m.capture(b, artifact.Of(b.Pieces, t.Pieces), value) && m.walk(b, t.Node, method, tail, !more) {
			m.Ambiguous = m.Ambiguous || folded(b, literals, name)
			return true
		}
		m.count = mark
	}
	return false
}

// read returns what is compared with literals, and what templates are matched
// with.
func (m *Match) read(segment []byte) (name, value []byte) {
	kept := ""
	if m.reading == raw {
		kept = uri.Delimiters
	}
	name = m.unescape(segment, kept)
	switch m.reading {
	case ours:
		return name, m.unescape(segment, uri.Separators)
	case stems:
		name, _, _ = uri.Cut(name, ';')
	}
	return name, name
}

// unescape decodes all of a segment but some characters.
func (m *Match) unescape(segment []byte, kept string) []byte {
	start := len(m.decoded)
	m.decoded = uri.UnescapeBut(m.decoded, segment, kept)
	return m.decoded[start:]
}

// folded reports whether a segment is one of the literals but for its case:
// routers that make no difference, as Express unless told to, choose that.
func folded(b *artifact.Bundle, literals []artifact.Literal, segment []byte) bool {
	for i := range literals {
		text := b.String(literals[i].Text)
		if uri.EqualFold(text, segment) && !bytes.Equal(text, segment) {
			return true
		}
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

// capture matches one segment against the pieces of a template. A capture has at
// least one byte. Of several each takes as much as it can, the first one before
// the others, as in the regular expressions of most routers: so they are found
// from the end.
func (m *Match) capture(b *artifact.Bundle, pieces []artifact.Piece, segment []byte) bool {
	captures := 0
	for i := range pieces {
		if pieces[i].Text.Len == 0 {
			captures++
		}
	}
	if m.count+captures > len(m.captures) {
		return false
	}
	m.count += captures
	at := m.count
	for i := len(pieces) - 1; i >= 0; i-- {
		if text := b.String(pieces[i].Text); len(text) > 0 {
			if !bytes.HasSuffix(segment, text) {
				return false
			}
			segment = segment[:len(segment)-len(text)]
			continue
		}
		start, last := 0, len(segment)-1
		switch {
		case last < 0:
			return false
		case i > 0 && pieces[i-1].Text.Len == 0:
			start = last
		case i == 1:
			start = int(pieces[0].Text.Len)
		case i > 1:
			before := b.String(pieces[i-1].Text)
			start = bytes.LastIndex(segment[:last], before) + len(before)
			if start < len(before) {
				return false
			}
		}
		if start > last {
			return false
		}
		at--
		m.captures[at] = segment[start:]
		segment = segment[:start]
	}
	return len(segment) == 0
}
