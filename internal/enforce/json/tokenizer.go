// Package json cuts JSON text into tokens while it arrives, in chunks of any
// size, without ever holding more of it than one name or one number.
//
// It is RFC 8259 with the strictness of I-JSON (RFC 7493): no invalid UTF-8,
// no escaped lone surrogates; and no duplicate names, which the caller sees
// to, see Tokenizer.Unique. A byte order mark and anything but white space
// behind the value are errors too. Noncharacters pass: they are ordinary in
// practice, and harmless.
//
// The tokens, and the first error, are the same however the text is cut into
// chunks, apart from where a string is cut into parts.
package json

import (
	"encoding/binary"
	"math/bits"

	"github.com/threatgate/threatgate/internal/enforce/distinct"
	"github.com/threatgate/threatgate/internal/enforce/siphash"
)

// Token is what Next found.
type Token uint8

const (
	More   Token = iota // nothing yet: the chunk is used up
	End                 // after Finish: the text was one whole value
	Failed              // see Tokenizer.Err
	BeginObject
	EndObject
	BeginArray
	EndArray
	Name   // Bytes is the whole name
	Part   // Bytes is a part of a string, with more to come; it may end inside of a character
	String // Bytes is the last part of a string, or all of it
	Number // Bytes is the number as written
	True
	False
	Null
)

// Error says why a text was refused.
type Error uint8

const (
	NoError     Error = iota
	Syntax            // not JSON, or not I-JSON
	Depth             // arrays and objects nested deeper than MaxDepth
	TokenLength       // a name or number longer than MaxToken
)

// Limits bound what a Tokenizer has to remember.
type Limits struct {
	MaxDepth int // open arrays and objects
	MaxToken int // bytes of a name, after unescaping, or of a number
}

// Tokenizer cuts one text into tokens. Reset makes it ready, as often as one
// likes; it keeps its memory.
type Tokenizer struct {
	Bytes []byte // of the last token; valid until the next call of Next, Feed or Finish
	Err   Error  // why the last token was Failed

	chunk  []byte
	pos    int
	final  bool
	state  state
	after  state // what state follows the end of a value, where we are now
	inside inside
	limits Limits

	depth int
	kinds []uint64      // a bit for each open container: 1 for an object
	names distinct.Sets // of the open objects
	key   siphash.Key

	buf     []byte // a name or number of which a part is no longer in the chunk, or which has escapes
	text    text
	number  numberState
	word    string // the literal that we are inside of
	matched int    // how many of its bytes have been seen
}

// inside says which token the last chunk ended in, or that the text is
// already refused.
type inside uint8

const (
	nothing inside = iota
	aString
	aName
	aNumber
	aLiteral
	anError
)

// Reset makes t ready for a new text. The key should be a secret: it hashes
// the names, see package distinct.
func (t *Tokenizer) Reset(l Limits, key siphash.Key) {
	t.Bytes, t.Err = nil, NoError
	t.chunk, t.pos, t.final = nil, 0, false
	t.state, t.after, t.inside, t.limits = stateValue, stateDone, nothing, l
	t.depth, t.kinds = 0, t.kinds[:0]
	t.names.Reset()
	t.key = key
	t.text = text{}
}

// Feed gives t the next chunk, once Next has returned More. The chunk must
// not change until Next returns More again.
func (t *Tokenizer) Feed(chunk []byte) { t.chunk, t.pos = chunk, 0 }

// Finish says that no chunk follows, once Next has returned More.
func (t *Tokenizer) Finish() { t.chunk, t.pos, t.final = nil, 0, true }

