package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/model"
	"github.com/threatgate/threatgate/internal/openapi"
	"github.com/threatgate/threatgate/internal/threat"
	"github.com/threatgate/threatgate/policies"
)

func load(t *testing.T) *model.Graph {
	t.Helper()
	var diags diag.List
	graph, _ := model.Load("model.yaml", model.Options{OpenSpec: openapi.Load}, &diags)
	for _, d := range diags.Sorted() {
		t.Error(d)
	}
	if graph == nil {
		t.FailNow()
	}
	return graph
}

func TestModelLoads(t *testing.T) {
	graph := load(t)
	var got []string
	for _, s := range graph.Services {
		got = append(got, s.ID+" "+s.Mode.String())
	}
	if want := []string{"storefront shadow", "orders shadow", "payments shadow", "analytics shadow"}; !slices.Equal(got, want) {
		t.Errorf("services are %q, want %q", got, want)
	}
	if len(graph.Flows) != 6 {
		t.Errorf("%d flows, want 6", len(graph.Flows))
	}
}

func TestSpecificationsLoad(t *testing.T) {
	files, err := filepath.Glob("specs/*.yaml")
	if err != nil || len(files) != 5 {
		t.Fatalf("%d specifications (%v), want 5", len(files), err)
	}
	operations := 0
	for _, file := range files {
		var diags diag.List
		api, _ := openapi.Load(file, nil, &diags)
		for _, d := range diags.Sorted() {
			t.Error(d)
		}
		if api != nil {
			operations += len(api.Operations)
		}
	}
	if operations != 23 {
		t.Errorf("%d operations, want 23", operations)
	}
}

// subject names what a threat is about.
func subject(t *threat.Threat) string {
	switch {
	case t.Flow != nil:
		return t.Flow.ID
	case t.Operation != nil:
		return t.Service.ID + " " + t.Operation.Label
	case t.Service != nil:
		return t.Service.ID
	}
	return "model"
}

// The rules find the weaknesses that README.md says they find.
func TestWeaknessesAreFound(t *testing.T) {
	var diags diag.List
	catalogue := threat.LoadCatalogue(policies.FS, &diags)
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	graph := load(t)
	find := func() map[string]string {
		found := map[string]string{} // evidence by rule and subject
		for _, f := range threat.Enumerate(graph, catalogue) {
			var evidence []string
			for _, e := range f.Evidence {
				evidence = append(evidence, e.Text)
			}
			found[f.Rule.ID+" "+subject(&f)] += strings.Join(evidence, ", ")
		}
		return found
	}
	found := find()
	for _, want := range []struct{ threat, evidence string }{
		{"API1-01 orders getOrder", "path orderId"},
		{"API1-02 orders getOrderV1", "path orderId"},
		{"API2-01 analytics collectEvents", "POST /events"},
		{"API2-05 orders-analytics", "flow orders-analytics"},
		{"API3-01 storefront putPreferences", "request body"},
		{"API3-02 orders updateOrderV1", "request status"},
		{"API3-03 orders getOrder", "cardToken"},
		{"API4-03 storefront listProducts", "query pageSize"},
		{"API4-03 orders listOrdersV1", "query page_size"},
		{"API9-02 orders getOrderV1", ""},
		{"TB-02 orders listOrders", ""},
	} {
		if evidence, ok := found[want.threat]; !ok || !strings.Contains(evidence, want.evidence) {
			t.Errorf("%s: found %v with %q, want %q", want.threat, ok, evidence, want.evidence)
		}
	}

	const login = "API2-04 storefront login"
	if _, ok := found[login]; ok {
		t.Errorf("%s is found in spite of the limit", login)
	}
	for _, o := range graph.Services[0].Operations {
		o.Limit = nil
	}
	if _, ok := find()[login]; !ok {
		t.Errorf("%s is not found without the limit", login)
	}
}
