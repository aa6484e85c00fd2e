package inflate

import "encoding/binary"

// beginBlock takes the three bits that a block begins with: whether it is the
// last, and its kind (RFC 1951 section 3.2.3).
func (d *Decoder) beginBlock(head uint64) bool {
	d.last = head&1 != 0
	switch head >> 1 {
	case 0:
		return d.enter(stateStoredSize)
	case 1:
		d.literals, d.distances = &fixedLiterals, &fixedDistances
		return d.enter(stateSymbols)
	}
	return d.enterIf(head>>1 == 2, stateCounts) // there is no fourth kind
}

// endBlock goes on behind a block.
func (d *Decoder) endBlock() bool {
	if d.last {
		return d.enter(stateSum)
	}
	return d.enter(stateBlock)
}

// beginStored takes the size of a block that is not compressed, and its
// complement (section 3.2.4).
func (d *Decoder) beginStored(sizes uint64) bool {
	size := uint16(sizes)
	d.rest = int(size)
	return d.enterIf(uint16(sizes>>16) == ^size, stateStored)
}

// stored goes on in a block that is not compressed.
func (d *Decoder) stored() bool {
	switch {
	case d.rest == 0:
		return d.endBlock()
	case d.count > 0: // some whole bytes
		d.put(byte(d.take(8)))
		d.rest--
		return true
	}
	n := copy(d.window[d.at:], d.chunk[:min(d.rest, len(d.chunk))])
	d.chunk = d.chunk[n:]
	d.at, d.rest = d.at+n, d.rest-n
	return n > 0
}

// symbols goes on in a compressed block (section 3.2.5), until its end or
// that of the window, or until the bits don't suffice for the next step: a
// literal, or a length and its distance.
func (d *Decoder) symbols() bool {
	for d.at < windowSize {
		d.fill()
		symbol, used := d.literals.next(d.held)
		switch {
		case used == 0 || used > d.count:
			return d.cutOff(used == 0 && d.count >= maxBits)
		case symbol < endOfBlock:
			d.take(used)
			d.put(byte(symbol))
			continue
		case symbol == endOfBlock:
			d.take(used)
			return d.endBlock()
		case symbol >= endOfBlock+1+len(lengthSpans):
			return d.enterIf(false, stateFailed)
		}
		length, used := lengthSpans[symbol-endOfBlock-1].value(d.held, used)
		symbol, bits := d.distances.next(d.held >> used)
		switch {
		case bits == 0 || used+bits > d.count:
			return d.cutOff(bits == 0 && d.count >= used+maxBits)
		case symbol >= len(distanceSpans):
			return d.enterIf(false, stateFailed)
		}
		distance, used := distanceSpans[symbol].value(d.held, used+bits)
		switch {
		case used > d.count:
			return d.cutOff(false)
		case distance > d.reach || distance > d.at && !d.filled:
			return d.enterIf(false, stateFailed)
		}
		d.take(used)
		d.rest, d.distance = length, distance
		d.copy()
	}
	return false
}

// cutOff ends symbols for want of bits, or because no code begins with them.
func (d *Decoder) cutOff(invalid bool) bool {
	if invalid {
		d.state = stateFailed
	}
	return false
}

// copy repeats bytes of the window. What has no room is left for later.
func (d *Decoder) copy() bool {
	end := min(d.at+d.rest, windowSize)
	d.rest -= end - d.at
	from := d.at - d.distance
	if from < 0 { // those at the end of the window are older than those at its start
		d.at += copy(d.window[d.at:end], d.window[windowSize+from:])
		from = 0
	}
	for d.at < end {
		d.at += copy(d.window[d.at:end], d.window[from:d.at])
	}
	d.state = stateSymbols
	if d.rest > 0 {
		d.state = stateCopy
	}
	return true
}

func (d *Decoder) put(c byte) {
	d.window[d.at] = c
	d.at++
}

// fill takes whole bytes from the chunk until 56 bits are held, which is
// enough for any step.
func (d *Decoder) fill() {
	if len(d.chunk) < 8 {
		d.need(56)
		return
	}
	n := (63 - d.count) / 8
	d.held |= binary.LittleEndian.Uint64(d.chunk) << d.count
	d.count += 8 * n
	d.held &= 1<<d.count - 1
	d.chunk = d.chunk[n:]
}

// span is the values that one symbol stands for: those from base on that a
// number of further bits tells apart.
type span struct {
	base uint16
	bits uint8
}

// value is that which the bits behind the symbol say; used includes them.
func (s span) value(held uint64, used uint) (value int, after uint) {
	return int(s.base) + int(held>>used&(1<<s.bits-1)), used + uint(s.bits)
}

var (
	lengthSpans = [...]span{
		{3, 0}, {4, 0}, {5, 0}, {6, 0}, {7, 0}, {8, 0}, {9, 0}, {10, 0}, {11, 1}, {13, 1}, {15, 1}, {17, 1},
		{19, 2}, {23, 2}, {27, 2}, {31, 2}, {35, 3}, {43, 3}, {51, 3}, {59, 3}, {67, 4}, {83, 4}, {99, 4}, {115, 4},
		{131, 5}, {163, 5}, {195, 5}, {227, 5}, {258, 0},
	}
	distanceSpans = [...]span{
		{1, 0}, {2, 0}, {3, 0}, {4, 0}, {5, 1}, {7, 1}, {9, 2}, {13, 2}, {17, 3}, {25, 3}, {33, 4}, {49, 4},
		{65, 5}, {97, 5}, {129, 6}, {193, 6}, {257, 7}, {385, 7}, {513, 8}, {769, 8}, {1025, 9}, {1537, 9},
		{2049, 10}, {3073, 10}, {4097, 11}, {6145, 11}, {8193, 12}, {12289, 12}, {16385, 13}, {24577, 13},
	}
)
