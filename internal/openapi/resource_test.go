package openapi

import (
	"errors"
	"slices"
	"testing"

	"github.com/threatgate/threatgate/internal/diag"
)

// What is on the network is read from copies, if there are any.
func TestCopiesOfWhatIsOnTheNetwork(t *testing.T) {
	const document = `{"openapi": "3.1.0", "paths": {"/": {"post": {"requestBody": {"content": {"a/b": {"schema":
{"prefixItems": [{"$ref": "https://h/a/x"}, {"$ref": "https://h/a/x#y"}, {"$ref": "https://h/a/named"}, {"$ref": "https://h/b/other#z"}]}
}}}}}}}`
	references := map[string]string{
		"https://h/a/x":     "copies/x.yaml",
		"https://h/a/z":     "copies/z.yaml",
		"https://h/a/named": "copies/named.yaml",
		"https://h/b/last":  "copies/last.yaml",
	}
	for _, test := range []struct {
		name   string
		copies map[string]string
		want   string
		read   []string
	}{
		{"read", map[string]string{
			"copies/x.yaml":      "items: {$ref: z}\n$defs: {y: {$anchor: y, type: string}}\n",
			"copies/z.yaml":      "type: number\n",
			"copies/named.yaml":  "$id: https://h/b/other\nitems: {$ref: last}\n$defs: {z: {$anchor: z, type: boolean}}\n",
			"copies/last.yaml":   "{type: 'null', prefixItems: [{$ref: beside.yaml}]}\n",
			"copies/beside.yaml": "type: integer\n",
		}, "prefix=(items=(number))(string)(items=(null prefix=(integer)))(boolean)",
			[]string{"b.json", "copies/beside.yaml", "copies/last.yaml", "copies/named.yaml", "copies/x.yaml", "copies/z.yaml"}},
		{"faulty", map[string]string{
			"copies/x.yaml":     "",
			"copies/named.yaml": "a: }\n",
		}, `b.json:2:27: "https://h/a/x" can't be read from copies/x.yaml: the file is empty
b.json:2:54: "https://h/a/x#y" can't be read from copies/x.yaml: the file is empty
b.json:2:114: "https://h/b/other#z" is on the network, where references are not followed: store a copy, and refer to that or list it under references in the model
copies/named.yaml:1: did not find expected node content`,
			[]string{"b.json", "copies/named.yaml", "copies/x.yaml"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			read := func(name string) ([]byte, error) {
				if name == "b.json" {
					return []byte(document), nil
				}
				text, ok := test.copies[name]
				if !ok {
					return nil, errors.New("no such file")
				}
				return []byte(text), nil
			}
			var diags diag.List
			api, files := LoadFrom(read, "b.json", references, &diags)
			got := render(&diags)
			if api != nil {
				got += describe(api.Operations[0].Body.Content[0].Schema)
			}
			if got != test.want || !slices.Equal(files, test.read) {
				t.Errorf("read %q, want %q; got\n%s\nwant\n%s", files, test.read, got, test.want)
			}
		})
	}
}
