// Package gateway starts real gateways for tests: the threatgate binary, the
// Wasm module and an Envoy, in front of an upstream that remembers what
// reached it.
package gateway

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/threatgate/threatgate/e2e/envoytest"
)

// Root is the directory of the checkout.
var Root = func() string {
	_, here, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(here), "..", "..")
}()

var built string // the directory that build made

var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "tgbin")
	if err != nil {
		return "", err
	}
	built = dir
	for _, step := range []struct {
		out, pkg string
		env      []string
		args     []string
	}{
		{"threatgate", "./controlplane", nil, nil},
		{"threatgate.wasm", "./filter", []string{"GOOS=wasip1", "GOARCH=wasm"}, []string{"-buildmode=c-shared", "-ldflags=-s -w"}},
	} {
		cmd := exec.Command("go", append(append([]string{"build", "-trimpath", "-o", filepath.Join(dir, step.out)}, step.args...), step.pkg)...)
		cmd.Dir, cmd.Env = Root, append(os.Environ(), step.env...)
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", &buildError{step.pkg, err, out}
		}
	}
	return dir, nil
})

type buildError struct {
	pkg string
	err error
	out []byte
}

func (e *buildError) Error() string { return e.pkg + ": " + e.err.Error() + "\n" + string(e.out) }

// Binaries returns a directory with threatgate and threatgate.wasm as the
// sources have them now. They are built once for each test process.
func Binaries(t testing.TB) string {
	t.Helper()
	dir, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// Main runs a package's tests and removes what Binaries built.
func Main(m *testing.M) {
	code := m.Run()
	os.RemoveAll(built)
	os.Exit(code)
}

// FreeAddress returns an address on loopback that nothing listens on.
func FreeAddress(t testing.TB) string {
	t.Helper()
	l, err := envoytest.Listen()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// Process is a running threatgate command.
type Process struct {
	t      testing.TB
	cmd    *exec.Cmd
	mu     sync.Mutex
	output bytes.Buffer // stderr
	done   chan struct{}
	err    error
}

// Start starts threatgate with args; lines of its standard output go to
// onLine. It is stopped when the test ends.
func Start(t testing.TB, onLine func(string), args ...string) *Process {
	t.Helper()
	p := &Process{t: t, done: make(chan struct{})}
	p.cmd = exec.Command(filepath.Join(Binaries(t), "threatgate"), args...)
	p.cmd.Env = append(os.Environ(), "ENVOY="+envoytest.Path(t))
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stderr = writer(func(b []byte) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.output.Write(b)
	})
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			onLine(lines.Text())
		}
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		p.Stop()
		if t.Failed() {
			t.Logf("threatgate %s:\n%s", args[0], p.Stderr())
		}
	})
	return p
}

type writer func([]byte)

func (w writer) Write(b []byte) (int, error) { w(b); return len(b), nil }

// Stderr is what the command has written to standard error so far.
func (p *Process) Stderr() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.String()
}

// Stop interrupts the command and waits for its end.
func (p *Process) Stop() {
	p.cmd.Process.Signal(syscall.SIGINT)
	select {
	case <-p.done:
	case <-time.After(20 * time.Second):
		p.t.Errorf("threatgate did not stop on SIGINT")
		p.Kill()
	}
}

// Kill ends the command without a chance to clean up.
func (p *Process) Kill() {
	p.cmd.Process.Kill()
	<-p.done
}

// Exited returns a channel that is closed when the command has ended.
func (p *Process) Exited() <-chan struct{} { return p.done }

// PID is the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// ExitCode is the command's exit code, once it has ended.
func (p *Process) ExitCode() int { return p.cmd.ProcessState.ExitCode() }

// Gateway is "threatgate run" in front of an upstream.
type Gateway struct {
	*Process
	Listen, Admin, TokenFile string
	Upstream                 *Upstream
}

// Run starts "threatgate run" with the given arguments, and addresses and a
// state directory of its own unless they name some, and waits until it is
// ready.
func Run(t testing.TB, args ...string) *Gateway {
	t.Helper()
	return RunBefore(t, NewUpstream(t), args...)
}

// RunBefore is Run in front of an upstream that is there already.
func RunBefore(t testing.TB, up *Upstream, args ...string) *Gateway {
	t.Helper()
	dir := t.TempDir()
	g := &Gateway{Upstream: up, Listen: FreeAddress(t), Admin: FreeAddress(t), TokenFile: filepath.Join(dir, "token")}
	ready := make(chan struct{})
	args = append([]string{
		"run", "--upstream", up.URL, "--listen", g.Listen, "--admin", g.Admin, "--token-file", g.TokenFile,
		"--wasm", filepath.Join(Binaries(t), "threatgate.wasm"), "--state", filepath.Join(dir, "state"),
	}, args...)
	var once sync.Once
	g.Process = Start(t, func(line string) {
		if strings.Contains(line, "ready") {
			once.Do(func() { close(ready) })
		}
	}, args...)
	select {
	case <-ready:
	case <-g.Exited():
		t.Fatalf("threatgate run ended:\n%s", g.Stderr())
	case <-time.After(60 * time.Second):
		t.Fatalf("threatgate run is not ready after a minute:\n%s", g.Stderr())
	}
	return g
}

