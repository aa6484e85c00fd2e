package compile

import (
	"slices"
	"testing"
	"time"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/compile/schema"
	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/inventory"
	"github.com/threatgate/threatgate/internal/model"
	"github.com/threatgate/threatgate/internal/policy"
)

func TestLimits(t *testing.T) {
	const day = 24 * time.Hour
	for _, row := range []struct {
		count, burst uint32
		window       time.Duration
		interval     uint64
		fault        string
	}{
		{60, 10, time.Minute, 1e9, ""},
		{999_999_999, 4_294_967_295, time.Second, 1, ""},
		{1, 50_000, day, uint64(day), ""},
		{1, 60_000, day, 0, "model.yaml:7:3: a burst of 60000 takes more than a century to recover at 1 in 24h0m0s"},
	} {
		diags := &diag.List{}
		c := &compiler{service: &policy.Service{Service: &model.Service{ID: "s"}}, diags: diags, texts: map[string]artifact.Text{}}
		c.limits(&policy.Operation{
			Operation: &model.Operation{Operation: &inventory.Operation{}, Label: "o"},
			Limits:    []*model.Limit{{Count: row.count, Window: row.window, Burst: row.burst, Pos: diag.Pos{File: "model.yaml", Line: 7, Col: 3}}},
		})
		fault := ""
		if err := diags.Err(); err != nil {
			fault = err.Error()
		}
		interval := uint64(0)
		if len(c.bundle.Limits) > 0 {
			interval = c.bundle.Limits[0].Interval
		}
		if interval != row.interval || fault != row.fault {
			t.Errorf("%d in %s, burst %d: interval %d, fault %q", row.count, row.window, row.burst, interval, fault)
		}
	}
}

func TestWhatTheModelSaysInVain(t *testing.T) {
	operation := func(label string, depth uint32, upgrade bool) *policy.Operation {
		body := &inventory.Body{Content: []*inventory.MediaType{{Type: "application/json"}}}
		return &policy.Operation{
			Operation: &model.Operation{Operation: &inventory.Operation{Body: body}, Label: label, Upgrade: upgrade, Pos: diag.Pos{File: "model.yaml", Line: 9}, Service: &model.Service{}, Version: &model.Version{}},
			Bounds:    model.Bounds{MaxDepth: depth, MaxQueryParameters: 7, MaxTokenLength: 9},
		}
	}
	diags := &diag.List{}
	c := &compiler{
		service: &policy.Service{Service: &model.Service{ID: "s", Pos: diag.Pos{File: "model.yaml", Line: 5}}, Operations: []*policy.Operation{operation("a", 8, false), operation("b", 2, true)}},
		diags:   diags, schemas: schema.New(diags), texts: map[string]artifact.Text{},
	}
	c.meta()
	for _, o := range c.service.Operations {
		c.operation(o)
	}
	if m := c.bundle.Meta; m.MaxDepth != 8 || m.MaxQuery != 7 || m.MaxToken != 9 {
		t.Errorf("bounds of %d, %d and %d", m.MaxDepth, m.MaxQuery, m.MaxToken)
	}
	var got []string
	for _, d := range diags.Sorted() {
		got = append(got, d.String())
	}
	if want := []string{
		"model.yaml:5: warning: maxDepth is 8 for all operations of s, the largest that the model gives: that of b, 2, is not enforced",
		"model.yaml:9: warning: upgrades of b are refused: it has a body, which an upstream that does not upgrade would read",
	}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}
