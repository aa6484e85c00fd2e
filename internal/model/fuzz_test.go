package model

import (
	"os"
	"testing"

	"github.com/threatgate/threatgate/internal/diag"
)

// whole is a model without a fault, for the files beside.
const whole = header + `  trustZones: [{id: internet, trust: 0}, {id: mesh, trust: 70}]
  dataAssets: [{id: order-id, category: PII, sensitivity: internal}]
  issuers:
    - {id: login, issuer: "https://login.example", jwks: {file: public.json}, audiences: [shop]}
    - {id: other, issuer: "https://other.example", jwks: {file: public.json}}
  services:
    - id: orders
      zone: mesh
      specs: [{file: orders.yaml, state: deprecated, sunset: 2027-01-31}]
      listen: "[::1]:10001"
      upstream: "https://[::1]:7001/"
      bounds: {maxBody: 1MiB, maxDepth: 32}
      classify: [{pointer: "#/components/schemas/OrderID", asset: order-id}]
      operations:
        - {match: listOrders, limit: {per: subject, rate: 30/min, burst: 10}, uploads: stream}
        - {match: getOrder, owner: {claim: sub, param: path.id}, limit: {per: operation, rate: 5/s}}
      unenforceable: pass
    - {id: payments, zone: mesh, specs: [{file: payments.yaml}], upstream: "payments.example:443", mode: shadow, unenforceable: refuse, formats: annotate}
    - {id: billing, zone: mesh, specs: [{file: payments.yaml}], upstream: "http://10.0.0.1:80"}
  flows:
    - {id: in, from: internet, to: orders, authn: {issuer: login}}
    - {id: on, from: orders, to: payments, identity: end-user, token: {exchange: {audience: payments}}, assets: [order-id]}
  acceptedRisks: [{rule: API1-02, service: orders, operation: getOrder, until: 2027-03-01, by: Ada, why: Long numbers.}]
`

// FuzzLoad: whatever the document, there is either a graph in which nothing is
// left open or an error, each error with a place.
func FuzzLoad(f *testing.F) {
	shop, err := os.ReadFile("testdata/shop.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(shop))
	f.Add(whole)
	var none diag.List
	if graph, _ := Load("model.yaml", withModel(whole).options(), &none); graph == nil {
		f.Fatal(text(&none))
	}
	for _, test := range faults {
		if len(test.model) < 10000 {
			f.Add(test.model)
		}
	}
	f.Fuzz(func(t *testing.T, model string) {
		var diags diag.List
		graph, _ := Load("model.yaml", withModel(model).options(), &diags)
		if (graph == nil) != diags.HasErrors() {
			t.Fatalf("graph: %t, diagnostics:\n%s", graph != nil, text(&diags))
		}
		for _, d := range diags.Sorted() {
			if d.Pos.File == "" || d.Pos.Col < 0 || d.Message == "" {
				t.Errorf("a diagnostic without a place or text: %+v", d)
			}
		}
		if graph != nil {
			checkComplete(t, graph)
		}
	})
}

// checkComplete reports what no graph may lack.
func checkComplete(t *testing.T, graph *Graph) {
	for _, s := range graph.Services {
		if s.ID == "" || s.Zone == nil || len(s.Versions) == 0 {
			t.Errorf("incomplete service: %+v", s)
		}
		labels := map[string]bool{}
		for _, o := range s.Operations {
			if labels[o.Label] || o.Label == "" || len(o.BasePaths) == 0 || o.Service != s || o.Version == nil {
				t.Errorf("incomplete operation, or its label is not its own: %+v", o)
			}
			labels[o.Label] = true
			if o.Limit != nil && (o.Limit.Count == 0 || o.Limit.Window == 0 || o.Limit.Burst == 0) {
				t.Errorf("incomplete limit: %+v", o.Limit)
			}
		}
	}
	for _, i := range graph.Issuers {
		if i.Issuer == "" || checkKeySet([]byte(i.JWKS)) != nil {
			t.Errorf("incomplete issuer: %+v", i)
		}
	}
	for _, f := range graph.Flows {
		if f.From.TrustZone() == nil || f.To.TrustZone() == nil || f.Identity == "" {
			t.Errorf("incomplete flow: %+v", f)
		}
	}
	for _, r := range graph.AcceptedRisks {
		if r.Operation == nil || r.Until.IsZero() {
			t.Errorf("incomplete risk: %+v", r)
		}
	}
}
