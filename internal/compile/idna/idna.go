// Package idna tells what IDNA 2008 makes of every code point, for the formats
// that are host names.
package idna

import (
	"sync"
	"unicode"

	"golang.org/x/net/idna"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/bidi"
	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/unicode/rangetable"

	"github.com/threatgate/threatgate/internal/artifact"
)

// CodePoints are all code points, in ascending order, by the Unicode version
// of Go and of golang.org/x/text.
var CodePoints = sync.OnceValue(func() []artifact.Run {
	runs := []artifact.Run{0}
	add := func(c rune, t artifact.Traits) {
		if last := len(runs) - 1; runs[last].First() == c {
			runs = runs[:last]
		}
		if len(runs) == 0 || runs[len(runs)-1].Traits() != t {
			runs = append(runs, artifact.Run(c)<<8|artifact.Run(t))
		}
	}
	rangetable.Visit(candidates, func(c rune) {
		if isValid(c) {
			add(c, traits(c))
			add(c+1, 0)
		}
	})
	return runs
})

// candidates are what a label may hold at all (RFC 5892, sections 2.1, 2.6
// and 2.8).
var candidates = rangetable.Merge(letterDigits, unicode.Join_Control, rangetable.New('-', 0x00b7, 0x0375, 0x05f3, 0x05f4, 0x30fb, 0x06fd, 0x06fe, 0x0f0b, 0x3007))

var letterDigits = rangetable.Merge(unicode.Ll, unicode.Lu, unicode.Lo, unicode.Nd, unicode.Lm, unicode.Mn, unicode.Mc)

// isValid reports whether the derived property of a candidate is PVALID,
// CONTEXTJ or CONTEXTO (section 3).
func isValid(c rune) bool {
	switch {
	case !unicode.Is(letterDigits, c), c == 0x00df, c == 0x03c2:
		return true
	case c == 0x0640, c == 0x07fa, c == 0x302e, c == 0x302f, 0x3031 <= c && c <= 0x3035, c == 0x303b:
		return false
	}
	return !isOldJamo(c) && !isIgnorable(c) && isStable(c)
}

// isOldJamo is section 2.9.
func isOldJamo(c rune) bool {
	return 0x1100 <= c && c <= 0x11ff || 0xa960 <= c && c <= 0xa97c || 0xd7b0 <= c && c <= 0xd7fb
}

// isIgnorable is sections 2.3 and 2.4, as far as it is about letters, digits
// and marks.
func isIgnorable(c rune) bool {
	return 0x20d0 <= c && c <= 0x20ff || 0x1d100 <= c && c <= 0x1d24f ||
		unicode.In(c, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// isStable is the opposite of section 2.2. What is Lo and normal has no case.
func isStable(c rune) bool {
	s := norm.NFKC.String(string(c))
	return s == string(c) && (unicode.Is(unicode.Lo, c) || norm.NFKC.String(fold.String(s)) == s)
}

var fold = cases.Fold()

// traits are those of a code point that a label may hold.
func traits(c rune) artifact.Traits {
	t := direction(c)
	add := func(trait artifact.Traits, has bool) {
		if has {
			t |= trait
		}
	}
	add(artifact.CJK, unicode.In(c, unicode.Hiragana, unicode.Katakana, unicode.Han))
	if unicode.Is(unicode.M, c) {
		add(artifact.Mark, true)
		add(artifact.Virama, norm.NFC.PropertiesString(string(c)).CCC() == 9)
	} else if unicode.In(c, cursive...) {
		next := joinsNext(c)
		add(artifact.JoinsNext, next)
		add(artifact.JoinsPrevious, next || joinsPrevious(c))
	}
	return t
}

func direction(c rune) artifact.Traits {
	p, _ := bidi.LookupRune(c)
	switch p.Class() {
	case bidi.L:
		return artifact.LeftToRight
	case bidi.R, bidi.AL:
		return artifact.RightToLeft
	case bidi.AN:
		return artifact.ArabicNumber
	case bidi.EN:
		return artifact.EuropeanNumber
	case bidi.NSM:
		return artifact.NonspacingMark
	}
	return artifact.Neutral
}

// cursive are the scripts whose letters join.
var cursive = []*unicode.RangeTable{
	unicode.Adlam, unicode.Arabic, unicode.Chorasmian, unicode.Hanifi_Rohingya, unicode.Mandaic, unicode.Manichaean,
	unicode.Mongolian, unicode.Nko, unicode.Old_Uyghur, unicode.Phags_Pa, unicode.Psalter_Pahlavi, unicode.Sogdian, unicode.Syriac,
}

// joinsNext reports whether the Joining_Type of a letter is L or D. No package
// has that property, but behind such a letter a ZERO WIDTH NON-JOINER is allowed.
func joinsNext(c rune) bool {
	const beh = 0x0628 // joins on both sides
	_, err := joiners.ToUnicode(string([]rune{c, 0x200c, beh}))
	return err == nil
}

var joiners = idna.New(idna.CheckJoiners(true))

// joinsPrevious reports whether it is R if it isn't D. All letters of these
// scripts join on one side at least, but for three.
func joinsPrevious(c rune) bool {
	return unicode.In(c, unicode.Arabic, unicode.Mandaic, unicode.Syriac) && unicode.Is(unicode.Lo, c) &&
		c != 0x0621 && c != 0x0674 && c != 0x08ad
}
