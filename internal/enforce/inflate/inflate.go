// Package inflate undoes the content codings gzip (RFC 1952) and deflate,
// which is zlib (RFC 1950, RFC 9110 section 8.4.1.2), while a body arrives, in
// memory that does not depend on it, and to the same bytes however it is cut
// into chunks.
//
// compress/flate reads from something that can wait, and allocates for each
// body; a filter is called with what there is.
//
// What decoders read differently is refused: anything behind the end, a second
// gzip member too, which some read and others drop; deflate without its zlib
// header; preset dictionaries; distances beyond the window that the header
// declares. Checksums and lengths must be right.
package inflate

import (
	"hash"
	"hash/adler32"
	"hash/crc32"
	"math/bits"
)

// Coding is a content coding.
type Coding uint8

const (
	Gzip Coding = iota
	Zlib
)

// Token is one step through a body.
type Token uint8

const (
	More   Token = iota // nothing yet: the chunk is used up
	Part                // Bytes is the next part of what was encoded
	End                 // after Finish: the body was whole
	Failed              // it is not in the coding
)

const windowSize = 32 << 10 // bytes: the longest distance (RFC 1951 section 3.2.5)

// Decoder undoes the coding of one body. Reset makes it ready, as often as
// one likes; it keeps its memory, about 38 KiB.
type Decoder struct {
	Bytes []byte // of the last token; valid until the next call of Next

	state state
	chunk []byte
	final bool
	held  uint64 // bits taken from the chunk, the next one lowest
	count uint   // how many

	crc, adler, sum hash.Hash32
	size            uint32 // bytes decoded, modulo 2^32

	window [windowSize]byte // the last bytes decoded, filled from the start again and again
	at     int              // where the next one goes
	shown  int              // where those begin that Next has not returned
	filled bool             // all of the window has been
	reach  int              // the longest distance that the header allows

	last                bool  // the current block is the last
	literals, distances *code // of the current block
	dynamic             dynamic
	rest                int // bytes to go of what the state is about
	distance            int // of the copy of which they are missing

	flags  byte    // of the gzip header
	octets [8]byte // of the gzip header, on their way into the sum
}

type state uint8

const (
	stateGzip state = iota // a gzip header: magic, method, flags
	stateTime
	stateExtraSize // what it may have besides, in this order
	stateExtra
	stateName
	stateComment
	stateHeaderSum
	stateZlib // the zlib header
	stateBlock
	stateStoredSize
	stateStored
	stateCounts // of the codes of a dynamic block
	stateLengthCode
	stateLengths
	stateSymbols
	stateCopy
	stateSum
	stateSize
	stateEnd
	stateFailed
)

// Reset makes d ready for a new body.
func (d *Decoder) Reset(c Coding) {
	if d.crc == nil {
		d.crc, d.adler = crc32.NewIEEE(), adler32.New()
	}
	d.state, d.sum, d.reach = stateGzip, d.crc, windowSize
	if c == Zlib {
		d.state, d.sum = stateZlib, d.adler
	}
	d.sum.Reset()
	d.Bytes, d.chunk, d.final = nil, nil, false
	d.held, d.count, d.size = 0, 0, 0
	d.at, d.shown, d.filled = 0, 0, false
}

// Feed gives d the next chunk, once Next has returned More. The chunk must
// not change until Next returns More again.
func (d *Decoder) Feed(chunk []byte) { d.chunk = chunk }

// Finish says that no chunk follows, once Next has returned More.
func (d *Decoder) Finish() { d.chunk, d.final = nil, true }

// Next returns the next token. All that could be decoded before a fault comes
// before it.
func (d *Decoder) Next() Token {
	if d.at == windowSize {
		d.at, d.shown, d.filled = 0, 0, true
	}
	for d.at < windowSize && d.step() {
	}
	switch {
	case d.at > d.shown:
		d.Bytes, d.shown = d.window[d.shown:d.at], d.at
		d.size += uint32(len(d.Bytes))
		d.sum.Write(d.Bytes)
		return Part
	case d.state == stateFailed:
	case !d.final:
		return More
	case d.state == stateEnd:
		return End
	}
	d.state, d.Bytes = stateFailed, nil
	return Failed
}

// step goes on in the current state. It reports whether there is more to do
// before Next returns.
func (d *Decoder) step() bool {
	switch d.state {
	case stateStored:
		return d.stored()
	case stateLengths:
		return d.lengths()
	case stateSymbols:
		return d.symbols()
	case stateCopy:
		return d.copy()
	case stateEnd:
		return !d.enterIf(d.count == 0 && len(d.chunk) == 0, stateEnd)
	case stateFailed:
		return false
	case stateStoredSize, stateSum:
		d.align()
		if d.at > d.shown && d.state == stateSum {
			return false // to be returned first, and summed up
		}
	}
	if d.isAbsent() {
		return true
	}
	n := fieldBits[d.state]
	if !d.need(n) {
		return false
	}
	return d.field(d.take(n))
}

// fieldBits is the size of what is read whole in a state.
var fieldBits = [stateFailed]uint{
	stateGzip: 32, stateTime: 48, stateExtraSize: 16, stateExtra: 8, stateName: 8, stateComment: 8, stateHeaderSum: 16,
	stateZlib: 16, stateBlock: 3, stateStoredSize: 32, stateCounts: 14, stateLengthCode: 3, stateSum: 32, stateSize: 32,
}

// field takes what has been read whole.
func (d *Decoder) field(v uint64) bool {
	switch d.state {
	case stateZlib:
		return d.zlibHeader(v)
	case stateBlock:
		return d.beginBlock(v)
	case stateStoredSize:
		return d.beginStored(v)
	case stateCounts:
		return d.beginDynamic(v)
	case stateLengthCode:
		return d.lengthOfLength(v)
	case stateSum:
		return d.checkSum(uint32(v))
	case stateSize:
		return d.enterIf(uint32(v) == d.size, stateEnd)
	}
	return d.gzipHeader(v)
}

// checkSum compares the sum behind the last block. After gzip's the size
// follows; zlib's is big-endian.
func (d *Decoder) checkSum(sum uint32) bool {
	if d.sum == d.adler {
		return d.enterIf(bits.ReverseBytes32(sum) == d.sum.Sum32(), stateEnd)
	}
	return d.enterIf(sum == d.sum.Sum32(), stateSize)
}

// enter goes on in another state.
func (d *Decoder) enter(s state) bool {
	d.state = s
	return true
}

// enterIf goes on in another state if all is well, and reports that.
func (d *Decoder) enterIf(ok bool, s state) bool {
	if d.state = s; !ok {
		d.state = stateFailed
	}
	return ok
}

// need takes bits from the chunk until n are held, and reports whether there
// are so many.
func (d *Decoder) need(n uint) bool {
	for d.count < n && len(d.chunk) > 0 {
		d.held |= uint64(d.chunk[0]) << d.count
		d.chunk, d.count = d.chunk[1:], d.count+8
	}
	return d.count >= n
}

// take returns the next n bits, which are held.
func (d *Decoder) take(n uint) uint64 {
	v := d.held & (1<<n - 1)
	d.held, d.count = d.held>>n, d.count-n
	return v
}

// align drops the bits before the next byte.
func (d *Decoder) align() { d.take(d.count % 8) }
