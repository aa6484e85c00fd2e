package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/threatgate/threatgate/controlplane/admin"
	"github.com/threatgate/threatgate/internal/artifact"
)

const orders = `openapi: 3.0.3
info: {title: Orders, version: "1"}
paths:
  /orders:
    get:
      operationId: list
      parameters: [{name: limit, in: query, schema: {type: integer, maximum: 100}}]
      responses: {"200": {description: ok}}
`

// TestMain makes the test binary the program itself where a test needs it to
// be a process.
func TestMain(m *testing.M) {
	if os.Getenv("THREATGATE_TEST_AS_PROGRAM") != "" {
		main()
	}
	os.Exit(m.Run())
}

// output collects what a command writes while it runs.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// command runs one command to its end.
func command(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, log output
	code = execute(t.Context(), args, &out, &log)
	return code, out.String(), log.String()
}

func write(t *testing.T, name, content string) string {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestExitCodes(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", dir)
	t.Setenv("TMPDIR", dir)
	good := write(t, filepath.Join(dir, "good.yaml"), orders)
	bad := write(t, filepath.Join(dir, "bad.yaml"), "openapi: 3.0.3\ninfo: {title: x, version: '1'}\npaths: 7\n")
	model := write(t, filepath.Join(dir, "model.yaml"), "kind: [\n")
	swapped := write(t, filepath.Join(dir, "swapped.yaml"), "kind: ThreatModel\n")
	wasm := write(t, filepath.Join(dir, "threatgate.wasm"), "")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	free := freeAddress(t)
	token, err := admin.TokenFile("127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		args   string
		code   int
		stderr string // a line begins with
	}{
		{"", exitUsage, "threatgate: a command is needed"},
		{"dance", exitUsage, `threatgate: unknown command "dance" for "threatgate"`},
		{"--help", exitOK, ""},
		{"--version", exitOK, ""},
		{"version", exitOK, ""},
		{"check --nonsense", exitUsage, "threatgate: unknown flag: --nonsense"},
		{"check", exitUsage, "threatgate: --spec or --model is needed"},
		{"check --spec " + good + " more", exitUsage, `threatgate: unknown command "more" for "threatgate check"`},
		{"check --spec " + good + " --fail-on never", exitUsage, `threatgate: --fail-on: "never" is none of low, medium, high, critical and none`},
		{"check --spec " + good + " --format yaml", exitUsage, `threatgate: --format: "yaml" is neither text nor json`},
		{"check --spec " + good + " --environment x", exitUsage, "threatgate: --environment needs --model"},
		{"check --spec " + good + " --fail-on low", exitFailed, ""},
		{"check --spec " + good + " --fail-on none", exitOK, ""},
		{"check --spec " + bad, exitBadInput, bad + ":3:8: "},
		{"check --spec " + dir + "/nope.yaml", exitBadInput, dir + "/nope.yaml: no such file"},
		{"check --model " + model, exitBadInput, model + ":"},
		{"check --model " + good, exitBadInput, good + ":1:1: this is an OpenAPI document: --spec names it\n"},
		{"check --spec " + swapped, exitBadInput, swapped + ":1:1: this is a threat model: --model names it\n"},
		{"compile --spec " + good, exitUsage, "threatgate: -o or --explain is needed"},
		{"compile --spec " + good + " -o - --explain", exitUsage, "threatgate: -o - and --explain both write to stdout"},
		{"compile --spec " + good + " -o - --api carts", exitUsage, `threatgate: --api: there is no service "carts", only: orders`},
		{"compile --spec " + bad + " -o " + dir + "/bundle", exitBadInput, bad + ":3:8: "},
		{"compile --spec " + good + " -o " + dir + "/no/bundle", exitFailed, "threatgate: " + dir + "/no/bundle: no such file or directory\n"},
		{"run", exitUsage, "threatgate: --spec or --model is needed"},
		{"run --spec " + good, exitUsage, "threatgate: --upstream is needed"},
		{"run --spec " + good + " --upstream http://a --listen nowhere", exitUsage, `threatgate: --listen: "nowhere" is not host:port`},
		{"run --spec " + good + " --upstream http://a --listen 127.0.0.1:0", exitUsage, `threatgate: --listen: the port of "127.0.0.1:0" is not one of 1 to 65535`},
		{"run --spec " + good + " --upstream http://a --mode on", exitUsage, `threatgate: --mode: "on" is none of shadow, enforce and off`},
		{"run --spec " + good + " --upstream http://a --mode off --listen 127.0.0.1:1 --wasm " + dir + "/no.wasm", exitFailed, "threatgate: no filter: stat " + dir + "/no.wasm: no such file or directory; `make build` makes one, --wasm names one"},
		{"run --spec " + bad + " --upstream http://a --listen 127.0.0.1:1 --wasm " + dir + "/no.wasm", exitBadInput, bad + ":3:8: "},
		{"run --spec " + good + " --upstream http://a --wasm " + wasm + " --concurrency -1", exitUsage, "threatgate: --concurrency: -1 is not one of 0 to 256"},
		{"run --spec " + good + " --upstream http://a --concurrency 1000", exitUsage, "threatgate: --concurrency: 1000 is not one of 0 to 256"},
		{"run --spec " + good + " --upstream localhost", exitUsage, `threatgate: --upstream: "localhost" is not host:port or an http(s) URL without a path`},
		{"run --spec " + good + " --upstream http://a --admin 127.0.0.1:70000", exitUsage, `threatgate: --admin: the port of "127.0.0.1:70000" is not one of 1 to 65535`},
		{"run --spec " + good + " --upstream http://a --listen 127.0.0.1:1 --wasm " + wasm + " --envoy " + dir + "/no", exitFailed, "threatgate: --envoy: "},
		{"serve --spec " + good, exitUsage, "threatgate: a specification alone says nothing of the gateway: --upstream and --listen are needed"},
		{"serve --model m --xds 0.0.0.0:18000", exitUsage, "threatgate: --xds: 0.0.0.0:18000 is not on loopback: --tls-cert, --tls-key and --tls-client-ca are needed"},
		{"serve --model m --xds :18000", exitUsage, `threatgate: --xds: ":18000" is not host:port`},
		{"serve --model m --tls-cert c", exitUsage, "threatgate: --tls-cert, --tls-key and --tls-client-ca go together"},
		{"serve --model " + model + " --state " + dir + "/state --wasm " + wasm, exitBadInput, model + ":"},
		{"serve --spec " + good + " --upstream http://a --listen 127.0.0.1:1 --admin 0.0.0.0:1 --state " + dir + "/state --wasm " + wasm, exitUsage, "threatgate: --admin: 0.0.0.0:1 is not on loopback"},
		{"serve --spec " + good + " --upstream http://a:b --listen 127.0.0.1:1 --state " + dir + "/other --wasm " + wasm, exitUsage, `threatgate: --upstream: "http://a:b" is not host:port`},
		{"serve --spec " + good + " --upstream http://a --listen 127.0.0.1:1 --log-format xml --state " + dir + "/state --wasm " + wasm, exitUsage, `threatgate: --log-format: "xml" is neither console nor json`},
		{"serve --spec " + good + " --upstream http://a --listen 127.0.0.1:1 --state " + good + " --wasm " + wasm, exitFailed, "threatgate: state directory: mkdir " + good + ": not a directory; --state names another\n"},
		{"serve --spec " + good + " --upstream http://a --listen 127.0.0.1:1 --token-file " + good + "/token --admin " + free + " --state " + dir + "/state --wasm " + wasm, exitFailed, "threatgate: admin token " + good + "/token: not a directory\n"},
		{"serve --spec " + good + " --upstream http://a --listen 127.0.0.1:1 --admin " + taken.Addr().String() + " --state " + dir + "/state --wasm " + wasm, exitFailed, "threatgate: admin address: listen tcp " + taken.Addr().String() + ": bind: address already in use; --admin names another\n"},
		{"serve --spec " + good + " --upstream http://a --listen 127.0.0.1:1 --xds " + taken.Addr().String() + " --admin " + free + " --state " + dir + "/state --wasm " + wasm, exitFailed, "threatgate: xDS address: listen tcp " + taken.Addr().String() + ": bind: address already in use; --xds names another\n"},
		{"mode --token-file " + dir + "/no", exitFailed, "threatgate: --token-file: open " + dir + "/no: no such file or directory\n"},
		{"tail --token-file " + dir + "/no", exitFailed, "threatgate: --token-file: open " + dir + "/no: no such file or directory\n"},
		{"mode --operation x", exitUsage, "threatgate: a mode is needed: shadow, enforce, off or reset"},
		{"mode off --json", exitUsage, "threatgate: --json shows modes, and sets none"},
		{"mode --admin 127.0.0.1:1", exitFailed, "threatgate: no control plane of this user's runs with the admin address 127.0.0.1:1: there is no " + token + "; start one, name it with --admin, or give the --token-file that it was started with\n"},
		{"mode on", exitUsage, `threatgate: "on" is none of shadow, enforce, off and reset`},
		{"mode on off", exitUsage, "threatgate: one mode is needed, not 2 arguments"},
		{"mode off --admin junk", exitUsage, `threatgate: --admin: "junk" is not host:port`},
		{"mode off --admin 127.0.0.1:1", exitFailed, "threatgate: no control plane of this user's runs with the admin address 127.0.0.1:1: "},
		{"tail --admin 127.0.0.1:1", exitFailed, "threatgate: no control plane of this user's runs with the admin address 127.0.0.1:1: "},
		{"bootstrap", exitOK, ""},
		{"bootstrap --xds nowhere", exitUsage, "threatgate: control plane address (--xds): "},
		{"bootstrap --tls-cert c", exitUsage, "threatgate: --tls-cert, --tls-key, --tls-ca and --tls-server-name go together"},
	} {
		code, _, stderr := command(t, strings.Fields(tc.args)...)
		if code != tc.code || !strings.Contains("\n"+stderr, "\n"+tc.stderr) {
			t.Errorf("threatgate %s:\n got %d %s\nwant %d %s", tc.args, code, stderr, tc.code, tc.stderr)
		}
	}
}

func TestLoggedDurationsHaveAUnit(t *testing.T) {
	for format, want := range map[string]string{"console": ` INFO done {"took": "18.5ms"}`, "json": `"msg":"done","took":"18.5ms"}`} {
		var log output
		logger, err := (&cli{stderr: &log, logFormat: format}).logger()
		if err != nil {
			t.Fatal(err)
		}
		logger.Info("done", zap.Duration("took", 18500*time.Microsecond))
		if got := log.String(); !strings.HasSuffix(got, want+"\n") {
			t.Errorf("%s: got %s, want %s", format, got, want)
		}
	}
}

func TestEveryCommandShowsAnExample(t *testing.T) {
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		if !strings.Contains(cmd.Example, "threatgate ") && cmd.Name() != "help" {
			t.Errorf("%s has no example", cmd.CommandPath())
		}
		for _, sub := range cmd.Commands() {
			visit(sub)
		}
	}
	visit((&cli{}).root())
}

