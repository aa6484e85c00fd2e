package compile

import (
	"slices"
	"strings"
	"testing"
)

// warnings compiles an operation with these parameters and returns what the
// compiler says of them.
func warnings(t *testing.T, parameters []string) []string {
	t.Helper()
	spec := "openapi: 3.1.1\ninfo: {title: t, version: '1'}\npaths:\n  /x/{id}:\n    get:\n      responses: {'200': {description: ok}}\n      parameters:\n"
	for _, p := range parameters {
		spec += "      - {" + p + "}\n"
	}
	_, compiling := compiled(t, spec, nil)
	if compiling.HasErrors() {
		t.Fatal(compiling.Err())
	}
	var texts []string
	for _, d := range compiling.Sorted() {
		if strings.Contains(d.Message, "parameter") {
			texts = append(texts, d.Message)
		}
	}
	return texts
}

// What the filter doesn't judge, or always refuses, is said.
func TestParametersNotJudged(t *testing.T) {
	const (
		id     = "name: id, in: path, required: true, "
		object = "schema: {type: object, properties: {a: {type: integer}}}"
		open   = "schema: {type: object, additionalProperties: {type: integer}}"
		array  = "schema: {type: array, items: {type: integer}}"
		either = "schema: {type: [integer, array], items: {type: integer}}"
	)
	for _, row := range []struct {
		parameters []string
		want       []string
	}{
		{[]string{id + "style: label, explode: true, " + object, "name: q, in: query, style: deepObject, " + object}, nil},
		{[]string{id + "style: matrix, " + either, "name: q, in: query, " + either, "name: f, in: query, " + open}, nil},
		{[]string{id + "schema: {type: string}", "name: t, in: cookie, content: {text/plain: {schema: {type: string}}}"}, nil},
		{[]string{id + "style: matrix, explode: true, " + either},
			[]string{`the value of parameter "id" is not enforced: its schema allows both a scalar and an array or object`}},
		{[]string{id + "schema: {type: [array, object]}"},
			[]string{`the value of parameter "id" is not enforced: its schema allows both an array and an object`}},
		{[]string{"name: q, in: query, style: deepObject, " + array, "name: r, in: query, style: deepObject, schema: {type: object, properties: {a: {type: array, items: {type: object}}}}"}, nil},
		{[]string{"name: q, in: query, style: deepObject, schema: {type: [array, object]}"},
			[]string{`the value of parameter "q" is not enforced: it may be an array or an object`}},
		{[]string{"name: q, in: cookie, " + object},
			[]string{`the value of parameter "q" is not enforced: OpenAPI does not define exploded objects in cookies`}},
		{[]string{"name: q, in: query, content: {application/xml: {}}"},
			[]string{`the value of parameter "q" is not enforced: it is content of type application/xml`}},
		{[]string{"name: q, in: query, content: {text/plain: {" + array + "}}"},
			[]string{`the value of parameter "q" is not enforced: it is content of type text/plain`}},
		{[]string{"name: q, in: query, " + open, "name: r, in: query, " + open}, []string{
			`the value of parameter "q" is not enforced: undeclared parameters may be properties of another one as well`,
			`the value of parameter "r" is not enforced: undeclared parameters may be properties of another one as well`}},
		{[]string{"name: q, in: query, schema: {type: object, properties: {a: {type: array}}}"},
			[]string{`property "a" of parameter "q" is always refused: OpenAPI does not define how an array or object is written within one`}},
		{[]string{"name: q, in: query, schema: {type: array, items: {type: object}}"},
			[]string{`an item of parameter "q" is always refused: OpenAPI does not define how an array or object is written within one`}},
	} {
		if got := warnings(t, row.parameters); !slices.Equal(got, row.want) {
			t.Errorf("%v:\n got %q\nwant %q", row.parameters, got, row.want)
		}
	}
}
