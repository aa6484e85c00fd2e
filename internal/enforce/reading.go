package enforce

import "bytes"

// reading is what some parsers take a name for: "role[]" and "role[x]" are
// "role" to PHP, Rails and qs, "role.x" is to Spring; to PHP "a.b", "a b" and
// "a[b" are "a_b" and a space before a name is nothing; to what is written in C
// so is what follows a NUL. qs reads "[role]" and Rack "role]" as "role", Tornado
// "<role>" in a multipart body and PHP "'role'"; to Spring "!role" is its default
// and "_role" says that it is there.
type reading [3][]byte

func readingOf(name []byte) reading {
	name = bytes.Trim(name, " \t<>[]!'")
	stem := name
	if i := bytes.IndexAny(name, "[.\x00"); i >= 0 {
		stem = bytes.TrimRight(name[:i], " \t]")
	}
	return reading{name, stem, bytes.TrimPrefix(stem, []byte("_"))}
}

// is reports whether the name is taken for the declared one.
func (r reading) is(declared []byte) bool {
	for _, name := range r {
		if sameToPHP(declared, name) {
			return true
		}
	}
	return false
}

func sameToPHP(a, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] && (!isUnderscore(a[i]) || !isUnderscore(b[i])) {
			return false
		}
	}
	return true
}

func isUnderscore(c byte) bool { return c == '_' || c == '.' || c == ' ' || c == '[' }

// cookieReadings counts the places where some server finds a cookie with
// this name: behind a space (Python's http.cookies), a comma (RFC 2965), a
// quote that it doesn't heed, or a byte that it takes for a space (U+00A0, to
// Python); and "name[]" is "name" to PHP.
func (m *message) cookieReadings(name []byte) (n int) {
	for field := range m.values(cookieField) {
		for at := 0; ; at += len(name) {
			i := bytes.Index(field[at:], name)
			if i < 0 {
				break
			}
			at += i
			after := bytes.TrimLeft(field[at+len(name):], " \t")
			if startsCookie(field[:at]) && len(after) > 0 && (after[0] == '=' || after[0] == '[') {
				n++
			}
		}
	}
	return n
}

// startsCookie reports whether a cookie can begin behind this text.
func startsCookie(before []byte) bool {
	if len(before) == 0 {
		return true
	}
	last := before[len(before)-1]
	return last >= 0x80 || bytes.IndexByte([]byte("; \t,\""), last) >= 0
}
