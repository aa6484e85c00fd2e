package regex

// A node is a parsed expression. Groups leave no trace but their nesting, for
// nothing refers to what they capture; nor does the greed of a quantifier,
// for it does not change which strings match. Nodes are immutable.
type node struct {
	op   op
	set  runeSet // opSet: one rune of the set
	subs []*node // opConcat, opAlternate: any number; opRepeat, opLook: one

	min, max int // opRepeat: bounds on the count; max -1 means none

	behind  bool // opLook: looks at what precedes the position, else at what follows
	negated bool // opLook: holds where subs[0] does not match
}

type op uint8

const (
	opSet op = iota
	opConcat
	opAlternate
	opRepeat
	opLook
)

// The assertions of ECMA-262 section 22.2.2.4 are lookarounds over one rune.
var (
	lineStart = look(oneOf(anyRune), true, true)
	lineEnd   = look(oneOf(anyRune), false, true)

	afterWord, notAfterWord   = look(oneOf(wordRunes), true, false), look(oneOf(wordRunes), true, true)
	beforeWord, notBeforeWord = look(oneOf(wordRunes), false, false), look(oneOf(wordRunes), false, true)

	wordBoundary = alternate(concat(afterWord, notBeforeWord), concat(notAfterWord, beforeWord))
	noBoundary   = alternate(concat(afterWord, beforeWord), concat(notAfterWord, notBeforeWord))
)

func oneOf(set runeSet) *node { return &node{op: opSet, set: set} }

func alternate(subs ...*node) *node {
	if len(subs) == 1 {
		return subs[0]
	}
	return &node{op: opAlternate, subs: subs}
}

// concat joins subs in order, taking in the parts of any that are
// concatenations themselves. concat() matches the empty string.
func concat(subs ...*node) *node {
	var flat []*node
	for _, sub := range subs {
		if sub.op == opConcat {
			flat = append(flat, sub.subs...)
		} else {
			flat = append(flat, sub)
		}
	}
	if len(flat) == 1 {
		return flat[0]
	}
	return &node{op: opConcat, subs: flat}
}

// repeat is sub{min,max}.
func repeat(sub *node, min, max int) *node {
	switch {
	case max == 0:
		return concat()
	case sub.op == opConcat && len(sub.subs) == 0:
		return sub
	case min == 1 && max == 1:
		return sub
	case min == 0 && max == 1 && sub.op == opRepeat && sub.min <= 1:
		return repeat(sub.subs[0], 0, sub.max)
	}
	return &node{op: opRepeat, subs: []*node{sub}, min: min, max: max}
}

func look(sub *node, behind, negated bool) *node {
	return &node{op: opLook, subs: []*node{sub}, behind: behind, negated: negated}
}
