package inflate

import "math/bits"

const (
	maxBits    = 15  // of one code (RFC 1951 section 3.2.7)
	endOfBlock = 256 // the symbol behind the literals
	maxSymbols = 288 // of one alphabet
	fastBits   = 9
)

// code is a Huffman code (section 3.2.2).
type code struct {
	fast    [1 << fastBits]uint16 // by the next bits: the symbol, and in the low 4 bits its length; 0: longer, or none
	counts  [maxBits + 1]uint16   // of symbols, by length
	symbols [maxSymbols]uint16    // in the order of their codes
}

// set makes c the code in which each symbol has the length that lengths says,
// 0 being none, and reports whether there is such a code and it is complete.
// One that has a single symbol of one bit, or none, is complete if lone says
// so: some blocks need no more.
func (c *code) set(lengths []uint8, lone bool) bool {
	c.counts = [maxBits + 1]uint16{}
	for _, n := range lengths {
		c.counts[n]++
	}
	c.counts[0] = 0
	free, used := 1, 0
	var next, place [maxBits + 1]uint16 // the next code of each length, and where its symbol goes
	for n := 1; n <= maxBits; n++ {
		next[n] = (next[n-1] + c.counts[n-1]) << 1
		place[n] = place[n-1] + c.counts[n-1]
		free = free<<1 - int(c.counts[n])
		used += int(c.counts[n])
		if free < 0 {
			return false
		}
	}
	if free > 0 && !(lone && (used == 0 || used == 1 && c.counts[1] == 1)) {
		return false
	}
	c.fast = [1 << fastBits]uint16{}
	for symbol, n := range lengths {
		if n == 0 {
			continue
		}
		c.symbols[place[n]] = uint16(symbol)
		place[n]++
		if n <= fastBits {
			// Codes are packed from their highest bit on.
			first := bits.Reverse16(next[n]) >> (16 - n)
			for i := int(first); i < len(c.fast); i += 1 << n {
				c.fast[i] = uint16(symbol)<<4 | uint16(n)
			}
		}
		next[n]++
	}
	return true
}

// next is the symbol that the bits begin with and how many of them it takes;
// 0 if they begin with none.
func (c *code) next(held uint64) (symbol int, used uint) {
	if f := c.fast[held&(1<<fastBits-1)]; f != 0 {
		return int(f >> 4), uint(f & 15)
	}
	return c.long(held)
}

// long is next for codes of any length. Those of one length follow each
// other, and the first of them follows what the last shorter one begins.
func (c *code) long(held uint64) (symbol int, used uint) {
	var value, first, place int
	for n := 1; n <= maxBits; n++ {
		value |= int(held & 1)
		held >>= 1
		count := int(c.counts[n])
		if value-first < count {
			return int(c.symbols[place+value-first]), uint(n)
		}
		place += count
		first = (first + count) << 1
		value <<= 1
	}
	return 0, 0
}

var fixedLiterals, fixedDistances = fixed()

// fixed are the codes of section 3.2.6.
func fixed() (literals, distances code) {
	var lengths [maxSymbols]uint8
	for i := range lengths {
		switch {
		case i < 144:
			lengths[i] = 8
		case i < 256:
			lengths[i] = 9
		case i < 280:
			lengths[i] = 7
		default:
			lengths[i] = 8
		}
	}
	literals.set(lengths[:], false)
	for i := range lengths[:32] {
		lengths[i] = 5
	}
	distances.set(lengths[:32], false)
	return literals, distances
}
