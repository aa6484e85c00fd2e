package regex

import (
	"slices"
	"unicode"
)

// An alphabet divides the runes into classes that a program need not tell
// apart. Surrogates are no runes: no string of UTF-8 holds them. They go with
// the class before them.
type alphabet struct {
	starts  []rune // first rune of each interval, ascending from 0
	class   []int  // per interval
	classes int
}

const firstSurrogate, afterSurrogates = 0xD800, 0xE000

func isSurrogate(r rune) bool { return firstSurrogate <= r && r < afterSurrogates }

// newAlphabet returns the coarsest alphabet in which each of sets is a union
// of classes. Classes are numbered in the order of their first runes.
// It fails if the sets are too many to compare.
func newAlphabet(sets []runeSet) (*alphabet, error) {
	starts := []rune{0, firstSurrogate, afterSurrogates}
	for _, set := range sets {
		for _, r := range set {
			starts = append(starts, r.lo)
			if r.hi < unicode.MaxRune {
				starts = append(starts, r.hi+1)
			}
		}
	}
	slices.Sort(starts)
	a := &alphabet{starts: slices.Compact(starts)}
	if len(sets)*len(a.starts) > maxWork {
		return nil, errWork()
	}

	// Each set splits every class it meets into what is in it and what isn't.
	split, fresh := make([]int, len(a.starts)), 1
	for _, set := range sets {
		inside := map[int]int{}
		a.intervals(set, func(i int) {
			if _, ok := inside[split[i]]; !ok {
				inside[split[i]] = fresh
				fresh++
			}
			split[i] = inside[split[i]]
		})
	}
	number := map[int]int{}
	a.class = make([]int, len(a.starts))
	for i, start := range a.starts {
		if isSurrogate(start) {
			a.class[i] = a.class[i-1]
			continue
		}
		if _, ok := number[split[i]]; !ok {
			number[split[i]] = len(number)
		}
		a.class[i] = number[split[i]]
	}
	a.classes = len(number)
	return a, nil
}

// interval returns the index of the interval that holds r.
func (a *alphabet) interval(r rune) int {
	i, found := slices.BinarySearch(a.starts, r)
	if !found {
		i--
	}
	return i
}

// intervals calls do for each interval of runes in set, of whose ranges all
// bounds must be bounds of intervals.
func (a *alphabet) intervals(set runeSet, do func(i int)) {
	for _, r := range set {
		for i := a.interval(r.lo); i < len(a.starts) && a.starts[i] <= r.hi; i++ {
			if !isSurrogate(a.starts[i]) {
				do(i)
			}
		}
	}
}

// members returns, per class, whether it is in set.
func (a *alphabet) members(set runeSet) []bool {
	in := make([]bool, a.classes)
	a.intervals(set, func(i int) {
		in[a.class[i]] = true
	})
	return in
}

// merge returns the alphabet in which class c has become to[c], of classes.
func (a *alphabet) merge(to []int, classes int) *alphabet {
	m := &alphabet{classes: classes}
	for i, start := range a.starts {
		c := to[a.class[i]]
		if n := len(m.class); n > 0 && m.class[n-1] == c {
			continue
		}
		m.starts = append(m.starts, start)
		m.class = append(m.class, c)
	}
	return m
}
