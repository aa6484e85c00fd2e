package regex

import (
	"encoding/binary"
	"slices"
)

// An automaton is deterministic and complete, over the classes of an alphabet.
type automaton struct {
	alphabet *alphabet
	next     []int32 // state*classes + class → state
	accept   []bool  // per state
}

// determinize builds the automaton of p by reading every class of runes in
// every state, from the state of the empty string on. It fails if that takes
// more than maxStates or maxWork.
//
// All forward bodies are matched side by side, each begun anew at every place
// of the string. That is the search, and it tells which lookbehinds hold at a
// place. Lookaheads can't be decided there yet; they become conditions.
func determinize(p *program) (*automaton, error) {
	d := &determinizer{
		conditions: newConditions(),
		prog:       p,
		holds:      make([]condition, len(p.forward)),
		entered:    map[int32]condition{},
		derived:    map[condition]condition{},
		widest:     map[int32]condition{},
		numbers:    map[string]int32{},
	}
	alphabet, err := newAlphabet(p.sets)
	if err != nil {
		return nil, err
	}
	out := &automaton{alphabet: alphabet}
	for _, set := range p.sets {
		d.members = append(d.members, out.alphabet.members(set))
	}
	d.number(d.step(d.nothingHeld(), 0))
	for at := 0; at < len(d.states); at++ {
		from := d.decode(d.states[at])
		out.accept = append(out.accept, d.atEnd(from.done))
		for class := range out.alphabet.classes {
			out.next = append(out.next, d.number(d.step(from, class)))
		}
		if d.work > maxWork {
			return nil, errWork()
		}
		if len(d.states) > maxStates {
			return nil, errStates()
		}
	}
	return out, nil
}

type determinizer struct {
	*conditions
	prog    *program
	members [][]bool // per set, per class

	states  []string         // as encoded
	numbers map[string]int32 // inverse of states

	// About the place in the string that step has got to:
	holds   []condition             // per forward body, whether it is complete here
	entered map[int32]condition     // memory of enter
	derived map[condition]condition // memory of derive

	// Scratch space:
	idle   []*reach
	widest map[int32]condition // per family, when a position of it is held
}

// A reach is where empty moves lead.
type reach struct {
	when    []condition // per instruction, on what condition it is reached
	reached []int32     // the instructions for which that is not never
}

func (d *determinizer) number(s string) int32 {
	n, ok := d.numbers[s]
	if !ok {
		n = int32(len(d.states))
		d.states = append(d.states, s)
		d.numbers[s] = n
	}
	return n
}

// step returns the state, encoded, to which a rune of class leads.
func (d *determinizer) step(from state, class int) string {
	d.work += transitionCost
	if from.done == always {
		return matched
	}
	clear(d.entered)
	clear(d.derived)
	var to []byte
	for i, body := range d.prog.forward {
		r := d.newReach()
		for _, h := range from.held[i] {
			if in := &d.prog.insts[h.position]; d.members[in.set][class] {
				d.follow(r, in.next, d.derive(h.when, class))
			}
		}
		d.follow(r, body.start, always)
		d.holds[i] = r.when[body.match]
		to = d.encode(to, r)
		d.release(r)
	}
	done := d.or(d.derive(from.done, class), d.holds[len(d.holds)-1])
	if done == always {
		return matched
	}
	return string(binary.AppendUvarint(to, uint64(done)))
}

// follow adds to r what is reached from at, which itself is reached on
// condition when.
func (d *determinizer) follow(r *reach, at int32, when condition) {
	if d.work++; d.work > maxWork {
		return
	}
	before := r.when[at]
	when = d.or(before, when)
	if when == before {
		return
	}
	if before == never {
		r.reached = append(r.reached, at)
	}
	r.when[at] = when
	switch in := &d.prog.insts[at]; in.op {
	case instSplit:
		d.follow(r, in.next, when)
		d.follow(r, in.other, when)
	case instAhead, instBehind:
		var holds condition
		if in.op == instAhead {
			holds = d.enter(in.look)
		} else {
			holds = d.holds[in.look]
		}
		if in.negated {
			holds = d.not(holds)
		}
		d.follow(r, in.next, d.and(when, holds))
	}
}

// enter returns the condition that the rest of the string, up to any place,
// takes instruction start to the end of its body.
func (d *determinizer) enter(start int32) condition {
	if f, ok := d.entered[start]; ok {
		return f
	}
	r := d.newReach()
	d.follow(r, start, always)
	slices.Sort(r.reached)
	f := never
	for _, at := range slices.Backward(r.reached) { // so that or meets the greatest variable first
		switch d.prog.insts[at].op {
		case instSet:
			f = d.or(f, d.and(r.when[at], d.position(at)))
		case instMatch:
			f = d.or(f, r.when[at])
		}
	}
	d.release(r)
	d.entered[start] = f
	return f
}

// derive returns what f, a condition on the rest of the string where a rune
// of class comes next, demands of the rest after that rune.
func (d *determinizer) derive(f condition, class int) condition {
	if f <= always {
		return f
	}
	if g, ok := d.derived[f]; ok {
		return g
	}
	if d.work += transitionCost; d.work > maxWork {
		return never
	}
	at := d.choices[f]
	matches := never
	if in := &d.prog.insts[at.variable]; d.members[in.set][class] {
		matches = d.enter(in.next)
	}
	g := d.decide(matches, d.derive(at.high, class), d.derive(at.low, class))
	d.derived[f] = g
	return g
}

func (d *determinizer) newReach() *reach {
	n := len(d.idle)
	if n == 0 {
		return &reach{when: make([]condition, len(d.prog.insts))}
	}
	r := d.idle[n-1]
	d.idle = d.idle[:n-1]
	return r
}

func (d *determinizer) release(r *reach) {
	for _, at := range r.reached {
		r.when[at] = never
	}
	r.reached = r.reached[:0]
	d.idle = append(d.idle, r)
}
