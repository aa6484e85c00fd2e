package e2e_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/threatgate/threatgate/e2e/envoytest"
	"github.com/threatgate/threatgate/e2e/gateway"
)

const usersSpec = `
openapi: 3.1.0
info: {title: Users, version: "1"}
paths:
  /user:
    get:
      operationId: getUser
      responses:
        "200":
          description: A user.
          headers: {X-Remaining: {required: true, schema: {type: integer}}}
          content:
            application/json:
              schema:
                type: object
                required: [name]
                properties: {name: {type: string}, password: {type: string, writeOnly: true}}
        "204": {description: Nobody.}
        4XX: {description: Wrong., content: {application/json: {schema: {type: object, required: [title]}}}}
  /events: {get: {operationId: events, responses: {"200": {description: ok, content: {text/event-stream: {}}}}}}
  /lines: {get: {operationId: lines, responses: {"200": {description: ok, content: {application/x-ndjson: {schema: {type: integer}}}}}}}
`

const (
	userJSON  = `{"name":"Ada"}`
	leakyJSON = `{"name":"Ada","password":"secret"}`
)

// reply is what an upstream answers with.
type reply struct {
	status  int
	headers string // "Name: value" lines
	body    string
	trailer bool
}

func (r reply) write(w http.ResponseWriter) {
	typed := false
	for line := range strings.Lines(r.headers) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		w.Header().Add(name, value)
		typed = typed || name == "Content-Type"
	}
	if !typed && r.body != "" {
		w.Header().Set("Content-Type", "application/json")
	}
	if r.trailer {
		w.Header().Set("Trailer", "X-End")
	}
	w.WriteHeader(r.status)
	io.WriteString(w, r.body)
	if r.trailer {
		w.Header().Set("X-End", "yes")
	}
}

func gzipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, text)
	w.Close()
	return b.String()
}

const remaining = "X-Remaining: 3\n"

// replies with what becomes of them in enforce: "", or the problem.
var replies = []struct {
	name, method string
	reply        reply
	want         string
}{
	{"good", "GET", reply{200, remaining, userJSON, false}, ""},
	{"good with trailers", "GET", reply{200, remaining, userJSON, true}, ""},
	{"write-only", "GET", reply{200, remaining, leakyJSON, false}, "502 validation:write-only body:/password API3-03"},
	{"write-only with trailers", "GET", reply{200, remaining, leakyJSON, true}, "502 validation:write-only body:/password API3-03"},
	{"large", "GET", reply{200, remaining, `{"name":"` + strings.Repeat("x", 900_000) + `"}`, false}, ""},
	{"large and leaky", "GET", reply{200, remaining, `{"name":"` + strings.Repeat("x", 900_000) + `","password":"x"}`, false}, "502 validation:write-only body:/password API3-03"},
	{"larger than is held", "GET", reply{200, remaining, `{"name":"` + strings.Repeat("x", 3_000_000) + `"}`, false}, ""},
	{"cut off", "GET", reply{200, remaining, `{"name":"Ada"`, false}, "502 validation:json body:/name contract"},
	{"without its header", "GET", reply{200, "", userJSON, false}, "502 validation:required response-header:x-remaining contract"},
	{"of another type", "GET", reply{200, remaining + "Content-Type: text/html\n", "<p>", false}, "502 validation:content-type response-header:content-type contract"},
	{"undeclared status", "GET", reply{202, remaining, userJSON, false}, "502 validation:status contract"},
	{"redirect", "GET", reply{302, "Location: /\n", "", false}, "502 validation:status contract"},
	{"undeclared error", "GET", reply{500, "Content-Type: text/plain\n", "at line 3", false}, ""},
	{"declared error", "GET", reply{404, "", `{"title":"x"}`, false}, ""},
	{"declared error, undescribed", "GET", reply{404, "", `{}`, false}, "502 validation:required body:/title contract"},
	{"error without a body", "GET", reply{404, "", "", false}, ""},
	{"no content", "GET", reply{204, "", "", false}, ""},
	{"not modified", "GET", reply{304, "Etag: \"1\"\n", "", false}, ""},
	{"head", "HEAD", reply{200, remaining + "Content-Type: application/json\nContent-Length: 14\n", "", false}, ""},
	{"head of an undeclared status", "HEAD", reply{202, "", "", false}, "502 validation:status contract"},
	{"gzip", "GET", reply{200, remaining + "Content-Encoding: gzip\n", gzipped(userJSON), false}, ""},
	{"gzip and leaky", "GET", reply{200, remaining + "Content-Encoding: gzip\n", gzipped(leakyJSON), false}, "502 validation:write-only body:/password API3-03"},
	{"an encoding that isn't undone", "GET", reply{200, remaining + "Content-Encoding: br\n", userJSON, false}, "502 validation:content-encoding response-header:content-encoding contract"},
}

