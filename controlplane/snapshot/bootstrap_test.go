package snapshot

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/threatgate/threatgate/e2e/envoytest"
)

var update = flag.Bool("update", false, "rewrite golden files")

const golden = "../../envoy.yaml"

// TestDefaultBootstrap keeps the repository's envoy.yaml what Bootstrap
// writes.
func TestDefaultBootstrap(t *testing.T) {
	got, err := Bootstrap(DefaultBootstrap())
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("envoy.yaml is not the default bootstrap; go test -update rewrites it. Got:\n%s", got)
	}
}

// TestEnvoyAcceptsBootstrap has Envoy read bootstraps, in strict mode, and
// asserts that it warns of nothing: no field is deprecated.
func TestEnvoyAcceptsBootstrap(t *testing.T) {
	certificate, key := envoytest.Certificate(t, "control.example")
	tls := &TLSFiles{Certificate: certificate, Key: key, CA: certificate, ServerName: "control.example"}
	for _, row := range []struct {
		name string
		edit func(*BootstrapOptions)
	}{
		{"default", func(*BootstrapOptions) {}},
		{"Unix sockets", func(o *BootstrapOptions) { o.Admin, o.ControlPlane = "/tmp/admin.sock", "/tmp/xds.sock" }},
		{"IPv6", func(o *BootstrapOptions) { o.ControlPlane = "[::1]:18000" }},
		{"mutual TLS", func(o *BootstrapOptions) { o.TLS = tls }},
	} {
		t.Run(row.name, func(t *testing.T) {
			options := DefaultBootstrap()
			row.edit(&options)
			bootstrap, err := Bootstrap(options)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "envoy.yaml")
			if err := os.WriteFile(path, bootstrap, 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command(envoytest.Path(t), "-c", path, "--mode", "validate", "--disable-hot-restart", "--log-level", "warning").CombinedOutput()
			if err != nil || strings.TrimSpace(string(out)) != "configuration '"+path+"' OK" {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

func TestBootstrapErrors(t *testing.T) {
	for _, row := range []struct {
		edit func(*BootstrapOptions)
		want string
	}{
		{func(o *BootstrapOptions) { o.Admin = "localhost:9901" }, "admin address (--envoy-admin): localhost:9901: neither IP:port nor an absolute path"},
		{func(o *BootstrapOptions) { o.Node = "" }, "the id of the node (--node) is empty"},
		{func(o *BootstrapOptions) { o.Admin = "127.0.0.1" }, "admin address (--envoy-admin): address 127.0.0.1: missing port in address"},
		{func(o *BootstrapOptions) { o.ControlPlane = "127.0.0.1:70000" }, "control plane address (--xds): 127.0.0.1:70000: neither IP:port nor an absolute path"},
	} {
		options := DefaultBootstrap()
		row.edit(&options)
		if _, err := Bootstrap(options); err == nil || err.Error() != row.want {
			t.Errorf("got %v\nwant %s", err, row.want)
		}
	}
}
