// The demo system: a shop of four services, the control plane and one Envoy
// in front of all of them, until Ctrl-C. `make run` builds what it needs and
// runs it from the root of the checkout.
//
//	demo [-port-offset N]
//
// The threat model says where the services are and where the gateway listens
// for them; see layout.go for the other ports and for the files.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/threatgate/threatgate/controlplane/snapshot"
	"github.com/threatgate/threatgate/e2e/demo/shop"
)

func main() {
	offset, err := strconv.Atoi(os.Getenv("DEMO_PORT_OFFSET"))
	if err != nil && os.Getenv("DEMO_PORT_OFFSET") != "" {
		fmt.Fprintln(os.Stderr, "demo: DEMO_PORT_OFFSET is not a number")
		os.Exit(2)
	}
	flag.IntVar(&offset, "port-offset", offset, "add `N` to every port (default $DEMO_PORT_OFFSET, or 0)")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "demo: unexpected argument %q\n", flag.Arg(0))
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if err := run(ctx, os.Stdout, offset); err != nil {
		fmt.Fprintf(os.Stderr, "demo: %v\n", err)
		os.Exit(1)
	}
}

// run starts everything, from what is called to what calls, and stops it in
// the opposite order when ctx is done or a part has ended by itself.
func run(ctx context.Context, out io.Writer, offset int) (err error) {
	at, err := newLayout(offset)
	if err != nil {
		return err
	}
	if err := at.portsFree(); err != nil {
		return err
	}
	binary, err := findEnvoy(ctx)
	if err != nil {
		return interrupted(ctx, err)
	}
	if err := at.makeFiles(); err != nil {
		return err
	}

	running, err := shop.Start(at.shop())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, running.Close()) }()

	controlPlane, err := start("threatgate", at.log("threatgate"), at.threatgate,
		"serve", "--model", at.model, "--xds", at.xds, "--admin", at.admin, "--token-file", at.adminToken, "--wasm", at.wasm, "--state", at.state)
	if err != nil {
		return err
	}
	defer controlPlane.stop()
	if err := await(ctx, func() bool { return answers("http://" + at.admin + "/healthz") }, controlPlane); err != nil {
		return interrupted(ctx, err)
	}

	gateway, err := start("envoy", at.log("envoy"), binary,
		"--config-path", at.bootstrap, "--disable-hot-restart", "--log-level", "warning", "--concurrency", "2")
	if err != nil {
		return err
	}
	defer gateway.stop()
	if err := await(ctx, at.listening, controlPlane, gateway); err != nil {
		return interrupted(ctx, err)
	}

	printGuide(out, at)
	select {
	case <-ctx.Done():
		fmt.Fprintln(out, "\nstopping")
		return nil
	case <-gateway.ended:
		return gateway.why()
	case <-controlPlane.ended:
		return controlPlane.why()
	}
}

// interrupted turns the consequence of Ctrl-C into no error.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// findEnvoy returns the path that e2e/get-envoy finds; its messages say what
// to do if there is none.
func findEnvoy(ctx context.Context) (string, error) {
	cmd := exec.CommandContext(ctx, "e2e/get-envoy")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("no Envoy to run (e2e/get-envoy: %w)", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// makeFiles starts the run's directory anew, so that every mode is the
// model's own again, and writes what the children and the examples read.
func (at *layout) makeFiles() error {
	if err := os.RemoveAll(at.dir); err != nil {
		return err
	}
	if err := os.MkdirAll(at.state, 0o700); err != nil {
		return err
	}
	options := snapshot.DefaultBootstrap()
	options.Admin, options.ControlPlane = at.envoyAdmin, at.xds
	bootstrap, err := snapshot.Bootstrap(options)
	if err != nil {
		return err
	}
	files := map[string][]byte{at.bootstrap: bootstrap}
	if at.shiftedModel != nil {
		files[at.model] = at.shiftedModel
	}
	for name, token := range shop.Credentials() {
		files[filepath.Join(at.dir, name)] = []byte("Authorization: Bearer " + token + "\n")
	}
	for name, content := range files {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// listening reports whether Envoy accepts connections for every service. It
// does so only once it has the service's policy: a listener waits for the
// filters that it gets by ECDS.
func (at *layout) listening() bool {
	for _, s := range at.services {
		conn, err := net.DialTimeout("tcp", s.listen, time.Second)
		if err != nil {
			return false
		}
		conn.Close()
	}
	return true
}

func answers(url string) bool {
	client := http.Client{Timeout: time.Second}
	res, err := client.Get(url)
	if err != nil {
		return false
	}
	res.Body.Close()
	return res.StatusCode == http.StatusOK
}
