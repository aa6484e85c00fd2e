package e2e_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/threatgate/threatgate/e2e/envoytest"
	"github.com/threatgate/threatgate/e2e/gateway"
)

const liveSpec = `
openapi: 3.1.0
info: {title: Live, version: "1"}
paths:
  /live:
    get:
      operationId: live
      parameters: [{name: room, in: query, schema: {type: integer}}]
      responses: {"101": {description: switched}}
  /feed: {get: {operationId: feed, responses: {"200": {description: ok}}}}
  /events: {get: {operationId: events, responses: {"200": {description: ok}}}}
  /status/{code}:
    get:
      operationId: status
      parameters: [{name: code, in: path, required: true, schema: {type: integer}}]
      responses: {default: {description: any}}
`

const liveModel = `
apiVersion: threatgate.dev/v1alpha1
kind: ThreatModel
metadata: {name: live}
spec:
  services:
    - id: live
      specs: [{file: SPEC}]
      operations: [{match: live, upgrade: true}]
`

// liveUpstream switches protocols and then sends back what it gets, streams
// events one at a time as the test asks, and answers without a body.
type liveUpstream struct{ next chan string }

func (u *liveUpstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	code, isStatus := strings.CutPrefix(r.URL.Path, "/status/")
	switch {
	case strings.EqualFold(r.Header.Get("Upgrade"), "websocket"):
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		io.Copy(conn, buffered)
	case r.URL.Path == "/events":
		w.Header().Set("Content-Type", "text/event-stream")
		for event := range u.next {
			fmt.Fprintf(w, "data: %s\n\n", event)
			http.NewResponseController(w).Flush()
		}
	case isStatus:
		var status int
		fmt.Sscan(code, &status)
		w.WriteHeader(status)
	default:
		io.WriteString(w, "plain")
	}
}

// TestUpgrades: what follows an upgrade can't be judged, so that it takes the
// model's word to let one pass. What can't be held passes unheld.
func TestUpgrades(t *testing.T) {
	model := saved(t, "model.yaml", strings.Replace(liveModel, "SPEC", saved(t, "live.yaml", liveSpec), 1))
	for _, mode := range []string{"enforce", "shadow"} {
		t.Run(mode, func(t *testing.T) {
			live := &liveUpstream{next: make(chan string)}
			up := gateway.NewUpstream(t)
			up.Handler = live.ServeHTTP
			g := gateway.RunBefore(t, up, "--model", model, "--mode", mode)
			t.Run("WebSocket", func(t *testing.T) { testWebSocket(t, mode, g) })
			t.Run("WebSocket over HTTP/2", func(t *testing.T) { testExtendedConnect(t, mode, g) })
			t.Run("not an upgrade", func(t *testing.T) {
				// Some clients offer TLS with every request, and mean nothing by it.
				w := dial(t, g)
				w.write(head("GET /feed", "Connection: Upgrade", "Upgrade: TLS/1.2"))
				if a := w.answer("GET"); a.Status != http.StatusOK || string(a.Body) != "plain" {
					t.Errorf("answer %d %s", a.Status, a.Body)
				}
			})
			t.Run("CONNECT", func(t *testing.T) {
				w := dial(t, g)
				w.write("CONNECT upstream.test:443 HTTP/1.1\r\nHost: upstream.test:443\r\n\r\n")
				if a := w.answer("CONNECT"); a.Status < 400 || a.Status > 499 || a.Problem.Status != a.Status {
					t.Errorf("answer %d %s", a.Status, a.Body)
				}
			})
			t.Run("event stream", func(t *testing.T) { live.testEvents(t, g) })
			t.Run("no body", func(t *testing.T) {
				for _, p := range protocols {
					for _, status := range []int{http.StatusNoContent, http.StatusNotModified} {
						a := gateway.Do(t, p.client, gateway.Request(t, "GET", g.URL(fmt.Sprint("/status/", status)), ""))
						if a.Status != status || len(a.Body) > 0 {
							t.Errorf("answer %d %s, want %d", a.Status, a.Body, status)
						}
					}
				}
			})
		})
	}
}

// webSocketKey is the example of RFC 6455, section 1.3.
const webSocketKey = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="