// URL is the gateway's address with a path.
func (g *Gateway) URL(path string) string { return "http://" + g.Listen + path }

// Command runs another threatgate command against the gateway's admin
// address and returns its standard output.
func (g *Gateway) Command(args ...string) string {
	g.t.Helper()
	cmd := exec.Command(filepath.Join(Binaries(g.t), "threatgate"), append(args, "--admin", g.Admin, "--token-file", g.TokenFile)...)
	out, err := cmd.Output()
	if err != nil {
		var stderr []byte
		if exit, ok := err.(*exec.ExitError); ok {
			stderr = exit.Stderr
		}
		g.t.Fatalf("threatgate %s: %v\n%s", strings.Join(args, " "), err, stderr)
	}
	return string(out)
}

// Metric sums the values of a metric on the admin page, of all its series
// that have every given label, as `decision="allowed"`.
func (g *Gateway) Metric(name string, labels ...string) float64 {
	g.t.Helper()
	response, err := http.Get("http://" + g.Admin + "/metrics")
	if err != nil {
		g.t.Fatal(err)
	}
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		g.t.Fatalf("GET /metrics: %s %v", response.Status, err)
	}
	return Sum(string(page), name, labels...)
}

var sample = regexp.MustCompile(`(?m)^([a-z_]+)(?:\{(.*)\})? ([0-9.e+-]+)$`)

// Sum is Metric for a page that has been read.
func Sum(page, name string, labels ...string) (sum float64) {
	for _, m := range sample.FindAllStringSubmatch(page, -1) {
		if m[1] != name {
			continue
		}
		matches := true
		for _, l := range labels {
			matches = matches && strings.Contains(","+m[2]+",", ","+l+",")
		}
		var value float64
		if err := json.Unmarshal([]byte(m[3]), &value); err == nil && matches {
			sum += value
		}
	}
	return sum
}

// Received is one request as the upstream saw it.
type Received struct {
	Method, Target string
	Header         http.Header
	Body           []byte
	Trailer        http.Header
}

// Upstream answers every request with 200 and remembers it.
type Upstream struct {
	URL    string
	server *httptest.Server

	mu       sync.Mutex
	received []Received
	// Handler, if set, answers instead; it may read the body.
	Handler http.HandlerFunc
}

// NewUpstream starts an upstream on a free port.
func NewUpstream(t testing.TB) *Upstream {
	t.Helper()
	u := &Upstream{}
	u.server = httptest.NewServer(http.HandlerFunc(u.serve))
	u.URL = u.server.URL
	t.Cleanup(u.server.Close)
	return u
}

func (u *Upstream) serve(w http.ResponseWriter, r *http.Request) {
	if u.Handler != nil {
		u.Handler(w, r)
		return
	}
	body, _ := io.ReadAll(r.Body)
	u.mu.Lock()
	u.received = append(u.received, Received{r.Method, r.RequestURI, r.Header.Clone(), body, r.Trailer.Clone()})
	u.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, `{"ok":true}`)
}

// Take returns what has arrived since the last call.
func (u *Upstream) Take() []Received {
	u.mu.Lock()
	defer u.mu.Unlock()
	taken := u.received
	u.received = nil
	return taken
}

// Problem is the body of a rejection (RFC 9457).
type Problem struct {
	Type, Title, Detail, Instance string
	Status                        int
	Errors                        []struct {
		Pointer, Parameter, In, Code, Threat string
	}
}

// Answer is a response, read whole.
type Answer struct {
	Status  int
	Header  http.Header
	Body    []byte
	Problem Problem // where the response is problem details
}

// Client speaks HTTP/1.1, and H2 HTTP/2 without TLS.
var Client, H2 = client(false), client(true)

func client(h2 bool) *http.Client {
	var protocols http.Protocols
	protocols.SetHTTP1(!h2)
	protocols.SetUnencryptedHTTP2(h2)
	return &http.Client{
		Timeout:       60 * time.Second,
		Transport:     &http.Transport{Protocols: &protocols, MaxIdleConnsPerHost: 64},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Do sends a request and reads the answer.
func Do(t testing.TB, c *http.Client, request *http.Request) Answer {
	t.Helper()
	response, err := c.Do(request)
	if err != nil {
		t.Fatalf("%s %s: %v", request.Method, request.URL, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", request.Method, request.URL, err)
	}
	a := Answer{Status: response.StatusCode, Header: response.Header, Body: body}
	if response.Header.Get("Content-Type") == "application/problem+json" && len(body) > 0 {
		if err := json.Unmarshal(body, &a.Problem); err != nil {
			t.Fatalf("problem details are not JSON: %v\n%s", err, body)
		}
	}
	return a
}

// Request makes a request; header holds lines "Name: value". A body is JSON
// unless a line says otherwise; "Content-Type:" says that it is untyped.
func Request(t testing.TB, method, url, body string, header ...string) *http.Request {
	t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	request, err := http.NewRequestWithContext(context.Background(), method, url, reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range header {
		name, value, _ := strings.Cut(line, ":")
		request.Header.Add(name, strings.TrimSpace(value))
	}
	if types, given := request.Header["Content-Type"]; body != "" && !given {
		request.Header.Set("Content-Type", "application/json")
	} else if given && types[0] == "" {
		request.Header.Del("Content-Type")
	}
	return request
}
