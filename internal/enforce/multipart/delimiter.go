package multipart

import "bytes"

const maxBoundary = 70 // bytes (RFC 2046 section 5.1.1)

// delimiter is what stands before each part: "\r\n--" and the boundary. It is
// searched for as Knuth, Morris and Pratt do, which never looks back.
type delimiter struct {
	text [len("\r\n--") + maxBoundary]byte
	size int
	// How much of the beginning is matched still where the byte behind so
	// many matched ones is another; without the line end, in bareFalls.
	falls, bareFalls [len("\r\n--") + maxBoundary + 1]uint8
}

func (d *delimiter) set(boundary []byte) {
	d.size = copy(d.text[:], "\r\n--")
	d.size += copy(d.text[d.size:], boundary)
	prepare(&d.falls, d.text[:d.size])
	prepare(&d.bareFalls, d.text[2:d.size])
}

func prepare(falls *[len("\r\n--") + maxBoundary + 1]uint8, text []byte) {
	falls[0], falls[1] = 0, 0
	n := 0
	for i := 1; i < len(text); i++ {
		for n > 0 && text[n] != text[i] {
			n = int(falls[n])
		}
		if text[n] == text[i] {
			n++
		}
		falls[i+1] = uint8(n)
	}
}

// next is how many bytes are matched after c, if n were before.
func (d *delimiter) next(n int, c byte) int {
	for n > 0 && d.text[n] != c {
		n = int(d.falls[n])
	}
	if d.text[n] == c {
		n++
	}
	return n
}

// nextBare is next for the delimiter without its line end.
func (d *delimiter) nextBare(n int, c byte) int {
	text := d.text[2:d.size]
	if n == len(text) {
		n = int(d.bareFalls[n])
	}
	for n > 0 && text[n] != c {
		n = int(d.bareFalls[n])
	}
	if text[n] == c {
		n++
	}
	return n
}

// Boundary finds the boundary among the parameters of a content type, what
// follows the first ';'. It reports whether there is one that everybody reads
// alike: some look for the word alone, and take "xboundary" for it.
func Boundary(parameters []byte) (boundary []byte, ok bool) {
	for rest := parameters; len(rest) > 0; {
		var one []byte
		one, rest, _ = bytes.Cut(rest, []byte{';'})
		name, value, _ := bytes.Cut(bytes.Trim(one, " \t"), []byte{'='})
		if !equalFold(name, "boundary") {
			continue
		}
		if boundary, ok = unquote(value); !ok || len(boundary) > maxBoundary {
			return nil, false
		}
		for _, c := range boundary {
			if !isBoundary(c) {
				return nil, false
			}
		}
	}
	// The browsers' boundaries have the word in them.
	if CountFold(parameters, "boundary=") != 1 || CountFold(parameters, "boundary") != 1+CountFold(boundary, "boundary") {
		return nil, false
	}
	return boundary, boundary != nil
}

// isBoundary is bchars of RFC 2046 section 5.1.1, but for the space and the
// comma, with which a boundary ends to Rack, and the question mark: "=?" begins
// what Tomcat decodes (RFC 2047).
func isBoundary(c byte) bool {
	return isAlphanumeric(c) || bytes.IndexByte([]byte(`'()+_-./:=`), c) >= 0
}
