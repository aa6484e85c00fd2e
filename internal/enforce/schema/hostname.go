package schema

import (
	"bytes"
	"unicode/utf8"

	"github.com/threatgate/threatgate/internal/artifact"
)

const (
	maxHostname = 253 // bytes
	maxLabel    = 63
	acePrefix   = "xn--" // RFC 5890, section 2.3.2.5
)

// hostname judges host names by IDNA 2008: their A-labels must stand for
// U-labels (RFC 5890, section 2.3.2.1), and, if international, they may have
// U-labels themselves. That a U-label is in normalisation form C is not judged.
type hostname struct {
	codePoints    []artifact.Run
	international bool

	size      int  // bytes of the name as A-labels
	bidi      bool // some label is written from right to left,
	unordered bool // some breaks the Bidi rule, which holds if bidi
}

func (h *hostname) judge(s []byte) bool {
	h.size = -1
	for more := true; more; {
		var label []byte
		if label, s, more = h.cut(s); !h.label(label) {
			return false
		}
	}
	return h.size <= maxHostname && !(h.bidi && h.unordered)
}

// cut is bytes.Cut at the first dot, which in an international name may also
// be one of the three others of RFC 3490, section 3.1.
func (h *hostname) cut(s []byte) (label, rest []byte, more bool) {
	for i, c := range s {
		switch {
		case c == '.':
			return s[:i], s[i+1:], true
		case c < utf8.RuneSelf || !h.international:
		case bytes.HasPrefix(s[i:], []byte("\u3002")), bytes.HasPrefix(s[i:], []byte("\uff0e")), bytes.HasPrefix(s[i:], []byte("\uff61")):
			return s[:i], s[i+3:], true
		}
	}
	return s, nil, false
}

func (h *hostname) label(s []byte) bool {
	var memory [maxLabel]rune
	label := memory[:0]
	isASCII := true
	for len(s) > 0 && len(label) < maxLabel {
		c, size := utf8.DecodeRune(s)
		s = s[size:]
		label, isASCII = append(label, c), isASCII && c < utf8.RuneSelf
	}
	n := len(label)
	if n == 0 || len(s) > 0 || label[0] == '-' || label[n-1] == '-' {
		return false
	}
	if !isASCII {
		return h.international && h.unicode(label)
	}
	for i, c := range label {
		if 'A' <= c && c <= 'Z' {
			label[i] |= 0x20
		}
	}
	switch {
	case !isReserved(label):
	case label[0] == 'x' && label[1] == 'n':
		return h.encoded(label[len(acePrefix):])
	case h.international:
		return false
	}
	for _, c := range label {
		if directionOf(c) == 0 {
			return false
		}
	}
	h.order(label)
	h.size += 1 + n
	return true
}

// isReserved reports whether a label is like "xn--…".
func isReserved(label []rune) bool { return len(label) > 3 && label[2] == '-' && label[3] == '-' }

// encoded judges an A-label, less its prefix: it must be the encoding of a
// U-label, and the one that encoding gives (RFC 5891, section 5.4).
func (h *hostname) encoded(label []rune) bool {
	var memory [maxLabel]rune
	decoded, ok := appendDecoded(memory[:0], label)
	if !ok || !h.unicode(decoded) {
		return false
	}
	var again [maxLabel]byte
	encoded, _ := appendEncoded(again[:0], decoded)
	same := len(encoded) == len(label)
	for i, c := range encoded {
		same = same && c == byte(label[i])
	}
	return same
}

// unicode judges a U-label (RFC 5891, section 4.2).
func (h *hostname) unicode(label []rune) bool {
	n := len(label)
	if n > maxLabel-len(acePrefix) || label[0] == '-' || label[n-1] == '-' || isReserved(label) || h.traits(label[0])&artifact.Mark != 0 {
		return false
	}
	for i, c := range label {
		if h.traits(c) == 0 || !h.fits(label, i) {
			return false
		}
	}
	h.order(label)
	var memory [maxLabel - len(acePrefix)]byte
	encoded, ok := appendEncoded(memory[:0], label)
	h.size += 1 + len(acePrefix) + len(encoded)
	return ok
}

