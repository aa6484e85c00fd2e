//go:build wasip1

// Command probe is a filter for tests. It writes the filter state that the
// real filter writes, as its policy and the request's x-probe header say.
package main

import (
	"bytes"
	"strconv"
	"unsafe"

	"github.com/threatgate/threatgate/filter/host"
	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/violation"
)

func main() {}

// Actions of the ABI.
const (
	proceed = 0
	pause   = 1
)

var (
	revisions = map[uint32]string{} // by root context
	roots     = map[uint32]uint32{} // by stream
	held      = map[uint32]bool{}
)

//go:wasmexport proxy_on_context_create
func onContextCreate(id, root uint32) { roots[id] = root }

//go:wasmexport proxy_on_vm_start
func onVMStart(_, _ uint32) uint32 { return 1 }

// onConfigure takes any policy but one that says "refuse". Its revision is
// how it begins.
//
//go:wasmexport proxy_on_configure
func onConfigure(root, size uint32) uint32 {
	host.Reset()
	policy := host.Configuration(int(size))
	if bytes.Contains(policy, []byte("refuse")) {
		return 0
	}
	revisions[root] = string(policy[:artifact.RevisionSize])
	return 1
}

//go:wasmexport proxy_on_delete
func onDelete(id uint32) {
	delete(revisions, id)
	delete(roots, id)
	delete(held, id)
}

const operation = "GET /v2/orders/{orderId}"

// onRequestHeaders does what the x-probe header says: "violate", "reject",
// "skip" (write nothing), "hold" (until the body is complete), "panic",
// "restricted" (a host call that the real filter doesn't make) or "reserved"
// (answer with the reserved headers).
//
//go:wasmexport proxy_on_request_headers
func onRequestHeaders(id, _, end uint32) uint32 {
	host.Reset()
	do := ""
	var reserved []byte
	for _, h := range host.RequestHeaders(nil) {
		if string(h.Name) == "x-probe" {
			do = string(h.Value)
		}
		if bytes.HasPrefix(h.Name, []byte("x-threatgate-")) {
			reserved = append(append(append(append(reserved, h.Name...), '='), h.Value...), '\n')
		}
	}
	switch do {
	case "skip":
		return proceed
	case "hold":
		held[id] = true
		return onRequestBody(id, 0, end)
	case "panic":
		panic("as asked")
	case "restricted":
		return reply(200, "text/plain", strconv.AppendUint(nil, uint64(getHeader()), 10))
	case "reserved":
		return reply(200, "text/plain", reserved)
	}
	decision, mode := violation.Allowed, violation.Shadow
	if do != "" {
		v := violation.Violation{Code: violation.Pattern, In: violation.InBody, Pointer: "/a~1b/0/*", Schema: "orders.yaml#/components/schemas/Order", Threat: "API3-01"}
		records := v.AppendWire(nil)
		v.Code, v.Threat = violation.Required, violation.Contract
		set(violation.StateRecords, string(v.AppendWire(records)))
		set(violation.StateFamily, violation.Pattern.Family().String())
		set(violation.StateCode, violation.Pattern.String())
		set(violation.StateThreat, "API3-01")
		decision = violation.WouldReject
	}
	if do == "reject" {
		decision, mode = violation.Rejected, violation.Enforce
	}
	set(violation.StateOperation, operation)
	set(violation.StateDecision, decision.String())
	set(violation.StateMode, mode.String())
	set(violation.StateReport, revisions[roots[id]]+" 12345")
	if do == "reject" {
		return reply(400, "application/problem+json", []byte(`{"type":"urn:threatgate:validation:pattern"}`))
	}
	return proceed
}

// onRequestBody holds the body, if asked.
//
//go:wasmexport proxy_on_request_body
func onRequestBody(id, _, end uint32) uint32 {
	if held[id] && end == 0 {
		return pause
	}
	return proceed
}

//go:wasmexport proxy_on_request_trailers
func onRequestTrailers(_, _ uint32) uint32 { return proceed }

func set(key, value string) { host.SetState([]byte(key), []byte(value)) }

func reply(status int, contentType string, body []byte) uint32 {
	r := host.Response{Body: body, Details: []byte("threatgate:validation:pattern")}
	r.Header([]byte("content-type"), []byte(contentType))
	r.Send(status)
	return pause
}

//go:wasmimport env proxy_get_header_map_value
func proxyGetHeaderMapValue(kind uint32, name unsafe.Pointer, nameSize uint32, place, size unsafe.Pointer) uint32

// getHeader returns the status of the call.
func getHeader() uint32 {
	name, result := [...]byte{'a'}, [2]uint32{}
	return proxyGetHeaderMapValue(0, unsafe.Pointer(&name[0]), 1, unsafe.Pointer(&result[0]), unsafe.Pointer(&result[1]))
}
