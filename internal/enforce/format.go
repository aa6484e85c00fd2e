package enforce

import (
	"bytes"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/enforce/form"
	"github.com/threatgate/threatgate/internal/enforce/multipart"
	"github.com/threatgate/threatgate/internal/violation"
)

// beginBody prepares to read a body of the kind that r.media is, and reports
// whether judging may stop.
func (r *Request) beginBody() (stop bool) {
	maxName := int(r.engine.bundle.Meta.MaxToken)
	r.machine.Start(&r.engine.bundle.Program, r.media.Root, r.options())
	switch r.media.Kind {
	case artifact.MediaText:
		r.fields.malformed, r.fields.now = violation.Text, artifact.Field{Scalars: artifact.TypeString}
		r.beginValue()
	case artifact.MediaForm:
		r.form.Reset(maxName)
		r.beginFields(violation.Form)
	case artifact.MediaMultipart:
		_, parameters, _ := bytes.Cut(r.headers.contentType, []byte{';'})
		boundary, ok := multipart.Boundary(parameters)
		if !ok {
			r.media = nil
			return r.violate(violation.ContentType, violation.InHeader, contentType, nil)
		}
		r.parts.Reset(boundary, maxName)
		r.beginFields(violation.Multipart)
	}
	return false
}

// writeBody judges the next chunk. It returns false if nothing more need be
// written.
func (r *Request) writeBody(chunk []byte) bool {
	switch r.media.Kind {
	case artifact.MediaJSON:
		return r.machine.Write(chunk)
	case artifact.MediaText:
		r.valuePart(chunk, false)
	case artifact.MediaForm:
		r.form.Feed(chunk)
		r.readForm()
	case artifact.MediaMultipart:
		r.parts.Feed(chunk)
		r.readParts()
	}
	return !r.machine.Stopped()
}

// endBody ends the body. It reports whether it is valid.
func (r *Request) endBody() bool {
	if !r.machine.Stopped() {
		switch r.media.Kind {
		case artifact.MediaText:
			r.valuePart(nil, true)
		case artifact.MediaForm:
			r.form.Finish()
			r.readForm()
		case artifact.MediaMultipart:
			r.parts.Finish()
			r.readParts()
		}
	}
	return r.machine.End()
}

// readForm takes all tokens that the form has.
func (r *Request) readForm() {
	for !r.machine.Stopped() {
		switch r.form.Next() {
		case form.More:
			return
		case form.Name:
			r.beginField(r.form.Bytes)
		case form.Part:
			r.valuePart(r.form.Bytes, false)
		case form.Value:
			r.valuePart(r.form.Bytes, true)
		case form.End:
			r.endFields()
			return
		case form.Failed:
			r.machine.Refuse(formCodes[r.form.Err])
		}
	}
}

var formCodes = [...]violation.Code{
	form.Syntax:     violation.Form,
	form.NameLength: violation.TokenLength,
}

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
	case r.parts.IsFile && f.Shape != artifact.ShapeFile, equalFold(r.parts.Bytes, charsetField):
		r.machine.Refuse(violation.Multipart)
	case !r.admits(f, given), f.Shape != artifact.ShapeFile && !utf8Charset(parameters):
		r.machine.Refuse(violation.ContentType)
	}
}

var (
	charsetField   = []byte("_charset_")
	textPlain      = []byte("text/plain")
	applicationAny = []byte("application/*")
	jsonSuffix     = []byte("json")
)

// admits reports whether a part may have this content type. One without is
// text (RFC 7578 section 4.4), but few clients name the type of a JSON text.
// A part is no multipart body of its own (section 4.3).
func (r *Request) admits(f *artifact.Field, given []byte) bool {
	switch f.Shape {
	case artifact.ShapeScalar:
		return len(given) == 0 || equalFold(given, textPlain)
	case artifact.ShapeJSON:
		return len(given) == 0 || equalFold(given, textPlain) ||
			mediaMatches(applicationAny, given) && len(given) > len(jsonSuffix) && equalFold(given[len(given)-len(jsonSuffix):], jsonSuffix)
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

var multipartAny = []byte("multipart/*")
