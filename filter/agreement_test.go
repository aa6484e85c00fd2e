//go:build !wasip1

package main_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/proxytest"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"
	logsv1 "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	"google.golang.org/protobuf/proto"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/compile"
	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/enforce"
	"github.com/threatgate/threatgate/internal/enforce/siphash"
	"github.com/threatgate/threatgate/internal/model"
	"github.com/threatgate/threatgate/internal/openapi"
	"github.com/threatgate/threatgate/internal/policy"
	"github.com/threatgate/threatgate/internal/threat"
	"github.com/threatgate/threatgate/internal/violation"
	"github.com/threatgate/threatgate/policies"
)

// An exchange is a request, and how its body arrives.
type exchange struct {
	to     string // "METHOD target", and the content type if there is one
	chunks [][]byte
}

func (x *exchange) headers() [][2]string {
	method, rest, _ := strings.Cut(x.to, " ")
	target, mediaType, _ := strings.Cut(rest, " ")
	if mediaType == "" {
		return headers(method, target)
	}
	return headers(method, target, [2]string{"content-type", mediaType})
}

// natively judges an exchange with the engine as it is. It writes down what
// the filter is to do: hold or pass on what it has after each part, what it
// answers, and the records.
func natively(e *enforce.Engine, x *exchange) string {
	var fields []enforce.Header
	for _, h := range x.headers() {
		fields = append(fields, enforce.Header{Name: []byte(h[0]), Value: []byte(h[1])})
	}
	var out strings.Builder
	r := e.Begin()
	defer r.End()
	action := r.Headers(fields, len(x.chunks) == 0, noon{})
	out.WriteString(held[action != enforce.Pass])
	for i, chunk := range x.chunks {
		if action == enforce.Reject {
			break
		}
		action = r.Body(chunk, i == len(x.chunks)-1)
		out.WriteString(held[action != enforce.Pass])
	}
	if action == enforce.Reject {
		fmt.Fprintf(&out, "\n%d %s", r.Status(), r.Details(nil))
		r.ProblemHeaders(func(name, value []byte) { fmt.Fprintf(&out, "\n%s: %s", name, value) })
		fmt.Fprintf(&out, "\n%s", r.AppendProblem(nil))
	}
	out.WriteByte('\n')
	for _, v := range r.Violations() {
		out.Write(v.AppendWire(nil))
	}
	return out.String()
}

var held = map[bool]string{true: "held ", false: "on "}

// asShipped judges an exchange with the module.
func (p *pair) asShipped(t testing.TB, x *exchange) string {
	var out strings.Builder
	id := p.host.InitializeHttpContext()
	out.WriteString(held[p.host.CallOnRequestHeaders(id, x.headers(), len(x.chunks) == 0) == types.ActionPause])
	for i, chunk := range x.chunks {
		if p.host.GetSentLocalResponse(id) != nil {
			break
		}
		out.WriteString(held[p.host.CallOnRequestBody(id, chunk, i == len(x.chunks)-1) == types.ActionPause])
	}
	if r := p.host.GetSentLocalResponse(id); r != nil {
		fmt.Fprintf(&out, "\n%d %s", r.StatusCode, r.StatusCodeDetail)
		for _, h := range r.Headers {
			fmt.Fprintf(&out, "\n%s: %s", h[0], h[1])
		}
		fmt.Fprintf(&out, "\n%s", r.Data)
	}
	p.host.CompleteHttpContext(id)
	return out.String() + "\n" + p.sent(t)
}

// sent takes the violations from the records that the module sends, and
// answers as the control plane does.
func (p *pair) sent(t testing.TB) string {
	var out strings.Builder
	calls := p.host.GetCalloutAttributesFromContext(proxytest.PluginContextID)
	for ; p.calls < len(calls); p.calls++ {
		call := calls[p.calls]
		var request logsv1.ExportLogsServiceRequest
		if err := proto.Unmarshal(call.Body[5:], &request); err != nil { // after the prefix of gRPC
			t.Fatal(err)
		}
		for _, record := range request.ResourceLogs[0].ScopeLogs[0].LogRecords {
			for _, a := range record.Attributes {
				if a.Key == violation.AttributeViolations {
					out.WriteString(a.Value.GetStringValue())
				}
			}
		}
		p.host.CallOnHttpCallResponse(call.CalloutID, nil, [][2]string{{"grpc-status", "0"}}, nil)
	}
	return out.String()
}

