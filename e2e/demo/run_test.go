package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/model"
	"github.com/threatgate/threatgate/internal/openapi"
)

// The test's own binary stands in for the children: they listen where they
// should, and write down when they are told to stop.
func TestMain(m *testing.M) {
	switch os.Getenv("DEMO_CHILD") {
	case "":
		os.Exit(m.Run())
	case "threatgate":
		fakeThreatgate()
	case "envoy":
		fakeEnvoy()
	}
}

func fakeThreatgate() {
	if os.Getenv("DEMO_BROKEN") != "" {
		fmt.Println("model.yaml:1:1: it is broken")
		os.Exit(3)
	}
	stopped, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	go http.ListenAndServe(argument("--admin"), http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	<-stopped.Done()
	note("threatgate")
}

func fakeEnvoy() {
	if slices.Contains(os.Args, "--version") {
		fmt.Println("envoy  version: 0/1.40.0/Clean/RELEASE/BoringSSL")
		return
	}
	stopped, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	file := filepath.Join(filepath.Dir(argument("--config-path")), "model.yaml")
	graph, _ := model.Load(file, model.Options{OpenSpec: openapi.Load}, new(diag.List))
	for _, s := range graph.Services {
		if _, err := net.Listen("tcp", s.Listen); err != nil {
			panic(err)
		}
	}
	<-stopped.Done()
	note("envoy")
}

func argument(name string) string { return os.Args[slices.Index(os.Args, name)+1] }

func note(name string) {
	file, err := os.OpenFile("stopped", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	fmt.Fprintln(file, name)
	file.Close()
}

// checkout makes a root for the demo to run in, with stand-ins for what is
// built, goes there and returns an offset at which all ports are free.
func checkout(t *testing.T) (offset int) {
	t.Helper()
	root := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	getEnvoy, err := os.ReadFile("../get-envoy")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(root, "e2e", "demo"), os.DirFS(".")); err != nil {
		t.Fatal(err)
	}
	t.Chdir(root)
	if err := os.Mkdir("bin", 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"e2e/get-envoy": string(getEnvoy),
		threatgatePath:  "#!/bin/sh\nDEMO_CHILD=threatgate exec " + self + ` "$@"` + "\n",
		"bin/envoy":     "#!/bin/sh\nDEMO_CHILD=envoy exec " + self + ` "$@"` + "\n",
		wasmPath:        "",
	} {
		if err := os.WriteFile(name, []byte(content), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("ENVOY", filepath.Join(root, "bin", "envoy"))
	return freeOffset(t)
}

// freeOffset returns an offset at which all ports are free.
func freeOffset(t *testing.T) int {
	t.Helper()
	for offset := 1000 + os.Getpid()%1000; offset < 40_000; offset += 1129 {
		at, err := newLayout(offset)
		if err != nil {
			t.Fatal(err)
		}
		if at.portsFree() == nil {
			return offset
		}
	}
	t.Fatal("no free ports")
	return 0
}

func TestRun(t *testing.T) {
	offset := checkout(t)
	at, err := newLayout(offset)
	if err != nil {
		t.Fatal(err)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	said, out := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, out, offset)
		out.Close()
	}()
	lines := bufio.NewScanner(said)
	guided := false
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "Ctrl-C stops") {
			guided = at.listening()
			interrupt()
		}
	}
	if err := <-ended; err != nil || !guided {
		t.Fatalf("%v; told what to try, with all listening: %v", err, guided)
	}
	stopped, err := os.ReadFile("stopped")
	if want := "envoy\nthreatgate\n"; err != nil || string(stopped) != want {
		t.Errorf("stopped %q (%v), want %q", stopped, err, want)
	}
	if err := at.portsFree(); err != nil {
		t.Errorf("something is left: %v", err)
	}
}

func TestRunReportsChildThatEnds(t *testing.T) {
	offset := checkout(t)
	t.Setenv("DEMO_BROKEN", "1")
	err := run(t.Context(), new(bytes.Buffer), offset)
	want := fmt.Sprintf("threatgate ended: exit status 3; the end of bin/shop-%d/threatgate.log:\nmodel.yaml:1:1: it is broken", offset)
	if err == nil || err.Error() != want {
		t.Errorf("%v\nwant %s", err, want)
	}
	at, err := newLayout(offset)
	if err != nil {
		t.Fatal(err)
	}
	if err := at.portsFree(); err != nil {
		t.Errorf("something is left: %v", err)
	}
}

func TestRunInterruptedAtStart(t *testing.T) {
	offset := checkout(t)
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	var out bytes.Buffer
	if err := run(ctx, &out, offset); err != nil || strings.Contains(out.String(), "open") {
		t.Errorf("%v, said %q; want nothing", err, out.String())
	}
}

func TestRunUnbuilt(t *testing.T) {
	t.Chdir(t.TempDir())
	err := run(t.Context(), new(bytes.Buffer), 0)
	if want := "stat bin/threatgate: no such file or directory; run `make run` in the root of the checkout"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
