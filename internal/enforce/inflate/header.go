package inflate

import "encoding/binary"

// Flags of a gzip header (RFC 1952 section 2.3.1). The lowest, that the body
// is text, means nothing.
const (
	hasSum     = 1 << 1
	hasExtra   = 1 << 2
	hasName    = 1 << 3
	hasComment = 1 << 4
	unassigned = 7 << 5
)

// isAbsent goes on behind what a gzip header need not have, and has not.
func (d *Decoder) isAbsent() bool {
	switch {
	case d.state == stateExtraSize && d.flags&hasExtra == 0, d.state == stateExtra && d.rest == 0:
		return d.enter(stateName)
	case d.state == stateName && d.flags&hasName == 0, d.state == stateComment && d.flags&hasComment == 0:
		return d.enter(d.state + 1)
	}
	return d.state == stateHeaderSum && d.flags&hasSum == 0 && d.beginData()
}

// gzipHeader takes the next field of a gzip header. Nothing in it matters to
// the body but the method.
func (d *Decoder) gzipHeader(v uint64) bool {
	sum := uint16(d.sum.Sum32())
	binary.LittleEndian.PutUint64(d.octets[:], v)
	d.sum.Write(d.octets[:fieldBits[d.state]/8])
	switch d.state {
	case stateGzip:
		d.flags = byte(v >> 24)
		return d.enterIf(v&0xffffff == 0x08_8b1f && d.flags&unassigned == 0, stateTime)
	case stateTime:
		return d.enter(stateExtraSize)
	case stateExtraSize:
		d.rest = int(v)
		return d.enter(stateExtra)
	case stateExtra:
		d.rest--
		return true
	case stateHeaderSum:
		return d.enterIf(uint16(v) == sum, stateBlock) && d.beginData()
	}
	if v == 0 { // the end of the name or comment
		d.state++
	}
	return true
}

// beginData ends the header. From here on it is the data that is summed up.
func (d *Decoder) beginData() bool {
	d.sum.Reset()
	return d.enter(stateBlock)
}

// zlibHeader is the method, the size of the window, a check of all 16 bits,
// and whether there is a preset dictionary (RFC 1950 section 2.2).
func (d *Decoder) zlibHeader(v uint64) bool {
	method, window, dictionary := v&15, v>>4&15, v>>13&1
	d.reach = 1 << (window + 8)
	return d.enterIf(method == 8 && window <= 7 && (v&0xff<<8|v>>8)%31 == 0 && dictionary == 0, stateBlock)
}
