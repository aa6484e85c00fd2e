package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/threatgate/threatgate/controlplane/pipeline"
	"github.com/threatgate/threatgate/controlplane/rollout"
	"github.com/threatgate/threatgate/controlplane/server"
	"github.com/threatgate/threatgate/controlplane/snapshot"
	"github.com/threatgate/threatgate/controlplane/store"
	"github.com/threatgate/threatgate/controlplane/watch"
	"github.com/threatgate/threatgate/internal/policy"
	"github.com/threatgate/threatgate/internal/threat"
	"github.com/threatgate/threatgate/internal/violation"
	"github.com/threatgate/threatgate/policies"
)

const spec = `openapi: 3.0.3
info: {title: Orders, version: "1"}
paths:
  /orders:
    get: {operationId: list, responses: {"200": {description: ok}}}
    post: {operationId: place, responses: {"200": {description: ok}}}
`

// running is a served admin interface in front of a real rollout.
type running struct {
	address, tokenFile string
	feed               *Feed
	log                *observer.ObservedLogs
	stop               func() error
}

func start(t *testing.T) *running {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "orders.yaml")
	must(t, os.WriteFile(file, []byte(spec), 0o600))
	core, logged := observer.New(zap.DebugLevel)
	log := zap.New(core)
	state, err := store.Open(t.Context(), "")
	must(t, err)
	watcher, err := watch.New(pipeline.ReadFile, log)
	must(t, err)
	r, err := rollout.New(t.Context(), rollout.Config{
		Input:       pipeline.Input{Spec: file, Upstream: "127.0.0.1:1", Listen: "127.0.0.1:2", Catalogue: threat.LoadCatalogue(policies.FS, nil)},
		Environment: snapshot.Environment{WasmPath: "/threatgate.wasm"},
		Store:       state,
		Server:      server.New(server.Options{}),
		Watcher:     watcher,
		Log:         log,
	})
	must(t, err)
	l, err := Listen("127.0.0.1:0", filepath.Join(dir, "private", "token"))
	must(t, err)
	registry := prometheus.NewRegistry()
	registry.MustRegister(prometheus.NewCounter(prometheus.CounterOpts{Name: "threatgate_xds_acks_total"}))

	ctx, cancel := context.WithCancel(context.Background())
	running := &running{l.Addr().String(), l.tokenFile, &Feed{}, logged, nil}
	go r.Run(ctx)
	served := make(chan error, 1)
	go func() {
		served <- l.Serve(ctx, Config{Rollout: r, Feed: running.feed, Metrics: registry, Version: "v1.2.3", Log: log})
	}()
	running.stop = func() error {
		cancel()
		err := <-served
		served <- err
		return err
	}
	t.Cleanup(func() {
		running.stop()
		watcher.Close()
		state.Close()
	})
	return running
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (r *running) client(t *testing.T) *Client {
	t.Helper()
	c, err := NewClient(r.address, r.tokenFile)
	must(t, err)
	return c
}

