package distinct

import "testing"

func TestSets(t *testing.T) {
	for _, n := range []uint64{1, 12, 13, 16, 17, 1000} {
		var s Sets
		s.Push()
		for h := range n {
			if !s.Add(h << 20) {
				t.Fatalf("of %d: %d is new, but held for a repetition", n, h)
			}
			// A set of its own for what is inside.
			s.Push()
			if !s.Add(h<<20) || s.Add(h<<20) {
				t.Fatalf("of %d: the inner set mistakes %d", n, h)
			}
			s.Pop()
		}
		for h := range n {
			if s.Add(h << 20) {
				t.Fatalf("of %d: the repetition of %d is overlooked", n, h)
			}
		}
	}
}

func TestResetForgets(t *testing.T) {
	var s Sets
	for range 2 {
		s.Push()
		for h := range uint64(100) {
			if !s.Add(h + 1) {
				t.Fatalf("%d is new after Reset", h+1)
			}
		}
		s.Reset()
	}
	s.Push()
	for h := range uint64(2 * keepCapacity) {
		s.Add(h + 1)
	}
	s.Reset()
	if cap(s.hashes) > keepCapacity {
		t.Errorf("%d hashes are kept, want at most %d", cap(s.hashes), keepCapacity)
	}
}
