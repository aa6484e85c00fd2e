// Package artifact is the compiled policy: what the control plane pushes and
// the filter judges by.
//
// A bundle is flat bytes. Behind a header stands a table of sections; each
// section is an array of one fixed-size record type, little-endian, aligned
// to 8 bytes. Records refer to each other by index (Ref, Range) and to
// strings by their place in one pool (Text). There is nothing to build on
// decoding: Decode checks every offset, index and enumeration once, and
// after that the sections are read in place, without copies, without
// pointers for the garbage collector to follow, and without any check left
// to do. A bundle that fails a check is refused whole.
//
// The layout of the records is the format. The header carries a fingerprint
// of their sizes, so that a filter of another build refuses the bundle for
// what it is; a change that keeps the sizes is a new formatVersion.
package artifact

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"unsafe"
)

const (
	magic         = 0x42504754 // "TGPB"
	formatVersion = 1
	headerSize    = 48
	align         = 8

	// MaxSize is the largest bundle that Decode accepts, in bytes.
	MaxSize = 64 << 20
)

// RevisionSize is the length of a revision: the release's digest, in
// lower-case hexadecimal, cut to this many characters.
const RevisionSize = 16

// Bundle is one API's policy. The sections refer to each other as the
// record types say; see records.go and program.go.
type Bundle struct {
	Revision string // of the release that the bundle is part of

	Meta         Meta
	Text         []byte
	Hosts        []Host // none: any host, whose routes begin at Nodes[0]
	Nodes        []Node // the routes
	Literals     []Literal
	Templates    []Template
	Pieces       []Piece
	Methods      []Method
	Operations   []Operation
	Parameters   []Parameter
	Fields       []Field
	Media        []Media
	Elements     []Element
	Contents     []Content
	Responses    []Response
	Alternatives []Alternative
	Credentials  []Credential
	Scopes       []Text
	Issuers      []Issuer
	Limits       []Limit
	Identity     []Text // header names to strip, lower case, sorted
	Threats      []Threat
	Program      Program
}

// sections lists every section in the order in which it is written.
func (b *Bundle) sections() []section {
	meta := unsafe.Slice(&b.Meta, 1)
	all := []section{
		fixed[Meta]{meta},
		list[byte]{&b.Text},
		list[Host]{&b.Hosts},
		list[Node]{&b.Nodes},
		list[Literal]{&b.Literals},
		list[Template]{&b.Templates},
		list[Piece]{&b.Pieces},
		list[Method]{&b.Methods},
		list[Operation]{&b.Operations},
		list[Parameter]{&b.Parameters},
		list[Field]{&b.Fields},
		list[Media]{&b.Media},
		list[Element]{&b.Elements},
		list[Content]{&b.Contents},
		list[Response]{&b.Responses},
		list[Alternative]{&b.Alternatives},
		list[Credential]{&b.Credentials},
		list[Text]{&b.Scopes},
		list[Issuer]{&b.Issuers},
		list[Limit]{&b.Limits},
		list[Text]{&b.Identity},
		list[Threat]{&b.Threats},
	}
	return append(all, b.Program.sections()...)
}

// Encode writes the bundle. The same bundle always gives the same bytes.
func (b *Bundle) Encode() []byte {
	sections := b.sections()
	size := headerSize + 8*len(sections)
	for _, s := range sections {
		size = alignUp(size) + len(s.bytes())
	}
	out := make([]byte, headerSize+8*len(sections), size)
	for i, s := range sections {
		for len(out)%align != 0 {
			out = append(out, 0)
		}
		entry := out[headerSize+8*i:]
		binary.LittleEndian.PutUint32(entry, uint32(len(out)))
		binary.LittleEndian.PutUint32(entry[4:], uint32(len(s.bytes())))
		out = append(out, s.bytes()...)
	}
	binary.LittleEndian.PutUint32(out, magic)
	binary.LittleEndian.PutUint32(out[4:], formatVersion)
	binary.LittleEndian.PutUint32(out[8:], uint32(len(out)))
	binary.LittleEndian.PutUint32(out[12:], uint32(len(sections)))
	copy(out[16:16+RevisionSize], b.Revision)
	binary.LittleEndian.PutUint32(out[40:], crc32.Checksum(out[headerSize:], crcTable))
	binary.LittleEndian.PutUint32(out[44:], layout(sections))
	return out
}

// SetRevision writes the revision into an encoded bundle. It stands in the
// header, outside of what the checksum and the release's digest cover.
func SetRevision(encoded []byte, revision string) {
	copy(encoded[16:16+RevisionSize], revision)
}

