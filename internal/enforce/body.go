package enforce

import (
	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/enforce/form"
	"github.com/threatgate/threatgate/internal/enforce/multipart"
	"github.com/threatgate/threatgate/internal/enforce/xml"
	"github.com/threatgate/threatgate/internal/violation"
)

// body is the body of a message. It is judged while it passes, and not held.
type body struct {
	*values
	in       violation.Place
	header   violation.Place // of its content type
	declared []artifact.Media
	max      uint64 // bytes that it may have
	required bool
	plain    bool // it must not be encoded

	media  *artifact.Media // nil if it isn't judged by a schema
	size   uint64          // bytes so far
	early  int             // violations found before a response was let go
	coding coding
	fields fields
	form   form.Tokenizer
	parts  multipart.Tokenizer
	texts  texts

	document xml.Tokenizer
	elements elements
}

// of makes b the body of a request to an operation.
func (b *body) of(op *artifact.Operation) {
	b.in, b.header = violation.InBody, violation.InHeader
	b.declared, b.max = artifact.Of(b.bundle.Media, op.Media), uint64(op.MaxBody)
	b.required, b.plain = op.Flags&artifact.BodyRequired != 0, op.Flags&artifact.RefuseEncodings != 0
	b.media, b.size, b.early = nil, 0, 0
}

// ofResponse makes b the body of a response, of which bare says that it has
// none.
func (b *body) ofResponse(declared *artifact.Response, bare bool) {
	b.in, b.header = violation.InResponseBody, violation.InResponseHeader
	b.declared, b.max = artifact.Of(b.bundle.Media, declared.Media), max(maxJudged, uint64(b.request.op.MaxHeld))
	b.required, b.plain = declared.Flags&artifact.BodyExpected != 0 && !bare, false
	b.media, b.size, b.early = nil, 0, 0
}

// maxJudged is how many bytes of a response are judged, more only if more are
// held. What the machine keeps, such as the names of an object, grows with a
// body, and no client chose this one.
const maxJudged = 16 << 20

// tooLarge is what a body of more than max bytes, encoded or decoded,
// violates. A response may have any size: it is judged no further.
func (b *body) tooLarge() violation.Code {
	if b.in.OfResponse() {
		return violation.Unjudged
	}
	return violation.BodySize
}

// letGo notes that from here on the body is out of enforce's hands.
func (b *body) letGo() {
	if b.in == violation.InResponseBody {
		b.in, b.early = violation.InResponseStream, len(b.machine.Violations())
	}
}

// announce judges what the headers say of the body that follows them, and
// reports whether judging may stop.
func (b *body) announce(m *message, end bool) (stop bool) {
	switch {
	case m.contentLength > 0 && uint64(m.contentLength) > b.max && !b.in.OfResponse():
		return b.request.violate(violation.BodySize, b.in, nil, nil)
	case len(b.declared) == 0:
		return m.contentLength > 0 && b.request.violate(violation.BodyUnexpected, b.in, nil, nil)
	case end:
		return false
	case m.contentTypes == 0 && m.contentLength <= 0:
		b.media = untyped // a violation, if a body comes at all
		return false
	}
	media := b.findMedia(m.contentType)
	if m.contentTypes != 1 || media == nil {
		return b.request.violate(violation.ContentType, b.header, contentType, nil)
	}
	if media.Kind == artifact.MediaOpaque && b.in.OfResponse() {
		return false // its size has no bound, so nothing is left to judge
	}
	if !b.beginCoding(m) {
		return b.request.violate(b.notUndone(), b.header, contentEncoding, nil)
	}
	if media.Kind != artifact.MediaOpaque {
		b.media = media
		return b.begin(m)
	}
	return false
}

var (
	contentType     = []byte("content-type")
	contentEncoding = []byte("content-encoding")
	identity        = []byte("identity")

	untyped = &artifact.Media{}
)

// judge judges the next chunk; end says that the body ends with it. It
// reports whether the judgement has ended.
func (b *body) judge(chunk []byte, end bool) (judged bool) {
	first := b.size == 0 && len(chunk) > 0
	before := b.size
	if b.in.OfResponse() && before+uint64(len(chunk)) > b.max {
		return b.refuse(violation.Unjudged)
	}
	b.size += uint64(len(chunk))
	stop := false
	switch {
	case first && len(b.declared) == 0:
		stop = b.request.violate(violation.BodyUnexpected, b.in, nil, nil)
	case first && b.media == untyped:
		stop = b.request.violate(violation.ContentType, b.header, contentType, nil)
	}
	if b.size > b.max && before <= b.max {
		stop = b.request.violate(violation.BodySize, b.in, nil, nil) || stop
	}
	if stop {
		return true
	}
	if b.coding.undone && 0 < b.size && b.size <= b.max {
		if b.decode(chunk, end) {
			return true
		}
	} else if b.bySchema() && len(chunk) > 0 && !b.write(chunk) {
		end = true
	}
	if end {
		b.finish()
	}
	return end
}

// bySchema reports whether the body is judged by more than its size.
func (b *body) bySchema() bool { return b.media != nil && b.media != untyped && b.size <= b.max }

// finish ends the judgement.
func (b *body) finish() {
	b.endCoding()
	if b.size == 0 {
		if b.required {
			b.request.violate(violation.BodyMissing, b.in, nil, nil)
		}
		return
	}
	if b.bySchema() {
		b.end()
		b.report()
	}
}

// report records what the schema has to say, and reports whether judging may
// stop.
func (b *body) report() (stop bool) {
	if !b.bySchema() {
		return false
	}
	for i, v := range b.machine.Violations() {
		in := b.in
		if i < b.early {
			in = violation.InResponseBody
		}
		b.location = b.bundle.Program.AppendLocation(b.location[:0], v.Schema)
		if b.request.violate(v.Code, in, v.Pointer, b.location) {
			return true
		}
	}
	return false
}
