package e2e_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/threatgate/threatgate/e2e/envoytest"
	"github.com/threatgate/threatgate/e2e/gateway"
)

const notesSpec = `
openapi: 3.1.0
info: {title: Notes, version: "1"}
paths:
  /notes:
    get: {operationId: listNotes, responses: {"200": {description: ok}}}
    post:
      operationId: addNote
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [text]
              additionalProperties: false
              properties: {text: {type: string}, n: {type: integer}}
      responses: {"200": {description: made}}
    put:
      operationId: maybeNote
      requestBody: {content: {application/json: {schema: {type: object}}}}
      responses: {"200": {description: ok}}
`

// notesModel lets one operation take more than all the others.
const notesModel = `
apiVersion: threatgate.dev/v1alpha1
kind: ThreatModel
metadata: {name: notes}
spec:
  services:
    - id: notes
      specs: [{file: SPEC}]
      operations: [{match: PUT /notes, bounds: {maxBody: 4MiB}}]
`

// TestBodies sends bodies in every way in which they can come.
func TestBodies(t *testing.T) {
	model := saved(t, "model.yaml", strings.Replace(notesModel, "SPEC", saved(t, "notes.yaml", notesSpec), 1))
	for _, mode := range []string{"enforce", "shadow"} {
		t.Run(mode, func(t *testing.T) {
			b := &bodies{enforce: mode == "enforce", gateway: gateway.Run(t, "--model", model, "--mode", mode)}
			for _, test := range []struct {
				name string
				run  func(*bodies, *testing.T)
			}{
				{"cut at every byte", (*bodies).cuts},
				{"trailers", (*bodies).trailers},
				{"empty", (*bodies).empty},
				{"expect", (*bodies).expect},
				{"methods", (*bodies).methods},
				{"size", (*bodies).size},
				{"slow", (*bodies).slow},
				{"pipelined", (*bodies).pipelined},
				{"rejected half-way", (*bodies).halfway},
				{"many at once", (*bodies).concurrent},
				{"refused by Envoy", (*bodies).refusedByEnvoy},
				{"aborted", (*bodies).aborted}, // last: in shadow its remains reach the upstream late
			} {
				t.Run(test.name, func(t *testing.T) {
					b.gateway.Upstream.Take()
					test.run(b, t)
				})
			}
			t.Logf("%d requests", b.requests)
			if b.requests < 400 {
				t.Error("fewer than 400 requests")
			}
		})
	}
}

// bodies are the tests of TestBodies in one mode.
type bodies struct {
	enforce  bool
	gateway  *gateway.Gateway
	requests int
}

// expectVerdict checks an answer, and that the body has reached the upstream if it
// should have: if it is good, or in shadow.
func (b *bodies) expectVerdict(t *testing.T, a gateway.Answer, want, body string) (arrived []gateway.Received) {
	t.Helper()
	b.requests++
	arrived = b.gateway.Upstream.Take()
	if want != "" && b.enforce {
		expectProblem(t, a, want)
		if len(arrived) > 0 {
			t.Errorf("%d requests have reached the upstream", len(arrived))
		}
		return arrived
	}
	if a.Status != http.StatusOK || len(arrived) != 1 || string(arrived[0].Body) != body {
		t.Errorf("answer %d, %d requests have reached the upstream\n%s", a.Status, len(arrived), a.Body)
	}
	return arrived
}

// noteBodies are a good body and bad ones whose fault is at the start, in the
// middle and at the very end.
var noteBodies = []struct{ body, want string }{
	{` {"n": -12e1, "text":"\u00e9é\ud83d\udc15\\"} `, ""},
	{`["text"]`, "400 validation:type body: contract"},
	{`{"n":"é","text":"x"}`, "400 validation:type body:/n contract"},
	{`{"text":"x"`, "400 validation:json body:/text contract"},
	{`{"n":1}`, "400 validation:required body:/text contract"},
	{`{"text":"x"}}`, "400 validation:json body: contract"},
}

