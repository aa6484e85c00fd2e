// Package contexts finds what belongs to a context of Envoy's.
package contexts

// Table is a map from the ids of contexts, which are never 0. Envoy gives
// them out one after the other, so that the id itself is a hash without
// collisions among those that live at about the same time. With Go's maps a
// GET took about 5 µs more in Envoy: their code is not small, and cold.
//
// It is open addressing with linear probing: no free slot stands between an
// id and the slot where its search begins.
type Table[T any] struct {
	slots []slot[T] // a power of two of them, at most half in use
	used  int
}

type slot[T any] struct {
	id    uint32 // 0: free
	value *T
}

const leastSlots = 64

// Get returns what was put for id; nil if nothing was.
func (t *Table[T]) Get(id uint32) *T {
	if t.used == 0 {
		return nil
	}
	return t.slots[t.find(id)].value
}

// Put puts value for id.
func (t *Table[T]) Put(id uint32, value *T) {
	if 2*t.used >= len(t.slots) {
		t.grow()
	}
	s := &t.slots[t.find(id)]
	if s.id == 0 {
		t.used++
	}
	*s = slot[T]{id, value}
}

// Delete takes back what was put for id, if anything was.
func (t *Table[T]) Delete(id uint32) {
	if t.used == 0 {
		return
	}
	free := t.find(id)
	if t.slots[free].id == 0 {
		return
	}
	t.used--
	// What stands behind and was looked for from the slot or before it moves up.
	last := uint32(len(t.slots) - 1)
	for i := (free + 1) & last; t.slots[i].id != 0; i = (i + 1) & last {
		if (i-t.slots[i].id)&last >= (i-free)&last {
			t.slots[free], free = t.slots[i], i
		}
	}
	t.slots[free] = slot[T]{}
}

// find returns the slot of id, or the free one where it belongs.
func (t *Table[T]) find(id uint32) uint32 {
	last := uint32(len(t.slots) - 1)
	i := id & last
	for t.slots[i].id != id && t.slots[i].id != 0 {
		i = (i + 1) & last
	}
	return i
}

func (t *Table[T]) grow() {
	old := t.slots
	t.slots = make([]slot[T], max(leastSlots, 2*len(old)))
	for _, s := range old {
		if s.id != 0 {
			t.slots[t.find(s.id)] = s
		}
	}
}
