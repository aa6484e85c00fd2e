package regex

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// maxNesting bounds the depth of groups, and with it the depth of recursion.
const maxNesting = 250

// parse parses a pattern by the grammar named in the package's document.
func parse(pattern string) (*node, error) {
	if !utf8.ValidString(pattern) {
		return nil, &Error{-1, "not UTF-8"}
	}
	p := &parser{src: pattern, names: map[string]bool{}}
	root, err := p.disjunction()
	if err != nil {
		return nil, err
	}
	if !p.atEnd() {
		return nil, p.fail(p.pos, "unmatched )")
	}
	return root, nil
}

// A parser reads src from pos on; each method consumes what it is named for,
// the names being those of the grammar's productions.
type parser struct {
	src     string
	pos     int // byte offset
	nesting int
	names   map[string]bool // of the groups so far
}

func (p *parser) fail(offset int, format string, args ...any) error {
	return &Error{offset, fmt.Sprintf(format, args...)}
}

func (p *parser) atEnd() bool { return p.pos == len(p.src) }

// sees reports whether the rest of the pattern begins with prefix.
func (p *parser) sees(prefix string) bool { return strings.HasPrefix(p.src[p.pos:], prefix) }

// accept consumes prefix if the rest of the pattern begins with it.
func (p *parser) accept(prefix string) bool {
	if !p.sees(prefix) {
		return false
	}
	p.pos += len(prefix)
	return true
}

// rune consumes one code point. The pattern must not be at its end.
func (p *parser) rune() rune {
	r, size := utf8.DecodeRuneInString(p.src[p.pos:])
	p.pos += size
	return r
}

// disjunction stops at an unmatched ) or at the end.
func (p *parser) disjunction() (*node, error) {
	var alternatives []*node
	for {
		alternative, err := p.alternative()
		if err != nil {
			return nil, err
		}
		alternatives = append(alternatives, alternative)
		if !p.accept("|") {
			return alternate(alternatives...), nil
		}
	}
}

func (p *parser) alternative() (*node, error) {
	var terms []*node
	for !p.atEnd() && !p.sees("|") && !p.sees(")") {
		term, err := p.term()
		if err != nil {
			return nil, err
		}
		terms = append(terms, term)
	}
	return concat(terms...), nil
}

func (p *parser) term() (*node, error) {
	start := p.pos
	switch {
	case p.accept("^"), p.accept(`\A`): // the latter in most dialects but ECMA-262, where it is an error
		return lineStart, nil
	case p.accept("$"), p.accept(`\z`):
		return lineEnd, nil
	case p.accept(`\b`):
		return wordBoundary, nil
	case p.accept(`\B`):
		return noBoundary, nil
	case p.accept("(?<=") || p.accept("(?<!"):
		return p.lookaround(start, true)
	case p.accept("(?=") || p.accept("(?!"):
		ahead, err := p.lookaround(start, false)
		if err != nil {
			return nil, err
		}
		return p.quantified(ahead)
	}
	atom, err := p.atom()
	if err != nil {
		return nil, err
	}
	return p.quantified(atom)
}

// lookaround parses the rest of the group whose opening began at start.
func (p *parser) lookaround(start int, behind bool) (*node, error) {
	negated := p.src[p.pos-1] == '!'
	body, err := p.groupBody(start)
	if err != nil {
		return nil, err
	}
	return look(body, behind, negated), nil
}

func (p *parser) atom() (*node, error) {
	start := p.pos
	switch r := p.rune(); r {
	case '.':
		return oneOf(lineBreaks.negate()), nil
	case '(':
		if p.accept("?") && !p.accept(":") {
			if err := p.groupName(start); err != nil {
				return nil, err
			}
		}
		return p.groupBody(start)
	case '[':
		set, err := p.class(start)
		return oneOf(set), err
	case '\\':
		set, err := p.atomEscape(start)
		return oneOf(set), err
	case '*', '+', '?':
		return nil, p.fail(start, "nothing to repeat before %c", r)
	case '{':
		p.pos = start
		if _, _, ok, _ := p.braces(); ok {
			return nil, p.fail(start, "nothing to repeat before {")
		}
		if p.sees("{,") {
			return nil, p.fail(start, "a repeat needs its lower bound: {0,n}")
		}
		p.pos = start + 1
		fallthrough
	default:
		return oneOf(single(r)), nil
	}
}