func (b *bodies) cuts(t *testing.T) {
	for _, c := range noteBodies {
		for i := range len(c.body) {
			parts := []string{c.body[:i], c.body[i:]}
			if i == 0 {
				parts = splitBytes(c.body)
			}
			w := dial(t, b.gateway)
			w.write(head("POST /notes", "Content-Type: application/json", "Transfer-Encoding: chunked"))
			for _, p := range parts {
				w.write(chunk(p))
			}
			w.write(chunk(""))
			b.expectVerdict(t, w.answer("POST"), c.want, c.body)
			w.conn.Close()

			w = dial(t, b.gateway)
			w.write(append([]string{head("POST /notes", "Content-Type: application/json", fmt.Sprint("Content-Length: ", len(c.body)))}, parts...)...)
			b.expectVerdict(t, w.answer("POST"), c.want, c.body)
			w.conn.Close()

			b.expectVerdict(t, streamed(t, gateway.H2, b.gateway, "POST /notes", nil, parts...), c.want, c.body)
		}
		// The framing itself, a byte at a time.
		w := dial(t, b.gateway)
		w.write(splitBytes(head("POST /notes", "Content-Type: application/json", "Transfer-Encoding: chunked") + chunk(c.body[:3]) + chunk(c.body[3:]) + chunk(""))...)
		b.expectVerdict(t, w.answer("POST"), c.want, c.body)
	}
}

func splitBytes(s string) (parts []string) {
	for i := range len(s) {
		parts = append(parts, s[i:i+1])
	}
	return parts
}

func (b *bodies) trailers(t *testing.T) {
	trailer := http.Header{"X-Sum": {"17"}, "X-User-Id": {"root"}}
	identity := "root" // in shadow nothing is taken away
	if b.enforce {
		identity = ""
	}
	for _, p := range protocols {
		for _, c := range append(noteBodies, struct{ body, want string }{"", "400 validation:body-missing body: contract"}) {
			t.Run(p.name+"/"+c.body, func(t *testing.T) {
				answer := streamed(t, p.client, b.gateway, "POST /notes", trailer, splitBytes(c.body)...)
				for _, r := range b.expectVerdict(t, answer, c.want, c.body) {
					if r.Trailer.Get("X-Sum") != "17" || r.Trailer.Get("X-User-Id") != identity {
						t.Errorf("the upstream saw trailers %v", r.Trailer)
					}
				}
			})
		}
	}
}

func (b *bodies) empty(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"POST /notes", "400 validation:body-missing body: contract"},
		{"PUT /notes", ""},
		{"GET /notes", ""},
	} {
		t.Run(c.line, func(t *testing.T) {
			method, _, _ := strings.Cut(c.line, " ")
			for _, framing := range [][]string{{"Content-Length: 0"}, {"Transfer-Encoding: chunked"}, nil} {
				w := dial(t, b.gateway)
				w.write(head(c.line, append(framing, "Content-Type: application/json")...))
				if framing != nil && framing[0] == "Transfer-Encoding: chunked" {
					w.write(chunk(""))
				}
				b.expectVerdict(t, w.answer(method), c.want, "")
			}
			b.expectVerdict(t, streamed(t, gateway.H2, b.gateway, c.line, nil), c.want, "") // an empty DATA frame ends it
			b.expectVerdict(t, gateway.Do(t, gateway.H2, gateway.Request(t, method, b.gateway.URL("/notes"), "")), c.want, "")
		})
	}
}

func (b *bodies) expect(t *testing.T) {
	for _, c := range noteBodies {
		w := dial(t, b.gateway)
		w.write(head("POST /notes", "Content-Type: application/json", "Expect: 100-continue", fmt.Sprint("Content-Length: ", len(c.body))))
		if a := w.answer("POST"); a.Status != http.StatusContinue {
			t.Fatalf("answer %d, want 100", a.Status)
		}
		if b.enforce {
			expectNothingArrived(t, b.gateway.Upstream)
		}
		w.write(c.body)
		b.expectVerdict(t, w.answer("POST"), c.want, c.body)
	}
}