// noon is a world in which nothing happens.
type noon struct{}

func (noon) Now() int64                      { return 43200e9 }
func (noon) ClientAddress() []byte           { return []byte("192.0.2.1") }
func (noon) HashKey() siphash.Key            { return siphash.Key{} }
func (noon) FromUpstream() bool              { return true }
func (noon) Get([]byte) ([]byte, uint32)     { return nil, 0 }
func (noon) Set([]byte, []byte, uint32) bool { return true }

// A pair is the two that have to agree, with one policy.
type pair struct {
	config []byte
	engine *enforce.Engine
	host   proxytest.HostEmulator
	stop   func()
	calls  int // that the host has seen
	judged int
}

func newPair(t testing.TB) *pair {
	p := &pair{config: agreementBundle(t)}
	b, err := artifact.Decode(p.config)
	if err != nil {
		t.Fatal(err)
	}
	p.engine = enforce.New(b)
	p.start(t)
	t.Cleanup(func() { p.stop() })
	return p
}

// start starts the module anew.
func (p *pair) start(t testing.TB) {
	vm, err := proxytest.NewWasmVMContext(module)
	if err != nil {
		t.Fatal(err)
	}
	host, reset := proxytest.NewHostEmulator(proxytest.NewEmulatorOption().WithVMContext(vm).WithPluginConfiguration(p.config))
	p.host, p.calls = host, 0
	p.stop = func() {
		reset()
		vm.Close()
	}
	if host.StartVM() != types.OnVMStartStatusOK || host.StartPlugin() != types.OnPluginStartStatusOK {
		t.Fatal("the module does not start")
	}
}

// lifetime is how many exchanges one emulator judges: it forgets none.
const lifetime = 50_000

// agree reports an exchange that the two judge differently, or the engine
// otherwise than if the body came in one piece.
func (p *pair) agree(t testing.TB, x *exchange) {
	t.Helper()
	if p.judged++; p.judged%lifetime == 0 {
		p.stop()
		p.start(t)
	}
	want, got := natively(p.engine, x), p.asShipped(t, x)
	if got != want {
		t.Errorf("%s %q:\n the module: %s\n the engine: %s", x.to, x.chunks, got, want)
	}
	if len(x.chunks) < 2 {
		return
	}
	_, verdict, _ := strings.Cut(want, "\n")
	all := natively(p.engine, &exchange{x.to, [][]byte{bytes.Join(x.chunks, nil)}})
	if _, whole, _ := strings.Cut(all, "\n"); verdict != whole {
		t.Errorf("%s %q:\n in chunks: %s\n in one: %s", x.to, x.chunks, verdict, whole)
	}
}

// agreementBundle is the policy of testdata/agreement.yaml.
func agreementBundle(t testing.TB) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/agreement.yaml")
	if err != nil {
		t.Fatal(err)
	}
	diags := &diag.List{}
	api, _ := openapi.LoadBytes(data, "agreement.yaml", diags)
	if api == nil {
		t.Fatal(diags.Err())
	}
	graph := model.Bare(api)
	graph.Services[0].Upstream = "127.0.0.1:1"
	set := policy.Derive(graph, threat.LoadCatalogue(policies.FS, diags), nil, policy.Modes{}, diags)
	for _, o := range set.Services[0].Operations {
		o.Mode = violation.Enforce
		if strings.Contains(o.Label, "shadow") {
			o.Mode = violation.Shadow
		}
	}
	releases := compile.Releases(set, diags)
	if diags.HasErrors() {
		t.Fatal(diags.Err())
	}
	return releases[0].Bundle
}

// to are the requests, to which the fuzzer adds a query or a body.
var to = []string{
	"GET /enforce?", "GET /shadow?",
	"POST /enforce application/json", "POST /shadow application/json",
	"POST /enforce application/x-www-form-urlencoded", "POST /shadow application/x-www-form-urlencoded",
	"POST /enforce multipart/form-data;boundary=b", "POST /shadow multipart/form-data;boundary=b",
	"POST /enforce application/x-ndjson", "POST /shadow application/x-ndjson",
	"POST /enforce application/json-seq", "POST /shadow application/json-seq",
	"POST /enforce text/plain", "POST /shadow text/plain",
	"POST /enforce text/html", "PUT /shadow", "GET /nowhere?",
}

