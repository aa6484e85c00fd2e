package enforce

import (
	"bytes"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/enforce/multipart"
	"github.com/threatgate/threatgate/internal/violation"
)

// readParts takes all tokens that the multipart body has.
func (r *Request) readParts() {
	for !r.machine.Stopped() {
		switch r.parts.Next() {
		case multipart.More:
			return
		case multipart.Name:
			r.beginField(r.parts.Bytes)
			r.judgePart()
		case multipart.Part:
			r.valuePart(r.parts.Bytes, false)
		case multipart.Value:
			r.valuePart(r.parts.Bytes, true)
		case multipart.End:
			r.endFields()
			return
		case multipart.Failed:
			r.machine.Refuse(partCodes[r.parts.Err])
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
func (r *Request) judgePart() {
	f, given := &r.fields.now, r.parts.ContentType
	given, parameters, _ := bytes.Cut(given, []byte{';'})
	given = bytes.TrimRight(given, " \t")
	switch {
	case r.parts.IsFile && r.findField(r.parts.Bytes) == nil:
		r.machine.Refuse(violation.UndeclaredProperty)
	case r.parts.IsFile && f.Shape != artifact.ShapeFile, equalFold(r.parts.Bytes, charsetField):
		r.machine.Refuse(violation.Multipart)
	case !r.admits(f, given), f.Shape != artifact.ShapeFile && !utf8Charset(parameters):
		r.machine.Refuse(violation.ContentType)
	}
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
func (r *Request) admits(f *artifact.Field, given []byte) bool {
	switch f.Shape {
	case artifact.ShapeScalar:
		return len(given) == 0 || equalFold(given, textPlain)
	case artifact.ShapeJSON:
		suffix := given[max(len(given)-len(plusJSON), 0):]
		return len(given) == 0 || equalFold(given, textPlain) || equalFold(given, applicationJSON) || equalFold(suffix, plusJSON)
	}
	if len(given) == 0 {
		given = textPlain
	}
	declared := r.engine.bundle.String(f.ContentTypes)
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