func (b *bodies) methods(t *testing.T) {
	const unexpected = "400 validation:body-unexpected body: contract"
	t.Run("HEAD", func(t *testing.T) {
		for _, p := range protocols {
			b.expectVerdict(t, gateway.Do(t, p.client, gateway.Request(t, "HEAD", b.gateway.URL("/notes"), "")), "", "")
			want := http.StatusOK
			if b.enforce {
				want = http.StatusNotFound
			}
			if a := gateway.Do(t, p.client, gateway.Request(t, "HEAD", b.gateway.URL("/nowhere"), "")); a.Status != want || len(a.Body) > 0 {
				t.Errorf("answer %d %s, want %d without a body", a.Status, a.Body, want)
			}
			b.gateway.Upstream.Take()
		}
	})
	t.Run("GET with a body", func(t *testing.T) {
		for _, p := range protocols {
			b.expectVerdict(t, gateway.Do(t, p.client, gateway.Request(t, "GET", b.gateway.URL("/notes"), "{}")), unexpected, "{}")
			b.expectVerdict(t, streamed(t, p.client, b.gateway, "GET /notes", nil, "{", "}"), unexpected, "{}")
		}
	})
}

func (b *bodies) size(t *testing.T) {
	for _, limit := range []struct {
		line   string
		bytes  int
		threat string
	}{{"POST /notes", 1 << 20, "API4-02"}, {"PUT /notes", 4 << 20, "contract"}} {
		for _, extra := range []int{-1, 0, 1} {
			t.Run(fmt.Sprintf("%s/limit%+d", limit.line, extra), func(t *testing.T) {
				body := `{"text":"` + strings.Repeat("x", limit.bytes+extra-len(`{"text":""}`)) + `"}`
				want := ""
				if extra > 0 {
					want = "413 validation:body-size body: " + limit.threat
				}
				method, target, _ := strings.Cut(limit.line, " ")
				for _, p := range protocols {
					b.expectVerdict(t, gateway.Do(t, p.client, gateway.Request(t, method, b.gateway.URL(target), body)), want, body)
					b.expectVerdict(t, streamed(t, p.client, b.gateway, limit.line, nil, body[:limit.bytes/2], body[limit.bytes/2:]), want, body)
				}
			})
		}
	}
}

// slow lets other requests go to their end while the first has sent half of
// its body.
func (b *bodies) slow(t *testing.T) {
	for _, p := range protocols {
		begun, resume := make(chan struct{}), make(chan struct{})
		answer := startStream(t, p.client, b.gateway, "POST /notes", nil, func(body io.Writer) {
			io.WriteString(body, `{"text":`)
			close(begun)
			<-resume
			io.WriteString(body, `"slow"}`)
		})
		<-begun
		for range 20 {
			b.expectVerdict(t, gateway.Do(t, gateway.Client, gateway.Request(t, "POST", b.gateway.URL("/notes"), `{"text":"fast"}`)), "", `{"text":"fast"}`)
		}
		close(resume)
		b.expectVerdict(t, <-answer, "", `{"text":"slow"}`)
	}
}

