package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/threatgate/threatgate/controlplane/admin"
	"github.com/threatgate/threatgate/controlplane/envoy"
	"github.com/threatgate/threatgate/controlplane/pipeline"
	"github.com/threatgate/threatgate/controlplane/server"

	"github.com/threatgate/threatgate/e2e/envoytest"
)

// gateway is `threatgate run` in this process, with a real Envoy.
type gateway struct {
	*testing.T
	listen, admin, spec string
	stdout, stderr      *output
	ended               chan int
	stop                context.CancelFunc
}

// parts are what a gateway needs besides this program: `make build envoy`
// gets them.
type parts struct{ wasm, envoy, upstream string }

// newParts also makes the temporary and the cache directory new ones, so that
// a test sees what is left behind.
func newParts(t *testing.T) parts {
	t.Helper()
	wasm, err := filepath.Abs("../bin/threatgate.wasm")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(wasm); err != nil {
		t.Fatalf("%v: make build makes it", err)
	}
	binary := ""
	if _, err := os.Stat("../bin/envoy"); err == nil && os.Getenv("ENVOY") == "" {
		binary = "../bin/envoy"
	}
	if binary, err = envoy.Find(t.Context(), binary, zap.NewNop()); err != nil {
		t.Fatal(err)
	}
	temp, err := os.MkdirTemp("", "tg") // short, for sockets
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", temp)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(temp, "cache"))
	t.Cleanup(func() { os.RemoveAll(temp) })
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "upstream") }))
	t.Cleanup(upstream.Close)
	return parts{wasm, binary, upstream.URL}
}

