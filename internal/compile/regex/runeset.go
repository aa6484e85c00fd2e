package regex

import (
	"cmp"
	"slices"
	"unicode"
)

// A runeSet is a set of code points: ranges in ascending order that neither
// overlap nor touch.
type runeSet []runeRange

// A runeRange holds the code points lo to hi, both included.
type runeRange struct{ lo, hi rune }

var (
	anyRune    = runeSet{{0, unicode.MaxRune}}
	digitRunes = runeSet{{'0', '9'}}
	wordRunes  = runeSet{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}

	// WhiteSpace and LineTerminator, ECMA-262 sections 12.2 and 12.3.
	spaceRunes = union(runeSet{{'\t', '\r'}, {0xFEFF, 0xFEFF}}, tableSet(unicode.Zs), lineBreaks)
	lineBreaks = runeSet{{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}}
)

func single(r rune) runeSet { return runeSet{{r, r}} }

// union returns the set of runes that are in any of sets, which need not be
// in order themselves.
func union(sets ...runeSet) runeSet {
	all := slices.Concat(sets...)
	slices.SortFunc(all, func(a, b runeRange) int { return cmp.Compare(a.lo, b.lo) })
	merged := all[:0]
	for _, r := range all {
		if n := len(merged); n > 0 && r.lo <= merged[n-1].hi+1 {
			merged[n-1].hi = max(merged[n-1].hi, r.hi)
		} else {
			merged = append(merged, r)
		}
	}
	return merged
}

// negate returns the code points that are not in s.
func (s runeSet) negate() runeSet {
	var out runeSet
	next := rune(0)
	for _, r := range s {
		if next < r.lo {
			out = append(out, runeRange{next, r.lo - 1})
		}
		next = r.hi + 1
	}
	if next <= unicode.MaxRune {
		out = append(out, runeRange{next, unicode.MaxRune})
	}
	return out
}

// tableSet returns the runes that are in any of tables.
func tableSet(tables ...*unicode.RangeTable) runeSet {
	var all runeSet
	add := func(lo, hi, stride rune) {
		if stride == 1 {
			all = append(all, runeRange{lo, hi})
			return
		}
		for r := lo; r <= hi; r += stride {
			all = append(all, runeRange{r, r})
		}
	}
	for _, t := range tables {
		for _, r := range t.R16 {
			add(rune(r.Lo), rune(r.Hi), rune(r.Stride))
		}
		for _, r := range t.R32 {
			add(rune(r.Lo), rune(r.Hi), rune(r.Stride))
		}
	}
	return union(all)
}

func (s runeSet) contains(r rune) bool {
	i, found := slices.BinarySearchFunc(s, r, func(have runeRange, r rune) int { return cmp.Compare(have.lo, r) })
	return found || i > 0 && r <= s[i-1].hi
}
