package enforce

import (
	"github.com/threatgate/threatgate/internal/enforce/inflate"
	"github.com/threatgate/threatgate/internal/enforce/uri"
	"github.com/threatgate/threatgate/internal/violation"
)

// coding is the content coding of a body (RFC 9110 section 8.4). The body is
// judged decoded, whatever its content type: its bound holds for both sizes,
// for what decodes it may hold all of it.
type coding struct {
	undone  bool // it is to be undone; else there is none
	kind    inflate.Coding
	decoder *inflate.Decoder // from the first byte on: streams that only wait have none
	size    uint64           // bytes decoded so far
}

// codings are those that can be undone.
var codings = [...]struct {
	name   []byte
	coding inflate.Coding
}{
	{[]byte("gzip"), inflate.Gzip},
	{[]byte("x-gzip"), inflate.Gzip}, // section 8.4.1.3
	{[]byte("deflate"), inflate.Zlib},
}

// beginCoding prepares to undo the coding that the headers name. It reports
// whether it may and can: several codings, one around the other, are more
// than anybody has reason for.
func (b *body) beginCoding(m *message) bool {
	switch {
	case m.encodings == 0, m.encodings == 1 && uri.EqualFold(m.encoding, identity):
		return true
	case m.encodings > 1 || b.plain:
		return false
	}
	c, ok := findCoding(m.encoding)
	b.coding = coding{undone: ok, kind: c}
	return ok
}

// notUndone is what a body in another coding violates. In shadow a client may
// have asked for it where enforce would not let it.
func (b *body) notUndone() violation.Code {
	if s := &b.request.response; b.in.OfResponse() && s.mode == violation.Shadow && len(s.asks.codings) > 0 {
		return violation.Unjudged
	}
	return violation.ContentEncoding
}

// findCoding returns the coding of that name, if it can be undone.
func findCoding(name []byte) (c inflate.Coding, ok bool) {
	for _, c := range codings {
		if uri.EqualFold(name, c.name) {
			return c.coding, true
		}
	}
	return c, false
}

// decoder is one that no body needs: few are encoded, and decoders are large.
func (e *Engine) decoder() *inflate.Decoder {
	n := len(e.decoders)
	if n == 0 {
		return new(inflate.Decoder)
	}
	d := e.decoders[n-1]
	e.decoders = e.decoders[:n-1]
	return d
}

// maxIdle is how many decoders are kept for the next bodies.
const maxIdle = 16

// endCoding gives the decoder back.
func (b *body) endCoding() {
	b.coding.undone = false
	if d := b.coding.decoder; d != nil {
		if e := b.request.engine; len(e.decoders) < maxIdle {
			e.decoders = append(e.decoders, d)
		}
		b.coding.decoder = nil
	}
}

// decode judges what a chunk of an encoded body holds; end says that it is the
// last. It reports whether the judgement has ended.
func (b *body) decode(chunk []byte, end bool) (judged bool) {
	c := &b.coding
	if c.decoder == nil {
		c.decoder = b.request.engine.decoder()
		c.decoder.Reset(c.kind)
	}
	for c.decoder.Feed(chunk); ; {
		switch c.decoder.Next() {
		case inflate.More:
			if !end {
				return false
			}
			c.decoder.Finish()
		case inflate.End:
			return false
		case inflate.Part:
			part := c.decoder.Bytes
			room := b.max - c.size
			c.size += uint64(len(part))
			if b.bySchema() && !b.write(part[:min(uint64(len(part)), room)]) {
				b.finish()
				return true
			}
			if c.size > b.max {
				return b.refuse(b.tooLarge())
			}
		case inflate.Failed:
			return b.refuse(violation.ContentEncoding)
		}
	}
}

// refuse ends the judgement of a body of which no more can be read.
func (b *body) refuse(code violation.Code) (judged bool) {
	b.endCoding()
	if !b.report() {
		b.request.violate(code, b.in, nil, nil)
	}
	return true
}
