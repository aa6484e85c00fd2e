package enforce

import (
	"bytes"
	"unicode/utf8"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/enforce/uri"
	"github.com/threatgate/threatgate/internal/violation"
)

// pair is one name=value of the query.
type pair struct {
	name    []byte // decoded; empty if it can't be, or if it is another to some
	value   []byte // as sent
	claimed bool   // some declared parameter or credential reads it
}

// splitQuery cuts the query into pairs. Only '&' separates. Names are
// compared decoded, so they are decoded here; most queries have no escape at
// all, which is found out once. To qs a name ends at "]=", if there is one.
func (r *Request) splitQuery() (stop bool) {
	r.values.plainQuery, r.values.asciiTarget = r.headers.target.PlainQuery(), r.headers.target.PlainASCII()
	for query := r.headers.target.Query; len(query) > 0; {
		var one []byte
		one, query, _ = uri.Cut(query, '&')
		if len(one) == 0 {
			continue
		}
		if len(r.query) == int(r.engine.bundle.Meta.MaxQuery) {
			return r.violate(violation.TooManyParameters, violation.InQuery, nil, nil)
		}
		name, value, _ := uri.Cut(one, '=')
		if !r.values.plainQuery && !uri.Plain(name, true) {
			decoded, ok := r.values.decode(violation.InQuery, name)
			if name = nil; ok {
				name = r.keep(decoded)
			}
		}
		if hasBracket(value) {
			name = nil
		}
		r.query = append(r.query, pair{name: name, value: value})
	}
	return false
}

// hasBracket reports whether "]=" stands in a value, escaped or not.
func hasBracket(value []byte) bool {
	for i, c := range value {
		if c == '=' && i > 0 && (value[i-1] == ']' || value[i-1]|0x20 == 'd' && bytes.HasSuffix(value[:i-1], fiveOf)) {
			return true
		}
	}
	return false
}

var fiveOf = []byte("%5")

