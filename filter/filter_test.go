//go:build !wasip1

// Package main_test runs the module without Envoy: wazero executes it and
// the SDK's emulator plays the host.
package main_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/proxytest"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"

	"github.com/threatgate/threatgate/internal/artifact"
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
const maxSize = 3_000_000

var module []byte

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "tg")
	if err != nil {
		panic(err)
	}
	path := filepath.Join(dir, "threatgate.wasm")
	build := exec.Command("go", "build", "-trimpath", "-buildmode=c-shared", "-ldflags=-s -w", "-o", path, ".")
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		panic(err)
	}
	if module, err = os.ReadFile(path); err != nil {
		panic(err)
	}
	os.RemoveAll(dir)
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
      responses: {"200": {description: ok}}
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
		WithProperty([]string{"source", "address"}, []byte("192.0.2.1:4711")))
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
	expectState(t, host, violation.StateOperation, "createOrder")
	if decision, err := host.GetProperty([]string{violation.StateDecision}); err == nil {
		t.Errorf("an allowed request says so: %q", decision)
	}
}

func expectState(t *testing.T, host proxytest.HostEmulator, key, want string) {
	t.Helper()
	got, err := host.GetProperty([]string{key})
	if err != nil || string(got) != want {
		t.Errorf("%s is %q (%v), want %q", key, got, err, want)
	}
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
	expectState(t, host, violation.StateDecision, "rejected")
	expectState(t, host, violation.StateFamily, "validation")
	expectState(t, host, violation.StateCode, "max-length")
	expectState(t, host, violation.StateMode, "enforce")
	expectState(t, host, violation.StateRecords,
		"validation\tmax-length\tbody\t/item\t#/paths/~1orders/post/requestBody/content/application~1json/schema/properties/item\tcontract\n")
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
	expectState(t, host, violation.StateDecision, "would_reject")
	records, _ := host.GetProperty([]string{violation.StateRecords})
	if found, ok := violation.ParseWire(string(records)); !ok || len(found) != 2 {
		t.Errorf("records %q", records)
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
			host.CallOnRequestHeaders(id, headers("GET", "/orders", [2]string{"x-threatgate-jwt-login", "e30"}, [2]string{"x_threatgate_jwt-login", "e30"}, [2]string{"x-user-id", "1"}), true)
			left := ""
			for _, h := range host.GetCurrentRequestHeaders(id)[4:] {
				left += h[0]
			}
			if left != want {
				t.Errorf("headers left: %q, want %q", left, want)
			}
			expectState(t, host, violation.StateCode, "identity-header")
		})
	}
}

func TestFirstRequestReportsThePolicy(t *testing.T) {
	config := bundle(t, violation.Enforce)
	host, _ := start(t, config)
	id := host.InitializeHttpContext()
	host.CallOnRequestHeaders(id, headers("GET", "/orders"), true)
	decoded, err := artifact.Decode(config)
	if err != nil {
		t.Fatal(err)
	}
	report, _ := host.GetProperty([]string{violation.StateReport})
	if revision, _, _ := strings.Cut(string(report), " "); revision != decoded.Revision || revision == "" {
		t.Errorf("report %q, want revision %s", report, decoded.Revision)
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
