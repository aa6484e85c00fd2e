package threat_test

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"go.yaml.in/yaml/v3"

	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/openapi"
	"github.com/threatgate/threatgate/internal/threat"
	"github.com/threatgate/threatgate/policies"
)

// rule is a pack with one rule, whose lines are the test's.
func rule(lines ...string) string {
	return `categories: {API1: {exploitability: 3, detectability: 3}}
lists: {colour: ["* red", blue]}
rules:
  - id: OWN-01
    title: A rule of somebody's own
    why: It shows that a rule needs no Go.
    scope: operation
    score: {skill: {value: 3, because: a}, integrity: {value: 5, because: b}, availability: {value: 1, because: c}}
    references: {OWASP: [API1]}
    ` + strings.Join(lines, "\n    ") + "\n"
}

func load(pack string) (*threat.Catalogue, string) {
	var diags diag.List
	c := threat.LoadCatalogue(fstest.MapFS{"own.yaml": {Data: []byte(pack)}}, &diags)
	var lines []string
	for _, d := range diags.Sorted() {
		lines = append(lines, d.String())
	}
	return c, strings.Join(lines, "\n")
}

func TestARuleNeedsNoGo(t *testing.T) {
	c, faults := load(rule(
		"controls: [{name: paint, family: validation, codes: ['validation:enum'], removes: 0.5, because: d}]",
		"triggers: [{cause: red, operation: {method: GET}, value: {in: query, named: colour}}]",
		"cases:",
		"  - {name: red, expect: ['GET /walls: query darkRed'], spec: {paths: {/walls: {get: {parameters: [{name: darkRed, in: query, schema: {type: string}}]}}}}}",
		"  - {name: green, expect: [], spec: {paths: {/walls: {get: {parameters: [{name: green, in: query, schema: {type: string}}]}}}}}",
		"  - {name: wrong, expect: ['GET /walls: query green'], spec: {paths: {/walls: {get: {parameters: [{name: red, in: query, schema: {type: string}}]}}}}}",
		"  - {name: broken, expect: [], spec: {paths: {/walls: {get: {parameters: [{name: red}]}}}}}",
	))
	if faults != "" {
		t.Fatal(faults)
	}
	var diags diag.List
	if ran := c.RunCases(openapi.LoadBytes, &diags); ran != 4 {
		t.Errorf("%d cases ran, want 4", ran)
	}
	want := `own.yaml:15:9: OWN-01, "wrong": found, not expected: GET /walls: query red
own.yaml:15:9: OWN-01, "wrong": not found: GET /walls: query green
own.yaml:16:9: OWN-01, "broken": case.yaml:`
	if got := diags.Err(); got == nil || !strings.HasPrefix(got.Error(), want) {
		t.Errorf("got:\n%v\nwant:\n%s", got, want)
	}
}

