package compile

import (
	"slices"
	"testing"

	"github.com/threatgate/threatgate/internal/model"
)

// An operation is not fully enforced if anything below any of its schemas
// isn't, however deep, and although the warning comes but once. A media range
// is if all that can be read under it is; operations that no request tells
// apart are if what is made of them takes no more than they do; responses are
// counted apart.
func TestCoverage(t *testing.T) {
	const document = `
openapi: 3.1.0
info: {title: Test, version: "1"}
components:
  schemas:
    Code: {type: string, pattern: '(a)\1'}
    Tree: {type: object, properties: {code: {$ref: '#/components/schemas/Code'}, children: {type: array, items: {$ref: '#/components/schemas/Tree'}}}}
paths:
  /plain: {post: {requestBody: {content: {application/json: {schema: {type: string}}}}, responses: {"200": {description: ok}}}}
  /tree: {post: {requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Tree'}}}}, responses: {"200": {description: ok}}}}
  /query: {get: {parameters: [{name: code, in: query, schema: {$ref: '#/components/schemas/Code'}}], responses: {"200": {description: ok}}}}
  /any: {post: {requestBody: {content: {'*/*': {schema: {type: object, required: [a]}}}}, responses: {"200": {description: ok}}}}
  /twins/{a}: {get: {responses: {"200": {description: ok, content: {application/yaml: {schema: {type: object, required: [a]}}}}}}}
  /twins/{b}: {get: {responses: {"200": {description: ok}}}}
  /yaml: {post: {requestBody: {content: {application/yaml: {schema: {type: object, required: [a]}}}}, responses: {"200": {description: ok}}}}
`
	var service *model.Service
	releases, diags := compiled(t, document, func(s *model.Service) { service = s })
	if diags.HasErrors() {
		t.Fatal(diags.Err())
	}
	if got, want := releases[0].Coverage, (Coverage{
		Operations: Share{All: 7, Full: 4},
		Parameters: Share{All: 1, Full: 0},
		MediaTypes: Share{All: 4, Full: 2},
		Responses:  Share{All: 1, Full: 0},
		Schemas:    Share{All: 6, Full: 5},
		Patterns:   Share{All: 1, Full: 0},
	}); got != want {
		t.Errorf("coverage %+v, want %+v", got, want)
	}
	var partial []string
	for _, i := range releases[0].Partial {
		partial = append(partial, service.Operations[i].Path)
	}
	if want := []string{"/tree", "/query", "/yaml"}; !slices.Equal(partial, want) {
		t.Errorf("partial %q, want %q", partial, want)
	}
}
