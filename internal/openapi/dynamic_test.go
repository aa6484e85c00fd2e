package openapi

import (
	"testing"

	"github.com/threatgate/threatgate/internal/diag"
)

// A list whose elements are what the resources around it call "element", or
// numbers.
const list = "List: {$id: 'https://h/list', items: {$dynamicRef: '#element'}, $defs: {e: {$dynamicAnchor: element, type: number}}}, "

func TestDynamicReferences(t *testing.T) {
	for _, test := range []struct{ name, schema, components, want string }{
		{"to the anchor beside it", "{$ref: 'https://h/list'}", list, "items=(allOf=(number))"},
		{"to the anchor further out", "{$ref: 'https://h/texts'}",
			list + "Texts: {$id: 'https://h/texts', $ref: list, $defs: {e: {$dynamicAnchor: element, type: string}}}",
			"ref=(items=(allOf=(string)))"},
		{"to another one from each side", "{allOf: [{$ref: 'https://h/texts'}, {$ref: 'https://h/flags'}]}",
			list + "Texts: {$id: 'https://h/texts', $ref: list, $defs: {e: {$dynamicAnchor: element, type: string}}}, " +
				"Flags: {$id: 'https://h/flags', $ref: list, $defs: {e: {$dynamicAnchor: element, type: boolean}}}",
			"allOf=(ref=(items=(allOf=(string))))(ref=(items=(allOf=(boolean))))"},
		{"through a reference that stands alone", "{$ref: 'https://h/texts#/$defs/list'}",
			list + "Texts: {$id: 'https://h/texts', $defs: {list: {$ref: list}, e: {$dynamicAnchor: element, type: string}}}",
			"items=(allOf=(string))"},
		{"past an anchor that is not dynamic", "{$ref: 'https://h/texts'}",
			list + "Texts: {$id: 'https://h/texts', $ref: list, $defs: {e: {$anchor: element, type: string}}}",
			"ref=(items=(allOf=(number)))"},
		{"to a place, whatever is around", "{$ref: 'https://h/texts'}",
			"List: {$id: 'https://h/list', items: {$dynamicRef: '#/$defs/e'}, $defs: {e: {$dynamicAnchor: element, type: number}}}, " +
				"Texts: {$id: 'https://h/texts', $ref: list, $defs: {e: {$dynamicAnchor: element, type: string}}}",
			"ref=(items=(allOf=(number)))"},
		{"to what only the document has", "{$ref: 'https://h/list'}",
			list + "E: {$dynamicAnchor: element, type: string}",
			"items=(allOf=(string))"},
		{"beside other keywords", "{$id: 'https://h/x', $ref: '#/$defs/a', $dynamicRef: '#b', allOf: [{minLength: 1}], $defs: {a: {type: string}, b: {$dynamicAnchor: b, maxLength: 2}}}",
			"", "allOf=(minLength=1)(maxLength=2) ref=(string)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := describe(schemaOf(t, "3.1.0", test.schema, test.components)); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestLoadOffline(t *testing.T) {
	const document = `{"openapi": "3.1.0", "paths": {"/": {"post": {"requestBody": {"content": {"a/b": {"schema":
{"prefixItems": [{"$ref": "https://h/a/x"}, {"$ref": "https://h/a/x#y"}, {"$ref": "https://h/a/named"}, {"$ref": "https://h/b/other#z"}]}
}}}}}}}`
	for _, test := range []struct {
		name   string
		copies map[string]string
		want   string
	}{
		{"read", map[string]string{
			"https://h/a/x":     "items: {$ref: z}\n$defs: {y: {$anchor: y, type: string}}\n",
			"https://h/a/z":     "type: number\n",
			"https://h/a/named": "$id: https://h/b/other\nitems: {$ref: last}\n$defs: {z: {$anchor: z, type: boolean}}\n",
			"https://h/b/last":  "type: 'null'\n",
		}, "prefix=(items=(number))(string)(items=(null))(boolean)"},
		{"faulty", map[string]string{
			"https://h/a/x":     "",
			"https://h/a/named": "a: }\n",
		}, `b.json:2:27: "https://h/a/x" can't be read: the file is empty
b.json:2:54: "https://h/a/x#y" can't be read: the file is empty
b.json:2:114: "https://h/b/other#z" is on the network, where references are not followed: store a copy beside this file and refer to that
https://h/a/named:1: did not find expected node content`},
	} {
		t.Run(test.name, func(t *testing.T) {
			copies := map[string][]byte{}
			for uri, text := range test.copies {
				copies[uri] = []byte(text)
			}
			var diags diag.List
			api, files := LoadOffline(copies, []byte(document), "b.json", &diags)
			got := render(&diags)
			if api != nil {
				got += describe(api.Operations[0].Body.Content[0].Schema)
			}
			if got != test.want || len(files) != 1 {
				t.Errorf("read %q, got\n%s\nwant\n%s", files, got, test.want)
			}
		})
	}
}
