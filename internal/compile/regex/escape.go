package regex

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// class parses a character class, from after its opening bracket at start.
func (p *parser) class(start int) (runeSet, error) {
	negated := p.accept("^")
	var parts []runeSet
	for !p.accept("]") {
		if p.atEnd() {
			return nil, p.fail(start, "unclosed character class")
		}
		from := p.pos
		low, err := p.classAtom()
		if err != nil {
			return nil, err
		}
		if !p.sees("-") || p.sees("-]") || p.pos+1 == len(p.src) {
			parts = append(parts, low)
			continue
		}
		p.accept("-")
		high, err := p.classAtom()
		if err != nil {
			return nil, err
		}
		a, b, isRange := rangeOf(low, high)
		switch {
		case !isRange:
			parts = append(parts, low, single('-'), high)
		case a > b:
			return nil, p.fail(from, "the bounds of the range are out of order")
		default:
			parts = append(parts, runeSet{{a, b}})
		}
	}
	set := union(parts...)
	if negated {
		set = set.negate()
	}
	return set, nil
}

// rangeOf returns the bounds of low-high if both are one rune. In [\w-.] the
// hyphen stands for itself.
func rangeOf(low, high runeSet) (a, b rune, ok bool) {
	if len(low) != 1 || len(high) != 1 || low[0].lo != low[0].hi || high[0].lo != high[0].hi {
		return 0, 0, false
	}
	return low[0].lo, high[0].lo, true
}

func (p *parser) classAtom() (runeSet, error) {
	start := p.pos
	switch r := p.rune(); {
	case r != '\\':
		return single(r), nil
	case p.accept("b"):
		return single('\b'), nil
	}
	return p.atomEscape(start)
}

// atomEscape parses an escape that stands for one rune, from after its
// backslash at start.
func (p *parser) atomEscape(start int) (runeSet, error) {
	if p.atEnd() {
		return nil, p.fail(start, `\ at the end of the pattern`)
	}
	switch r := p.rune(); r {
	case 'd':
		return digitRunes, nil
	case 'D':
		return digitRunes.negate(), nil
	case 'w':
		return wordRunes, nil
	case 'W':
		return wordRunes.negate(), nil
	case 's':
		return spaceRunes, nil
	case 'S':
		return spaceRunes.negate(), nil
	case 'p':
		return p.propertyEscape(start)
	case 'P':
		set, err := p.propertyEscape(start)
		return set.negate(), err
	case 't':
		return single('\t'), nil
	case 'n':
		return single('\n'), nil
	case 'v':
		return single('\v'), nil
	case 'f':
		return single('\f'), nil
	case 'r':
		return single('\r'), nil
	case 'c':
		return p.controlLetter(start)
	case 'x':
		r, ok := p.hex(2)
		if !ok {
			return nil, p.fail(start, `\x needs two hexadecimal digits`)
		}
		return single(r), nil
	case 'u':
		return p.unicodeEscape(start)
	case '0':
		if !p.atEnd() && '0' <= p.src[p.pos] && p.src[p.pos] <= '9' {
			return nil, p.fail(start, "octal escapes are not ECMA-262 with the u flag")
		}
		return single(0), nil
	case '1', '2', '3', '4', '5', '6', '7', '8', '9', 'k':
		return nil, p.fail(start, "backreference has no finite automaton")
	case '_':
		return single(r), nil
	default:
		if isWord := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'; isWord {
			return nil, p.fail(start, `unknown escape \%c`, r)
		}
		return single(r), nil
	}
}

func (p *parser) propertyEscape(start int) (runeSet, error) {
	if !p.accept("{") {
		return nil, p.fail(start, `\p and \P need a property in braces`)
	}
	expr, _, closed := strings.Cut(p.src[p.pos:], "}")
	if !closed {
		return nil, p.fail(start, `\p and \P need a property in braces`)
	}
	p.pos += len(expr) + len("}")
	set, problem := property(expr)
	if problem != "" {
		return nil, p.fail(start, "%s", problem)
	}
	return set, nil
}

func (p *parser) controlLetter(start int) (runeSet, error) {
	if !p.atEnd() {
		if r := p.rune() | 0x20; 'a' <= r && r <= 'z' {
			return single(r - 'a' + 1), nil
		}
	}
	return nil, p.fail(start, `\c needs a letter`)
}

// unicodeEscape parses the rest of \uHHHH, \uHHHH\uHHHH (a surrogate pair)
// or \u{H...}.
func (p *parser) unicodeEscape(start int) (runeSet, error) {
	if p.accept("{") {
		digits, _, closed := strings.Cut(p.src[p.pos:], "}")
		n, err := strconv.ParseUint(digits, 16, 32)
		if !closed || err != nil || n > utf8.MaxRune {
			return nil, p.fail(start, `\u{...} needs the hexadecimal number of a code point`)
		}
		p.pos += len(digits) + len("}")
		return single(rune(n)), nil
	}
	r, ok := p.hex(4)
	if !ok {
		return nil, p.fail(start, `\u needs four hexadecimal digits or {...}`)
	}
	if highSurrogate := 0xD800 <= r && r <= 0xDBFF; highSurrogate {
		after := p.pos
		if low, ok := rune(0), false; p.accept(`\u`) {
			if low, ok = p.hex(4); ok && 0xDC00 <= low && low <= 0xDFFF {
				return single((r-0xD800)<<10 + (low - 0xDC00) + 0x10000), nil
			}
		}
		p.pos = after
	}
	return single(r), nil
}

// hex parses exactly n hexadecimal digits.
func (p *parser) hex(n int) (rune, bool) {
	if len(p.src)-p.pos < n {
		return 0, false
	}
	value, err := strconv.ParseUint(p.src[p.pos:p.pos+n], 16, 32)
	if err != nil {
		return 0, false
	}
	p.pos += n
	return rune(value), true
}
