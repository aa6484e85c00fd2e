package xml

import "unicode/utf8"

// isChar is Char of XML section 2.2.
func isChar(r rune) bool {
	switch {
	case r < ' ':
		return r == '\t' || r == '\n' || r == '\r'
	case r >= 0xd800 && r < 0xe000:
		return false
	}
	return r != 0xfffe && r != 0xffff && r <= utf8.MaxRune
}

func validChars(b []byte) bool {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 || !isChar(r) {
			return false
		}
		b = b[n:]
	}
	return true
}

// chars finds out whether a text that arrives in parts is made of characters
// in UTF-8. The zero chars is at its start.
type chars struct {
	missing   int  // bytes of a character
	low, high byte // which the next of them may be
	first     byte // of the character
}

// valid returns how many bytes of the next part go on as they may.
func (u *chars) valid(part []byte) int {
	for i, c := range part {
		if !u.next(c) {
			return i
		}
	}
	return len(part)
}

// next takes a byte, and reports whether it may come.
func (u *chars) next(c byte) bool {
	switch {
	case u.missing > 0:
		if c < u.low || c > u.high {
			return false
		}
		u.missing--
		u.low, u.high = 0x80, 0xbf
		if u.first == 0xef && c == 0xbf && u.missing == 1 {
			u.high = 0xbd // neither U+FFFE nor U+FFFF
		}
	case c < 0x80:
		return c >= ' ' || isChar(rune(c))
	case c < 0xc2 || c > 0xf4:
		return false
	default:
		u.begin(c)
	}
	return true
}

// begin is the first byte of a character of several (RFC 3629 section 4).
func (u *chars) begin(c byte) {
	u.missing, u.low, u.high, u.first = 1, 0x80, 0xbf, c
	switch {
	case c >= 0xf0:
		u.missing = 3
	case c >= 0xe0:
		u.missing = 2
	}
	switch c {
	case 0xe0, 0xf0:
		u.low = 0xa0 - c&0x10 // nothing that fewer bytes could say
	case 0xed:
		u.high = 0x9f // no surrogates
	case 0xf4:
		u.high = 0x8f // no more than U+10FFFF
	}
}

// whole reports whether no character is cut off.
func (u *chars) whole() bool { return u.missing == 0 }

// cutName splits a name (XML section 2.3) from what follows it; it is empty
// if there is none.
func cutName(b []byte) (name, rest []byte) {
	n := 0
	for n < len(b) {
		r, size := utf8.DecodeRune(b[n:])
		if !isNameStart(r) && (n == 0 || !isNameChar(r)) {
			break
		}
		n += size
	}
	return b[:n], b[n:]
}

func isNameStart(r rune) bool {
	if r < 0x80 {
		return 'a' <= r|0x20 && r|0x20 <= 'z' || r == '_' || r == ':'
	}
	for _, span := range nameStarts {
		if span[0] <= r && r <= span[1] {
			return true
		}
	}
	return false
}

func isNameChar(r rune) bool {
	return '0' <= r && r <= '9' || r == '-' || r == '.' || r == 0xb7 || 0x300 <= r && r <= 0x36f || 0x203f <= r && r <= 0x2040
}

// nameStarts is NameStartChar beyond ASCII.
var nameStarts = [...][2]rune{
	{0xc0, 0xd6}, {0xd8, 0xf6}, {0xf8, 0x2ff}, {0x370, 0x37d}, {0x37f, 0x1fff}, {0x200c, 0x200d}, {0x2070, 0x218f},
	{0x2c00, 0x2fef}, {0x3001, 0xd7ff}, {0xf900, 0xfdcf}, {0xfdf0, 0xfffd}, {0x10000, 0xeffff},
}
