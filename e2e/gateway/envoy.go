package gateway

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/threatgate/threatgate/e2e/envoytest"
)

// Address is FreeAddress for a gateway whose control plane the test kills:
// when the test ends, the Envoy that it has left running is ended too.
func Address(t testing.TB) string {
	t.Helper()
	listen := FreeAddress(t)
	dir := Directory(listen)
	t.Cleanup(func() {
		pid, err := survivor(dir)
		if err != nil {
			return
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			t.Errorf("Envoy (pid %d): %v", pid, err)
		}
		os.RemoveAll(dir)
	})
	return listen
}

// Directory is where "threatgate run" and its Envoy keep their files.
func Directory(listen string) string {
	return filepath.Join(os.TempDir(), fmt.Sprintf("threatgate-%d", os.Getuid()), strings.ReplaceAll(listen, ":", "_"))
}

// survivor is the pid of the Envoy of a directory.
func survivor(dir string) (int, error) {
	text, err := os.ReadFile(filepath.Join(dir, "envoy.pid"))
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(string(text))
}

// Envoy is the gateway's Envoy.
func (g *Gateway) Envoy() *envoytest.Envoy {
	g.t.Helper()
	dir := Directory(g.Listen)
	pid, err := survivor(dir)
	if err != nil {
		g.t.Fatal(err)
	}
	return envoytest.Attach(g.t, pid, filepath.Join(dir, "admin.sock"), filepath.Join(dir, "envoy.log"))
}
