package threat_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/model"
	"github.com/threatgate/threatgate/internal/openapi"
	"github.com/threatgate/threatgate/internal/threat"
)

const corpus = "../../../shared/corpus/"

func enumerate(t *testing.T, spec string) []threat.Threat {
	t.Helper()
	if _, err := os.Stat(corpus); err != nil {
		t.Skip("needs ../shared/corpus")
	}
	var diags diag.List
	api, _ := openapi.Load(corpus+spec, nil, &diags)
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	return threat.Enumerate(model.Bare(api), catalogue(t))
}

// TestCrAPI: an API made to be attacked, whose challenges are known. Each rule
// has the number of operations for each of its causes, in their order.
func TestCrAPI(t *testing.T) {
	counts := map[string]map[string]int{}
	operations := map[string][]string{}
	for _, found := range enumerate(t, "crapi/crapi-openapi-spec.json") {
		if counts[found.Rule.ID] == nil {
			counts[found.Rule.ID] = map[string]int{}
		}
		counts[found.Rule.ID][found.Trigger.Cause]++
		if found.Operation != nil {
			operations[found.Rule.ID] = append(operations[found.Rule.ID], found.Operation.Label)
		}
	}
	var got []string
	findings := 0
	for _, r := range catalogue(t).Rules {
		if counts[r.ID] == nil {
			continue
		}
		line := r.ID
		for _, trigger := range r.Triggers {
			line += fmt.Sprintf(" %d", counts[r.ID][trigger.Cause])
		}
		got = append(got, line)
		findings += len(counts[r.ID])
	}
	want := `API1-01 12 0
API1-02 9
API2-01 2
API2-03 34 0
API2-04 8
API3-01 24
API3-03 1 7 3 0
API4-01 36
API4-02 26
API4-03 4
API4-04 2
API5-01 2 0
API5-02 18
API5-03 1
API6-01 6 0
API7-01 3 0
API9-02 0 0 2
TB-02 44 0`
	if got := strings.Join(got, "\n"); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	t.Logf("44 operations, %d findings", findings)

	// The challenges whose place the specification shows.
	for _, challenge := range []struct{ what, rule, operation string }{
		{"1, another user's vehicle", "API1-01", "get_location"},
		{"2, mechanic reports of others", "API1-01", "get_report_byID"},
		{"3, reset another's password", "API9-02", "check_otp_v2"},
		{"4, leak of others' data", "API3-03", "get_recent_posts"},
		{"5, internal property of a video", "API3-03", "get_profile_video"},
		{"6, contact a mechanic without end", "API6-01", "contact_mechanic"},
		{"7, delete another's video", "API5-01", "admin_delete_profile_video"},
		{"8 and 9, properties of an order", "API3-01", "update_order"},
		{"10, internal property of a video", "API3-01", "update_profile_video"},
		{"11, make crAPI call another site", "API7-01", "contact_mechanic"},
		{"14, no authentication", "API2-01", "create_service_report"},
		{"15, forged tokens", "API2-03", "get_dashboard"},
	} {
		if !strings.Contains(" "+strings.Join(operations[challenge.rule], " ")+" ", " "+challenge.operation+" ") {
			t.Errorf("challenge %s: %s doesn't name %s", challenge.what, challenge.rule, challenge.operation)
		}
	}
}

// TestEnumerateIsDeterministic compares everything that two runs find.
func TestEnumerateIsDeterministic(t *testing.T) {
	text := func() string {
		var out strings.Builder
		for _, found := range enumerate(t, "petstore/openapi.yaml") {
			fmt.Fprintln(&out, found.Rule.ID, found.Trigger.Cause, found.String(), found.Evidence, found.Score)
		}
		return out.String()
	}
	first := text()
	if strings.Count(first, "\n") < 50 {
		t.Fatalf("only found:\n%s", first)
	}
	for range 5 {
		if again := text(); again != first {
			t.Fatalf("first:\n%s\nthen:\n%s", first, again)
		}
	}
}
