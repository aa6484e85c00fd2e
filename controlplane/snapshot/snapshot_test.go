package snapshot

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"

	"github.com/threatgate/threatgate/internal/compile"
	"github.com/threatgate/threatgate/internal/violation"
)

var environment = Environment{WasmPath: "/opt/threatgate.wasm", Roots: "/etc/roots.pem"}

// plain and secured are two services that differ in all that can.
func plain() *compile.Release {
	return &compile.Release{
		Service: "plain", Digest: strings.Repeat("0123456789abcdef", 4), Bundle: []byte("plain's policy"),
		Gateway: compile.Gateway{
			Service: "plain", Listen: "127.0.0.1:8080", AllShadow: true, MaxBody: 1 << 10,
			Upstream: compile.Upstream{Host: "127.0.0.1", Port: 7001},
		},
	}
}

func secured() *compile.Release {
	return &compile.Release{
		Service: "secured", Digest: strings.Repeat("fedcba9876543210", 4), Bundle: []byte("secured's policy"),
		Gateway: compile.Gateway{
			Service: "secured", Listen: "[::1]:8081", MaxBody: 8 << 20, Responses: true,
			Upstream: compile.Upstream{Host: "orders.example", Port: 443, TLS: true},
			Issuers: []compile.Issuer{
				{ID: "login", Issuer: "https://login.example", Audiences: []string{"shop"}, JWKS: `{"keys":[]}`, PayloadHeader: "x-threatgate-jwt-login"},
				{ID: "partner", Issuer: "https://partner.example", JWKS: `{"keys":[]}`, PayloadHeader: "x-threatgate-jwt-partner"},
			},
		},
	}
}

// TestBuild compares whole snapshots with golden files.
func TestBuild(t *testing.T) {
	for _, r := range []*compile.Release{plain(), secured()} {
		t.Run(r.Service, func(t *testing.T) {
			s, err := Build([]*compile.Release{r}, environment)
			if err != nil {
				t.Fatal(err)
			}
			got := render(t, s)
			path := "testdata/" + r.Service + ".yaml"
			if *update {
				if err := os.WriteFile(path, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s differs; go test -update rewrites it. Got:\n%s", path, got)
			}
		})
	}
}

// render writes all of s as YAML documents.
func render(t *testing.T, s *Snapshot) []byte {
	t.Helper()
	var out bytes.Buffer
	for _, typeURL := range Types() {
		for _, name := range slices.Sorted(maps.Keys(s.Resources(typeURL))) {
			r := s.Resources(typeURL)[name]
			text, err := toYAML(r.Body)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&out, "--- # %s of %s\n%s", name, r.Service, text)
		}
	}
	return out.Bytes()
}

