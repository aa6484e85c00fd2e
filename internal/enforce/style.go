package enforce

import (
	"bytes"
	"unicode/utf8"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/violation"
)

// missing is what becomes of a parameter that was not given.
func (v *values) missing(p *artifact.Parameter) (stop bool) {
	return p.Flags&artifact.ParameterRequired != 0 &&
		v.request.violate(violation.Required, p.Place, v.bundle.String(p.Name), v.bundle.String(p.Schema))
}

// judgeText judges a parameter whose value is one text: a scalar, a list
// with separators, or a JSON document. Where the schema admits a scalar beside
// an array or object, either will do: the text does not say which it is.
func (v *values) judgeText(p *artifact.Parameter, raw []byte) (stop bool) {
	if p.Flags&artifact.PresenceOnly != 0 {
		return v.unread(p)
	}
	raw, ok := v.unwrap(p, raw)
	switch {
	case !ok:
		return v.malformed(p)
	case p.Shape == artifact.ShapeScalar:
		return v.judgeScalar(p, p.Scalars, raw)
	case v.isAlone(p, raw):
		return false
	}
	v.begin(p)
	switch p.Shape {
	case artifact.ShapeArray:
		ok = v.items(p, raw)
	case artifact.ShapeObject:
		ok = v.properties(p, raw)
	case artifact.ShapeJSON:
		if raw, ok = v.decode(p.Place, raw); ok {
			v.machine.Write(raw)
		}
	}
	if !ok {
		return v.malformed(p)
	}
	return v.finish(p)
}

func (v *values) malformed(p *artifact.Parameter) (stop bool) {
	return v.request.violate(violation.ParameterEncoding, p.Place, v.bundle.String(p.Name), v.bundle.String(p.Schema))
}

// judgeScalar judges a text that stands for a scalar of one of these types.
func (v *values) judgeScalar(p *artifact.Parameter, types artifact.Types, raw []byte) (stop bool) {
	value, ok := v.decode(p.Place, raw)
	if ok && (v.isASCII(p.Place) || utf8.Valid(value)) && v.machine.Passes(&v.bundle.Program, p.Root, typeOf(types, value), value) {
		return false
	}
	v.begin(p)
	if !ok || !v.scalar(types, value) {
		return v.malformed(p)
	}
	return v.finish(p)
}

// isAlone reports whether a text is valid as a scalar that the schema admits
// beside an array or object.
func (v *values) isAlone(p *artifact.Parameter, raw []byte) bool {
	if p.Alone == 0 {
		return false
	}
	value, ok := v.decode(p.Place, raw)
	v.begin(p)
	return ok && v.scalar(p.Alone, value) && v.machine.End()
}

// unwrap takes off what stands before a value: "." in label style, ";name="
// in matrix style (RFC 6570 sections 3.2.5 and 3.2.7), where the members of
// an exploded array or object have names of their own.
func (v *values) unwrap(p *artifact.Parameter, raw []byte) ([]byte, bool) {
	switch p.Style {
	case artifact.StyleLabel:
		return bytes.CutPrefix(raw, []byte{'.'})
	case artifact.StyleMatrix:
		raw, ok := bytes.CutPrefix(raw, []byte{';'})
		if p.Flags&artifact.Explode != 0 && p.Shape != artifact.ShapeScalar {
			return raw, ok
		}
		if bytes.IndexByte(raw, ';') >= 0 {
			return nil, false // given twice, or not alone
		}
		value, named := v.unname(p, raw)
		return value, ok && named
	}
	return raw, true
}

// unname returns the value in "name=value". Without a value there may be no
// "=" (RFC 6570 section 3.2.7).
func (v *values) unname(p *artifact.Parameter, raw []byte) (value []byte, ok bool) {
	name, value, _ := bytes.Cut(raw, []byte{'='})
	return value, bytes.Equal(name, v.bundle.String(p.Name))
}

// separators of array items and of object members, by style, in all the ways
// in which they are written; those of exploded ones last.
var separators = [...][2][]string{
	artifact.StyleSimple:         {{","}, {","}},
	artifact.StyleForm:           {{","}, {"&"}},
	artifact.StyleLabel:          {{","}, {"."}},
	artifact.StyleMatrix:         {{","}, {";"}},
	artifact.StyleSpaceDelimited: {{"%20", "+"}, {"&"}},
	artifact.StylePipeDelimited:  {{"|", "%7C", "%7c"}, {"&"}},
	artifact.StyleDeepObject:     {{","}, {","}},
}

