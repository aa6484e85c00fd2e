package enforce

import (
	"bytes"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/enforce/route"
	"github.com/threatgate/threatgate/internal/enforce/siphash"
	"github.com/threatgate/threatgate/internal/enforce/token"
	"github.com/threatgate/threatgate/internal/enforce/uri"
	"github.com/threatgate/threatgate/internal/violation"
)

// Request is one request being judged.
type Request struct {
	engine *Engine
	state  state
	world  World
	mode   violation.Mode
	label  artifact.Text
	op     *artifact.Operation // nil while none has matched

	headers  message
	match    route.Match
	key      siphash.Key
	query    []pair
	values   values
	body     body
	claims   token.Claims
	response response

	violations []violation.Violation
	identity   [][]byte // names, as sent, of client-supplied identity headers, to be removed
	wait       uint64   // until the limit lets another request in, in nanoseconds
	limit      *artifact.Limit

	text []byte // memory of what violations point at
	jwt  []byte // memory of the decoded payload
}

type state uint8

const (
	judging state = iota // more of the message is needed
	judged               // the verdict stands
)

func (r *Request) reset() {
	r.state, r.mode = judging, r.engine.bundle.Meta.Mode
	r.label, r.op, r.limit = artifact.Text{}, nil, nil
	r.claims, r.wait = token.Claims{}, 0
	r.response.state, r.response.mode = judged, violation.Off
	r.headers.reset()
	r.query, r.violations, r.identity = r.query[:0], r.violations[:0], r.identity[:0]
	r.text, r.jwt = r.text[:0], r.jwt[:0]
}

// Headers judges the request's headers; end says that nothing follows them.
// In enforce a request whose body is still to come is held, or passed on as it
// comes if the model says so.
func (r *Request) Headers(headers []Header, end bool, w World) Action {
	r.world = w
	r.headers.read(headers)
	r.headers.requestID = append(r.text, r.headers.requestID...) // outlives the call
	r.text = r.headers.requestID
	r.key = w.HashKey()
	r.values.machine.SetSecret(r.key)
	r.judgeHeaders(end)
	if r.streams() {
		r.body.in = violation.InBodyStream
	}
	return r.action(end)
}

// Body judges a chunk of the body; end says that it is the last. Chunks may
// have any size, none included.
func (r *Request) Body(chunk []byte, end bool) Action {
	if r.state == judging && r.body.judge(chunk, end) {
		r.state = judged
	}
	return r.action(end)
}

// Trailers ends the body: where there are trailers, no chunk was the last.
// From now on IdentityHeaders are those among them.
func (r *Request) Trailers(trailers []Header) Action {
	r.identity = r.identity[:0]
	if r.op != nil {
		r.findIdentity(trailers)
	}
	return r.Body(nil, true)
}

// action turns the state of the judgement into what to do.
func (r *Request) action(end bool) Action {
	switch {
	case r.state == judged && r.rejects(false):
		return Reject
	case r.state == judging && !end && r.mode == violation.Enforce && !r.streams():
		return Hold
	}
	return Pass
}

// streams reports whether the body is passed on while it is judged. Then a
// request can be rejected of which the upstream has got the beginning.
func (r *Request) streams() bool { return r.op != nil && r.op.Flags&artifact.StreamUploads != 0 }

// Judged reports whether Body and Trailers have nothing more to do.
func (r *Request) Judged() bool { return r.state == judged }

// Settled reports whether the verdict on the whole exchange stands: Decision
// will not change.
func (r *Request) Settled() bool {
	return r.state == judged && r.response.state == judged || r.Decision() == violation.Rejected
}

// Decision is what became of the request and its response.
func (r *Request) Decision() violation.Decision {
	switch v := r.rejecting(); {
	case v == nil:
		return violation.Allowed
	case r.modeOf(v.In) == violation.Enforce:
		return violation.Rejected
	}
	return violation.WouldReject
}

// Mode is the mode that the request was judged in.
func (r *Request) Mode() violation.Mode { return r.mode }

// PrimaryMode is the mode that what has the primary violation was judged in.
func (r *Request) PrimaryMode() violation.Mode {
	if v := r.Primary(); v != nil {
		return r.modeOf(v.In)
	}
	return r.mode
}

// modeOf is the mode that a part of the request or its response is judged in.
func (r *Request) modeOf(p violation.Place) violation.Mode {
	if p.OfResponse() {
		return r.response.mode
	}
	return r.mode
}

// Operation is the label of the operation.
func (r *Request) Operation() []byte {
	if r.op == nil {
		return unknownLabel
	}
	return r.engine.bundle.String(r.label)
}

// OperationIndex is one more than the index of the operation in the bundle;
// 0 if there is none.
func (r *Request) OperationIndex() int {
	if r.op == nil {
		return 0
	}
	return 1 + int(r.match.Index)
}

