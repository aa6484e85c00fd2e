package model

import (
	"os"
	"testing"

	"github.com/threatgate/threatgate/internal/diag"
)

// FuzzLoad: whatever the document, there is either a graph in which nothing is
// left open or an error, each error with a place.
func FuzzLoad(f *testing.F) {
	shop, err := os.ReadFile("testdata/shop.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(shop))
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
