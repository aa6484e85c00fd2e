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
	folder     string
	version    string                                           // of the OpenAPI document that the schemas are read through
	adapt      func(json.RawMessage) (text []byte, skip string) // makes a schema part of such a document
	annotate   bool                                             // format is an annotation
	exceptions map[string]string                                // "file" or "file: group" → reason why its cases may fail
	cases      int                                              // at least
	passed     int                                              // at least
}

func TestSuite2020(t *testing.T) {
	suite{
		folder:   "draft2020-12",
		version:  "3.1.0",
		adapt:    withID,
		annotate: true,
		exceptions: map[string]string{
			"defs.json: validate definition against metaschema":                                      "the meta-schema is on the network",
			"ref.json: remote ref, containing refs itself":                                           "the meta-schema is on the network",
			"vocabulary.json: schema that uses custom metaschema with with no validation vocabulary": "OpenAPI 3.1 has all vocabularies",
		},
		cases:  1299,
		passed: 1294,
	}.run(t)
}

func TestSuite4(t *testing.T) {
	suite{
		folder:  "draft4",
		version: "3.0.3",
		adapt:   asOpenAPI30,
		cases:   389,
		passed:  389,
	}.run(t)
}

const unenforced = "the format is not enforced, and said not to be"

func TestSuiteFormats(t *testing.T) {
	suite{
		folder:  "draft2020-12/optional/format",
		version: "3.1.0",
		adapt:   withID,
		exceptions: map[string]string{
			"hostname.json: validation of A-label (punycode) host names": "what an A-label stands for is not judged",
			"idn-hostname.json":     unenforced,
			"idn-email.json":        unenforced,
			"iri.json":              unenforced,
			"iri-reference.json":    unenforced,
			"uri-template.json":     unenforced,
			"regex.json":            unenforced,
			"ecmascript-regex.json": unenforced,
		},
		cases:  764,
		passed: 657,
	}.run(t)
}

func (s suite) run(t *testing.T) {
	if _, err := os.Stat(shared); err != nil {
		t.Skip("the suite is not here")
	}
	copies := documents(t)
	files, _ := filepath.Glob(filepath.Join(shared, "corpus/schema-tests/tests", s.folder, "*.json"))
	ran, passed := 0, 0
	skipped, excused := map[string]int{}, map[string]int{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var groups []group
		if err := json.Unmarshal(data, &groups); err != nil {
			t.Fatal(err)
		}
		for _, g := range groups {
			name := filepath.Base(file) + ": " + g.Description
			text, skip := s.adapt(g.Schema)
			if skip != "" {
				skipped[skip] += len(g.Tests)
				continue
			}
			ran += len(g.Tests)
			reason := s.exceptions[filepath.Base(file)] + s.exceptions[name]
			fault := func(format string, args ...any) {
				if reason == "" {
					t.Errorf(format, args...)
				}
				excused[reason]++
			}
			var diags diag.List
			c := schema.New(&diags)
			c.AnnotateFormats = s.annotate
			root := c.Root(loadOffline(copies, s.version, text, &diags), schema.Request)
			program := c.Program()
			if diags.HasErrors() {
				for _, test := range g.Tests {
					fault("%s: %s: %v", name, test.Description, diags.Err())
				}
				continue
			}
			var m machine.Machine
			for _, test := range g.Tests {
				if got := judge(&m, &program, root, test.Data); got != test.Valid {
					fault("%s: %s: valid %t, want %t", name, test.Description, got, test.Valid)
				} else {
					passed++
				}
			}
		}
	}
	t.Logf("%s: %d of %d passed", s.folder, passed, ran)
	for _, list := range []map[string]int{excused, skipped} {
		for _, reason := range slices.Sorted(maps.Keys(list)) {
			t.Logf("%4d not: %s", list[reason], reason)
		}
	}
	if ran < s.cases || passed < s.passed {
		t.Errorf("%d of %d passed, want at least %d of %d", passed, ran, s.passed, s.cases)
	}
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
	return loadOffline(nil, version, text, diags)
}

// loadOffline is load with copies of what is on the network.
func loadOffline(copies map[string][]byte, version string, text []byte, diags *diag.List) *inventory.Schema {
	document := fmt.Sprintf(`{
		"openapi": %q,
		"info": {"title": "t", "version": "1"},
		"paths": {"/": {"post": {
			"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/T"}}}},
			"responses": {}
		}}},
		"components": {"schemas": {"T": %s}}
	}`, version, text)
	api, _ := openapi.LoadOffline(copies, []byte(document), "test.json", diags)
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
func judge(m *machine.Machine, p *artifact.Program, root artifact.Ref, value []byte) bool {
	m.Start(p, root, machine.Options{MaxDepth: 64, MaxToken: 1024, MaxViolations: 10})
	m.Write(value)
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
		return nil, "not JSON"
	}
	delete(v.(map[string]any), "$schema")
	if keyword := missingIn30(v); keyword != "" {
		return nil, "not in OpenAPI 3.0, or not there: " + keyword
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