// packFaults are packs, and what is said of them.
var packFaults = func() []struct{ name, pack, want string } {
	const controls, triggers = "controls: []", "triggers: [{cause: any}]"
	return []struct{ name, pack, want string }{
		{"not YAML", "rules: [", "own.yaml:1: did not find expected node content"},
		{"empty", "", "own.yaml: the file is empty"},
		{"a list", "- rules", "own.yaml:1:1: a mapping is expected, not a list"},
		{"unknown field", "rule: []", `own.yaml:1:1: unknown field "rule"; known here: categories, classes, identityHeaders, lists, rules`},
		{"twice", "lists: {}\nlists: {}", `own.yaml:2:1: "lists" is here twice`},
		{"missing", "rules: [{id: X}]", `own.yaml:1:9: "controls" is missing
own.yaml:1:9: "references" is missing
own.yaml:1:9: "scope" is missing
own.yaml:1:9: "score" is missing
own.yaml:1:9: "title" is missing
own.yaml:1:9: "why" is missing
own.yaml:1:9: a rule has triggers, or evidence: runtime and needs`},
		{"unknown word", rule(controls, "triggers: [{cause: any, operation: {methods: GET}}]"),
			`own.yaml:11:41: unknown field "methods"; known here: deprecated, issuer, limit, method, named, not, owner, scopes, security, sunset, superseded, tagged`},
		{"unknown choice", rule(controls, "triggers: [{cause: any, operation: {method: [GET, FETCH]}}]"),
			`own.yaml:11:55: "FETCH" is not one of: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE`},
		{"unknown word under not", rule(controls, "triggers: [{cause: any, value: {not: {colour: red}}}]"),
			`own.yaml:11:43: unknown field "colour"; known here: backtracking, format, in, listed, maximum, media-type, named, not, open, read-only, repeated, sensitivity, type, unbounded, write-only`},
		{"unknown list", rule(controls, "triggers: [{cause: any, value: {named: color}}]"),
			`own.yaml:11:44: there is no list "color"; known: colour`},
		{"not a flag", rule(controls, "triggers: [{cause: any, value: {open: maybe}}]"),
			`own.yaml:11:43: true or false is expected, not "maybe"`},
		{"a word of another scope", rule(controls, "triggers: [{cause: any, flow: {from: zone}}]"),
			`own.yaml:11:29: unknown field "flow"; known here: cause, controls, operation, service, value`},
		{"unknown control", rule(controls, "triggers: [{cause: any, controls: [paint]}]"),
			`own.yaml:11:40: the rule has no control "paint"`},
		{"unknown code", rule(triggers, "controls: [{name: a, family: data, codes: ['data:mask'], removes: 0.5, because: b}]"),
			`own.yaml:11:48: there is no violation code "data:mask"`},
		{"too much", rule(triggers, "controls: [{name: a, family: data, removes: 1.5, because: b}]"),
			`own.yaml:11:49: a number from 0 to 1 is expected, not "1.5"`},
		{"runtime without needs", rule(controls, "evidence: runtime"),
			`own.yaml:4:5: a rule has triggers, or evidence: runtime and needs`},
		{"two sources", rule(controls, triggers, "cases: [{name: a, expect: []}]"),
			`own.yaml:12:13: a case has either a spec or a model`},
		{"an id that isn't a word", strings.Replace(rule(controls, triggers), "OWN-01", `"a\tb"`, 1), `own.yaml:4:9: "a\tb" can't be the id of a rule: at most 32 letters, digits and "-", and not "contract"`},
		{"the contract's id", strings.Replace(rule(controls, triggers), "OWN-01", "contract", 1), `own.yaml:4:9: "contract" can't be the id of a rule: at most 32 letters, digits and "-", and not "contract"`},
		{"no category", "rules:\n  - {id: X, title: a, why: b, scope: model, evidence: runtime, needs: c, controls: [], score: {skill: {value: 3, because: a}, integrity: {value: 5, because: b}, availability: {value: 1, because: c}}, references: {OWASP: [], CWE: [1]}}",
			`own.yaml:2:213: a rule belongs to an OWASP category, whose rating it takes`},
		{"unknown category", "rules:\n  - {id: X, title: a, why: b, scope: model, evidence: runtime, needs: c, controls: [], score: {skill: {value: 3, because: a}, integrity: {value: 5, because: b}, availability: {value: 1, because: c}}, references: {OWASP: [API1]}}",
			`own.yaml:2:213: there is no rating of category "API1"; known: `},
	}
}()

func TestFaultsOfAPack(t *testing.T) {
	for _, row := range packFaults {
		t.Run(row.name, func(t *testing.T) {
			c, got := load(row.pack)
			if got != row.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, row.want)
			}
			if c != nil {
				t.Error("a catalogue was returned")
			}
		})
	}
}

// FuzzLoadCatalogue: whatever is in a pack, it is a catalogue or an error,
// and a catalogue's cases can be run.
func FuzzLoadCatalogue(f *testing.F) {
	for _, lines := range [][]string{
		{"controls: []", "triggers: [{cause: any, operation: {method: GET, not: [{named: colour}]}, value: {in: query}}]"},
		{"controls: [{name: a, family: data, codes: ['limit:rate'], removes: 1, because: b}]", "triggers: [{cause: any, controls: [a]}]", "cases: [{name: a, expect: [], spec: {}}, {name: b, expect: [c], model: {services: []}, specs: {a: 1}}]"},
		{"controls: []", "evidence: runtime", "needs: more", "cases: [{name: a, expect: [], spec: null}]"},
	} {
		f.Add(rule(lines...))
	}
	f.Add("rules: [&a {id: *a}]")
	for _, row := range packFaults {
		f.Add(row.pack)
	}
	for _, pack := range shippedRules(f) {
		f.Add(pack)
	}
	f.Fuzz(func(t *testing.T, pack string) {
		var diags diag.List
		c := threat.LoadCatalogue(fstest.MapFS{"own.yaml": {Data: []byte(pack)}}, &diags)
		if (c == nil) != diags.HasErrors() {
			t.Fatalf("catalogue %v, errors %v", c, diags.Err())
		}
		if c != nil {
			c.RunCases(openapi.LoadBytes, &diags)
		}
	})
}

