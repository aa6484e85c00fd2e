package enforce

import (
	"bytes"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/enforce/uri"
)

// reading is what some parsers take a name for: "role[]" and "role[x]" are
// "role" to PHP, Rails and qs, "role.x" is to Spring; to PHP "a.b", "a b" and
// "a[b" are "a_b" and a space before a name is nothing; to what is written in C
// so is what follows a NUL. qs reads "[role]x" and Rack "role]" as "role",
// Tornado "<role>" in a multipart body and PHP "'role'", as Spring does within
// brackets; to Spring "!role" is its default and "_role" says that it is there.
// Netty drops ":,=;" around names, aiohttp "/" before them and who reads text a
// byte order mark; to ASP.NET "Role" is "role".
type reading []byte

func readingOf(name []byte) reading {
	return bytes.Trim(bytes.TrimPrefix(name, []byte("\ufeff")), " \t\r\n\v\f<>[]!'\":,=;/\\")
}

// is reports whether the name is taken for the declared one.
func (r reading) is(declared []byte) bool {
	declared = bytes.TrimRight(declared, "[]")
	return r.begins(declared) || len(r) > 0 && r[0] == '_' && r[1:].begins(declared)
}

func (r reading) isOneOf(b *artifact.Bundle, fields artifact.Range) bool {
	declared := artifact.Of(b.Fields, fields)
	for i := range declared {
		if r.is(b.String(declared[i].Name)) {
			return true
		}
	}
	return false
}

// begins reports whether the declared name ends where some end the name.
func (r reading) begins(declared []byte) bool {
	if len(r) < len(declared) {
		return false
	}
	for i, c := range declared {
		if r[i] != c && folded(r[i]) != folded(c) {
			return false
		}
	}
	rest := bytes.TrimLeft(r[len(declared):], " \t")
	return len(rest) == 0 || bytes.IndexByte([]byte("[].\x00"), rest[0]) >= 0
}

func folded(c byte) byte {
	if c == '.' || c == ' ' || c == '[' {
		return '_'
	}
	return uri.Lower(c)
}

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
