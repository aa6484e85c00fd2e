//go:build wasip1

// Command reader is a filter that reads every request through the Go SDK and
// judges nothing: what any filter in Go that holds requests pays at least,
// if it is written with the SDK.
package main

import (
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"
)

func main() {} // a reactor module: never called

func init() { proxywasm.SetPluginContext(func(uint32) types.PluginContext { return &plugin{} }) }

type plugin struct{ types.DefaultPluginContext }

func (*plugin) NewHttpContext(uint32) types.HttpContext { return &stream{} }

type stream struct {
	types.DefaultHttpContext
	seen int // bytes of the body
}

func (s *stream) OnHttpRequestHeaders(_ int, end bool) types.Action {
	if _, err := proxywasm.GetHttpRequestHeaders(); err != nil {
		panic(err)
	}
	return holdUntil(end)
}

// OnHttpRequestBody gets the size of all that Envoy holds, and reads what is
// new.
func (s *stream) OnHttpRequestBody(size int, end bool) types.Action {
	if size > s.seen {
		if _, err := proxywasm.GetHttpRequestBody(s.seen, size-s.seen); err != nil {
			panic(err)
		}
		s.seen = size
	}
	return holdUntil(end)
}

func (s *stream) OnHttpRequestTrailers(int) types.Action { return types.ActionContinue }

func holdUntil(end bool) types.Action {
	if end {
		return types.ActionContinue
	}
	return types.ActionPause
}
