package regex

import (
	"encoding/binary"
	"slices"
)

// A state is what matters of the string so far for what may follow.
type state struct {
	// Per forward body, the positions where reading goes on, ascending.
	held [][]held

	// The condition under which the string matches by a match that is
	// already complete. Once it is always, nothing else matters.
	done condition
}

// A held position counts if the rest of the string meets a condition, which
// the lookaheads passed on the way impose. Without lookaheads it is always
// met, and states are the sets of the classic subset construction.
type held struct {
	position int32 // an instSet
	when     condition
}

// nothingHeld is the state in which no body has been begun.
func (d *determinizer) nothingHeld() state {
	return state{held: make([][]held, len(d.prog.forward))}
}

// States are kept as strings of varints, which are compact and can be looked
// up: per forward body, the number of positions, and for each its distance
// from the one before and its condition; last, done. All states whose done is
// always are kept as matched.
const matched = "\x01"

// encode appends the positions of r, but for those that make no difference
// beside others of their family (see program.families).
func (d *determinizer) encode(to []byte, r *reach) []byte {
	clear(d.widest)
	slices.Sort(r.reached)
	kept := make([]int32, 0, len(r.reached))
	for _, at := range slices.Backward(r.reached) {
		in := &d.prog.insts[at]
		if in.op != instSet {
			continue
		}
		if in.family != 0 {
			wider := d.widest[in.family]
			if d.widest[in.family] = d.or(wider, r.when[at]); d.widest[in.family] == wider {
				continue
			}
		}
		kept = append(kept, at)
	}
	to = binary.AppendUvarint(to, uint64(len(kept)))
	last := int32(0)
	for _, at := range slices.Backward(kept) {
		to = binary.AppendUvarint(to, uint64(at-last))
		to = binary.AppendUvarint(to, uint64(r.when[at]))
		last = at
	}
	return to
}

func (d *determinizer) decode(encoded string) state {
	if encoded == matched {
		return state{done: always}
	}
	rest := []byte(encoded)
	number := func() int32 {
		n, size := binary.Uvarint(rest)
		rest = rest[size:]
		return int32(n)
	}
	s := d.nothingHeld()
	for i := range s.held {
		s.held[i] = make([]held, number())
		last := int32(0)
		for j := range s.held[i] {
			last += number()
			s.held[i][j] = held{position: last, when: condition(number())}
		}
	}
	s.done = condition(number())
	return s
}
