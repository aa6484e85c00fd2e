package openapi

import "testing"

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
