package e2e_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/threatgate/threatgate/controlplane/admin"
	"github.com/threatgate/threatgate/e2e/envoytest"
	"github.com/threatgate/threatgate/e2e/gateway"
)

// protocols are those that a client may speak.
var protocols = []struct {
	name   string
	client *http.Client
}{{"HTTP/1.1", gateway.Client}, {"HTTP/2", gateway.H2}}

// TestVerdicts sends the same requests through a gateway in enforce and one
// in shadow, over both protocols: what enforce rejects, and with which
// problem, is what shadow counts, records and lets pass.
func TestVerdicts(t *testing.T) {
	corpus := filepath.Join(gateway.Root, "..", "shared", "corpus")
	specs := filepath.Join(gateway.Root, "e2e", "demo", "specs")
	for _, c := range []struct {
		name     string
		args     []string
		specs    []string
		attempts []attempt
		floor    int
	}{
		{
			name:     "petstore",
			args:     []string{"--model", ofRequests(t, "swagger-petstore-openapi-3-0", filepath.Join(corpus, "petstore", "openapi.yaml"))},
			specs:    []string{filepath.Join(corpus, "petstore", "openapi.yaml")},
			attempts: petstore,
			floor:    40,
		},
		{
			name:     "crAPI",
			args:     []string{"--model", ofRequests(t, "crapi", filepath.Join(corpus, "crapi", "crapi-openapi-spec.json"))},
			specs:    []string{filepath.Join(corpus, "crapi", "crapi-openapi-spec.json")},
			attempts: crapi,
			floor:    25,
		},
		{
			name:     "shop",
			args:     []string{"--model", saved(t, "model.yaml", strings.ReplaceAll(shopModel, "SPECS", specs))},
			specs:    []string{specs + "/storefront.yaml", specs + "/orders.v1.yaml", specs + "/orders.v2.yaml", specs + "/payments.yaml", specs + "/analytics.yaml"},
			attempts: shop,
			floor:    60,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := os.Stat(c.specs[0]); err != nil {
				t.Skip("needs ../shared/corpus")
			}
			known := vocabulary(t, c.specs...)
			for _, mode := range []string{"enforce", "shadow"} {
				t.Run(mode, func(t *testing.T) {
					testVerdicts(t, mode, gateway.Run(t, append(c.args, "--mode", mode)...), known, c.attempts)
				})
			}
			t.Logf("%d requests", len(c.attempts))
			if len(c.attempts) < c.floor {
				t.Errorf("fewer than %d requests", c.floor)
			}
		})
	}
}

// ofRequests writes a model of a specification whose responses are not judged,
// for the upstream knows nothing of it.
func ofRequests(t *testing.T, id, spec string) (model string) {
	return saved(t, "model.yaml", "apiVersion: threatgate.dev/v1alpha1\nkind: ThreatModel\nmetadata: {name: "+id+"}\n"+
		"spec: {services: [{id: "+id+", responses: \"off\", specs: [{file: "+spec+"}]}]}\n")
}

func testVerdicts(t *testing.T, mode string, g *gateway.Gateway, known map[string]bool, attempts []attempt) {
	counts := newCounts(g)
	records := watch(t, g, counts)
	for _, p := range protocols {
		for _, e := range attempts {
			t.Run(p.name+"/"+e.name, func(t *testing.T) {
				answer := gateway.Do(t, p.client, e.request(t, g))
				id := answer.Problem.Instance
				if rejected := e.want != "" && mode == "enforce"; rejected {
					expectProblem(t, answer, e.want)
					expectNothingOf(t, &e, known, string(answer.Body))
					if name, value, _ := strings.Cut(e.reply, ": "); answer.Header.Get(name) != value {
						t.Errorf("%s: %q, want %q", name, answer.Header.Get(name), value)
					}
					expectNothingArrived(t, g.Upstream)
				} else {
					if answer.Status != http.StatusOK {
						t.Errorf("answer %d\n%s", answer.Status, answer.Body)
					}
					id = expectArrived(t, g.Upstream, &e).Header.Get("X-Request-Id")
				}
				counts.add(mode, &e)
				if e.violated() != "" {
					records.expect(id, &e)
				}
			})
		}
	}
	counts.check(t)
	records.check(t, mode, known)
}

// counts is what the metrics must say.
type counts struct {
	gateway             *gateway.Gateway
	requests, violating float64
	series              map[series]float64
}

