package enforce

import (
	"bytes"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/enforce/multipart"
	"github.com/threatgate/threatgate/internal/enforce/siphash"
	"github.com/threatgate/threatgate/internal/enforce/uri"
	"github.com/threatgate/threatgate/internal/violation"
)

// readParts takes all tokens that the multipart body has.
func (b *body) readParts() {
	for !b.machine.Stopped() {
		switch b.parts.Next() {
		case multipart.More:
			return
		case multipart.Name:
			b.beginField(b.parts.Bytes)
			b.judgePart()
		case multipart.Part:
			b.valuePart(b.parts.Bytes, false)
		case multipart.Value:
			b.valuePart(b.parts.Bytes, true)
		case multipart.End:
			b.endFields()
			return
		case multipart.Failed:
			b.machine.Refuse(partCodes[b.parts.Err])
		}
	}
}

var partCodes = [...]violation.Code{
	multipart.Syntax:     violation.Multipart,
	multipart.NameLength: violation.TokenLength,
}

// judgePart judges what the headers of a part say of it. A text with a file
// name is a file to some parsers; a field "_charset_" changes how others are
// read (RFC 7578 section 4.6).
func (b *body) judgePart() {
	f, given := &b.fields.now, b.parts.ContentType
	given, parameters, _ := bytes.Cut(given, []byte{';'})
	given = bytes.TrimRight(given, " \t")
	declared, _ := b.findField(b.parts.Bytes)
	switch {
	case b.parts.IsFile && declared == nil:
		b.machine.Refuse(violation.UndeclaredProperty)
	case b.parts.IsFile && f.Shape != artifact.ShapeFile, uri.EqualFold(b.parts.Bytes, charsetField):
		b.machine.Refuse(violation.Multipart)
	case !b.admits(f, given), f.Shape != artifact.ShapeFile && !utf8Charset(parameters):
		b.machine.Refuse(violation.ContentType)
	case f.Headers.Len > 0:
		b.judgePartHeaders(artifact.Of(b.bundle.Parameters, f.Headers))
	}
}

// judgePartHeaders judges the headers that a part is declared to have. As the
// schema machine is in the middle of the body, another judges them.
func (b *body) judgePartHeaders(declared []artifact.Parameter) {
	aside := b.request.engine.aside(b.request.key)
	for i := range declared {
		p := &declared[i]
		value, times := b.parts.Header(text(b.bundle.String(p.Name)))
		switch times {
		case 0:
			aside.values.missing(p)
		case 1:
			aside.values.judgeText(p, value)
		default:
			b.machine.Refuse(violation.Multipart)
		}
		if v := aside.rejecting(); v != nil {
			b.machine.Refuse(v.Code)
			return
		}
	}
}

// aside is a request that stops at the first violation, and comes to nothing.
func (e *Engine) aside(key siphash.Key) *Request {
	if e.other == nil {
		e.other = e.Begin()
	}
	e.other.reset()
	e.other.mode = violation.Enforce
	e.other.key = key
	e.other.values.machine.SetSecret(key)
	return e.other
}

var (
	charsetField    = []byte("_charset_")
	textPlain       = []byte("text/plain")
	applicationJSON = []byte("application/json")
	plusJSON        = []byte("+json")
	multipartAny    = []byte("multipart/*")
)

// admits reports whether a part may have this content type. One without is
// text (RFC 7578 section 4.4), but few clients name the type of a JSON text.
// A part is no multipart body of its own (section 4.3).
func (b *body) admits(f *artifact.Field, given []byte) bool {
	switch f.Shape {
	case artifact.ShapeScalar:
		return len(given) == 0 || uri.EqualFold(given, textPlain)
	case artifact.ShapeJSON:
		suffix := given[max(len(given)-len(plusJSON), 0):]
		return len(given) == 0 || uri.EqualFold(given, textPlain) || uri.EqualFold(given, applicationJSON) || uri.EqualFold(suffix, plusJSON)
	}
	if len(given) == 0 {
		given = textPlain
	}
	declared := b.bundle.String(f.ContentTypes)
	if len(declared) == 0 {
		return !mediaMatches(multipartAny, given)
	}
	for len(declared) > 0 {
		var one []byte
		one, declared, _ = bytes.Cut(declared, []byte(", "))
		if mediaMatches(one, given) {
			return true
		}
	}
	return false
}
