package enforce

import (
	"bytes"
	"unicode/utf8"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/violation"
)

// fields is how far a body of named fields has been judged. It is judged as
// one object, whose properties come one after the other; so the items of an
// array must follow each other.
//
// No value is held, but for a text that may stand for something else than a
// string: it can be no longer than a number in JSON.
type fields struct {
	malformed violation.Code // of what breaks the body's own syntax

	list *artifact.Field // the array whose items arrive; nil: none
	now  artifact.Field  // what the current value is

	utf8   utf8Text
	held   []byte // of a text that may yet be no string
	string bool   // it is one
	size   uint64 // of a file, so far
}

// anyField is a name that the specification does not spell.
func anyField(m *artifact.Media) artifact.Field {
	return artifact.Field{Scalars: m.Extra, Shape: artifact.ShapeScalar}
}

func (r *Request) beginFields(malformed violation.Code) {
	r.fields.malformed, r.fields.list = malformed, nil
	r.beginObject()
}

func (r *Request) endFields() {
	r.endList()
	r.machine.EndObject()
}

// beginField begins the value of the field with this name.
func (r *Request) beginField(name []byte) {
	f, m := &r.fields, &r.machine
	declared := r.findField(name)
	if declared == nil || declared != f.list {
		r.endList()
		if !utf8.Valid(name) {
			m.Refuse(f.malformed)
			return
		}
		if !r.property(name) {
			m.Refuse(violation.RepeatedField)
			return
		}
	}
	switch {
	case declared != nil:
		f.now = *declared
	case r.looksDeclared(name):
		m.Refuse(violation.UndeclaredProperty)
		return
	default:
		f.now = anyField(r.media)
	}
	if f.now.Array != 0 && f.list == nil {
		f.list = declared
		m.BeginArray()
	}
	r.beginValue()
}

func (r *Request) endList() {
	if r.fields.list != nil {
		r.machine.EndArray()
		r.fields.list = nil
	}
}

func (r *Request) findField(name []byte) *artifact.Field {
	b := r.engine.bundle
	declared := artifact.Of(b.Fields, r.media.Fields)
	for i := range declared {
		if bytes.Equal(b.String(declared[i].Name), name) {
			return &declared[i]
		}
	}
	return nil
}

// looksDeclared reports whether a name that is not declared is one to some
// parsers: "role[]" and "role[x]" are "role" to PHP, Rails and qs, and "a.b",
// "a b" and "a[b" are "a_b" to PHP.
func (r *Request) looksDeclared(name []byte) bool {
	b := r.engine.bundle
	name = bytes.TrimLeft(name, " ")
	stem, _, _ := bytes.Cut(name, []byte{'['})
	for _, f := range artifact.Of(b.Fields, r.media.Fields) {
		if declared := b.String(f.Name); sameToPHP(declared, name) || sameToPHP(declared, stem) {
			return true
		}
	}
	return false
}

func sameToPHP(a, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] && (!isUnderscore(a[i]) || !isUnderscore(b[i])) {
			return false
		}
	}
	return true
}

func isUnderscore(c byte) bool { return c == '_' || c == '.' || c == ' ' || c == '[' }

func (r *Request) beginValue() {
	f := &r.fields
	f.utf8, f.held, f.size = utf8Text{}, f.held[:0], 0
	f.string = f.now.Scalars&^artifact.TypeString == 0
	if f.now.Shape == artifact.ShapeJSON {
		r.machine.BeginText()
	}
}

// valuePart is a part of the current value; last says that it ends there.
func (r *Request) valuePart(part []byte, last bool) {
	f := &r.fields
	switch f.now.Shape {
	case artifact.ShapeJSON:
		r.machine.WriteText(part)
		if last {
			r.machine.EndText()
		}
		return
	case artifact.ShapeFile:
		if f.size += uint64(len(part)); f.size > uint64(f.now.MaxSize) {
			r.machine.Refuse(violation.MaxLength)
		} else if last {
			r.machine.String(nil) // of which the schema says no more
		}
		return
	}
	n := f.utf8.valid(part)
	broken := n < len(part) || last && !f.utf8.whole()
	r.scalarPart(part[:n], last && !broken)
	if broken {
		r.machine.Refuse(f.malformed)
	}
}

// scalarPart is valuePart for a text.
func (r *Request) scalarPart(part []byte, last bool) {
	f, m := &r.fields, &r.machine
	if room := int(r.engine.bundle.Meta.MaxToken) - len(f.held); !f.string && len(part) > room {
		f.held = append(f.held, part[:room]...)
		if mayBeNumber(f.held) {
			m.Refuse(violation.TokenLength)
			return
		}
		f.string, part = true, part[room:]
		m.Part(f.held)
	}
	switch {
	case f.string && last:
		m.EndString(part)
	case f.string:
		m.Part(part)
	default:
		f.held = append(f.held, part...)
		if last {
			r.scalar(f.now.Scalars, f.held)
		}
	}
}

// mayBeNumber reports whether s has only bytes that numbers have.
func mayBeNumber(s []byte) bool {
	for _, c := range s {
		if (c < '0' || c > '9') && c != '+' && c != '-' && c != '.' && c|0x20 != 'e' {
			return false
		}
	}
	return true
}