func (b *bodies) aborted(t *testing.T) {
	const n, part, next = 40, `{"text":"`, `{"text":"next"}`
	for i := range n {
		w := dial(t, b.gateway)
		w.write(head("POST /notes", "Content-Type: application/json", "Content-Length: 1000"), part)
		if i%2 == 0 {
			w.conn.(*net.TCPConn).SetLinger(0) // a reset
		}
		w.conn.Close()

		ctx, cancel := context.WithCancel(t.Context())
		reader, writer := io.Pipe()
		request := gateway.Request(t, "POST", b.gateway.URL("/notes"), "", "Content-Type: application/json").WithContext(ctx)
		request.Body, request.ContentLength = reader, -1
		done := make(chan error, 1)
		go func() {
			_, err := gateway.H2.Do(request)
			done <- err
		}()
		io.WriteString(writer, part)
		cancel()
		if <-done == nil {
			t.Error("an aborted request is answered")
		}
	}
	b.requests += 2 * n
	for _, p := range protocols {
		if a := gateway.Do(t, p.client, gateway.Request(t, "POST", b.gateway.URL("/notes"), next)); a.Status != http.StatusOK {
			t.Errorf("the next request: %d %s", a.Status, a.Body)
		}
	}
	whole := 0
	for _, r := range b.gateway.Upstream.Take() {
		if string(r.Body) == next {
			whole++
		} else if b.enforce {
			t.Errorf("an aborted request has reached the upstream: %q", r.Body)
		}
	}
	if whole != len(protocols) {
		t.Errorf("%d of %d next requests have reached the upstream", whole, len(protocols))
	}
}

// pipelined sends several requests at once. After a rejection Envoy either
// goes on or closes the connection.
func (b *bodies) pipelined(t *testing.T) {
	post := func(body string) string {
		return head("POST /notes", "Content-Type: application/json", fmt.Sprint("Content-Length: ", len(body))) + body
	}
	for _, bad := range []string{head("GET /nowhere"), post(`{"text":1}`), post(`{"text":"x"`), post("{}")} {
		w := dial(t, b.gateway)
		w.write(post(`{"text":"a"}`) + bad + post(`{"text":"b"}`))
		if a := w.answer("POST"); a.Status != http.StatusOK {
			t.Errorf("first answer %d", a.Status)
		}
		a := w.answer("POST")
		if rejected := a.Status != http.StatusOK; rejected != b.enforce {
			t.Errorf("second answer %d", a.Status)
		}
		arrived := 1
		if !b.enforce {
			arrived++
		}
		if _, err := w.reader.Peek(1); err != nil {
			w.expectEnd()
		} else if a := w.answer("POST"); a.Status != http.StatusOK {
			t.Errorf("third answer %d", a.Status)
		} else {
			arrived++
		}
		if got := b.gateway.Upstream.Take(); len(got) != arrived {
			t.Errorf("%d requests have reached the upstream, want %d", len(got), arrived)
		}
		b.requests += 3
	}
}

// halfway rejects a request while its body is still on its way. What is left
// of the body must not be taken for a request.
func (b *bodies) halfway(t *testing.T) {
	if !b.enforce {
		t.Skip("shadow rejects nothing")
	}
	smuggled := head("GET /notes?smuggled")
	for _, parts := range [][]string{
		{head("POST /notes", "Content-Type: application/json", fmt.Sprint("Content-Length: ", 3+len(smuggled))), "[1]", smuggled},
		{head("POST /notes", "Content-Type: application/json", "Transfer-Encoding: chunked"), chunk("[1]"), chunk(smuggled), chunk("")},
		{head("POST /nowhere", fmt.Sprint("Content-Length: ", len(smuggled))), smuggled},
		{head("POST /nowhere", "Content-Length: 5"), "12"},
	} {
		b.requests++
		w := dial(t, b.gateway)
		w.write(parts...)
		if a := w.answer("POST"); a.Status != http.StatusBadRequest && a.Status != http.StatusNotFound {
			t.Errorf("answer %d", a.Status)
		}
		w.conn.(*net.TCPConn).CloseWrite()
		w.expectEnd()
		expectNothingArrived(t, b.gateway.Upstream)
	}
}

