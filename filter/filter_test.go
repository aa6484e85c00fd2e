//go:build !wasip1

// Package main_test runs the module without Envoy: wazero executes it and
// the SDK's emulator plays the host.
package main_test

import (
	"encoding/binary"
	"encoding/json"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/proxytest"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"

	"github.com/threatgate/threatgate/internal/compile"
	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/model"
	"github.com/threatgate/threatgate/internal/openapi"
	"github.com/threatgate/threatgate/internal/policy"
	"github.com/threatgate/threatgate/internal/threat"
	"github.com/threatgate/threatgate/internal/violation"
	"github.com/threatgate/threatgate/policies"
)

// maxSize is the module's budget, in bytes.
const maxSize = 3_200_000

var module []byte

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "tg")
	if err != nil {
		panic(err)
	}
	path := filepath.Join(dir, "threatgate.wasm")
	build := exec.Command("go", "build", "-tags=emulator", "-trimpath", "-buildmode=c-shared", "-ldflags=-s -w", "-o", path, ".")
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		panic(err)
	}
	if module, err = os.ReadFile(path); err != nil {
		panic(err)
	}
	os.RemoveAll(dir)
	log.SetOutput(io.Discard) // the emulator logs every call
	os.Exit(m.Run())
}

func TestSize(t *testing.T) {
	t.Logf("%d bytes", len(module))
	if len(module) > maxSize {
		t.Errorf("the module has %d bytes, more than %d", len(module), maxSize)
	}
}

const spec = `
openapi: 3.0.3
info: {title: Orders, version: "1"}
paths:
  /orders:
    post:
      operationId: createOrder
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [item]
              additionalProperties: false
              properties: {item: {type: string, maxLength: 5}}
      responses: {"201": {description: made}}
    get:
      operationId: listOrders
      responses: {"200": {description: ok, content: {application/json: {schema: {type: array, items: {type: string}}}}}}
`

// bundle compiles the specification in one mode, with a rate limit of two
// requests for listing.
func bundle(t *testing.T, mode violation.Mode) []byte {
	t.Helper()
	diags := &diag.List{}
	api, _ := openapi.LoadBytes([]byte(spec), "orders.yaml", diags)
	if api == nil {
		t.Fatal(diags.Err())
	}
	graph := model.Bare(api)
	graph.Services[0].Upstream = "127.0.0.1:1"
	set := policy.Derive(graph, threat.LoadCatalogue(policies.FS, diags), nil, policy.Modes{}, diags)
	set.Services[0].Mode = mode
	for _, o := range set.Services[0].Operations {
		o.Mode = mode
		if o.Label == "listOrders" {
			o.Limits = []*model.Limit{{Per: model.PerAddress, Count: 2, Window: 3600e9, Burst: 2}}
		}
	}
	releases := compile.Releases(set, diags)
	if diags.HasErrors() {
		t.Fatal(diags.Err())
	}
	return releases[0].Bundle
}

const requestTime = 1795460669983470000 // Unix nanoseconds

// start runs the module with a policy. The emulator is one for the process,
// so a test has one at a time.
func start(t *testing.T, config []byte) (proxytest.HostEmulator, types.OnPluginStartStatus) {
	t.Helper()
	vm, err := proxytest.NewWasmVMContext(module)
	if err != nil {
		t.Fatal(err)
	}
	host, reset := proxytest.NewHostEmulator(proxytest.NewEmulatorOption().
		WithVMContext(vm).
		WithPluginConfiguration(config).
		WithProperty([]string{"source", "address"}, []byte("192.0.2.1:4711")).
		WithProperty([]string{"xds", "node", "id"}, []byte("node")).
		WithProperty([]string{"request", "time"}, binary.LittleEndian.AppendUint64(nil, requestTime)).
		WithProperty([]string{"response", "code"}, binary.LittleEndian.AppendUint64(nil, 418)).
		WithProperty([]string{"response", "code_details"}, []byte("via_upstream")))
	t.Cleanup(func() {
		reset()
		vm.Close()
	})
	if host.StartVM() != types.OnVMStartStatusOK {
		t.Fatal("the VM does not start")
	}
	return host, host.StartPlugin()
}

func headers(method, path string, more ...[2]string) [][2]string {
	return append([][2]string{{":method", method}, {":path", path}, {":authority", "x"}, {"x-request-id", "id-1"}}, more...)
}

var typed = [2]string{"content-type", "application/json"}

func TestEnforceHoldsUntilJudged(t *testing.T) {
	host, status := start(t, bundle(t, violation.Enforce))
	if status != types.OnPluginStartStatusOK {
		t.Fatal("the policy is refused")
	}
	id := host.InitializeHttpContext()
	if action := host.CallOnRequestHeaders(id, headers("POST", "/orders", typed), false); action != types.ActionPause {
		t.Errorf("headers: action %d, want pause", action)
	}
	if action := host.CallOnRequestBody(id, []byte(`{"item":`), false); action != types.ActionPause {
		t.Errorf("first chunk: action %d, want pause", action)
	}
	if action := host.CallOnRequestBody(id, []byte(`"pen"}`), true); action != types.ActionContinue {
		t.Errorf("last chunk: action %d, want continue", action)
	}
	if r := host.GetSentLocalResponse(id); r != nil {
		t.Errorf("answered %d %s", r.StatusCode, r.Data)
	}
	host.CompleteHttpContext(id)
	expectCount(t, host, "envoy_threatgate_requests_total;api=orders;decision=allowed;operation=createOrder;", 1)
}

