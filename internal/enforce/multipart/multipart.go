// Package multipart cuts a body of multipart/form-data (RFC 7578, RFC 2046
// section 5.1) into names and values while it arrives, in memory bounded by
// the headers of one part, and into the same ones however it is cut into
// chunks.
//
// Parsers of multipart bodies differ in what they forgive, which hides fields
// from those who read more strictly. So nothing is forgiven: lines end in
// CRLF; nothing stands before the first boundary, behind one, or after the
// last; the boundary stands nowhere else, not even within a line; header
// fields are not folded; each part has one Content-Disposition with one name
// in a form that all parsers agree on, see header.go.
package multipart

// Token is one step through a body.
type Token uint8

const (
	More   Token = iota // nothing yet: the chunk is used up
	End                 // after Finish: the body was whole
	Failed              // see Tokenizer.Err
	Name                // Bytes is the name; IsFile and ContentType say more of the part
	Part                // Bytes is a part of the value, with more to come
	Value               // Bytes is the last part of the value, or all of it
)

// Error says why a body was refused.
type Error uint8

const (
	NoError    Error = iota
	Syntax           // not a body that everybody reads alike
	NameLength       // a name longer than the limit
)

const maxHeaders = 4096 // bytes of the headers of one part

// Tokenizer cuts one body into tokens. Reset makes it ready, as often as one
// likes; it keeps its memory.
type Tokenizer struct {
	Bytes       []byte // of the last token; valid until the next call
	IsFile      bool   // the part has a file name
	ContentType []byte // of the part; nil if it has none; valid until the next Name
	Err         Error  // why the last token was Failed

	chunk   []byte
	final   bool
	state   state
	matched int // bytes of what is looked for
	maxName int

	delimiter delimiter
	bare      int // matched bytes of the delimiter without its line end
	out       [512]byte

	line    []byte
	size    int // of the headers so far
	headers headers
}

type state uint8

const (
	stateFirst  state = iota // at the first boundary, which has no line end before it
	stateBehind              // a boundary: a line end, or the hyphens of the last one
	stateHeader
	stateValue
	stateHyphen // the second one behind the last boundary
	stateEnd    // a line end may follow
	stateAfter
	stateBroken
)

// Reset makes t ready for a new body, with names of at most maxName bytes.
// The boundary is one that Boundary has returned.
func (t *Tokenizer) Reset(boundary []byte, maxName int) {
	t.Bytes, t.Err = nil, NoError
	t.chunk, t.final, t.state, t.matched, t.maxName = nil, false, stateFirst, len("\r\n"), maxName
	t.delimiter.set(boundary)
}

// Feed gives t the next chunk, once Next has returned More. The chunk must
// not change until Next returns More again.
func (t *Tokenizer) Feed(chunk []byte) { t.chunk = chunk }

// Finish says that no chunk follows, once Next has returned More.
func (t *Tokenizer) Finish() { t.chunk, t.final = nil, true }

// Header is the value of the part's header field with this lower-case name, and
// how many there are of them. It is valid until the next Name.
func (t *Tokenizer) Header(lower string) (value []byte, times int) { return t.headers.find(lower) }

// Next returns the next token.
func (t *Tokenizer) Next() Token {
	if t.Err != NoError {
		return Failed
	}
	for len(t.chunk) > 0 && t.state != stateBroken {
		if t.state == stateValue {
			if token := t.value(); token != More {
				return token
			}
			continue
		}
		c := t.chunk[0]
		t.chunk = t.chunk[1:]
		if t.state == stateHeader {
			if token := t.header(c); token != More {
				return token
			}
		} else if !t.boundary(c) {
			return t.fail(Syntax)
		}
	}
	switch {
	case !t.final && t.state != stateBroken:
		return More
	case t.state == stateAfter || t.state == stateEnd && t.matched == 0:
		return End
	}
	return t.fail(Syntax)
}

