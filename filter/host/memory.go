//go:build wasip1

package host

import (
	"unsafe"

	"github.com/threatgate/threatgate/internal/enforce/json"
)

// Envoy returns bytes by asking the module for memory and writing into it.
// What it returns is short-lived: most of it goes into one arena, which the
// next callback overwrites, so that nothing is allocated per request. What
// doesn't fit, such as a policy, gets memory of its own.
var (
	arena [arenaSize]byte
	used  int
	last  []byte // what was asked for last: a host call asks at most once
)

const arenaSize = 160 << 10

// MaxChunk is how much of a body one call returns at the most, in bytes.
const MaxChunk = 64 << 10

// Reset makes the arena empty: what earlier calls returned is gone. Callbacks
// that read begin with it, and bodies are read with it behind each chunk.
func Reset() { used = 0 }

//go:wasmexport proxy_on_memory_allocate
func allocate(size uint32) unsafe.Pointer {
	n := int(size)
	if n > MaxChunk || used+n > arenaSize {
		last = make([]byte, n)
	} else {
		// The judge of JSON is faster where it may look behind the text.
		last = arena[used : used+n : min(used+n+json.Lookahead, arenaSize)]
		used = (used + n + 7) &^ 7
	}
	return unsafe.Pointer(unsafe.SliceData(last))
}

// returned takes what the host has written, if it has written anything.
func returned(status uint32) []byte {
	if status != statusOK || slot.size == 0 {
		return nil
	}
	return last[:slot.size]
}

// slot is where the host puts the place, size and version of what it
// returns; the place is known already, as last.
var slot struct{ place, size, version uint32 }

func prepare() { slot.size, slot.version = 0, 0 }

// data is the place of the first byte of b, which may be empty.
func data(b []byte) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(b)) }
