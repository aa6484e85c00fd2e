package limit

import (
	"encoding/binary"
	"maps"
	"testing"

	"github.com/threatgate/threatgate/internal/enforce/siphash"
)

// memory is a Store as the filter's host has it: versions count up from 1.
type memory struct {
	values   map[string][]byte
	versions map[string]uint32
	before   func() // runs before each Set: a chance for another worker
}

func newMemory() *memory { return &memory{values: map[string][]byte{}, versions: map[string]uint32{}} }

func (m *memory) Get(key []byte) ([]byte, uint32) {
	return m.values[string(key)], m.versions[string(key)]
}

func (m *memory) Set(key, value []byte, version uint32) bool {
	if m.before != nil {
		m.before()
	}
	if version != m.versions[string(key)] {
		return false
	}
	m.values[string(key)] = append([]byte(nil), value...)
	m.versions[string(key)]++
	return true
}

const second = int64(1e9)

func TestTake(t *testing.T) {
	rate := Rate{Interval: uint64(second), Burst: 3} // 1/s, 3 at once
	var table Table
	s := newMemory()
	now := 1000 * second
	for _, step := range []struct {
		at   int64 // nanoseconds after now
		wait int64
	}{
		{0, 0}, {0, 0}, {0, 0}, {0, second}, {second / 2, second / 2},
		{second, 0}, {second, second}, {10 * second, 0}, {10 * second, 0}, {10 * second, 0}, {10 * second, second},
	} {
		if wait := table.Take(s, []byte("c"), 42, rate, now+step.at); wait != step.wait {
			t.Errorf("at %d: wait %d, want %d", step.at, wait, step.wait)
		}
	}
	if wait := table.Take(s, []byte("c"), 43, rate, now); wait != 0 {
		t.Errorf("another key waits %d", wait)
	}
	if wait := table.Take(s, []byte("d"), 42, rate, now+10*second); wait != 0 {
		t.Errorf("the same key of another class waits %d", wait)
	}
}

func TestFullPageForgetsTheOldest(t *testing.T) {
	rate := Rate{Interval: uint64(second), Burst: 1}
	var table Table
	s := newMemory()
	now := 1000 * second
	for i := range uint64(slots) {
		table.Take(s, []byte("c"), i*Pages*2, rate, now+int64(i))
	}
	table.Take(s, []byte("c"), slots*Pages*2, rate, now+slots)
	if wait := table.Take(s, []byte("c"), slots*Pages*2, rate, now+slots); wait == 0 {
		t.Error("the newest key was forgotten")
	}
	if wait := table.Take(s, []byte("c"), 0, rate, now+slots); wait != 0 {
		t.Error("the oldest key was kept")
	}
}

func TestMemoryIsBoundedUnderAFlood(t *testing.T) {
	var table Table
	s := newMemory()
	for i := range uint64(200_000) {
		var key [8]byte
		binary.LittleEndian.PutUint64(key[:], i)
		table.Take(s, []byte("c"), (siphash.Key{K0: 1}).Sum(key[:]), Rate{1, 1}, second)
	}
	if len(s.values) > Pages {
		t.Errorf("%d pages, want at most %d", len(s.values), Pages)
	}
	for name, page := range maps.All(s.values) {
		if len(page) != pageSize {
			t.Fatalf("page %q has %d bytes", name, len(page))
		}
	}
}

func TestLostRacesAreTriedAgain(t *testing.T) {
	rate := Rate{Interval: uint64(second), Burst: 2}
	var ours, theirs Table
	s := newMemory()
	ours.Take(s, []byte("c"), 7, rate, second)
	raced := false
	s.before = func() {
		if !raced {
			raced = true
			theirs.Take(s, []byte("c"), 7, rate, second)
		}
	}
	if wait := ours.Take(s, []byte("c"), 7, rate, second); wait != second {
		t.Errorf("wait %d: the other worker's request was not seen", wait)
	}
}

func TestTakeAllocatesNothing(t *testing.T) {
	var table Table
	s := fixed{page: make([]byte, pageSize)}
	rate := Rate{Interval: 1, Burst: 100}
	table.Take(&s, []byte("c"), 7, rate, second)
	if n := testing.AllocsPerRun(100, func() { table.Take(&s, []byte("c"), 7, rate, second) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

type fixed struct{ page []byte }

func (f *fixed) Get([]byte) ([]byte, uint32)        { return f.page, 1 }
func (f *fixed) Set(_, value []byte, _ uint32) bool { copy(f.page, value); return true }
