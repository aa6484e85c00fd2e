package compile

import (
	"fmt"
	"strings"
	"testing"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/model"
	"github.com/threatgate/threatgate/internal/violation"
)

// The first response record that holds a status code is the one that OpenAPI
// says it is, in whatever order they are declared.
func TestResponses(t *testing.T) {
	const document = `
openapi: 3.1.0
info: {title: Test, version: "1"}
paths:
  /:
    get:
      responses:
        default: {description: any, content: {application/json: {}}}
        4XX: {description: wrong, content: {application/problem+json: {}}}
        "404": {description: nothing}
        2XX: {description: ok, headers: {X-B: {schema: {type: integer}}, X-A: {required: true, schema: {type: string}}}, content: {"*/*": {}, text/plain: {}}}
        "204": {description: none}
    put: {responses: {}}
    post: {}
`
	for _, row := range []struct {
		mode violation.Mode
		want string
	}{
		{violation.Enforce, "404-404; 204-204; 400-499 application/problem+json; 200-299 x-b x-a required text/plain */* body expected; 0-999 application/json"},
		{violation.Off, ""},
	} {
		releases, diags := compiled(t, document, func(s *model.Service) { s.Mode, s.ResponseMode = violation.Enforce, &row.mode })
		if diags.HasErrors() {
			t.Fatal(diags.Err())
		}
		b, err := artifact.Decode(releases[0].Bundle)
		if err != nil {
			t.Fatal(err)
		}
		if got := describe(b, b.Operations[0].Responses); got != row.want {
			t.Errorf("%s:\n got %s\nwant %s", row.mode, got, row.want)
		}
		for _, o := range b.Operations[1:] {
			if o.Responses.Len > 0 {
				t.Errorf("%s has %d responses", b.String(o.Label), o.Responses.Len)
			}
		}
		if row.mode == violation.Off && len(b.Responses)+len(b.Parameters)+len(b.Media) > 0 {
			t.Errorf("something is compiled of responses that are not judged")
		}
	}
}

func describe(b *artifact.Bundle, r artifact.Range) string {
	var all []string
	for _, response := range artifact.Of(b.Responses, r) {
		words := []string{fmt.Sprintf("%d-%d", response.First, response.Last)}
		for _, p := range artifact.Of(b.Parameters, response.Headers) {
			words = append(words, string(b.String(p.Name)))
			if p.Flags&artifact.ParameterRequired != 0 {
				words = append(words, "required")
			}
		}
		for _, m := range artifact.Of(b.Media, response.Media) {
			words = append(words, string(b.String(m.Type)))
		}
		if response.Flags&artifact.BodyExpected != 0 {
			words = append(words, "body expected")
		}
		all = append(all, strings.Join(words, " "))
	}
	return strings.Join(all, "; ")
}
