//go:build !wasip1

package main_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
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

// A message is a request or a response, and how its body arrives.
type message struct {
	head     [][2]string
	chunks   [][]byte
	trailers bool
}

// ends reports whether the message ends with its i-th chunk, of which -1 is
// the headers.
func (m *message) ends(i int) bool { return i == len(m.chunks)-1 && !m.trailers }

// An exchange is a request and, where its response is judged, that.
type exchange struct {
	name              string
	request, response message
}

// natively judges an exchange with the engine as it is. It writes down what
// the filter is to do: hold or pass on what it has after each part, what it
// answers, and the records.
func natively(e *enforce.Engine, x *exchange) string {
	var out strings.Builder
	r := e.Begin()
	defer r.End()
	action := enforce.Pass
	drive := func(m *message, headers func([]enforce.Header, bool) enforce.Action, body func([]byte, bool) enforce.Action, trailers func() enforce.Action) {
		then := func(a enforce.Action) {
			action = a
			out.WriteString(held[a != enforce.Pass])
		}
		then(headers(fields(m.head), m.ends(-1)))
		for i, chunk := range m.chunks {
			if action != enforce.Reject {
				then(body(chunk, m.ends(i)))
			}
		}
		if m.trailers && action != enforce.Reject {
			then(trailers())
		}
	}
	drive(&x.request,
		func(h []enforce.Header, end bool) enforce.Action { return r.Headers(h, end, noon{}) },
		r.Body,
		func() enforce.Action { return r.Trailers(fields(trailers)) })
	if x.response.head != nil && action != enforce.Reject {
		out.WriteString("<- ")
		drive(&x.response,
			func(h []enforce.Header, end bool) enforce.Action {
				return awaited(r, func() enforce.Action { return r.ResponseHeaders(h, end) })
			},
			func(chunk []byte, end bool) enforce.Action {
				return awaited(r, func() enforce.Action { return r.ResponseBody(chunk, end) })
			},
			func() enforce.Action { return awaited(r, r.ResponseTrailers) })
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

// awaited judges a part of a response where there is something to judge.
func awaited(r *enforce.Request, judge func() enforce.Action) enforce.Action {
	if !r.AwaitsResponse() {
		return enforce.Pass
	}
	return judge()
}

func fields(head [][2]string) (f []enforce.Header) {
	for _, h := range head {
		f = append(f, enforce.Header{Name: []byte(h[0]), Value: []byte(h[1])})
	}
	return f
}

var (
	held     = map[bool]string{true: "held ", false: "on "}
	trailers = [][2]string{{"x-last", "1"}}
)

// asShipped judges an exchange with the module.
func (p *pair) asShipped(t testing.TB, x *exchange) string {
	var out strings.Builder
	id := p.host.InitializeHttpContext()
	drive := func(m *message, headers func(uint32, [][2]string, bool) types.Action, body func(uint32, []byte, bool) types.Action, last func(uint32, [][2]string) types.Action) {
		then := func(a types.Action) { out.WriteString(held[a == types.ActionPause]) }
		then(headers(id, m.head, m.ends(-1)))
		for i, chunk := range m.chunks {
			if p.host.GetSentLocalResponse(id) == nil {
				then(body(id, chunk, m.ends(i)))
			}
		}
		if m.trailers && p.host.GetSentLocalResponse(id) == nil {
			then(last(id, trailers))
		}
	}
	drive(&x.request, p.host.CallOnRequestHeaders, p.host.CallOnRequestBody, p.host.CallOnRequestTrailers)
	if x.response.head != nil && p.host.GetSentLocalResponse(id) == nil {
		out.WriteString("<- ")
		drive(&x.response, p.host.CallOnResponseHeaders, p.host.CallOnResponseBody, p.host.CallOnResponseTrailers)
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
	host, reset := proxytest.NewHostEmulator(proxytest.NewEmulatorOption().WithVMContext(vm).WithPluginConfiguration(p.config).
		WithProperty([]string{"response", "code_details"}, []byte("via_upstream")))
	p.host, p.calls = host, 0
	p.stop = func() {
		reset()
		vm.Close()
	}
	if host.StartVM() != types.OnVMStartStatusOK || host.StartPlugin() != types.OnPluginStartStatusOK {
		t.Fatal("the module does not start")
	}
}

// lifetime is how many exchanges one emulator judges: it forgets none, and
// keeps 1 KB of each. A new one takes seconds, of which Go's fuzzer forgives
// few.
const lifetime = 250_000

// agree reports an exchange that the two judge differently, or the engine
// otherwise than if the bodies came in one piece.
func (p *pair) agree(t testing.TB, x *exchange) {
	t.Helper()
	if p.judged++; p.judged%lifetime == 0 {
		p.stop()
		p.start(t)
	}
	want, got := natively(p.engine, x), p.asShipped(t, x)
	if got != want {
		t.Errorf("%s: %q, %q:\n the module: %s\n the engine: %s", x.name, x.request.chunks, x.response.chunks, got, want)
	}
	if len(x.request.chunks) < 2 && len(x.response.chunks) < 2 {
		return
	}
	_, verdict, _ := strings.Cut(want, "\n")
	all := natively(p.engine, &exchange{x.name, x.request.whole(), x.response.whole()})
	if _, whole, _ := strings.Cut(all, "\n"); verdict != whole {
		t.Errorf("%s: %q, %q:\n in chunks: %s\n in one: %s", x.name, x.request.chunks, x.response.chunks, verdict, whole)
	}
}

// whole is the message with its body in one piece.
func (m message) whole() message {
	if len(m.chunks) > 1 {
		m.chunks = [][]byte{bytes.Join(m.chunks, nil)}
	}
	return m
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

// exchanges are those to which the fuzzer adds a query, a field or a body. An
// arrow stands before the response, where it is that to which it adds. A coding
// after the media type is what the seed says: what there is, or what to do.
var exchanges = []string{
	"GET /enforce?", "GET /shadow?",
	"POST /enforce application/json", "POST /shadow application/json",
	"POST /enforce application/x-www-form-urlencoded", "POST /shadow application/x-www-form-urlencoded",
	"POST /enforce multipart/form-data;boundary=b", "POST /shadow multipart/form-data;boundary=b",
	"POST /enforce application/x-ndjson", "POST /shadow application/x-ndjson",
	"POST /enforce application/json-seq", "POST /shadow application/json-seq",
	"POST /enforce text/plain", "POST /shadow text/plain",
	"POST /enforce text/html", "DELETE /shadow", "GET /nowhere?",
	"PUT /enforce -> 200 application/json", "PUT /shadow -> 200 application/json",
	"PUT /enforce -> 200 application/x-www-form-urlencoded", "PUT /shadow -> 200 application/x-www-form-urlencoded",
	"PUT /enforce -> 200 application/x-ndjson", "PUT /shadow -> 200 application/x-ndjson",
	"PUT /enforce -> 200 text/plain", "PUT /shadow -> 200 text/plain",
	"PUT /enforce -> 200 text/html", "PUT /shadow -> 200 text/event-stream",
	"PUT /enforce -> 201 x-state:", "PUT /shadow -> 201 x-state:",
	"PUT /enforce -> 201 x-ids:", "PUT /shadow -> 201 x-ids:",
	"PUT /enforce -> 201 x-any:", "PUT /shadow -> 201 x-any:",
	"PUT /enforce -> 404 application/problem+json", "PUT /shadow -> 404 application/problem+json",
	"PUT /enforce -> 302 text/plain", "PUT /shadow -> 500 text/plain", "HEAD /enforce -> 200 application/json",
	"POST /enforce application/merge-patch+json", "POST /shadow application/merge-patch+json",
	"POST /enforce text/xml", "POST /shadow text/xml", "PUT /enforce -> 200 text/xml",
	"POST /enforce application/json gzip", "POST /shadow application/json deflate", "PUT /enforce -> 200 application/json gzip",
	"GET /enforce/", "GET /shadow/;ids=1?", "GET /enforce/;ids=1 x-state:", "GET /shadow/;ids=1 x-point:", "GET /enforce/;ids=1 x-any:", "GET /shadow/;ids=1 cookie:",
	"DELETE /enforce/;ids=1 authorization:", "DELETE /shadow/;ids=1 authorization:", "DELETE /shadow/;ids=1 x-key:", "DELETE /enforce/;ids=1 cookie:", "DELETE /enforce/;ids=1?",
}

// newExchange makes an exchange of what the fuzzer has: text is what is to be
// added, and a body is cut where seed says.
func newExchange(i uint8, text []byte, seed uint64) *exchange {
	x := &exchange{name: exchanges[int(i)%len(exchanges)]}
	to, from, answered := strings.Cut(x.name, " -> ")
	method, rest, _ := strings.Cut(to, " ")
	target, mediaType, _ := strings.Cut(rest, " ")
	if strings.HasSuffix(target, "?") || strings.HasSuffix(target, "/") {
		x.request.head = headers(method, target+escape(text))
		return x
	}
	m := &x.request
	if m.head = headers(method, target); answered {
		m = &x.response
		m.head = [][2]string{{":status", from[:3]}}
		mediaType = from[4:]
	}
	if name, ok := strings.CutSuffix(mediaType, ":"); ok {
		m.head = append(m.head, [2]string{name, string(text)})
		return x
	}
	mediaType, coding, coded := strings.Cut(mediaType, " ")
	if mediaType != "" {
		m.head = append(m.head, [2]string{"content-type", mediaType})
	}
	if coded {
		m.head = append(m.head, [2]string{"content-encoding", coding})
		if seed%2 == 0 {
			text = encode(coding, text)
		}
	}
	random := rand.New(rand.NewPCG(seed, 0))
	for len(text) > 0 {
		n := 1 + random.IntN(len(text))
		m.chunks = append(m.chunks, text[:n])
		text = text[n:]
	}
	m.trailers = len(m.chunks) > 0 && random.IntN(4) == 0
	return x
}

// encode is a text in a coding.
func encode(coding string, text []byte) []byte {
	var b bytes.Buffer
	var w io.WriteCloser = gzip.NewWriter(&b)
	if coding == "deflate" {
		w = zlib.NewWriter(&b)
	}
	w.Write(text)
	w.Close()
	return b.Bytes()
}

// escape escapes a text, but for what separates the parts of a URL.
func escape(text []byte) string {
	escaped := url.QueryEscape(string(text))
	for e, b := range map[string]string{"%3D": "=", "%26": "&", "%25": "%", "%5B": "[", "%5D": "]", "%3B": ";", "%2C": ",", "%7C": "|", "%2F": "/"} {
		escaped = strings.ReplaceAll(escaped, e, b)
	}
	return escaped
}

// texts are queries, fields and bodies of which some are valid somewhere.
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
	`{"id":1,"name":"0e37df36-f698-11e6-8dd4-cb9ced3df976","size":2.25,"done":false,"tags":["a","bc"],"at":{"x":1.5,"y":-2e3},"of":[{"id":2,"kind":1}],"kind":"a"}`,
	` { "id" : 99999 , "tags" : [ "a" , "b" ] , "at" : null , "kind" : "2020-02-30" } `, `{"id":12345678,"size":20.5,"done":null,"tags":[],"of":[{}],"kind":{"b":1.0}}`,
	`{"done":true,"id":123456789.25,"at":{"a":1,"b":2,"c":3}}`, `{"id":1,"i\u0064":1}`, `{"id":1e0,"size":-0.75,"tags":["A"]}`, `{"id":1,"name":""}`, `{"id":1,"other":1}`, `{"id":1}`,
	`{"id": 1,"of": [{"id":-1,"at":{}}, {"id":12345678,"size":1.25,"done":true}],"at":{"x":-1.5},"name":"é","tags":["a","b","c","d"]}` + strings.Repeat(" ", 64),
	`[false,true,false]`, `["a",1,2,3,4]`, `["a"]`, `["a",1,1.0]`, `{"a":1,"a/b":1,"~":1,"xy":"1"}`, `{"kind":"a"}`, `{"a":fals}`,
	"\"\u0800\ufffd\U00010000\U000fffff\U0010ffff\"", `"\ud83d\ude00"`, `"\ude00"`, `"\u12g4"`, `"a somewhat longer text"`, strings.Repeat(`[`, 100), strings.Repeat(`9`, 300),
	`=a`, `item=%`, `item=a%4x`, `item=%ff`, `item=pen&&count=1e1`, `item=pen&count=1.`, `item=pen&count=1e`, `item=pen&photo=a`, `ITEM=pen`,
	"--b\r\nContent-Disposition: form-data; name=item; filename=\"a/b\"\r\n\r\n--b--", "--b \r\nContent-Disposition: attachment; name=item\r\n\r\n", "--b\nContent-Type: a\n\n",
	"preamble\r\n--b\r\ncontent-disposition: form-data; name=\"about\"; filename=\"\"\r\nContent-Transfer-Encoding: binary\r\nContent-Type: application/json; charset=utf-8\r\nX-A: 1\r\n\r\n{\"by\":\"me\"}\r\n-\r\n--\r\n--b--\r\nafter",
	`;ids=1`, `;ids=1,2`, `;ids=1,x`, `;ids=1,2,3`, `ids=1`, `x=1`, `x=1&y=abc`, `y=a&lines=a|b`, `x=1&lines=a|b`, `x=1&lines=a%7Ca`, `x=1.5&flag`, `x=1&flag=yes`, `x=1&flag=&key=a`, `key=a`, `key=`, `key=a&key=b`, `x=1&x=2`, `point=1`, `x=1&y=abcd`,
	`open`, `shut, open`, `state=open; a=b`, `state=lost`, `a="b"; state="open"`, `state=open; state=open`, `crumb=a`, `crumb=`, `crumb=a; crumb=a`, `a,1,b,2`, `a,1,b`, `a,x`, `[1]`,
	`Bearer a.b.c`, `bearer eyJhbGciOiJub25lIn0.eyJpc3MiOiJhIn0.`, `Bearer`, `Bearer a b`, `Bearer \u00e9`, `Basic YTpi`, `Basic YTpi=`, `Basic !`, `Digest a`, `a-key`,
	`<Open/>`, `<Open at='1'><role>user</role><token>a&amp;b</token><any><a b="c">d</a></any></Open>`, "<?xml version=\"1.0\" encoding='utf-8' standalone='yes'?>\n<Open>\r\n<sizes><size>1</size><size>2</size></sizes></Open>\n",
	`<Open at='x'><sizes><size>1</size><size>2</size><size>3</size></sizes></Open>`, `<Open><list><a/></list><list><a/></list></Open>`, `<Open><of at="1"/><of><token>long token</token></of><!-- a - b --></Open>`, `<Open><o:keeper xmlns:o="urn:o"><name>a</name></o:keeper></Open>`,
	`<o:Open xmlns:o='urn:x'/>`, `<Open><keeper xmlns='urn:o'><name/></keeper></Open>`, `<Open><keeper xmlns='urn:o'><name xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil='true'/></keeper></Open>`, `<Open><any><![CDATA[<]]]]></any></Open>`, `<Open><token>&#x41;&#66;&gt;</token></Open>`,
	`<Open><token>&no;</token></Open>`, `<Open a='1' a='2'/>`, `<Open><role>admin</role></Open>`, `<Open><any>]]></any></Open>`, `<!DOCTYPE a><Open/>`, `<Open><a></b></Open>`, `<Open at="1"/><Open/>`, `<Open><list>a</list></Open>`, "<Open><any>\u0800\U00010000\r</any></Open>", "<Open><any>\uffff</any></Open>", "\ufeff<Open at=\"&#49;\"/>",
	"--b\r\nContent-Disposition: form-data; name=item; size=1\r\n\r\npen\r\n--b--\r\n", "--b\r\nContent-Disposition: form-data; name=\"item\r\n\r\n", "--b\r\n folded: 1\r\n\r\n", "--b\r\nX-A: 1\r\n\r\n",
}

// TestNativeAndShippedAgree: the module says what the engine says of requests
// and responses, wherever the chunks end.
func TestNativeAndShippedAgree(t *testing.T) {
	p := newPair(t)
	ran := map[bool]int{}
	for i, name := range exchanges {
		of := strings.Contains(name, " -> ")
		before := p.judged
		for _, text := range texts {
			for seed := range uint64(4) {
				p.agree(t, newExchange(uint8(i), []byte(text), seed))
			}
			whole := newExchange(uint8(i), []byte(text), 0)
			m := &whole.request
			if of {
				m = &whole.response
			}
			body := bytes.Join(m.chunks, nil)
			if len(body) > 64 {
				continue
			}
			for cut := 1; cut < len(body); cut++ {
				m.chunks = [][]byte{body[:cut], body[cut:]}
				p.agree(t, whole)
			}
		}
		ran[of] += p.judged - before
	}
	t.Logf("%d requests and %d responses", ran[false], ran[true])
	if ran[false] < 20_000 || ran[true] < 20_000 {
		t.Error("that is not many")
	}
}

// FuzzAgreement does the same for what the fuzzer makes.
func FuzzAgreement(f *testing.F) {
	for i, text := range texts {
		f.Add(uint8(i%len(exchanges)), []byte(text), uint64(i))
	}
	p := newPair(f)
	f.Fuzz(func(t *testing.T, i uint8, text []byte, seed uint64) {
		p.agree(t, newExchange(i, text, seed))
	})
}