func startGateway(t *testing.T, args ...string) *gateway {
	t.Helper()
	p := newParts(t)
	ctx, stop := context.WithCancel(context.Background())
	g := &gateway{T: t, listen: freeAddress(t), admin: freeAddress(t), ended: make(chan int, 1), stop: stop, stdout: new(output), stderr: new(output),
		spec: write(t, filepath.Join(t.TempDir(), "orders.yaml"), orders)}
	args = append([]string{"run", "--spec", g.spec, "--upstream", p.upstream, "--listen", g.listen, "--admin", g.admin,
		"--wasm", p.wasm, "--envoy", p.envoy, "--concurrency", "2"}, args...)
	go func() { g.ended <- execute(ctx, args, g.stdout, g.stderr) }()
	t.Cleanup(func() {
		stop()
		if t.Failed() {
			t.Logf("stderr:\n%s", g.stderr.String())
		}
	})
	g.eventually("ready", func() bool { return strings.Contains(g.stdout.String(), "ready") })
	return g
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := envoytest.Listen()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (g *gateway) eventually(what string, holds func() bool) {
	g.Helper()
	for deadline := time.Now().Add(30 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		select {
		case code := <-g.ended:
			g.ended <- code
			g.Fatalf("%s: the command ended with %d", what, code)
		default:
		}
		if time.Now().After(deadline) {
			g.Fatalf("not %s in time", what)
		}
	}
}

// get is the status of a request on a connection of its own, so that any
// worker may judge it.
func (g *gateway) get(path string) int {
	g.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get("http://" + g.listen + path)
	if err != nil {
		g.Fatal(err)
	}
	defer response.Body.Close()
	io.Copy(io.Discard, response.Body)
	return response.StatusCode
}

// metrics is the control plane's page.
func (g *gateway) metrics() string {
	g.Helper()
	response, err := http.Get("http://" + g.admin + "/metrics")
	if err != nil {
		g.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		g.Fatal(err)
	}
	return string(body)
}

func (g *gateway) metric(line string) bool {
	g.Helper()
	return strings.Contains(g.metrics(), "\n"+line+"\n")
}

func (g *gateway) expectEnd(code int) {
	g.Helper()
	select {
	case got := <-g.ended:
		if got != code {
			g.Errorf("exit %d, want %d", got, code)
		}
	case <-time.After(30 * time.Second):
		g.Fatal("the command does not end")
	}
	if l, err := net.Listen("tcp", g.listen); err != nil {
		g.Errorf("after the end: %v", err)
	} else {
		l.Close()
	}
	for _, pattern := range []string{"threatgate-*", "cache/threatgate/*"} {
		if left, _ := filepath.Glob(filepath.Join(os.TempDir(), pattern)); len(left) > 0 {
			g.Errorf("left behind: %v", left)
		}
	}
}

func TestRun(t *testing.T) {
	g := startGateway(t)
	if got, want := g.stdout.String(), "ready: http://"+g.listen+" is judged, admin http://"+g.admin+"\n"; got != want {
		t.Errorf("stdout %q, want %q", got, want)
	}

	// Shadow.
	var tailed output
	tail, endTail := context.WithCancel(t.Context())
	defer endTail()
	go execute(tail, []string{"tail", "--json", "--admin", g.admin}, &tailed, io.Discard)
	for path, want := range map[string]int{"/orders?limit=7": 200, "/orders?limit=700": 200, "/nowhere": 200} {
		if got := g.get(path); got != want {
			t.Errorf("shadow: GET %s: %d, want %d", path, got, want)
		}
	}
	for _, line := range []string{
		`threatgate_requests_total{api="orders",decision="allowed",operation="list"} 1`,
		`threatgate_requests_total{api="orders",decision="would_reject",operation="list"} 1`,
		`threatgate_requests_total{api="orders",decision="would_reject",operation="unknown"} 1`,
		`threatgate_violation_records_dropped_total 0`,
		`threatgate_violation_records_total 2`,
		`threatgate_xds_nacks_total 0`,
	} {
		g.eventually(line, func() bool { return g.metric(line) })
	}
	g.eventually("tailed", func() bool { // tail may have come too late for the first
		g.get("/orders?limit=700")
		return strings.Contains(tailed.String(), "\n")
	})
	var v admin.Violation
	line, _, _ := strings.Cut(tailed.String(), "\n")
	if err := json.Unmarshal([]byte(line), &v); err != nil || v.API != "orders" || v.Mode != "shadow" || v.Decision != "would_reject" {
		t.Errorf("tail: %s: %v", line, err)
	}

	// Enforce.
	if code, stdout, stderr := command(t, "mode", "--operation", "GET /orders", "off", "--admin", g.admin); code != exitOK || !strings.Contains(stdout, "\n  list: off\n") {
		t.Errorf("mode: %d %s %s", code, stdout, stderr)
	}
	if code, stdout, stderr := command(t, "mode", "enforce", "--admin", g.admin); code != exitOK || !strings.HasSuffix(stdout, "\nlist follows orders again\naccepted by 1 Envoy\n") {
		t.Errorf("mode: %d %s %s", code, stdout, stderr)
	}
	g.eventually("enforced", func() bool { return g.get("/orders?limit=700") == 400 && g.get("/nowhere") == 404 })

	// A file with a mistake, and then a better one.
	write(t, g.spec, "openapi: 3.0.3\npaths: 7\n")
	g.eventually("held back", func() bool { return !g.metric("threatgate_rollout_problems 0") })
	if got := g.get("/orders?limit=700"); got != 400 {
		t.Errorf("with a broken specification: %d, want 400", got)
	}
	write(t, g.spec, strings.Replace(orders, "maximum: 100", "maximum: 1000", 1))
	g.eventually("mended", func() bool { return g.get("/orders?limit=700") == 200 })
	if !strings.Contains(g.stderr.String(), g.spec+":2:8: ") {
		t.Errorf("the log does not say where the mistake is:\n%s", g.stderr.String())
	}

	g.stop()
	g.expectEnd(exitOK)
}

func TestRunEndsWithEnvoy(t *testing.T) {
	g := startGateway(t)
	pids, err := filepath.Glob(filepath.Join(os.TempDir(), "threatgate-*", "*", "envoy.pid"))
	if err != nil || len(pids) != 1 {
		t.Fatal(pids, err)
	}
	text, err := os.ReadFile(pids[0])
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	fmt.Sscan(string(text), &pid)
	process, err := os.FindProcess(pid)
	if err != nil {
		t.Fatal(err)
	}
	process.Kill()
	g.expectEnd(exitFailed)
	if !strings.Contains(g.stderr.String(), "threatgate: envoy ended (signal: killed); the end of its log:") {
		t.Errorf("stderr:\n%s", g.stderr.String())
	}
}

// What a worker judges by is what was saved a moment ago.
func TestSavedToEnforced(t *testing.T) {
	g := startGateway(t, "--mode", "enforce")
	var times []time.Duration
	for i := range 9 {
		write(t, g.spec, strings.Replace(orders, "maximum: 100", fmt.Sprintf("maximum: %d", 10+i), 1))
		saved := time.Now()
		within, over := fmt.Sprintf("/orders?limit=%d", 10+i), fmt.Sprintf("/orders?limit=%d", 11+i)
		// Enforced is what a run of requests, which both workers take part
		// in, sees from its first to its last.
		enforced := saved
		for judged := 0; judged < 20; judged++ {
			if judged == 0 {
				enforced = time.Now()
			}
			if g.get(within) != 200 || g.get(over) != 400 {
				judged = -1
			}
			if time.Since(saved) > 10*time.Second {
				t.Fatal("a saved file was not enforced")
			}
		}
		times = append(times, enforced.Sub(saved))
	}
	t.Logf("from saved to enforced: %v", times)
	g.stop()
	g.expectEnd(exitOK)
}

// What takes long says so, once, and before it is done.
func TestLongWorkIsAnnounced(t *testing.T) {
	dir := t.TempDir()
	core, logged := observer.New(zap.InfoLevel)
	rules, err := catalogue()
	if err != nil {
		t.Fatal(err)
	}
	in := pipeline.Input{Spec: write(t, filepath.Join(dir, "orders.yaml"), orders), Upstream: "127.0.0.1:1", Listen: "127.0.0.1:2", Catalogue: rules}
	c := &cli{stdout: io.Discard, stderr: io.Discard}
	p, err := c.newPlane(t.Context(), zap.New(core), in, server.Options{}, "/threatgate.wasm", "")
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	for want, wait := range []time.Duration{patience / 4, patience * 5 / 4} {
		ctx, cancel := context.WithTimeout(t.Context(), wait)
		if err := p.awaitJudging(ctx, nil, in.Listen); err == nil {
			t.Error("there is no Envoy, and it judges")
		}
		cancel()
		if got := logged.FilterMessage("loading the policy into Envoy").Len(); got != want {
			t.Errorf("%d words within %v, want %d", got, wait, want)
		}
	}
	if n := logged.FilterMessage("compiling the policy").Len(); n > 0 {
		t.Error("what was done at once was announced")
	}
}

// startProgram is startGateway with a process of its own, which takes over
// from the one before.
func (g *gateway) startProgram(p parts) *exec.Cmd {
	g.Helper()
	g.stdout, g.stderr, g.ended = new(output), new(output), make(chan int, 1)
	cmd := exec.Command(os.Args[0], "run", "--spec", g.spec, "--upstream", p.upstream, "--listen", g.listen, "--admin", g.admin,
		"--wasm", p.wasm, "--envoy", p.envoy, "--concurrency", "1")
	cmd.Env = append(os.Environ(), "THREATGATE_TEST_AS_PROGRAM=1")
	cmd.Stdout, cmd.Stderr = g.stdout, g.stderr
	if err := cmd.Start(); err != nil {
		g.Fatal(err)
	}
	ended := g.ended
	go func() {
		cmd.Wait() // its error is the exit code
		ended <- cmd.ProcessState.ExitCode()
	}()
	g.eventually("ready", func() bool { return strings.Contains(g.stdout.String(), "ready") })
	return cmd
}

func TestKilledControlPlaneIsReplaced(t *testing.T) {
	p := newParts(t)
	g := &gateway{T: t, listen: freeAddress(t), admin: freeAddress(t), spec: write(t, filepath.Join(t.TempDir(), "orders.yaml"), orders)}
	first := g.startProgram(p)
	if code, _, stderr := command(t, "mode", "enforce", "--admin", g.admin); code != exitOK {
		t.Fatal(stderr)
	}
	first.Process.Kill()
	<-g.ended
	if got := g.get("/nowhere"); got != 404 {
		t.Errorf("without a control plane: %d, want 404", got)
	}

	write(t, g.spec, "openapi: 3.0.3\npaths: 7\n")
	second := g.startProgram(p)
	if !strings.Contains(g.stderr.String(), "adopted the Envoy that was left running") {
		t.Errorf("Envoy was not adopted:\n%s", g.stderr.String())
	}
	if got := g.get("/nowhere"); got != 404 {
		t.Errorf("with the next one: %d, want 404", got)
	}

	if code, _, stderr := command(t, "run", "--spec", g.spec, "--upstream", p.upstream, "--listen", g.listen, "--wasm", p.wasm, "--envoy", p.envoy); code != exitFailed ||
		stderr != "threatgate: another threatgate is running the gateway on "+g.listen+"\n" {
		t.Errorf("a third one beside it: %d %s", code, stderr)
	}
	second.Process.Signal(syscall.SIGTERM)
	g.expectEnd(exitOK)
}

func TestForeignListener(t *testing.T) {
	p := newParts(t)
	foreign, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer foreign.Close()
	spec := write(t, filepath.Join(t.TempDir(), "orders.yaml"), orders)
	code, stdout, stderr := command(t, "run", "--spec", spec, "--upstream", p.upstream, "--listen", foreign.Addr().String(), "--admin", freeAddress(t), "--wasm", p.wasm, "--envoy", p.envoy)
	if want := "threatgate: the gateway can't listen: listen tcp " + foreign.Addr().String() + ": bind: address already in use; --listen, or the model's listen, names another address\n"; code != exitFailed || stdout != "" || !strings.HasSuffix(stderr, want) {
		t.Errorf("exit %d, stdout %q, stderr:\n%s\nwant it to end %s", code, stdout, stderr, want)
	}
}

const shop = `apiVersion: threatgate.dev/v1alpha1
kind: ThreatModel
metadata: {name: shop}
spec:
  services:
    - {id: orders, specs: [{file: orders.yaml}], upstream: "%s", listen: "%s"}
    - {id: carts, specs: [{file: carts.yaml}], upstream: "%[1]s", listen: "%[3]s"}
`

func TestListenOfTheModel(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "orders.yaml"), orders)
	const head = "apiVersion: threatgate.dev/v1alpha1\nkind: ThreatModel\nmetadata: {name: shop}\nspec: {services: [{id: orders, specs: [{file: orders.yaml}], "
	for _, tc := range []struct{ model, want string }{
		{`upstream: "127.0.0.1:1", listen: "127.0.0.1:7101"}]}`, "127.0.0.1:7101"},
		{`upstream: "127.0.0.1:1"}]}`, defaultListen},
		{`listen: "nowhere"}]}`, ""},
	} {
		flags := inputFlags{model: write(t, filepath.Join(dir, "shop.yaml"), head+tc.model)}
		in, err := flags.input()
		if err != nil {
			t.Fatal(err)
		}
		got, err := modelListen(in)
		if got != tc.want || (err != nil) != (tc.want == "") {
			t.Errorf("%s: %q, %v, want %q", tc.model, got, err, tc.want)
		}
	}
}

