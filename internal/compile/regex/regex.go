// Package regex compiles the regular expressions of JSON Schema's pattern
// keyword (ECMA-262, matched by Unicode code point) to tables which a filter
// walks one byte at a time.
//
// The stages, each in the file of its name, and what passes between them:
//
//	parse       pattern → node                  syntax
//	length      node → node, rune count bounds  ^class{m,n}$ becomes class* and a length check
//	trim        node → node                     what the search makes superfluous goes
//	program     node → program                  positions, joined by empty moves and lookarounds
//	determinize program → automaton             states and transitions over classes of runes
//	minimize    automaton → automaton           the fewest states and classes
//	utf8        automaton → DFA                 the same over bytes
//
// An expression matches a string if it matches some substring, so the search
// is part of the automaton. Lookahead, lookbehind, ^, $ and word boundaries
// are exact. Backreferences are refused, as no finite automaton has them.
//
// Grammar: ECMA-262 2023, section 22.2.1, with the u flag. Where the u flag
// makes an error of something that Annex B.1.2 gives one obvious meaning, that
// meaning is taken: unescaped ] { }, escaped punctuation such as \- or \",
// a class escape beside a hyphen ([\w-.]), a quantifier after a lookahead.
// So are, from other dialects, \A, \z, POSIX classes such as \p{Alnum} and
// scripts without Script=.
// Letters that stand for nothing when escaped (\a, \Z) are errors, for whoever
// writes them means something else than the letter.
package regex

import (
	"fmt"
	"unicode/utf8"
)

const (
	// maxStates bounds the states of an automaton, both over runes and over bytes.
	maxStates = 20_000

	// maxWork bounds the work done on one pattern, of which the unit is a
	// visit to an instruction. It keeps a hostile pattern to about a second.
	maxWork = 1 << 26

	// What a transition, of a state or of a condition, and a new condition count
	// for. They take memory, too.
	transitionCost, conditionCost = 16, 256
)

// DFA matches whole strings given as UTF-8: where the pattern is unanchored,
// the search is compiled in. A state is named by where its transitions begin
// in Next, which spares a walk a multiplication for each byte. It starts in
// Start, goes for each byte b from state s to Next[s+Class[b]], and matches if
// the state it ends in is Accept or more and the number of code points is
// within MinRunes and MaxRunes.
//
// From state 0 nothing matches.
//
// What a walk over bytes that are not UTF-8 answers is unspecified: encodings
// that can't occur share the transitions of their neighbours, which keeps the
// table small. It stays within the table.
type DFA struct {
	Class   [256]uint8 // byte → class
	Classes int        // number of classes, at least 1
	Next    []uint32   // state+class → state
	Start   uint32
	Accept  int // the first state in which a string may end, as it may in those behind; len(Next) if there is none

	// Bounds on the number of code points, both inclusive; a MaxRunes of -1
	// means none. They are set where counting in the table would need a state for each
	// count, as for ^[a-z]{0,4096}$, and hold in addition to the table.
	MinRunes, MaxRunes int
}

// Error says why a pattern can't be compiled, and at which byte of it.
type Error struct {
	Offset int // -1: the whole pattern
	Msg    string
}

func (e *Error) Error() string {
	if e.Offset < 0 {
		return e.Msg
	}
	return fmt.Sprintf("at offset %d: %s", e.Offset, e.Msg)
}

// Compile compiles pattern. The same pattern gives the same tables. The error
// is an *Error.
func Compile(pattern string) (*DFA, error) {
	root, err := parse(pattern)
	if err != nil {
		return nil, err
	}
	root, minRunes, maxRunes := liftLength(root)
	prog, err := compileProgram(trim(root))
	if err != nil {
		return nil, err
	}
	runes, err := determinize(prog)
	if err != nil {
		return nil, err
	}
	dfa, err := encode(minimize(runes))
	if err != nil {
		return nil, err
	}
	dfa.MinRunes, dfa.MaxRunes = minRunes, maxRunes
	return dfa, nil
}

// MatchString reports whether s, which must be UTF-8, matches.
func (d *DFA) MatchString(s string) bool {
	state := d.Start
	for i := range len(s) {
		state = d.Next[int(state)+int(d.Class[s[i]])]
	}
	if int(state) < d.Accept {
		return false
	}
	runes := utf8.RuneCountInString(s)
	return runes >= d.MinRunes && (d.MaxRunes < 0 || runes <= d.MaxRunes)
}

// errWork reports a pattern that took more than maxWork.
func errWork() *Error {
	return &Error{-1, "too complex to turn into an automaton: repeat less, or bound the length by maxLength instead"}
}

// errStates reports an automaton that outgrew maxStates.
func errStates() *Error {
	return &Error{-1, fmt.Sprintf("needs more than %d states: repeat less, or bound the length by maxLength instead", maxStates)}
}
