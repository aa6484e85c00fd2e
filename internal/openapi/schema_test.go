package openapi

import (
	"testing"

	"github.com/threatgate/threatgate/internal/inventory"
)

// schemaOf loads a document whose only schema outside of components is this.
func schemaOf(t *testing.T, version, schema, components string) *inventory.Schema {
	t.Helper()
	api := mustLoad(t, "openapi: "+version+"\npaths: {/a: {post: {requestBody: {content: {a/b: {schema:\n"+schema+
		"\n}}}}}}\ncomponents: {schemas: {"+components+"}}\n")
	return api.Operations[0].Body.Content[0].Schema
}

func TestSchemaKeywords(t *testing.T) {
	for _, test := range []struct{ schema, v30, v31 string }{
		{"{}", "", ""},
		{"{type: object, title: t, description: d, example: 1, xml: {}, externalDocs: {}, x-any: 1, unknown: 1}", "object", "object"},
		{"{type: integer, format: int64, minimum: -9223372036854775808, maximum: 9223372036854775807}",
			"integer min=-9223372036854775808 max=9223372036854775807 format=int64", "integer min=-9223372036854775808 max=9223372036854775807 format=int64"},
		{"{minimum: 0.10, maximum: 1e400, multipleOf: 1.0E-2}", "min=0.10 max=1e400 multiple=1.0E-2", "min=0.10 max=1e400 multiple=1.0E-2"},
		{"{minLength: 1, maxLength: 2.0, pattern: '^(?!a)', contentEncoding: base64, contentMediaType: image/png}",
			"minLength=1 maxLength=2 pattern=^(?!a) unsupported:contentEncoding@a.yaml:3:51 unsupported:contentMediaType@a.yaml:3:76",
			"minLength=1 maxLength=2 pattern=^(?!a) encoding=base64 media=image/png"},
		{"{type: array, items: {type: string}, minItems: 0, maxItems: 18446744073709551615, uniqueItems: true}",
			"array items=(string) minItems=0 maxItems=18446744073709551615 unique", "array items=(string) minItems=0 maxItems=18446744073709551615 unique"},
		{"{type: object, properties: {b: {type: string}, a: {type: number}}, required: [a], additionalProperties: false, minProperties: 1, maxProperties: 2}",
			"object property.b=(string) property.a=(number) additional=(false) required=[a] minProperties=1 maxProperties=2",
			"object property.b=(string) property.a=(number) additional=(false) required=[a] minProperties=1 maxProperties=2"},
		{"{enum: [a, 1, 1.0, null, [true], {b: 92233720368547758070}]}",
			`enum=["a" 1 1.0 null [true] {"b":92233720368547758070}]`, `enum=["a" 1 1.0 null [true] {"b":92233720368547758070}]`},
		{"{allOf: [{minimum: 1}, {maximum: 2}], anyOf: [{}], oneOf: [{}], not: {type: string}}",
			"allOf=(min=1)(max=2) anyOf=() oneOf=() not=(string)", "allOf=(min=1)(max=2) anyOf=() oneOf=() not=(string)"},
		{"{readOnly: true, writeOnly: true, deprecated: true, default: null}",
			"readOnly writeOnly deprecated default", "readOnly writeOnly deprecated default"},

		// One version's keywords are unsupported in the other.
		{"{type: string, nullable: true}", "null|string", "string unsupported:nullable@a.yaml:3:16"},
		{"{type: string, nullable: false}", "string", "string unsupported:nullable@a.yaml:3:16"},
		{"{type: string, nullable: true, enum: [a]}", `null|string enum=["a"]`, `string enum=["a"] unsupported:nullable@a.yaml:3:16`},
		{"{nullable: true}", "", "unsupported:nullable@a.yaml:3:2"},
		{"{const: {a: 1.0}}", "unsupported:const@a.yaml:3:2", `const={"a":1.0}`},
		{"{const: null}", "unsupported:const@a.yaml:3:2", "const=null"},
		{"{prefixItems: [true, {}], items: false}", "items=(false) unsupported:prefixItems@a.yaml:3:2", "items=(false) prefix=(true)()"},
		{"{contains: {}, minContains: 1, maxContains: 2}",
			"unsupported:contains@a.yaml:3:2 unsupported:minContains@a.yaml:3:16 unsupported:maxContains@a.yaml:3:32", "contains=() minContains=1 maxContains=2"},
		{"{patternProperties: {^a: {}}, propertyNames: {maxLength: 1}}",
			"unsupported:patternProperties@a.yaml:3:2 unsupported:propertyNames@a.yaml:3:31", "pattern.^a=() names=(maxLength=1)"},
		{"{dependentRequired: {a: [b]}, dependentSchemas: {a: {}}}",
			"unsupported:dependentRequired@a.yaml:3:2 unsupported:dependentSchemas@a.yaml:3:31", "dependent.a=[b] dependent.a=()"},
		{"{if: {}, then: {}, else: false}",
			"unsupported:if@a.yaml:3:2 unsupported:then@a.yaml:3:10 unsupported:else@a.yaml:3:20", "if=() then=() else=(false)"},
		{"{unevaluatedItems: false, unevaluatedProperties: false}",
			"unsupported:unevaluatedItems@a.yaml:3:2 unsupported:unevaluatedProperties@a.yaml:3:27", "unevaluatedItems=(false) unevaluatedProperties=(false)"},
		{"{$dynamicAnchor: x, items: {$dynamicRef: '#x'}}",
			"items=(unsupported:$dynamicRef@a.yaml:3:29)", "items=(allOf=(#/paths/~1a/post/requestBody/content/a~1b/schema))"},
		{"{dependencies: {a: [b], c: {type: string}, d: false}}",
			"unsupported:dependencies@a.yaml:3:2", "dependent.a=[b] dependent.c=(string) dependent.d=(false)"},
		{"{$recursiveRef: '#', contentSchema: {}}",
			"unsupported:$recursiveRef@a.yaml:3:2 unsupported:contentSchema@a.yaml:3:22",
			"unsupported:$recursiveRef@a.yaml:3:2 unsupported:contentSchema@a.yaml:3:22"},
	} {
		for version, want := range map[string]string{"3.0.3": test.v30, "3.1.0": test.v31} {
			if got := describe(schemaOf(t, version, test.schema, "")); got != want {
				t.Errorf("OpenAPI %s: %s\n got %s\nwant %s", version, test.schema, got, want)
			}
		}
	}
}