func TestEnforceRejects(t *testing.T) {
	host, _ := start(t, bundle(t, violation.Enforce))
	id := host.InitializeHttpContext()
	host.CallOnRequestHeaders(id, headers("POST", "/orders", typed), false)
	if action := host.CallOnRequestBody(id, []byte(`{"item":"pencil"`), false); action != types.ActionPause {
		t.Errorf("action %d, want pause", action)
	}
	r := host.GetSentLocalResponse(id)
	if r == nil || r.StatusCode != 400 || r.StatusCodeDetail != "threatgate:validation:max-length" {
		t.Fatalf("answer %+v", r)
	}
	want := `{"type":"urn:threatgate:validation:max-length","title":"String too long","status":400,` +
		`"detail":"String too long: body at /item.","instance":"id-1",` +
		`"errors":[{"pointer":"/item","code":"max-length","threat":"contract"}]}` + "\n"
	if string(r.Data) != want || !json.Valid(r.Data) {
		t.Errorf("body\n%s\nwant\n%s", r.Data, want)
	}
}

func TestShadowNeverPauses(t *testing.T) {
	host, _ := start(t, bundle(t, violation.Shadow))
	id := host.InitializeHttpContext()
	if action := host.CallOnRequestHeaders(id, headers("POST", "/orders", typed), false); action != types.ActionContinue {
		t.Errorf("headers: action %d", action)
	}
	for i, chunk := range []string{`{"item":"pencil",`, `"role":1`, `}`} {
		if action := host.CallOnRequestBody(id, []byte(chunk), i == 2); action != types.ActionContinue {
			t.Errorf("chunk %d: action %d", i, action)
		}
	}
	if r := host.GetSentLocalResponse(id); r != nil {
		t.Errorf("answered %d", r.StatusCode)
	}
	host.CompleteHttpContext(id)
	_, record := sent(t, host)
	if found, ok := violation.ParseWire(record[violation.AttributeViolations]); !ok || len(found) != 2 || record[violation.AttributeDecision] != "would_reject" {
		t.Errorf("recorded %q", record)
	}
}

func TestTrailersEndTheBody(t *testing.T) {
	host, _ := start(t, bundle(t, violation.Enforce))
	id := host.InitializeHttpContext()
	host.CallOnRequestHeaders(id, headers("POST", "/orders", typed), false)
	host.CallOnRequestBody(id, []byte(`{"item":"pen"`), false)
	host.CallOnRequestTrailers(id, [][2]string{{"x", "y"}})
	if r := host.GetSentLocalResponse(id); r == nil || r.StatusCodeDetail != "threatgate:validation:json" {
		t.Errorf("an unfinished body passes with trailers: %+v", r)
	}
}

func TestLimit(t *testing.T) {
	host, _ := start(t, bundle(t, violation.Enforce))
	for i, want := range []bool{false, false, true} {
		id := host.InitializeHttpContext()
		host.CallOnRequestHeaders(id, headers("GET", "/orders"), true)
		r := host.GetSentLocalResponse(id)
		if limited := r != nil && r.StatusCode == 429; limited != want {
			t.Errorf("request %d: limited %t, want %t", i, limited, want)
		}
		if r != nil {
			var names []string
			for _, h := range r.Headers {
				names = append(names, h[0])
			}
			if got := strings.Join(names, " "); got != "content-type retry-after ratelimit-policy ratelimit" {
				t.Errorf("headers %s", got)
			}
		}
	}
}

func TestReservedAndIdentityHeadersAreRemoved(t *testing.T) {
	for mode, want := range map[violation.Mode]string{violation.Enforce: "", violation.Shadow: "x-user-id"} {
		t.Run(mode.String(), func(t *testing.T) {
			host, _ := start(t, bundle(t, mode))
			id := host.InitializeHttpContext()
			host.CallOnRequestHeaders(id, headers("GET", "/orders", [2]string{"accept-encoding", "gzip"}, [2]string{"x-threatgate-jwt-login", "e30"}, [2]string{"x_threatgate_jwt-login", "e30"}, [2]string{"x-user-id", "1"}), true)
			left := ""
			for _, h := range host.GetCurrentRequestHeaders(id)[5:] {
				left += h[0]
			}
			if left != want {
				t.Errorf("headers left: %q, want %q", left, want)
			}
			host.CompleteHttpContext(id)
			expectCount(t, host, "envoy_threatgate_violations_total;api=orders;family=token;code=identity-header;threat=contract;mode="+mode.String()+";operation=listOrders;", 1)
		})
	}
}

func TestUndecodablePolicyIsRefused(t *testing.T) {
	good := bundle(t, violation.Enforce)
	for name, config := range map[string][]byte{
		"empty":     {},
		"garbage":   []byte("garbage"),
		"truncated": good[:len(good)-8],
		"damaged":   append(append([]byte(nil), good[:len(good)-1]...), good[len(good)-1]^1),
	} {
		t.Run(name, func(t *testing.T) {
			if _, status := start(t, config); status == types.OnPluginStartStatusOK {
				t.Error("taken")
			}
		})
	}
}
