package threat

import (
	"fmt"
	"strings"
	"testing"

	"github.com/threatgate/threatgate/internal/inventory"
	"github.com/threatgate/threatgate/internal/model"
)

// TestSecurityWords: what the words about security say of each way to write it.
func TestSecurityWords(t *testing.T) {
	const schemes = `
components:
  securitySchemes:
    bearer: {type: http, scheme: bearer}
    basic: {type: http, scheme: basic}
    key: {type: apiKey, in: header, name: X-Key}
    query: {type: apiKey, in: query, name: key}
    oauth: {type: oauth2, flows: {clientCredentials: {tokenUrl: "https://login.example/", scopes: {read: read}}}}
    tls: {type: mutualTLS}
`
	for security, want := range map[string]string{
		`[]`:                                  "[none] [none] keyed true",
		`[{}]`:                                "[none] [none] keyed true",
		`[{bearer: []}, {}]`:                  "[none] [none] keyed false",
		`[{bearer: []}]`:                      "[required bearer] [none] keyed false",
		`[{basic: []}]`:                       "[required basic] [none] keyed false",
		`[{oauth: [read]}]`:                   "[required bearer] [some] keyed false",
		`[{oauth: [read]}, {key: []}]`:        "[required bearer] [none] keyed false",
		`[{oauth: [read], query: []}]`:        "[required bearer key-in-query] [some] keyed false",
		`[{key: []}, {tls: []}, {query: []}]`: "[required key-in-query] [none] keyed true",
	} {
		o := operationSubject{operations(t, "paths: {/a: {get: {security: "+security+"}}}"+schemes)[0], &model.Graph{}, nil}
		if got := fmt.Sprintf("%v %v keyed %t", o.security(), o.scopes(), o.keyed()); got != want {
			t.Errorf("%s: %s, want %s", security, got, want)
		}
	}
}

func TestFlowWords(t *testing.T) {
	low, high := &model.Zone{ID: "low", Trust: 10}, &model.Zone{ID: "high", Trust: 70}
	guarded := &model.Service{Zone: high, Operations: []*model.Operation{{Operation: &inventory.Operation{
		Security: inventory.Security{Alternatives: []inventory.Requirement{{{Scheme: "token"}}}}}}}}
	open := &model.Service{Zone: low, Operations: []*model.Operation{{Operation: &inventory.Operation{}}}}
	for _, row := range []struct {
		flow model.Flow
		want string
	}{
		{model.Flow{From: model.Endpoint{Zone: low}, To: model.Endpoint{Service: guarded}, Issuer: &model.Issuer{}, Token: model.TokenRule{Forward: true}},
			"zone to service, higher, issuer, forward, [] to [guarded]"},
		{model.Flow{From: model.Endpoint{Service: guarded}, To: model.Endpoint{Service: open}, Token: model.TokenRule{Strip: true}},
			"service to service, lower, none, strip, [guarded] to [open]"},
		{model.Flow{From: model.Endpoint{Service: open}, To: model.Endpoint{Zone: low}, Token: model.TokenRule{Exchange: "low"}},
			"service to zone, same, none, exchange, [open] to []"},
		{model.Flow{From: model.Endpoint{Zone: high}, To: model.Endpoint{Zone: high}}, "zone to zone, same, none, none, [] to []"},
	} {
		f := flowSubject{&row.flow}
		one := func(words []string) string { return strings.Join(words, " ") }
		got := fmt.Sprintf("%s to %s, %s, %s, %s, %v to %v", end(f.From), end(f.To), one(f.trust()), one(f.authn()), one(f.token()), guard(f.From.Service), guard(f.To.Service))
		if got != row.want {
			t.Errorf("got  %s\nwant %s", got, row.want)
		}
	}
}

func TestNewerPath(t *testing.T) {
	for _, row := range []struct {
		path, old string
		want      bool
	}{
		{"/v3/orders", "/v2/orders", true},
		{"/v2/orders", "/v3/orders", false},
		{"/v2/orders", "/v2/orders", false},
		{"/v10/orders", "/v9/orders", true},
		{"/v4.0/a/{x}", "/v2.7/a/{y}", true},
		{"/v2.7.1/a", "/v2.7/a", true},
		{"/v02/a", "/v2/a", false},
		{"/v3/orders", "/v2/users", false},
		{"/v3/orders/{id}", "/v2/orders", false},
		{"/v3/{id}", "/v2/id", false},
		{"/v3/v1", "/v2/v2", false},
		{"/vx/a", "/v2/a", false},
		{"/b/a", "/v2/a", false},
	} {
		if got := newerPath(strings.Split(row.path, "/"), strings.Split(row.old, "/")); got != row.want {
			t.Errorf("%s is newer than %s: %t, want %t", row.path, row.old, got, row.want)
		}
	}
}

func TestLoopback(t *testing.T) {
	for address, want := range map[string]bool{
		"127.0.0.1:8080": true, "127.9.9.9": true, "localhost:80": true, "localhost": true, "[::1]:443": true, "[::1]": true,
		"10.0.0.1:80": false, "127.example:80": false, "localhost.example": false, "[::2]:443": false, "orders": false,
	} {
		if got := isLoopback(address); got != want {
			t.Errorf("isLoopback(%q) = %t", address, got)
		}
	}
}
