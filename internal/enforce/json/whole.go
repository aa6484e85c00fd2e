package json

import (
	"encoding/binary"
	"math/bits"
)

// Whoever knows what to expect can read text faster than Next finds tokens in
// it: by himself from where Outset or Ahead says, with the functions below, up to where
// he tells Skip. The functions know strings, numbers and literals that are
// plain and have some bytes behind them in the chunk; what they say no to may
// yet be valid.

// Lookahead is how many bytes behind a text help to read all of it so: its
// capacity should exceed its length by as many. What they are doesn't matter.
const Lookahead = 48

// Outset returns the chunk and the index in it at which the text may begin.
// The chunk is nil if it has begun.
func (t *Tokenizer) Outset() (chunk []byte, i int) {
	if t.inside != nothing || t.state != stateValue || t.depth > 0 {
		return nil, 0
	}
	return t.chunk, t.pos
}

// Ahead returns the chunk and the index in it at which a member or an item
// may begin. The chunk is nil if none may.
func (t *Tokenizer) Ahead() (chunk []byte, i int) {
	if t.inside != nothing || !beginsMember[t.state&15] && (t.state != stateValue || t.after != stateArrayNext) {
		return nil, 0
	}
	return t.chunk, t.pos
}

var beginsMember = [16]bool{stateFirstName: true, stateName: true, stateFirstItem: true}

// Over reports whether the value has ended, and with it the chunk.
func (t *Tokenizer) Over() bool {
	return t.state == stateDone && t.inside == nothing && t.pos == len(t.chunk)
}

// Depth is the number of arrays and objects that are open.
func (t *Tokenizer) Depth() int { return t.depth }

// Enter is for an array or object that begins in what will be skipped, and
// does not end there. It must not be too deep.
func (t *Tokenizer) Enter(object bool) {
	kind := uint64(0)
	if object {
		kind = 1
	}
	t.begin(t.pos, kind)
}

// Skip moves to byte i of the chunk. There a value has just ended, or else
// the array or object that was entered last begins.
func (t *Tokenizer) Skip(i int, ended bool) {
	t.pos = i
	if ended {
		t.state = t.after
	}
}

// SkipSpace returns the index of the first byte from b[i] on that is no white
// space, len(b) if there is none.
func SkipSpace(b []byte, i int) int {
	for i < len(b) && classes[b[i]] == classSpace {
		i++
	}
	return i
}

// StringEnd returns the index of the quote that ends the string of which the
// text begins at b[i]; -1 if it has escapes or errors or is not there.
func StringEnd(b []byte, i int) int {
	for i+8 <= len(b) {
		special := specials(binary.LittleEndian.Uint64(b[i:]))
		if special == 0 {
			i += 8
			continue
		}
		i += bits.TrailingZeros64(special) / 8
		if b[i] == '"' {
			return i
		}
		n := multiByteRun(b[i:])
		if n == 0 {
			return -1
		}
		i += n
	}
	return -1
}

// Literal is the literal that the five bytes of b begin with; More if they
// begin with none.
func Literal(b []byte) Token {
	const tru, null, alse = 'e'<<24 | 'u'<<16 | 'r'<<8 | 't', 'l'<<24 | 'l'<<16 | 'u'<<8 | 'n', 'e'<<24 | 's'<<16 | 'l'<<8 | 'a'
	switch w := binary.LittleEndian.Uint32(b); {
	case w == tru:
		return True
	case w == null:
		return Null
	case b[0] == 'f' && binary.LittleEndian.Uint32(b[1:]) == alse:
		return False
	}
	return More
}

// SmallNumber reads the number n × 10^-scale that begins at b[i] and ends
// before b[end]. The end is -1 if it has an exponent, or more than 15 digits,
// or more than 7 on either side of a point, or if it is none.
func SmallNumber(b []byte, i int) (n int64, scale, end int) {
	const longest = 1 + 15 + 8 // of sign and digits, and of what is loaded at once behind them
	if i+longest > len(b) {
		return 0, 0, -1
	}
	r := b[i : i+longest]
	at, negative := 0, r[0] == '-'
	if negative {
		at = 1
	}
	first := binary.LittleEndian.Uint64(r[at:])
	value, count := digits(first)
	at += count
	if count == 8 {
		if more, m := digits(binary.LittleEndian.Uint64(r[at:])); m > 0 {
			value, count, at = value*powersOf10[m]+more, count+m, at+m
		}
	}
	if count == 0 || count == 16 || count > 1 && first&0xff == '0' {
		return 0, 0, -1
	}
	c := r[at]
	if c == '.' {
		if count >= 8 {
			return 0, 0, -1
		}
		fraction, places := digits(binary.LittleEndian.Uint64(r[at+1:]))
		if places%8 == 0 {
			return 0, 0, -1
		}
		value, scale, at = value*powersOf10[places]+fraction, places, at+1+places
		c = r[at]
	}
	if c|0x20 == 'e' {
		return 0, 0, -1
	}
	n = int64(value)
	if negative {
		n = -n
	}
	return n, scale, i + at
}

var powersOf10 = [...]uint64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8}

// digits reads the decimal digits that w begins with, up to eight, at once:
// neighbours become numbers below 100, then below 10⁴, then below 10⁸. The value
// of none is of no use.
func digits(w uint64) (value uint64, count int) {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	w ^= ones * '0'
	count = bits.TrailingZeros64((w|(w+ones*(0x80-10)))&tops) / 8
	w <<= (64 - 8*uint(count)) % 64
	w = w*10 + w>>8
	const pairs = 0x000000ff000000ff
	return (w&pairs*(100+1e6<<32) + w>>16&pairs*(1+1e4<<32)) >> 32, count
}
