// Package xml cuts an XML document (XML 1.0, Namespaces in XML 1.0) into
// elements and texts while it arrives, in memory bounded by one tag and the
// open elements, and into the same ones however it is cut into chunks.
//
// It reads what data needs, and refuses what makes documents dangerous or is
// read in more than one way: document types, and with them all entities but
// the five that XML itself has; processing instructions; other versions and
// encodings; text beside elements; a comment within a text, which some
// readers stop at.
package xml

import "bytes"

// Token is one step through a document.
type Token uint8

const (
	More   Token = iota // nothing yet: the chunk is used up
	End                 // after Finish: the document was whole
	Failed              // see Tokenizer.Err
	Begin               // an element: its Name, its Attributes
	Part                // Bytes is a part of the text in an element; it may end inside of a character
	Close               // the end of an element
)

// Error says why a document was refused.
type Error uint8

const (
	NoError     Error = iota
	Syntax            // not well-formed, or not what we read
	Depth             // elements nested deeper than MaxDepth
	TokenLength       // a tag or a name longer than its limit
)

// Limits bound what a Tokenizer has to remember.
type Limits struct {
	MaxDepth int // open elements
	MaxToken int // bytes of a name, or of the name of a namespace
}

const (
	maxTag        = 16 << 10 // bytes
	maxAttributes = 64       // of one element, declarations of namespaces among them
	maxBindings   = 64       // of prefixes, in one place of the document
	maxReference  = len("&#x10FFFF;")
)

// Name is a name and its namespace, which may be empty.
type Name struct{ Space, Local []byte }

// Attribute is one attribute of an element.
type Attribute struct {
	Name
	Value []byte
}

// Tokenizer cuts one document into tokens. Reset makes it ready, as often as
// one likes; it keeps its memory. What a token shows is valid until the next.
type Tokenizer struct {
	Name       Name
	Attributes []Attribute
	Bytes      []byte
	Err        Error // why the last token was Failed

	limits Limits
	chunk  []byte
	final  bool
	state  state
	chars  chars

	fresh    bool // nothing has come before, but for a byte order mark
	rooted   bool // the root element has begun
	returned bool // the last byte was a carriage return
	empty    bool // the tag ends the element that it begins
	matched  int  // bytes of what is looked for
	quote    byte // that the attribute ends with, which we are in

	tag       []byte // from its "<" on, or a reference from its "&" on
	character [4]byte

	open     []element
	names    []byte // of the open elements, as written
	bindings []binding
	bound    []byte // prefixes and namespaces of the bindings
}

// element is an open element. Its name stands in names, and its bindings in
// bindings and bound, behind those of the element around it.
type element struct {
	names, bindings, bound int
	content                content
}

// content is what an element holds.
type content uint8

const (
	nothing  content = iota
	text             // or CDATA, or a reference
	elements         // or comments, and space between them
)

type state uint8

const (
	stateStart  state = iota // a byte order mark, perhaps
	stateText                // of an element, or between the outermost parts
	stateCData               // text that is not looked into
	stateMarkup              // behind "<"
	stateBang                // behind "<!"
	stateTag                 // anything in "<>" but a comment or CDATA
	stateComment
	stateReference
)

// Reset makes t ready for a new document.
func (t *Tokenizer) Reset(l Limits) {
	t.Err, t.limits, t.chunk, t.final = NoError, l, nil, false
	t.state, t.chars = stateStart, chars{}
	t.fresh, t.rooted, t.returned, t.empty = true, false, false, false
	t.matched, t.quote = 0, 0
	t.open, t.names, t.bindings, t.bound = t.open[:0], t.names[:0], t.bindings[:0], t.bound[:0]
}

// Feed gives t the next chunk, once Next has returned More. The chunk must
// not change until Next returns More again.
func (t *Tokenizer) Feed(chunk []byte) { t.chunk = chunk }

// Finish says that no chunk follows, once Next has returned More.
func (t *Tokenizer) Finish() { t.chunk, t.final = nil, true }

// Next returns the next token.
func (t *Tokenizer) Next() Token {
	switch {
	case t.Err != NoError:
		return Failed
	case t.empty:
		t.empty = false
		return t.close()
	}
	for len(t.chunk) > 0 {
		if token := t.step(); token != More {
			return token
		}
	}
	switch {
	case !t.final:
		return More
	case t.state == stateText && t.matched == 0 && t.chars.Whole() && t.rooted && len(t.open) == 0:
		return End
	}
	return t.fail(Syntax)
}

