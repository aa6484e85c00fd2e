// Package uri holds the rules for the octets of a request target: escapes
// are decoded once, and what could be read in two ways is found out.
package uri

import (
	"bytes"
	"strings"
)

// Unescape appends src to dst with every percent-encoded octet decoded (RFC
// 3986 section 2.1) and, if plus is set, every '+' as a space (the form
// encoding of WHATWG URL section 5.1). It reports whether every escape was
// whole; dst is returned in either case, so that its memory can be reused.
func Unescape(dst, src []byte, plus bool) ([]byte, bool) {
	for i := 0; i < len(src); i++ {
		c := src[i]
		switch {
		case c == '%':
			if i+2 >= len(src) || unhex[src[i+1]] < 0 || unhex[src[i+2]] < 0 {
				return dst, false
			}
			c = byte(unhex[src[i+1]]<<4 | unhex[src[i+2]])
			i += 2
		case c == '+' && plus:
			c = ' '
		}
		dst = append(dst, c)
	}
	return dst, true
}

const (
	// Separators are '%' and what separates the parts of a value: escaped, they
	// belong to a part (RFC 3986 sections 2.2 and 2.4). Unescape undoes the rest.
	Separators = "%,;="

	// Delimiters are '%' and what a segment may have as it is, beside letters,
	// digits and the like: whoever escapes it may mean something else (section 3.3).
	Delimiters = "%!$&'()*+,;=:@"
)

// UnescapeBut appends src to dst with every whole percent-encoded octet decoded
// but those that are kept.
func UnescapeBut(dst, src []byte, kept string) []byte {
	for i := 0; i < len(src); i++ {
		c := src[i]
		if c == '%' && i+2 < len(src) && unhex[src[i+1]] >= 0 && unhex[src[i+2]] >= 0 {
			if decoded := byte(unhex[src[i+1]]<<4 | unhex[src[i+2]]); strings.IndexByte(kept, decoded) < 0 {
				c = decoded
				i += 2
			}
		}
		dst = append(dst, c)
	}
	return dst
}

// EqualFold compares ASCII text without case.
func EqualFold(a, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if Lower(a[i]) != Lower(b[i]) {
			return false
		}
	}
	return true
}

// Lower is an ASCII letter in lower case, and any other octet as it is.
func Lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// Plain reports whether Unescape would change nothing.
func Plain(src []byte, plus bool) bool {
	return bytes.IndexByte(src, '%') < 0 && !(plus && bytes.IndexByte(src, '+') >= 0)
}

// Target is a request target (RFC 9112 section 3.2.1), cut at its first '?'.
type Target struct {
	Path, Query []byte

	inPath, inQuery marks
}

// marks are the kinds of characters that a text has and that matter: with them
// it is searched but once.
type marks uint8

const (
	percent marks = 1 << iota
	plus
	dot
	semicolon
	question
	nonASCII
)

var marksOf = func() (t [256]marks) {
	t['%'], t['+'], t['.'], t[';'], t['?'] = percent, plus, dot, semicolon, question
	for c := 0x80; c < len(t); c++ {
		t[c] = nonASCII
	}
	return t
}()

// Cut is bytes.Cut for one byte. Most of what it cuts is short: then this is
// faster than several calls, above all in Wasm.
func Cut(b []byte, separator byte) (before, after []byte, found bool) {
	for i, c := range b {
		if c == separator {
			return b[:i], b[i+1:], true
		}
	}
	return b, nil, false
}

// Parse cuts a target. It is not inlined, so that its loops have registers.
//
//go:noinline
func Parse(target []byte) Target {
	inPath, inQuery := marks(0), marks(0)
	path := 0
	for path < len(target) {
		m := marksOf[target[path]]
		if m == question {
			break
		}
		inPath |= m
		path++
	}
	query := target[min(path+1, len(target)):]
	for _, c := range query {
		inQuery |= marksOf[c]
	}
	return Target{target[:path], query, inPath, inQuery}
}

// PlainPath reports whether no segment of the path has escapes or parameters.
func (t *Target) PlainPath() bool { return t.inPath&(percent|semicolon) == 0 }

// PlainQuery reports whether Unescape would change nothing in the query.
func (t *Target) PlainQuery() bool { return t.inQuery&(percent|plus) == 0 }

// PlainASCII reports whether path and query are plain, and ASCII.
func (t *Target) PlainASCII() bool {
	return t.PlainPath() && t.PlainQuery() && (t.inPath|t.inQuery)&nonASCII == 0
}

// Normal reports whether the path means the same to everybody who decodes it:
// no broken escape, no encoded slash, backslash or NUL, and no segment that
// decodes to "." or "..", or to one with parameters ("..;x"), which servlets
// drop. Envoy has normalised the path already, but keeps escaped slashes and
// semicolons as they are.
func (t *Target) Normal() bool {
	if t.inPath&(percent|dot) == 0 {
		return true
	}
	path := t.Path
	dots, size := 0, 0 // of the segment so far, decoded, up to its parameters
	ended := false     // by a semicolon
	for i := 0; i <= len(path); i++ {
		if i == len(path) || path[i] == '/' {
			if dots == size && (size == 1 || size == 2) {
				return false
			}
			dots, size, ended = 0, 0, false
			continue
		}
		c := path[i]
		if c == '%' {
			if i+2 >= len(path) || unhex[path[i+1]] < 0 || unhex[path[i+2]] < 0 {
				return false
			}
			c = byte(unhex[path[i+1]]<<4 | unhex[path[i+2]])
			i += 2
			if c == '/' || c == '\\' || c == 0 {
				return false
			}
		}
		if ended = ended || c == ';'; ended {
			continue
		}
		size++
		if c == '.' {
			dots++
		}
	}
	return true
}

// unhex is the value of a hexadecimal digit, or -1.
var unhex = func() (t [256]int8) {
	for i := range t {
		t[i] = -1
	}
	for c := range byte(10) {
		t['0'+c] = int8(c)
	}
	for c := range byte(6) {
		t['a'+c], t['A'+c] = int8(10+c), int8(10+c)
	}
	return
}()
