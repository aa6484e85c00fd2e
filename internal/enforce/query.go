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
	name    []byte // decoded; empty if it can't be
	value   []byte // as sent
	claimed bool   // some declared parameter or credential reads it
}

// splitQuery cuts the query into pairs. Only '&' separates. Names are
// compared decoded, so they are decoded here; most queries have no escape at
// all, which is found out once.
func (r *Request) splitQuery() (stop bool) {
	_, query, found := bytes.Cut(r.headers.path, []byte{'?'})
	r.plainQuery = uri.Plain(query, true)
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
		if !r.plainQuery && !uri.Plain(name, true) {
			decoded, ok := r.decode(violation.InQuery, name)
			if name = nil; ok {
				name = r.keep(decoded)
			}
		}
		r.query = append(r.query, pair{name: name, value: value})
	}
	return false
}

// rawQuery calls yield with the value, as sent, of each query parameter with
// this name, before the query has been split.
func (r *Request) rawQuery(name []byte) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		_, query, found := bytes.Cut(r.headers.path, []byte{'?'})
		for found {
			var one []byte
			one, query, found = bytes.Cut(query, []byte{'&'})
			n, v, _ := bytes.Cut(one, []byte{'='})
			r.value, _ = uri.Unescape(r.value[:0], n, true)
			if bytes.Equal(r.value, name) && !yield(v) {
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
	if p.Shape == artifact.ShapeObject && (isExploded(p) || p.Style == artifact.StyleDeepObject) {
		return r.judgeProperties(p, name)
	}
	first, given := r.claim(name)
	switch {
	case given == 0:
		return r.missing(p)
	case p.Flags&artifact.PresenceOnly != 0,
		p.Flags&artifact.AllowEmpty != 0 && given == 1 && len(first.value) == 0:
		return false
	case p.Shape == artifact.ShapeArray && isExploded(p):
		if given == 1 && r.isAlone(p, first.value) {
			return false
		}
		return r.judgeItems(p, name)
	case given > 1:
		return r.violate(violation.RepeatedParameter, p.Place, name, b.String(p.Schema))
	}
	return r.judgeText(p, first.value)
}

// isExploded reports whether each item or property is a pair of its own. The
// OAS says so of explode in general, though its examples show it of form only.
func isExploded(p *artifact.Parameter) bool {
	return p.Flags&artifact.Explode != 0 && p.Style != artifact.StyleDeepObject
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
	r.begin(p)
	r.machine.BeginArray()
	for i := range r.query {
		if !bytes.Equal(r.query[i].name, name) {
			continue
		}
		value, ok := r.decode(violation.InQuery, r.query[i].value)
		if !ok || !r.scalar(p.Scalars, value) {
			return r.malformed(p)
		}
	}
	r.machine.EndArray()
	return r.finish(p)
}

// judgeProperties judges an object whose properties are pairs of their own:
// "color=red&size=3", or "item[color]=red&item[size]=3" for deepObject. Where
// the schema admits a scalar as well, that is a pair with the parameter's name.
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
			r.begin(p)
			r.beginObject()
		}
		if p.Flags&artifact.PresenceOnly != 0 {
			continue
		}
		if !utf8.Valid(property) {
			return r.malformed(p)
		}
		if !r.property(property) {
			return r.violate(violation.RepeatedParameter, p.Place, name, b.String(p.Schema))
		}
		value, ok := r.decode(violation.InQuery, q.value)
		if !ok || !r.scalar(types, value) {
			return r.malformed(p)
		}
	}
	switch {
	case p.Flags&artifact.PresenceOnly != 0 && given:
		return false
	case times > 1, times == 1 && given:
		return r.violate(violation.RepeatedParameter, p.Place, name, b.String(p.Schema))
	case times == 1:
		return r.judgeScalar(p, p.Alone, alone.value)
	case !given:
		return r.missing(p)
	}
	r.machine.EndObject()
	return r.finish(p)
}

// propertyOf returns the property of p that a pair is, and the types that it
// may have.
func (r *Request) propertyOf(p *artifact.Parameter, name []byte, q *pair) (property []byte, types artifact.Types, ok bool) {
	if len(q.name) == 0 || p.Alone != 0 && bytes.Equal(q.name, name) {
		return nil, 0, false
	}
	if p.Style == artifact.StyleDeepObject {
		if property, ok = deepName(q.name, name); ok {
			types, _ = r.field(p, property)
		}
		return property, types, ok
	}
	types, ok = r.field(p, q.name)
	if !ok && p.Flags&artifact.Open != 0 {
		ok = !q.claimed && bytes.IndexByte(q.name, '[') < 0 // see deepName
	}
	return q.name, types, ok
}

// beginObject and property feed the start of an object and its names, each
// of which is UTF-8 and may come once.
func (r *Request) beginObject() {
	r.names.Reset()
	r.names.Push()
	r.machine.BeginObject()
}

func (r *Request) property(name []byte) (once bool) {
	r.machine.Name(name)
	return r.names.Add(r.key.Sum(name))
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

// field returns what types a property of an object parameter may have, and
// whether the specification spells its name.
func (r *Request) field(p *artifact.Parameter, name []byte) (types artifact.Types, declared bool) {
	b := r.engine.bundle
	for _, f := range artifact.Of(b.Fields, p.Fields) {
		if bytes.Equal(b.String(f.Name), name) {
			return f.Scalars, true
		}
	}
	return p.Scalars, false
}
