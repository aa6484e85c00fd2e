package multipart

import (
	"bytes"
	"unicode/utf8"
)

// headers are those of one part. Those that matter are Content-Disposition,
// Content-Type and Content-Transfer-Encoding, of which there is no more than
// one each; the others are kept for who asks.
type headers struct {
	lines       []byte // as "Name:value", each with a line feed behind it
	name        []byte
	isFile      bool
	contentType []byte
	seen        [3]bool
}

func (h *headers) reset() {
	h.lines, h.name, h.contentType = h.lines[:0], h.name[:0], h.contentType[:0]
	h.isFile, h.seen = false, [3]bool{}
}

// add takes a line, and reports whether everybody reads it alike.
func (h *headers) add(line []byte) bool {
	name, value, ok := bytes.Cut(line, []byte{':'})
	if !ok || !IsToken(name) || !utf8.Valid(line) { // a folded line too
		return false
	}
	if CountFold(line[1:], "content-disposition:")+CountFold(line[1:], "content-type:") > 0 {
		return false // Rack finds them anywhere
	}
	value = bytes.Trim(value, " \t")
	h.lines = append(append(append(append(h.lines, name...), ':'), value...), '\n')
	switch {
	case equalFold(name, "content-disposition"):
		return h.once(0) && h.disposition(value)
	case equalFold(name, "content-type"):
		h.contentType = append(h.contentType, value...)
		return h.once(1) && len(value) > 0
	case equalFold(name, "content-transfer-encoding"):
		// RFC 7578 section 4.7 forbids others, and some undo them.
		return h.once(2) && (equalFold(value, "binary") || equalFold(value, "8bit") || equalFold(value, "7bit"))
	}
	return true
}

// find is the value of the field with this lower-case name, and how many there
// are.
func (h *headers) find(lower string) (value []byte, times int) {
	for rest := h.lines; len(rest) > 0; {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte{'\n'})
		if name, v, _ := bytes.Cut(line, []byte{':'}); equalFold(name, lower) {
			value = v
			times++
		}
	}
	return value, times
}

func (h *headers) once(i int) bool {
	first := !h.seen[i]
	h.seen[i] = true
	return first
}

// disposition reads `form-data; name="a"; filename="b"`: these two parameters
// only, each once. "filename*" stands beside "filename" to some and is
// overlooked by others (RFC 7578 section 4.2); some look for "name=" alone, in
// values, too, and some decode what begins with "=?" (RFC 2047).
func (h *headers) disposition(value []byte) bool {
	names := CountFold(value, "name=")
	kind, rest, more := bytes.Cut(value, []byte{';'})
	if !equalFold(bytes.TrimRight(kind, " \t"), "form-data") || bytes.Contains(rest, []byte("=?")) {
		return false
	}
	for more {
		var name, value []byte
		var ok bool
		names--
		if name, rest, ok = bytes.Cut(bytes.TrimLeft(rest, " \t"), []byte{'='}); !ok {
			return false
		}
		if value, rest, more = cutValue(rest); value == nil {
			return false
		}
		switch {
		case equalFold(name, "name") && len(h.name) == 0:
			// Browsers write quotes and line ends as escapes, which some undo.
			if value, ok = unquote(value); !ok || bytes.IndexByte(value, '%') >= 0 {
				return false
			}
			h.name = append(h.name, value...)
		case equalFold(name, "filename") && !h.isFile:
			h.isFile = true
			if string(value) == `""` {
				continue // no file was chosen
			}
			if value, ok = unquote(value); !ok || bytes.IndexByte(value, '/') >= 0 {
				return false
			}
		default:
			return false
		}
	}
	return len(h.name) > 0 && names == 0
}

// cutValue splits a parameter's value, quoted or not, from the parameters
// that follow it. The value is nil if something else stands between them.
func cutValue(s []byte) (value, rest []byte, more bool) {
	end := bytes.IndexByte(s, ';')
	if len(s) > 0 && s[0] == '"' {
		end = bytes.IndexByte(s[1:], '"') + 2
		if end < 2 {
			return nil, nil, false
		}
	} else if end < 0 {
		end = len(s)
	}
	value, rest = s[:end], bytes.TrimLeft(s[end:], " \t")
	if len(rest) == 0 {
		return value, nil, false
	}
	if rest[0] != ';' {
		return nil, nil, false
	}
	return value, rest[1:], true
}

// unquote returns what stands in quotes, or a value that needs none. Within
// quotes a backslash escapes to some and is itself to others, so there is
// none. It reports false for nothing, too.
func unquote(s []byte) (value []byte, ok bool) {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		s = s[1 : len(s)-1]
		return s, len(s) > 0 && bytes.IndexByte(s, '\\') < 0 && bytes.IndexByte(s, '"') < 0
	}
	return s, IsToken(s)
}

// IsToken reports whether s is a token (RFC 9110 section 5.6.2).
func IsToken(s []byte) bool {
	for _, c := range s {
		if !tokenChars[c] {
			return false
		}
	}
	return len(s) > 0
}

var tokenChars = func() (set [256]bool) {
	for c := range set {
		set[c] = isAlphanumeric(byte(c)) || bytes.IndexByte([]byte("!#$%&'*+-.^_`|~"), byte(c)) >= 0
	}
	return set
}()

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}

// CountFold counts where a lower-case text stands in s, without case. Inlined
// it takes half a KB of the module.
//
//go:noinline
func CountFold(s []byte, lower string) (n int) {
	for ; len(s) >= len(lower); s = s[1:] {
		if equalFold(s[:len(lower)], lower) {
			n++
		}
	}
	return n
}

// equalFold compares ASCII text with a lower-case one, without case.
func equalFold(s []byte, lower string) bool {
	if len(s) != len(lower) {
		return false
	}
	for i, c := range s {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}
