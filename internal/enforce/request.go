package enforce

import (
	"bytes"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/enforce/distinct"
	"github.com/threatgate/threatgate/internal/enforce/form"
	"github.com/threatgate/threatgate/internal/enforce/multipart"
	"github.com/threatgate/threatgate/internal/enforce/route"
	"github.com/threatgate/threatgate/internal/enforce/schema"
	"github.com/threatgate/threatgate/internal/enforce/siphash"
	"github.com/threatgate/threatgate/internal/enforce/token"
	"github.com/threatgate/threatgate/internal/enforce/uri"
	"github.com/threatgate/threatgate/internal/violation"
)

// Request is one request being judged.
type Request struct {
	engine *Engine
	state  state
	mode   violation.Mode
	label  artifact.Text
	op     *artifact.Operation // nil while none has matched
	media  *artifact.Media     // of the body; nil if it isn't judged by a schema

	headers message
	match   route.Match
	machine schema.Machine
	key     siphash.Key
	names   distinct.Sets // of an object in a parameter
	query   []pair
	fields  fields
	form    form.Tokenizer
	parts   multipart.Tokenizer
	texts   texts

	plainQuery bool // nothing in the query is escaped
	claims     token.Claims
	body       uint64 // bytes so far

	violations []violation.Violation
	identity   [][]byte // names, as sent, of client-supplied identity headers, to be removed
	wait       uint64   // until the limit lets another request in, in nanoseconds
	limit      *artifact.Limit

	text  []byte // memory of what violations point at
	value []byte // memory of the parameter being decoded
	jwt   []byte // memory of the decoded payload
}

type state uint8

const (
	judging state = iota // more of the message is needed
	judged               // the verdict stands
)

func (r *Request) reset() {
	r.state, r.mode = judging, r.engine.bundle.Meta.Mode
	r.label, r.op, r.media, r.limit = artifact.Text{}, nil, nil, nil
	r.claims, r.body, r.wait = token.Claims{}, 0, 0
	r.headers.reset()
	r.query, r.violations, r.identity = r.query[:0], r.violations[:0], r.identity[:0]
	r.text, r.jwt = r.text[:0], r.jwt[:0]
}

// Headers judges the request's headers; end says that nothing follows them.
// In enforce a request whose body is still to come is held.
func (r *Request) Headers(headers []Header, end bool, w World) Action {
	r.headers.read(headers)
	r.headers.requestID = append(r.text, r.headers.requestID...) // outlives the call
	r.text = r.headers.requestID
	r.key = w.HashKey()
	r.machine.SetSecret(r.key)
	r.judgeHeaders(end, w)
	return r.action(end)
}

// Body judges a chunk of the body; end says that it is the last. Chunks may
// have any size, none included.
func (r *Request) Body(chunk []byte, end bool) Action {
	if r.state == judging {
		r.judgeBody(chunk, end)
	}
	return r.action(end)
}

// Trailers ends the body: where there are trailers, no chunk was the last.
func (r *Request) Trailers() Action { return r.Body(nil, true) }

// action turns the state of the judgement into what to do.
func (r *Request) action(end bool) Action {
	switch {
	case r.state == judged && r.mode == violation.Enforce && r.rejecting() != nil:
		return Reject
	case r.state == judging && !end && r.mode == violation.Enforce:
		return Hold
	}
	return Pass
}

// Judged reports whether the verdict stands: Decision will not change, and
// Body and Trailers have nothing more to do.
func (r *Request) Judged() bool { return r.state == judged }

// Decision is what became of the request.
func (r *Request) Decision() violation.Decision {
	switch {
	case r.rejecting() == nil:
		return violation.Allowed
	case r.mode == violation.Enforce:
		return violation.Rejected
	}
	return violation.WouldReject
}

// Mode is the mode that the request was judged in.
func (r *Request) Mode() violation.Mode { return r.mode }

// Operation is the label of the operation.
func (r *Request) Operation() []byte {
	if r.op == nil {
		return unknownLabel
	}
	return r.engine.bundle.String(r.label)
}

var unknownLabel = []byte(violation.UnknownOperationLabel)

// Fail ends the judgement of a request that could not be judged, by the
// failure mode of its policy. In shadow it passes in either.
func (r *Request) Fail() Action {
	r.state = judged
	r.violations = r.violations[:0]
	r.violate(violation.Failure, violation.InRequest, nil, nil)
	return r.action(true)
}

// Unjudged is a request for which there is no policy at all: it is refused.
func Unjudged() *Request {
	r := New(&artifact.Bundle{Meta: artifact.Meta{
		Mode: violation.Enforce, Failure: violation.Closed, MaxRecords: 1,
	}}).Begin()
	r.state = judged
	return r
}

// Primary is the violation that counts: the one that rejects, else the
// first; nil if there is none.
func (r *Request) Primary() *violation.Violation {
	if v := r.rejecting(); v != nil || len(r.violations) == 0 {
		return v
	}
	return &r.violations[0]
}

// Violations are those found: in enforce up to the first that rejects.
func (r *Request) Violations() []violation.Violation { return r.violations }

// IdentityHeaders are the names, as sent, of client-supplied identity headers
// that the request carries. In enforce they are to be removed. They share the
// memory of what Headers was given.
func (r *Request) IdentityHeaders() [][]byte { return r.identity }

// rejecting is the violation for which the request is, or would be, rejected.
func (r *Request) rejecting() *violation.Violation {
	failure := r.engine.bundle.Meta.Failure
	if r.op != nil {
		failure = r.op.Failure
	}
	for i := range r.violations {
		code := r.violations[i].Code
		if code.Rejects() && (code != violation.Failure || failure == violation.Closed) {
			return &r.violations[i]
		}
	}
	return nil
}

