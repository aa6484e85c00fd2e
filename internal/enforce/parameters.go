package enforce

import (
	"bytes"
	"unicode/utf8"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/enforce/schema"
	"github.com/threatgate/threatgate/internal/enforce/uri"
	"github.com/threatgate/threatgate/internal/violation"
)

// pair is one name=value of the query, as sent.
type pair struct {
	name, value []byte
	claimed     bool // some declared parameter or credential reads it
}

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

// splitQuery cuts the query into pairs. Only '&' separates.
func (r *Request) splitQuery() (stop bool) {
	_, query, found := bytes.Cut(r.headers.path, []byte{'?'})
	for found {
		var one []byte
		one, query, found = bytes.Cut(query, []byte{'&'})
		if len(one) == 0 {
			continue
		}
		if len(r.query) == int(r.engine.bundle.Meta.MaxQuery) {
			return r.violate(violation.TooManyParameters, violation.InQuery, nil, nil)
		}
		name, value, _ := bytes.Cut(one, []byte{'='})
		r.query = append(r.query, pair{name: name, value: value})
	}
	return false
}

// rawQuery calls yield with the value, as sent, of each query parameter with
// this name.
func (r *Request) rawQuery(name []byte) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		_, query, found := bytes.Cut(r.headers.path, []byte{'?'})
		for found {
			var one []byte
			one, query, found = bytes.Cut(query, []byte{'&'})
			if n, v, _ := bytes.Cut(one, []byte{'='}); bytes.Equal(n, name) && !yield(v) {
				return
			}
		}
	}
}

// claimCredentials marks the query parameters that carry credentials.
func (r *Request) claimCredentials() {
	b := r.engine.bundle
	for _, a := range artifact.Of(b.Alternatives, r.op.Security) {
		for _, c := range artifact.Of(b.Credentials, a.Credentials) {
			for i := range r.query {
				if c.Kind == artifact.CredentialQuery && bytes.Equal(r.query[i].name, b.String(c.Name)) {
					r.query[i].claimed = true
				}
			}
		}
	}
}

// judgeQuery judges a query parameter in any of its forms: one pair, one
// pair for each item, or one for each property.
func (r *Request) judgeQuery(p *artifact.Parameter) (stop bool) {
	b := r.engine.bundle
	name := b.String(p.Name)
	exploded := p.Flags&artifact.Explode != 0 && p.Style == artifact.StyleForm
	if p.Shape == artifact.ShapeObject && (exploded || p.Style == artifact.StyleDeepObject) {
		return r.judgeProperties(p, name)
	}
	many := p.Shape == artifact.ShapeArray && exploded
	given := 0
	for i := range r.query {
		q := &r.query[i]
		if !r.named(q, name) {
			continue
		}
		q.claimed = true
		given++
		if many {
			if given == 1 {
				r.begin(p)
				r.machine.BeginArray()
			}
			value, ok := r.decode(q.value, true)
			if !ok || !r.scalar(p.Scalars, value) {
				return r.violate(violation.ParameterEncoding, p.Place, name, b.String(p.Schema))
			}
			continue
		}
		if given > 1 {
			return r.violate(violation.RepeatedParameter, p.Place, name, b.String(p.Schema))
		}
		if len(q.value) == 0 && p.Flags&artifact.AllowEmpty != 0 {
			continue
		}
		if r.judgeText(p, q.value) {
			return true
		}
	}
	switch {
	case given == 0:
		return r.missing(p)
	case many:
		r.machine.EndArray()
		return r.finish(p)
	}
	return false
}

// named reports whether a pair's name is name. Names are compared decoded.
func (r *Request) named(q *pair, name []byte) bool {
	if uri.Plain(q.name, true) {
		return bytes.Equal(q.name, name)
	}
	decoded, ok := r.decode(q.name, true)
	return ok && bytes.Equal(decoded, name)
}

// judgeProperties judges an object whose properties are pairs of their own:
// "color=red&size=3", or "item[color]=red&item[size]=3" for deepObject.
func (r *Request) judgeProperties(p *artifact.Parameter, name []byte) (stop bool) {
	b := r.engine.bundle
	given := false
	for i := range r.query {
		q := &r.query[i]
		decoded, ok := r.decode(q.name, true)
		if !ok {
			continue
		}
		property := decoded
		if p.Style == artifact.StyleDeepObject {
			if property, ok = deepName(decoded, name); !ok {
				continue
			}
		}
		types, declared := r.field(p, property)
		if !declared && p.Style != artifact.StyleDeepObject {
			continue // another parameter's, or nobody's
		}
		q.claimed = true
		if !given {
			given = true
			r.begin(p)
			r.beginObject()
		}
		if !r.property(property) {
			return r.violate(violation.RepeatedParameter, p.Place, name, b.String(p.Schema))
		}
		value, ok := r.decode(q.value, true)
		if !ok || !r.scalar(types, value) {
			return r.violate(violation.ParameterEncoding, p.Place, name, b.String(p.Schema))
		}
	}
	if !given {
		return r.missing(p)
	}
	r.machine.EndObject()
	return r.finish(p)
}