func TestWhoMayAskWhat(t *testing.T) {
	r := start(t)
	token := r.client(t).token
	_, port, _ := net.SplitHostPort(r.address)
	for _, tc := range []struct {
		request string // method, path and headers
		body    string
		status  int
		answer  string // begins with
	}{
		{"GET /healthz", "", 200, "ok\n"},
		{"GET /metrics", "", 200, "# HELP threatgate_xds_acks_total"},
		{"GET /healthz|Host: localhost:" + port, "", 200, "ok\n"},
		{"GET /healthz|Host: localhost", "", 200, "ok\n"},
		{"GET /healthz|Host: [::1]:" + port, "", 200, "ok\n"},
		{"GET /healthz|Host: [::1]", "", 200, "ok\n"},
		{"GET /healthz|Origin: http://" + r.address, "", 200, "ok\n"},
		{"POST /healthz", "", 401, "Authorization: Bearer is needed, with the token in the file that was named at start"},

		{"GET /metrics|Host: evil.example", "", 403, "the host is not a loopback name"},
		{"GET /metrics|Host: evil.example:" + port, "", 403, "the host is not a loopback name"},
		{"GET /metrics|Host: localhost.evil.example", "", 403, "the host is not a loopback name"},
		{"GET /metrics|Host: 127.0.0.1.evil.example", "", 403, "the host is not a loopback name"},
		{"GET /metrics|Host: 10.0.0.1", "", 403, "the host is not a loopback name"},
		{"GET /metrics|Origin: http://evil.example", "", 403, "the origin is another"},
		{"GET /metrics|Origin: null", "", 403, "the origin is another"},
		{"GET /metrics|Origin: http://127.0.0.1:1", "", 403, "the origin is another"},
		{"GET /metrics|Origin: https://" + r.address, "", 403, "the origin is another"},

		{"GET /v1/status|Authorization: Bearer " + token, "", 200, `{"version":"v1.2.3"`},
		{"GET /v1/status|Authorization: bearer " + token, "", 200, `{"version":"v1.2.3"`},
		{"GET /v1/status", "", 401, "Authorization: Bearer is needed, with the token in the file that was named at start"},
		{"GET /v1/status|Authorization: Bearer", "", 401, "Authorization: Bearer is needed, with the token in the file that was named at start"},
		{"GET /v1/status|Authorization: Bearer " + token + "x", "", 401, "Authorization: Bearer is needed, with the token in the file that was named at start"},
		{"GET /v1/status|Authorization: Bearer " + token[1:], "", 401, "Authorization: Bearer is needed, with the token in the file that was named at start"},
		{"GET /v1/status|Authorization: Basic " + token, "", 401, "Authorization: Bearer is needed, with the token in the file that was named at start"},
		{"GET /v1/violations", "", 401, "Authorization: Bearer is needed, with the token in the file that was named at start"},
		{"PUT /v1/modes", `{"mode":"off"}`, 401, "Authorization: Bearer is needed, with the token in the file that was named at start"},
		{"GET /nowhere", "", 401, "Authorization: Bearer is needed, with the token in the file that was named at start"},
		{"GET /nowhere|Authorization: Bearer " + token, "", 404, ""},

		{"PUT /v1/modes|Authorization: Bearer " + token + "|Content-Type: application/json", `{"mode":"off"}`, 200, `{"apis":[{"id":"orders"`},
		{"PUT /v1/modes|Authorization: Bearer " + token, `{"mode":"off"}`, 400, "the content type must be application/json"},
		{"PUT /v1/modes|Authorization: Bearer " + token + "|Content-Type: application/json", `{"mode":"on"}`, 400, `"mode" must be shadow, enforce, off or reset`},
		{"PUT /v1/modes|Authorization: Bearer " + token + "|Content-Type: application/json", `{"mode":"off","all":true}`, 400, `the body is malformed: json: unknown field "all"`},
		{"PUT /v1/modes|Authorization: Bearer " + token + "|Content-Type: application/json", `{"mode":"off"} {}`, 400, "the body is malformed: more than one JSON value"},
		{"PUT /v1/modes|Authorization: Bearer " + token + "|Content-Type: application/json", `{"api":"` + strings.Repeat("x", maxBody) + `"}`, 400, "the body is malformed: http: request body too large"},
		{"PUT /v1/modes|Authorization: Bearer " + token + "|Content-Type: application/json", `{"api":"carts","mode":"off"}`, 409, `there is no API "carts"`},
		{"POST /v1/modes|Authorization: Bearer " + token, `{"mode":"off"}`, 405, ""},
	} {
		parts := strings.Split(tc.request, "|")
		method, path, _ := strings.Cut(parts[0], " ")
		request, err := http.NewRequest(method, "http://"+r.address+path, strings.NewReader(tc.body))
		must(t, err)
		for _, header := range parts[1:] {
			name, value, _ := strings.Cut(header, ": ")
			if request.Header.Set(name, value); name == "Host" {
				request.Host = value
			}
		}
		response, err := http.DefaultTransport.RoundTrip(request)
		must(t, err)
		body, err := io.ReadAll(response.Body)
		must(t, err)
		response.Body.Close()
		var refusal failure
		answer := string(body)
		if json.Unmarshal(body, &refusal) == nil && refusal.Error != "" {
			answer = refusal.Error
		} else if response.Header.Get("Content-Type") == "application/json" {
			answer = strings.NewReplacer("\n", "", "  ", "", ": ", ":").Replace(answer)
		}
		if name := strings.ReplaceAll(tc.request, token, "TOKEN"); response.StatusCode != tc.status || !strings.HasPrefix(answer, tc.answer) {
			t.Errorf("%s %.40s:\n got %d %s\nwant %d %s", name, tc.body, response.StatusCode, answer, tc.status, tc.answer)
		}
	}
	for _, entry := range r.log.All() {
		if strings.Contains(fmt.Sprint(entry), token) {
			t.Errorf("the token is in the log: %s", entry.Message)
		}
	}
	if changes := r.log.FilterMessage("mode changed").Len(); changes != 1 {
		t.Errorf("%d changes of modes were logged, want 1", changes)
	}
}

