package contexts

import (
	"math/rand/v2"
	"testing"
)

// TestTable does at random what Envoy does in order, and more, and compares
// with a Go map.
func TestTable(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var table Table[uint32]
	model := map[uint32]*uint32{}
	for step := range uint32(200_000) {
		id := 1 + step/16 + random.Uint32N(200) // most collide in the end
		if random.IntN(8) == 0 {
			id = 1 + random.Uint32N(1000) // those that stay
		}
		switch random.IntN(3) {
		case 0:
			value := new(step)
			table.Put(id, value)
			model[id] = value
		case 1:
			table.Delete(id)
			delete(model, id)
		default:
			if got := table.Get(id); got != model[id] {
				t.Fatalf("step %d: %d has %p, want %p", step, id, got, model[id])
			}
		}
	}
	for id, want := range model {
		if table.Get(id) != want {
			t.Errorf("%d is lost", id)
		}
	}
	if table.used != len(model) || len(model) < 1000 {
		t.Errorf("%d in use, want %d, and those at least 1000", table.used, len(model))
	}
}

// TestSteadyState: streams that come and go allocate nothing.
func TestSteadyState(t *testing.T) {
	var table Table[int]
	id, value := uint32(1), new(int)
	n := testing.AllocsPerRun(10_000, func() {
		table.Put(id, value)
		if id > 20 {
			table.Delete(id - 20)
		}
		id++
	})
	if n != 0 || len(table.slots) != leastSlots {
		t.Errorf("%v allocations for each stream, %d slots", n, len(table.slots))
	}
}