func TestSchemaKeywordsOfOneVersion(t *testing.T) {
	for _, test := range []struct{ version, schema, want string }{
		{"3.0.3", "{minimum: 1, exclusiveMinimum: true, maximum: 2, exclusiveMaximum: false}", "max=2 xmin=1"},
		{"3.0.3", "{exclusiveMaximum: true, maximum: 2.50}", "xmax=2.50"},
		{"3.0.3", "{exclusiveMaximum: true}", ""},
		{"3.1.0", "{minimum: 1, exclusiveMinimum: 2, exclusiveMaximum: 3}", "min=1 xmin=2 xmax=3"},
		{"3.1.0", "{type: [string, 'null', integer]}", "null|integer|string"},
		{"3.1.0", "{type: []}", ""},
		{"3.1.0", "true", "true"},
		{"3.1.0", "{not: false}", "not=(false)"},
	} {
		if got := describe(schemaOf(t, test.version, test.schema, "")); got != test.want {
			t.Errorf("OpenAPI %s: %s\n got %s\nwant %s", test.version, test.schema, got, test.want)
		}
	}
}

func TestReferences(t *testing.T) {
	for _, test := range []struct{ name, version, schema, components, want string }{
		{"target", "3.0.3", "{$ref: '#/components/schemas/X'}", "X: {type: string}", "string"},
		{"through others", "3.0.3", "{$ref: '#/components/schemas/X'}", "X: {$ref: '#/components/schemas/Y'}, Y: {type: string}", "string"},
		{"with documentation", "3.1.0", "{$ref: '#/components/schemas/X', description: d, x-any: 1}", "X: {type: string}", "string"},
		{"siblings", "3.1.0", "{$ref: '#/components/schemas/X', minLength: 1}", "X: {type: string}", "minLength=1 ref=(string)"},
		{"siblings of siblings", "3.1.0", "{$ref: '#/components/schemas/X', default: 1}",
			"X: {$ref: '#/components/schemas/Y', maxLength: 2}, Y: {type: string}", "ref=(maxLength=2 ref=(string)) default"},
		{"to a boolean", "3.1.0", "{$ref: '#/components/schemas/X'}", "X: false", "false"},
		{"percent-encoded and escaped", "3.0.3", "{$ref: '#/components/schemas/a~1b~0c%20%25'}", "'a/b~c %': {type: string}", "string"},
		{"into an array", "3.0.3", "{$ref: '#/components/schemas/X/allOf/1'}", "X: {allOf: [{}, {type: string}]}", "string"},
		{"a property called $ref", "3.0.3", "{properties: {$ref: {type: string}}}", "", "property.$ref=(string)"},
		{"recursion", "3.0.3", "{$ref: '#/components/schemas/X'}", "X: {properties: {next: {$ref: '#/components/schemas/X'}}}",
			"property.next=(#/components/schemas/X)"},
		{"definitions", "3.1.0", "{$ref: '#/components/schemas/X/$defs/y'}", "X: {$defs: {y: {type: string}}}", "string"},
		{"anchor", "3.1.0", "{$ref: '#y'}", "X: {$defs: {y: {$anchor: y, type: string}}}", "string"},
		{"id", "3.1.0", "{$ref: 'https://h/x'}", "X: {$id: 'https://h/x', type: string}", "string"},
		{"relative id", "3.1.0", "{$ref: 'https://h/b/y'}",
			"X: {$id: 'https://h/b/x', $defs: {y: {$id: y, type: string}}}", "string"},
		{"relative to id", "3.1.0", "{$ref: 'https://h/x'}",
			"X: {$id: 'https://h/x', items: {$ref: '#/$defs/y'}, not: {$ref: '#a'}, $defs: {y: {type: string, $anchor: a}}}",
			"items=(string) not=(string)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := describe(schemaOf(t, test.version, test.schema, test.components)); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestSchemasAreShared(t *testing.T) {
	s := schemaOf(t, "3.0.3", "{properties: {a: {$ref: '#/components/schemas/X'}, b: {$ref: '#/components/schemas/X'}}}",
		"X: {properties: {x: {$ref: '#/components/schemas/X'}}}")
	a, b := s.Properties[0].Schema, s.Properties[1].Schema
	if a != b || a.Properties[0].Schema != a {
		t.Error("one node of the document gave several schemas")
	}
	if got, want := s.Pointer+" "+s.Pos.String()+" "+s.Properties[0].Pos.String(),
		"#/paths/~1a/post/requestBody/content/a~1b/schema a.yaml:3:1 a.yaml:3:15"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestDiscriminator(t *testing.T) {
	const components = "Cat: {type: object}, Dog: {type: object}"
	for _, test := range []struct{ name, version, schema, want string }{
		{"implicit", "3.0.3", "{discriminator: {propertyName: p}, oneOf: [{$ref: '#/components/schemas/Cat'}, {type: string}]}",
			"oneOf=(object)(string) p:Cat->#/components/schemas/Cat"},
		{"explicit by name and by reference", "3.0.3",
			"{discriminator: {propertyName: p, mapping: {c: Cat, d: '#/components/schemas/Dog'}}}",
			"p:c->#/components/schemas/Cat p:d->#/components/schemas/Dog"},
		{"explicit wins over implicit", "3.0.3",
			"{discriminator: {propertyName: p, mapping: {Cat: Dog}}, anyOf: [{$ref: '#/components/schemas/Cat'}, {$ref: '#/components/schemas/Dog'}]}",
			"anyOf=(object)(object) p:Cat->#/components/schemas/Dog p:Dog->#/components/schemas/Dog"},
		{"alternative with siblings", "3.1.0",
			"{discriminator: {propertyName: p, mapping: {c: Cat}}, oneOf: [{$ref: '#/components/schemas/Cat', minProperties: 1}]}",
			"oneOf=(minProperties=1 ref=(object)) p:c->#/paths/~1a/post/requestBody/content/a~1b/schema/oneOf/0 p:Cat->#/paths/~1a/post/requestBody/content/a~1b/schema/oneOf/0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := describe(schemaOf(t, test.version, test.schema, components)); got != test.want {
				t.Errorf("\n got %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestClassification(t *testing.T) {
	for _, test := range []struct{ schema, want string }{
		{"{x-data-classification: {category: pii, sensitivity: Restricted}}", "class=PII/restricted@a.yaml:3:26"},
		{"{x-data-classification: {sensitivity: public}}", "class=/public@a.yaml:3:26"},
		{"{x-data-classification: health}", "class=health/@a.yaml:3:2"},
		{"{x-data-classification: internal}", "class=/internal@a.yaml:3:2"},
		{"{x-pii: true}", "class=PII/@a.yaml:3:2"},
		{"{x-pii: false, x-sensitive: false}", ""},
		{"{x-sensitive: true}", "class=/confidential@a.yaml:3:2"},
		{"{x-sensitive: restricted, x-pii: contact}", "class=contact/restricted@a.yaml:3:27"},
		{"{x-data-classification: {category: secret}, x-pii: true, x-sensitive: true}", "class=secret/confidential@a.yaml:3:26"},
	} {
		if got := describe(schemaOf(t, "3.0.3", test.schema, "")); got != test.want {
			t.Errorf("%s\n got %s\nwant %s", test.schema, got, test.want)
		}
	}
}
