package enforce

import (
	"bytes"
	"unicode/utf8"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/enforce/utf8text"
	"github.com/threatgate/threatgate/internal/violation"
)

// fields is how far a body of named fields has been judged. It is judged as
// one object, whose properties come one after the other; so the items of an
// array must follow each other, and what names with brackets write, too.
//
// No value is held, but for a text that may stand for something else than a
// string: it can be no longer than a number in JSON.
type fields struct {
	malformed violation.Code // of what breaks the body's own syntax

	open *artifact.Field // the property that more names may be of; nil: none
	now  artifact.Field  // what the current value is

	utf8   utf8text.Text
	held   []byte // of a text that may yet be no string
	string bool   // it is one
	size   uint64 // of a file, so far
}

// anyField is a name that the specification does not spell.
func anyField(m *artifact.Media) artifact.Field {
	return artifact.Field{Scalars: m.Extra, Shape: artifact.ShapeScalar}
}

func (b *body) beginFields(malformed violation.Code) {
	b.fields.malformed, b.fields.open = malformed, nil
	b.beginObject()
}

func (b *body) endFields() {
	b.endOpen()
	b.machine.EndObject()
}

// beginField begins the value of the field with this name.
func (b *body) beginField(name []byte) {
	f, m := &b.fields, &b.machine
	declared, brackets := b.findField(name)
	if declared == nil || declared != f.open {
		b.endOpen()
		if !utf8.Valid(name) {
			m.Refuse(f.malformed)
			return
		}
		if !b.property(name[:len(name)-len(brackets)]) {
			m.Refuse(violation.RepeatedField)
			return
		}
	}
	code := violation.None
	switch {
	case declared == nil && b.request.looksDeclared(name, b.media.Fields, artifact.Text{}):
		code = violation.UndeclaredProperty
	case declared == nil:
		f.now = anyField(b.media)
	case declared.Array != 0 && len(brackets) == 0:
		f.now = *declared
		code = b.beginItem(declared)
	case declared.Deep != artifact.DeepNone:
		if f.open == nil {
			f.open = declared
			b.beginDeep()
		}
		f.now, code = b.descend(*declared, brackets)
	default:
		f.now = *declared
	}
	if code == violation.ParameterEncoding {
		code = f.malformed
	}
	if code != violation.None {
		m.Refuse(code)
		return
	}
	b.beginValue()
}

// beginItem begins an item of an array of which each bears its name.
func (b *body) beginItem(array *artifact.Field) violation.Code {
	if b.fields.open == nil {
		b.fields.open = array
		b.beginDeep()
		b.machine.BeginArray()
		b.deep.whole = true
	}
	if !b.deep.whole {
		return violation.RepeatedField // with brackets before
	}
	return violation.None
}

func (b *body) endOpen() {
	open := b.fields.open
	b.fields.open = nil
	switch {
	case open == nil:
	case open.Array != 0 && b.deep.whole:
		b.machine.EndArray()
	default:
		b.closeDeep(0)
	}
}

// findField returns the declared field of this name, or that of which the
// name has only brackets more, and these.
func (b *body) findField(name []byte) (f *artifact.Field, brackets []byte) {
	declared := artifact.Of(b.bundle.Fields, b.media.Fields)
	stem := len(name)
	if i := bytes.IndexByte(name, '['); i > 0 {
		stem = i
	}
	for i := range declared {
		switch spelt := b.bundle.String(declared[i].Name); {
		case bytes.Equal(spelt, name):
			return &declared[i], nil
		case declared[i].Deep != artifact.DeepNone && bytes.Equal(spelt, name[:stem]):
			f, brackets = &declared[i], name[stem:]
		}
	}
	return f, brackets
}

func (b *body) beginValue() {
	f := &b.fields
	f.utf8, f.held, f.size = utf8text.Text{}, f.held[:0], 0
	f.string = f.now.Scalars&^artifact.TypeString == 0
	if f.now.Shape == artifact.ShapeJSON {
		b.machine.BeginText()
	}
}

// valuePart is a part of the current value; last says that it ends there.
func (b *body) valuePart(part []byte, last bool) {
	f := &b.fields
	switch f.now.Shape {
	case artifact.ShapeJSON:
		b.machine.WriteText(part)
		if last {
			b.machine.EndText()
		}
		return
	case artifact.ShapeFile:
		if f.size += uint64(len(part)); f.size > uint64(f.now.MaxSize) {
			b.machine.Refuse(violation.MaxLength)
		} else if last {
			b.machine.String(nil) // of which the schema says no more
		}
		return
	}
	n := f.utf8.Valid(part)
	broken := n < len(part) || last && !f.utf8.Whole()
	b.scalarPart(part[:n], last && !broken)
	if broken {
		b.machine.Refuse(f.malformed)
	}
}

// scalarPart is valuePart for a text.
func (b *body) scalarPart(part []byte, last bool) {
	f, m := &b.fields, &b.machine
	if room := int(b.bundle.Meta.MaxToken) - len(f.held); !f.string && len(part) > room {
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
			b.scalar(f.now.Scalars, f.held)
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
