package enforce

import (
	"bytes"
	"unicode/utf8"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/enforce/schema"
	"github.com/threatgate/threatgate/internal/violation"
)

// judgeParameters judges every declared parameter, in the order in which the
// compiler put them, and then what was declared nowhere.
func (r *Request) judgeParameters() (stop bool) {
	b := r.engine.bundle
	if r.splitQuery() {
		return true
	}
	r.claimCredentials()
	for i := range artifact.Of(b.Parameters, r.op.Params) {
		p := &b.Parameters[int(r.op.Params.Off)+i]
		var stop bool
		switch p.Place {
		case violation.InPath:
			stop = r.judgeText(p, r.match.Capture(int(p.Capture)))
		case violation.InQuery:
			stop = r.judgeQuery(p)
		default:
			stop = r.judgeField(p)
		}
		if stop {
			return true
		}
	}
	for i := range r.query {
		if !r.query[i].claimed && r.violate(violation.UndeclaredParameter, violation.InQuery, undeclared, nil) {
			return true
		}
	}
	return false
}

// undeclared stands for a name that the specification does not spell.
var undeclared = []byte("*")

// judgeField judges a header or cookie parameter.
func (r *Request) judgeField(p *artifact.Parameter) (stop bool) {
	b := r.engine.bundle
	name := b.String(p.Name)
	given := 0
	one := func(value []byte) bool {
		if given++; given > 1 {
			stop = r.violate(violation.RepeatedParameter, p.Place, name, b.String(p.Schema))
			return false
		}
		stop = r.judgeText(p, value)
		return !stop
	}
	if p.Place == violation.InHeader {
		for value := range r.headers.readings(name) {
			if !one(value) {
				break
			}
		}
	} else {
		for n, value := range r.headers.cookies {
			if bytes.Equal(n, name) && !one(value) {
				break
			}
		}
	}
	if given == 0 {
		return r.missing(p)
	}
	return stop
}

func (r *Request) missing(p *artifact.Parameter) (stop bool) {
	b := r.engine.bundle
	return p.Flags&artifact.ParameterRequired != 0 &&
		r.violate(violation.Required, p.Place, b.String(p.Name), b.String(p.Schema))
}

// judgeText judges a parameter whose value is one text: a scalar, a list
// with separators, or a JSON document. Where the schema admits a scalar beside
// an array or object, either will do: the text does not say which it is.
func (r *Request) judgeText(p *artifact.Parameter, raw []byte) (stop bool) {
	if p.Flags&artifact.PresenceOnly != 0 {
		return false
	}
	raw, ok := r.unwrap(p, raw)
	switch {
	case !ok:
		return r.malformed(p)
	case p.Shape == artifact.ShapeScalar:
		return r.judgeScalar(p, p.Scalars, raw)
	case r.isAlone(p, raw):
		return false
	}
	r.begin(p)
	switch p.Shape {
	case artifact.ShapeArray:
		ok = r.items(p, raw)
	case artifact.ShapeObject:
		ok = r.properties(p, raw)
	case artifact.ShapeJSON:
		if raw, ok = r.decode(p.Place, raw); ok {
			r.machine.Write(raw)
		}
	}
	if !ok {
		return r.malformed(p)
	}
	return r.finish(p)
}

func (r *Request) malformed(p *artifact.Parameter) (stop bool) {
	b := r.engine.bundle
	return r.violate(violation.ParameterEncoding, p.Place, b.String(p.Name), b.String(p.Schema))
}

// judgeScalar judges a text that stands for a scalar of one of these types.
func (r *Request) judgeScalar(p *artifact.Parameter, types artifact.Types, raw []byte) (stop bool) {
	value, ok := r.decode(p.Place, raw)
	r.begin(p)
	if !ok || !r.scalar(types, value) {
		return r.malformed(p)
	}
	return r.finish(p)
}

