package enforce

import (
	"bytes"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/enforce/form"
	"github.com/threatgate/threatgate/internal/enforce/multipart"
	"github.com/threatgate/threatgate/internal/violation"
)

// begin prepares to read a body of the kind that b.media is, and reports
// whether judging may stop.
func (b *body) begin(m *message) (stop bool) {
	maxName := int(b.bundle.Meta.MaxToken)
	b.start(b.media.Root, b.in)
	switch b.media.Kind {
	case artifact.MediaText:
		b.fields.malformed, b.fields.now = violation.Text, artifact.Field{Scalars: b.media.Extra}
		b.beginValue()
	case artifact.MediaOctets:
		b.fields.now = b.bundle.Fields[b.media.Fields.Off]
		b.beginValue()
	case artifact.MediaForm:
		b.form.Reset(maxName)
		b.beginFields(violation.Form)
	case artifact.MediaMultipart:
		_, parameters, _ := bytes.Cut(m.contentType, []byte{';'})
		boundary, ok := multipart.Boundary(parameters)
		if !ok {
			b.media = nil
			return b.request.violate(violation.ContentType, b.header, contentType, nil)
		}
		b.parts.Reset(boundary, maxName)
		b.beginFields(violation.Multipart)
	case artifact.MediaXML:
		b.beginDocument()
	case artifact.MediaLines, artifact.MediaSequence:
		b.texts = texts{}
		b.machine.BeginArray()
	case artifact.MediaUnread:
		b.machine.Null()
	}
	return false
}

// write judges the next chunk. It returns false if nothing more need be
// written.
func (b *body) write(chunk []byte) bool {
	switch b.media.Kind {
	case artifact.MediaJSON:
		return b.machine.Write(chunk)
	case artifact.MediaText, artifact.MediaOctets:
		b.valuePart(chunk, false)
	case artifact.MediaForm:
		b.form.Feed(chunk)
		b.readForm()
	case artifact.MediaMultipart:
		b.parts.Feed(chunk)
		b.readParts()
	case artifact.MediaXML:
		b.document.Feed(chunk)
		b.readDocument()
	case artifact.MediaLines:
		b.writeLines(chunk)
	case artifact.MediaSequence:
		b.writeSequence(chunk)
	}
	return !b.machine.Stopped()
}

// end ends the body. It reports whether it is valid.
func (b *body) end() bool {
	if !b.machine.Stopped() {
		switch b.media.Kind {
		case artifact.MediaText, artifact.MediaOctets:
			b.valuePart(nil, true)
		case artifact.MediaForm:
			b.form.Finish()
			b.readForm()
		case artifact.MediaMultipart:
			b.parts.Finish()
			b.readParts()
		case artifact.MediaXML:
			b.document.Finish()
			b.readDocument()
		case artifact.MediaLines:
			b.endLine()
			b.machine.EndArray()
		case artifact.MediaSequence:
			b.endText()
			b.machine.EndArray()
		}
	}
	return b.machine.End()
}

// readForm takes all tokens that the form has.
func (b *body) readForm() {
	for !b.machine.Stopped() {
		switch b.form.Next() {
		case form.More:
			return
		case form.Name:
			b.beginField(b.form.Bytes)
		case form.Part:
			b.valuePart(b.form.Bytes, false)
		case form.Value:
			b.valuePart(b.form.Bytes, true)
		case form.End:
			b.endFields()
			return
		case form.Failed:
			b.machine.Refuse(formCodes[b.form.Err])
		}
	}
}

var formCodes = [...]violation.Code{
	form.Syntax:     violation.Form,
	form.NameLength: violation.TokenLength,
}