// shippedPacks are those of the project; beside them are those of whoever builds it.
func shippedPacks(t testing.TB) fstest.MapFS {
	packs := fstest.MapFS{}
	for _, name := range []string{"names.yaml", "rules.yaml"} {
		data, err := policies.FS.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		packs[name] = &fstest.MapFile{Data: data}
	}
	return packs
}

// shippedRules are the catalogue's rules, each a pack of its own with a few of
// the names that it needs.
func shippedRules(t testing.TB) (packs []string) {
	shipped := shippedPacks(t)
	var names struct {
		Lists      map[string][]string
		Categories yaml.Node
	}
	if err := yaml.Unmarshal(shipped["names.yaml"].Data, &names); err != nil {
		t.Fatal(err)
	}
	for name, patterns := range names.Lists {
		names.Lists[name] = patterns[:2]
	}
	header, err := yaml.Marshal(names)
	if err != nil {
		t.Fatal(err)
	}
	const begin = "\n  - id: "
	for _, rule := range strings.Split(string(shipped["rules.yaml"].Data), begin)[1:] {
		packs = append(packs, string(header)+"rules:"+begin+rule)
	}
	return packs
}

func TestTheCatalogueIsComplete(t *testing.T) {
	var diags diag.List
	c := threat.LoadCatalogue(shippedPacks(t), &diags)
	if c == nil {
		t.Fatal(diags.Err())
	}
	static, runtime := 0, 0
	for _, r := range c.Rules {
		if r.Needs == "" {
			static++
		} else {
			runtime++
		}
		for _, standard := range []string{"OWASP", "CWE", "NIST", "GDPR", "CIS"} {
			found := false
			for _, reference := range r.References {
				found = found || reference.Standard == standard
			}
			if !found {
				t.Errorf("%s has no %s reference", r.ID, standard)
			}
		}
	}
	if static != 30 || runtime != 10 {
		t.Errorf("%d rules fire on a model and %d need running traffic, want 30 and 10", static, runtime)
	}
	for i, h := range c.IdentityHeaders {
		if h.Name != strings.ToLower(h.Name) || h.Why == "" || i > 0 && h.Name <= c.IdentityHeaders[i-1].Name {
			t.Errorf("identity header %q: not lower case, in order and with a reason", h.Name)
		}
	}
}

// TestTheReadmeHolds loads the example of the README, runs its cases and looks
// for every word of the vocabulary.
func TestTheReadmeHolds(t *testing.T) {
	readme, err := os.ReadFile("../../policies/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(readme), "```yaml\n")
	example, tables, _ := strings.Cut(rest, "```\n")
	packs := shippedPacks(t)
	packs["own.yaml"] = &fstest.MapFile{Data: []byte(example)}
	var diags diag.List
	c := threat.LoadCatalogue(packs, &diags)
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	if own := c.Rule("OWN-01"); own == nil || len(own.Cases) != 2 {
		t.Fatalf("the example isn't there: %+v", own)
	}
	c.RunCases(openapi.LoadBytes, &diags)
	if err := diags.Err(); err != nil {
		t.Error(err)
	}
	for subject, words := range threat.Vocabulary {
		_, table, _ := strings.Cut(tables, "| word of `"+subject+"` |")
		table, _, _ = strings.Cut(table, "\n\n")
		for _, word := range words {
			if !strings.Contains(table, "`"+word+"`") {
				t.Errorf("the table of %s lacks %s", subject, word)
			}
		}
	}
}
