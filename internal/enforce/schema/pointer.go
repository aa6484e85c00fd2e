package schema

import (
	"strconv"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/violation"
)

// place is something within a value: a property that is missing, an item too
// many.
type place struct {
	kind placeKind
	name artifact.Text
	item uint32
}

type placeKind uint8

const (
	placeNone placeKind = iota
	placeName           // a name that the schema spells
	placeAny            // another name
	placeItem
)

// violate notes a violation by the value that depth frames are around, or by
// what is at a place within it.
func (m *Machine) violate(code violation.Code, location artifact.Ref, depth int, at place) {
	if m.stopped || !code.Rejects() && m.unjudged {
		return
	}
	start := len(m.pointers)
	for i := range m.frames[:depth] {
		m.appendPlace(m.frames[i].current())
	}
	m.appendPlace(at)
	m.violations = append(m.violations, Violation{code, m.pointers[start:], location})
	if !code.Rejects() {
		m.unjudged = true
		return
	}
	m.rejecting++
	m.stopped = m.options.FailFast || m.rejecting >= m.options.MaxViolations
}

// current is the item or property that f is at.
func (f *frame) current() place {
	switch {
	case !f.isObject && f.count == 0: // no item yet: the array itself
		return place{}
	case !f.isObject:
		return place{kind: placeItem, item: f.count - 1}
	case f.spelt:
		return place{kind: placeName, name: f.child}
	}
	return place{kind: placeAny}
}

func (m *Machine) appendPlace(p place) {
	switch p.kind {
	case placeName:
		m.appendName(p.name)
	case placeAny:
		m.pointers = append(m.pointers, "/*"...)
	case placeItem:
		m.pointers = append(m.pointers, '/')
		m.pointers = strconv.AppendUint(m.pointers, uint64(p.item), 10)
	}
}

// appendName appends a name that the schema spells, escaped as RFC 6901 says.
// One that holds control characters becomes "*".
func (m *Machine) appendName(t artifact.Text) {
	start := len(m.pointers)
	m.pointers = append(m.pointers, '/')
	for _, c := range m.program.String(t) {
		switch {
		case c < ' ' || c == 0x7f:
			m.pointers = append(m.pointers[:start], "/*"...)
			return
		case c == '~':
			m.pointers = append(m.pointers, "~0"...)
		case c == '/':
			m.pointers = append(m.pointers, "~1"...)
		default:
			m.pointers = append(m.pointers, c)
		}
	}
}
