package threat_test

import (
	"testing"

	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/openapi"
	"github.com/threatgate/threatgate/internal/threat"
	"github.com/threatgate/threatgate/policies"
)

func catalogue(t *testing.T) *threat.Catalogue {
	t.Helper()
	var diags diag.List
	c := threat.LoadCatalogue(policies.FS, &diags)
	if err := diags.Err(); err != nil {
		t.Fatalf("the catalogue does not load:\n%v", err)
	}
	return c
}

func TestTheRulesOwnCases(t *testing.T) {
	c := catalogue(t)
	var diags diag.List
	ran := c.RunCases(openapi.LoadBytes, &diags)
	if err := diags.Err(); err != nil {
		t.Error(err)
	}
	t.Logf("%d cases of %d rules", ran, len(c.Rules))
	if ran < 60 {
		t.Errorf("only %d cases ran", ran)
	}
	for _, r := range c.Rules {
		fires, silent := false, false
		for _, test := range r.Cases {
			fires = fires || len(test.Expect) > 0
			silent = silent || len(test.Expect) == 0
		}
		if len(r.Triggers) > 0 && !(fires && silent) {
			t.Errorf("%s: no case in which it fires, or none in which it is silent", r.ID)
		}
	}
}
