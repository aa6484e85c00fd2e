package enforce

import (
	"bytes"

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
// with separators, or a JSON document.
func (r *Request) judgeText(p *artifact.Parameter, raw []byte) (stop bool) {
	b := r.engine.bundle
	if p.Flags&artifact.PresenceOnly != 0 {
		return false
	}
	value, ok := raw, true
	// Separators are found before decoding: an escaped one is data.
	if p.Shape == artifact.ShapeScalar || p.Shape == artifact.ShapeJSON {
		value, ok = r.decode(p.Place, raw)
	}
	r.begin(p)
	if ok {
		switch p.Shape {
		case artifact.ShapeScalar:
			ok = r.scalar(p.Scalars, value)
		case artifact.ShapeArray:
			ok = r.items(p, value)
		case artifact.ShapeObject:
			ok = r.properties(p, value)
		case artifact.ShapeJSON:
			r.machine.Write(value)
		}
	}
	if !ok {
		return r.violate(violation.ParameterEncoding, p.Place, b.String(p.Name), b.String(p.Schema))
	}
	return r.finish(p)
}

// separators of array items and of object members, by style, in all the ways
// in which they are written.
var separators = [...][]string{
	artifact.StyleSimple:         {","},
	artifact.StyleForm:           {","},
	artifact.StyleSpaceDelimited: {"%20", "+"},
	artifact.StylePipeDelimited:  {"|", "%7C", "%7c"},
	artifact.StyleDeepObject:     {","},
}

// items feeds the items of "a,b,c" to the machine.
func (r *Request) items(p *artifact.Parameter, list []byte) bool {
	r.machine.BeginArray()
	for more := len(list) > 0; more; {
		var item []byte
		item, list, more = cut(p.Style, list)
		if p.Place == violation.InHeader {
			item = bytes.Trim(item, " \t") // as in every list (RFC 9110 section 5.6.1)
		}
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
		name, list, more = cut(p.Style, list)
		if p.Flags&artifact.Explode != 0 {
			var ok bool
			if name, item, ok = bytes.Cut(name, []byte{'='}); !ok {
				return false
			}
		} else if !more {
			return false // a name without a value
		} else {
			item, list, more = cut(p.Style, list)
		}
		decoded, ok := r.decode(p.Place, name)
		if !ok || !r.property(decoded) {
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
func cut(style artifact.Style, list []byte) (item, rest []byte, more bool) {
	item = list
	for _, separator := range separators[style] {
		if i := bytes.Index(item, []byte(separator)); i >= 0 {
			item, rest, more = list[:i], list[i+len(separator):], true
		}
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
