//go:build wasip1

// Command filter is threatgate.wasm: it connects Envoy's callbacks with the
// engine. It decides nothing itself, but for what becomes of a request that
// the engine fails on, and that by the policy's failure mode.
//
// Only callbacks that do something are exported: each export costs every
// request about a microsecond.
package main

import (
	"github.com/threatgate/threatgate/filter/host"
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
	roots   = map[uint32]*enforce.Engine{} // nil until configured
	streams = map[uint32]*stream{}
	idle    []*stream
)

//go:wasmexport proxy_on_context_create
func onContextCreate(id, root uint32) {
	if root == 0 {
		roots[id] = nil
		return
	}
	var s *stream
	if n := len(idle); n > 0 {
		s, idle = idle[n-1], idle[:n-1]
	} else {
		s = new(stream)
	}
	s.begin(roots[root])
	streams[id] = s
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
	roots[root] = enforce.New(bundle)
	return 1
}

//go:wasmexport proxy_on_request_headers
func onRequestHeaders(id, _, end uint32) uint32 {
	host.Reset()
	return streams[id].run(func(s *stream) enforce.Action { return s.headers(end != 0) })
}

//go:wasmexport proxy_on_request_body
func onRequestBody(id, size, end uint32) uint32 {
	host.Reset()
	return streams[id].run(func(s *stream) enforce.Action { return s.body(int(size), end != 0) })
}

//go:wasmexport proxy_on_request_trailers
func onRequestTrailers(id, _ uint32) uint32 {
	host.Reset()
	return streams[id].run((*stream).trailers)
}

//go:wasmexport proxy_on_delete
func onDelete(id uint32) {
	s, ok := streams[id]
	if !ok {
		if roots[id] == reported {
			reported = nil
		}
		delete(roots, id)
		return
	}
	if s.request != nil {
		s.request.End()
	}
	delete(streams, id)
	idle = append(idle, s)
}
