package e2e_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/threatgate/threatgate/e2e/envoytest"
	"github.com/threatgate/threatgate/e2e/gateway"
)

const uploadsModel = `
apiVersion: threatgate.dev/v1alpha1
kind: ThreatModel
metadata: {name: notes}
spec:
  services:
    - id: notes
      specs: [{file: SPEC}]
      operations: [{match: addNote, uploads: stream, bounds: {maxBody: 64MiB}}]
`

// TestStreamedUploads: the upstream gets a body while it is judged, larger than
// what Envoy holds; at a violation the client gets its answer, and the
// upstream a request without an end.
func TestStreamedUploads(t *testing.T) {
	type seen struct {
		size int
		err  error
	}
	arrived := make(chan seen, 1)
	upstream := gateway.NewUpstream(t)
	upstream.Handler = func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		arrived <- seen{int(n), err}
	}
	model := saved(t, "model.yaml", strings.Replace(uploadsModel, "SPEC", saved(t, "notes.yaml", notesSpec), 1))
	g := gateway.RunBefore(t, upstream, "--model", model, "--mode", "enforce")
	records := watch(t, g, newCounts(g))
	line := strings.Repeat("text ", 200)
	for _, p := range protocols {
		for _, row := range []struct {
			name, start, end, want string
			lines                  int
		}{
			{"small", `{"text":"x`, `"}`, "", 1},
			{"large", `{"text":"x`, `"}`, "", 20_000},
			{"cut off", `{"text":"x`, `"`, "400 validation:json body:/text contract", 100},
			{"bad end", `{"text":"x`, `","more":1}`, "400 validation:undeclared-property body:/* contract", 5_000},
			{"too large", `{"text":"x`, `"}`, "413 validation:body-size body: API4-02", 70_000},
		} {
			t.Run(p.name+"/"+row.name, func(t *testing.T) {
				parts := []string{row.start}
				for range row.lines {
					parts = append(parts, line)
				}
				parts = append(parts, row.end)
				a := streamed(t, p.client, g, "POST /notes", nil, parts...)
				whole := len(strings.Join(parts, ""))
				if row.want == "" {
					if got := <-arrived; a.Status != http.StatusOK || got.size != whole || got.err != nil {
						t.Errorf("answer %d; %d bytes of %d have reached the upstream, %v", a.Status, got.size, whole, got.err)
					}
					return
				}
				expectProblem(t, a, row.want)
				if got := <-arrived; got.err == nil || got.size == 0 || got.size > whole {
					t.Errorf("%d bytes of %d have reached the upstream, %v", got.size, whole, got.err)
				}
				envoytest.Eventually(t, "the record says that the body had begun to flow", func() bool {
					return strings.Contains(strings.Join(records.of(a.Problem.Instance), ""), `"in":"body-stream"`)
				})
			})
		}
	}
}

// TestStreamedUploadsAnsweredEarly: where the upstream answers before it has
// the whole body, a violation breaks both off. The client sees a response
// without an end, the upstream a request without one.
func TestStreamedUploadsAnsweredEarly(t *testing.T) {
	arrived := make(chan error, 1)
	upstream := gateway.NewUpstream(t)
	upstream.Handler = func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		control.EnableFullDuplex()
		io.WriteString(w, "reading")
		control.Flush()
		_, err := io.Copy(io.Discard, r.Body)
		arrived <- err
		io.WriteString(w, ", read")
	}
	model := saved(t, "model.yaml", strings.Replace(uploadsModel, "SPEC", saved(t, "notes.yaml", notesSpec), 1))
	g := gateway.RunBefore(t, upstream, "--model", model, "--mode", "enforce")
	for _, p := range protocols {
		for _, row := range []struct{ name, end, code string }{
			{"good", `"}`, ""},
			{"bad end", `","more":1}`, "undeclared-property"},
			{"cut off", `"`, "json"},
		} {
			t.Run(p.name+"/"+row.name, func(t *testing.T) {
				request := gateway.Request(t, "POST", g.URL("/notes"), "", "Content-Type: application/json")
				body, rest := io.Pipe()
				request.Body, request.ContentLength = body, -1
				go io.WriteString(rest, `{"text":"x`)
				response, err := p.client.Do(request)
				if err != nil || response.StatusCode != http.StatusOK {
					t.Fatalf("%v, %v", response, err)
				}
				defer response.Body.Close()
				io.WriteString(rest, row.end)
				rest.Close()
				got, err := io.ReadAll(response.Body)
				upstreams := <-arrived
				if row.code == "" {
					if string(got) != "reading, read" || err != nil || upstreams != nil {
						t.Errorf("the client got %q, %v; the upstream %v", got, err, upstreams)
					}
					return
				}
				if string(got) != "reading" || err == nil || upstreams == nil {
					t.Errorf("not broken off: the client got %q, %v; the upstream %v", got, err, upstreams)
				}
			})
		}
	}
	envoytest.Eventually(t, "every exchange is counted", func() bool {
		return g.Metric("threatgate_requests_total", `decision="allowed"`) == 2 &&
			g.Metric("threatgate_requests_total", `decision="rejected"`) == 4 &&
			g.Metric("threatgate_violations_total", `code="undeclared-property"`) == 2 &&
			g.Metric("threatgate_violations_total", `code="json"`) == 2
	})
}
