//go:build wasip1

// Command crash is a stand-in for threatgate.wasm that dies when it is told
// to. It takes every policy and lets every request pass, but:
//
//	x-crash: the VM traps
//	x-ping:  it answers itself, which shows that it lives
package main

import "github.com/threatgate/threatgate/filter/host"

func main() {} // a reactor module: never called

//go:wasmexport proxy_on_context_create
func onContextCreate(_, _ uint32) {}

//go:wasmexport proxy_on_vm_start
func onVMStart(_, _ uint32) uint32 { return 1 }

//go:wasmexport proxy_on_configure
func onConfigure(_, _ uint32) uint32 { return 1 }

//go:wasmexport proxy_on_request_headers
func onRequestHeaders(_, _, _ uint32) uint32 {
	host.Reset()
	for _, h := range host.RequestHeaders(nil) {
		switch string(h.Name) {
		case "x-crash":
			panic("as told")
		case "x-ping":
			var response host.Response
			response.Send(418)
			return 1
		}
	}
	return 0
}

//go:wasmexport proxy_on_delete
func onDelete(_ uint32) {}
