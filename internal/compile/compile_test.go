package compile

import (
	"testing"

	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/model"
	"github.com/threatgate/threatgate/internal/openapi"
	"github.com/threatgate/threatgate/internal/policy"
	"github.com/threatgate/threatgate/internal/threat"
	"github.com/threatgate/threatgate/policies"
)

// compiled is what becomes of a description without a model, which change may
// alter; diags are the compiler's.
func compiled(t *testing.T, description string, change func(*model.Service)) (releases []*Release, diags *diag.List) {
	t.Helper()
	loading := &diag.List{}
	api, _ := openapi.LoadBytes([]byte(description), "t.yaml", loading)
	if api == nil {
		t.Fatal(loading.Err())
	}
	graph := model.Bare(api)
	graph.Services[0].Upstream = "127.0.0.1:1"
	if change != nil {
		change(graph.Services[0])
	}
	rules := threat.LoadCatalogue(policies.FS, loading)
	set := policy.Derive(graph, rules, threat.Enumerate(graph, rules), policy.Modes{}, loading)
	diags = &diag.List{}
	return Releases(set, diags), diags
}
