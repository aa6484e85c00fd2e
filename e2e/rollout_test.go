package e2e_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
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
      responses: {"200": {description: made}}
`
	for _, path := range paths {
		spec += "  " + path + ": {get: {responses: {\"200\": {description: ok}}}}\n"
	}
	return spec + `components:
  schemas:
    Order:
      type: object
      required: [item]
      properties: {item: {type: string}, count: {type: integer}}
`
}

// Requests that every version of orders accepts, and some that none does.
var (
	valid   = []call{{"GET", "/orders?limit=5", "", 200}, {"POST", "/orders", `{"item":"pen"}`, 200}}
	invalid = []call{{"GET", "/nowhere", "", 404}, {"POST", "/orders", `{"item":7}`, 400}}
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
	if n := load.drained.Load(); n > 0 {
		t.Errorf("changes of policy drained %d connections", n)
	}
	if nacks := g.Metric("threatgate_xds_nacks_total"); nacks != 0 {
		t.Errorf("%v resources were refused", nacks)
	}
	if acks := g.Metric("threatgate_xds_acks_total"); acks < changes {
		t.Errorf("%v acknowledgements of %d changes", acks, changes)
	}
}

// upload is a request whose body is half sent.
type upload struct {
	t      testing.TB
	conn   net.Conn
	answer *bufio.Reader
	rest   string
	want   int // status
}

// startUpload returns when the gateway has the headers of a request: it asks
// for the body in the same turn in which its filters see them.
func startUpload(t testing.TB, address, body string, want int) *upload {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(time.Minute))
	u := &upload{t, conn, bufio.NewReader(conn), body[len(body)/2:], want}
	fmt.Fprintf(conn, "POST /orders HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", address, len(body))
	for _, want := range []string{"HTTP/1.1 100 Continue\r\n", "\r\n"} {
		if line, err := u.answer.ReadString('\n'); line != want {
			t.Fatalf("upload: %q (%v), want %q", line, err, want)
		}
	}
	io.WriteString(conn, body[:len(body)/2])
	return u
}

// finish sends the rest of the body and checks the answer.
func (u *upload) finish(what string) {
	u.t.Helper()
	defer u.conn.Close()
	io.WriteString(u.conn, u.rest)
	response, err := http.ReadResponse(u.answer, nil)
	if err != nil {
		u.t.Errorf("%s: %v", what, err)
		return
	}
	if text, err := io.ReadAll(response.Body); response.StatusCode != u.want || err != nil {
		u.t.Errorf("%s: upload got %d, want %d: %s (%v)", what, response.StatusCode, u.want, text, err)
	}
}

// TestUploadsAcrossSwitches changes the mode and the specification under
// load, with uploads in flight. Each upload is judged by the policy, and in
// the mode, under which it began.
func TestUploadsAcrossSwitches(t *testing.T) {
	const (
		rounds  = 3
		uploads = 4 // of each body, in flight across each switch
	)
	integers := orders()
	words := strings.Replace(orders("/words"), "count: {type: integer}", "count: {type: string}", 1)
	spec := saved(t, "orders.yaml", integers)
	g := gateway.Run(t, "--spec", spec, "--mode", "shadow", "--concurrency", "2")
	all := workers(t, g.Envoy(), g.Listen, 2)
	load := startLoad(t, g.URL(""), valid...)
	states := []struct {
		name     string
		enter    func()
		probe    int            // status of GET /words
		statuses map[string]int // by the upload's body
	}{
		{"shadow", func() { g.Command("mode", "shadow") }, 200, map[string]int{number: 200, word: 200}},
		{"enforce integers", func() { g.Command("mode", "enforce") }, 404, map[string]int{number: 200, word: 400}},
		{"enforce words", func() { save(t, spec, words) }, 200, map[string]int{number: 400, word: 200}},
		{"enforce integers again", func() { save(t, spec, integers) }, 404, map[string]int{number: 200, word: 400}},
	}
	for i := range rounds * len(states) {
		now, next := states[i%len(states)], states[(i+1)%len(states)]
		var open []*upload
		for range uploads {
			for body, want := range now.statuses {
				open = append(open, startUpload(t, g.Listen, body, want))
			}
		}
		next.enter()
		await(t, all, "/words", next.probe)
		for _, u := range open {
			u.finish(now.name + ", then " + next.name)
		}
	}
	load.End(100)
	cases := rounds * len(states) * uploads * 2
	t.Logf("%d uploads across %d switches", cases, rounds*len(states))
	for decision, want := range map[string]float64{"would_reject": rounds * uploads, "rejected": 3 * rounds * uploads} {
		envoytest.Eventually(t, fmt.Sprintf("%v uploads are counted as %s", want, decision), func() bool {
			return g.Metric("threatgate_requests_total", `operation="place"`, `decision="`+decision+`"`) == want
		})
	}
}

// Bodies of uploads: each is valid where the other is not.
const (
	number = `{"item":"pen","count":2}`
	word   = `{"item":"pen","count":"two"}`
)