// traits are those of a code point.
func (h *hostname) traits(c rune) artifact.Traits {
	if c < utf8.RuneSelf {
		if 'A' <= c && c <= 'Z' {
			return 0 // RFC 5892, section 2.2
		}
		return directionOf(c)
	}
	low, high := 0, len(h.codePoints) // the run of c is from low on and before high
	for high-low > 1 {
		if middle := (low + high) / 2; h.codePoints[middle].First() <= c {
			low = middle
		} else {
			high = middle
		}
	}
	if low == high {
		return 0
	}
	return h.codePoints[low].Traits()
}

// directionOf is the direction of an ASCII character, 0 if it is none of a
// host name.
func directionOf(c rune) artifact.Traits {
	switch {
	case isLetter(byte(c)):
		return artifact.LeftToRight
	case isDigit(byte(c)):
		return artifact.EuropeanNumber
	case c == '-':
		return artifact.Neutral
	}
	return 0
}

// fits reports whether the code points around the i-th let it be there (RFC
// 5892, appendix A).
func (h *hostname) fits(label []rune, i int) bool {
	before, after := rune(0), rune(0)
	if i > 0 {
		before = label[i-1]
	}
	if i+1 < len(label) {
		after = label[i+1]
	}
	switch c := label[i]; {
	case c == '\u00b7': // middle dot
		return before == 'l' && after == 'l'
	case c == '\u0375': // Greek keraia
		return '\u0370' <= after && after <= '\u03e1' || '\u03f0' <= after && after <= '\u03ff' || '\u1f00' <= after && after <= '\u1fff'
	case c == '\u05f3' || c == '\u05f4': // Hebrew geresh and gershayim
		return '\u0591' <= before && before <= '\u05f4'
	case c == '\u30fb': // Katakana middle dot
		for _, other := range label {
			if h.traits(other)&artifact.CJK != 0 {
				return true
			}
		}
		return false
	case '\u0660' <= c && c <= '\u0669': // Arabic-Indic digits
		for _, other := range label {
			if '\u06f0' <= other && other <= '\u06f9' {
				return false
			}
		}
	case c == '\u200d': // zero width joiner
		return h.traits(before)&artifact.Virama != 0
	case c == '\u200c': // zero width non-joiner
		return h.traits(before)&artifact.Virama != 0 || h.joins(label, i)
	}
	return true
}

// joins reports whether the i-th code point is between two that would be
// joined without it.
func (h *hostname) joins(label []rune, i int) bool {
	transparent := func(c rune) bool { return h.traits(c)&artifact.DirectionMask == artifact.NonspacingMark }
	low, high := i-1, i+1
	for low >= 0 && transparent(label[low]) {
		low--
	}
	for high < len(label) && transparent(label[high]) {
		high++
	}
	return low >= 0 && high < len(label) &&
		h.traits(label[low])&artifact.JoinsNext != 0 && h.traits(label[high])&artifact.JoinsPrevious != 0
}

// order judges a label by the Bidi rule (RFC 5893, section 2).
func (h *hostname) order(label []rune) {
	has := func(set uint8, d artifact.Traits) bool { return set>>d&1 != 0 }
	first := h.traits(label[0]) & artifact.DirectionMask
	var all uint8 // the set of directions
	var last artifact.Traits
	for _, c := range label {
		d := h.traits(c) & artifact.DirectionMask
		all |= 1 << d
		if d != artifact.NonspacingMark {
			last = d
		}
	}
	h.bidi = h.bidi || has(all, artifact.RightToLeft) || has(all, artifact.ArabicNumber)
	switch ends := last == artifact.EuropeanNumber || last == first; first {
	case artifact.LeftToRight:
		h.unordered = h.unordered || !ends
	case artifact.RightToLeft:
		h.unordered = h.unordered || !ends && last != artifact.ArabicNumber ||
			has(all, artifact.LeftToRight) || has(all, artifact.ArabicNumber) && has(all, artifact.EuropeanNumber)
	default:
		h.unordered = true
	}
	if first == artifact.LeftToRight && (has(all, artifact.RightToLeft) || has(all, artifact.ArabicNumber)) {
		h.unordered = true
	}
}