// step reads on in the chunk. More says that there is no token yet.
func (t *Tokenizer) step() Token {
	switch t.state {
	case stateText, stateCData:
		return t.text()
	case stateTag:
		return t.inTag()
	}
	c := t.chunk[0]
	if t.state == stateStart {
		return t.start(c)
	}
	t.chunk = t.chunk[1:]
	switch t.state {
	case stateMarkup:
		return t.markup(c)
	case stateBang:
		return t.bang(c)
	case stateComment:
		return t.comment(c)
	}
	return t.reference(c)
}

// start passes over a byte order mark.
func (t *Tokenizer) start(c byte) Token {
	const mark = "\xef\xbb\xbf"
	switch {
	case c == mark[t.matched]:
		t.chunk = t.chunk[1:]
		if t.matched++; t.matched < len(mark) {
			return More
		}
	case t.matched > 0:
		return t.fail(Syntax)
	}
	t.state, t.matched = stateText, 0
	return More
}

// markup is behind a "<".
func (t *Tokenizer) markup(c byte) Token {
	if c == '!' {
		t.state, t.matched, t.tag, t.fresh = stateBang, 0, t.tag[:0], false
		return More
	}
	t.state, t.tag, t.quote = stateTag, append(t.tag[:0], c), 0
	if c == '<' || c == '>' {
		return t.fail(Syntax)
	}
	return More
}

// bang tells comments from CDATA. Anything else is a declaration.
func (t *Tokenizer) bang(c byte) Token {
	t.tag = append(t.tag, c)
	switch string(t.tag) {
	case "--":
		t.state = stateComment
		return t.between()
	case "[CDATA[":
		if t.state = stateCData; !t.holds(text) {
			return t.fail(Syntax)
		}
		return More
	}
	if !bytes.HasPrefix([]byte("--"), t.tag) && !bytes.HasPrefix([]byte("[CDATA["), t.tag) {
		return t.fail(Syntax)
	}
	return More
}

// comment looks for the end of a comment, which has no "--" within.
func (t *Tokenizer) comment(c byte) Token {
	switch {
	case !t.chars.next(c), t.matched == 2 && c != '>':
		return t.fail(Syntax)
	case t.matched == 2:
		t.state, t.matched = stateText, 0
	case c == '-':
		t.matched++
	default:
		t.matched = 0
	}
	return More
}

// inTag collects a tag up to its ">".
func (t *Tokenizer) inTag() Token {
	for i, c := range t.chunk {
		switch {
		case c == '<', c == '>' && t.quote == 0:
			if !t.collect(i) {
				return t.fail(TokenLength)
			}
			if c == '<' {
				return t.fail(Syntax)
			}
			t.chunk, t.state = t.chunk[1:], stateText
			return t.endTag()
		case t.quote == c:
			t.quote = 0
		case t.quote == 0 && (c == '"' || c == '\''):
			t.quote = c
		}
	}
	if !t.collect(len(t.chunk)) {
		return t.fail(TokenLength)
	}
	return More
}

// collect adds the next n bytes to the tag, if there is room for them.
func (t *Tokenizer) collect(n int) bool {
	if n > maxTag-len(t.tag) {
		return false
	}
	t.tag = append(t.tag, t.chunk[:n]...)
	t.chunk = t.chunk[n:]
	return true
}

// endTag reads a whole tag.
func (t *Tokenizer) endTag() Token {
	fresh := t.fresh
	t.fresh = false
	switch {
	case !validChars(t.tag):
		return t.fail(Syntax)
	case t.tag[0] == '?':
		if !fresh || !t.declaration(t.tag[1:]) {
			return t.fail(Syntax)
		}
		return More
	case t.tag[0] == '/':
		if n := len(t.open); n == 0 || !bytes.Equal(bytes.TrimRight(t.tag[1:], Space), t.names[t.open[n-1].names:]) {
			return t.fail(Syntax)
		}
		return t.close()
	}
	return t.begin(t.tag)
}

// close ends the innermost element.
func (t *Tokenizer) close() Token {
	last := len(t.open) - 1
	e := t.open[last]
	t.open, t.names, t.bindings, t.bound = t.open[:last], t.names[:e.names], t.bindings[:e.bindings], t.bound[:e.bound]
	return Close
}

// holds says that the innermost element has such content, and reports whether
// it may: only elements hold text, and none holds text and elements.
func (t *Tokenizer) holds(c content) bool {
	n := len(t.open)
	if n == 0 {
		return false
	}
	e := &t.open[n-1]
	if e.content != nothing && e.content != c {
		return false
	}
	e.content = c
	return true
}

// between is a place where a text ends if there is one: no comment or element
// is within a text.
func (t *Tokenizer) between() Token {
	if len(t.open) > 0 && !t.holds(elements) {
		return t.fail(Syntax)
	}
	return More
}

func (t *Tokenizer) fail(e Error) Token {
	t.Err = e
	return Failed
}
