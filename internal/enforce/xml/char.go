package xml

import (
	"unicode/utf8"

	"github.com/threatgate/threatgate/internal/enforce/utf8text"
)

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
	utf8text.Text
	before uint16 // the last two bytes
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
	if !u.Next(c) || c < ' ' && !isChar(rune(c)) || u.before == 0xefbf && c > 0xbd { // U+FFFE, U+FFFF
		return false
	}
	u.before = u.before<<8 | uint16(c)
	return true
}

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
