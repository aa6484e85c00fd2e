package server

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/threatgate/threatgate/e2e/envoytest"
	"github.com/threatgate/threatgate/internal/compile"
	"github.com/threatgate/threatgate/internal/violation"
)

// TestCountersAndRecords sends requests that are allowed, would be rejected,
// are rejected and are not judged, and asserts what Envoy counts and what
// arrives by OTLP.
func TestCountersAndRecords(t *testing.T) {
	r := release(t, "orders", "policy")
	g := newGateway(t, r)
	for do, times := range map[string]int{"": 4, "violate": 3, "reject": 2, "skip": 5, "odd": 1} {
		for range times {
			get(t, r, "/v2/orders/secret?key=secret", "x-probe", do)
		}
	}
	raw(t, r, "GET / HTTP/1.1\r\n\r\n")
	const label = `operation="GET /v2/orders/{orderId}"`
	wantStats := []string{
		`envoy_threatgate_envoy_refusals_total{api="orders",code="missing_host_header"} 1`,
		`envoy_threatgate_requests_total{api="orders",decision="allowed",` + label + `} 4`,
		`envoy_threatgate_requests_total{api="orders",decision="allowed",operation="a..b;code=\"c\"; =é:\\.http_rq_200"} 1`,
		`envoy_threatgate_requests_total{api="orders",decision="rejected",` + label + `} 2`,
		`envoy_threatgate_requests_total{api="orders",decision="would_reject",` + label + `} 3`,
		`envoy_threatgate_violations_total{api="orders",family="validation",code="pattern",threat="API3-01",mode="enforce",` + label + `} 2`,
		`envoy_threatgate_violations_total{api="orders",family="validation",code="pattern",threat="API3-01",mode="shadow",` + label + `} 3`,
	}
	var stats []string
	envoytest.Eventually(t, "all requests are counted", func() bool {
		stats = g.envoy.Stats("envoy_threatgate_")
		slices.Sort(stats)
		return slices.Equal(stats, wantStats)
	})

	violations := []violation.Violation{
		{Code: violation.Pattern, In: violation.InBody, Pointer: "/a~1b/0/*", Schema: "orders.yaml#/components/schemas/Order", Threat: "API3-01"},
		{Code: violation.Required, In: violation.InBody, Pointer: "/a~1b/0/*", Schema: "orders.yaml#/components/schemas/Order", Threat: violation.Contract},
	}
	count := map[string]int{}
	envoytest.Eventually(t, "5 records and 10 reports arrive", func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		return len(g.records) == 5 && len(g.reports) == 10
	})
	for _, got := range g.records {
		want := Record{
			Time: got.Time, Node: "node", API: "orders", Operation: "GET /v2/orders/{orderId}",
			Decision: "would_reject", Mode: "shadow", RequestID: got.RequestID, ResponseCode: 200, Violations: violations,
		}
		if got.Decision == "rejected" {
			want.Decision, want.Mode, want.ResponseCode = "rejected", "enforce", 400
		}
		if !reflect.DeepEqual(got, want) || len(got.RequestID) != 36 || time.Since(got.Time).Abs() > time.Minute {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
		count[got.Decision]++
	}
	if count["rejected"] != 2 || count["would_reject"] != 3 {
		t.Errorf("got records %v, want 2 rejected and 3 would_reject", count)
	}
	if want := "node orders " + r.Revision(); g.reports[0] != want {
		t.Errorf("got report %q, want %q", g.reports[0], want)
	}
	if report := g.server.Nodes()[0].Revisions["orders"]; report.Revision != r.Revision() || report.Judged != 12345 {
		t.Errorf("got report %+v", report)
	}
	if g.malformed != 0 {
		t.Errorf("%d malformed records", g.malformed)
	}
}