// rawQuery calls yield with the value, as sent, of each query parameter with
// this name, before the query has been split.
func (r *Request) rawQuery(name []byte) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for query := r.headers.target.Query; len(query) > 0; {
			var one []byte
			one, query, _ = uri.Cut(query, '&')
			n, v, _ := uri.Cut(one, '=')
			r.values.buffer, _ = uri.Unescape(r.values.buffer[:0], n, true)
			if bytes.Equal(r.values.buffer, name) && !yield(v) {
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
	switch {
	case p.Style == artifact.StyleDeepObject && (p.Shape != artifact.ShapeScalar || p.Flags&artifact.PresenceOnly != 0):
		return r.judgeDeep(p, name)
	case isSpread(p):
		return r.judgeProperties(p, name)
	}
	first, given := r.claim(name)
	switch {
	case given == 0:
		return r.values.missing(p)
	case p.Flags&artifact.PresenceOnly != 0:
		return r.values.unread(p)
	case p.Flags&artifact.AllowEmpty != 0 && given == 1 && len(first.value) == 0:
		return false
	case p.Shape == artifact.ShapeArray && isExploded(p):
		if given == 1 && r.values.isAlone(p, first.value) {
			return false
		}
		return r.judgeItems(p, name)
	case given > 1:
		return r.violate(violation.RepeatedParameter, p.Place, name, b.String(p.Schema))
	}
	return r.values.judgeText(p, first.value)
}

// isExploded reports whether each item or property is a pair of its own. The
// OAS says so of explode in general, though its examples show it of form only.
func isExploded(p *artifact.Parameter) bool { return p.Flags&artifact.Explode != 0 }

// isSpread reports whether the properties stand beside other parameters, by
// names of their own.
func isSpread(p *artifact.Parameter) bool {
	return p.Shape == artifact.ShapeObject && p.Style != artifact.StyleDeepObject && isExploded(p)
}

// claim claims the pairs with this name, and returns the first of them and
// how many there are.
func (r *Request) claim(name []byte) (first *pair, given int) {
	for i := range r.query {
		q := &r.query[i]
		if !bytes.Equal(q.name, name) {
			continue
		}
		if given++; given == 1 {
			first = q
		}
		q.claimed = true
	}
	return first, given
}

// judgeItems judges an array whose items are pairs of their own, with the
// array's name: "id=1&id=2".
func (r *Request) judgeItems(p *artifact.Parameter, name []byte) (stop bool) {
	r.values.begin(p)
	r.values.machine.BeginArray()
	for i := range r.query {
		if !bytes.Equal(r.query[i].name, name) {
			continue
		}
		value, ok := r.values.decode(violation.InQuery, r.query[i].value)
		if !ok || !r.values.scalar(p.Scalars, value) {
			return r.values.malformed(p)
		}
	}
	r.values.machine.EndArray()
	return r.values.finish(p)
}

// judgeDeep judges an object or array whose properties or items are pairs of
// their own, with brackets: "item[color]=red&item[sizes][]=3".
func (r *Request) judgeDeep(p *artifact.Parameter, name []byte) (stop bool) {
	v := &r.values
	root := artifact.Field{Scalars: p.Alone, Below: p.Fields, Deep: artifact.DeepObject, Extra: p.Scalars}
	if p.Shape == artifact.ShapeArray {
		root.Deep = artifact.DeepArray
	}
	v.begin(p)
	v.beginDeep()
	given, fault := 0, violation.None
	for i := range r.query {
		q := &r.query[i]
		brackets, ok := bytes.CutPrefix(q.name, name)
		if alone := len(brackets) == 0; !ok || alone && root.Scalars == 0 && p.Flags&artifact.PresenceOnly == 0 || !alone && brackets[0] != '[' {
			continue
		}
		given++
		q.claimed = true
		if fault != violation.None || p.Flags&artifact.PresenceOnly != 0 {
			continue
		}
		var at artifact.Field
		if at, fault = v.descend(root, brackets); fault != violation.None {
			continue
		}
		if value, ok := v.decode(violation.InQuery, q.value); !ok || !v.scalar(at.Scalars, value) {
			fault = violation.ParameterEncoding
		}
	}
	schema := r.engine.bundle.String(p.Schema)
	switch {
	case given == 0:
		return v.missing(p)
	case p.Flags&artifact.PresenceOnly != 0:
		return v.unread(p)
	case fault == violation.UndeclaredProperty:
		return r.violate(violation.UndeclaredParameter, p.Place, undeclared, nil)
	case fault == violation.RepeatedField:
		return r.violate(violation.RepeatedParameter, p.Place, name, schema)
	case fault != violation.None:
		return r.violate(fault, p.Place, name, schema)
	}
	v.closeDeep(0)
	return v.finish(p)
}

// judgeProperties judges an object whose properties are pairs of their own:
// "color=red&size=3". Where the schema admits a scalar as well, that is a pair
// with the parameter's name.
func (r *Request) judgeProperties(p *artifact.Parameter, name []byte) (stop bool) {
	b := r.engine.bundle
	var alone *pair
	times := 0
	if p.Alone != 0 {
		alone, times = r.claim(name)
	}
	given := false
	for i := range r.query {
		q := &r.query[i]
		property, types, ok := r.propertyOf(p, name, q)
		if !ok {
			continue
		}
		q.claimed = true
		if !given {
			given = true
			r.values.begin(p)
			r.values.beginObject()
		}
		if p.Flags&artifact.PresenceOnly != 0 {
			continue
		}
		if !utf8.Valid(property) {
			return r.values.malformed(p)
		}
		if !r.values.property(property) {
			return r.violate(violation.RepeatedParameter, p.Place, name, b.String(p.Schema))
		}
		value, ok := r.values.decode(violation.InQuery, q.value)
		if !ok || !r.values.scalar(types, value) {
			return r.values.malformed(p)
		}
	}
	switch {
	case p.Flags&artifact.PresenceOnly != 0 && given:
		return r.values.unread(p)
	case times > 1, times == 1 && given:
		return r.violate(violation.RepeatedParameter, p.Place, name, b.String(p.Schema))
	case times == 1:
		return r.values.judgeScalar(p, p.Alone, alone.value)
	case !given:
		return r.values.missing(p)
	}
	r.values.machine.EndObject()
	return r.values.finish(p)
}

// propertyOf returns the property of p that a pair is, and the types that it
// may have.
func (r *Request) propertyOf(p *artifact.Parameter, name []byte, q *pair) (property []byte, types artifact.Types, ok bool) {
	if len(q.name) == 0 || p.Alone != 0 && bytes.Equal(q.name, name) {
		return nil, 0, false
	}
	types, ok = r.values.field(p, q.name)
	if !ok && p.Flags&artifact.Open != 0 {
		// With brackets it is a property of another object to many.
		ok = !q.claimed && bytes.IndexByte(q.name, '[') < 0 && !r.looksDeclared(q.name, p.Fields, p.Name)
	}
	return q.name, types, ok
}

// looksDeclared reports whether some parsers take a name that is not declared
// for one of these fields, for a query parameter but the one of a name itself,
// which servlets and others put together with a form, or for that of the
// method: to Rack, Symfony and Laravel "_method=DELETE" makes a POST another
// operation.
func (r *Request) looksDeclared(name []byte, fields artifact.Range, but artifact.Text) bool {
	b := r.engine.bundle
	read := readingOf(name)
	if read.isOneOf(b, fields) || read.is(methodField) {
		return true
	}
	parameters := artifact.Of(b.Parameters, r.op.Params)
	for i := range parameters {
		p := &parameters[i]
		if p.Place == violation.InQuery && p.Name != but && (read.is(b.String(p.Name)) || isSpread(p) && read.isOneOf(b, p.Fields)) {
			return true
		}
	}
	return false
}

var methodField = []byte("_method")