// boundary takes the next byte of a boundary's line, and reports whether it
// belongs there.
func (t *Tokenizer) boundary(c byte) bool {
	switch t.state {
	case stateFirst:
		if c != t.delimiter.text[t.matched] {
			return false
		}
		if t.matched++; t.matched == t.delimiter.size {
			t.state, t.matched = stateBehind, 0
		}
		return true
	case stateBehind:
		if c == '-' && t.matched == 0 {
			t.state = stateHyphen
			return true
		}
		if !t.lineEnd(c) {
			return false
		}
		if t.matched == 0 {
			t.state, t.line, t.size = stateHeader, t.line[:0], 0
			t.headers.reset()
		}
		return true
	case stateHyphen:
		t.state = stateEnd
		return c == '-'
	case stateEnd:
		if !t.lineEnd(c) {
			return false
		}
		if t.matched == 0 {
			t.state = stateAfter
		}
		return true
	}
	return false
}

// lineEnd takes the next byte of a CRLF; matched is 0 again after its last.
func (t *Tokenizer) lineEnd(c byte) bool {
	ok := c == "\r\n"[t.matched]
	t.matched ^= 1
	return ok
}

// header takes the next byte of a part's headers.
func (t *Tokenizer) header(c byte) Token {
	if t.size++; t.size > maxHeaders {
		return t.fail(Syntax)
	}
	if t.matched == 0 && c != '\r' {
		if c < ' ' && c != '\t' || c == 0x7f {
			return t.fail(Syntax)
		}
		t.line = append(t.line, c)
		return More
	}
	switch {
	case !t.lineEnd(c):
		return t.fail(Syntax)
	case t.matched != 0:
		return More
	case len(t.line) > 0:
		ok := t.headers.add(t.line)
		if t.line = t.line[:0]; !ok {
			return t.fail(Syntax)
		}
		return More
	case len(t.headers.name) == 0:
		return t.fail(Syntax)
	case len(t.headers.name) > t.maxName:
		return t.fail(NameLength)
	}
	t.state, t.matched, t.bare = stateValue, 0, 0
	t.Bytes, t.IsFile, t.ContentType = t.headers.name, t.headers.isFile, t.headers.contentType
	return Name
}

// value reads on in a value. What may be the delimiter is held back; it is a
// beginning of the delimiter, so there is no need to keep it.
func (t *Tokenizer) value() Token {
	d, out := &t.delimiter, t.out[:0]
	for i, c := range t.chunk {
		if t.matched == 0 && t.bare == 0 {
			if n := plain(t.chunk[i:]); n > 0 && len(out) == 0 {
				return t.part(t.chunk[i:i+n], i+n)
			} else if n > 0 {
				return t.part(out, i)
			}
		}
		if len(out)+t.matched >= len(t.out) {
			return t.part(out, i)
		}
		before := t.matched
		t.matched, t.bare = d.next(before, c), d.nextBare(t.bare, c)
		switch n := before + 1 - t.matched; {
		case n > before:
			out = append(append(out, d.text[:before]...), c)
		case n > 0:
			out = append(out, d.text[:n]...)
		}
		if t.matched == d.size {
			t.part(out, i+1)
			t.state, t.matched = stateBehind, 0
			return Value
		}
		if t.bare == d.size-len("\r\n") {
			t.state = stateBroken
			return t.part(out, i+1)
		}
	}
	return t.part(out, len(t.chunk))
}

// part is a part of the value, for which so many bytes were used.
func (t *Tokenizer) part(b []byte, used int) Token {
	t.Bytes, t.chunk = b, t.chunk[used:]
	if len(b) == 0 {
		return More
	}
	return Part
}

// plain counts the bytes before the first that a delimiter may begin with.
func plain(b []byte) int {
	for i, c := range b {
		if c == '\r' || c == '-' {
			return i
		}
	}
	return len(b)
}

func (t *Tokenizer) fail(e Error) Token {
	t.Bytes, t.Err = nil, e
	return Failed
}
