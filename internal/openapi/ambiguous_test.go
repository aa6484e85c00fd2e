package openapi

import (
	"fmt"
	"testing"
)

// Operations that no request tells apart are one, which takes what any of
// them does.
func TestOperationsThatNothingTellsApart(t *testing.T) {
	api, faults := load(t, "a.yaml", `openapi: 3.1.0
components:
  securitySchemes: {key: {type: apiKey, in: header, name: k}, basic: {type: http, scheme: basic}}
paths:
  /a/{id}/b/{n}:
    get:
      operationId: first
      deprecated: true
      security: [{key: []}]
      parameters:
        - {name: id, in: path, required: true, schema: {type: integer}}
        - {name: n, in: path, required: true, schema: {type: integer}}
        - {name: both, in: query, required: true, schema: {type: integer}}
        - {name: style, in: query, style: pipeDelimited, schema: {type: integer}}
        - {name: only, in: query, required: true, schema: {type: integer}}
      requestBody: {required: true, content: {application/json: {schema: {type: integer}}, a/a: {}}}
      responses: {200: {content: {application/json: {schema: {type: integer}}}}, 404: {}}
  /a/{n}/b/{id}:
    get:
      operationId: second
      security: [{basic: []}]
      parameters:
        - {name: n, in: path, required: true, schema: {type: string}}
        - {name: both, in: query, required: true, schema: {type: string}}
        - {name: style, in: query, schema: {type: integer}}
        - {name: other, in: header, required: true, schema: {type: string}}
      requestBody: {required: true, content: {application/json: {schema: {type: string}}, b/b: {}}}
      responses: {200: {content: {application/json: {schema: {type: string}}}}, 500: {}}
    post: {operationId: third, responses: {}}
  /a/{id}/c: {get: {operationId: fourth, servers: [{url: /v1}], responses: {}}}
  /a/{x}/c: {get: {operationId: fifth, servers: [{url: /v2}], responses: {}, parameters: [{name: x, in: path, required: true, schema: {}}]}}
`)
	if api == nil {
		t.Fatal(faults)
	}
	var got []string
	for _, op := range api.Operations {
		got = append(got, fmt.Sprint(op.ID, " ", op.Path, " ", op.Others, " ", op.Blurred))
	}
	op := api.Operations[0]
	for _, p := range op.Parameters {
		got = append(got, parameterLine(p))
	}
	for _, m := range op.Body.Content {
		got = append(got, contentLine(m))
	}
	for _, r := range op.Responses {
		got = append(got, fmt.Sprint(r.Status, " ", len(r.Content)))
	}
	got = append(got, contentLine(op.Responses[0].Content[0]), fmt.Sprint(op.Deprecated, op.Body.Required, op.Security.Alternatives))
	expect(t, got,
		"first /a/{id}/b/{n} [a.yaml:19:5] true",
		"third /a/{n}/b/{id} [] false",
		"fourth /a/{id}/c [] false",
		"fifth /a/{x}/c [] false",
		"path id simple explode=false required (string)",
		"query both form explode=true required (string)",
		"query style pipeDelimited explode=false",
		"query only form explode=true (integer)",
		"application/json (anyOf=(integer)(string))",
		"a/a", "b/b",
		"200 1", "404 0", "500 0",
		"application/json (anyOf=(integer)(string))",
		"false true [[{key []}] [{basic []}]]",
	)
}