func TestTokenFileIsPrivateAndGoes(t *testing.T) {
	r := start(t)
	for name, want := range map[string]os.FileMode{r.tokenFile: 0o600, filepath.Dir(r.tokenFile): 0o700 | os.ModeDir} {
		info, err := os.Stat(name)
		must(t, err)
		if info.Mode() != want {
			t.Errorf("%s has mode %v, want %v", name, info.Mode(), want)
		}
	}
	first := r.client(t).token
	must(t, r.stop())
	if _, err := os.Stat(r.tokenFile); !os.IsNotExist(err) {
		t.Errorf("after the stop: %v, want no token file", err)
	}
	if second := start(t).client(t).token; second == first {
		t.Error("two starts have the same token")
	}
}

func TestListenOnlyOnLoopback(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0"} {
		l, err := Listen(address, filepath.Join(t.TempDir(), "token"))
		if err == nil {
			l.Close()
		}
		if want := "admin address " + address + ": not on loopback; the interface has no TLS"; err == nil || err.Error() != want {
			t.Errorf("Listen(%s): %v, want %s", address, err, want)
		}
	}
}

func TestSetMode(t *testing.T) {
	c := start(t).client(t)
	result, err := c.SetMode(t.Context(), ModeChange{API: "orders", Operation: "place", Mode: "enforce"})
	must(t, err)
	want := []rollout.Operation{{Label: "list", Mode: "shadow"}, {Label: "place", Mode: "enforce"}}
	if len(result.APIs) != 1 || result.APIs[0].Mode != "shadow" || !slices.Equal(result.APIs[0].Operations, want) || result.Nodes != 0 {
		t.Errorf("result %+v", result)
	}
	if _, err := c.SetMode(t.Context(), ModeChange{API: "carts", Mode: "off"}); err == nil || err.Error() != `there is no API "carts", only: orders` {
		t.Errorf("unknown API: %v", err)
	}
	result, err = c.SetMode(t.Context(), ModeChange{API: "orders", Mode: Reset})
	must(t, err)
	if place := (policy.OperationKey{API: "orders", Operation: "place"}); !slices.Equal(result.Following, []policy.OperationKey{place}) || result.APIs[0].Operations[1].Mode != "shadow" {
		t.Errorf("taken back: %+v", result)
	}
}

var record = server.Record{
	Time: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), Node: "n", API: "orders", Operation: "place", Decision: "rejected", Mode: "enforce", RequestID: "r",
	Violations: []violation.Violation{
		{Code: violation.Pattern, In: violation.InBody, Pointer: "/sku", Schema: "#/s", Threat: "API8-01"},
		{Code: violation.UndeclaredParameter, In: violation.InQuery, Pointer: "*", Threat: violation.Contract},
	},
}

// awaitListener returns once a client listens to the feed.
func awaitListener(t *testing.T, f *Feed) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		f.mu.Lock()
		n := len(f.listeners)
		f.mu.Unlock()
		if n > 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("nobody listens")
		}
	}
}

