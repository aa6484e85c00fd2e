package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/threatgate/threatgate/controlplane/admin"
)

func TestTailedLine(t *testing.T) {
	v := admin.Violation{
		Time: time.Now(), Node: "n", API: "orders", Operation: "place", Mode: "enforce", Decision: "rejected", Family: "validation", Code: "pattern",
		In: "body", Pointer: "/sku\x1b[2J", Schema: "#/s", Threat: "API8-01", Request: "r-1",
	}
	_, got, _ := strings.Cut(line(v), "\t")
	if want := "enforce\trejected\torders\tplace\tvalidation:pattern\tbody /sku\ufffd[2J\tAPI8-01\tr-1"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

const shopModel = `apiVersion: threatgate.dev/v1alpha1
kind: ThreatModel
metadata: {name: shop}
spec:
  services:
    - {id: orders, specs: [{file: orders.yaml}], upstream: "127.0.0.1:7002", listen: "127.0.0.1:7102"}
    - {id: carts, specs: [{file: carts.yaml}], upstream: "127.0.0.1:7001", listen: "127.0.0.1:7101", mode: enforce}
`

// serve is `threatgate serve` in this process, without an Envoy; it returns
// the admin address.
func serve(t *testing.T, model string) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", dir)
	write(t, filepath.Join(dir, "orders.yaml"), orders+"    post: {responses: {'200': {description: ok}}}\n")
	write(t, filepath.Join(dir, "carts.yaml"), strings.Replace(orders, "/orders", "/carts", 1))
	address := freeAddress(t)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan int)
	var stdout, stderr output
	go func() {
		ended <- execute(ctx, []string{"serve", "--model", write(t, filepath.Join(dir, "shop.yaml"), model), "--state", filepath.Join(dir, "state"),
			"--wasm", write(t, filepath.Join(dir, "threatgate.wasm"), ""), "--xds", freeAddress(t), "--admin", address}, &stdout, &stderr)
	}()
	t.Cleanup(func() {
		stop()
		if code := <-ended; code != exitOK {
			t.Errorf("serve ended with %d:\n%s", code, stderr.String())
		}
	})
	for deadline := time.Now().Add(30 * time.Second); !strings.Contains(stderr.String(), "admin interface"); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("serve is not ready:\n%s", stderr.String())
		}
	}
	return address
}

// Without a mode to set, those in force are shown: that of each API, and of
// each operation that has another.
func TestModesAreShown(t *testing.T) {
	address := serve(t, shopModel)
	expect := func(args, want string) {
		t.Helper()
		code, stdout, stderr := command(t, append(strings.Fields(args), "--admin", address)...)
		if code != exitOK || stdout != want || stderr != "" {
			t.Errorf("threatgate %s: %d %s\n got %s\nwant %s", args, code, stderr, stdout, want)
		}
	}
	expect("mode", `API     OPERATION  MODE
carts   *          enforce
orders  *          shadow
`)
	for _, operation := range []string{"POST /orders", "list"} {
		if code, _, stderr := command(t, "mode", "enforce", "--api", "orders", "--operation", operation, "--admin", address); code != exitOK {
			t.Fatal(stderr)
		}
	}
	if code, _, stderr := command(t, "mode", "off", "--api", "carts", "--admin", address); code != exitOK {
		t.Fatal(stderr)
	}
	expect("mode", `API     OPERATION     MODE
carts   *             off
orders  *             shadow
orders  list          enforce
orders  POST /orders  enforce
`)
	expect("mode --api carts", `API    OPERATION  MODE
carts  *          off
`)
	expect("mode --api orders --json", `{"api":"orders","operation":"","mode":"shadow"}
{"api":"orders","operation":"list","mode":"enforce"}
{"api":"orders","operation":"POST /orders","mode":"enforce"}
`)
	for _, show := range []string{"mode", "tail"} {
		if code, _, stderr := command(t, show, "--api", "cart", "--admin", address); code != exitFailed || stderr != "threatgate: there is no API \"cart\", only: carts, orders\n" {
			t.Errorf("%s of an unknown API: %d %s", show, code, stderr)
		}
	}
}

// Whoever looks at modes, or switches one, is told where what is served is not
// what the files say.
func TestModesAreShownWithProblems(t *testing.T) {
	address := serve(t, shopModel)
	file := write(t, filepath.Join(os.Getenv("XDG_CACHE_HOME"), "carts.yaml"), "openapi: []\n")
	problem := file + ":1:10: "
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		code, stdout, stderr := command(t, "mode", "--admin", address)
		if code != exitOK || !strings.Contains(stdout, "carts   *          enforce\n") {
			t.Fatalf("%d %s\n%s", code, stderr, stdout)
		}
		if strings.Contains(stderr, problem) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is not told: %s", problem, stderr)
		}
	}
	if code, stdout, stderr := command(t, "mode", "off", "--admin", address); code != exitOK || !strings.Contains(stdout, "carts: off") || !strings.Contains(stderr, problem) {
		t.Errorf("%d %s\n%s", code, stderr, stdout)
	}
}

// An operation that is switched is shown with the mode that it has then, be it
// that of its API.
func TestTheOperationThatWasSwitchedIsShown(t *testing.T) {
	address := serve(t, shopModel)
	for _, step := range []struct {
		args []string
		want string
	}{
		{[]string{"enforce", "--api", "carts", "--operation", "list"}, "  list: enforce\n"},
		{[]string{"shadow", "--operation", "GET /carts"}, "  list: shadow\n"},
		{[]string{"reset", "--operation", "GET /carts"}, "  list: enforce\nlist follows carts again\n"},
		{[]string{"enforce", "--api", "carts"}, ")\nno Envoy is connected"},
	} {
		args := append([]string{"mode", "--admin", address}, step.args...)
		code, stdout, stderr := command(t, args...)
		if code != exitOK || !strings.HasPrefix(stdout, "carts: enforce (revision ") || !strings.Contains(stdout, step.want) {
			t.Errorf("threatgate %q: %d %s\n%s", args, code, stderr, stdout)
		}
	}
}