func TestCheckIsTheSameEachTime(t *testing.T) {
	spec := write(t, filepath.Join(t.TempDir(), "orders.yaml"), orders)
	for _, format := range []string{"text", "json"} {
		_, first, _ := command(t, "check", "--spec", spec, "--format", format)
		_, second, _ := command(t, "check", "--spec", spec, "--format", format)
		if first == "" || first != second {
			t.Errorf("%s:\n%s\nand then\n%s", format, first, second)
		}
		if format == "json" && !json.Valid([]byte(first)) {
			t.Errorf("not JSON: %s", first)
		}
	}
}

func TestCompileWritesTheBundle(t *testing.T) {
	dir := t.TempDir()
	spec, file := write(t, filepath.Join(dir, "orders.yaml"), orders), filepath.Join(dir, "bundle")
	code, stdout, stderr := command(t, "compile", "--spec", spec, "-o", file, "--explain")
	data, err := os.ReadFile(file)
	if code != exitOK || err != nil {
		t.Fatalf("exit %d: %s; %v", code, stderr, err)
	}
	bundle, err := artifact.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf(`service orders, revision %s, %d bytes, mode shadow
1 of 1 operations can be enforced in all that their specification and the model say

GET /orders (list)
  %s:5:5
  mode shadow, failure closed, no body
  credentials none
`, bundle.Revision, len(data), spec)
	if stdout != want {
		t.Errorf("explained:\n%s\nwant:\n%s", stdout, want)
	}
}
