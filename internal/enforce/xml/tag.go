package xml

import (
	"bytes"
	"unicode/utf8"
)

// begin reads a start tag, or the tag of an empty element.
func (t *Tokenizer) begin(tag []byte) Token {
	tag, t.empty = bytes.CutSuffix(tag, []byte("/"))
	name, rest := cutName(tag)
	switch {
	case t.between() == Failed, t.rooted && len(t.open) == 0:
		return t.fail(Syntax)
	case len(t.open) == t.limits.MaxDepth:
		return t.fail(Depth)
	case len(name) > t.limits.MaxToken:
		return t.fail(TokenLength)
	}
	t.rooted = true
	t.open = append(t.open, element{names: len(t.names), bindings: len(t.bindings), bound: len(t.bound)})
	t.names = append(t.names, name...)
	if !t.attributes(rest) || !t.bind() || t.Err != NoError {
		return t.fail(max(t.Err, Syntax))
	}
	ok := false
	if t.Name, ok = t.resolve(name, true); !ok {
		return t.fail(Syntax)
	}
	for i := range t.Attributes {
		a := &t.Attributes[i]
		if a.Name, ok = t.resolve(a.Local, false); !ok {
			return t.fail(Syntax)
		}
		for _, b := range t.Attributes[:i] {
			if bytes.Equal(a.Local, b.Local) && bytes.Equal(a.Space, b.Space) {
				return t.fail(Syntax)
			}
		}
	}
	return Begin
}

// attributes reads the attributes of a tag, with their names as written.
func (t *Tokenizer) attributes(rest []byte) bool {
	t.Attributes = t.Attributes[:0]
	for {
		trimmed := bytes.TrimLeft(rest, Space)
		if len(trimmed) == 0 {
			return true
		}
		name, after := cutName(trimmed)
		value, more, ok := cutValue(after)
		if !ok || len(name) == 0 || len(trimmed) == len(rest) || len(t.Attributes) == maxAttributes {
			return false
		}
		t.Attributes = append(t.Attributes, Attribute{Name{Local: name}, value})
		rest = more
	}
}

// cutValue splits ` = "value"` from what follows it. The value is decoded,
// where it stands.
func cutValue(b []byte) (value, rest []byte, ok bool) {
	b, ok = bytes.CutPrefix(bytes.TrimLeft(b, Space), []byte("="))
	b = bytes.TrimLeft(b, Space)
	if !ok || len(b) == 0 || b[0] != '"' && b[0] != '\'' {
		return nil, nil, false
	}
	end := bytes.IndexByte(b[1:], b[0]) + 1
	if end == 0 {
		return nil, nil, false
	}
	value, ok = decode(b[1:end])
	return value, b[end+1:], ok
}

// decode replaces references, and line ends and tabs by spaces (XML section
// 3.3.3).
func decode(b []byte) (decoded []byte, ok bool) {
	decoded = b[:0] // it never gets longer
	for i := 0; i < len(b); i++ {
		switch c := b[i]; c {
		case '&':
			n := bytes.IndexByte(b[i:], ';')
			if n < 0 {
				return nil, false
			}
			r := character(b[i+1 : i+n])
			if r == 0 {
				return nil, false
			}
			decoded = utf8.AppendRune(decoded, r)
			i += n
		case '\r':
			if i+1 == len(b) || b[i+1] != '\n' {
				decoded = append(decoded, ' ')
			}
		case '\n', '\t':
			decoded = append(decoded, ' ')
		default:
			decoded = append(decoded, c)
		}
	}
	return decoded, true
}

// declaration reports whether `xml version="1.0"?`, with what may follow the
// version, is one that says what we read (XML section 2.8).
func (t *Tokenizer) declaration(b []byte) bool {
	b, isXML := bytes.CutPrefix(b, []byte("xml"))
	b, closed := bytes.CutSuffix(b, []byte("?"))
	if !isXML || !closed || bytes.IndexByte(b, '&') >= 0 || !t.attributes(b) {
		return false
	}
	next := 0
	for _, a := range t.Attributes {
		value := string(a.Value)
		switch {
		case string(a.Local) == "version" && next == 0 && value == "1.0":
			next = 1
		case string(a.Local) == "encoding" && next == 1 && isUTF8(a.Value):
			next = 2
		case string(a.Local) == "standalone" && (next == 1 || next == 2) && (value == "yes" || value == "no"):
			next = 3
		default:
			return false
		}
	}
	return next > 0
}

// isUTF8 compares the name of an encoding, without case.
func isUTF8(name []byte) bool {
	const utf8 = "utf-8"
	if len(name) != len(utf8) {
		return false
	}
	for i, c := range name {
		if c != utf8[i] && (c < 'A' || c > 'Z' || c|0x20 != utf8[i]) {
			return false
		}
	}
	return true
}