// Errors of Decode. They are values, without detail: a bundle is made by the
// compiler, so a user can't mend one.
var (
	ErrNotABundle = errors.New("not a threatgate bundle")
	ErrVersion    = errors.New("bundle has another format version")
	ErrTruncated  = errors.New("bundle is truncated or too large")
	ErrChecksum   = errors.New("bundle is damaged: wrong checksum")
	ErrSections   = errors.New("bundle has a section out of place")
	ErrReference  = errors.New("bundle has a reference out of range")
)

// Decode reads a bundle. The result shares data's memory, which must not
// change while the bundle is in use.
func Decode(data []byte) (*Bundle, error) {
	if len(data) < headerSize || binary.LittleEndian.Uint32(data) != magic {
		return nil, ErrNotABundle
	}
	if binary.LittleEndian.Uint32(data[4:]) != formatVersion {
		return nil, ErrVersion
	}
	if len(data) > MaxSize || binary.LittleEndian.Uint32(data[8:]) != uint32(len(data)) {
		return nil, ErrTruncated
	}
	if binary.LittleEndian.Uint32(data[40:]) != crc32.Checksum(data[headerSize:], crcTable) {
		return nil, ErrChecksum
	}
	if uintptr(unsafe.Pointer(&data[0]))%align != 0 {
		aligned := make([]uint64, (len(data)+7)/8)
		copy(unsafe.Slice((*byte)(unsafe.Pointer(&aligned[0])), len(data)), data)
		data = unsafe.Slice((*byte)(unsafe.Pointer(&aligned[0])), len(data))
	}
	b := &Bundle{Revision: string(data[16 : 16+RevisionSize])}
	sections := b.sections()
	if binary.LittleEndian.Uint32(data[44:]) != layout(sections) {
		return nil, ErrVersion
	}
	if binary.LittleEndian.Uint32(data[12:]) != uint32(len(sections)) || len(data) < headerSize+8*len(sections) {
		return nil, ErrSections
	}
	for i, s := range sections {
		entry := data[headerSize+8*i:]
		off, n := uint64(binary.LittleEndian.Uint32(entry)), uint64(binary.LittleEndian.Uint32(entry[4:]))
		if off%align != 0 || off+n > uint64(len(data)) || !s.view(data[off:off+n:off+n]) {
			return nil, ErrSections
		}
	}
	if !b.check() {
		return nil, ErrReference
	}
	return b, nil
}

// String returns the bytes of t. They must not be changed.
func (b *Bundle) String(t Text) []byte { return b.Text[t.Off : t.Off+t.Len] }

// ResponseTo returns which of the responses is declared for a status code, nil
// if none is.
func (b *Bundle) ResponseTo(status uint16, responses Range) *Response {
	declared := Of(b.Responses, responses)
	for i := range declared {
		if r := &declared[i]; r.First <= status && status <= r.Last {
			return r
		}
	}
	return nil
}

// Of returns the run of items that r names.
func Of[T any](items []T, r Range) []T { return items[r.Off : r.Off+r.Len] }

// layout is a fingerprint of the sizes of the sections' records.
func layout(sections []section) uint32 {
	var sizes []byte
	for _, s := range sections {
		sizes = binary.LittleEndian.AppendUint16(sizes, uint16(s.size()))
	}
	return crc32.Checksum(sizes, crcTable)
}

var crcTable = crc32.MakeTable(crc32.Castagnoli)

func alignUp(n int) int { return (n + align - 1) &^ (align - 1) }

// section is one array of the bundle, as bytes.
type section interface {
	size() int // of one record
	bytes() []byte
	view([]byte) bool // makes the array share the bytes; false if they are not a whole number of records
}

// list is a section of any number of T, which must be free of pointers and
// of implicit padding (a test sees to it).
type list[T any] struct{ items *[]T }

func (l list[T]) size() int {
	var zero T
	return int(unsafe.Sizeof(zero))
}

func (l list[T]) bytes() []byte { return asBytes(*l.items) }

func (l list[T]) view(b []byte) bool {
	size := l.size()
	if len(b)%size != 0 {
		return false
	}
	if len(b) > 0 {
		*l.items = unsafe.Slice((*T)(unsafe.Pointer(&b[0])), len(b)/size)
	}
	return true
}

// fixed is a section of a known number of T, held by value in the Bundle.
type fixed[T any] struct{ items []T }

func (f fixed[T]) size() int { return len(asBytes(f.items)) }

func (f fixed[T]) bytes() []byte { return asBytes(f.items) }

func (f fixed[T]) view(b []byte) bool {
	if len(b) != len(asBytes(f.items)) {
		return false
	}
	copy(asBytes(f.items), b)
	return true
}

func asBytes[T any](items []T) []byte {
	if len(items) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&items[0])), len(items)*int(unsafe.Sizeof(items[0])))
}
