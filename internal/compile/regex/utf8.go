package regex

import (
	"encoding/binary"
	"math"
)

// encode turns a minimal automaton over runes into one over the bytes of
// UTF-8, again minimal. It fails if that has more than maxStates.
//
// A rune of several bytes passes through inner states. The runes that begin
// with the same bytes are a subtree of the trie of all encodings. An inner
// state is such a subtree with every class of runes replaced by the state to
// which it leads; where that comes out the same, it is one state.
func encode(a *automaton) (*DFA, error) {
	e := &encoder{from: a, trie: newTrie(a.alphabet), inner: map[[64]uint16]uint16{}}
	e.number()
	for s, n := range e.numbers {
		e.accept[n] = a.accept[s]
		e.fill(s, n)
		if len(e.rows) > maxStates {
			return nil, errStates()
		}
	}
	return e.compress(), nil
}

type encoder struct {
	from *automaton
	trie *trie

	numbers []uint16      // per state of from, its number in the result
	full    uint16        // the state from which every continuation is accepted; 0 if there is none
	rows    [][256]uint16 // per state of the result, where each byte leads
	accept  []bool        // per state of the result

	inner   map[[64]uint16]uint16 // by where the continuation bytes lead, an inner state
	entered map[subtree]uint16    // memory of enter, for one state of from
}

// number chooses the numbers of the states of from. A minimal automaton has at
// most one state from which nothing matches, and one from which everything
// does; they are those that lead only to themselves.
func (e *encoder) number() {
	classes := e.from.alphabet.classes
	states := uint16(1)
	for s, accept := range e.from.accept {
		loops := true
		for _, t := range e.from.next[s*classes : (s+1)*classes] {
			loops = loops && int(t) == s
		}
		n := uint16(0)
		if accept || !loops {
			n = states
			states++
		}
		if accept && loops {
			e.full = n
		}
		e.numbers = append(e.numbers, n)
	}
	e.rows = make([][256]uint16, states)
	e.accept = make([]bool, states)
}

// fill enters where each byte leads from state s of from, n in the result.
func (e *encoder) fill(s int, n uint16) {
	e.entered = map[subtree]uint16{}
	for b, to := range e.trie.first {
		if n == 0 || n == e.full {
			e.rows[n][b] = n
		} else if to != nowhere {
			t := e.enter(s, to) // may move e.rows
			e.rows[n][b] = t
		}
	}
}

// enter returns the state after the bytes that lead to at, read in state s of
// from.
func (e *encoder) enter(s int, at subtree) uint16 {
	if class, ok := at.leaf(); ok {
		return e.numbers[e.from.next[s*e.from.alphabet.classes+class]]
	}
	if n, ok := e.entered[at]; ok {
		return n
	}
	var row [64]uint16
	for i, to := range e.trie.nodes[at] {
		row[i] = e.enter(s, to)
	}
	n := e.innerState(row)
	e.entered[at] = n
	return n
}

// innerState returns the state from which the continuation bytes lead to row.
// If nothing or everything follows in any case, that is known already.
func (e *encoder) innerState(row [64]uint16) uint16 {
	same := true
	for _, t := range row {
		same = same && t == row[0]
	}
	if same && (row[0] == 0 || row[0] == e.full) {
		return row[0]
	}
	n, ok := e.inner[row]
	if !ok {
		n = uint16(len(e.rows))
		var wide [256]uint16
		copy(wide[0x80:], row[:])
		e.rows = append(e.rows, wide)
		e.accept = append(e.accept, false)
		e.inner[row] = n
	}
	return n
}

// compress makes one class of the bytes that lead alike from every state, and
// puts the states that accept behind those that don't.
func (e *encoder) compress() *DFA {
	d := &DFA{}
	known := map[string]uint8{}
	var byteOf []byte // per class, one of its bytes
	for b := range d.Class {
		var column []byte
		for s := range e.rows {
			column = binary.LittleEndian.AppendUint16(column, e.rows[s][b])
		}
		class, ok := known[string(column)]
		if !ok {
			class = uint8(len(byteOf))
			known[string(column)] = class
			byteOf = append(byteOf, byte(b))
		}
		d.Class[b] = class
	}
	d.Classes = len(byteOf)
	var order []int
	places := make([]uint32, len(e.rows)) // per state, where its transitions begin
	for _, accept := range []bool{false, true} {
		d.Accept = len(order) * d.Classes
		for s := range e.rows {
			if e.accept[s] == accept {
				places[s] = uint32(len(order) * d.Classes)
				order = append(order, s)
			}
		}
	}
	d.Start = places[e.numbers[0]]
	for _, s := range order {
		for _, b := range byteOf {
			d.Next = append(d.Next, places[e.rows[s][b]])
		}
	}
	return d
}

// A trie leads from the bytes of a rune to its class.
type trie struct {
	alphabet *alphabet
	first    [256]subtree  // by first byte; nowhere for continuation bytes
	nodes    [][64]subtree // by the low bits of a continuation byte
	known    map[[64]subtree]subtree
}

// A subtree is an index into nodes, or a leaf.
type subtree int32

const nowhere subtree = math.MinInt32

func leafOf(class int) subtree { return ^subtree(class) }

func (t subtree) leaf() (class int, ok bool) { return int(^t), t < 0 }

// newTrie builds the trie. Bytes that no encoding has are treated as the
// nearest that one does.
func newTrie(a *alphabet) *trie {
	t := &trie{alphabet: a, known: map[[64]subtree]subtree{}}
	for b := range rune(256) {
		switch {
		case b < 0x80:
			t.first[b] = leafOf(a.class[a.interval(b)])
		case b < 0xC0:
			t.first[b] = nowhere
		case b < 0xE0:
			t.first[b] = t.build(b&0x1F<<6, 6, 0x80)
		case b < 0xF0:
			t.first[b] = t.build(b&0x0F<<12, 12, 0x800)
		default:
			t.first[b] = t.build(min(b, 0xF7)&0x07<<18, 18, 0x10000)
		}
	}
	return t
}

// build returns the subtree of the runes from low on whose encodings differ
// in the last bits only, where least is the first rune of encodings so long.
func (t *trie) build(low rune, bits int, least rune) subtree {
	first := t.alphabet.interval(max(low, least))
	if bits == 0 {
		return leafOf(t.alphabet.class[first])
	}
	bits -= 6
	high := low + 63<<bits
	var node [64]subtree
	if t.alphabet.interval(max(high+1<<bits-1, least)) == first {
		child := t.build(high, bits, least)
		for i := range node {
			node[i] = child
		}
	} else {
		for i := range node {
			node[i] = t.build(low+rune(i)<<bits, bits, least)
		}
	}
	at, ok := t.known[node]
	if !ok {
		at = subtree(len(t.nodes))
		t.nodes = append(t.nodes, node)
		t.known[node] = at
	}
	return at
}
