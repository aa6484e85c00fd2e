package pipeline

import (
	"testing"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/enforce/route"
	"github.com/threatgate/threatgate/internal/enforce/uri"
)

// Three versions of an API side by side: two below paths of one host, one
// with the same paths at another. Path items and operations may have servers
// of their own.
var versions = files{
	"shop.yaml": `apiVersion: threatgate.dev/v1alpha1
kind: ThreatModel
metadata: {name: shop}
spec:
  services:
    - {id: shop, specs: [{file: v1.yaml}, {file: v2.yaml}, {file: beta.yaml}], upstream: "127.0.0.1:7001", listen: "127.0.0.1:7101"}
`,
	"v1.yaml": `openapi: 3.0.3
info: {title: Shop, version: "1"}
servers: [{url: "https://shop.example/v1"}]
paths:
  /orders/{id}: {get: {operationId: order, responses: {"200": {description: ok}}}}
  /status: {servers: [{url: "https://status.example"}], get: {operationId: status, responses: {"200": {description: ok}}}}
  /orders:
    post: {operationId: write, servers: [{url: "https://shop.example:8443/write"}], responses: {"200": {description: ok}}}
`,
	"v2.yaml": `openapi: 3.0.3
info: {title: Shop, version: "2"}
servers: [{url: "https://shop.example/v2"}, {url: "https://SHOP2.example"}]
paths:
  /orders/{id}: {get: {operationId: order, responses: {"200": {description: ok}}}}
`,
	"beta.yaml": `openapi: 3.0.3
info: {title: Shop, version: "3"}
servers: [{url: "https://beta.example/v1"}]
paths:
  /orders/{order}: {get: {operationId: order, responses: {"200": {description: ok}}}}
`,
}

func TestServers(t *testing.T) {
	out := run(t, versions, Input{Model: "shop.yaml", MatchHosts: true})
	if err := out.Diags.Err(); err != nil {
		t.Fatal(err)
	}
	bundle, err := artifact.Decode(out.Releases[0].Bundle)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ method, host, path, want string }{
		{"GET", "shop.example", "/v1/orders/7", "GET /v1/orders/{id}"},
		{"GET", "shop.example", "/v2/orders/7", "GET /v2/orders/{id}"},
		{"GET", "shop2.example", "/orders/7", "GET /v2/orders/{id}"},
		{"GET", "beta.example", "/v1/orders/7", "GET /v1/orders/{order}"},
		{"GET", "beta.example", "/v2/orders/7", ""},
		{"GET", "shop.example", "/orders/7", ""},
		{"GET", "shop2.example", "/v2/orders/7", ""},
		{"GET", "status.example", "/status", "status"},
		{"GET", "shop.example", "/v1/status", ""},
		{"POST", "shop.example", "/write/orders", "write"},
		{"POST", "shop.example", "/v1/orders", ""},
	} {
		if got := operationAt(t, bundle, row.method, row.host, row.path); got != row.want {
			t.Errorf("%s %s%s: operation %q, want %q", row.method, row.host, row.path, got, row.want)
		}
	}
}

func operationAt(t *testing.T, b *artifact.Bundle, method, host, path string) string {
	t.Helper()
	for _, h := range b.Hosts {
		if string(b.String(h.Name)) != host {
			continue
		}
		var m route.Match
		target := uri.Parse([]byte(path))
		if m.Find(b, h.Root, []byte(method), &target); m.Operation == nil {
			return ""
		}
		return string(b.String(m.Operation.Label))
	}
	t.Fatalf("there is no host %s", host)
	return ""
}

// Where hosts are not matched, what only they tell apart is an error.
func TestServersWithoutHosts(t *testing.T) {
	out := run(t, versions, Input{Model: "shop.yaml"})
	const want = `beta.yaml:5:21: GET /v1/orders/{order} is in another version of service "shop", too: v1.yaml:5:18`
	if err := out.Diags.Err(); err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}
