//go:build wasip1 && emulator

package main

// onLog ends a stream for the emulator of the tests, which calls this and not
// proxy_on_delete. For Envoy it would be one more call for each request.
//
//go:wasmexport proxy_on_log
func onLog(id uint32) { onDelete(id) }