// TestResponses lets an upstream answer well and badly, over both protocols
// and in both modes.
func TestResponses(t *testing.T) {
	spec := saved(t, "users.yaml", usersSpec)
	for _, mode := range []string{"enforce", "shadow"} {
		t.Run(mode, func(t *testing.T) {
			up := gateway.NewUpstream(t)
			var now reply
			up.Handler = func(w http.ResponseWriter, _ *http.Request) { now.write(w) }
			g := gateway.RunBefore(t, up, "--spec", spec, "--mode", mode)
			violating := 0.0
			for _, p := range protocols {
				for _, row := range replies {
					t.Run(p.name+"/"+row.name, func(t *testing.T) {
						now = row.reply
						request := gateway.Request(t, row.method, g.URL("/user"), "")
						request.Header.Set("Accept-Encoding", "identity") // or the client undoes it
						answer := gateway.Do(t, p.client, request)
						if row.want != "" {
							violating++
						}
						switch {
						case row.want == "" || mode == "shadow":
							if answer.Status != now.status || string(answer.Body) != now.body {
								t.Errorf("%d, %d bytes, want %d, %d bytes\n%.300s", answer.Status, len(answer.Body), now.status, len(now.body), answer.Body)
							}
						case row.method == "HEAD":
							if answer.Status != http.StatusBadGateway {
								t.Errorf("answer %d", answer.Status)
							}
						default:
							expectProblem(t, answer, row.want)
						}
						if p.client == gateway.Client && strings.Contains(string(answer.Body), "secret") && mode == "enforce" {
							t.Error("the secret got out")
						}
					})
				}
			}
			decision := map[string]string{"enforce": "rejected", "shadow": "would_reject"}[mode]
			all := float64(len(replies) * len(protocols))
			envoytest.Eventually(t, "every exchange is counted, once", func() bool {
				return g.Metric("threatgate_requests_total") == all &&
					g.Metric("threatgate_requests_total", `decision="`+decision+`"`) == violating &&
					g.Metric("threatgate_violations_total") == violating+float64(len(protocols)) && // the undeclared error
					g.Metric("threatgate_violations_total", `code="error-status"`) == float64(len(protocols))
			})
		})
	}
}

// What is longer than enforce holds has begun to flow when it turns out bad:
// the client sees that it is cut off. In shadow it passes.
func TestLateViolations(t *testing.T) {
	spec := saved(t, "users.yaml", usersSpec)
	body := `{"name":"` + strings.Repeat("x", 3_000_000) + `","password":"x"}`
	for _, mode := range []string{"enforce", "shadow"} {
		up := gateway.NewUpstream(t)
		up.Handler = func(w http.ResponseWriter, _ *http.Request) { reply{200, remaining, body, false}.write(w) }
		g := gateway.RunBefore(t, up, "--spec", spec, "--mode", mode)
		for _, p := range protocols {
			response, err := p.client.Do(gateway.Request(t, "GET", g.URL("/user"), ""))
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(response.Body)
			response.Body.Close()
			if mode == "shadow" && (err != nil || string(got) != body) {
				t.Errorf("%s: %d bytes of %d, %v", p.name, len(got), len(body), err)
			}
			if mode == "enforce" && (err == nil || response.StatusCode != 200 || len(got) >= len(body)) {
				t.Errorf("%s: not cut off: %d, %d bytes, %v", p.name, response.StatusCode, len(got), err)
			}
		}
		decision := map[string]string{"enforce": "rejected", "shadow": "would_reject"}[mode]
		envoytest.Eventually(t, "every exchange is counted", func() bool {
			return g.Metric("threatgate_requests_total", `decision="`+decision+`"`) == 2 &&
				g.Metric("threatgate_violations_total", `code="write-only"`, `mode="`+mode+`"`) == 2
		})
	}
}