// violate records a violation and reports whether judging may stop: in
// enforce at the first that rejects, else when the record is full.
func (r *Request) violate(code violation.Code, in violation.Place, pointer, location []byte) (stop bool) {
	if r.mode == violation.Off {
		return true
	}
	limit := int(r.engine.bundle.Meta.MaxRecords)
	if len(r.violations) == limit && code.Rejects() && r.rejecting() == nil {
		r.violations = r.violations[:limit-1] // however many there are that do not reject, this one decides
	}
	if len(r.violations) < limit {
		r.violations = append(r.violations, violation.Violation{
			Code: code, In: in, Pointer: text(r.keep(pointer)), Schema: text(r.keep(location)), Threat: r.threat(code),
		})
	}
	return code.Rejects() && (r.mode == violation.Enforce || len(r.violations) == limit)
}

// keep copies b to memory that lives as long as the request.
func (r *Request) keep(b []byte) []byte {
	if len(r.text)+len(b) > cap(r.text) {
		r.text = make([]byte, 0, max(1024, 2*cap(r.text), len(b))) // what pointed at the old memory keeps it
	}
	start := len(r.text)
	r.text = append(r.text, b...)
	return r.text[start:]
}

// threat is the id of the threat that a violation of code carries out.
func (r *Request) threat(code violation.Code) string {
	b := r.engine.bundle
	if r.op != nil {
		for _, t := range artifact.Of(b.Threats, r.op.Threats) {
			if t.Code == code {
				return text(b.String(t.ID))
			}
		}
	} else if code == violation.UnknownOperation {
		return text(b.String(b.Meta.UnknownThreat))
	}
	if code == violation.Method {
		return text(b.String(b.Meta.MethodThreat))
	}
	return violation.Contract
}

// judgeHeaders runs the checks that headers allow, in the order that decides
// which violation comes first: is there such an operation, who calls, how
// often, and is what they send well formed.
func (r *Request) judgeHeaders(end bool, w World) {
	r.state = judged
	if r.findOperation() {
		return
	}
	upgrade := r.headers.upgrade || len(r.headers.method) == len("CONNECT") && string(r.headers.method) == "CONNECT"
	if upgrade && !r.upgradeAllowed() && r.violate(violation.Upgrade, violation.InRequest, nil, nil) {
		return
	}
	if r.op == nil {
		return // nothing more is known of what it should be like
	}
	if r.judgeLifetime(w) || r.judgeCredentials() || r.judgeLimits(w) || r.judgeParameters() {
		return
	}
	r.findIdentity()
	if upgrade {
		return // what follows is not a body
	}
	if r.announceBody(end) {
		return
	}
	r.state = judging
	if end {
		r.judgeBody(nil, true)
	}
}

// findOperation routes the request; it reports whether judging may stop.
func (r *Request) findOperation() (stop bool) {
	b, m := r.engine.bundle, &r.headers
	path, _, _ := bytes.Cut(m.path, []byte{'?'})
	normal := uri.Normal(path)
	r.match.Find(b, m.method, path)
	switch {
	case !r.hostMatches() || r.match.Operation == nil && len(r.match.Methods) == 0:
		return !normal && r.violate(violation.Path, violation.InPath, nil, nil) ||
			r.violate(violation.UnknownOperation, violation.InRequest, nil, nil)
	case r.match.Operation == nil:
		return r.violate(violation.Method, violation.InRequest, nil, nil)
	}
	r.op = r.match.Operation
	r.label, r.mode = r.op.Label, r.op.Mode
	return r.mode == violation.Off || !normal && r.violate(violation.Path, violation.InPath, nil, nil)
}

func (r *Request) hostMatches() bool {
	b := r.engine.bundle
	if len(b.Hosts) == 0 {
		return true
	}
	host := r.headers.authority
	if i := bytes.LastIndexByte(host, ':'); i >= 0 && bytes.IndexByte(host[i:], ']') < 0 {
		host = host[:i]
	}
	for _, h := range b.Hosts {
		if equalFold(b.String(h), host) {
			return true
		}
	}
	return false
}

// upgradeAllowed reports whether the request may be upgraded, which ends its
// judgement with its headers. An upstream need not agree to the upgrade: then
// it reads a body, so there must be none to read.
func (r *Request) upgradeAllowed() bool {
	return r.op != nil && r.op.Flags&artifact.UpgradeAllowed != 0 && r.op.Media.Len == 0 && r.headers.contentLength <= 0
}

// judgeLifetime looks at deprecation and sunset.
func (r *Request) judgeLifetime(w World) (stop bool) {
	if r.op.Sunset != 0 && w.Now()/1e9 >= r.op.Sunset {
		return r.violate(violation.Sunset, violation.InRequest, nil, nil)
	}
	return r.op.Flags&artifact.IsDeprecated != 0 && r.violate(violation.Deprecated, violation.InRequest, nil, nil)
}

// findIdentity notes the identity headers that a client has no business to
// send.
func (r *Request) findIdentity() {
	if r.op.Flags&artifact.StripIdentity == 0 {
		return
	}
	b := r.engine.bundle
	for _, h := range r.headers.fields {
		if len(h.Name) == 0 || r.engine.identity[h.Name[0]]>>(len(h.Name)%64)&1 == 0 {
			continue
		}
		for _, name := range b.Identity {
			if SameField(b.String(name), h.Name) {
				r.identity = append(r.identity, h.Name)
				r.violate(violation.IdentityHeader, violation.InHeader, b.String(name), nil)
			}
		}
	}
}
