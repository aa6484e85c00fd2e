package openapi

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/inventory"
)

// load loads a document from memory and returns every diagnostic, one a line.
func load(t *testing.T, name, document string) (*inventory.API, string) {
	t.Helper()
	var diags diag.List
	api, _ := LoadBytes([]byte(document), name, &diags)
	if (api == nil) != diags.HasErrors() {
		t.Errorf("API is nil: %v; errors: %v", api == nil, diags.HasErrors())
	}
	return api, render(&diags)
}

func render(diags *diag.List) string {
	var lines []string
	for _, d := range diags.Sorted() {
		lines = append(lines, d.String())
	}
	return strings.Join(lines, "\n")
}

// mustLoad loads a document that has no fault at all.
func mustLoad(t *testing.T, document string) *inventory.API {
	t.Helper()
	api, faults := load(t, "a.yaml", document)
	if faults != "" {
		t.Fatalf("diagnostics:\n%s\ndocument:\n%s", faults, document)
	}
	return api
}

// write puts files into a new directory and makes that the working directory.
func write(t *testing.T, files map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, content := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLoadFollowsReferencesIntoFiles(t *testing.T) {
	write(t, map[string]string{
		"api/openapi.yaml": `
openapi: 3.0.3
paths:
  /a:
    $ref: paths/a.json
components:
  schemas:
    Local: {type: integer}
`,
		"api/paths/a.json": `{"get": {"parameters": [
	{"name": "up", "in": "query", "schema": {"$ref": "../../shared/types.yaml#/definitions/My%20Id"}},
	{"name": "back", "in": "query", "schema": {"$ref": "../openapi.yaml#/components/schemas/Local"}}]}}`,
		"shared/types.yaml": `
definitions:
  My Id: {$ref: '#/definitions/a~1b~0c'}
  a/b~c: {type: string}
`,
	})
	var diags diag.List
	api, files := Load("api/openapi.yaml", nil, &diags)
	if got := render(&diags); got != "" {
		t.Fatal(got)
	}
	if want := []string{"api/openapi.yaml", "api/paths/a.json", "shared/types.yaml"}; !slices.Equal(files, want) {
		t.Errorf("files: %q, want %q", files, want)
	}
	var got []string
	for _, p := range api.Operations[0].Parameters {
		got = append(got, p.Pos.String()+" "+p.Name+" "+p.Schema.Pos.String()+" "+p.Schema.Pointer+" "+describe(p.Schema))
	}
	want := []string{
		"api/paths/a.json:2:2 up shared/types.yaml:4:10 shared/types.yaml#/definitions/a~1b~0c string",
		"api/paths/a.json:3:2 back api/openapi.yaml:8:12 #/components/schemas/Local integer",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestLoadReportsFaultsInFiles(t *testing.T) {
	const main = "openapi: 3.0.3\npaths:\n  /a: {$ref: b.yaml}\n"
	for _, test := range []struct {
		name  string
		files map[string]string
		path  string
		want  string
		read  []string
	}{
		{"no file", nil, "none.yaml", "none.yaml: no such file", []string{"none.yaml"}},
		{"directory", map[string]string{"d/x": ""}, "d", "d: not a regular file", []string{"d"}},
		{"missing reference", map[string]string{"a.yaml": main}, "a.yaml",
			`a.yaml:3:14: "b.yaml" can't be read: no such file`, []string{"a.yaml", "b.yaml"}},
		{"empty reference", map[string]string{"a.yaml": main, "b.yaml": "\n"}, "a.yaml",
			`a.yaml:3:14: "b.yaml" can't be read: the file is empty`, []string{"a.yaml", "b.yaml"}},
		{"malformed reference", map[string]string{"a.yaml": main, "b.yaml": "get: {}\nget: {}\n"}, "a.yaml",
			`b.yaml:2:1: duplicate key "get", first in line 1`, []string{"a.yaml", "b.yaml"}},
		{"fault in reference", map[string]string{"a.yaml": main, "b.yaml": "get: {security: [{x: []}]}\n"}, "a.yaml",
			`b.yaml:1:19: security scheme "x" is not declared in components.securitySchemes`, []string{"a.yaml", "b.yaml"}},
		{"circle of files", map[string]string{"a.yaml": main, "b.yaml": "$ref: c.yaml\n", "c.yaml": "$ref: b.yaml\n"}, "a.yaml",
			`a.yaml:3:14: the reference leads round in a circle`, []string{"a.yaml", "b.yaml", "c.yaml"}},
		{"too large", map[string]string{"a.yaml": strings.Repeat("#", maxBytes+1)}, "a.yaml",
			"a.yaml: larger than 64 MiB", []string{"a.yaml"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			write(t, test.files)
			var diags diag.List
			api, read := Load(test.path, nil, &diags)
			if got := render(&diags); got != test.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, test.want)
			}
			if api != nil || !slices.Equal(read, test.read) {
				t.Errorf("API %v, files %q; want none, %q", api, read, test.read)
			}
		})
	}
}

func TestLoadFromAsksTheCallerForFiles(t *testing.T) {
	files := map[string]string{
		"d/a.yaml": "openapi: 3.0.3\npaths:\n  /a: {$ref: b.yaml}\n  /c: {$ref: c.yaml}\n",
		"d/b.yaml": "get: {}\n",
	}
	open := func(name string) ([]byte, error) {
		if content, ok := files[name]; ok {
			return []byte(content), nil
		}
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	var diags diag.List
	if api, read := LoadFrom(open, "d/a.yaml", nil, &diags); api != nil || !slices.Equal(read, []string{"d/a.yaml", "d/b.yaml", "d/c.yaml"}) {
		t.Errorf("API %v, files %q", api, read)
	}
	if got, want := render(&diags), `d/a.yaml:4:14: "c.yaml" can't be read: permission denied`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	files["d/c.yaml"] = "put: {}\n"
	if api, _ := LoadFrom(open, "d/a.yaml", nil, nil); api == nil || len(api.Operations) != 2 {
		t.Errorf("API %+v, want one with two operations", api)
	}
}

func TestLoadWithoutDiagnosticsStillRefuses(t *testing.T) {
	if api, _ := LoadBytes([]byte("openapi: 3.0.3\n"), "a.yaml", nil); api != nil {
		t.Error("a faulty document gave an API")
	}
}

// Documents that try to exhaust memory or stack are refused, or read, in little of either.
func TestBounds(t *testing.T) {
	const head = "openapi: 3.1.0\npaths: {}\nx-bomb: "
	laughs := "openapi: 3.1.0\npaths: {}\nx0: &x0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
	for i := byte('0'); i < '8'; i++ {
		laughs += strings.NewReplacer("M", string(i), "N", string(i+1)).
			Replace("xN: &xN [*xM, *xM, *xM, *xM, *xM, *xM, *xM, *xM, *xM, *xM]\n")
	}
	chain := "openapi: 3.1.0\npaths: {/a: {get: {parameters: [{name: a, in: query, schema: {$ref: '#/x-s/0'}}]}}}\nx-s:\n"
	var links strings.Builder
	for i := range 100_000 {
		links.WriteString("  - {items: {minItems: 1, $ref: '#/x-s/" + strconv.Itoa(i+1) + "'}}\n")
	}
	// Resources, each with an anchor of its own, of which every one leads to the two after it.
	var paths strings.Builder
	paths.WriteString("openapi: 3.1.0\npaths: {/a: {get: {parameters: [{name: a, in: query, schema: {$ref: '#/components/schemas/s0'}}]}}}\ncomponents:\n  schemas:\n")
	for i := range 24 {
		fmt.Fprintf(&paths, "    s%d: {$id: 'https://h/%d', $dynamicAnchor: a%d, items: {$ref: '%d'}, not: {$ref: '%d'}}\n",
			i, i, i, (i+1)%24, (i+2)%24)
	}
	for _, test := range []struct{ name, file, document, want string }{
		{"billion laughs", "a.yaml", laughs, "a.yaml:3:10: aliases stand for more than 1048576 values"},
		{"depth in YAML", "a.yaml", head + strings.Repeat("[", 600) + strings.Repeat("]", 600), "a.yaml:3:509: more than 500 values inside each other"},
		{"depth in JSON", "a.json", strings.Repeat("[", 600) + strings.Repeat("]", 600), "a.json:1:502: more than 500 values inside each other"},
		{"great depth in JSON", "a.json", strings.Repeat("[", 1<<20), "a.json:1:10001: invalid character '[' exceeded max depth"},
		{"long chain of references", "a.yaml", chain + links.String() + "  - {}\n", ""},
		{"many dynamic scopes", "a.yaml", paths.String(), "a.yaml:11:9: $dynamicAnchor makes more than 262144 schemas of those in the document"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, got := load(t, test.file, test.document); got != test.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, test.want)
			}
		})
	}
}

