package envoy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"
	"go.uber.org/zap/zaptest/observer"

	"github.com/threatgate/threatgate/e2e/envoytest"
)

// realEnvoy returns the Envoy of this checkout or this machine.
func realEnvoy(t *testing.T) string {
	t.Helper()
	name := ""
	if os.Getenv("ENVOY") == "" {
		if _, err := os.Stat("../../bin/envoy"); err == nil {
			name = "../../bin/envoy"
		}
	}
	path, err := Find(t.Context(), name, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// shortTemp makes TMPDIR a directory whose name leaves room for a socket's.
func shortTemp(t *testing.T) {
	t.Helper()
	dir, err := os.MkdirTemp("", "tg")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", dir)
	t.Cleanup(func() {
		left, err := os.ReadDir(dir)
		if err != nil || len(left) > 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
		os.RemoveAll(dir)
	})
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

func open(t *testing.T, listen string) *Directory {
	t.Helper()
	dir, err := OpenDirectory(listen)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// bootstrap is an Envoy that answers 200 on listen, without a control plane.
func bootstrap(dir *Directory, listen string) []byte {
	host, port, _ := net.SplitHostPort(listen)
	return fmt.Appendf(nil, `{
	"admin": {"address": {"pipe": {"path": %q}}},
	"static_resources": {"listeners": [{
		"name": "gateway", "address": {"socket_address": {"address": %q, "port_value": %s}},
		"filter_chains": [{"filters": [{"name": "http", "typed_config": {
			"@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
			"stat_prefix": "gateway",
			"route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "direct_response": {"status": 200}}]}]},
			"http_filters": [
				{"name": "delay", "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault", "delay": {"header_delay": {}, "percentage": {"numerator": 100}}}},
				{"name": "router", "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}]
		}}]}]}]}}`, dir.Admin(), host, port)
}

func options(t *testing.T, dir *Directory, listen string) Options {
	t.Helper()
	return Options{Binary: realEnvoy(t), Listen: listen, Bootstrap: bootstrap(dir, listen), Concurrency: 1, Log: zaptest.NewLogger(t)}
}

func startReal(t *testing.T, dir *Directory, opts Options) *Process {
	t.Helper()
	p, err := Start(t.Context(), dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func waitListening(t *testing.T, p *Process, listen string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !p.Listening(t.Context(), listen); time.Sleep(poll) {
		if time.Now().After(deadline) {
			t.Fatal("Envoy does not listen")
		}
	}
}

func stopAndClose(t *testing.T, p *Process, dir *Directory) {
	t.Helper()
	if err := errors.Join(p.Stop(context.Background()), dir.Close()); err != nil {
		t.Error(err)
	}
	if err := syscall.Kill(p.pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("envoy %d after Stop: %v", p.pid, err)
	}
}

func TestStopLetsRequestsFinish(t *testing.T) {
	shortTemp(t)
	listen := freeAddress(t)
	dir := open(t, listen)
	p := startReal(t, dir, options(t, dir, listen))
	waitListening(t, p, listen)

	answer := make(chan string, 1)
	go func() {
		request, _ := http.NewRequest("GET", "http://"+listen, nil)
		request.Header.Set("X-Envoy-Fault-Delay-Request", "700")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			answer <- err.Error()
			return
		}
		response.Body.Close()
		answer <- response.Status
	}()
	for n := 0; n == 0; time.Sleep(poll) {
		n, _ = p.activeRequests(t.Context())
	}
	stopAndClose(t, p, dir)
	if got := <-answer; got != "200 OK" {
		t.Errorf("request in flight: %s, want 200 OK", got)
	}
}

func TestSurvivorIsAdoptedOrReplaced(t *testing.T) {
	shortTemp(t)
	listen := freeAddress(t)
	dir := open(t, listen)
	opts := options(t, dir, listen)
	first := startReal(t, dir, opts)
	waitListening(t, first, listen)
	if err := os.Mkdir(dir.State(), 0o700); err != nil {
		t.Fatal(err)
	}
	dir.Close() // the control plane is gone, Envoy is not

	dir = open(t, listen)
	if _, err := os.Stat(dir.State()); err != nil {
		t.Errorf("the survivor's state is gone: %v", err)
	}
	second := startReal(t, dir, opts)
	if second.pid != first.pid {
		t.Errorf("pid %d, want that of the survivor, %d", second.pid, first.pid)
	}
	dir.Close()

	dir = open(t, listen)
	opts.Concurrency = 2
	third := startReal(t, dir, opts)
	waitListening(t, third, listen)
	if third.pid == first.pid {
		t.Error("an Envoy with other arguments was adopted")
	}
	stopAndClose(t, third, dir)
	<-second.Exited
}

func TestDeathIsExplained(t *testing.T) {
	shortTemp(t)
	listen := freeAddress(t)
	dir := open(t, listen)
	opts := options(t, dir, listen)

	p := startReal(t, dir, opts)
	syscall.Kill(p.pid, syscall.SIGKILL)
	if err := p.Why(); !strings.HasPrefix(err.Error(), "envoy ended (signal: killed); the end of its log:\n") {
		t.Errorf("killed: %v", err)
	}

	opts.Bootstrap = []byte(`{"admin": {"nonsense": 1}}`)
	if _, err := Start(t.Context(), dir, opts); err == nil || !strings.HasPrefix(err.Error(), "envoy ended (exit status 1)") || !strings.Contains(err.Error(), "nonsense") {
		t.Errorf("bad bootstrap: %v", err)
	}
	if err := dir.Close(); err != nil {
		t.Error(err)
	}
}

func TestForeignListenerIsRefused(t *testing.T) {
	shortTemp(t)
	foreign, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer foreign.Close()
	listen := foreign.Addr().String()
	dir := open(t, listen)
	defer dir.Close()
	_, err = Start(t.Context(), dir, Options{Binary: "/bin/false", Listen: listen, Log: zaptest.NewLogger(t)})
	if want := "the gateway can't listen: listen tcp " + listen + ": bind: address already in use; --listen, or the model's listen, names another address"; err == nil || err.Error() != want {
		t.Errorf("Start: %v, want %s", err, want)
	}
}

func TestDirectoryIsExclusive(t *testing.T) {
	shortTemp(t)
	dir := open(t, "127.0.0.1:1")
	other := open(t, "127.0.0.1:2")
	if second, err := OpenDirectory("127.0.0.1:1"); err == nil {
		second.Close()
		t.Error("one directory was opened twice")
	} else if want := "another threatgate is running the gateway on 127.0.0.1:1"; err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
	if err := errors.Join(dir.Close(), other.Close()); err != nil {
		t.Error(err)
	}
}

func TestStateOfTheDeadIsForgotten(t *testing.T) {
	shortTemp(t)
	dir := open(t, "127.0.0.1:1")
	if err := errors.Join(os.Mkdir(dir.State(), 0o700), os.WriteFile(dir.file("envoy.pid"), []byte("1"), 0o600), dir.lock.Close()); err != nil {
		t.Fatal(err)
	}
	dir = open(t, "127.0.0.1:1")
	defer dir.Close()
	if _, err := os.Stat(dir.State()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("state without an Envoy: %v, want none", err)
	}
}

func TestDirectoryOfOthersIsRefused(t *testing.T) {
	shortTemp(t)
	parent := filepath.Join(os.TempDir(), "threatgate-"+strconv.Itoa(os.Getuid()))
	defer os.Remove(parent)
	for _, spoil := range []func() error{
		func() error { return os.Mkdir(parent, 0o755) },
		func() error { return os.Symlink(os.TempDir(), parent) },
		func() error { return os.WriteFile(parent, nil, 0o700) },
	} {
		os.Remove(parent)
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		if d, err := OpenDirectory("127.0.0.1:1"); err == nil {
			d.Close()
			t.Error("a directory that others can write to was used")
		} else if want := parent + " is not a directory that only this user can enter; remove it"; err.Error() != want {
			t.Errorf("error %q, want %q", err, want)
		}
	}
}

func TestDirectoryTooDeepForSockets(t *testing.T) {
	t.Setenv("TMPDIR", "/"+strings.Repeat("x", 100))
	if _, err := OpenDirectory("127.0.0.1:1"); err == nil || !strings.HasSuffix(err.Error(), "too long for a Unix socket; set TMPDIR to a shorter directory") {
		t.Errorf("OpenDirectory: %v", err)
	}
}

func TestFind(t *testing.T) {
	script := func(dir, name, output string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("#!/bin/sh\necho '"+output+"'\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		return path
	}
	dir := t.TempDir()
	good := script(dir, "envoy", "envoy  version: 9e558093/1.40.0/Clean/RELEASE/BoringSSL")
	newer := script(dir, "newer", "newer  version: 9e558093/2.3.1-dev/Clean/RELEASE/BoringSSL")
	old := script(dir, "old", "old  version: 9e558093/1.39.7/Clean/RELEASE/BoringSSL")
	other := script(dir, "other", "hello")
	const tooOld = " is Envoy 1.39; 1.40 or newer is needed (`make envoy` gets one)"
	for _, tc := range []struct{ name, named, env, path, want, err, warning string }{
		{name: "named", named: newer, env: old, path: dir, want: newer},
		{name: "environment", env: newer, path: dir, want: newer},
		{name: "path", path: dir, want: good},
		{name: "named one is too old", named: old, path: dir, err: "--envoy: " + old + tooOld},
		{name: "another is too old", env: old, path: dir, want: good, warning: old + tooOld},
		{name: "another is something else", env: other, path: dir, want: good, warning: other + " does not say that it is an Envoy"},
		{name: "named one is missing", named: dir + "/no", path: dir, err: `--envoy: exec: "` + dir + `/no": stat ` + dir + `/no: no such file or directory`},
		{name: "another is missing", env: dir + "/no", path: dir, want: good, warning: `exec: "` + dir + `/no": stat ` + dir + `/no: no such file or directory`},
		{name: "none", path: t.TempDir(), err: "no Envoy: none in $ENVOY, on PATH or beside threatgate; `make envoy` gets one, --envoy names one"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Setenv("ENVOY", tc.env)
			t.Setenv("PATH", tc.path+":/usr/bin:/bin")
			core, logged := observer.New(zap.WarnLevel)
			got, err := Find(t.Context(), tc.named, zap.New(core))
			if err == nil && got != tc.want || err != nil && err.Error() != tc.err {
				t.Errorf("Find = %q, %v, want %q, %s", got, err, tc.want, tc.err)
			}
			warning := ""
			for _, entry := range logged.All() {
				warning += fmt.Sprint(entry.ContextMap()["error"])
			}
			if warning != tc.warning {
				t.Errorf("warning %q, want %q", warning, tc.warning)
			}
		})
	}
}

// A signal while a candidate is asked for its version is none of its faults.
func TestFindIsCancelled(t *testing.T) {
	t.Setenv("ENVOY", "")
	t.Setenv("PATH", t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	core, logged := observer.New(zap.WarnLevel)
	for _, named := range []string{"", "/bin/sh"} {
		if _, err := Find(ctx, named, zap.New(core)); err != context.Canceled || logged.Len() > 0 {
			t.Errorf("Find(%q): %v, %d warnings; want %v and none", named, err, logged.Len(), context.Canceled)
		}
	}
}

// The admin interface is read by its field names; this is what 1.40 says.
func TestListening(t *testing.T) {
	accepting, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer accepting.Close()
	address := accepting.Addr().(*net.TCPAddr)
	dir, err := os.MkdirTemp("", "tg")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ready, port := true, address.Port
	socket, err := net.Listen("unix", filepath.Join(dir, "admin.sock"))
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/ready" && !ready:
			w.WriteHeader(http.StatusServiceUnavailable)
		case r.URL.Path == "/listeners":
			json.NewEncoder(w).Encode(map[string]any{"listener_statuses": []any{map[string]any{
				"local_address": map[string]any{"socket_address": map[string]any{"address": "127.0.0.1", "port_value": port}}}}})
		default:
			io.WriteString(w, "LIVE\n")
		}
	})}
	go server.Serve(socket)
	defer server.Close()
	admin := NewAdmin(filepath.Join(dir, "admin.sock"))
	for _, tc := range []struct {
		name  string
		ready bool
		port  int
		want  bool
	}{
		{"listening", true, address.Port, true},
		{"not ready", false, address.Port, false},
		{"another port", true, address.Port + 1, false},
	} {
		ready, port = tc.ready, tc.port
		if got := admin.Listening(t.Context(), address.String()); got != tc.want {
			t.Errorf("%s: Listening = %t, want %t", tc.name, got, tc.want)
		}
	}
	accepting.Close()
	if ready, port = true, address.Port; admin.Listening(t.Context(), address.String()) {
		t.Error("Listening = true where nothing accepts")
	}
}