// TestFilterDown: once a VM is dead, requests are refused until another is
// up. Where all is shadow they pass, and Envoy makes no other VM until the
// next policy comes.
func TestFilterDown(t *testing.T) {
	const judged = `{"type":"urn:threatgate:validation:pattern"}`
	enforce, shadow := release(t, "enforce", "1"), release(t, "shadow", "1")
	shadow.Gateway.AllShadow = true
	g := newGateway(t, enforce, shadow)
	get(t, enforce, "/", "x-probe", "panic")
	if code, header, body := get(t, enforce, "/"); code != 503 || header.Get("Content-Type") != "application/problem+json" || !strings.Contains(body, `"urn:threatgate:envoy:wasm_fail_stream"`) {
		t.Errorf("enforce: got %d %v %s", code, header, body)
	}
	envoytest.Eventually(t, "enforce is judged again", func() bool {
		_, _, body := get(t, enforce, "/", "x-probe", "reject")
		return body == judged
	})
	if code, _, body := get(t, shadow, "/", "x-probe", "reject"); code != 200 {
		t.Errorf("shadow: got %d %s, want it to pass", code, body)
	}
	if err := g.push(enforce, revise(shadow, "2")); err != nil {
		t.Fatal(err)
	}
	if _, _, body := get(t, shadow, "/", "x-probe", "reject"); body != judged {
		t.Errorf("shadow: got %s, want it judged by the new policy", body)
	}
}

// TestRequests asserts what becomes of single requests.
func TestRequests(t *testing.T) {
	keys := newIssuer(t)
	r, tokens, down := release(t, "orders", "1"), release(t, "tokens", "1"), release(t, "down", "1")
	tokens.Gateway.Issuers = []compile.Issuer{keys.issuer("login"), newIssuer(t).issuer("other")}
	down.Gateway.Upstream = compile.Upstream{Host: "127.0.0.1", Port: 1}
	g := newGateway(t, r, tokens, down)
	t.Run("reserved headers", func(t *testing.T) { testReservedHeaders(t, r) })
	t.Run("HTTP/2", func(t *testing.T) { testHTTP2(t, r) })
	t.Run("restricted host call", func(t *testing.T) { testRestrictedHostCall(t, r) })
	t.Run("tokens", func(t *testing.T) { testTokens(t, tokens, keys) })
	t.Run("upgrade", func(t *testing.T) { testUpgrade(t, g, r) })
	t.Run("trailers", func(t *testing.T) { testTrailers(t, g, r) })
	if used := g.envoy.Stats("envoy_runtime_deprecated_feature_use"); !slices.Equal(used, []string{"envoy_runtime_deprecated_feature_use{} 0"}) {
		t.Errorf("Envoy warns of deprecated fields: %q", used)
	}
	t.Run("keep-alive", func(t *testing.T) { testKeepAlive(t, r) })
	t.Run("local replies", func(t *testing.T) { testLocalReplies(t, r, down) })
}

// testReservedHeaders: what a client sends under our prefix reaches neither
// the filter nor the upstream; nor does what speaks to Envoy's router, and
// the request id is Envoy's own.
func testReservedHeaders(t *testing.T, r *compile.Release) {
	const id = "11111111-1111-1111-1111-111111111111"
	forged := []string{
		"X-Threatgate-Jwt-Login", "forged", "x-threatgate-jwt-login", "twice", "x-threatgate-other", "forged",
		"x-envoy-upstream-rq-timeout-ms", "1", "x-envoy-retry-on", "5xx", "x-request-id", id,
	}
	for _, do := range []string{"reserved", ""} {
		code, _, body := get(t, r, "/", append(forged, "x-probe", do)...)
		if code != 200 || strings.Contains(strings.ToLower(body), "x-threatgate") || strings.Contains(body, "X-Envoy-Upstream") || strings.Contains(body, "X-Envoy-Retry") || strings.Contains(body, id) {
			t.Errorf("%q: got %d %s", do, code, body)
		}
	}
}

