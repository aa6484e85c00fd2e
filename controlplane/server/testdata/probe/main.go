//go:build wasip1

// Command probe is a filter for tests. It counts and records as the real
// filter does, what its policy and the request's x-probe header say.
package main

import (
	"bytes"
	"strconv"
	"unsafe"

	"github.com/threatgate/threatgate/filter/host"
	"github.com/threatgate/threatgate/filter/telemetry"
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
	apis      = map[uint32][]byte{}
	streams   = map[uint32]*stream{}
	outbox    telemetry.Outbox
)

// stream is one request; its record is nil while it has none.
type stream struct {
	root   uint32
	held   bool
	record *telemetry.Record
}

//go:wasmexport proxy_on_context_create
func onContextCreate(id, root uint32) {
	if root == 0 {
		outbox.Attach(id)
		return
	}
	streams[id] = &stream{root: root}
}

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
	apis[root] = bytes.Clone(host.Property([]byte("plugin_root_id")))
	return 1
}

//go:wasmexport proxy_on_tick
func onTick(root uint32) { outbox.Tick(root) }

//go:wasmexport proxy_on_delete
func onDelete(id uint32) {
	host.Reset()
	s := streams[id]
	if s == nil {
		delete(revisions, id)
		delete(apis, id)
		outbox.Detach(id)
		return
	}
	delete(streams, id)
	if s.record != nil {
		outbox.Add(s.record)
	}
}

//go:wasmexport proxy_on_http_call_response
func onHTTPCallResponse(root, token, _, _, _ uint32) {
	host.Reset()
	outbox.Answered(root, token)
}

const (
	operation = "GET /v2/orders/{orderId}"
	odd       = "a..b;code=\"c\"; =é:\\.http_rq_200"
)

// onRequestHeaders does what the x-probe header says: "violate", "reject",
// "odd" (allow, an operation of a strange name), "skip" (tell nothing), "hold" (until the body is complete), "panic",
// "restricted" (a host call that the real filter doesn't make) or "reserved"
// (answer with the reserved headers).
//
//go:wasmexport proxy_on_request_headers
func onRequestHeaders(id, _, end uint32) uint32 {
	host.Reset()
	do := ""
	var reserved, requestID []byte
	for _, h := range host.RequestHeaders(nil) {
		if string(h.Name) == "x-probe" {
			do = string(h.Value)
		}
		if string(h.Name) == "x-request-id" {
			requestID = bytes.Clone(h.Value)
		}
		if bytes.HasPrefix(h.Name, []byte("x-threatgate-")) {
			reserved = append(append(append(append(reserved, h.Name...), '='), h.Value...), '\n')
		}
	}
	switch do {
	case "skip":
		return proceed
	case "hold":
		streams[id].held = true
		return onRequestBody(id, 0, end)
	case "panic":
		panic("as asked")
	case "restricted":
		return reply(200, "text/plain", strconv.AppendUint(nil, uint64(getHeader()), 10))
	case "reserved":
		return reply(200, "text/plain", reserved)
	}
	s := streams[id]
	s.record = &telemetry.Record{
		API:       apis[s.root],
		Operation: []byte(operation),
		RequestID: requestID,
		Report:    []byte(revisions[s.root] + " 12345"),
	}
	counters := telemetry.NewCounters(s.record.API, 1)
	switch do {
	case "odd":
		s.record.Operation = []byte(odd)
	case "violate", "reject":
		v := violation.Violation{Code: violation.Pattern, In: violation.InBody, Pointer: "/a~1b/0/*", Schema: "orders.yaml#/components/schemas/Order", Threat: "API3-01"}
		other := v
		other.Code, other.Threat = violation.Required, violation.Contract
		s.record.Violations = []violation.Violation{v, other}
		s.record.Decision = violation.WouldReject
		if do == "reject" {
			s.record.Decision, s.record.Mode = violation.Rejected, violation.Enforce
		}
		counters.Violation(s.record.Operation, &v, s.record.Mode)
	}
	counters.Request(1, s.record.Operation, s.record.Decision)
	if do == "reject" {
		return reply(400, "application/problem+json", []byte(`{"type":"urn:threatgate:validation:pattern"}`))
	}
	return proceed
}

// onRequestBody holds the body, if asked.
//
//go:wasmexport proxy_on_request_body
func onRequestBody(id, _, end uint32) uint32 {
	if streams[id].held && end == 0 {
		return pause
	}
	return proceed
}

//go:wasmexport proxy_on_request_trailers
func onRequestTrailers(_, _ uint32) uint32 { return proceed }

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
