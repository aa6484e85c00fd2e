package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/threatgate/threatgate/controlplane/admin"
	"github.com/threatgate/threatgate/e2e/envoytest"
	"github.com/threatgate/threatgate/e2e/gateway"
)

// orders is a specification: of what the load asks for, and of the given
// paths beside that.
func orders(paths ...string) string {
	spec := `openapi: 3.0.3
info: {title: Orders, version: "1"}
paths:
  /orders:
    get:
      operationId: list
      parameters: [{name: limit, in: query, schema: {type: integer, maximum: 100}}]
      responses: {"200": {description: ok}}
    post:
      operationId: place
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: "#/components/schemas/Order"}}}
      responses: {"201": {description: made}}
`
	for _, path := range paths {
		spec += "  " + path + ": {get: {responses: {\"200\": {description: ok}}}}\n"
	}
	return spec + `components:
  schemas:
    Order:
      type: object
      required: [item, count]
      properties: {item: {type: string}, count: {type: integer}}
`
}

// Requests that every version of orders accepts, and some that none does.
var (
	valid   = []exchange{{"GET", "/orders?limit=5", "", 200}, {"POST", "/orders", `{"item":"pen","count":2}`, 200}}
	invalid = []exchange{{"GET", "/nowhere", "", 404}, {"POST", "/orders", `{"item":"pen","count":"two"}`, 400}}
)

// save writes a file as a simple editor does: in place.
func save(t testing.TB, name, content string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// saved is a file of its own in a new directory.
func saved(t testing.TB, name, content string) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	save(t, name, content)
	return name
}

// status asks a control plane what it serves.
func status(t testing.TB, address, tokenFile string) (s admin.Status) {
	t.Helper()
	token, err := os.ReadFile(tokenFile)
	if err != nil {
		t.Fatal(err)
	}
	a := gateway.Do(t, gateway.Client, gateway.Request(t, "GET", "http://"+address+"/v1/status", "", "Authorization: Bearer "+strings.TrimSpace(string(token))))
	if err := json.Unmarshal(a.Body, &s); err != nil || a.Status != http.StatusOK {
		t.Fatalf("GET /v1/status: %d %s: %v", a.Status, a.Body, err)
	}
	return s
}

// awaitAcked waits until the one node has accepted another revision than
// before, and returns the new one.
func awaitAcked(t testing.TB, g *gateway.Gateway, before string) (revision string) {
	t.Helper()
	envoytest.Eventually(t, "a new revision is accepted", func() bool {
		s := status(t, g.Admin, g.TokenFile)
		if len(s.APIs) != 1 || len(s.Nodes) != 1 || len(s.Nodes[0].APIs) != 1 {
			t.Fatalf("status %+v", s)
		}
		revision = s.APIs[0].Revision
		return revision != before && s.Nodes[0].APIs[0].State == "acked" && s.Nodes[0].APIs[0].Revision == revision
	})
	return revision
}

const (
	changes   = 300
	maxGrowth = 20 << 20 // bytes of resident memory
)

// TestRollouts changes a specification many times under load.
func TestRollouts(t *testing.T) {
	spec := saved(t, "orders.yaml", orders("/old"))
	g := gateway.Run(t, "--spec", spec, "--mode", "enforce", "--concurrency", "2")
	g.Upstream.Handler = func(w http.ResponseWriter, r *http.Request) {}
	envoy := g.Envoy()
	all := workers(t, envoy, g.Listen, 2)
	await(t, all, "/old", 200)
	await(t, all, "/new", 404)

	load := startLoad(t, g.URL(""), append(valid, invalid[0])...)
	revision := awaitAcked(t, g, "")
	memory := envoy.Resident()
	revisions := map[string]int{}
	var enforced []time.Duration
	for i := range changes {
		appears, goes := "/new", "/old"
		if i%2 == 1 {
			appears, goes = goes, appears
		}
		save(t, spec, orders(appears))
		start := time.Now()
		await(t, all, appears, 200)
		await(t, all, goes, 404)
		enforced = append(enforced, time.Since(start))
		revision = awaitAcked(t, g, revision)
		revisions[revision]++
	}
	growth := envoy.Resident() - memory
	load.End(changes)
	t.Logf("%d changes: from saved to enforced on both workers %v in the median; Envoy's resident memory was %d MB and grew by %.1f MB",
		changes, median(enforced).Round(time.Millisecond), memory>>20, float64(growth)/(1<<20))
	if growth >= maxGrowth {
		t.Errorf("Envoy's resident memory grew by %d bytes", growth)
	}
	if len(revisions) != 2 {
		t.Errorf("revisions %v, want two in turn", revisions)
	}
	if got := load.dialed.Load(); got != clients {
		t.Errorf("%d clients made %d connections: a change of policy drained some", clients, got)
	}
	if nacks := g.Metric("threatgate_xds_nacks_total"); nacks != 0 {
		t.Errorf("%v resources were refused", nacks)
	}
	if acks := g.Metric("threatgate_xds_acks_total"); acks < changes {
		t.Errorf("%v acknowledgements of %d changes", acks, changes)
	}
}

// TestModeSwitches switches from shadow to enforce and back, with uploads in
// flight. Each must be judged as the mode was when it began.
func TestModeSwitches(t *testing.T) {
	const (
		switches = 6
		uploads  = 8 // in flight across each switch, half of them invalid
	)
	spec := saved(t, "orders.yaml", orders())
	g := gateway.Run(t, "--spec", spec, "--mode", "shadow", "--concurrency", "2")
	all := workers(t, g.Envoy(), g.Listen, 2)
	load := startLoad(t, g.URL(""), valid...)
	before := g.decisions()
	for i := range switches {
		mode, next, refused, unknown := "shadow", "enforce", 200, 404
		if i%2 == 1 {
			mode, next, refused, unknown = "enforce", "shadow", 400, 200
		}
		var open []*upload
		for j := range uploads {
			want, count := 200, "2"
			if j%2 == 1 {
				want, count = refused, `"two"`
			}
			open = append(open, startUpload(t, g, `{"item":"pen",`, `"count":`+count+`}`, want))
		}
		g.Command("mode", next)
		await(t, all, "/nowhere", unknown)
		for _, u := range open {
			u.finish(mode + " to " + next)
		}
	}
	load.End(switches)
	// Not one is counted twice, or in the other's way.
	got := g.decisions().less(before)
	want := decisions{wouldReject: switches / 2 * uploads / 2, rejected: switches / 2 * uploads / 2}
	t.Logf("%d uploads across %d switches: %+v", switches*uploads, switches, got)
	if got != want {
		t.Errorf("invalid uploads were counted %+v, want %+v", got, want)
	}
}