// testHTTP2: HTTP/2 without TLS is served as HTTP/1.1 is.
func testHTTP2(t *testing.T, r *compile.Release) {
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	defer transport.CloseIdleConnections()
	request, err := http.NewRequest(http.MethodPost, "http://"+r.Gateway.Listen+"/a", strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("x-threatgate-jwt-login", "forged")
	response, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != 200 || response.ProtoMajor != 2 || !strings.HasPrefix(string(body), "POST /a\r\n") || strings.Contains(string(body), "Threatgate") {
		t.Errorf("got %v %s %s", err, response.Status, body)
	}
}

// testRestrictedHostCall: a host call that is not listed fails, with the
// status InternalFailure of the ABI, and the module goes on.
func testRestrictedHostCall(t *testing.T, r *compile.Release) {
	if code, _, body := get(t, r, "/", "x-probe", "restricted"); code != 200 || body != "10" {
		t.Errorf("got %d %s", code, body)
	}
}

// testUpgrade: a WebSocket reaches the filter, and the upstream if the
// filter lets it.
func testUpgrade(t *testing.T, g *gateway, r *compile.Release) {
	const upgrade = "GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\nx-probe: %s\r\n\r\n"
	g.serve(t, func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: %s\r\n\r\nhello", r.Header.Get("Upgrade"))
	})
	conn, err := net.Dial("tcp", r.Gateway.Listen)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, upgrade, "")
	answer, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 101 ") || !strings.HasSuffix(string(answer), "hello") {
		t.Errorf("got %v %s", err, answer)
	}
	if code, _, body := raw(t, r, fmt.Sprintf(upgrade, "reject")); code != 400 || body != `{"type":"urn:threatgate:validation:pattern"}` {
		t.Errorf("got %d %s, want the filter's reply", code, body)
	}
}

// testTrailers: request trailers reach the upstream, so that they can be
// judged and are not lost.
func testTrailers(t *testing.T, g *gateway, r *compile.Release) {
	g.serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %v", body, r.Trailer)
	})
	code, _, body := raw(t, r, "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ntrailer: a\r\n\r\n4\r\nbody\r\n0\r\na: b\r\n\r\n")
	if code != 200 || body != "body map[A:[b]]" {
		t.Errorf("got %d %s", code, body)
	}
}

// testLocalReplies asserts who answers, and in which form, when Envoy, the
// filter or the upstream refuses.
func testLocalReplies(t *testing.T, r, down *compile.Release) {
	const plain, problem = "text/plain", "application/problem+json"
	for _, row := range []struct {
		name    string
		release *compile.Release
		request string // lines, each ended by CR LF
		want    int
		form    string
		kind    string // the problem's type
	}{
		{"bad request line", r, "GET / HTTP/1.1 x\n\n", 400, problem, "urn:threatgate:envoy:http1.codec_error"},
		{"no host", r, "GET / HTTP/1.1\n\n", 400, problem, "urn:threatgate:envoy:missing_host_header"},
		{"HTTP/1.0", r, "GET / HTTP/1.0\nhost: a\n\n", 200, plain, ""},
		{"HTTP/1.0 without host", r, "GET / HTTP/1.0\n\n", 400, problem, "urn:threatgate:envoy:missing_host_header"},
		{"HTTP/0.9", r, "GET /\n\n", 400, problem, "urn:threatgate:envoy:missing_host_header"},
		{"upstream's own", r, "GET /%2 HTTP/1.1\nhost: a\n\n", 400, plain, ""},
		{"NUL in path", r, "GET /%00 HTTP/1.1\nhost: a\n\n", 400, problem, "urn:threatgate:envoy:path_normalization_failed"},
		{"long header", r, "GET / HTTP/1.1\nhost: a\na: " + strings.Repeat("a", 70_000) + "\n\n", 431, problem, "urn:threatgate:envoy:http1.headers_too_large"},
		{"many headers", r, "GET / HTTP/1.1\nhost: a\n" + strings.Repeat("a: b\n", 120) + "\n", 431, problem, "urn:threatgate:envoy:http1.too_many_headers"},
		{"length twice", r, "POST / HTTP/1.1\nhost: a\ncontent-length: 1\ncontent-length: 2\n\na", 400, problem, "urn:threatgate:envoy:http1.codec_error"},
		{"length and chunked", r, "POST / HTTP/1.1\nhost: a\ncontent-length: 1\ntransfer-encoding: chunked\n\n0\n\n", 400, problem, "urn:threatgate:envoy:http1.content_length_and_chunked_not_allowed"},
		{"held body over the buffer", r, "POST / HTTP/1.1\nhost: a\nx-probe: hold\ncontent-length: 4000000\n\n" + strings.Repeat("a", 4_000_000), 413, problem, "urn:threatgate:envoy:request_payload_too_large"},
		{"CONNECT", r, "CONNECT a:80 HTTP/1.1\nhost: a:80\n\n", 404, problem, "urn:threatgate:envoy:route_not_found"},
		{"unknown upgrade", r, "GET / HTTP/1.1\nhost: a\nconnection: upgrade\nupgrade: other\n\n", 403, problem, "urn:threatgate:envoy:upgrade_failed"},
		{"offer of TLS", r, "GET / HTTP/1.1\nhost: a\nconnection: upgrade\nupgrade: TLS/1.2\n\n", 200, plain, ""},
		{"underscore in a name", r, "GET / HTTP/1.1\nhost: a\na_b: c\n\n", 200, plain, ""},
		{"escaped slash", r, "GET /a%2Fb HTTP/1.1\nhost: a\n\n", 200, plain, ""},
		{"filter's own", r, "GET / HTTP/1.1\nhost: a\nx-probe: reject\n\n", 400, problem, "urn:threatgate:validation:pattern"},
		{"upstream down", down, "GET / HTTP/1.1\nhost: a\n\n", 503, plain, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			code, header, body := raw(t, row.release, strings.ReplaceAll(row.request, "\n", "\r\n"))
			form, _, _ := strings.Cut(header.Get("Content-Type"), ";")
			if code != row.want || form != row.form {
				t.Fatalf("got %d %v %s", code, header, body)
			}
			kind, ofEnvoy := strings.CutPrefix(row.kind, "urn:threatgate:envoy:")
			if !ofEnvoy {
				if !strings.Contains(body, row.kind) {
					t.Errorf("got %s", body)
				}
				return
			}
			var got map[string]any
			if err := json.Unmarshal([]byte(body), &got); err != nil {
				t.Fatalf("%v %s", err, body)
			}
			delete(got, "instance") // the request's id, if it came so far as to get one
			if want := map[string]any{
				"type": row.kind, "title": "Refused by the gateway", "status": float64(row.want),
				"detail": "The gateway did not take the request: " + kind,
			}; !reflect.DeepEqual(got, want) {
				t.Errorf("got  %v\nwant %v", got, want)
			}
		})
	}
}

