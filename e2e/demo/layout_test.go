package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/model"
	"github.com/threatgate/threatgate/internal/openapi"
)

// A copy of the model with other ports is still a model, and differs in
// nothing but its ports.
func TestRelocate(t *testing.T) {
	root := t.TempDir()
	if err := os.CopyFS(filepath.Join(root, "e2e", "demo"), os.DirFS(".")); err != nil {
		t.Fatal(err)
	}
	t.Chdir(root)
	const dir = "bin/shop-100"
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(modelPath)
	if err != nil {
		t.Fatal(err)
	}
	copied, err := relocate(text, dir, func(address string) string {
		moved, err := shifted(address, 100)
		if err != nil {
			t.Error(err)
		}
		return moved
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "model.yaml")
	if err := os.WriteFile(file, copied, 0o600); err != nil {
		t.Fatal(err)
	}
	var diags diag.List
	graph, _ := model.Load(file, model.Options{OpenSpec: openapi.Load}, &diags)
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range graph.Services {
		got = append(got, s.ID+" "+s.Listen+" "+s.Upstream)
	}
	want := "storefront 127.0.0.1:10101 127.0.0.1:7101, orders 127.0.0.1:10102 127.0.0.1:7102, " +
		"payments 127.0.0.1:10103 127.0.0.1:7103, analytics 127.0.0.1:10104 127.0.0.1:7104"
	if strings.Join(got, ", ") != want {
		t.Errorf("services are at %s\nwant %s", strings.Join(got, ", "), want)
	}
	if a, b := strings.Count(string(text), "\n"), strings.Count(string(copied), "\n"); a != b {
		t.Errorf("the copy has %d lines, want %d", b, a)
	}
}

func TestShifted(t *testing.T) {
	tests := []struct {
		address string
		offset  int
		want    string
		fault   string
	}{
		{address: "127.0.0.1:7001", offset: 0, want: "127.0.0.1:7001"},
		{address: "[::1]:7001", offset: -1, want: "[::1]:7000"},
		{address: "127.0.0.1:65535", offset: 1, fault: "127.0.0.1:65535: there is no port 65535+1"},
		{address: "127.0.0.1:1", offset: -1, fault: "127.0.0.1:1: there is no port 1-1"},
		{address: "", offset: 1, fault: "e2e/demo/model.yaml: the address of a service must be host:port: missing port in address"},
	}
	for _, tt := range tests {
		got, err := shifted(tt.address, tt.offset)
		fault := ""
		if err != nil {
			fault = err.Error()
		}
		if got != tt.want || fault != tt.fault {
			t.Errorf("shifted(%q, %d) = %q, %q; want %q, %q", tt.address, tt.offset, got, fault, tt.want, tt.fault)
		}
	}
}

func TestPortsFree(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	const free = "127.0.0.1:0"
	at := layout{xds: free, admin: free, envoyAdmin: free, services: []place{{"orders", taken.Addr().String(), free}}}
	want := "no port for the gateway before orders: listen tcp " + taken.Addr().String() + ": bind: address already in use\n" +
		"stop what listens there, or take other ports: DEMO_PORT_OFFSET=1000 make run"
	if err := at.portsFree(); err == nil || err.Error() != want {
		t.Errorf("%v\nwant %s", err, want)
	}
	taken.Close()
	if err := at.portsFree(); err != nil {
		t.Errorf("all ports are free, but %v", err)
	}
}
