package xml

import (
	"bytes"
	"unicode/utf8"
)

// Space is white space (XML section 2.3).
const Space = " \t\r\n"

// text reads on in a text: up to the next markup, or in CDATA up to its end.
// Line ends become line feeds (XML section 2.11). "]]>" ends CDATA and stands
// in no other text (section 2.4), so brackets are held back.
func (t *Tokenizer) text() Token {
	returned := t.returned
	t.returned = false
	c := t.chunk[0]
	if c == '>' && t.matched == 2 {
		t.chunk, t.matched = t.chunk[1:], 0
		if t.state == stateText {
			return t.fail(Syntax)
		}
		t.state = stateText
		return More
	}
	if t.matched > 0 && (c != ']' || t.matched == 2) {
		if c == ']' {
			t.chunk = t.chunk[1:]
			return t.part(brackets[:1])
		}
		n := t.matched
		t.matched = 0
		return t.part(brackets[:n])
	}
	if n := t.plain(); n > 0 {
		run := t.chunk[:n]
		valid := t.chars.valid(run)
		if valid < n && valid == 0 {
			return t.fail(Syntax)
		}
		t.chunk = t.chunk[valid:]
		return t.part(run[:valid])
	}
	if !t.chars.Whole() {
		return t.fail(Syntax)
	}
	t.chunk = t.chunk[1:]
	switch c {
	case '<':
		t.state = stateMarkup
	case '&':
		t.state, t.tag = stateReference, t.tag[:0]
	case ']':
		t.matched++
	case '\r':
		t.returned = true
		return t.part(lineFeed)
	case '\n':
		if !returned {
			return t.part(lineFeed)
		}
	}
	return More
}

var (
	brackets = []byte("]]")
	lineFeed = []byte("\n")
)

// plain counts the bytes up to the next that means more than itself.
func (t *Tokenizer) plain() int {
	for i, c := range t.chunk {
		switch c {
		case '<', '&':
			if t.state == stateText {
				return i
			}
		case ']', '\r', '\n':
			return i
		}
	}
	return len(t.chunk)
}

// part is a part of a text. Space between elements, and outside of the
// outermost, is none.
func (t *Tokenizer) part(b []byte) Token {
	t.fresh = false
	if t.state == stateText && len(bytes.Trim(b, Space)) == 0 {
		if n := len(t.open); n == 0 || t.open[n-1].content == elements {
			return More
		}
	} else if !t.holds(text) {
		return t.fail(Syntax)
	}
	t.Bytes = b
	return Part
}

// reference collects a reference up to its ";", and reads it.
func (t *Tokenizer) reference(c byte) Token {
	if c != ';' {
		if t.tag = append(t.tag, c); len(t.tag) > maxReference {
			return t.fail(Syntax)
		}
		return More
	}
	t.state = stateText
	r := character(t.tag)
	if r == 0 || !t.holds(text) {
		return t.fail(Syntax)
	}
	t.Bytes = utf8.AppendRune(t.character[:0], r)
	return Part
}

// character is what the reference with this name stands for (XML sections 4.1
// and 4.6); 0 if that is nothing we know.
func character(name []byte) rune {
	switch string(name) {
	case "lt":
		return '<'
	case "gt":
		return '>'
	case "amp":
		return '&'
	case "apos":
		return '\''
	case "quot":
		return '"'
	}
	digits, ok := bytes.CutPrefix(name, []byte("#"))
	base := rune(10)
	if hex, isHex := bytes.CutPrefix(digits, []byte("x")); isHex {
		digits, base = hex, 16
	}
	r := rune(0)
	for _, c := range digits {
		switch d := rune(c); {
		case '0' <= d && d <= '9':
			r = r*base + d - '0'
		case base == 16 && 'a' <= d|0x20 && d|0x20 <= 'f':
			r = r*base + (d | 0x20 - 'a' + 10)
		default:
			return 0
		}
		r = min(r, utf8.MaxRune+1)
	}
	if !ok || !isChar(r) {
		return 0
	}
	return r
}
