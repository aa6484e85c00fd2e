package enforce

import (
	"bytes"
	"unsafe"

	"github.com/threatgate/threatgate/internal/enforce/uri"
)

// message is the headers of a request or response, sorted out in one pass.
type message struct {
	fields []Header

	method, authority            []byte
	target                       uri.Target
	authorization                []byte
	authorizations, contentTypes int // how many of these fields there are
	encodings                    int // that are not empty
	contentType, encoding        []byte
	requestID                    []byte
	contentLength                int64 // -1 if there is none
	status                       uint16
	upgrade                      bool
	codings, ranges              bool // Accept-Encoding and Range are there
}

func (m *message) reset() { *m = message{contentLength: -1} }

func (m *message) read(headers []Header) {
	m.fields = headers
	for i := range headers {
		value := headers[i].Value
		switch string(headers[i].Name) {
		case ":method":
			m.method = value
		case ":path":
			m.target = uri.Parse(value)
		case ":status":
			m.status = uint16(length(value))
		case ":authority":
			m.authority = value
		case "authorization":
			m.authorization = value
			m.authorizations++
		case "content-type":
			m.contentType = value
			m.contentTypes++
		case "content-encoding":
			if len(value) > 0 {
				m.encoding = value
				m.encodings++
			}
		case "content-length":
			m.contentLength = length(value)
		case "upgrade":
			m.upgrade = true
		case "accept-encoding":
			m.codings = true
		case "range":
			m.ranges = true
		case "x-request-id":
			m.requestID = value
		}
	}
}

// values calls yield with each value of the header field name.
func (m *message) values(name []byte) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for i := range m.fields {
			if bytes.Equal(m.fields[i].Name, name) && !yield(m.fields[i].Value) {
				return
			}
		}
	}
}

// readings calls yield with each value that some upstream may read as that
// of the header field name.
func (m *message) readings(name []byte) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for i := range m.fields {
			if SameField(m.fields[i].Name, name) && !yield(m.fields[i].Value) {
				return
			}
		}
	}
}

// reading returns the first of the fields that some upstream may read as that
// of this name, and how many there are.
func (m *message) reading(name []byte) (first Header, given int) {
	for i := range m.fields {
		if SameField(m.fields[i].Name, name) {
			if given++; given == 1 {
				first = m.fields[i]
			}
		}
	}
	return first, given
}

// SameField compares names of header fields. CGI (RFC 3875 section 4.1.18)
// and what took after it, WSGI, Rack and PHP, make no difference between '-'
// and '_'.
func SameField(a, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] && (a[i] != '-' && a[i] != '_' || b[i] != '-' && b[i] != '_') {
			return false
		}
	}
	return true
}

// cookies calls yield with the name and value of each cookie (RFC 6265
// section 4.2.1), without the space around them that servers overlook.
func (m *message) cookies(yield func(name, value []byte) bool) {
	for field := range m.values(cookieField) {
		for len(field) > 0 {
			var one []byte
			one, field, _ = bytes.Cut(field, []byte{';'})
			name, value, _ := bytes.Cut(one, []byte{'='})
			if !yield(bytes.TrimSpace(name), bytes.TrimSpace(value)) {
				return
			}
		}
	}
}

// cookie returns the value of the first cookie of that name, and how many
// there are.
func (m *message) cookie(name []byte) (first []byte, given int) {
	for n, value := range m.cookies {
		if bytes.Equal(n, name) {
			if given++; given == 1 {
				first = value
			}
		}
	}
	return first, given
}

var cookieField = []byte("cookie")

// length reads a Content-Length that Envoy has found well formed.
func length(value []byte) int64 {
	n := int64(0)
	for _, c := range value {
		if c < '0' || c > '9' || n > 1<<50 {
			return -1
		}
		n = n*10 + int64(c-'0')
	}
	return n
}

// text is b as a string that shares its memory.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
