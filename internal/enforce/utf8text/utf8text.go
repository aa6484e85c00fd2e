// Package utf8text judges UTF-8 that arrives in parts (RFC 3629 section 4).
package utf8text

import "unicode/utf8"

// Text finds out whether a text is UTF-8. The zero Text is at its start.
type Text struct {
	need     uint8 // bytes of a character
	low, top uint8 // which the next of them may be
}

// Next reports whether a byte may come, and takes one that may.
func (t *Text) Next(c byte) bool {
	switch {
	case t.need > 0:
		if c < t.low || t.top < c {
			return false
		}
		t.need, t.low, t.top = t.need-1, 0x80, 0xbf
		return true
	case c < utf8.RuneSelf:
		return true
	}
	t.need, t.low, t.top = Sequence(c)
	return t.need > 0
}

// Valid returns how many bytes of the next part go on as UTF-8 may.
func (t *Text) Valid(part []byte) int {
	for i, c := range part {
		if (t.need > 0 || c >= utf8.RuneSelf) && !t.Next(c) {
			return i
		}
	}
	return len(part)
}

// Whole reports whether no character is cut off.
func (t *Text) Whole() bool { return t.need == 0 }

// Sequence says what must follow the first byte of a UTF-8 sequence: how many
// bytes, and the range of the first of them (RFC 3629, section 4). 0: c can't
// be first.
func Sequence(c byte) (need, low, top uint8) {
	switch {
	case c < 0xc2 || c > 0xf4:
		return 0, 0, 0
	case c < 0xe0:
		return 1, 0x80, 0xbf
	case c == 0xe0:
		return 2, 0xa0, 0xbf
	case c == 0xed: // surrogates
		return 2, 0x80, 0x9f
	case c < 0xf0:
		return 2, 0x80, 0xbf
	case c == 0xf0:
		return 3, 0x90, 0xbf
	case c == 0xf4: // beyond U+10FFFF
		return 3, 0x80, 0x8f
	}
	return 3, 0x80, 0xbf
}
