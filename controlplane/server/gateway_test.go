package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/threatgate/threatgate/controlplane/snapshot"
	"github.com/threatgate/threatgate/e2e/envoytest"
	"github.com/threatgate/threatgate/internal/compile"
)

// gateway is a control plane with one real Envoy, which runs the filter of
// testdata/probe in front of an upstream.
type gateway struct {
	t        *testing.T
	server   *Server
	stop     func() // ends the control plane; Envoy goes on
	socket   string // of the control plane
	envoy    *envoytest.Envoy
	upstream *httptest.Server
	roots    string                           // of upstreams with TLS
	handler  atomic.Pointer[http.HandlerFunc] // of upstream

	mu        sync.Mutex
	nodes     []string // "<node> <connected>"
	events    []Event
	records   []Record
	reports   []string // "node service revision"
	malformed int
}

// newGateway starts all of it with releases as the first snapshot, and
// returns once Envoy listens on their addresses. The upstream answers with the request's headers, as http.Header.Write does.
func newGateway(t *testing.T, releases ...*compile.Release) *gateway {
	t.Helper()
	return newGatewayWithRoots(t, "", releases...)
}

// newGatewayWithRoots also gives the file of the certificates that upstreams
// with TLS are verified by.
func newGatewayWithRoots(t *testing.T, roots string, releases ...*compile.Release) *gateway {
	t.Helper()
	dir := envoytest.Directory(t)
	g := &gateway{t: t, socket: filepath.Join(dir, "xds"), roots: roots}
	g.serve(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		fmt.Fprintf(w, "%s %s\r\n", r.Method, r.RequestURI)
		r.Header.Write(w)
	})
	g.upstream = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		(*g.handler.Load())(w, r)
	}))
	t.Cleanup(g.upstream.Close)
	first := g.build(releases...)
	g.startControlPlane(first)
	admin := filepath.Join(dir, "admin")
	bootstrap, err := snapshot.Bootstrap(snapshot.BootstrapOptions{Node: "node", Admin: admin, ControlPlane: g.socket, PushCounters: true})
	if err != nil {
		t.Fatal(err)
	}
	g.envoy = envoytest.Start(t, bootstrap, admin, 1)
	if err := g.acked(first); err != nil {
		t.Fatal(err)
	}
	for _, r := range releases {
		envoytest.Eventually(t, r.Service+" listens", func() bool {
			conn, err := net.Dial("tcp", r.Gateway.Listen)
			if err == nil {
				conn.Close()
			}
			return err == nil
		})
	}
	return g
}

// serve makes h the upstream's handler until t ends.
func (g *gateway) serve(t *testing.T, h http.HandlerFunc) {
	old := g.handler.Swap(&h)
	t.Cleanup(func() { g.handler.Store(old) })
}

// startControlPlane serves s until g.stop is called.
func (g *gateway) startControlPlane(s *snapshot.Snapshot) {
	g.t.Helper()
	g.server = New(Options{
		OnNode: func(node string, connected bool) {
			g.note(func() { g.nodes = append(g.nodes, fmt.Sprint(node, " ", connected)) })
		},
		OnShared: func(s *Shared) { g.t.Error(s) },
		OnEvent:  func(e Event) { g.note(func() { g.events = append(g.events, e) }) },
		OnRecord: func(r Record) { g.note(func() { g.records = append(g.records, r) }) },
		OnReport: func(node, service string, r Report) {
			g.note(func() { g.reports = append(g.reports, node+" "+service+" "+r.Revision) })
		},
		OnMalformed: func() { g.note(func() { g.malformed++ }) },
	})
	g.server.Push(s)
	os.Remove(g.socket)
	listener, err := net.Listen("unix", g.socket)
	if err != nil {
		g.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- g.server.Serve(ctx, listener) }()
	g.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-served; err != nil {
			g.t.Error(err)
		}
	})
	g.t.Cleanup(g.stop)
}

func (g *gateway) note(f func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	f()
}

// build makes a snapshot of releases in front of g's upstream.
func (g *gateway) build(releases ...*compile.Release) *snapshot.Snapshot {
	g.t.Helper()
	host, text, _ := net.SplitHostPort(g.upstream.Listener.Addr().String())
	port, _ := strconv.ParseUint(text, 10, 16)
	for _, r := range releases {
		if r.Gateway.Upstream.Host == "" {
			r.Gateway.Upstream = compile.Upstream{Host: host, Port: uint16(port)}
		}
	}
	s, err := snapshot.Build(releases, snapshot.Environment{WasmPath: probe(g.t), Roots: g.roots})
	if err != nil {
		g.t.Fatal(err)
	}
	return s
}

// push pushes releases and waits until they are accepted or refused.
func (g *gateway) push(releases ...*compile.Release) error {
	g.t.Helper()
	s := g.build(releases...)
	g.server.Push(s)
	return g.acked(s)
}

// acked waits until s is accepted or refused. The first time, V8 compiles
// the module, which takes a second of an idle machine.
func (g *gateway) acked(s *snapshot.Snapshot) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return g.server.WaitAcked(ctx, s)
}

// release makes a release of a service whose policy is any text. Its
// address is free.
func release(t *testing.T, service, policy string) *compile.Release {
	t.Helper()
	listener, err := envoytest.Listen()
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return revise(&compile.Release{Service: service, Gateway: compile.Gateway{Service: service, Listen: listener.Addr().String()}}, policy)
}

// revise is r with another policy. The probe takes the first 16 bytes of a
// policy for its revision.
func revise(r *compile.Release, policy string) *compile.Release {
	next := *r
	digest := sha256.Sum256([]byte(policy))
	next.Digest = hex.EncodeToString(digest[:])
	next.Bundle = []byte(next.Revision() + policy)
	return &next
}

// get sends one GET with extra headers ("name", "value", ...).
func get(t *testing.T, r *compile.Release, path string, headers ...string) (status int, header http.Header, body string) {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, "http://"+r.Gateway.Listen+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for pair := range slices.Chunk(headers, 2) {
		request.Header.Add(pair[0], pair[1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header, string(text)
}

// probe builds the filter of testdata/probe, once.
var buildProbe = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "tg")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "probe.wasm")
	build := exec.Command("go", "build", "-buildmode=c-shared", "-o", path, "./testdata/probe")
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the probe: %w\n%s", err, out)
	}
	return path, nil
})

func probe(t *testing.T) string {
	t.Helper()
	path, err := buildProbe()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := buildProbe(); err == nil {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}
