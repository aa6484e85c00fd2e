package enforce

import (
	"bytes"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/violation"
)

// announceBody judges what the headers say of the body that follows them,
// and reports whether judging may stop.
func (r *Request) announceBody(end bool) (stop bool) {
	m := &r.headers
	b := r.engine.bundle
	declared := artifact.Of(b.Media, r.op.Media)
	switch {
	case m.contentLength > int64(r.op.MaxBody):
		return r.violate(violation.BodySize, violation.InBody, nil, nil)
	case len(declared) == 0:
		return m.contentLength > 0 && r.violate(violation.BodyUnexpected, violation.InBody, nil, nil)
	case end:
		return false
	case m.contentTypes == 0 && m.contentLength <= 0:
		r.media = untyped // a violation, if a body comes at all
		return false
	}
	media := r.findMedia(declared)
	if m.contentTypes != 1 || media == nil {
		return r.violate(violation.ContentType, violation.InHeader, contentType, nil)
	}
	if m.encoded {
		return r.violate(violation.ContentEncoding, violation.InHeader, contentEncoding, nil)
	}
	if media.Kind != artifact.MediaOpaque {
		r.media = media
		return r.beginBody()
	}
	return false
}

var (
	contentType     = []byte("content-type")
	contentEncoding = []byte("content-encoding")
	identity        = []byte("identity")
	charset         = []byte("charset")

	untyped = &artifact.Media{}
)

// findMedia returns the declared media type that the content type matches
// (RFC 9110 section 8.3.1), nil if none does. What is judged has no
// charset but UTF-8.
func (r *Request) findMedia(declared []artifact.Media) *artifact.Media {
	b := r.engine.bundle
	given, parameters, _ := bytes.Cut(r.headers.contentType, []byte{';'})
	given = bytes.TrimSpace(given)
	for i := range declared {
		m := &declared[i]
		if !mediaMatches(b.String(m.Type), given) {
			continue
		}
		if m.Kind != artifact.MediaOpaque && !utf8Charset(parameters) {
			return nil
		}
		return m
	}
	return nil
}

// mediaMatches compares a declared type, which may end in "/*" or be "*/*",
// with a given one.
func mediaMatches(declared, given []byte) bool {
	slash := bytes.IndexByte(given, '/')
	switch {
	case slash <= 0 || slash == len(given)-1:
		return false
	case string(declared) == "*/*":
		return true
	case bytes.HasSuffix(declared, []byte("/*")):
		return equalFold(declared[:len(declared)-1], given[:slash+1])
	}
	return equalFold(declared, given)
}

// utf8Charset reports whether the parameters of a content type name no
// charset, or UTF-8 or its subset. Other forms of the parameter, "charset*"
// for example, which some servers read (RFC 2231), are not looked into.
func utf8Charset(parameters []byte) bool {
	for len(parameters) > 0 {
		var one []byte
		one, parameters, _ = bytes.Cut(parameters, []byte{';'})
		name, value, _ := bytes.Cut(one, []byte{'='})
		name, value = bytes.TrimSpace(name), bytes.Trim(bytes.TrimSpace(value), `"`)
		if len(name) < len(charset) || !equalFold(name[:len(charset)], charset) {
			continue
		}
		if len(name) > len(charset) ||
			!equalFold(value, []byte("utf-8")) && !equalFold(value, []byte("utf8")) && !equalFold(value, []byte("us-ascii")) {
			return false
		}
	}
	return true
}

// judgeBody judges the next chunk; end says that the body ends with it.
func (r *Request) judgeBody(chunk []byte, end bool) {
	first := r.body == 0 && len(chunk) > 0
	r.body += uint64(len(chunk))
	stop := false
	switch {
	case first && r.op.Media.Len == 0:
		stop = r.violate(violation.BodyUnexpected, violation.InBody, nil, nil)
	case first && r.media == untyped:
		stop = r.violate(violation.ContentType, violation.InHeader, contentType, nil)
	}
	if r.body > uint64(r.op.MaxBody) && r.body-uint64(len(chunk)) <= uint64(r.op.MaxBody) {
		stop = r.violate(violation.BodySize, violation.InBody, nil, nil) || stop
	}
	if stop {
		r.state = judged
		return
	}
	if r.media != nil && r.media != untyped && r.body <= uint64(r.op.MaxBody) && len(chunk) > 0 && !r.writeBody(chunk) {
		r.finishBody()
		return
	}
	if end {
		r.finishBody()
	}
}

// finishBody ends the judgement.
func (r *Request) finishBody() {
	r.state = judged
	if r.body == 0 {
		if r.op.Flags&artifact.BodyRequired != 0 {
			r.violate(violation.BodyMissing, violation.InBody, nil, nil)
		}
		return
	}
	if r.media == nil || r.media == untyped || r.body > uint64(r.op.MaxBody) || r.endBody() {
		return
	}
	for _, v := range r.machine.Violations() {
		if r.violate(v.Code, violation.InBody, v.Pointer, r.engine.bundle.Program.String(v.Schema)) {
			return
		}
	}
}