// newExchange makes an exchange of what the fuzzer has: text is a query or a
// body, which is cut where seed says.
func newExchange(i uint8, text []byte, seed uint64) *exchange {
	x := &exchange{to: to[int(i)%len(to)]}
	if strings.HasSuffix(x.to, "?") {
		x.to += url.QueryEscape(string(text))
		for escaped, b := range map[string]string{"%3D": "=", "%26": "&", "%25": "%", "%5B": "[", "%5D": "]"} {
			x.to = strings.ReplaceAll(x.to, escaped, b)
		}
		return x
	}
	random := rand.New(rand.NewPCG(seed, 0))
	for len(text) > 0 {
		n := 1 + random.IntN(len(text))
		x.chunks = append(x.chunks, text[:n])
		text = text[n:]
	}
	return x
}

// texts are queries and bodies of which some are valid somewhere.
var texts = []string{
	``, `state=open`, `state=open&ids=1&ids=2`, `state=open&ids=1&ids=2&ids=3`, `state=lost`, `state=open&state=open`, `state=op%65n`, `state=%zz`,
	`state=open&filter[color]=red`, `state=open&filter[color]=yellow`, `state=open&filter[size]=1`, `state=open&q={"a":"b"}`, `state=open&q=[1`, `state=open&other=1`,
	`{"a":{"a":"b","when":"2020-01-01T00:00:00Z"},"kind":"b","b":"x"}`, `{"a":["é",1,{"a":null}],"x":1,"kind":"a","q":true}`,
	`["\u0061bc",1.5,2e0,[1],{"a":[1,null]}]`, `{"a":[1,null]}`, `{"no":1,"a":1,"toolong":1,"a":2}`, `"\ud83d"`, "\"\xff\"", `1e400`, `{"a":1}{`, `[[[[[[[[`,
	`item=pen&count=2&tags=a&tags=b`, `item=pen&count=0`, `item=%C3%A9`, `item=pen;count=1`, `item=PEN&role=1`, `item=pen&about={"by":"me"}`,
	"--b\r\nContent-Disposition: form-data; name=item\r\n\r\npen\r\n--b--\r\n",
	"--b\r\nContent-Disposition: form-data; name=item\r\n\r\npencil\r\n--b\r\nContent-Disposition: form-data; name=\"photo\"; filename=a\r\nContent-Type: image/png\r\n\r\n\x89PNG\r\n\x1a\n\x00\xff\r\n--b--\r\n",
	"--b\r\nContent-Disposition: form-data; name=role\r\n\r\nadmin\r\n--b\r\n",
	"{\"a\":1}\n{\"a\":2}\n", "{\"a\":1}\n{\"b\":2}\n{\"a\":", "\x1e{\"a\":1}\n\x1e{\"a\":true}\n",
	`a text`, `a text that is too long`, `no!`, "\u00e9\x80",
}

// TestNativeAndShippedAgree: the module says what the engine says, wherever
// the chunks end.
func TestNativeAndShippedAgree(t *testing.T) {
	p := newPair(t)
	for i := range to {
		for _, text := range texts {
			for seed := range uint64(4) {
				p.agree(t, newExchange(uint8(i), []byte(text), seed))
			}
			if len(text) > 64 {
				continue
			}
			for cut := 1; cut < len(text) && strings.HasPrefix(to[i], "POST"); cut++ {
				p.agree(t, &exchange{to[i], [][]byte{[]byte(text[:cut]), []byte(text[cut:])}})
			}
		}
	}
	t.Logf("%d exchanges", p.judged)
	if p.judged < 10_000 {
		t.Error("that is not many")
	}
}

// FuzzAgreement does the same for what the fuzzer makes.
func FuzzAgreement(f *testing.F) {
	for i, text := range texts {
		f.Add(uint8(i), []byte(text), uint64(i))
	}
	p := newPair(f)
	f.Fuzz(func(t *testing.T, i uint8, text []byte, seed uint64) {
		p.agree(t, newExchange(i, text, seed))
	})
}
