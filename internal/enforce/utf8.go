package enforce

// utf8Text finds out whether a text that arrives in parts is UTF-8 (RFC 3629
// section 4). The zero utf8Text is at its start.
type utf8Text struct {
	missing   int  // bytes of a character
	low, high byte // which the next of them may be
}

// valid returns how many bytes of the next part go on as UTF-8 may.
func (u *utf8Text) valid(part []byte) int {
	for i, c := range part {
		switch {
		case u.missing > 0 && (c < u.low || c > u.high):
			return i
		case u.missing > 0:
			u.missing--
			u.low, u.high = 0x80, 0xbf
		case c < 0x80:
		case c < 0xc2 || c > 0xf4:
			return i
		default:
			u.begin(c)
		}
	}
	return len(part)
}

// begin is the first byte of a character of several.
func (u *utf8Text) begin(c byte) {
	u.missing, u.low, u.high = 1, 0x80, 0xbf
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
func (u *utf8Text) whole() bool { return u.missing == 0 }
