package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/threatgate/threatgate/e2e/demo/shop"
)

// With the real control plane, Envoy and filter, every example does what the
// guide says of it, in both modes.
func TestExamplesBehindTheGateway(t *testing.T) {
	enterBuilt(t)
	offset := freeOffset(t)
	at, err := newLayout(offset)
	if err != nil {
		t.Fatal(err)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	said, out := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, out, offset)
		out.Close()
		ended <- err
	}()
	defer func() {
		interrupt()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := at.portsFree(); err != nil {
			t.Errorf("something is left: %v", err)
		}
	}()
	guide := bufio.NewScanner(said)
	for guide.Scan() && !strings.HasPrefix(guide.Text(), "Ctrl-C stops") {
	}
	go io.Copy(io.Discard, said)

	credentials := shop.Credentials()
	for _, mode := range []string{"shadow", "enforce"} {
		switched, err := exec.Command(at.threatgate, "mode", "--admin", at.admin, "--token-file", at.adminToken, mode).CombinedOutput()
		if err != nil {
			t.Fatalf("mode %s: %v\n%s", mode, err, switched)
		}
		for _, e := range shop.Examples() {
			t.Run(mode+"/"+e.Title, func(t *testing.T) {
				want := e.Shadow
				if mode == "enforce" {
					want = e.Enforce
				}
				var status int
				var body string
				for range max(1, e.Repeat) {
					status, body = send(t, e, at.service(e.Service).listen, credentials[e.As])
				}
				if status != want.Status || !strings.Contains(body, want.Has) {
					t.Errorf("%d %s\nwant %s", status, body, want)
				}
			})
		}
	}
}

// enterBuilt goes to a root that has what `make build` makes.
func enterBuilt(t *testing.T) {
	t.Helper()
	checkout, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{threatgatePath, wasmPath} {
		if _, err := os.Stat(filepath.Join(checkout, name)); err != nil {
			t.Fatalf("%v; `make build` makes it", err)
		}
	}
	for _, name := range []string{threatgatePath, wasmPath, "bin/envoy", "e2e"} {
		if err := os.Symlink(filepath.Join(checkout, name), filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(root)
}

// send sends an example once, and returns the answer's status and body.
func send(t *testing.T, e shop.Example, address, token string) (int, string) {
	t.Helper()
	req, err := http.NewRequest(e.Method, "http://"+address+e.Target, strings.NewReader(e.Body))
	if err != nil {
		t.Fatal(err)
	}
	if e.Body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if name, value, ok := strings.Cut(e.Header, ": "); ok {
		req.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}
