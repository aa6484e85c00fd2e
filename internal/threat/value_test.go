package threat

import (
	"fmt"
	"strings"
	"testing"

	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/model"
	"github.com/threatgate/threatgate/internal/openapi"
	"github.com/threatgate/threatgate/policies"
)

func operations(t testing.TB, spec string) []*model.Operation {
	t.Helper()
	var diags diag.List
	api, _ := openapi.LoadBytes([]byte("openapi: 3.1.0\ninfo: {title: T, version: '1'}\n"+spec), "spec.yaml", &diags)
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	return model.Bare(api).Services[0].Operations
}

func values(t *testing.T, o *model.Operation) []value {
	e := newEnumeration(nil, embedded(t))
	return e.values(o)
}

// TestValues lists everything an operation takes and gives: each once, with
// its shortest path, also where schemas are composed or refer to themselves.
func TestValues(t *testing.T) {
	o := operations(t, `
paths:
  /nodes/{id}:
    post:
      parameters:
        - {name: id, in: path, required: true, schema: {type: string}}
        - {name: filter, in: query, content: {application/json: {schema: {properties: {deep: {type: string}}}}}}
      requestBody:
        content:
          application/json: {schema: {$ref: '#/components/schemas/Node'}}
          application/xml: {schema: {$ref: '#/components/schemas/Node'}}
          text/plain: {}
      responses: {default: {description: any, content: {application/json: {schema: {type: array, prefixItems: [{type: integer}], items: {$ref: '#/components/schemas/Node'}}}}}}
components:
  schemas:
    Node:
      unevaluatedProperties: false
      allOf: [{properties: {name: {type: string}}}]
      properties:
        child: {$ref: '#/components/schemas/Node'}
        tags: {type: object, additionalProperties: {type: string}}
`)[0]
	var got []string
	for _, v := range values(t, o) {
		line := v.place + " " + v.path
		for _, mark := range []struct {
			on   bool
			text string
		}{{v.mediaType != "", v.mediaType}, {v.repeated, "repeated"}, {v.open(), "open"}, {v.sealed, "sealed"}} {
			if mark.on {
				line += " " + mark.text
			}
		}
		got = append(got, line)
	}
	want := `path id
query filter open
query filter.deep
request body application/json
request body application/xml
request body text/plain
request body sealed
request body.child
request body.tags
request body.name
request body.child sealed
request body.tags.* repeated
response body application/json
response body[] repeated
response body[] repeated
response body[] repeated sealed
response body[].child repeated
response body[].tags repeated
response body[].name repeated
response body[].child repeated sealed
response body[].tags.* repeated`
	if got := strings.Join(got, "\n"); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// TestClass: what is classified counts as that, and only else does its name.
func TestClass(t *testing.T) {
	for schema, want := range map[string]class{
		`{}`: restricted, // by the name "password"
		`{x-data-classification: {category: other, sensitivity: public}}`:         public,
		`{x-data-classification: {category: financial, sensitivity: restricted}}`: restricted,
		`{x-pii: true}`:                     confidential,
		`{x-data-classification: health}`:   restricted,
		`{x-data-classification: other}`:    internal,
		`{x-data-classification: internal}`: internal,
	} {
		o := operations(t, "paths: {/a: {get: {parameters: [{name: password, in: query, schema: "+schema+"}]}}}")[0]
		if got := values(t, o)[0].class; got != want {
			t.Errorf("%s: %s, want %s", schema, got, want)
		}
	}
}

func TestBacktracks(t *testing.T) {
	for pattern, want := range map[string]bool{
		`^(?!\s).+$`:   true,
		`a(?=b)`:       true,
		`(?<=a)b`:      true,
		`(?<!a)b`:      true,
		`(a)\1`:        true,
		`(?<x>a)\k<x>`: true,
		`(?:a|b)+`:     false,
		`(?<x>a)`:      false,
		`\(?=a`:        false,
		`[(?=]a`:       false,
		`[\]\1(?=]`:    false,
		`\\(a)`:        false,
		`\`:            false,
		``:             false,
	} {
		o := operations(t, fmt.Sprintf("paths: {/a: {get: {parameters: [{name: a, in: query, schema: {type: string, pattern: '%s'}}]}}}", pattern))[0]
		if got := values(t, o)[0].backtracks(); got != want {
			t.Errorf("%s: %t, want %t", pattern, got, want)
		}
	}
}

// BenchmarkEnumerate: 200 operations that all lead to 300 schemas, each of
// which refers to five others.
func BenchmarkEnumerate(b *testing.B) {
	var spec strings.Builder
	fmt.Fprintln(&spec, "paths:")
	for i := range 200 {
		fmt.Fprintf(&spec, "  /things%d/{id}:\n    post:\n      parameters: [{name: id, in: path, required: true, schema: {type: string}}]\n      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/S%d'}}}}\n", i, i)
	}
	fmt.Fprintln(&spec, "components:\n  schemas:")
	for i := range 300 {
		fmt.Fprintf(&spec, "    S%d:\n      type: object\n      properties:\n        name: {type: string}\n", i)
		for k := range 5 {
			fmt.Fprintf(&spec, "        p%d: {$ref: '#/components/schemas/S%d'}\n", k, (i*7+k*31+1)%300)
		}
	}
	service := operations(b, spec.String())[0].Service
	graph := &model.Graph{Services: []*model.Service{service}}
	var diags diag.List
	rules := LoadCatalogue(policies.FS, &diags)
	b.ResetTimer()
	for b.Loop() {
		Enumerate(graph, rules)
	}
}
