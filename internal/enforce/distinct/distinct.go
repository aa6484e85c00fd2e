// Package distinct tells repeated things from new ones by keyed 64-bit
// hashes, without keeping the things themselves.
//
// Equal things have equal hashes, so a repetition is never missed. Of n
// different things two have equal hashes, and are wrongly held for equal,
// with a probability of n²/2⁶⁵: one in 10⁹ for 200,000, about the most that
// 1 MiB of JSON can hold; and who does not know the hash's key can't raise
// it, nor choose things that are slow to look up.
package distinct

// Sets is a stack of sets of hashes, of which only the last one grows. The
// zero Sets is ready to use and keeps its memory. It takes at most 32 bytes
// for each hash.
type Sets struct {
	sets   []set
	hashes []uint64
	moving []uint64
}

// set is a list while it is short, then a hash table of a power of two, at
// most half full, in which 0 is a free slot.
type set struct {
	start, count int // into hashes
	size         int // of the table; 0: a list
}

const (
	longestList  = 12
	firstTable   = 32
	keepCapacity = 1 << 16 // hashes; Reset gives more back
)

// Reset removes all sets.
func (s *Sets) Reset() {
	s.sets, s.hashes = s.sets[:0], s.hashes[:0]
	if cap(s.hashes) > keepCapacity {
		s.hashes, s.moving = nil, nil
	}
}

// Push begins a new set.
func (s *Sets) Push() { s.sets = append(s.sets, set{start: len(s.hashes)}) }

// Pop removes the last set.
func (s *Sets) Pop() {
	last := len(s.sets) - 1
	s.hashes = s.hashes[:s.sets[last].start]
	s.sets = s.sets[:last]
}

// Add adds a hash to the last set, or returns false if it is there.
func (s *Sets) Add(h uint64) bool {
	if h == 0 {
		h = 1
	}
	last := &s.sets[len(s.sets)-1]
	if last.size == 0 {
		for _, other := range s.hashes[last.start:] {
			if other == h {
				return false
			}
		}
		if last.count < longestList {
			s.hashes = append(s.hashes, h)
			last.count++
			return true
		}
		s.grow(last, firstTable)
	} else if last.count*2 == last.size {
		s.grow(last, last.size*2)
	}
	if !insert(s.hashes[last.start:], h) {
		return false
	}
	last.count++
	return true
}

// grow makes the last set a table of the given size.
func (s *Sets) grow(last *set, size int) {
	s.moving = append(s.moving[:0], s.hashes[last.start:]...)
	s.hashes = s.hashes[:last.start]
	for range size {
		s.hashes = append(s.hashes, 0)
	}
	last.size = size
	for _, h := range s.moving {
		if h != 0 {
			insert(s.hashes[last.start:], h)
		}
	}
}

// insert puts h into a table that is not full, or returns false if it is there.
func insert(table []uint64, h uint64) bool {
	mask := uint64(len(table) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		switch table[i] {
		case h:
			return false
		case 0:
			table[i] = h
			return true
		}
	}
}
