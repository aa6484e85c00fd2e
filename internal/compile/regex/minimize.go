package regex

import (
	"encoding/binary"
	"slices"
)

// minimize returns the automaton with the fewest states and classes that
// accepts what a does. All states of a can be reached from state 0, its start;
// those of the result are numbered in the order of a breadth-first walk.
func minimize(a *automaton) *automaton {
	block := equivalent(a)
	classes := a.alphabet.classes
	out := &automaton{}
	number := map[int32]int32{block[0]: 0}
	for queue := []int32{0}; len(queue) > 0; queue = queue[1:] {
		s := queue[0] // stands for its block
		out.accept = append(out.accept, a.accept[s])
		for class := range classes {
			t := a.next[int(s)*classes+class]
			if _, ok := number[block[t]]; !ok {
				number[block[t]] = int32(len(number))
				queue = append(queue, t)
			}
			out.next = append(out.next, number[block[t]])
		}
	}
	out.alphabet = a.alphabet
	return mergeClasses(out)
}

// mergeClasses makes one of the classes that a treats alike.
func mergeClasses(a *automaton) *automaton {
	states, classes := len(a.accept), a.alphabet.classes
	to := make([]int, classes)
	var kept []int // a class of a per class of the result
	known := map[string]int{}
	for class := range classes {
		var column []byte
		for s := range states {
			column = binary.AppendUvarint(column, uint64(a.next[s*classes+class]))
		}
		c, ok := known[string(column)]
		if !ok {
			c = len(kept)
			known[string(column)] = c
			kept = append(kept, class)
		}
		to[class] = c
	}
	out := &automaton{alphabet: a.alphabet.merge(to, len(kept)), accept: a.accept}
	for s := range states {
		for _, class := range kept {
			out.next = append(out.next, a.next[s*classes+class])
		}
	}
	return out
}

// equivalent returns a block number for each state of a, the same for those
// from which the same strings are accepted. It is Hopcroft's algorithm
// (1971): blocks are split by whether a rune leads into another block, and of the
// two halves only the smaller has to be looked at again.
func equivalent(a *automaton) []int32 {
	states, classes := len(a.accept), a.alphabet.classes
	before := predecessors(a)
	p := newPartition(states)
	for s := range states {
		if a.accept[s] {
			p.mark(int32(s))
		}
	}
	p.splitMarked()
	for b := 1; b < len(p.first); b++ {
		splitter := slices.Clone(p.members(int32(b)))
		for class := range classes {
			for _, t := range splitter {
				for _, s := range before(class, t) {
					p.mark(s)
				}
			}
			p.splitMarked()
		}
	}
	return p.block
}

// predecessors returns a function that lists the states from which class
// leads to t.
func predecessors(a *automaton) func(class int, t int32) []int32 {
	states, classes := len(a.accept), a.alphabet.classes
	end := make([]int32, classes*states+1) // per class and target, the end of its list
	for i, t := range a.next {
		end[i%classes*states+int(t)]++
	}
	for i := 1; i < len(end); i++ {
		end[i] += end[i-1]
	}
	begin := slices.Clone(end)
	list := make([]int32, len(a.next))
	for i, t := range a.next {
		at := &begin[i%classes*states+int(t)]
		*at--
		list[*at] = int32(i / classes)
	}
	return func(class int, t int32) []int32 {
		i := class*states + int(t)
		return list[begin[i]:end[i]]
	}
}

// A partition divides states into blocks. It begins as one block.
type partition struct {
	order  []int32 // the states, those of a block together, its marked ones first
	at     []int32 // inverse of order
	block  []int32 // per state
	first  []int32 // per block, its bounds in order
	end    []int32
	marked []int32 // per block, how many are marked
	dirty  []int32 // the blocks with marked states
}

func newPartition(states int) *partition {
	p := &partition{
		order: make([]int32, states), at: make([]int32, states), block: make([]int32, states),
		first: []int32{0}, end: []int32{int32(states)}, marked: []int32{0},
	}
	for s := range p.order {
		p.order[s], p.at[s] = int32(s), int32(s)
	}
	return p
}

func (p *partition) members(b int32) []int32 { return p.order[p.first[b]:p.end[b]] }

func (p *partition) mark(s int32) {
	b := p.block[s]
	to := p.first[b] + p.marked[b]
	if p.at[s] < to {
		return
	}
	if p.marked[b] == 0 {
		p.dirty = append(p.dirty, b)
	}
	p.marked[b]++
	other := p.order[to]
	p.order[to], p.order[p.at[s]] = s, other
	p.at[other], p.at[s] = p.at[s], to
}

// splitMarked divides every block that is marked in part. The smaller half
// becomes a new block. It leaves nothing marked.
func (p *partition) splitMarked() {
	for _, b := range p.dirty {
		first, middle, end := p.first[b], p.first[b]+p.marked[b], p.end[b]
		p.marked[b] = 0
		switch {
		case middle == end:
			continue
		case middle-first <= end-middle:
			p.first[b], end = middle, middle
		default:
			p.end[b], first = middle, middle
		}
		fresh := int32(len(p.first))
		p.first, p.end, p.marked = append(p.first, first), append(p.end, end), append(p.marked, 0)
		for _, s := range p.members(fresh) {
			p.block[s] = fresh
		}
	}
	p.dirty = p.dirty[:0]
}