// groupName parses the rest of "(?<name>", from after the question mark.
func (p *parser) groupName(start int) error {
	if p.sees("P<") || p.sees("P=") {
		return p.fail(start, "(?P is not ECMA-262: a named group is (?<name>...)")
	}
	if !p.accept("<") {
		return p.fail(start, "unknown kind of group: inline flags, atomic groups and comments are not ECMA-262")
	}
	name, _, closed := strings.Cut(p.src[p.pos:], ">")
	if !closed || !isGroupName(name) {
		return p.fail(start, "malformed group name")
	}
	if p.names[name] {
		return p.fail(start, "second group named %s", name)
	}
	p.names[name] = true
	p.pos += len(name) + len(">")
	return nil
}

// isGroupName reports whether name is an identifier written without escapes.
func isGroupName(name string) bool {
	for i, r := range name {
		starts := r == '$' || r == '_' || idStart.contains(r)
		continues := i > 0 && (idContinue.contains(r) || r == '\u200C' || r == '\u200D')
		if !starts && !continues {
			return false
		}
	}
	return name != ""
}

var (
	idStart, _    = binaryProperty("ID_Start")
	idContinue, _ = binaryProperty("ID_Continue")
)

// groupBody parses "...)" of the group whose opening began at start.
func (p *parser) groupBody(start int) (*node, error) {
	if p.nesting++; p.nesting > maxNesting {
		return nil, p.fail(start, "groups nest more than %d deep", maxNesting)
	}
	defer func() { p.nesting-- }()
	body, err := p.disjunction()
	if err != nil {
		return nil, err
	}
	if !p.accept(")") {
		return nil, p.fail(start, "unclosed group")
	}
	return body, nil
}

// quantified applies the quantifier that follows atom, if there is one.
func (p *parser) quantified(atom *node) (*node, error) {
	low, high := 0, -1
	switch {
	case p.accept("*"):
	case p.accept("+"):
		low = 1
	case p.accept("?"):
		high = 1
	default:
		var ok bool
		var err error
		low, high, ok, err = p.braces()
		if err != nil {
			return nil, err
		}
		if !ok {
			return atom, nil
		}
	}
	p.accept("?") // lazy: the same strings match
	return repeat(atom, low, high), nil
}

// braces parses {n}, {n,} or {n,m}. If none of these comes next it consumes
// nothing and ok is false: the brace is then an ordinary character.
func (p *parser) braces() (low, high int, ok bool, err error) {
	start := p.pos
	defer func() {
		if !ok {
			p.pos = start
		}
	}()
	if !p.accept("{") {
		return 0, 0, false, nil
	}
	low, ok = p.decimal()
	if !ok {
		return 0, 0, false, nil
	}
	high = low
	if p.accept(",") {
		if high, ok = p.decimal(); !ok {
			high = -1
		}
	}
	if !p.accept("}") {
		return 0, 0, false, nil
	}
	if high >= 0 && high < low {
		return 0, 0, true, p.fail(start, "the bounds of the repeat are out of order")
	}
	return low, high, true, nil
}

// decimal parses a number, of which it takes no more than maxRepeat.
func (p *parser) decimal() (n int, ok bool) {
	for !p.atEnd() && p.src[p.pos] >= '0' && p.src[p.pos] <= '9' {
		n = min(n*10+int(p.src[p.pos]-'0'), maxRepeat)
		p.pos++
		ok = true
	}
	return n, ok
}

// maxRepeat stands for any larger bound of a repeat: no string is that long.
const maxRepeat = math.MaxInt32
