package enforce

import (
	"bytes"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/enforce/inflate"
	"github.com/threatgate/threatgate/internal/enforce/uri"
	"github.com/threatgate/threatgate/internal/violation"
)

// negotiation is what a request asks its response to be like, where that
// could not be judged: in a content coding that can't be undone (RFC 9110
// section 12.5.3), or in parts (section 14.2). In enforce the upstream is not
// asked for it, and it may leave out either without being wrong. In shadow the
// request stays as it is, and what it brings about is not held against the
// response.
type negotiation struct {
	codings []byte // the Accept-Encoding to ask with; empty: as the client has it
	part    bool   // a range is asked for, and may come
	whole   bool   // a range is asked for where the whole is to be judged
}

// negotiate finds out what r asks for, once its operation is known.
func (s *response) negotiate(r *Request) {
	s.asks = negotiation{codings: s.asks.codings[:0]}
	if s.state != judging || s.mode == violation.Off {
		return
	}
	s.asks.part = r.headers.ranges && r.headers.inBytes(rangeField, '=')
	if s.asks.part && r.op.Flags&artifact.WholeResponses != 0 {
		s.asks.part, s.asks.whole = s.mode == violation.Shadow, true
	}
	// A response that nobody has asked to be encoded is held against the upstream
	// in shadow, too: one that chooses br by itself hardly heeds what it is asked for.
	if r.op.Flags&artifact.ReadResponses != 0 && (r.headers.codings || s.mode == violation.Enforce) {
		s.asks.codings = r.headers.appendReadable(s.asks.codings)
	}
}

var (
	acceptEncoding = []byte("accept-encoding")
	rangeField     = []byte("range")
	bytesUnit      = []byte("bytes")
)

// Renegotiate calls set with the name and the new value of each header field
// that asks for a response which can't be judged; without a value the field is
// to be removed. It does nothing but in enforce.
func (r *Request) Renegotiate(set func(name, value []byte)) {
	s := &r.response
	if s.mode != violation.Enforce {
		return
	}
	if len(s.asks.codings) > 0 {
		set(acceptEncoding, s.asks.codings)
	}
	if s.asks.whole {
		set(rangeField, nil)
	}
}

// appendReadable appends to dst the codings of Accept-Encoding that can be
// undone, with their weights; nothing if those are all. That no coding is
// excluded is said outright, and exclusions stay: to a client that takes br
// alone, "br, identity;q=0", no coding that can be undone is acceptable, and
// "identity;q=0" leaves it to the upstream to say so by a 406, or to send what
// it has (section 15.5.7). Without the field any coding would do (section
// 12.5.3), but most clients that leave it out read none.
func (m *message) appendReadable(dst []byte) []byte {
	start, less, gzip := len(dst), !m.codings, false
	var rest []byte // the weight of "*", if that admits anything
	for field := range m.values(acceptEncoding) {
		for len(field) > 0 {
			var one []byte
			one, field, _ = bytes.Cut(field, []byte{','})
			one = bytes.TrimSpace(one)
			name, weight, _ := bytes.Cut(one, []byte{';'})
			name = bytes.TrimRight(name, " \t")
			coding, found := findCoding(name)
			switch {
			case len(one) == 0:
			case found || uri.EqualFold(name, identity) || string(name) == "*" && excludes(weight):
				gzip = gzip || found && coding == inflate.Gzip
				dst = appendElement(dst, start, one)
			case string(name) == "*":
				less, rest = true, one[1:]
			default:
				less = true
			}
		}
	}
	switch {
	case !less:
		return dst[:start]
	case rest != nil && !gzip:
		dst = append(appendElement(dst, start, codings[0].name), rest...)
	case len(dst) == start:
		dst = append(dst, identity...)
	}
	return dst
}

// appendElement appends an element of a list that begins at start.
func appendElement(dst []byte, start int, element []byte) []byte {
	if len(dst) > start {
		dst = append(dst, ", "...)
	}
	return append(dst, element...)
}

// excludes reports whether a weight, "q=0.000" with spaces around it, is 0.
func excludes(weight []byte) bool {
	_, value, ok := bytes.Cut(weight, []byte{'='})
	return ok && len(bytes.Trim(value, " \t0.")) == 0
}

// isPart reports whether the response is a part of what would be judged
// (section 15.3.7), which the client has asked for. Other units than bytes
// count items, as of a list in pages: what comes is then whole in itself.
func (s *response) isPart() bool {
	return s.headers.status == 206 && s.asks.part &&
		(s.headers.isByteRanges() || s.headers.inBytes(contentRange, ' '))
}

// isByteRanges reports whether a message holds several parts (section 14.6).
func (m *message) isByteRanges() bool {
	kind, _, _ := bytes.Cut(m.contentType, []byte{';'})
	return uri.EqualFold(bytes.TrimSpace(kind), byteRanges)
}

// inBytes reports whether a range, whose unit ends at a character, is in bytes.
// There should be one field, but of several a reader may choose any.
func (m *message) inBytes(name []byte, end byte) bool {
	for i := range m.fields {
		if bytes.Equal(m.fields[i].Name, name) {
			value := m.fields[i].Value
			unit := value[:max(bytes.IndexByte(value, end), 0)]
			if uri.EqualFold(bytes.TrimSpace(unit), bytesUnit) {
				return true
			}
		}
	}
	return false
}

var (
	contentRange = []byte("content-range")
	byteRanges   = []byte("multipart/byteranges")
)
