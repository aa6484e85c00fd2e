package regex

import "slices"

// trim takes away what the search makes superfluous. Any runes may precede
// and follow a match, so a repeat at either end of the expression need not go
// round more often than it must: [a-z]{1,255} matches where [a-z] does.
func trim(root *node) *node {
	return trimEnd(trimEnd(root, false), true)
}

// trimEnd does so at the last or at the first end of n.
func trimEnd(n *node, last bool) *node {
	switch {
	case n.op == opRepeat:
		return repeat(n.subs[0], n.min, n.min)
	case n.op == opAlternate:
		subs := make([]*node, len(n.subs))
		for i, sub := range n.subs {
			subs[i] = trimEnd(sub, last)
		}
		return alternate(subs...)
	case n.op == opConcat && len(n.subs) > 0:
		subs, end := slices.Clone(n.subs), 0
		if last {
			end = len(subs) - 1
		}
		subs[end] = trimEnd(subs[end], last)
		return concat(subs...)
	}
	return n
}
