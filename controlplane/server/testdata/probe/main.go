// Command probe is a filter for tests. It writes the filter state that the
// real filter writes, as its policy (any text, taken as the revision) and
// the request's x-probe header say.
package main

import (
	"bytes"
	"strings"
	"unsafe"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"

	"github.com/threatgate/threatgate/internal/violation"
)

func main() {}

func init() {
	proxywasm.SetPluginContext(func(uint32) types.PluginContext { return &plugin{} })
}

type plugin struct {
	types.DefaultPluginContext
	revision string
}

// OnPluginStart refuses a policy that says "refuse".
func (p *plugin) OnPluginStart(int) types.OnPluginStartStatus {
	policy, err := proxywasm.GetPluginConfiguration()
	if err != nil || bytes.Contains(policy, []byte("refuse")) {
		return types.OnPluginStartStatusFailed
	}
	p.revision = string(policy[:min(len(policy), 16)])
	return types.OnPluginStartStatusOK
}

func (p *plugin) NewHttpContext(uint32) types.HttpContext { return &request{plugin: p} }

type request struct {
	types.DefaultHttpContext
	plugin *plugin
	hold   bool
}

const operation = "GET /v2/orders/{orderId}"

// OnHttpRequestHeaders does what the x-probe header says: "violate",
// "reject", "skip" (write nothing), "hold" (until the body is complete),
// "panic", "restricted" (a host call that no filter of ours makes) or
// "reserved" (answer with the reserved headers).
func (r *request) OnHttpRequestHeaders(_ int, end bool) types.Action {
	headers, err := proxywasm.GetHttpRequestHeaders()
	if err != nil {
		panic(err)
	}
	var do string
	var reserved []string
	for _, h := range headers {
		if h[0] == "x-probe" {
			do = h[1]
		}
		if strings.HasPrefix(h[0], "x-threatgate-") {
			reserved = append(reserved, h[0]+"="+h[1])
		}
	}
	switch do {
	case "skip":
		return types.ActionContinue
	case "hold":
		r.hold = true
		return r.action(end)
	case "panic":
		panic("as asked")
	case "restricted":
		_, err := proxywasm.GetHttpRequestHeader("x-probe")
		return reply(200, "restricted", "text/plain", []byte(err.Error()))
	case "reserved":
		return reply(200, "reserved", "text/plain", []byte(strings.Join(reserved, "\n")))
	}
	decision := violation.Allowed
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
	mode := violation.Shadow
	if do == "reject" {
		decision, mode = violation.Rejected, violation.Enforce
	}
	set(violation.StateOperation, operation)
	set(violation.StateDecision, decision.String())
	set(violation.StateMode, mode.String())
	set(violation.StateReport, r.plugin.revision+" 12345")
	if do == "reject" {
		return reply(400, "threatgate{validation:pattern}", "application/problem+json", []byte(`{"type":"urn:threatgate:validation:pattern"}`))
	}
	return types.ActionContinue
}

// OnHttpRequestBody holds the body, if asked.
func (r *request) OnHttpRequestBody(_ int, end bool) types.Action { return r.action(end) }

func (r *request) action(end bool) types.Action {
	if r.hold && !end {
		return types.ActionPause
	}
	return types.ActionContinue
}

func set(key, value string) {
	if err := proxywasm.SetProperty([]string{key}, []byte(value)); err != nil {
		panic(err)
	}
}

//go:wasmimport env proxy_send_local_response
func sendLocalResponse(status uint32, details unsafe.Pointer, detailsSize int32, body unsafe.Pointer, bodySize int32, headers unsafe.Pointer, headersSize int32, grpcStatus int32) uint32

// reply answers with response code details, which the SDK's own call leaves
// empty.
func reply(status uint32, details, contentType string, body []byte) types.Action {
	headers := []byte{1, 0, 0, 0, 12, 0, 0, 0, byte(len(contentType)), 0, 0, 0}
	headers = append(headers, "content-type\x00"+contentType+"\x00"...)
	d := []byte(details)
	if sendLocalResponse(status, unsafe.Pointer(&d[0]), int32(len(d)), unsafe.Pointer(unsafe.SliceData(body)), int32(len(body)), unsafe.Pointer(&headers[0]), int32(len(headers)), -1) != 0 {
		panic("no local response")
	}
	return types.ActionPause
}
