package inflate

// The codes of a dynamic block (RFC 1951 section 3.2.7) are told by the
// lengths of their symbols; these are packed in a code of their own.

const (
	maxLiterals  = 286 // and lengths, and the end of the block
	maxDistances = 30
)

// dynamic is what a dynamic block says of its codes.
type dynamic struct {
	literals, distances code
	lengthCode          code

	lengths [maxLiterals + maxDistances]uint8 // of the literals and the distances, or of the length code
	counts  struct{ literals, distances, lengthCode int }
	known   int // lengths so far
}

// beginDynamic takes how many symbols of each kind have a length.
func (d *Decoder) beginDynamic(counts uint64) bool {
	y := &d.dynamic
	y.known = 0
	y.counts.literals = int(counts&31) + endOfBlock + 1
	y.counts.distances = int(counts>>5&31) + 1
	y.counts.lengthCode = int(counts>>10) + 4
	clear(y.lengths[:len(lengthOrder)])
	return d.enterIf(y.counts.literals <= maxLiterals && y.counts.distances <= maxDistances, stateLengthCode)
}

// lengthOrder is the order in which the lengths of the length code are told.
var lengthOrder = [...]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

func (d *Decoder) lengthOfLength(length uint64) bool {
	y := &d.dynamic
	y.lengths[lengthOrder[y.known]] = uint8(length)
	if y.known++; y.known < y.counts.lengthCode {
		return true
	}
	y.known = 0
	return d.enterIf(y.lengthCode.set(y.lengths[:len(lengthOrder)], false), stateLengths)
}

// lengths takes the next length, or a run of them.
func (d *Decoder) lengths() bool {
	y := &d.dynamic
	whole := y.counts.literals + y.counts.distances
	if y.known == whole {
		return d.beginSymbols()
	}
	d.fill()
	symbol, used := y.lengthCode.next(d.held)
	length, run := uint8(symbol), 1
	if symbol >= repeat {
		length = 0
		if symbol == repeat && y.known > 0 {
			length = y.lengths[y.known-1]
		}
		run, used = runSpans[symbol-repeat].value(d.held, used)
	}
	switch {
	case used > d.count:
		return false
	case symbol == repeat && y.known == 0, run > whole-y.known:
		return d.enterIf(false, stateFailed)
	}
	d.take(used)
	for range run {
		y.lengths[y.known] = length
		y.known++
	}
	return true
}

const repeat = 16 // the symbol for the length before; the two behind it are for 0

var runSpans = [...]span{{3, 2}, {3, 3}, {11, 7}}

// beginSymbols goes on behind the lengths. A block that can't end is none.
func (d *Decoder) beginSymbols() bool {
	y := &d.dynamic
	literals, distances := y.lengths[:y.counts.literals], y.lengths[y.counts.literals:y.known]
	d.literals, d.distances = &y.literals, &y.distances
	return d.enterIf(literals[endOfBlock] != 0 && y.literals.set(literals, true) && y.distances.set(distances, true), stateSymbols)
}