func TestBoundOfValues(t *testing.T) {
	const want = "a.json:1:4: the document has more than 4194304 values"
	var diags diag.List
	b := jsonBuilder{data: []byte("[1,2,3]"), src: &source{file: "a.json"}, diags: &diags, line: 1, size: size{nodes: maxNodes - 2}}
	b.value(0)
	if got := render(&diags); got != want || !b.failed {
		t.Errorf("failed %v, got %s, want %s", b.failed, got, want)
	}
}

// JSON and YAML give the same tree.
func TestJSONAndYAMLAgree(t *testing.T) {
	for _, test := range []struct{ json, yaml string }{
		{`{"a":[1,-0.5,1e3,"1",true,false,null,{}]}`, "a: [1, -0.5, 1e3, '1', true, False, ~, {}]"},
		{`{"a":["\u00e9\ud83d\ude00\/\"\\<"]}`, `a: ["é😀/\"\\<"]`},
		{`[31,9,10,0.5,1,-1.5e-3,12]`, "[0x1F, 0o11, 010, .5, 1., -01.5e-3, +12]"},
		{`["on","yes","1_000",".inf","2001-01-01","0x","1:30","1"]`, "[on, yes, 1_000, .inf, 2001-01-01, 0x, 1:30, !!str 1]"},
		{`{"1":1,"null":2,"true":3}`, "1: 1\nnull: 2\ntrue: 3"},
		{`{"a":{"x":1},"b":{"y":2,"x":1}}`, "a: &a {x: 1}\nb: {<<: *a, y: 2}"},
		{`{"a":{"x":1,"y":2},"b":{"y":3,"x":1}}`, "a: &a {x: 1, y: 2}\nb:\n  <<: [*a, {y: 4}]\n  y: 3"},
		{`[92233720368547758070,0.10,1E+2]`, "[92233720368547758070, 0.10, 1E+2]"},
	} {
		var diags diag.List
		fromJSON := parseJSON([]byte(test.json), &source{file: "a.json"}, &diags)
		fromYAML := parseYAML([]byte(test.yaml), &source{file: "a.yaml"}, &diags)
		if got := render(&diags); got != "" {
			t.Errorf("%s: %s", test.json, got)
			continue
		}
		j, y := fromJSON.appendJSON(nil), fromYAML.appendJSON(nil)
		if !bytes.Equal(j, y) {
			t.Errorf("JSON %s\nYAML %s", j, y)
		}
	}
}