// separatorsOf returns what separates the items or members of p. An escaped
// comma is part of an item (RFC 6570 section 3.2.1), unless none can have one:
// most clients escape all of a value.
func separatorsOf(p *artifact.Parameter) []string {
	written := separators[p.Style][p.Flags&artifact.Explode/artifact.Explode]
	if written[0] == "," && hasEscapes(p.Place) && p.Shape == artifact.ShapeArray && p.Scalars&artifact.TypeString == 0 {
		return escapedCommas
	}
	return written
}

var escapedCommas = []string{",", "%2C", "%2c"}

// items feeds the items of "a,b,c" to the machine. In exploded matrix style
// each has the array's name, ";id=a;id=b", and in exploded form style each but
// the first, "a&id=b", of which the cookie has taken the name.
func (v *values) items(p *artifact.Parameter, list []byte) bool {
	exploded := p.Flags&artifact.Explode != 0
	named := exploded && p.Style == artifact.StyleMatrix
	v.machine.BeginArray()
	for more := len(list) > 0; more; {
		var item []byte
		item, list, more = cut(p, list)
		if named {
			var ok bool
			if item, ok = v.unname(p, item); !ok {
				return false
			}
		}
		named = named || exploded && p.Style == artifact.StyleForm
		// Separators are found before decoding: an escaped one is data.
		value, ok := v.decode(p.Place, item)
		if !ok || !v.scalar(p.Scalars, value) {
			return false
		}
	}
	v.machine.EndArray()
	return true
}

// properties feeds the members of "a,1,b,2", or if exploded "a=1,b=2".
func (v *values) properties(p *artifact.Parameter, list []byte) bool {
	v.beginObject()
	for more := len(list) > 0; more; {
		var name, item []byte
		name, list, more = cut(p, list)
		if p.Flags&artifact.Explode != 0 {
			var ok bool
			if name, item, ok = bytes.Cut(name, []byte{'='}); !ok && p.Style != artifact.StyleMatrix {
				return false
			}
		} else if !more {
			return false // a name without a value
		} else {
			item, list, more = cut(p, list)
		}
		decoded, ok := v.decode(p.Place, name)
		if !ok || !utf8.Valid(decoded) || !v.property(decoded) {
			return false
		}
		types, _ := v.field(p, decoded)
		value, ok := v.decode(p.Place, item)
		if !ok || !v.scalar(types, value) {
			return false
		}
	}
	v.machine.EndObject()
	return true
}

// cut splits list at its first separator.
func cut(p *artifact.Parameter, list []byte) (item, rest []byte, more bool) {
	item = list
	for _, separator := range separatorsOf(p) {
		if i := bytes.Index(item, []byte(separator)); i >= 0 {
			item, rest, more = list[:i], list[i+len(separator):], true
		}
	}
	if p.Place == violation.InHeader || p.Place == violation.InResponseHeader {
		item = bytes.Trim(item, " \t") // as in every list (RFC 9110 section 5.6.1)
	}
	return item, rest, more
}

// unread is what becomes of a parameter whose value is not read: its root says.
func (v *values) unread(p *artifact.Parameter) (stop bool) {
	v.begin(p)
	v.machine.Null()
	return v.finish(p)
}

func (v *values) begin(p *artifact.Parameter) { v.start(p.Root, p.Place) }

// finish ends the value that was fed to the machine and takes over what it
// found.
func (v *values) finish(p *artifact.Parameter) (stop bool) {
	v.machine.End()
	for _, found := range v.machine.Violations() {
		v.buffer = append(v.buffer[:0], v.bundle.String(p.Name)...)
		v.buffer = append(v.buffer, found.Pointer...)
		v.location = v.bundle.Program.AppendLocation(v.location[:0], found.Schema)
		if v.request.violate(found.Code, p.Place, v.buffer, v.location) {
			return true
		}
	}
	return false
}

// field returns what types a property of an object parameter may have, and
// whether the specification spells its name.
func (v *values) field(p *artifact.Parameter, name []byte) (types artifact.Types, declared bool) {
	for _, f := range artifact.Of(v.bundle.Fields, p.Fields) {
		if bytes.Equal(v.bundle.String(f.Name), name) {
			return f.Scalars, true
		}
	}
	return p.Scalars, false
}