// testKeepAlive: after a refusal the connection goes on, unless where the
// next message begins is in doubt.
func testKeepAlive(t *testing.T, r *compile.Release) {
	for _, row := range []struct {
		name, request string
		open          bool
	}{
		{"filter's refusal", "GET / HTTP/1.1\nhost: a\nx-probe: reject\n\n", true},
		{"filter's refusal before the body", "POST / HTTP/1.1\nhost: a\nx-probe: reject\ncontent-length: 1\n\na", false},
		{"no host", "GET / HTTP/1.1\n\n", true},
		{"bad request line", "GET / HTTP/1.1 x\n\n", false},
		{"length and chunked", "POST / HTTP/1.1\nhost: a\ncontent-length: 1\ntransfer-encoding: chunked\n\n0\n\n", false},
		{"bad chunk", "POST / HTTP/1.1\nhost: a\nx-probe: hold\ntransfer-encoding: chunked\n\nx\n\n", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			conn, err := net.Dial("tcp", r.Gateway.Listen)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(10 * time.Second))
			reader := bufio.NewReader(conn)
			io.WriteString(conn, strings.ReplaceAll(row.request, "\n", "\r\n"))
			response, err := http.ReadResponse(reader, nil)
			if err != nil || response.StatusCode != 400 {
				t.Fatalf("got %v %v, want 400", err, response)
			}
			io.Copy(io.Discard, response.Body)
			io.WriteString(conn, "GET / HTTP/1.1\r\nhost: a\r\n\r\n")
			response, err = http.ReadResponse(reader, nil)
			if open := err == nil && response.StatusCode == 200; open != row.open {
				t.Errorf("next request on the connection: got %v %v", err, response)
			}
		})
	}
}

// raw sends a request as it is.
func raw(t *testing.T, r *compile.Release, request string) (int, http.Header, string) {
	t.Helper()
	conn, err := net.Dial("tcp", r.Gateway.Listen)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	go io.WriteString(conn, request)
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header, string(body)
}
