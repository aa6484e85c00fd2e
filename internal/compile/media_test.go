package compile

import (
	"slices"
	"testing"

	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/model"
	"github.com/threatgate/threatgate/internal/openapi"
	"github.com/threatgate/threatgate/internal/policy"
	"github.com/threatgate/threatgate/internal/threat"
	"github.com/threatgate/threatgate/policies"
)

// What of a body is not judged is said, and nothing is said of what is.
func TestBodiesNotJudged(t *testing.T) {
	const (
		form      = "application/x-www-form-urlencoded"
		multipart = "multipart/form-data"
	)
	of := func(properties string) string { return "schema: {type: object, properties: {" + properties + "}}" }
	for _, row := range []struct{ media, content, want string }{
		{form, of("a: {type: integer}, b: {type: array, items: {type: string}}, c: {}"), ""},
		{form, "schema: {}", ""},
		{form, of("a: {type: object}"), `property "a" may be an object`},
		{form, of("a: {type: [string, array]}"), `property "a" may be a scalar or an array`},
		{form, of("a: {type: object}") + ", encoding: {a: {contentType: application/json}}", ""},
		{form, of("a: {type: array, items: {type: object}}"), `property "a" may be an array of arrays or objects`},
		{form, of("a: {type: array}") + ", encoding: {a: {contentType: application/json}}", `property "a" is an array of which its encoding does not tell whether the whole or each item is JSON`},
		{form, of("a: {type: array}") + ", encoding: {a: {style: pipeDelimited}}", `property "a" is an array in style pipeDelimited, exploded: false`},
		{form, of("a: {type: string}") + ", encoding: {a: {contentType: text/xml}}", `property "a" is written as text/xml`},
		{form, "schema: {type: object, additionalProperties: {type: array}}", "properties that it does not name may be arrays or objects"},
		{form, "schema: {type: object, if: {required: [a]}, then: {required: [b]}}", "it has if or dependentSchemas"},

		{multipart, of("a: {type: object}, b: {type: string, format: binary, maxLength: 9}, c: {type: array, items: {type: string, format: binary}}"), ""},
		{multipart, of("a: {type: string, contentMediaType: image/png}"), ""},
		{multipart, of("a: {type: string, format: binary}") + ", encoding: {a: {contentType: 'image/png, image/*'}}", ""},
		{multipart, of("a: {type: string, pattern: '^x'}") + ", encoding: {a: {contentType: image/png}}", `property "a" is written as image/png`},
		{"multipart/mixed", of("a: {type: string}"), "such bodies are not read"},

		{"text/plain", "schema: {type: string, maxLength: 3}", ""},
		{"text/plain", "schema: {type: integer}", "such bodies are not read"},
		{"application/x-ndjson", of("a: {type: string}"), ""},
		{"application/json-seq", "schema: {type: array, items: {type: string}}", ""},
		{"application/jsonl", "schema: {properties: {a: {type: string}}}", "it does not tell whether it is of each JSON text or of them all"},
		{"application/xml", "schema: {type: object, allOf: [{required: [a]}]}", "such bodies are not read"},
		{"application/octet-stream", "schema: {type: string, format: binary}", ""},
	} {
		spec := "openapi: 3.1.1\ninfo: {title: t, version: '1'}\npaths: {/x: {post: {requestBody: {content: {" + row.media + ": {" + row.content + "}}}, responses: {}}}}\n"
		loading, compiling := &diag.List{}, &diag.List{}
		api, _ := openapi.LoadBytes([]byte(spec), "t.yaml", loading)
		if api == nil {
			t.Fatal(loading.Err())
		}
		graph := model.Bare(api)
		graph.Services[0].Upstream = "127.0.0.1:1"
		rules := threat.LoadCatalogue(policies.FS, loading)
		Releases(policy.Derive(graph, rules, threat.Enumerate(graph, rules), policy.Modes{}, loading), compiling)
		var got, want []string
		for _, d := range compiling.Sorted() {
			got = append(got, d.Message)
		}
		if row.want != "" {
			want = []string{"the schema of " + row.media + " bodies is not enforced, only their type and size: " + row.want}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %s:\n got %q\nwant %q", row.media, row.content, got, want)
		}
	}
}