// isAlone reports whether a text is valid as a scalar that the schema admits
// beside an array or object.
func (r *Request) isAlone(p *artifact.Parameter, raw []byte) bool {
	if p.Alone == 0 {
		return false
	}
	value, ok := r.decode(p.Place, raw)
	r.begin(p)
	return ok && r.scalar(p.Alone, value) && r.machine.End()
}

// unwrap takes off what stands before a value: "." in label style, ";name="
// in matrix style (RFC 6570 sections 3.2.5 and 3.2.7), where the members of
// an exploded array or object have names of their own.
func (r *Request) unwrap(p *artifact.Parameter, raw []byte) ([]byte, bool) {
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
		value, named := r.unname(p, raw)
		return value, ok && named
	}
	return raw, true
}

// unname returns the value in "name=value". Without a value there may be no
// "=" (RFC 6570 section 3.2.7).
func (r *Request) unname(p *artifact.Parameter, raw []byte) (value []byte, ok bool) {
	name, value, _ := bytes.Cut(raw, []byte{'='})
	return value, bytes.Equal(name, r.engine.bundle.String(p.Name))
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

// items feeds the items of "a,b,c" to the machine. In exploded matrix style
// each has the array's name, ";id=a;id=b", and in exploded form style each but
// the first, "a&id=b", of which the cookie has taken the name.
func (r *Request) items(p *artifact.Parameter, list []byte) bool {
	exploded := p.Flags&artifact.Explode != 0
	named := exploded && p.Style == artifact.StyleMatrix
	r.machine.BeginArray()
	for more := len(list) > 0; more; {
		var item []byte
		item, list, more = cut(p, list)
		if named {
			var ok bool
			if item, ok = r.unname(p, item); !ok {
				return false
			}
		}
		named = named || exploded && p.Style == artifact.StyleForm
		// Separators are found before decoding: an escaped one is data.
		value, ok := r.decode(p.Place, item)
		if !ok || !r.scalar(p.Scalars, value) {
			return false
		}
	}
	r.machine.EndArray()
	return true
}

// properties feeds the members of "a,1,b,2", or if exploded "a=1,b=2".
func (r *Request) properties(p *artifact.Parameter, list []byte) bool {
	r.beginObject()
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
		decoded, ok := r.decode(p.Place, name)
		if !ok || !utf8.Valid(decoded) || !r.property(decoded) {
			return false
		}
		types, _ := r.field(p, decoded)
		value, ok := r.decode(p.Place, item)
		if !ok || !r.scalar(types, value) {
			return false
		}
	}
	r.machine.EndObject()
	return true
}

// cut splits list at its first separator.
func cut(p *artifact.Parameter, list []byte) (item, rest []byte, more bool) {
	item = list
	for _, separator := range separators[p.Style][p.Flags&artifact.Explode/artifact.Explode] {
		if i := bytes.Index(item, []byte(separator)); i >= 0 {
			item, rest, more = list[:i], list[i+len(separator):], true
		}
	}
	if p.Place == violation.InHeader {
		item = bytes.Trim(item, " \t") // as in every list (RFC 9110 section 5.6.1)
	}
	return item, rest, more
}

func (r *Request) begin(p *artifact.Parameter) {
	r.machine.Start(&r.engine.bundle.Program, p.Root, r.options())
}

func (r *Request) options() schema.Options {
	meta := &r.engine.bundle.Meta
	return schema.Options{
		MaxDepth:      int(meta.MaxDepth),
		MaxToken:      int(meta.MaxToken),
		FailFast:      r.mode == violation.Enforce,
		MaxViolations: int(meta.MaxRecords),
	}
}

// finish ends the value that was fed to the machine and takes over what it
// found.
func (r *Request) finish(p *artifact.Parameter) (stop bool) {
	if r.machine.End() {
		return false
	}
	b := r.engine.bundle
	for _, v := range r.machine.Violations() {
		r.value = append(r.value[:0], b.String(p.Name)...)
		r.value = append(r.value, v.Pointer...)
		if r.violate(v.Code, p.Place, r.value, b.Program.String(v.Schema)) {
			return true
		}
	}
	return false
}