// Next returns the next token.
//
// Go compiles to Wasm such that every call, and every branch that is taken,
// costs as much as looking at several bytes. So what is frequent is written
// out here, and reads on behind the token: see moveTo.
func (t *Tokenizer) Next() Token {
	if t.inside != nothing {
		return t.resume()
	}
	b, i, s := t.chunk, t.pos, t.state
	for i < len(b) {
		c := b[i]
		i++
		a := grammar[s&15][classes[c]&15]
		if a <= beginName && a >= beginString {
			// The string, if it is plain and not among the chunk's last bytes.
			for j := i; j+8 <= len(b); j += 8 {
				special := specials(binary.LittleEndian.Uint64(b[j:]))
				if special == 0 {
					continue
				}
				j += bits.TrailingZeros64(special) / 8
				if b[j] != '"' {
					break
				}
				if a == beginString {
					t.Bytes = b[i:j]
					t.moveTo(j+1, t.after)
					return String
				}
				if j-i > t.limits.MaxToken {
					break
				}
				t.Bytes = b[i:j]
				t.moveTo(j+1, stateColon)
				return Name
			}
			t.pos = i
			if a == beginString {
				t.state, t.inside = t.after, aString
				return t.stringPart()
			}
			t.state, t.inside, t.buf = stateColon, aName, t.buf[:0]
			return t.namePart()
		}
		if a < action(stateCount) {
			s = state(a)
			if s == stateNone {
				return t.fail(Syntax)
			}
			continue
		}
		switch a {
		case beginNumber:
			t.pos, t.state, t.buf = i-1, t.after, t.buf[:0]
			t.number, t.inside = numberStart, aNumber
			return t.numberPart()
		case beginLiteral:
			if i+4 <= len(b) {
				if token := Literal(b[i-1 : i+4]); token != More {
					t.Bytes = nil
					if i += 3; token == False {
						i++
					}
					t.moveTo(i, t.after)
					return token
				}
			}
			t.pos, t.state = i-1, t.after
			t.word, t.matched, t.inside = literal(c), 0, aLiteral
			return t.literalPart()
		case beginObject:
			return t.begin(i, 1)
		case beginArray:
			return t.begin(i, 0)
		case endObject:
			t.names.Pop()
			t.end(i)
			return EndObject
		default:
			t.end(i)
			return EndArray
		}
	}
	t.pos, t.state = i, s
	switch {
	case !t.final:
		return More
	case s != stateDone:
		return t.fail(Syntax)
	}
	return End
}

// Unique reports whether name, which Next has returned, has not been passed
// to Unique before for the same object. Callers that know a name otherwise
// need not ask.
func (t *Tokenizer) Unique(name []byte) bool { return t.names.Add(t.key.Sum(name)) }

// moveTo moves to byte i, where s is the state, and past it if it is a comma,
// a colon or a space.
func (t *Tokenizer) moveTo(i int, s state) {
	if i < len(t.chunk) {
		if a := grammar[s&15][classes[t.chunk[i]]&15]; stateNone < state(a) && a < action(stateCount) {
			i, s = i+1, state(a)
		}
	}
	t.pos, t.state = i, s
}

// resume goes on in the token that the last chunk ended in.
func (t *Tokenizer) resume() Token {
	switch t.inside {
	case aString:
		return t.stringPart()
	case aName:
		return t.namePart()
	case aNumber:
		return t.numberPart()
	case aLiteral:
		return t.literalPart()
	}
	return Failed
}

func (t *Tokenizer) begin(i int, object uint64) Token {
	if t.depth == t.limits.MaxDepth {
		return t.fail(Depth)
	}
	if t.depth%64 == 0 {
		t.kinds = append(t.kinds[:t.depth/64], 0)
	}
	t.kinds[t.depth/64] |= object << (t.depth % 64)
	t.depth++
	t.pos = i
	if object != 0 {
		t.names.Push()
		t.state, t.after = stateFirstName, stateObjectNext
		return BeginObject
	}
	t.state, t.after = stateFirstItem, stateArrayNext
	return BeginArray
}

func (t *Tokenizer) end(i int) {
	t.depth--
	t.kinds[t.depth/64] &^= 1 << (t.depth % 64)
	switch outer := t.depth - 1; {
	case outer < 0:
		t.after = stateDone
	case t.kinds[outer/64]>>(outer%64)&1 != 0:
		t.after = stateObjectNext
	default:
		t.after = stateArrayNext
	}
	t.moveTo(i, t.after)
}

func (t *Tokenizer) fail(e Error) Token {
	t.Err, t.Bytes, t.inside = e, nil, anError
	return Failed
}

// literalPart reads on in true, false or null.
func (t *Tokenizer) literalPart() Token {
	for t.pos < len(t.chunk) {
		if t.chunk[t.pos] != t.word[t.matched] {
			return t.fail(Syntax)
		}
		t.pos++
		t.matched++
		if t.matched == len(t.word) {
			t.inside, t.Bytes = nothing, nil
			switch t.word[0] {
			case 't':
				return True
			case 'f':
				return False
			}
			return Null
		}
	}
	return t.starved()
}

func literal(first byte) string {
	switch first {
	case 't':
		return "true"
	case 'f':
		return "false"
	}
	return "null"
}

// starved is the end of the chunk within a token.
func (t *Tokenizer) starved() Token {
	if t.final {
		return t.fail(Syntax)
	}
	return More
}
