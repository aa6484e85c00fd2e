package model

import (
	"slices"
	"strings"
	"testing"

	"github.com/threatgate/threatgate/internal/diag"
)

// TestSchemaPlaces: every keyword that holds schemas, wherever an operation
// has them; a place that is a reference and the one it leads to both count.
func TestSchemaPlaces(t *testing.T) {
	spec := files{"spec.yaml": `openapi: 3.1.0
info: {title: Places, version: "1"}
paths:
  /a:
    post:
      parameters:
      - {name: q, in: query, schema: {type: string}}
      - {name: j, in: query, content: {application/json: {schema: {type: integer}}}}
      requestBody:
        content:
          multipart/form-data:
            schema: {$ref: "#/components/schemas/All"}
            encoding: {a: {headers: {X-A: {schema: {type: string}}}}}
      responses:
        "200":
          description: Done.
          headers: {X-B: {schema: {type: string}}}
          content: {application/json: {schema: {type: string}}}
components:
  schemas:
    Unused: {type: string}
    Other: {type: string}
    All:
      $ref: "#/components/schemas/Base"
      properties: {a: {type: string}, "b/~": {$ref: "#/components/schemas/Other"}, self: {$ref: "#/components/schemas/All"}}
      patternProperties: {"^x": {type: string}}
      additionalProperties: {type: string}
      propertyNames: {type: string}
      dependentSchemas: {a: {type: object}}
      unevaluatedProperties: {type: string}
      allOf: [{type: object}]
      anyOf: [{type: object}]
      oneOf: [{type: object}]
      not: {type: string}
      if: {type: object}
      then: {type: object}
      else: {type: object}
    Base:
      items: {type: string}
      prefixItems: [{type: string}]
      contains: {type: string}
      unevaluatedItems: {type: string}
`}
	var diags diag.List
	api, _ := spec.openSpec("spec.yaml", nil, &diags)
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	want := strings.Fields(`
		spec.yaml#/components/schemas/All
		spec.yaml#/components/schemas/All/additionalProperties
		spec.yaml#/components/schemas/All/allOf/0
		spec.yaml#/components/schemas/All/anyOf/0
		spec.yaml#/components/schemas/All/dependentSchemas/a
		spec.yaml#/components/schemas/All/else
		spec.yaml#/components/schemas/All/if
		spec.yaml#/components/schemas/All/not
		spec.yaml#/components/schemas/All/oneOf/0
		spec.yaml#/components/schemas/All/patternProperties/^x
		spec.yaml#/components/schemas/All/properties/a
		spec.yaml#/components/schemas/All/properties/b~1~0
		spec.yaml#/components/schemas/All/properties/self
		spec.yaml#/components/schemas/All/propertyNames
		spec.yaml#/components/schemas/All/then
		spec.yaml#/components/schemas/All/unevaluatedProperties
		spec.yaml#/components/schemas/Base
		spec.yaml#/components/schemas/Base/contains
		spec.yaml#/components/schemas/Base/items
		spec.yaml#/components/schemas/Base/prefixItems/0
		spec.yaml#/components/schemas/Base/unevaluatedItems
		spec.yaml#/components/schemas/Other
		spec.yaml#/paths/~1a/post/parameters/0/schema
		spec.yaml#/paths/~1a/post/parameters/1/content/application~1json/schema
		spec.yaml#/paths/~1a/post/requestBody/content/multipart~1form-data/encoding/a/headers/X-A/schema
		spec.yaml#/paths/~1a/post/responses/200/content/application~1json/schema
		spec.yaml#/paths/~1a/post/responses/200/headers/X-B/schema`)
	if got := keys(schemaPlaces(api)); !slices.Equal(got, want) {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestSchemaPlacesInDynamicScopes: a schema that means two things is two in
// one place, and so are the references in it.
func TestSchemaPlacesInDynamicScopes(t *testing.T) {
	spec := files{"spec.yaml": `openapi: 3.1.0
info: {title: Lists, version: "1"}
paths:
  /a:
    post:
      parameters:
      - {name: t, in: query, schema: {$ref: "https://h/texts"}}
      - {name: f, in: query, schema: {$ref: "https://h/flags"}}
      responses: {}
components:
  schemas:
    Texts: {$id: "https://h/texts", $ref: list, $defs: {e: {$dynamicAnchor: e, type: string}}}
    Flags: {$id: "https://h/flags", $ref: list, $defs: {e: {$dynamicAnchor: e, type: boolean}}}
    List:
      $id: https://h/list
      properties: {total: {type: integer}, owner: {$ref: "#/$defs/owner"}, all: {items: {$dynamicRef: "#e"}}}
      $defs: {owner: {type: string}, e: {$dynamicAnchor: e}}
`}
	var diags diag.List
	api, _ := spec.openSpec("spec.yaml", nil, &diags)
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	places := schemaPlaces(api)
	for pointer, want := range map[string]int{"/properties/total": 2, "/properties/owner": 2, "/$defs/owner": 2, "": 2, "/properties/none": 0} {
		if got := len(places["spec.yaml#/components/schemas/List"+pointer]); got != want {
			t.Errorf("%d schemas at List%s, want %d", got, pointer, want)
		}
	}
}