// ID is the request's id, which Envoy has given it.
func (r *Request) ID() []byte { return r.headers.requestID }

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

// rejecting is the violation for which the request or its response is
// rejected or, if none is, would be.
func (r *Request) rejecting() (first *violation.Violation) {
	failure := r.engine.bundle.Meta.Failure
	if r.op != nil {
		failure = r.op.Failure
	}
	for i := range r.violations {
		v := &r.violations[i]
		switch {
		case !v.Code.Rejects(), v.Code == violation.Failure && failure == violation.Open:
		case r.modeOf(v.In) == violation.Enforce:
			return v
		case first == nil:
			first = v
		}
	}
	return first
}

// rejects reports whether the response, or else the request, is rejected.
func (r *Request) rejects(response bool) bool {
	v := r.rejecting()
	return v != nil && r.modeOf(v.In) == violation.Enforce && v.In.OfResponse() == response
}

// violate records a violation and reports whether judging may stop: in
// enforce at the first that rejects, else when the record is full.
func (r *Request) violate(code violation.Code, in violation.Place, pointer, location []byte) (stop bool) {
	mode := r.modeOf(in)
	if mode == violation.Off || in.OfResponse() && r.isOwnResponse() {
		return true
	}
	limit := int(r.engine.bundle.Meta.MaxRecords)
	if v := r.rejecting(); len(r.violations) == limit && code.Rejects() && (v == nil || mode == violation.Enforce && r.modeOf(v.In) != mode) {
		r.violations = r.violations[:limit-1] // however many there are that do not reject, this one decides
	}
	if len(r.violations) < limit {
		r.violations = append(r.violations, violation.Violation{
			Code: code, In: in, Pointer: text(r.keep(pointer)), Schema: text(r.keep(location)), Threat: r.threat(code, in),
		})
	}
	return code.Rejects() && (mode == violation.Enforce || len(r.violations) == limit)
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

// threat is the id of the threat that a violation of code carries out. A code
// that requests have, too, names what their senders do.
func (r *Request) threat(code violation.Code, in violation.Place) string {
	b := r.engine.bundle
	if in.OfResponse() && !code.OfResponse() {
		return violation.Contract
	}
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
func (r *Request) judgeHeaders(end bool) {
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
	if r.judgeLifetime() || r.judgeCredentials() || r.judgeLimits() || r.judgeParameters() {
		return
	}
	r.findIdentity(r.headers.fields)
	if upgrade {
		return // what follows is not a body
	}
	r.body.of(r.op)
	if r.body.announce(&r.headers, end) || end && r.body.judge(nil, true) {
		return
	}
	r.state = judging
}

// findOperation routes the request; it reports whether judging may stop.
func (r *Request) findOperation() (stop bool) {
	b, m := r.engine.bundle, &r.headers
	root, known := r.routesOfHost()
	r.match.Find(b, root, m.method, &m.target)
	normal := m.target.Normal() && !r.match.Ambiguous
	switch {
	case !known || r.match.Operation == nil && len(r.match.Methods) == 0:
		return !normal && r.violate(violation.Path, violation.InPath, nil, nil) ||
			r.violate(violation.UnknownOperation, violation.InRequest, nil, nil)
	case r.match.Operation == nil:
		return r.violate(violation.Method, violation.InRequest, nil, nil)
	}
	r.op = r.match.Operation
	r.label, r.mode = r.op.Label, r.op.Mode
	r.response.await(r)
	return r.mode == violation.Off || !normal && r.violate(violation.Path, violation.InPath, nil, nil)
}

// routesOfHost returns where the routes of the request's host begin.
func (r *Request) routesOfHost() (root uint32, known bool) {
	b := r.engine.bundle
	if len(b.Hosts) == 0 {
		return 0, true
	}
	host := r.headers.authority
	if i := bytes.LastIndexByte(host, ':'); i >= 0 && bytes.IndexByte(host[i:], ']') < 0 {
		host = host[:i]
	}
	for _, h := range b.Hosts {
		if uri.EqualFold(b.String(h.Name), host) {
			return h.Root, true
		}
	}
	return 0, false
}

// upgradeAllowed reports whether the request may be upgraded, which ends its
// judgement with its headers. An upstream need not agree to the upgrade: then
// it reads a body, so there must be none to read.
func (r *Request) upgradeAllowed() bool {
	return r.op != nil && r.op.Flags&artifact.UpgradeAllowed != 0 && r.op.Media.Len == 0 && r.headers.contentLength <= 0
}

// judgeLifetime looks at deprecation and sunset.
func (r *Request) judgeLifetime() (stop bool) {
	if r.op.Sunset != 0 && r.world.Now()/1e9 >= r.op.Sunset {
		return r.violate(violation.Sunset, violation.InRequest, nil, nil)
	}
	return r.op.Flags&artifact.IsDeprecated != 0 && r.violate(violation.Deprecated, violation.InRequest, nil, nil)
}