// series is a metric with some of its labels.
type series struct{ name, labels string }

func newCounts(g *gateway.Gateway) *counts {
	return &counts{gateway: g, series: map[series]float64{}}
}

func (c *counts) add(mode string, e *attempt) {
	decision := "allowed"
	if e.want != "" {
		decision = map[string]string{"enforce": "rejected", "shadow": "would_reject"}[mode]
	}
	c.requests++
	c.series[series{"threatgate_requests_total", `operation="` + e.label() + `",decision="` + decision + `"`}]++
	c.series[series{"threatgate_requests_total", `decision="` + decision + `"`}]++
	if violated := e.violated(); violated != "" {
		c.violating++
		family, code, _ := strings.Cut(violated, ":")
		c.series[series{"threatgate_violations_total", `operation="` + e.label() + `",family="` + family + `",code="` + code + `",mode="` + mode + `"`}]++
	}
}

// check waits until every request is counted: Envoy does that after the
// client has the answer.
func (c *counts) check(t *testing.T) {
	t.Helper()
	envoytest.Eventually(t, "every request is counted", func() bool {
		return c.gateway.Metric("threatgate_requests_total") == c.requests &&
			c.gateway.Metric("threatgate_violation_records_total") == c.violating
	})
	for s, want := range c.series {
		if got := c.gateway.Metric(s.name, strings.Split(s.labels, ",")...); got != want {
			t.Errorf("%s{%s} is %g, want %g", s.name, s.labels, got, want)
		}
	}
	if got := c.gateway.Metric("threatgate_violations_total"); got != c.violating {
		t.Errorf("threatgate_violations_total is %g, want %g", got, c.violating)
	}
}

// records are what "threatgate tail --json" prints.
type records struct {
	mu       sync.Mutex
	lines    map[string][]string // by request id
	expected map[string]*attempt
}

// watch starts a tail and returns once it shows what happens.
func watch(t *testing.T, g *gateway.Gateway, c *counts) *records {
	t.Helper()
	r := &records{lines: map[string][]string{}, expected: map[string]*attempt{}}
	gateway.Start(t, r.take, "tail", "--json", "--admin", g.Admin, "--token-file", g.TokenFile)
	probe := attempt{line: "GET /probe", want: "404 inventory:unknown-operation API9-01"}
	mode := "enforce"
	for deadline := time.Now().Add(20 * time.Second); r.len() == 0; {
		if time.Now().After(deadline) {
			t.Fatal("tail shows nothing")
		}
		if gateway.Do(t, gateway.Client, probe.request(t, g)).Status == http.StatusOK {
			mode = "shadow"
		}
		c.add(mode, &probe)
		time.Sleep(50 * time.Millisecond)
	}
	g.Upstream.Take()
	return r
}

func (r *records) take(line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var v admin.Violation
	if err := json.Unmarshal([]byte(line), &v); err != nil {
		v.Request = "not JSON: " + line
	}
	r.lines[v.Request] = append(r.lines[v.Request], line)
}

func (r *records) len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.lines)
}

func (r *records) of(id string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lines[id]
}

func (r *records) expect(id string, e *attempt) { r.expected[id] = e }

// check compares the records of every request that violated something with
// its verdict.
func (r *records) check(t *testing.T, mode string, known map[string]bool) {
	t.Helper()
	for id, e := range r.expected {
		envoytest.Eventually(t, e.name+": records arrive", func() bool { return len(r.of(id)) > 0 })
		matches := false
		for _, line := range r.of(id) {
			var v admin.Violation
			if err := json.Unmarshal([]byte(line), &v); err != nil {
				t.Fatal(err)
			}
			place := ""
			if v.In != "request" {
				place = " " + v.In + ":" + v.Pointer
			}
			matches = matches || e.want == "" && v.Family+":"+v.Code == e.noted ||
				e.want != "" && e.want[4:] == v.Family+":"+v.Code+place+" "+v.Threat
			if v.Mode != mode || v.Operation != e.label() {
				t.Errorf("%s: record %s", e.name, line)
			}
			v.Request, v.Time = "", time.Time{}
			rest, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			expectNothingOf(t, e, known, string(rest))
		}
		if !matches {
			t.Errorf("%s: %q is in none of the records\n%s", e.name, e.violated(), strings.Join(r.of(id), "\n"))
		}
	}
}