// concurrent holds many requests at once and lets them go in another order.
func (b *bodies) concurrent(t *testing.T) {
	const n = 200
	var begun atomic.Int32
	resume := make([]chan struct{}, n)
	answers := make([]<-chan gateway.Answer, n)
	for i := range n {
		resume[i] = make(chan struct{})
		answers[i] = startStream(t, protocols[i%2].client, b.gateway, "POST /notes", nil, func(body io.Writer) {
			io.WriteString(body, `{"n":`)
			begun.Add(1)
			<-resume[i]
			if i%3 == 0 {
				io.WriteString(body, `"a`)
			}
			fmt.Fprintf(body, `%d,"text":"x"}`, i)
		})
	}
	envoytest.Eventually(t, "all requests have begun", func() bool { return begun.Load() == n })
	if b.enforce {
		expectNothingArrived(t, b.gateway.Upstream)
	}
	for i := range n {
		close(resume[i*7%n])
	}
	rejected := 0
	for i, answer := range answers {
		a := <-answer
		want := http.StatusOK
		if i%3 == 0 && b.enforce {
			want = http.StatusBadRequest
			rejected++
		}
		if a.Status != want {
			t.Errorf("request %d: answer %d, want %d", i, a.Status, want)
		}
	}
	b.requests += n
	seen := map[string]bool{}
	for _, r := range b.gateway.Upstream.Take() {
		seen[string(r.Body)] = true
	}
	if len(seen) != n-rejected {
		t.Errorf("%d different requests have reached the upstream, want %d", len(seen), n-rejected)
	}
}

// refusedByEnvoy: what is malformed Envoy refuses itself, in either mode, in
// the form of the filter's rejections, and it is counted apart.
func (b *bodies) refusedByEnvoy(t *testing.T) {
	g := b.gateway
	for _, c := range []struct {
		name, request string
		status        int
	}{
		{"both framings", head("POST /notes", "Content-Type: application/json", "Content-Length: 2", "Transfer-Encoding: chunked") + chunk("{}") + chunk(""), 400},
		{"two lengths", head("POST /notes", "Content-Type: application/json", "Content-Length: 2", "Content-Length: 3") + "{}", 400},
		{"unknown transfer coding", head("POST /notes", "Content-Type: application/json", "Transfer-Encoding: gzip, chunked") + chunk(""), 501},
		{"header too large", head("GET /notes", "X-Large: "+strings.Repeat("x", 70<<10)), 431},
		{"no host", "GET /notes HTTP/1.1\r\n\r\n", 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := g.Metric("threatgate_envoy_refusals_total")
			b.requests++
			w := dial(t, g)
			w.write(c.request)
			a := w.answer("GET")
			if a.Status != c.status || !strings.HasPrefix(a.Problem.Type, "urn:threatgate:envoy:") || a.Problem.Status != c.status {
				t.Errorf("answer %d %s", a.Status, a.Body)
			}
			if a.Header.Get("Connection") == "close" {
				w.expectEnd()
			}
			envoytest.Eventually(t, "the refusal is counted", func() bool { return g.Metric("threatgate_envoy_refusals_total") == before+1 })
		})
	}
	expectNothingArrived(t, g.Upstream)
}

// TestNotAByteGoesUpstream rejects requests in front of an upstream that
// counts connections.
func TestNotAByteGoesUpstream(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	var connections atomic.Int32
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			conn.Close()
		}
	}()
	g := gateway.RunBefore(t, &gateway.Upstream{URL: "http://" + listener.Addr().String()},
		"--spec", saved(t, "notes.yaml", notesSpec), "--mode", "enforce")
	for _, p := range protocols {
		for _, c := range noteBodies[1:] {
			for _, trailer := range []http.Header{nil, {"X-Sum": {"1"}}} {
				expectProblem(t, streamed(t, p.client, g, "POST /notes", trailer, splitBytes(c.body)...), c.want)
			}
		}
		expectProblem(t, gateway.Do(t, p.client, gateway.Request(t, "GET", g.URL("/nowhere"), "")), "404 inventory:unknown-operation API9-01")
	}
	if n := connections.Load(); n != 0 {
		t.Errorf("%d connections to the upstream", n)
	}
	// The counter works: a good request gets through to it.
	if a := gateway.Do(t, gateway.Client, gateway.Request(t, "GET", g.URL("/notes"), "")); a.Status != http.StatusServiceUnavailable || connections.Load() == 0 {
		t.Errorf("a good request: %d, %d connections", a.Status, connections.Load())
	}
}
