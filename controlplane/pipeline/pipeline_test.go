package pipeline

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/policy"
	"github.com/threatgate/threatgate/internal/threat"
	"github.com/threatgate/threatgate/internal/violation"
	"github.com/threatgate/threatgate/policies"
)

const spec = `openapi: 3.0.3
info: {title: Orders, version: "1"}
servers: [{url: "https://shop.example/v1"}]
paths:
  /orders:
    get: {operationId: list, responses: {"200": {description: ok}}}
    post: {operationId: place, responses: {"200": {description: ok}}}
`

const shop = `apiVersion: threatgate.dev/v1alpha1
kind: ThreatModel
metadata: {name: shop}
spec:
  services:
    - {id: orders, specs: [{file: orders.yaml}], upstream: "127.0.0.1:7001", listen: "127.0.0.1:7101", mode: enforce}
    - {id: carts, specs: [{file: carts.yaml}], upstream: "127.0.0.1:7002", listen: "127.0.0.1:7102"}
    - {id: audit, specs: [{file: audit.yaml}]}
`

// files are an in-memory file system.
type files map[string]string

func (f files) read(name string) ([]byte, error) {
	if content, ok := f[name]; ok {
		return []byte(content), nil
	}
	return nil, errors.New("no such file")
}

var all = files{"shop.yaml": shop, "orders.yaml": spec, "carts.yaml": spec, "audit.yaml": spec}

func run(t *testing.T, f files, in Input) *Output {
	t.Helper()
	in.ReadFile = f.read
	if in.Catalogue = threat.LoadCatalogue(policies.FS, nil); in.Catalogue == nil {
		t.Fatal("the rule catalogue does not load")
	}
	return Run(in)
}

// summary is "service listen upstream: service mode, operation modes".
func summary(t *testing.T, out *Output) string {
	t.Helper()
	var lines []string
	for _, r := range out.Releases {
		bundle, err := artifact.Decode(r.Bundle)
		if err != nil {
			t.Fatal(err)
		}
		for _, host := range bundle.Hosts {
			lines = append(lines, "host "+string(bundle.String(host.Name)))
		}
		line := r.Service + " " + r.Gateway.Listen + " " + r.Gateway.Upstream.Host + ": " + bundle.Meta.Mode.String()
		for _, o := range bundle.Operations {
			line += " " + string(bundle.String(o.Label)) + "=" + o.Mode.String()
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func TestReleases(t *testing.T) {
	enforce := violation.Enforce
	for _, tc := range []struct {
		name string
		in   Input
		want string
	}{
		{"a specification", Input{Spec: "orders.yaml", Upstream: "http://10.0.0.1", Listen: "127.0.0.1:1"},
			"orders 127.0.0.1:1 10.0.0.1: shadow list=shadow place=shadow"},
		{"with its hosts", Input{Spec: "orders.yaml", Upstream: "http://10.0.0.1", Listen: "127.0.0.1:1", MatchHosts: true},
			"host shop.example\norders 127.0.0.1:1 10.0.0.1: shadow list=shadow place=shadow"},
		{"in a mode", Input{Spec: "orders.yaml", Upstream: "http://10.0.0.1", Listen: "127.0.0.1:1", Mode: &enforce},
			"orders 127.0.0.1:1 10.0.0.1: enforce list=enforce place=enforce"},
		{"a model", Input{Model: "shop.yaml"},
			"orders 127.0.0.1:7101 127.0.0.1: enforce list=enforce place=enforce\n" +
				"carts 127.0.0.1:7102 127.0.0.1: shadow list=shadow place=shadow"},
		{"a service of a model", Input{Model: "shop.yaml", Spec: "./carts.yaml", Listen: "127.0.0.1:1"},
			"carts 127.0.0.1:1 127.0.0.1: shadow list=shadow place=shadow"},
		{"run-time modes", Input{Model: "shop.yaml", Modes: policy.Modes{
			APIs:       map[string]violation.Mode{"orders": violation.Off},
			Operations: map[policy.OperationKey]violation.Mode{{API: "orders", Operation: "list"}: violation.Shadow},
		}},
			"orders 127.0.0.1:7101 127.0.0.1: off list=shadow place=off\n" +
				"carts 127.0.0.1:7102 127.0.0.1: shadow list=shadow place=shadow"},
		{"offline, with what has no gateway", Input{Model: "shop.yaml", Spec: "audit.yaml", Offline: true},
			"audit  upstream.invalid: shadow list=shadow place=shadow"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			out := run(t, all, tc.in)
			if err := out.Diags.Err(); err != nil {
				t.Fatal(err)
			}
			if got := summary(t, out); got != tc.want {
				t.Errorf("releases:\n%s\nwant:\n%s", got, tc.want)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	for _, tc := range []struct {
		name  string
		files files
		in    Input
		want  string
		read  []string
	}{
		{"no specification", all, Input{Spec: "nope.yaml"},
			"nope.yaml: no such file", []string{"nope.yaml"}},
		{"one of a model", files{"shop.yaml": shop, "orders.yaml": spec, "carts.yaml": "openapi: 3.0.3\n:", "audit.yaml": spec}, Input{Model: "shop.yaml"},
			"carts.yaml:2:", []string{"audit.yaml", "carts.yaml", "orders.yaml", "shop.yaml"}},
		{"none of the model's", all, Input{Model: "shop.yaml", Spec: "other.yaml"},
			"shop.yaml:1:1: no service has the specification other.yaml", []string{"audit.yaml", "carts.yaml", "orders.yaml", "shop.yaml"}},
		{"one service of several", all, Input{Model: "shop.yaml", Upstream: "10.0.0.1:80"},
			"shop.yaml:1:1: the model has 3 services; --spec names the specification of one of them", []string{"audit.yaml", "carts.yaml", "orders.yaml", "shop.yaml"}},
		{"no listen address", all, Input{Spec: "orders.yaml", Upstream: "10.0.0.1:80"},
			"orders.yaml:1:1: service orders has an upstream and no listen address", []string{"orders.yaml"}},
		{"no upstream", all, Input{Spec: "orders.yaml", Listen: "127.0.0.1:1"},
			"orders.yaml:1:1: service orders has a listen address and no upstream", []string{"orders.yaml"}},
		{"nothing to serve", all, Input{Spec: "orders.yaml"},
			"orders.yaml:1:1: no service has a listen address and an upstream", []string{"orders.yaml"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			out := run(t, tc.files, tc.in)
			if err := out.Diags.Err(); err == nil || !strings.HasPrefix(err.Error(), tc.want) {
				t.Errorf("error: %v\nwant it to begin %s", err, tc.want)
			}
			if out.Graph != nil || out.Threats != nil || out.Policies != nil || out.Releases != nil {
				t.Error("there is output beside the error")
			}
			if read := slices.Sorted(maps.Keys(out.Files)); !slices.Equal(read, tc.read) {
				t.Errorf("read %q, want %q", read, tc.read)
			}
		})
	}
}

func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ name, err string }{
		{empty, ""},
		{dir, "not a regular file"},
		{"/dev/zero", "not a regular file"},
		{filepath.Join(dir, "nope"), "no such file"},
		{filepath.Join(empty, "below"), "not a directory"},
	} {
		data, err := ReadFile(tc.name)
		if err == nil && (tc.err != "" || data == nil || len(data) != 0) || err != nil && err.Error() != tc.err {
			t.Errorf("ReadFile(%s) = %v, %v, want error %q", tc.name, data, err, tc.err)
		}
	}
}
