package enforce

import (
	"bytes"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/violation"
)

// judgeParameters judges every declared parameter, in the order in which the
// compiler put them, and then what was declared nowhere.
func (r *Request) judgeParameters() (stop bool) {
	b := r.engine.bundle
	if r.splitQuery() {
		return true
	}
	if len(r.query) > 0 {
		r.claimCredentials()
	}
	for i := range artifact.Of(b.Parameters, r.op.Params) {
		p := &b.Parameters[int(r.op.Params.Off)+i]
		var stop bool
		switch p.Place {
		case violation.InPath:
			stop = r.values.judgeText(p, r.match.Capture(int(p.Capture)))
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

// isQuoted reports whether a cookie's value is another to those who take the
// quotes off, and undo escapes in them: Python, Go and others.
func isQuoted(value []byte) bool { return len(value) > 0 && value[0] == '"' }

// judgeField judges a header or cookie parameter.
func (r *Request) judgeField(p *artifact.Parameter) (stop bool) {
	b := r.engine.bundle
	name := b.String(p.Name)
	var value []byte
	given, own, hidden := 0, true, false
	if p.Place == violation.InHeader {
		var first Header
		first, given = r.headers.reading(name)
		value, own = first.Value, bytes.Equal(first.Name, name)
	} else {
		value, given = r.headers.cookie(name)
		hidden = r.headers.cookieReadings(name) > given || isQuoted(value) && p.Shape != artifact.ShapeJSON
	}
	switch {
	case given > 0 && r.values.judgeText(p, value):
		return true
	case given > 1 && r.violate(violation.RepeatedParameter, p.Place, name, b.String(p.Schema)):
		return true
	case hidden:
		return r.values.malformed(p)
	case given == 0, !own: // there is none to most
		return r.values.missing(p)
	}
	return false
}