// TestVersions: the order of releases does not matter, and a change reaches
// those resources that depend on it and no other.
func TestVersions(t *testing.T) {
	base := build(t, plain(), secured())
	if again := build(t, secured(), plain()); !reflect.DeepEqual(again, base) {
		t.Error("the same releases in another order give another snapshot")
	}
	for _, row := range []struct {
		name string
		edit func(*compile.Release)
		want []string
	}{
		{"policy", func(r *compile.Release) { r.Bundle = []byte("new") }, []string{"ECDS plain/policy"}},
		{"revision", func(r *compile.Release) { r.Digest = strings.Repeat("ab", 32) }, []string{"RDS plain"}},
		{"first judged response", func(r *compile.Release) { r.Gateway.Responses = true }, []string{"ECDS plain/policy"}},
		{"first enforced operation", func(r *compile.Release) { r.Gateway.AllShadow = false }, []string{"ECDS plain/policy"}},
		{"upstream", func(r *compile.Release) { r.Gateway.Upstream.Port = 1 }, []string{"CDS plain"}},
		{"address", func(r *compile.Release) { r.Gateway.Listen = "127.0.0.1:1" }, []string{"LDS plain"}},
		{"small body", func(r *compile.Release) { r.Gateway.MaxBody = 1 }, []string{"RDS plain"}},
		{"large body", func(r *compile.Release) { r.Gateway.MaxBody = 1 << 30 }, []string{"RDS plain"}},
		{"first issuer", func(r *compile.Release) { r.Gateway.Issuers = secured().Gateway.Issuers }, []string{"ECDS plain/tokens", "LDS plain"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := plain()
			row.edit(r)
			if got := changes(base, build(t, r, secured())); !slices.Equal(got, row.want) {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

func TestPolicy(t *testing.T) {
	s := build(t, plain(), secured())
	policy := s.Resources(resource.ExtensionConfigType)["plain/policy"].Version
	for _, row := range []struct {
		typeURL, name, version string
		want                   bool
	}{
		{resource.ExtensionConfigType, "plain/policy", policy, true},
		{resource.ExtensionConfigType, "plain/policy", "another", false},
		{resource.ExtensionConfigType, "secured/tokens", s.Resources(resource.ExtensionConfigType)["secured/tokens"].Version, false},
		{resource.ListenerType, "plain", s.Resources(resource.ListenerType)["plain"].Version, false},
		{resource.ListenerType, "/policy", "", false},
	} {
		service, got := s.Policy(row.typeURL, row.name, row.version)
		if got != row.want || got && service != "plain" {
			t.Errorf("Policy(%s, %s, %s) = %q, %t, want %t", row.typeURL, row.name, row.version, service, got, row.want)
		}
	}
}

func build(t *testing.T, releases ...*compile.Release) *Snapshot {
	t.Helper()
	s, err := Build(releases, environment)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// changes lists what is new or has another version in next.
func changes(old, next *Snapshot) []string {
	var out []string
	for i, typeURL := range Types() {
		for _, name := range slices.Sorted(maps.Keys(next.Resources(typeURL))) {
			if next.Resources(typeURL)[name].Version != old.Resources(typeURL)[name].Version {
				out = append(out, []string{"CDS", "ECDS", "RDS", "LDS"}[i]+" "+name)
			}
		}
	}
	return out
}

func TestBuildErrors(t *testing.T) {
	for _, row := range []struct {
		name string
		edit func(first, second *compile.Release)
		want string
	}{
		{"one name twice", func(_, r *compile.Release) { r.Gateway.Service = "plain" }, "service plain: given twice"},
		{"one address twice", func(_, r *compile.Release) { r.Gateway.Listen = "127.0.0.1:8080" }, "service secured: listens on 127.0.0.1:8080, as plain does"},
		{"no name", func(r, _ *compile.Release) { r.Gateway.Service = "" }, `service "": reserved name`},
		{"the control plane's name", func(r, _ *compile.Release) { r.Gateway.Service = violation.ControlPlaneCluster }, `service "threatgate_control_plane": reserved name`},
		{"no port", func(r, _ *compile.Release) { r.Gateway.Listen = "127.0.0.1" }, "service plain: listening address: address 127.0.0.1: missing port in address"},
		{"a host name", func(r, _ *compile.Release) { r.Gateway.Listen = "localhost:80" }, "service plain: listening address localhost:80: not IP:port"},
		{"port 65536", func(r, _ *compile.Release) { r.Gateway.Listen = "127.0.0.1:65536" }, "service plain: listening address 127.0.0.1:65536: not IP:port"},
		{"two errors", func(a, b *compile.Release) { a.Gateway.Listen, b.Gateway.Listen = "a:1", "b:1" },
			"service plain: listening address a:1: not IP:port\nservice secured: listening address b:1: not IP:port"},
	} {
		t.Run(row.name, func(t *testing.T) {
			a, b := plain(), secured()
			row.edit(a, b)
			if _, err := Build([]*compile.Release{a, b}, environment); err == nil || err.Error() != row.want {
				t.Errorf("got %v\nwant %s", err, row.want)
			}
		})
	}
	if _, err := Build(nil, environment); err == nil || err.Error() != "no services: a snapshot without any would take down every listener" {
		t.Errorf("got %v", err)
	}
	if _, err := Build([]*compile.Release{plain()}, Environment{WasmPath: "threatgate.wasm"}); err == nil || err.Error() != `Wasm module "threatgate.wasm": not an absolute path` {
		t.Errorf("got %v", err)
	}
	if _, err := Build([]*compile.Release{plain(), secured()}, Environment{WasmPath: "/opt/threatgate.wasm"}); err == nil || err.Error() != `service secured: root certificates "", to verify the upstream by: not an absolute path` {
		t.Errorf("got %v", err)
	}
	r := plain()
	r.Gateway.Upstream.Host = ""
	if _, err := Build([]*compile.Release{r}, environment); err == nil || !strings.HasPrefix(err.Error(), "service plain: invalid Cluster.LoadAssignment") {
		t.Errorf("got %v, want a refusal by Envoy's validation rules", err)
	}
}

// TestDangling takes away each resource in turn that another refers to.
func TestDangling(t *testing.T) {
	for _, row := range []struct{ typeURL, name, want string }{
		{resource.ClusterType, "secured", `service secured: ` + resource.RouteType + ` "secured" refers to ` + resource.ClusterType + ` "secured", which is missing`},
		{resource.RouteType, "secured", `service secured: ` + resource.ListenerType + ` "secured" refers to ` + resource.RouteType + ` "secured", which is missing`},
		{resource.ExtensionConfigType, "secured/policy", `service secured: ` + resource.ListenerType + ` "secured" refers to ` + resource.ExtensionConfigType + ` "secured/policy", which is missing`},
		{resource.ExtensionConfigType, "secured/tokens", `service secured: ` + resource.ListenerType + ` "secured" refers to ` + resource.ExtensionConfigType + ` "secured/tokens", which is missing`},
	} {
		s := build(t, plain(), secured())
		if errs := s.dangling(); errs != nil {
			t.Fatal(errs)
		}
		delete(s.resources[row.typeURL], row.name)
		if errs := s.dangling(); len(errs) != 1 || errs[0].Error() != row.want {
			t.Errorf("got %v\nwant %s", errs, row.want)
		}
	}
}
