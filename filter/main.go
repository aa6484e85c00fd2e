//go:build wasip1

// Command filter is threatgate.wasm: it connects Envoy's callbacks with the
// engine. It decides nothing itself, but for what becomes of a request that
// the engine fails on, and that by the policy's failure mode.
//
// Only callbacks that do something are exported: each export costs every
// request about a microsecond.
package main

import (
	"github.com/threatgate/threatgate/filter/contexts"
	"github.com/threatgate/threatgate/filter/host"
	"github.com/threatgate/threatgate/filter/telemetry"
	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/enforce"
)

func main() {} // a reactor module: never called

// Actions of the ABI.
const (
	proceed = 0
	pause   = 1
)

// The contexts of this VM. Several policies are live at once: those of other
// listeners, and an old one until its last stream has ended.
var (
	roots   contexts.Table[policy]
	streams contexts.Table[stream]
	idle    []*stream
)

// policy is what a root context judges by, and what it counts.
type policy struct {
	engine   *enforce.Engine
	counters *telemetry.Counters
	reported bool // that it is in use
}

// outbox is of the whole VM: a record may leave by another policy's root
// context than it came by.
var outbox telemetry.Outbox

//go:wasmexport proxy_on_context_create
func onContextCreate(id, root uint32) {
	if root == 0 {
		outbox.Attach(id)
		return
	}
	var s *stream
	if n := len(idle); n > 0 {
		s, idle = idle[n-1], idle[:n-1]
	} else {
		s = new(stream)
	}
	s.begin(roots.Get(root))
	streams.Put(id, s)
}

//go:wasmexport proxy_on_vm_start
func onVMStart(_, _ uint32) uint32 { return 1 }

// onConfigure takes a policy. It refuses one that does not decode, so that
// Envoy keeps the one it has.
//
//go:wasmexport proxy_on_configure
func onConfigure(root, size uint32) uint32 {
	host.Reset()
	bundle, err := artifact.Decode(host.Configuration(int(size)))
	if err != nil {
		host.Log([]byte("threatgate: policy refused: " + err.Error()))
		return 0
	}
	roots.Put(root, &policy{
		engine:   enforce.New(bundle),
		counters: telemetry.NewCounters(bundle.String(bundle.Meta.API), len(bundle.Operations)),
	})
	return 1
}

//go:wasmexport proxy_on_request_headers
func onRequestHeaders(id, _, end uint32) uint32 {
	host.Reset()
	return streams.Get(id).run(request, func(s *stream) enforce.Action { return s.headers(end != 0) })
}

//go:wasmexport proxy_on_request_body
func onRequestBody(id, size, end uint32) uint32 {
	host.Reset()
	return streams.Get(id).run(request, func(s *stream) enforce.Action { return s.body(int(size), end != 0) })
}

//go:wasmexport proxy_on_request_trailers
func onRequestTrailers(id, _ uint32) uint32 {
	host.Reset()
	return streams.Get(id).run(request, (*stream).trailers)
}

//go:wasmexport proxy_on_response_headers
func onResponseHeaders(id, _, end uint32) uint32 {
	s := streams.Get(id)
	if !s.awaitsResponse() {
		return proceed
	}
	host.Reset()
	return s.run(response, func(s *stream) enforce.Action { return s.responseHeaders(end != 0) })
}

//go:wasmexport proxy_on_response_body
func onResponseBody(id, size, end uint32) uint32 {
	s := streams.Get(id)
	if !s.awaitsResponse() {
		return proceed
	}
	host.Reset()
	return s.run(response, func(s *stream) enforce.Action { return s.responseBody(int(size), end != 0) })
}

//go:wasmexport proxy_on_response_trailers
func onResponseTrailers(id, _ uint32) uint32 {
	s := streams.Get(id)
	if !s.awaitsResponse() {
		return proceed
	}
	host.Reset()
	return s.run(response, (*stream).responseTrailers)
}

//go:wasmexport proxy_on_http_call_response
func onHTTPCallResponse(root, token, _, _, _ uint32) {
	host.Reset()
	outbox.Answered(root, token)
}

//go:wasmexport proxy_on_tick
func onTick(root uint32) { outbox.Tick(root) }

//go:wasmexport proxy_on_delete
func onDelete(id uint32) {
	host.Reset()
	s := streams.Get(id)
	if s == nil {
		roots.Delete(id)
		outbox.Detach(id)
		return
	}
	s.end()
	streams.Delete(id)
	idle = append(idle, s)
}
