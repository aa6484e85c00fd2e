package regex

import (
	"math"
	"slices"
)

// minLifted is the least bound of a repeat that is worth a length check; below
// it, counting in the table costs less than counting code points.
const minLifted = 16

// liftLength takes the counting out of expressions that count the runes of
// the whole string, and returns the bounds instead, high being -1 if there is
// none. Such are
//
//   - an anchored expression of which nothing but a repeat matches strings of
//     different lengths. The repeat becomes a star:
//
//     ^[a-z]{0,4096}$     becomes  ^[a-z]*$     of 0 to 4096 runes
//     ^v[0-9.]{1,99}-x$   becomes  ^v[0-9.]*-x$ of 4 to 102 runes
//
//   - one with such an expression as a lookahead from the start:
//
//     ^(?=.{8,64}$).*\d   becomes  ^(?=.*$).*\d of 8 to 64 runes
//
// This is exact: the length of a string says how often the star went round,
// and whether a lookaround holds depends on string and position alone.
func liftLength(root *node) (lifted *node, low, high int) {
	if root.op != opConcat {
		return root, 0, -1
	}
	root, low, high = liftRepeat(root)
	subs := slices.Clone(root.subs)
	atStart := false
	for i, sub := range subs {
		if sub.op == opLook && !sub.behind && !sub.negated {
			body := sub.subs[0]
			if atStart {
				body = concat(lineStart, body)
			}
			body, l, h := liftLength(body)
			subs[i] = look(body, false, false)
			low = max(low, l)
			if high < 0 || 0 <= h && h < high {
				high = h
			}
		}
		if n, ok := width(sub); sub == lineStart {
			atStart = true
		} else if !ok || n > 0 {
			atStart = false
		}
	}
	return concat(subs...), low, high
}

// liftRepeat does so for the largest repeat of an anchored expression.
func liftRepeat(root *node) (lifted *node, low, high int) {
	if !slices.Contains(root.subs, lineStart) || !slices.Contains(root.subs, lineEnd) {
		return root, 0, -1
	}
	at, bound := -1, minLifted-1
	for i, sub := range root.subs {
		if sub.op == opRepeat && max(sub.min, sub.max) > bound {
			at, bound = i, max(sub.min, sub.max)
		}
	}
	if at < 0 {
		return root, 0, -1
	}
	counted := root.subs[at]
	each, ok := width(counted.subs[0])
	rest, restOK := width(concat(slices.Delete(slices.Clone(root.subs), at, at+1)...))
	if !ok || !restOK || each == 0 {
		return root, 0, -1
	}
	subs := slices.Clone(root.subs)
	subs[at] = repeat(counted.subs[0], 0, -1)
	low, high = min(rest+each*counted.min, math.MaxInt32), -1
	if counted.max >= 0 {
		high = min(rest+each*counted.max, math.MaxInt32)
	}
	return concat(subs...), low, high
}

// width returns the number of runes that n matches, if it is the same for all
// strings and no more than math.MaxInt32.
func width(n *node) (runes int, ok bool) {
	switch n.op {
	case opSet:
		return 1, true
	case opLook:
		return 0, true
	case opConcat:
		for _, sub := range n.subs {
			w, ok := width(sub)
			if runes += w; !ok || runes > math.MaxInt32 {
				return 0, false
			}
		}
		return runes, true
	case opAlternate:
		runes, ok = width(n.subs[0])
		for _, sub := range n.subs[1:] {
			if w, same := width(sub); !same || w != runes {
				return 0, false
			}
		}
		return runes, ok
	default: // opRepeat
		runes, ok = width(n.subs[0])
		if runes *= n.min; n.min != n.max || runes > math.MaxInt32 {
			return 0, false
		}
		return runes, ok
	}
}
