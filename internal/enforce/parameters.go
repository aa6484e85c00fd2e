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
	r.claimCredentials()
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
		stop = r.values.judgeText(p, value)
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
		if !stop && r.headers.cookieReadings(name) > given {
			return r.values.malformed(p)
		}
	}
	if given == 0 {
		return r.values.missing(p)
	}
	return stop
}
