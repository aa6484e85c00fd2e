package e2e_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/threatgate/threatgate/e2e/envoytest"
	"github.com/threatgate/threatgate/e2e/gateway"
)

// site is where a gateway is, however often its control plane starts.
type site struct {
	t                             testing.TB
	listen, admin, tokenFile, xds string
	state, wasm                   string
	upstream                      *gateway.Upstream
}

func newSite(t testing.TB) *site {
	t.Helper()
	dir := t.TempDir()
	return &site{
		t:         t,
		listen:    gateway.Address(t),
		admin:     gateway.FreeAddress(t),
		xds:       gateway.FreeAddress(t),
		tokenFile: filepath.Join(dir, "token"),
		state:     filepath.Join(dir, "state"),
		wasm:      filepath.Join(gateway.Binaries(t), "threatgate.wasm"),
		upstream:  gateway.NewUpstream(t),
	}
}

// run starts "threatgate run".
func (s *site) run(args ...string) *gateway.Gateway {
	s.t.Helper()
	g := gateway.RunBefore(s.t, s.upstream, append([]string{
		"--listen", s.listen, "--admin", s.admin, "--token-file", s.tokenFile, "--state", s.state, "--wasm", s.wasm,
		"--concurrency", "2",
	}, args...)...)
	g.Listen, g.Admin, g.TokenFile = s.listen, s.admin, s.tokenFile
	return g
}

// serve starts "threatgate serve", and waits until it does.
func (s *site) serve(args ...string) *gateway.Gateway {
	s.t.Helper()
	ready := make(chan struct{})
	g := &gateway.Gateway{Listen: s.listen, Admin: s.admin, TokenFile: s.tokenFile, Upstream: s.upstream}
	g.Process = gateway.Start(s.t, func(line string) {
		if strings.HasPrefix(line, "ready") {
			close(ready)
		}
	}, append([]string{
		"serve", "--xds", s.xds, "--admin", s.admin, "--token-file", s.tokenFile, "--state", s.state, "--wasm", s.wasm,
	}, args...)...)
	select {
	case <-ready:
	case <-g.Exited():
		s.t.Fatalf("threatgate serve ended:\n%s", g.Stderr())
	case <-time.After(time.Minute):
		s.t.Fatalf("threatgate serve is not ready after a minute:\n%s", g.Stderr())
	}
	return g
}

// envoy starts an Envoy for serve, by the bootstrap that threatgate writes.
func (s *site) envoy(t testing.TB, args ...string) *envoytest.Envoy {
	t.Helper()
	admin := filepath.Join(envoytest.Directory(t), "admin.sock")
	bootstrap, err := exec.Command(filepath.Join(gateway.Binaries(t), "threatgate"),
		append([]string{"bootstrap", "--xds", s.xds, "--envoy-admin", admin}, args...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	return envoytest.Start(t, bootstrap, admin, 2)
}

// awaitListening waits until address takes connections.
func awaitListening(t testing.TB, address string) {
	t.Helper()
	eventually(t, "something listens on "+address, func() bool { return listening(address) })
}

func listening(address string) bool {
	conn, err := net.Dial("tcp", address)
	if err == nil {
		conn.Close()
	}
	return err == nil
}

// eventually waits for what takes an Envoy that starts a while: it compiles
// the filter.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still not so after a minute: %s", what)
		}
	}
}

// expectEnd waits for the end of a command and checks its exit code.
func expectEnd(t testing.TB, p *gateway.Process, code int) {
	t.Helper()
	select {
	case <-p.Exited():
	case <-time.After(30 * time.Second):
		t.Fatalf("the command does not end:\n%s", p.Stderr())
	}
	if got := p.ExitCode(); got != code {
		t.Errorf("exit %d, want %d:\n%s", got, code, p.Stderr())
	}
}

// gone reports whether pid is no process, or a dead one.
func gone(pid int) bool {
	line, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	return err != nil || len(line) == 0
}