// Streams are not held in any mode, and in shadow nothing is: the client has
// each part before the upstream sends the next.
func TestStreamedResponses(t *testing.T) {
	spec := saved(t, "users.yaml", usersSpec)
	for _, row := range []struct {
		mode, path, contentType string
		parts                   []string
	}{
		{"enforce", "/events", "text/event-stream", []string{"data: 1\n\n", "data: 2\n\n", "data: 3\n\n"}},
		{"enforce", "/lines", "application/x-ndjson", []string{"1\n", "2\n", "3\n"}},
		{"shadow", "/user", "application/json", []string{"{\n", "\"name\":\n", "\"Ada\"}\n"}},
	} {
		taken := make(chan bool)
		up := gateway.NewUpstream(t)
		up.Handler = func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", row.contentType)
			w.Header().Set("X-Remaining", "1")
			for _, part := range row.parts {
				io.WriteString(w, part)
				w.(http.Flusher).Flush()
				select {
				case <-taken:
				case <-time.After(20 * time.Second):
					t.Errorf("%s: %q does not come through", row.path, part)
					return
				}
			}
		}
		g := gateway.RunBefore(t, up, "--spec", spec, "--mode", row.mode)
		for _, p := range protocols {
			response, err := p.client.Do(gateway.Request(t, "GET", g.URL(row.path), ""))
			if err != nil {
				t.Fatal(err)
			}
			r := bufio.NewReader(response.Body)
			for _, part := range row.parts {
				got := make([]byte, len(part))
				if _, err := io.ReadFull(r, got); err != nil || string(got) != part {
					t.Errorf("%s, %s: %q, %v, want %q", row.path, p.name, got, err, part)
				}
				taken <- true
			}
			if rest, err := io.ReadAll(r); len(rest) > 0 || err != nil {
				t.Errorf("%s, %s: %q, %v behind the end", row.path, p.name, rest, err)
			}
			response.Body.Close()
		}
		envoytest.Eventually(t, "every exchange is allowed", func() bool {
			return g.Metric("threatgate_requests_total", `decision="allowed"`) == 2
		})
	}
}

// What Envoy answers where there is no upstream is no response of it.
func TestEnvoysOwnAnswersStay(t *testing.T) {
	up := gateway.NewUpstream(t)
	up.Handler = func(w http.ResponseWriter, _ *http.Request) {
		conn, _, _ := w.(http.Hijacker).Hijack()
		conn.Close()
	}
	spec := saved(t, "users.yaml", strings.Replace(usersSpec, "4XX:", "5XX:", 1))
	g := gateway.RunBefore(t, up, "--spec", spec, "--mode", "enforce")
	for range 3 {
		answer := gateway.Do(t, gateway.Client, gateway.Request(t, "GET", g.URL("/user"), ""))
		if answer.Status != 503 || !strings.Contains(string(answer.Body), "upstream connect error") {
			t.Errorf("%d\n%s", answer.Status, answer.Body)
		}
	}
	envoytest.Eventually(t, "every exchange is counted as allowed", func() bool {
		return g.Metric("threatgate_requests_total", `decision="allowed"`) == 3
	})
	if n := g.Metric("threatgate_violations_total"); n != 0 {
		t.Errorf("%g violations", n)
	}
}