// beginObject and property feed the start of an object and its names, each
// of which may come once.
func (r *Request) beginObject() {
	r.names.Reset()
	r.names.Push()
	r.machine.BeginObject()
}

func (r *Request) property(name []byte) (once bool) {
	r.machine.Name(name)
	return utf8.Valid(name) && r.names.Add(r.key.Sum(name))
}

// deepName returns the property in "name[property]". What is deeper than
// that, "name[property][operator]", some servers read as another object: it is
// no property.
func deepName(s, name []byte) ([]byte, bool) {
	if len(s) < len(name)+3 || !bytes.HasPrefix(s, name) || s[len(name)] != '[' || s[len(s)-1] != ']' {
		return nil, false
	}
	property := s[len(name)+1 : len(s)-1]
	return property, bytes.IndexByte(property, '[') < 0 && bytes.IndexByte(property, ']') < 0
}

// field returns what types a property of an object parameter may have.
func (r *Request) field(p *artifact.Parameter, name []byte) (artifact.Types, bool) {
	b := r.engine.bundle
	for _, f := range artifact.Of(b.Fields, p.Fields) {
		if bytes.Equal(b.String(f.Name), name) {
			return f.Scalars, true
		}
	}
	return artifact.TypeAny, false
}

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
	switch p.Place {
	case violation.InQuery:
		// Separators are found before decoding: an escaped one is data.
		if p.Shape == artifact.ShapeScalar || p.Shape == artifact.ShapeJSON {
			value, ok = r.decode(raw, true)
		}
	case violation.InCookie:
		if p.Shape == artifact.ShapeScalar || p.Shape == artifact.ShapeJSON {
			value, ok = r.decode(raw, false)
		}
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
		value, ok := r.decode(item, p.Place == violation.InQuery)
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
		decoded, ok := r.decode(name, p.Place == violation.InQuery)
		if !ok || !r.property(decoded) {
			return false
		}
		types, _ := r.field(p, decoded)
		value, ok := r.decode(item, p.Place == violation.InQuery)
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

// decode undoes percent-encoding, except in headers, which have none. The
// result is valid until the next call.
func (r *Request) decode(src []byte, plus bool) ([]byte, bool) {
	if uri.Plain(src, plus) {
		return src, true
	}
	var ok bool
	r.value, ok = uri.Unescape(r.value[:0], src, plus)
	return r.value, ok
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

// scalar feeds a text as the JSON value it stands for: a number or boolean
// where the schema admits one and the text is written as JSON writes it,
// else a string. An integer has no exponent: what reads integers, such as C's
// strtol and JavaScript's parseInt, stops at it. It reports whether the text
// is UTF-8: automata and formats take that for granted.
func (r *Request) scalar(types artifact.Types, value []byte) bool {
	switch {
	case !utf8.Valid(value):
		return false
	case hasTypes(types, artifact.TypeNumber) && isNumber(value),
		hasTypes(types, artifact.TypeInteger) && isNumber(value) && bytes.IndexByte(value, 'e') < 0 && bytes.IndexByte(value, 'E') < 0:
		r.machine.Number(value)
	case hasTypes(types, artifact.TypeBoolean) && (string(value) == "true" || string(value) == "false"):
		r.machine.Bool(len(value) == len("true"))
	case hasTypes(types, artifact.TypeNull) && !hasTypes(types, artifact.TypeString) && (len(value) == 0 || string(value) == "null"):
		r.machine.Null()
	default:
		r.machine.String(value)
	}
	return true
}

// isNumber reports whether s is a number of RFC 8259 section 6.
func isNumber(s []byte) bool {
	if len(s) > 0 && s[0] == '-' {
		s = s[1:]
	}
	whole, s := digits(s)
	if len(whole) == 0 || len(whole) > 1 && whole[0] == '0' {
		return false
	}
	if len(s) > 0 && s[0] == '.' {
		var fraction []byte
		if fraction, s = digits(s[1:]); len(fraction) == 0 {
			return false
		}
	}
	if len(s) > 0 && (s[0] == 'e' || s[0] == 'E') {
		s = s[1:]
		if len(s) > 0 && (s[0] == '+' || s[0] == '-') {
			s = s[1:]
		}
		var exponent []byte
		if exponent, s = digits(s); len(exponent) == 0 {
			return false
		}
	}
	return len(s) == 0
}

func digits(s []byte) (run, rest []byte) {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return s[:n], s[n:]
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