func TestViolations(t *testing.T) {
	r := start(t)
	got := make(chan Violation, 2)
	ended := make(chan error, 1)
	go func() {
		ended <- r.client(t).Violations(context.Background(), func(v Violation) { got <- v }, func(int) {})
	}()
	awaitListener(t, r.feed)
	r.feed.Publish(record)
	common := Violation{Time: record.Time, Node: "n", API: "orders", Operation: "place", Decision: "rejected", Mode: "enforce", Request: "r", Family: "validation"}
	first, second := common, common
	first.Code, first.In, first.Pointer, first.Schema, first.Threat = "pattern", "body", "/sku", "#/s", "API8-01"
	second.Code, second.In, second.Pointer, second.Threat = "undeclared-parameter", "query", "*", "contract"
	for _, want := range []Violation{first, second} {
		if v := <-got; v != want {
			t.Errorf("got %+v\nwant %+v", v, want)
		}
	}
	must(t, r.stop())
	if err := <-ended; err == nil || !strings.HasPrefix(err.Error(), "the control plane has ended the stream") {
		t.Errorf("after the stop: %v", err)
	}
}

func TestSlowListenerHearsHowManyItMissed(t *testing.T) {
	r := start(t)
	first, wait := make(chan struct{}), make(chan struct{})
	got, lost := 0, 0
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	const records = 50_000 // more than the backlog and the sockets hold
	go func() {
		ended <- r.client(t).Violations(ctx, func(Violation) {
			if got++; got == 1 {
				close(first)
				<-wait
			}
			if got+lost == 2*records {
				cancel()
			}
		}, func(n int) {
			if lost += n; got+lost == 2*records {
				cancel()
			}
		})
	}()
	awaitListener(t, r.feed)
	r.feed.Publish(record)
	<-first
	for range records - 1 {
		r.feed.Publish(record)
	}
	close(wait)
	select {
	case err := <-ended:
		must(t, err)
	case <-time.After(20 * time.Second):
		cancel()
		<-ended
	}
	if got+lost != 2*records || lost == 0 {
		t.Errorf("%d violations came and %d were reported lost, of %d", got, lost, 2*records)
	}
}

// deadlined writes as a connection does: not after its deadline.
type deadlined struct {
	httptest.ResponseRecorder
	deadline time.Time
}

func (w *deadlined) SetWriteDeadline(at time.Time) error { w.deadline = at; return nil }

func (w *deadlined) Write(p []byte) (int, error) {
	if !w.deadline.IsZero() && time.Now().After(w.deadline) {
		return 0, os.ErrDeadlineExceeded
	}
	return w.ResponseRecorder.Write(p)
}

func (w *deadlined) WriteString(s string) (int, error) { return w.Write([]byte(s)) }

func TestAStreamOutlivesQuietTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		w := &deadlined{ResponseRecorder: *httptest.NewRecorder()}
		feed := &Feed{}
		go (&api{Config{Feed: feed}}).violations(w, httptest.NewRequestWithContext(ctx, "GET", "/v1/violations", nil))
		for range 3 {
			synctest.Wait()
			feed.Publish(record)
			time.Sleep(keepalive + writeLimit)
		}
		cancel()
		synctest.Wait()
		if got, want := strings.Count(w.Body.String(), `"code"`), 3*len(record.Violations); got != want {
			t.Errorf("%d violations came, want %d", got, want)
		}
	})
}

func TestClientErrors(t *testing.T) {
	r := start(t)
	if _, err := NewClient("127.0.0.1:1", r.tokenFile+"x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no token file: %v", err)
	}
	c, err := NewClient("127.0.0.1:1", r.tokenFile)
	must(t, err)
	other := filepath.Join(t.TempDir(), "token")
	must(t, os.WriteFile(other, []byte("another\n"), 0o600))
	wrong, err := NewClient(r.address, other)
	must(t, err)
	if _, err := wrong.Status(t.Context()); err == nil || err.Error() != "the token in "+other+" is not that of the control plane at "+r.address {
		t.Errorf("a wrong token: %v", err)
	}
	if _, err := c.SetMode(t.Context(), ModeChange{Mode: "off"}); err == nil || !strings.HasPrefix(err.Error(), "no control plane answers at 127.0.0.1:1: ") {
		t.Errorf("nobody there: %v", err)
	}
}
