package openapi

import (
	"fmt"
	"strings"
	"testing"
)

// Taking each part of a request from either operation is exact if they differ
// in one part, or if one admits in each part what the other does.
func TestBlurredOperations(t *testing.T) {
	const (
		id    = `{name: id, in: path, required: true, schema: {type: string, format: uuid}}`
		text  = `{name: id, in: path, required: true, schema: {type: string}}`
		count = `{name: id, in: path, required: true, schema: {type: integer}}`
		q     = `{name: q, in: query, schema: {type: integer, maximum: 9}}`
		mustQ = `{name: q, in: query, required: true, schema: {type: integer, maximum: 9}}`
		anyQ  = `{name: q, in: query, schema: {type: string}}`
		list  = `{name: q, in: query, schema: {type: array, items: {type: string}}}`
		open  = `{name: o, in: query, schema: {type: object, additionalProperties: true}}`
		h     = `{name: h, in: header, required: true, schema: {type: integer}}`
		json  = `application/json: {schema: {type: object, required: [a]}}`
		other = `application/json: {schema: {type: object, required: [b]}}`
		form  = `application/x-www-form-urlencoded: {schema: {type: object, required: [a]}}`
		formB = `application/x-www-form-urlencoded: {schema: {type: object, required: [b]}}`
	)
	rows := []struct {
		first, firstBody, second, secondBody string
		blurred                              bool
	}{
		{first: id, second: id},
		{first: id, second: text},
		{first: id, second: count, blurred: true}, // which of the two is a text read as?
		{first: id, second: ""},
		{first: id + "," + q, second: id},
		{first: id + "," + q, second: text, blurred: true}, // one is wider in q, the other in id
		{first: text + "," + q, second: id},
		{first: text + "," + mustQ, second: id, blurred: true},
		{first: text + "," + anyQ, second: id + "," + q},
		{first: text + "," + q, second: id + "," + anyQ, blurred: true},
		{first: id + "," + q, second: id + "," + list, blurred: true},
		{first: id + "," + q, second: id + "," + open, blurred: true},
		{first: id + "," + h, second: id},
		{first: id + "," + h, second: text},
		{first: text + "," + h, second: id, blurred: true},
		{first: id, firstBody: json, second: id, secondBody: other},
		{first: id, firstBody: json, second: text, secondBody: other, blurred: true},
		{first: id, firstBody: json, second: text, blurred: true},
		{first: text, firstBody: json, second: id},
		{first: id, firstBody: json, second: id, secondBody: form},
		{first: id, firstBody: json, second: id, secondBody: json + ", " + form},
		{first: id, firstBody: json, second: id, secondBody: `"*/*": {}`, blurred: true},
		{first: id, firstBody: form, second: id, secondBody: formB, blurred: true},
		{first: id, firstBody: form, second: id, secondBody: form},
	}
	for _, row := range rows {
		operation := func(parameters, body string) string {
			if body != "" {
				body = "requestBody: {content: {" + body + "}}, "
			}
			return "{post: {parameters: [" + parameters + "], " + body + "responses: {}}}"
		}
		api, faults := load(t, "a.yaml", fmt.Sprintf("openapi: 3.1.0\npaths:\n  /a/{id}: %s\n  /a/{x}: %s\n",
			operation(row.first, row.firstBody), operation(strings.ReplaceAll(row.second, "name: id", "name: x"), row.secondBody)))
		if api == nil {
			t.Fatal(faults)
		}
		if len(api.Operations) != 1 || api.Operations[0].Blurred != row.blurred {
			t.Errorf("%+v: %d operations, blurred %t", row, len(api.Operations), api.Operations[0].Blurred)
		}
	}
}
