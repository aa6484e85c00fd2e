// Package envoytest runs real Envoys in tests.
package envoytest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Path returns the Envoy to test with: $ENVOY, the one on PATH, or the one
// that "make envoy" puts into bin. It fails the test if there is none.
func Path(t testing.TB) string {
	t.Helper()
	if path := os.Getenv("ENVOY"); path != "" {
		return path
	}
	if path, err := exec.LookPath("envoy"); err == nil {
		return path
	}
	_, here, _, _ := runtime.Caller(0)
	path := filepath.Join(filepath.Dir(here), "..", "..", "bin", "envoy")
	if _, err := os.Stat(path); err != nil {
		t.Fatal("no Envoy: set $ENVOY, put envoy on PATH, or run make envoy")
	}
	return path
}

// Envoy is a running Envoy.
type Envoy struct {
	t     testing.TB
	admin http.Client
	log   string
	pid   int
}

// Directory makes a short-named directory for Unix sockets, whose paths are
// limited to about a hundred bytes, which t.TempDir's may exceed.
func Directory(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tg")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// Start runs Envoy with a bootstrap whose admin address is the Unix socket
// admin, until the test ends. It returns once the admin interface answers.
// The end of Envoy's log becomes part of the log of a test that failed.
func Start(t testing.TB, bootstrap []byte, admin string, workers int) *Envoy {
	t.Helper()
	dir := Directory(t)
	config, log := filepath.Join(dir, "envoy.yaml"), filepath.Join(dir, "envoy.log")
	if err := os.WriteFile(config, bootstrap, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(Path(t), "-c", config, "--concurrency", strconv.Itoa(workers),
		"--disable-hot-restart", "--drain-time-s", "1", "--log-path", log, "--log-level", "warning")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	e := Attach(t, cmd.Process.Pid, admin, log)
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-exited:
		case <-time.After(10 * time.Second):
			cmd.Process.Kill()
			<-exited
		}
		if t.Failed() {
			t.Log("Envoy's log ends:\n" + e.Log(8<<10))
		}
	})
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if response, err := e.admin.Get("http://envoy/server_info"); err == nil {
			response.Body.Close()
			return e
		}
		select {
		case err := <-exited:
			exited <- err
			t.Fatalf("Envoy ended: %v\n%s", err, e.Log(8<<10))
		default:
		}
		if time.Now().After(deadline) {
			t.Fatal("Envoy's admin interface does not answer")
		}
	}
}

// Attach returns the Envoy that runs as pid, with its admin address on the
// Unix socket admin and its log in the file log. Its end is not its
// business.
func Attach(t testing.TB, pid int, admin, log string) *Envoy {
	e := &Envoy{t: t, log: log, pid: pid}
	e.admin.Transport = &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", admin)
	}}
	t.Cleanup(e.admin.CloseIdleConnections)
	return e
}

// PID is the process id.
func (e *Envoy) PID() int { return e.pid }

// Resident is the resident memory, in bytes.
func (e *Envoy) Resident() int {
	e.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", e.pid))
	if err != nil {
		e.t.Fatal(err)
	}
	var kilobytes int
	_, line, _ := strings.Cut(string(status), "VmRSS:")
	if _, err := fmt.Sscan(line, &kilobytes); err != nil {
		e.t.Fatal(err)
	}
	return kilobytes << 10
}

// Admin gets a page of the admin interface: "/stats", "/config_dump".
func (e *Envoy) Admin(path string) string {
	e.t.Helper()
	response, err := e.admin.Get("http://envoy" + path)
	if err != nil {
		e.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		e.t.Fatalf("GET %s: %s %v", path, response.Status, err)
	}
	return string(body)
}

// Stats returns the lines of Envoy's Prometheus page that hold text.
func (e *Envoy) Stats(text string) []string {
	e.t.Helper()
	var lines []string
	for line := range strings.Lines(e.Admin("/stats/prometheus")) {
		if strings.Contains(line, text) && !strings.HasPrefix(line, "#") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

// Log returns the last n bytes of Envoy's log.
func (e *Envoy) Log(n int) string {
	text, err := os.ReadFile(e.log)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-n):])
}

// Eventually waits up to twenty seconds for ok to hold.
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still not so after 20 s: %s", what)
		}
	}
}

// Listen listens on a port of loopback from below the range that the kernel
// takes for connections: a port from within may be gone again to somebody's
// connection before an Envoy gets it.
func Listen() (net.Listener, error) {
	for {
		l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(12000+rand.IntN(20000)))
		if !errors.Is(err, syscall.EADDRINUSE) {
			return l, err
		}
	}
}
