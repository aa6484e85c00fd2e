package compile

import (
	"slices"
	"testing"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/model"
	"github.com/threatgate/threatgate/internal/violation"
)

// What of a body is not judged is said, and nothing is said of what is.
func TestBodiesNotJudged(t *testing.T) {
	const (
		form      = "application/x-www-form-urlencoded"
		multipart = "multipart/form-data"
		at        = "#/paths/~1x/post/requestBody/content/text~1xml/schema"
	)
	of := func(properties string) string { return "schema: {type: object, properties: {" + properties + "}}" }
	for _, row := range []struct{ media, content, want string }{
		{form, of("a: {type: integer}, b: {type: array, items: {type: string}}, c: {}"), ""},
		{form, "schema: {}", ""},
		{form, of("a: {type: object, properties: {b: {type: array, items: {type: object}}}}, c: {type: array, items: {type: object}}"), ""},
		{form, of("a: {type: object, properties: {b: {type: array, items: {type: [array, object]}}}}"), `property "a" has a property "b" that has an item that may be an array or an object`},
		{form, of("a: {type: object, additionalProperties: {type: object}}"), `property "a" may have arrays or objects as properties that it does not name`},
		{form, of("a: {type: object, dependentSchemas: {b: {required: [c]}}}"), `property "a" has if or dependentSchemas`},
		{form, of("a: {type: array, items: {type: string}, prefixItems: [{type: integer}]}") + ", encoding: {a: {style: deepObject}}", `property "a" is an array of several kinds of items`},
		{form, of("a: {type: [string, array]}"), `property "a" may be a scalar or an array`},
		{form, of("a: {type: object}") + ", encoding: {a: {contentType: application/json}}", ""},
		{form, of("a: {type: array, items: {type: array}}"), `property "a" may be an array of arrays, or of objects and others`},
		{form, of("a: {type: array}") + ", encoding: {a: {contentType: application/json}}", `property "a" is an array of which its encoding does not tell whether the whole or each item is JSON`},
		{form, of("a: {type: array}") + ", encoding: {a: {style: pipeDelimited}}", `property "a" is an array in style pipeDelimited, exploded: false`},
		{form, of("a: {type: string}") + ", encoding: {a: {contentType: text/xml}}", `property "a" is written as text/xml`},
		{form, "schema: {type: object, additionalProperties: {type: array}}", "properties that it does not name may be arrays or objects"},
		{form, "schema: {type: object, if: {required: [a]}, then: {required: [b]}}", "it has if or dependentSchemas"},

		{multipart, of("a: {type: object}, b: {type: string, format: binary, maxLength: 9}, c: {type: array, items: {type: string, format: binary}}"), ""},
		{multipart, of("a: {type: string, contentMediaType: image/png}"), ""},
		{multipart, of("a: {type: string, format: binary}") + ", encoding: {a: {contentType: 'image/png, image/*'}}", ""},
		{multipart, of("a: {type: string, pattern: '^x'}") + ", encoding: {a: {contentType: image/png}}", `property "a" is written as image/png`},
		{"multipart/mixed", of("a: {type: string}"), ""},
		{"multipart/mixed", "schema: {type: array, items: {type: object}}", "it is not of an object"},
		{"multipart/related", of("a: {type: string}"), "such bodies are not read"},

		{"text/plain", "schema: {type: string, maxLength: 3}", ""},
		{"text/plain", "schema: {type: integer}", ""},
		{"text/html", "schema: {anyOf: [{type: object, required: [a]}, {type: string}]}", ""},
		{"image/png", "schema: {type: string, pattern: '^x'}", "it is of a text, and they are octets"},
		{"application/octet-stream", "schema: {type: string, format: byte}", "it is of a text, and they are octets"},
		{"application/octet-stream", "schema: {type: string, format: binary, minLength: 1}", "it is of a text, and they are octets"},
		{"application/octet-stream", "schema: {enum: [a, b]}", "it is of a text, and they are octets"},
		{"application/octet-stream", "schema: {type: string, maxLength: 9}", ""},
		{"application/octet-stream", "schema: {allOf: [{type: string, format: binary}, {maxLength: 9}]}", ""},
		{"application/zip", "schema: {type: string, format: binary, maxLength: 9}", ""},
		{"application/zip", "schema: {type: string, maxLength: 9}", "such bodies are not read"},
		{"text/csv", "schema: {type: object, required: [a]}", "such bodies are not read"},
		{"application/yaml", "schema: {type: object, required: [a]}", "such bodies are not read"},
		{"application/x-ndjson", of("a: {type: string}"), ""},
		{"application/json-seq", "schema: {type: array, items: {type: string}}", ""},
		{"application/jsonl", "schema: {properties: {a: {type: string}}}", "it does not tell whether it is of each JSON text or of them all"},
		{"application/xml", "schema: {type: object, allOf: [{required: [a]}]}", ""},
		{"application/xml", "schema: {}", ""},
		{"text/xml", of("a: {type: [string, 'null']}, b: {type: array, items: {type: object}}, c: {type: object, xml: {namespace: n, prefix: p}}, d: {xml: {attribute: true}}"), ""},
		{"text/xml", of("a: {type: [string, object]}"), at + ` has a property "a" that may be a text, or an array or object`},
		{"text/xml", of("a: {type: array, items: {type: [string, array]}}"), at + `/properties/a/items may be a text, or an array or object`},
		{"text/xml", of("a: {type: array, prefixItems: [{type: string}]}"), at + ` has a property "a" that is an array of several kinds of items`},
		{"text/xml", of("a: {type: array, xml: {wrapped: true}, prefixItems: [{type: string}]}"), at + `/properties/a is an array of several kinds of items`},
		{"text/xml", of("a: {type: object, xml: {attribute: true}}"), at + ` has a property "a" that is an attribute, and an array or object`},
		{"text/xml", of("a: {type: string, xml: {prefix: p}}"), at + ` has a property "a" that has a prefix without a namespace`},
		{"text/xml", "schema: {type: object, xml: {prefix: p}}", at + ` has a prefix without a namespace`},
		{"text/xml", of("a: {type: string}, b: {type: string, xml: {name: a}}"), at + ` has two properties that are written as "a"`},
		{"text/xml", of("a: {type: string, xml: {attribute: true}}, b: {type: string, xml: {name: a}}"), ""},
		{"text/xml", of("a: {type: object, additionalProperties: {type: object}}"), at + `/properties/a may have arrays or objects as properties that it does not name`},
		{"text/xml", "schema: {type: object, if: {required: [a]}, then: {required: [b]}}", at + ` has if or dependentSchemas`},
		{"text/xml", "schema: {oneOf: [{type: object, properties: {a: {type: integer}}}, {type: object, properties: {a: {type: string}}}]}", at + `/oneOf/0/properties/a is of another type in each schema that declares it`},
		{"application/octet-stream", "schema: {type: string, format: binary}", ""},
	} {
		spec := "openapi: 3.1.1\ninfo: {title: t, version: '1'}\npaths: {/x: {post: {requestBody: {content: {" + row.media + ": {" + row.content + "}}}, responses: {}}}}\n"
		_, compiling := compiled(t, spec, nil)
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

// Of octets only the bound is judged, unless what is not judged is refused or
// counted: then that is what becomes of the body.
func TestOctetsJudgedInPart(t *testing.T) {
	const (
		spec    = "openapi: 3.0.4\ninfo: {title: t, version: '1'}\npaths: {/x: {post: {requestBody: {content: {image/png: {schema: {type: string, format: byte, maxLength: 9}}}}, responses: {}}}}\n"
		partly  = "the schema of image/png bodies is not enforced, only its maxLength, in bytes: the rest is of a text, and they are octets"
		nothing = "the schema of image/png bodies is not enforced, only their type and size: it is of a text, and they are octets"
	)
	for _, row := range []struct {
		choice *violation.Code
		kind   artifact.MediaKind
		said   string
	}{
		{nil, artifact.MediaOctets, partly},
		{new(violation.None), artifact.MediaOctets, partly},
		{new(violation.Unenforceable), artifact.MediaUnread, nothing},
		{new(violation.Unjudged), artifact.MediaUnread, nothing},
	} {
		releases, diags := compiled(t, spec, func(s *model.Service) { s.Unenforceable = row.choice })
		bundle, err := artifact.Decode(releases[0].Bundle)
		if err != nil {
			t.Fatal(err)
		}
		said := diags.Sorted()
		if got := bundle.Media[0].Kind; got != row.kind || len(said) != 1 || said[0].Message != row.said {
			t.Errorf("unenforceable %v: kind %d, %v", row.choice, got, said)
		}
		if got := releases[0].Coverage.MediaTypes; got != (Share{All: 1}) {
			t.Errorf("unenforceable %v: coverage %+v", row.choice, got)
		}
	}
}
