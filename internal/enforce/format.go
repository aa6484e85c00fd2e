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
	case artifact.MediaLines, artifact.MediaSequence:
		r.texts = texts{}
		r.machine.BeginArray()
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
	case artifact.MediaLines:
		r.writeLines(chunk)
	case artifact.MediaSequence:
		r.writeSequence(chunk)
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
		case artifact.MediaLines:
			r.endLine()
			r.machine.EndArray()
		case artifact.MediaSequence:
			r.endText()
			r.machine.EndArray()
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
