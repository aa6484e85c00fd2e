// Package limit counts requests by GCRA, the generic cell rate algorithm
// (ITU-T I.371, the "virtual scheduling" form).
//
// The whole state of one key is its theoretical arrival time (TAT): a key
// whose TAT is in the past is the same as one never seen, so nothing needs
// to expire. Keys live in a fixed number of pages in a store that all
// workers share; a key hashes to a page, and a page holds a few keys under
// their fingerprints. When a page is full the oldest TAT goes: a flood of
// keys makes a limit lenient for the flood, and never locks anybody out.
package limit

import "encoding/binary"

// Store is memory shared by all workers: named values with compare-and-swap.
type Store interface {
	// Get returns the value of key and its version; version 0 and no value if
	// there is none. The value is valid until the next call.
	Get(key []byte) (value []byte, version uint32)
	// Set writes value if the version is still the one given, 0 meaning that
	// there is no value.
	Set(key, value []byte, version uint32) bool
}

const (
	slots    = 8
	slotSize = 16 // fingerprint, TAT
	pageSize = slots * slotSize

	// Pages is the number of pages of one class of keys: 32,768 keys, at
	// most 512 KiB of shared memory.
	Pages = 4096

	attempts = 4 // at the compare-and-swap before the request is let through
)

// Rate is one limit.
type Rate struct {
	Interval uint64 // nanoseconds that one request costs
	Burst    uint32 // requests at once
}

// Table counts the keys of one class. It holds memory that is reused, so it
// serves one request at a time.
type Table struct {
	page [pageSize]byte
	name []byte
}

// Take counts one request of a key, given by a keyed 64-bit hash, at time
// now (Unix nanoseconds). It returns 0 if the request is within the rate,
// else the nanoseconds to wait. A request over the rate costs nothing.
func (t *Table) Take(s Store, class []byte, key uint64, r Rate, now int64) (wait int64) {
	t.name = append(t.name[:0], class...)
	t.name = binary.LittleEndian.AppendUint16(t.name, uint16(key%Pages))
	fingerprint := key | 1 // 0 marks a free slot
	for range attempts {
		value, version := s.Get(t.name)
		t.page = [pageSize]byte{}
		if len(value) == pageSize {
			copy(t.page[:], value)
		}
		slot := t.find(fingerprint)
		tat := max(int64(binary.LittleEndian.Uint64(slot[8:])), now)
		if binary.LittleEndian.Uint64(slot) != fingerprint {
			tat = now
		}
		tolerance := int64(r.Interval) * int64(r.Burst-1)
		if tat-now > tolerance {
			return tat - now - tolerance
		}
		binary.LittleEndian.PutUint64(slot, fingerprint)
		binary.LittleEndian.PutUint64(slot[8:], uint64(tat)+r.Interval)
		if s.Set(t.name, t.page[:], version) {
			return 0
		}
	}
	return 0
}

// find returns the slot of fingerprint, else the one with the oldest TAT,
// free slots being the oldest of all.
func (t *Table) find(fingerprint uint64) []byte {
	oldest := t.page[:slotSize]
	for i := 0; i < pageSize; i += slotSize {
		slot := t.page[i : i+slotSize]
		if binary.LittleEndian.Uint64(slot) == fingerprint {
			return slot
		}
		if binary.LittleEndian.Uint64(slot[8:]) < binary.LittleEndian.Uint64(oldest[8:]) {
			oldest = slot
		}
	}
	return oldest
}
