// Package enforce judges one request against a bundle. It is pure: time,
// the client's address and the state of limits come in through a World, and
// the same request gives the same verdict in the filter, in the control
// plane's preflight and in a test.
//
// A Request is driven as Envoy drives a filter: Headers, then Body for every
// chunk, then Trailers where there are some; and likewise with its response,
// which may begin before the request has ended. Each call returns what to do
// with the message. The engine never holds a body: schemas are judged while
// the bytes pass, and memory grows with nesting, with names that a schema
// doesn't spell and with items that must be unique, never with the values.
package enforce

import (
	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/enforce/inflate"
	"github.com/threatgate/threatgate/internal/enforce/limit"
	"github.com/threatgate/threatgate/internal/enforce/siphash"
)

// Engine judges requests by one bundle. It keeps finished Requests for
// reuse, so it serves one goroutine at a time.
type Engine struct {
	bundle   *artifact.Bundle
	free     []*Request
	other    *Request           // see aside
	decoders []*inflate.Decoder // that no body needs
	table    limit.Table
	identity identityNames
}

// New returns an engine for a decoded bundle.
func New(b *artifact.Bundle) *Engine {
	e := &Engine{bundle: b}
	for _, name := range b.Identity {
		e.identity.add(b.String(name))
	}
	return e
}

// Bundle is the policy that the engine judges by.
func (e *Engine) Bundle() *artifact.Bundle { return e.bundle }

// Begin returns a Request to be judged; End gives it back.
func (e *Engine) Begin() *Request {
	if n := len(e.free); n > 0 {
		r := e.free[n-1]
		e.free = e.free[:n-1]
		r.reset()
		return r
	}
	r := &Request{engine: e}
	r.values.request, r.values.bundle = r, e.bundle
	r.response.values.request, r.response.values.bundle = r, e.bundle
	r.body.values, r.response.body.values = &r.values, &r.response.values
	r.reset()
	return r
}

// End gives a finished Request back to its engine.
func (r *Request) End() {
	r.body.endCoding()
	r.response.body.endCoding()
	r.engine.free = append(r.engine.free, r)
}

// World is what judging needs to know besides the message. But for HashKey its
// methods are called only where a policy asks.
type World interface {
	limit.Store
	Now() int64            // Unix time in nanoseconds
	ClientAddress() []byte // without a port; empty if not known
	HashKey() siphash.Key  // secret, and the same in all workers
	FromUpstream() bool    // the response is the upstream's, not Envoy's own
}

// Header is one header or pseudo-header field; names are lower case, as in
// HTTP/2. The engine keeps neither slice beyond the call.
type Header struct{ Name, Value []byte }

// Action is what to do with the message after a call.
type Action uint8

const (
	// Pass: let on what has arrived.
	Pass Action = iota
	// Hold: keep what has arrived until another call says Pass or Reject.
	Hold
	// Reject: answer with the problem; nothing more need be shown.
	Reject
)