func testWebSocket(t *testing.T, mode string, g *gateway.Gateway) {
	for _, c := range []struct{ line, upgrade, want string }{
		{"GET /live", "websocket", ""},
		{"GET /live?room=12", "WebSocket", ""},
		{"GET /live?room=twelve", "websocket", "400 validation:type query:room contract"},
		{"GET /feed", "websocket", "400 validation:upgrade contract"},
		{"GET /nowhere", "websocket", "404 inventory:unknown-operation API9-01"},
	} {
		t.Run(c.line, func(t *testing.T) {
			rejected := func() float64 {
				return g.Metric("threatgate_requests_total", `decision="rejected"`) + g.Metric("threatgate_requests_total", `decision="would_reject"`)
			}
			before := rejected()
			w := dial(t, g)
			w.write(head(c.line, "Connection: Upgrade", "Upgrade: "+c.upgrade, "Sec-WebSocket-Version: 13", webSocketKey))
			if c.want != "" && mode == "enforce" {
				expectProblem(t, w.answer("GET"), c.want)
			} else {
				expectEcho(t, w)
			}
			w.conn.Close()
			want := before
			if c.want != "" {
				want++
			}
			envoytest.Eventually(t, "the rejection is counted", func() bool { return rejected() == want })
		})
	}
}

// expectEcho checks that the protocol is switched and bytes flow both ways.
func expectEcho(t *testing.T, w *wire) {
	t.Helper()
	response, err := http.ReadResponse(w.reader, nil)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("answer %+v, %v", response, err)
	}
	for _, text := range []string{"\x81\x05hello", strings.Repeat("\x00\xff", 100<<10), "\x88\x00"} {
		go w.write(text)
		got := make([]byte, len(text))
		if _, err := io.ReadFull(w.reader, got); err != nil || string(got) != text {
			t.Fatalf("sent %d bytes, others come back: %v", len(text), err)
		}
	}
}

// testExtendedConnect opens WebSockets in the manner of RFC 8441.
func testExtendedConnect(t *testing.T, mode string, g *gateway.Gateway) {
	for _, c := range []struct {
		path     string
		rejected string // status in enforce
	}{{"/live", ""}, {"/feed", "400"}, {"/nowhere", "404"}} {
		w := dial(t, g)
		io.WriteString(w.conn, http2.ClientPreface)
		framer := http2.NewFramer(w.conn, w.reader)
		framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
		framer.WriteSettings()
		var block bytes.Buffer
		encoder := hpack.NewEncoder(&block)
		for _, f := range [][2]string{
			{":method", "CONNECT"}, {":protocol", "websocket"}, {":scheme", "http"}, {":path", c.path}, {":authority", "gateway.test"},
			{"sec-websocket-version", "13"},
		} {
			encoder.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]})
		}
		framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndHeaders: true})
		framer.WriteData(1, false, []byte("hello"))

		want, status, echo := "200 hello", "", ""
		if c.rejected != "" && mode == "enforce" {
			want = c.rejected + " "
		}
		for status+" "+echo != want {
			frame, err := framer.ReadFrame()
			if err != nil {
				t.Fatalf("%s: %v after %q, want %q", c.path, err, status+" "+echo, want)
			}
			switch frame := frame.(type) {
			case *http2.MetaHeadersFrame:
				status = frame.PseudoValue("status")
			case *http2.DataFrame:
				if status == "200" {
					echo += string(frame.Data())
				}
			}
		}
		w.conn.Close()
	}
}

// testEvents reads each event before the upstream has the next.
func (u *liveUpstream) testEvents(t *testing.T, g *gateway.Gateway) {
	for _, p := range protocols {
		u.next = make(chan string)
		request := gateway.Request(t, "GET", g.URL("/events"), "", "Accept: text/event-stream")
		type opened struct {
			response *http.Response
			err      error
		}
		answer := make(chan opened, 1)
		go func() {
			response, err := p.client.Do(request)
			answer <- opened{response, err}
		}()
		u.next <- "first"
		o := <-answer
		if o.err != nil {
			t.Fatal(o.err)
		}
		lines := bufio.NewScanner(o.response.Body)
		expect := func(event string) {
			if !lines.Scan() || lines.Text() != "data: "+event || !lines.Scan() {
				t.Errorf("%s: %q, want event %s", p.name, lines.Text(), event)
			}
		}
		expect("first")
		u.next <- "second"
		expect("second")
		close(u.next)
		if lines.Scan() {
			t.Errorf("%s: more events: %q", p.name, lines.Text())
		}
		o.response.Body.Close()
	}
}
