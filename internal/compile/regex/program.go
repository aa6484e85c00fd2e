package regex

import "encoding/binary"

// A program is an expression as a graph of instructions. A rune of its set
// moves an instSet to its next; all other moves are empty. Beside the body of
// the expression it holds one for each lookaround.
type program struct {
	insts []inst
	sets  []runeSet // what instSet refers to, each once

	// The bodies of which it matters where they end: those of lookbehinds,
	// inner ones before those that contain them, and last the expression's.
	forward []body

	// The number of families, which are numbered from 1. In x{0,3}, laid out
	// as (x(x(x)?)?)?, the copies of an instSet of x form one. A copy that is
	// later in insts has more copies before it to go through, so whatever
	// matches from another copy matches from it, too.
	families int32
}

// A body is the entry and the instMatch of an expression.
type body struct{ start, match int32 }

type inst struct {
	op   instOp
	next int32

	set     int32 // instSet: index into sets
	family  int32 // instSet: of which it is; 0 if of none
	other   int32 // instSplit: the second way on
	look    int32 // instAhead: entry of the body; instBehind: index into forward
	negated bool  // instAhead, instBehind
}

type instOp uint8

const (
	instSet instOp = iota
	instSplit
	instAhead
	instBehind
	instMatch
)

// maxInsts bounds a program, whose size repeats can multiply.
const maxInsts = 4 * maxStates

// compileProgram lays out root. It fails if the program gets too large.
func compileProgram(root *node) (*program, error) {
	c := &compiler{prog: &program{}, setIndex: map[string]int32{}, looks: map[*node]int32{}}
	c.prog.forward = append(c.prog.forward, c.body(root))
	if c.full() {
		return nil, errStates()
	}
	return c.prog, nil
}

type compiler struct {
	prog     *program
	setIndex map[string]int32
	looks    map[*node]int32 // opLook → inst.look: the copies a repeat makes share one body
}

func (c *compiler) full() bool { return len(c.prog.insts) > maxInsts }

func (c *compiler) add(i inst) int32 {
	c.prog.insts = append(c.prog.insts, i)
	return int32(len(c.prog.insts) - 1)
}

func (c *compiler) body(root *node) body {
	match := c.add(inst{op: instMatch})
	return body{start: c.emit(root, match), match: match}
}

// emit lays out n so that it goes on to next, and returns its entry. Once the
// program is full it stops short; the result is then of no use.
func (c *compiler) emit(n *node, next int32) int32 {
	switch n.op {
	case opSet:
		return c.add(inst{op: instSet, set: c.intern(n.set), next: next})
	case opConcat:
		for i := len(n.subs) - 1; i >= 0; i-- {
			next = c.emit(n.subs[i], next)
		}
		return next
	case opAlternate:
		last := len(n.subs) - 1
		entry := c.emit(n.subs[last], next)
		for i := last - 1; i >= 0; i-- {
			entry = c.add(inst{op: instSplit, next: c.emit(n.subs[i], next), other: entry})
		}
		return entry
	case opRepeat:
		return c.repeat(n, next)
	default: // opLook
		op := instAhead
		if n.behind {
			op = instBehind
		}
		return c.add(inst{op: op, look: c.look(n), negated: n.negated, next: next})
	}
}

// repeat lays out x{min,max} as min copies of x, followed by a loop or by
// optional copies, of which each leads to the next: (x(x)?)?.
func (c *compiler) repeat(n *node, next int32) int32 {
	sub, required := n.subs[0], n.min
	entry := next
	if n.max < 0 {
		loop := c.add(inst{op: instSplit, other: next})
		first := c.emit(sub, loop)
		c.prog.insts[loop].next = first
		entry = loop
		if required > 0 {
			entry, required = first, required-1
		}
	}
	size := -1 // of a copy
	var families int32
	for i := n.min; i < n.max && !c.full(); i++ {
		from := len(c.prog.insts)
		first := c.emit(sub, entry)
		copied := c.prog.insts[from:]
		if len(copied) != size { // the first copy holds the bodies of its lookarounds
			size, families = len(copied), c.prog.families
			c.prog.families += int32(size)
		}
		for at := range copied {
			if in := &copied[at]; in.op == instSet && in.family == 0 {
				in.family = families + 1 + int32(at)
			}
		}
		entry = c.add(inst{op: instSplit, next: first, other: next})
	}
	for ; required > 0 && !c.full(); required-- {
		entry = c.emit(sub, entry)
	}
	return entry
}

func (c *compiler) look(n *node) int32 {
	if at, ok := c.looks[n]; ok {
		return at
	}
	b := c.body(n.subs[0])
	at := b.start
	if n.behind {
		c.prog.forward = append(c.prog.forward, b)
		at = int32(len(c.prog.forward) - 1)
	}
	c.looks[n] = at
	return at
}

func (c *compiler) intern(s runeSet) int32 {
	key := make([]byte, 0, 64)
	for _, r := range s {
		key = binary.AppendUvarint(key, uint64(r.lo))
		key = binary.AppendUvarint(key, uint64(r.hi))
	}
	at, ok := c.setIndex[string(key)]
	if !ok {
		at = int32(len(c.prog.sets))
		c.prog.sets = append(c.prog.sets, s)
		c.setIndex[string(key)] = at
	}
	return at
}