// A control plane of two services, restarted while one is broken.
func TestServe(t *testing.T) {
	p := newParts(t)
	dir := t.TempDir()
	carts := freeAddress(t)
	g := &gateway{T: t, listen: freeAddress(t), admin: freeAddress(t), spec: write(t, filepath.Join(dir, "orders.yaml"), orders)}
	write(t, filepath.Join(dir, "carts.yaml"), strings.ReplaceAll(orders, "orders", "carts"))
	model := write(t, filepath.Join(dir, "shop.yaml"), fmt.Sprintf(shop, strings.TrimPrefix(p.upstream, "http://"), g.listen, carts))
	xds := freeAddress(t)
	serve := func() {
		t.Helper()
		ctx, stop := context.WithCancel(context.Background())
		t.Cleanup(stop)
		g.stdout, g.stderr, g.ended, g.stop = new(output), new(output), make(chan int, 1), stop
		stdout, stderr, ended := g.stdout, g.stderr, g.ended
		go func() {
			ended <- execute(ctx, []string{"serve", "--model", model, "--xds", xds, "--admin", g.admin, "--wasm", p.wasm, "--state", filepath.Join(dir, "state")}, stdout, stderr)
		}()
		g.eventually("ready", func() bool { return strings.Contains(g.stdout.String(), "ready") })
	}
	serve()

	runtime, err := envoy.OpenDirectory(g.listen)
	if err != nil {
		t.Fatal(err)
	}
	code, bootstrap, stderr := command(t, "bootstrap", "--xds", xds, "--envoy-admin", runtime.Admin(), "--node", "one")
	if code != exitOK {
		t.Fatal(stderr)
	}
	process, err := envoy.Start(t.Context(), runtime, envoy.Options{Binary: p.envoy, Listen: g.listen, Bootstrap: []byte(bootstrap), Concurrency: 1, Log: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := errors.Join(process.Stop(context.Background()), runtime.Close()); err != nil {
			t.Error(err)
		}
	}()
	g.eventually("listening", func() bool { return process.Listening(t.Context(), g.listen) && process.Listening(t.Context(), carts) })
	if code, stdout, stderr := command(t, "mode", "--api", "orders", "enforce", "--admin", g.admin); code != exitOK || !strings.HasSuffix(stdout, "accepted by 1 Envoy\n") {
		t.Fatalf("mode: %d %s %s", code, stdout, stderr)
	}
	if got := g.get("/nowhere"); got != 404 {
		t.Errorf("orders in enforce: %d, want 404", got)
	}
	g.eventually("counted", func() bool {
		return g.metric(`threatgate_requests_total{api="orders",decision="rejected",operation="unknown"} 1`) &&
			g.metric("threatgate_violation_records_dropped_total 0")
	})

	g.stop()
	if code := <-g.ended; code != exitOK {
		t.Errorf("serve: exit %d, want 0", code)
	}
	for _, line := range []string{`INFO Envoy connected {"node": "one"}`, `INFO has the policy {"node": "one", "api": "orders", "revision": "`, "INFO stopping\n"} {
		if !strings.Contains(g.stderr.String(), line) {
			t.Errorf("not logged: %s", line)
		}
	}
	write(t, g.spec, "openapi: 3.0.3\npaths: 7\n")
	serve()
	g.eventually("connected", func() bool {
		return strings.Contains(g.metrics(), `threatgate_policy_revision_info{api="orders",node="one"`)
	})
	if !g.metric("threatgate_rollout_problems 1") {
		t.Errorf("the broken specification is not reported:\n%s", g.metrics())
	}
	if code, stdout, stderr := command(t, "mode", "--api", "carts", "enforce", "--admin", g.admin); code != exitOK || !strings.HasSuffix(stdout, "accepted by 1 Envoy\n") {
		t.Errorf("mode: %d %s %s", code, stdout, stderr)
	}
	if got := g.get("/nowhere"); got != 404 {
		t.Errorf("orders after a restart: %d, want 404", got)
	}
	g.listen = carts
	if got := g.get("/nowhere"); got != 404 {
		t.Errorf("carts in enforce: %d, want 404", got)
	}
	g.eventually("counted since Envoy's start", func() bool {
		return g.metric(`threatgate_requests_total{api="orders",decision="rejected",operation="unknown"} 2`) &&
			g.metric(`threatgate_requests_total{api="carts",decision="rejected",operation="unknown"} 1`)
	})
	g.stop()
	if code := <-g.ended; code != exitOK {
		t.Errorf("serve: exit %d, want 0", code)
	}
}
