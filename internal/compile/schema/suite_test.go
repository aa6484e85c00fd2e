package schema_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/compile/schema"
	"github.com/threatgate/threatgate/internal/diag"
	machine "github.com/threatgate/threatgate/internal/enforce/schema"
	"github.com/threatgate/threatgate/internal/inventory"
	"github.com/threatgate/threatgate/internal/openapi"
)

const shared = "../../../../shared"

// group is one schema of the JSON Schema Test Suite and its instances.
type group struct {
	Description string
	Schema      json.RawMessage
	Tests       []struct {
		Description string
		Data        json.RawMessage
		Valid       bool
	}
}

// suite is one folder of the JSON Schema Test Suite.
type suite struct {
	name       string // as the report calls it
	folder     string
	version    string                                           // of the OpenAPI document that the schemas are read through
	adapt      func(json.RawMessage) (text []byte, skip string) // makes a schema part of such a document, or says what of it has no place there
	annotate   bool                                             // format is an annotation
	exceptions map[string]string                                // "file: group: case" → why it fails
	cases      int                                              // at least
}

func TestSuite2020(t *testing.T) {
	suite{
		name:     "draft 2020-12, required",
		folder:   "draft2020-12",
		version:  "3.1.0",
		adapt:    withID,
		annotate: true,
		cases:    1299,
	}.run(t)
}

func TestSuite2020Optional(t *testing.T) {
	suite{
		name:    "draft 2020-12, optional",
		folder:  "draft2020-12/optional",
		version: "3.1.0",
		adapt:   withID,
		exceptions: map[string]string{
			"cross-draft.json: refs to historic drafts are processed as historic drafts: first item not a string is valid": "every schema is read by 2020-12, with a warning",
		},
		cases: 162,
	}.run(t)
}

func TestSuite2020Formats(t *testing.T) {
	suite{
		name:    "draft 2020-12, formats",
		folder:  "draft2020-12/optional/format",
		version: "3.1.0",
		adapt:   withID,
		cases:   764,
	}.run(t)
}

func TestSuite4(t *testing.T) {
	suite{
		name:     "draft 4, required",
		folder:   "draft4",
		version:  "3.0.3",
		adapt:    asOpenAPI30,
		annotate: true,
		cases:    389,
	}.run(t)
}

func TestSuite4Optional(t *testing.T) {
	suite{
		name:    "draft 4, optional",
		folder:  "draft4/optional",
		version: "3.0.3",
		adapt:   asOpenAPI30,
		exceptions: map[string]string{
			"zeroTerminatedFloats.json: some languages do not distinguish between different types of numeric value: a float is not an integer even without fractional part": "1.0 is an integer, as in every later draft",
		},
		cases: 75,
	}.run(t)
}

func TestSuite4Formats(t *testing.T) {
	suite{
		name:    "draft 4, formats",
		folder:  "draft4/optional/format",
		version: "3.0.3",
		adapt:   asOpenAPI30,
		cases:   219,
	}.run(t)
}

// run judges every instance whole and cut in two at every byte. A case passes
// if each time the verdict is the suite's.
func (s suite) run(t *testing.T) {
	if _, err := os.Stat(shared); err != nil {
		t.Skipf("conformance: %-26s not run: it needs ../shared/corpus", s.name)
	}
	copies := documents(t)
	files, _ := filepath.Glob(filepath.Join(shared, "corpus/schema-tests/tests", s.folder, "*.json"))
	ran, passed, judged := 0, 0, 0
	var excused []string
	skipped := map[string]int{}
	for _, file := range files {
		for _, g := range groups(t, file) {
			name := filepath.Base(file) + ": " + g.Description
			text, skip := s.adapt(g.Schema)
			if skip != "" {
				skipped[skip] += len(g.Tests)
				continue
			}
			var diags diag.List
			c := schema.New(&diags)
			c.AnnotateFormats = s.annotate
			root := c.Root(loadWith(copies, s.version, text, &diags), schema.Request)
			program := c.Program()
			var m machine.Machine
			for _, test := range g.Tests {
				ran++
				ok := !diags.HasErrors()
				for cut := 0; cut < len(test.Data) && ok; cut++ {
					judged++
					ok = judge(&m, &program, root, test.Data[:cut], test.Data[cut:]) == test.Valid
				}
				title := name + ": " + test.Description
				why := s.exceptions[title]
				switch {
				case ok && why != "":
					t.Errorf("%s passes: it needs no exception", title)
				case ok:
					passed++
				case why != "":
					excused = append(excused, title+": "+why)
				default:
					t.Errorf("%s: want valid %t; %v", title, test.Valid, diags.Err())
				}
			}
		}
	}
	t.Logf("conformance: %-26s %5d/%-5d %7d judgements, of each instance whole and cut at every byte", s.name, passed, ran, judged)
	for _, exception := range excused {
		t.Logf("conformance:     not %s", exception)
	}
	if len(skipped) > 0 {
		total, words := 0, []string{}
		for _, what := range slices.Sorted(maps.Keys(skipped)) {
			total += skipped[what]
			words = append(words, fmt.Sprintf("%s %d", what, skipped[what]))
		}
		t.Logf("conformance:     %d more need what OpenAPI %s has not, or not there: %s", total, s.version, strings.Join(words, ", "))
	}
	if ran < s.cases {
		t.Errorf("%d cases, want at least %d", ran, s.cases)
	}
}

