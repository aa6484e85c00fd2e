package json

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"

	"github.com/threatgate/threatgate/internal/enforce/utf8text"
)

// text is where we are inside of a string or a name.
type text struct {
	step     step
	need     uint8   // continuation bytes that a UTF-8 sequence still lacks
	low, top uint8   // what range the next one is in
	digits   uint8   // hexadecimal digits that an escape still lacks
	size     uint8   // of character
	unit     rune    // the UTF-16 code unit that an escape is spelling
	high     rune    // a high surrogate that waits for its other half; 0: none
	decoded  [4]byte // what the last escape stands for, in UTF-8
}

type step uint8

const (
	stepPlain  step = iota // between characters
	stepUTF8               // inside of a multi-byte character
	stepEscape             // behind a backslash
	stepHex                // behind \u
	stepLow                // behind a high surrogate, which must be followed by \u
	stepLowU               // behind its backslash
)

// found says why read has stopped.
type found uint8

const (
	foundPart      found = iota // what it has read so far has to be passed on first
	foundEnd                    // of the string
	foundCharacter              // in decoded: an escape is complete
	foundChunkEnd
	foundError
)

// read reads on in a string. It returns the bytes that stand for themselves
// up to where it stops. An error is found only when all before it has been
// passed on, so that where the chunks end makes no difference.
func (t *Tokenizer) read() ([]byte, found) {
	b, start, x := t.chunk, t.pos, &t.text
	i := start
	for i < len(b) {
		if x.step == stepPlain {
			i += plainRun(b[i:])
			if i == len(b) {
				break
			}
			switch c := b[i]; {
			case c == '"':
				t.pos = i + 1
				return b[start:i], foundEnd
			case c >= utf8.RuneSelf:
				if n := multiByteRun(b[i:]); n > 0 {
					i += n
					continue
				}
				x.need, x.low, x.top = utf8text.Sequence(c)
				if x.need > 0 {
					x.step = stepUTF8
					i++
					continue
				}
			case c == '\\' && i == start:
				x.step = stepEscape
				i++
				start = i
				continue
			}
			// A backslash or an error.
			t.pos = i
			if i > start {
				return b[start:i], foundPart
			}
			return nil, foundError
		}
		if x.step == stepUTF8 {
			if c := b[i]; x.low <= c && c <= x.top {
				i++
				x.low, x.top = 0x80, 0xbf
				if x.need--; x.need == 0 {
					x.step = stepPlain
				}
				continue
			}
			t.pos = i
			if i > start {
				return b[start:i], foundPart
			}
			return nil, foundError
		}
		ok := x.escape(b[i])
		i++
		start = i
		switch {
		case !ok:
			return nil, foundError
		case x.step == stepPlain:
			t.pos = i
			return nil, foundCharacter
		}
	}
	t.pos = i
	return b[start:i], foundChunkEnd
}

// escape takes the next byte behind a backslash (RFC 8259, section 7). At
// the end of the escape the step is stepPlain again and the character is in
// decoded. It returns false if c can't be there.
func (x *text) escape(c byte) bool {
	switch x.step {
	case stepLow:
		x.step = stepLowU
		return c == '\\'
	case stepLowU:
		x.step, x.digits, x.unit = stepHex, 4, 0
		return c == 'u'
	case stepEscape:
		if c == 'u' {
			x.step, x.digits, x.unit = stepHex, 4, 0
			return true
		}
		x.step, x.size = stepPlain, 1
		x.decoded[0] = escapes[c]
		return escapes[c] != 0
	}
	digit := hex(c)
	if digit < 0 {
		return false
	}
	x.unit = x.unit<<4 | digit
	if x.digits--; x.digits > 0 {
		return true
	}
	isHigh, isLow := x.unit&^0x3ff == 0xd800, x.unit&^0x3ff == 0xdc00
	switch {
	case x.high == 0 && isHigh:
		x.high, x.step = x.unit, stepLow
		return true
	case x.high == 0 && isLow, x.high != 0 && !isLow:
		return false
	case x.high != 0:
		x.unit = 0x10000 + (x.high&0x3ff)<<10 + x.unit&0x3ff
		x.high = 0
	}
	x.step, x.size = stepPlain, uint8(utf8.EncodeRune(x.decoded[:], x.unit))
	return true
}

// escapes maps the byte behind a backslash to what it stands for.
var escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func hex(c byte) rune {
	switch {
	case '0' <= c && c <= '9':
		return rune(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return rune(c|0x20-'a') + 10
	}
	return -1
}

// stringPart reads on in a string.
func (t *Tokenizer) stringPart() Token {
	run, found := t.read()
	t.Bytes = run
	switch {
	case found == foundEnd:
		t.inside = nothing
		return String
	case found == foundCharacter:
		t.Bytes = t.text.decoded[:t.text.size]
	case len(run) > 0:
	case found == foundError:
		return t.fail(Syntax)
	default:
		return t.starved()
	}
	return Part
}

// namePart reads on in a name.
func (t *Tokenizer) namePart() Token {
	for {
		run, found := t.read()
		if found == foundEnd && len(t.buf) == 0 {
			return t.endName(run)
		}
		t.buf = append(t.buf, run...)
		if found == foundCharacter {
			t.buf = append(t.buf, t.text.decoded[:t.text.size]...)
		}
		switch {
		case len(t.buf) > t.limits.MaxToken:
			return t.fail(TokenLength)
		case found == foundEnd:
			return t.endName(t.buf)
		case found == foundError:
			return t.fail(Syntax)
		case found == foundChunkEnd:
			return t.starved()
		}
	}
}

func (t *Tokenizer) endName(name []byte) Token {
	if len(name) > t.limits.MaxToken {
		return t.fail(TokenLength)
	}
	t.inside, t.Bytes = nothing, name
	return Name
}

// plainRun is the number of bytes at the beginning of b that stand for
// themselves and are ASCII.
func plainRun(b []byte) int {
	i := 0
	for ; i+8 <= len(b); i += 8 {
		if special := specials(binary.LittleEndian.Uint64(b[i:])); special != 0 {
			return i + bits.TrailingZeros64(special)/8
		}
	}
	for i < len(b) && b[i] >= ' ' && b[i] < utf8.RuneSelf && b[i] != '"' && b[i] != '\\' {
		i++
	}
	return i
}

// specials has the top bit of the first byte of w that does not stand for
// itself or is not ASCII. What is behind it is of no use: a borrow can set
// bits there.
func specials(w uint64) uint64 {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	quote, backslash := w^ones*'"', w^ones*'\\'
	return (w | (w - ones*' ') | (quote - ones) | (backslash - ones)) & tops
}

// multiByteRun is the number of bytes at the beginning of b that are whole
// multi-byte characters.
func multiByteRun(b []byte) int {
	i := 0
	for i < len(b) && b[i] >= utf8.RuneSelf {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		i += n
	}
	return i
}
