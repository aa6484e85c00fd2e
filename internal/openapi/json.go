package openapi

import (
	"bytes"
	"encoding/json"
	"errors"

	"github.com/threatgate/threatgate/internal/diag"
)

// parseJSON reads a JSON document. YAML's parser can't: it refuses tabs
// between tokens, "\/" and surrogate pairs.
func parseJSON(data []byte, src *source, diags *diag.List) *node {
	var raw json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		at := place{1, 1}
		if fault := (*json.SyntaxError)(nil); errors.As(err, &fault) {
			at = placeOf(data, int(fault.Offset)-1)
		}
		diags.Errorf(src.pos(at), "%v", err)
		return nil
	}
	b := jsonBuilder{data: data, src: src, diags: diags, line: 1}
	root := b.value(0)
	if b.failed {
		return nil
	}
	return root
}

// placeOf is the place of the byte at offset.
func placeOf(data []byte, offset int) place {
	before := data[:min(max(offset, 0), len(data))]
	return place{
		line: uint32(bytes.Count(before, []byte{'\n'}) + 1),
		col:  uint32(len(before) - bytes.LastIndexByte(before, '\n')),
	}
}

// jsonBuilder makes nodes of a text that is known to be valid JSON, so it
// looks for the ends of tokens and checks nothing but what JSON leaves open.
type jsonBuilder struct {
	data   []byte
	src    *source
	diags  *diag.List
	pos    int // of the next byte
	line   uint32
	bol    int // where the line begins
	size   size
	failed bool
}

func (b *jsonBuilder) fail(at place, format string, args ...any) {
	b.failed = true
	b.diags.Errorf(b.src.pos(at), format, args...)
}

// next skips white space and separators and returns the byte it stops at.
func (b *jsonBuilder) next() byte {
	for {
		switch c := b.data[b.pos]; c {
		case '\n':
			b.pos++
			b.line, b.bol = b.line+1, b.pos
		case ' ', '\t', '\r', ',', ':':
			b.pos++
		default:
			return c
		}
	}
}

func (b *jsonBuilder) here() place { return place{b.line, uint32(b.pos - b.bol + 1)} }

func (b *jsonBuilder) value(depth int) *node {
	c := b.next()
	n := &node{place: b.here(), src: b.src}
	b.size.nodes++
	if excess := b.size.excess(depth); excess != "" {
		b.fail(n.place, "%s", excess)
		b.pos = len(b.data) // nothing after this is read
		return n
	}
	switch c {
	case '{', '[':
		n.kind = object
		if c == '[' {
			n.kind = array
		}
		for b.pos++; b.pos < len(b.data); {
			if c := b.next(); c == '}' || c == ']' {
				b.pos++
				break
			}
			f := field{place: b.here()}
			if n.kind == object {
				f.name = b.string()
			}
			f.value = b.value(depth + 1)
			if !n.add(f) {
				b.fail(f.place, "duplicate key %q, first in line %d", f.name, n.get(f.name).line)
			}
		}
		n.adopt()
	case '"':
		n.kind, n.text = text, b.string()
	default:
		start := b.pos
		for b.pos < len(b.data) && bytes.IndexByte([]byte(" \t\r\n,]}"), b.data[b.pos]) < 0 {
			b.pos++
		}
		n.text = string(b.data[start:b.pos])
		switch c {
		case 'n':
			n.kind = null
		case 't', 'f':
			n.kind = boolean
		default:
			n.kind = number
		}
	}
	return n
}

// string reads the string that begins at the next byte.
func (b *jsonBuilder) string() string {
	start, escaped := b.pos, false
	for b.pos++; b.data[b.pos] != '"'; b.pos++ {
		if b.data[b.pos] == '\\' {
			escaped = true
			b.pos++
		}
	}
	b.pos++
	if !escaped {
		return string(b.data[start+1 : b.pos-1])
	}
	var s string
	if err := json.Unmarshal(b.data[start:b.pos], &s); err != nil {
		panic(err) // the text is valid JSON
	}
	return s
}