func groups(t *testing.T, file string) (all []group) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// documents are those that the suite expects at a server of its own, by
// their URIs.
func documents(t *testing.T) map[string][]byte {
	all := map[string][]byte{}
	files := os.DirFS(filepath.Join(shared, "corpus/schema-tests/remotes"))
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		all["http://localhost:1234/"+name], err = fs.ReadFile(files, name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// load reads a schema through an OpenAPI document that holds it; nil if it
// does not load.
func load(version string, text []byte, diags *diag.List) *inventory.Schema {
	return loadWith(nil, version, text, diags)
}

// loadWith is load with copies of what is on the network, by URI.
func loadWith(copies map[string][]byte, version string, text []byte, diags *diag.List) *inventory.Schema {
	document := fmt.Appendf(nil, `{
		"openapi": %q,
		"info": {"title": "t", "version": "1"},
		"paths": {"/": {"post": {
			"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/T"}}}},
			"responses": {}
		}}},
		"components": {"schemas": {"T": %s}}
	}`, version, text)
	references := map[string]string{}
	for uri := range copies {
		references[uri] = uri
	}
	read := func(name string) ([]byte, error) {
		if name == "test.json" {
			return document, nil
		}
		return copies[name], nil
	}
	api, _ := openapi.LoadFrom(read, "test.json", references, diags)
	if api == nil {
		return nil
	}
	return api.Operations[0].Body.Content[0].Schema
}

func compile(s *inventory.Schema, diags *diag.List) (artifact.Ref, artifact.Program) {
	c := schema.New(diags)
	root := c.Root(s, schema.Request)
	return root, c.Program()
}

// judge runs a value through a program.
func judge(m *machine.Machine, p *artifact.Program, root artifact.Ref, chunks ...[]byte) bool {
	m.Start(p, root, machine.Options{MaxDepth: 64, MaxToken: 1024, MaxViolations: 10})
	for _, chunk := range chunks {
		m.Write(chunk)
	}
	return m.End()
}

// withID gives a schema an identifier, so that its "#" means itself and not
// the OpenAPI document.
func withID(s json.RawMessage) ([]byte, string) {
	var object map[string]json.RawMessage
	if json.Unmarshal(s, &object) != nil || object["$id"] != nil {
		return s, ""
	}
	object["$id"] = json.RawMessage(`"http://test.example/schema"`)
	text, _ := json.Marshal(object)
	return text, ""
}

// asOpenAPI30 makes an OpenAPI 3.0 schema of one of draft 4, or says which
// keyword of it OpenAPI 3.0 does not have.
func asOpenAPI30(s json.RawMessage) ([]byte, string) {
	var v any
	if err := json.Unmarshal(s, &v); err != nil {
		return nil, "other than JSON"
	}
	delete(v.(map[string]any), "$schema")
	if keyword := missingIn30(v); keyword != "" {
		return nil, keyword
	}
	return []byte(strings.ReplaceAll(string(s), `"$schema": "http://json-schema.org/draft-04/schema#",`, "")), ""
}

func missingIn30(v any) string {
	object, _ := v.(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(object)) {
		value := object[name]
		_, isArray := value.([]any)
		_, isObject := value.(map[string]any)
		switch {
		case slices.Contains([]string{"id", "$ref", "definitions", "patternProperties", "additionalItems", "dependencies"}, name):
			return name
		case name == "type" && isArray, name == "items" && isArray:
			return "list as " + name
		case name == "type" && value == "null":
			return "null as type"
		case name == "properties" && isObject:
			for _, property := range slices.Sorted(maps.Keys(value.(map[string]any))) {
				if missing := missingIn30(value.(map[string]any)[property]); missing != "" {
					return missing
				}
			}
		case slices.Contains([]string{"allOf", "anyOf", "oneOf"}, name) && isArray:
			for _, member := range value.([]any) {
				if missing := missingIn30(member); missing != "" {
					return missing
				}
			}
		case isObject && name != "enum" && name != "default":
			if missing := missingIn30(value); missing != "" {
				return missing
			}
		}
	}
	return ""
}
