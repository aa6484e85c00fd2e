package openapi

import (
	"encoding/json"
	"io/fs"
	"strings"
	"testing"
)

// What a schema says counts as far as its meta-schema has the vocabularies.
func TestVocabularies(t *testing.T) {
	const all = "https://json-schema.org/draft/2020-12/vocab/"
	const schema = "items: {minLength: 1}, format: x, readOnly: true, prefixItems: [{}], unevaluatedItems: false"
	for _, test := range []struct{ name, head, schema, meta, want string }{
		{"of OpenAPI", "", schema, "", "format=x items=(minLength=1) prefix=() unevaluatedItems=(false) readOnly"},
		{"of the schema", "", "$schema: 'https://h/meta', " + schema, "'" + all + "applicator': true", "items=() prefix=()"},
		{"of the document", "jsonSchemaDialect: https://h/meta\n", schema, "'" + all + "validation': true, '" + all + "applicator': true, '" + all + "core': true", "items=(minLength=1) prefix=()"},
		{"of the schema rather than the document", "jsonSchemaDialect: https://h/meta\n", "$schema: 'https://json-schema.org/draft/2020-12/schema', " + schema, "", "format=x items=(minLength=1) prefix=() unevaluatedItems=(false) readOnly"},
		{"not known and not needed", "", "$schema: 'https://h/meta#', " + schema, "'https://h/own': false, '" + all + "format-assertion': false", "format=x"},
		{"not known", "", "$schema: 'https://h/meta', " + schema, "'https://h/own': true", `a.yaml:2:72: the meta-schema "https://h/meta" demands the vocabulary "https://h/own", which is not known`},
	} {
		t.Run(test.name, func(t *testing.T) {
			document := test.head + "openapi: 3.1.0\npaths: {/a: {get: {parameters: [{name: a, in: query, schema: {" + test.schema + "}}]}}}\n" +
				"components: {schemas: {Meta: {$id: 'https://h/meta', $vocabulary: {" + test.meta + "}}}}\n"
			api, got := load(t, "a.yaml", document)
			if api != nil {
				got += describe(api.Operations[0].Parameters[0].Schema)
			}
			if got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// The meta-schemas are there offline, and each says of itself what it is.
func TestMetaSchemas(t *testing.T) {
	found := 0
	err := fs.WalkDir(metaSchemas, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		found++
		uri := draft2020 + strings.TrimSuffix(strings.TrimPrefix(path, "metaschema/"), ".json")
		data, _ := metaSchema(uri)
		var s struct {
			ID         string          `json:"$id"`
			Vocabulary map[string]bool `json:"$vocabulary"`
		}
		if err := json.Unmarshal(data, &s); err != nil || s.ID != uri {
			t.Errorf("%s: $id is %q, %v", path, s.ID, err)
		}
		for v := range s.Vocabulary {
			if vocabularies[v] == 0 {
				t.Errorf("%s: vocabulary %s is not known", path, v)
			}
		}
		return nil
	})
	if err != nil || found != 9 {
		t.Errorf("%d meta-schemas, want 9; %v", found, err)
	}
	const document = `
openapi: 3.1.0
paths: {/a: {get: {parameters: [{name: a, in: query, schema: {$ref: 'https://json-schema.org/draft/2020-12/meta/validation#/$defs/nonNegativeInteger'}}]}}}
`
	if got := describe(mustLoad(t, document).Operations[0].Parameters[0].Schema); got != "integer min=0" {
		t.Error(got)
	}
}
