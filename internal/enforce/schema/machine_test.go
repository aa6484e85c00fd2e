package schema_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/threatgate/threatgate/internal/artifact"
	compiler "github.com/threatgate/threatgate/internal/compile/schema"
	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/enforce/schema"
	"github.com/threatgate/threatgate/internal/inventory"
	"github.com/threatgate/threatgate/internal/openapi"
)

var all = schema.Options{MaxDepth: 64, MaxToken: 256, MaxViolations: 20}

// compile reads "#/components/schemas/T" of a document with the given
// schemas, in YAML or JSON.
func compile(t testing.TB, version, schemas string) (*artifact.Program, artifact.Ref) {
	t.Helper()
	return compileFor(t, version, schemas, compiler.Request)
}

func compileFor(t testing.TB, version, schemas string, d compiler.Direction) (*artifact.Program, artifact.Ref) {
	t.Helper()
	var diags diag.List
	c := compiler.New(&diags)
	root := c.Root(load(t, version, schemas, &diags), d)
	p := c.Program()
	if diags.HasErrors() {
		t.Fatal(diags.Err())
	}
	return &p, root
}

func load(t testing.TB, version, schemas string, diags *diag.List) *inventory.Schema {
	t.Helper()
	document := `
openapi: ` + version + `
info: {title: t, version: "1"}
paths:
  /:
    post:
      requestBody: {content: {application/json: {schema: {$ref: "#/components/schemas/T"}}}}
      responses: {}
components:
  schemas:
    ` + strings.ReplaceAll(strings.TrimSpace(schemas), "\n", "\n    ")
	api, _ := openapi.LoadBytes([]byte(document), "t.yaml", diags)
	if api == nil {
		t.Fatal(diags.Err())
	}
	return api.Operations[0].Body.Content[0].Schema
}

// judge runs chunks of a text through a machine and writes down what it
// finds: "code pointer location", one for each violation, "; " between them.
func judge(m *schema.Machine, p *artifact.Program, root artifact.Ref, o schema.Options, chunks ...[]byte) string {
	m.Start(p, root, o)
	for _, chunk := range chunks {
		if !m.Write(chunk) {
			break
		}
	}
	return verdict(m, p, m.End())
}

func verdict(m *schema.Machine, p *artifact.Program, valid bool) string {
	var out []string
	for _, v := range m.Violations() {
		location := strings.TrimPrefix(string(p.AppendLocation(nil, v.Schema)), "#/components/schemas/")
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %s", v.Code, v.Pointer, location)))
	}
	if valid != (len(out) == 0) {
		return fmt.Sprintf("valid %t with %d violations", valid, len(out))
	}
	return strings.Join(out, "; ")
}

// buffered is a text at the beginning of a larger buffer, with more behind
// it of what must not be taken for its end.
func buffered(text string) []byte { return []byte(text + strings.Repeat(`1"]},`, 20))[:len(text)] }

func everySplit(b []byte, f func(...[]byte)) {
	f(b)
	for i := range b {
		f(b[:i], b[i:])
	}
	var single [][]byte
	for i := range b {
		single = append(single, b[i:i+1])
	}
	f(single...)
}

type row struct{ value, want string }

// check judges each value in every way to cut it into chunks.
func check(t *testing.T, version, schemas string, rows ...row) {
	t.Helper()
	p, root := compile(t, version, schemas)
	checkProgram(t, p, root, rows...)
}

func checkProgram(t *testing.T, p *artifact.Program, root artifact.Ref, rows ...row) {
	t.Helper()
	var m schema.Machine
	fast := all
	fast.FailFast = true
	for _, r := range rows {
		if got := judge(&m, p, root, all, slices.Clip([]byte(r.value))); got != r.want {
			t.Errorf("%s\n got %s\nwant %s", r.value, got, r.want)
			continue
		}
		first, _, _ := strings.Cut(r.want, "; ")
		everySplit(buffered(r.value), func(chunks ...[]byte) {
			if got := judge(&m, p, root, all, chunks...); got != r.want {
				t.Errorf("%q\n got %s\nwant %s", chunks, got, r.want)
			}
			if got := judge(&m, p, root, fast, chunks...); got != first {
				t.Errorf("%q, fail-fast\n got %s\nwant %s", chunks, got, first)
			}
		})
	}
}

func TestSyntaxOnly(t *testing.T) {
	checkProgram(t, &artifact.Program{}, 0,
		row{`{"a":[1,"x",null],"b":{}}`, ""},
		row{` 1 `, ""},
		row{`{"a":1,}`, "json"},
		row{`{"a":1,"a":2}`, "duplicate-name"},
		row{`[1] 2`, "json"},
		row{``, "json"},
		row{strings.Repeat("[", 65), "depth"},
		row{strings.Repeat("1", 257), "token-length"},
	)
}

func TestTypes(t *testing.T) {
	check(t, "3.0.3", `T: {type: integer}`,
		row{`1`, ""}, row{`1.0`, ""}, row{`10e-1`, ""}, row{`-0.0`, ""}, row{`1e400`, ""},
		row{`1.5`, "type  T"}, row{`1e-1`, "type  T"}, row{`3.00000000000000001`, "type  T"},
		row{`"1"`, "type  T"}, row{`null`, "type  T"}, row{`[1]`, "type  T"}, row{`{}`, "type  T"}, row{`true`, "type  T"})
	check(t, "3.0.3", `T: {type: string, nullable: true}`,
		row{`"x"`, ""}, row{`null`, ""}, row{`0`, "type  T"})
	check(t, "3.1.0", `T: {type: [boolean, array]}`,
		row{`true`, ""}, row{`[{}]`, ""}, row{`{}`, "type  T"})
	check(t, "3.1.0", `T: false`, row{`1`, "never  T"}, row{`{"a":[1]}`, "never  T"})
}

func TestNumbers(t *testing.T) {
	check(t, "3.0.3", `T: {type: number, minimum: -1.5, exclusiveMaximum: true, maximum: 9007199254740993}`,
		row{`-1.5`, ""}, row{`-15e-1`, ""}, row{`-1.50000000000000000001`, "minimum  T"}, row{`-2`, "minimum  T"},
		row{`9007199254740992`, ""}, row{`9007199254740992.9999`, ""}, row{`9007199254740993`, "exclusive-maximum  T"},
		row{`1e99999999999999999999`, "exclusive-maximum  T"}, row{`-1e99999999999999999999`, "minimum  T"}, row{`1e-99999999999999999999`, ""}, row{`0e99999999999`, ""})
	check(t, "3.0.3", `T: {type: integer, format: int64}`,
		row{`9223372036854775807`, ""}, row{`9223372036854775808`, "format  T"},
		row{`-9223372036854775808`, ""}, row{`-9223372036854775809`, "format  T"}, row{`922337203685477580.7e1`, ""})
	check(t, "3.0.3", `T: {type: integer, format: int32, minimum: 0}`,
		row{`2147483647`, ""}, row{`2147483648`, "format  T"}, row{`-1`, "minimum  T"})
	check(t, "3.0.3", `T: {type: number, multipleOf: 0.1}`,
		row{`0.3`, ""}, row{`1`, ""}, row{`0`, ""}, row{`-7.7`, ""}, row{`0.35`, "multiple-of  T"}, row{`1e300`, ""}, row{`1e-300`, "multiple-of  T"})
	check(t, "3.0.3", `T: {type: number, multipleOf: 7}`,
		row{`49`, ""}, row{`123456789012345678901234567890`, ""}, row{`123456789012345678901234567891`, "multiple-of  T"},
		row{`7e1000000000000`, ""}, row{`1e1000000000000`, "multiple-of  T"})
	check(t, "3.0.3", `T: {type: number, minimum: -0.25, maximum: 100.125}`,
		row{`100.125`, ""}, row{`100.1250`, ""}, row{`100.126`, "maximum  T"}, row{`100.13`, "maximum  T"}, row{`100`, ""}, row{`101`, "maximum  T"},
		row{`-0.25`, ""}, row{`-0.3`, "minimum  T"}, row{`-0.2500000000000001`, "minimum  T"}, row{`-0`, ""},
		row{`999999999999999999`, "maximum  T"}, row{`-999999999999999999`, "minimum  T"}, row{`0.00000000000000001`, ""})
	check(t, "3.1.0", `T: {exclusiveMinimum: 1, maximum: 3, enum: [1, 2.50, 30e-1, -1]}`,
		row{`2.5`, ""}, row{`3.0`, ""}, row{`1`, "exclusive-minimum  T"}, row{`2`, "enum  T"})
}

func TestStrings(t *testing.T) {
	check(t, "3.0.3", `T: {type: string, minLength: 2, maxLength: 4}`,
		row{`"ab"`, ""}, row{`"é€"`, ""}, row{`"😀😀😀😀"`, ""}, row{`"\ud83d\ude00\u0041"`, ""},
		row{`"a"`, "min-length  T"}, row{`"😀"`, "min-length  T"}, row{`"abcde"`, "max-length  T"}, row{`"😀😀😀😀x"`, "max-length  T"},
		row{`"abcde`, "max-length  T; json"})
	check(t, "3.0.3", `T: {type: string, pattern: "^[a-zé]+\\n?$"}`,
		row{`"abcé"`, ""}, row{`"abc\n"`, ""}, row{`"ab\u00e9"`, ""}, row{`"ABC"`, "pattern  T"}, row{`""`, "pattern  T"})
	check(t, "3.0.3", `T: {type: string, pattern: "^[a-z]{0,3000}$"}`,
		row{`"abc"`, ""}, row{`"` + strings.Repeat("a", 100) + `A"`, "pattern  T"})
	check(t, "3.0.3", `T: {type: string, enum: [red, green, "", "a\nb", "a much longer colour than the others"]}`,
		row{`"red"`, ""}, row{`"r\u0065d"`, ""}, row{`""`, ""}, row{`"a\nb"`, ""}, row{`"a much longer colour than the others"`, ""},
		row{`"blue"`, "enum  T"}, row{`"a much longer colour than the others!"`, "enum  T"}, row{`null`, "type  T"})
	check(t, "3.1.0", `T: {enum: [red, null, true, 1]}`,
		row{`"red"`, ""}, row{`null`, ""}, row{`true`, ""}, row{`1.0`, ""},
		row{`false`, "enum  T"}, row{`[]`, "enum  T"}, row{`{"a":1}`, "enum  T"}, row{`2`, "enum  T"}, row{`"null"`, "enum  T"})
}

const order = `
T:
  type: object
  required: [id, items]
  additionalProperties: false
  properties:
    id: {type: string, pattern: "^[a-z0-9-]+$"}
    status: {type: string, enum: [open, paid]}
    created: {type: string, format: date-time, readOnly: true}
    secret: {type: string, writeOnly: true}
    a/b~c: {type: integer}
    items:
      type: array
      minItems: 1
      maxItems: 3
      items: {$ref: "#/components/schemas/Item"}
    extra:
      type: object
      additionalProperties: {type: integer}
Item:
  type: object
  required: [sku, quantity]
  properties:
    sku: {type: string, maxLength: 5}
    quantity: {type: integer, minimum: 1}
`

func TestObjectsAndArrays(t *testing.T) {
	const item = `{"sku":"a","quantity":1}`
	check(t, "3.0.3", order,
		row{`{"id":"x","items":[` + item + `],"status":"paid","extra":{"n":1}}`, ""},
		row{`{"items":[{"sku":"abcdef","quantity":0,"more":[{}]}],"id":"X"}`,
			"max-length /items/0/sku Item/properties/sku; minimum /items/0/quantity Item/properties/quantity; pattern /id T/properties/id"},
		row{`{"id":"x"}`, "required /items T"},
		row{`{}`, "required /id T; required /items T"},
		row{`{"id":"x","items":[]}`, "min-items /items T/properties/items"},
		row{`{"id":"x","items":[` + item + `,` + item + `,` + item + `,` + item + `,` + item + `]}`, "max-items /items T/properties/items"},
		row{`{"id":"x","items":[` + item + `,1,{"sku":1}]}`,
			"type /items/1 Item; type /items/2/sku Item/properties/sku; required /items/2/quantity Item"},
		row{`{"id":"x","items":{},"admin":true}`, "type /items T/properties/items; undeclared-property /* T"},
		row{`{"id":"x","items":[` + item + `],"extra":{"secret name":"v"}}`, "type /extra/* T/properties/extra/additionalProperties"},
		row{`{"id":"x","items":[` + item + `],"a/b~c":"v"}`, "type /a~1b~0c T/properties/a~1b~0c"},
		row{`{"id":"x","items":[` + item + `],"created":"2020-01-01T00:00:00Z"}`, "read-only /created T/properties/created"},
		row{`{"id":"x","items":[` + item + `],"id":"y"}`, "duplicate-name"},
		row{`[]`, "type  T"},
	)
	p, root := compileFor(t, "3.0.3", order, compiler.Response)
	checkProgram(t, p, root,
		row{`{"id":"x","items":[` + item + `],"created":"2020-01-01T00:00:00Z"}`, ""},
		row{`{"id":"x","items":[` + item + `],"secret":"s"}`, "write-only /secret T/properties/secret"},
	)
	check(t, "3.0.3", `
T: {type: object, minProperties: 1, maxProperties: 2, required: [n], properties: {n: {type: integer, readOnly: true}}}`,
		row{`{"a":1}`, ""}, row{`{}`, "min-properties  T"}, row{`{"a":1,"b":2,"c":3,"d":4}`, "max-properties  T"}, row{`{"n":1}`, "read-only /n T/properties/n"})
	check(t, "3.1.0", `
T:
  type: object
  properties: {a: {}}
  patternProperties: {"^x-": {type: string}, "-n$": {maxLength: 2}}
  additionalProperties: false
  propertyNames: {maxLength: 5}
  dependentRequired: {a: [x-b, x-c]}`,
		row{`{"x-a":"s","x-n":"ab"}`, ""},
		row{`{"x-n":"abc"}`, "max-length /* T/patternProperties/-n$"},
		row{`{"x-n":1}`, "type /* T/patternProperties/^x-"},
		row{`{"y":1}`, "undeclared-property /* T"},
		row{`{"x-long":"s"}`, "property-names  T"},
		row{`{"a":1,"x-b":"s"}`, "dependent-required /x-c T"},
		row{`{"x-b":"s"}`, ""})
	check(t, "3.1.0", `
T: {type: array, prefixItems: [{type: string}, {type: integer}], items: {type: boolean}, contains: {const: true}, maxContains: 2}`,
		row{`["a",1,true]`, ""}, row{`["a",1,true,false,true]`, ""},
		row{`["a",1]`, "contains  T"}, row{`["a",1,true,true,true]`, "contains  T"}, row{`[1,"a",1]`, "type /0 T/prefixItems/0; type /1 T/prefixItems/1; type /2 T/items; contains  T"})
}

func TestDuplicateNames(t *testing.T) {
	check(t, "3.1.0", `
T:
  type: object
  required: [must]
  properties:
    a: {type: integer}
    list: {type: array, uniqueItems: true, items: {$ref: "#/components/schemas/T"}}
    either: {anyOf: [{$ref: "#/components/schemas/T"}, {type: object}]}
    closed: {type: object, additionalProperties: false, properties: {a-name-of-16-byte: {}, a-longer-name-than-16-bytes: {}, a-longer-nome-than-16-bytes: {}}}
  additionalProperties: {type: [object, integer]}`,
		row{`{"must":1,"a":1,"b":2,"list":[{"must":1,"a":1},{"must":1,"b":1}]}`, ""},
		row{`{"a":1,"must":2,"a":3}`, "duplicate-name"},
		row{`{"must":1,"a":1,"\u0061":2}`, "duplicate-name"},
		row{`{"must":1,"must":2}`, "duplicate-name"},
		row{`{"must":1,"b":1,"c":1,"b":2}`, "duplicate-name"},
		row{`{"must":1,"a":"x","a":2}`, "type /a T/properties/a; duplicate-name"},
		row{`{"must":1,"skipped":{"a":{"x":1,"x":2}}}`, "duplicate-name /*/*"},
		row{`{"must":1,"list":[{"must":1,"a":1,"a":1}]}`, "duplicate-name /list/0"},
		row{`{"must":1,"either":{"a":1,"a":1}}`, "duplicate-name /either"},
		row{`{"must":1,"either":{"a":"x","b":1,"b":1}}`, "duplicate-name /either"},
		row{`{"must":1,"closed":{"a-longer-name-than-16-bytes":1,"a-longer-nome-than-16-bytes":1}}`, ""},
		row{`{"must":1,"closed":{"a-longer-name-than-16-bytes":1,"a-longer-name-than-16-bytes":1}}`, "duplicate-name /closed"},
		row{`{"must":1,"closed":{"a-longer-nxme-than-16-bytes":1}}`, "undeclared-property /closed/* T/properties/closed"},
	)
}

// A name is known by its bytes, wherever it stands among those it is read
// with.
func TestKeysOfEveryLength(t *testing.T) {
	var properties, members, reversed []string
	const letters = "abcdefghijklmnopqrstuvwxyz"
	for n := range len(letters) + 1 {
		properties = append(properties, fmt.Sprintf(`"%s": {type: integer}`, letters[:n]))
		members = append(members, fmt.Sprintf(`"%s":1`, letters[:n]))
		reversed = append([]string{members[n]}, reversed...)
	}
	check(t, "3.0.3", "T: {type: object, additionalProperties: false, properties: {"+strings.Join(properties, ", ")+"}}",
		row{"{" + strings.Join(members, ",") + "}", ""},
		row{"{" + strings.Join(reversed, ",") + "}", ""},
		row{`{"abcdefg\u0000":1}`, "undeclared-property /* T"},
		row{`{"abc\u0000":1}`, "undeclared-property /* T"},
		row{`{"ab":1,"abd":1}`, "undeclared-property /* T"},
	)
}

func TestUniqueItems(t *testing.T) {
	check(t, "3.0.3", `T: {type: array, uniqueItems: true, items: {}}`,
		row{`[]`, ""},
		row{`[1,2,"1",true,null,false,[],{},[1],{"a":1},"",[[]],[{}],0,-1]`, ""},
		row{`[1,2,1.0]`, "unique-items  T"},
		row{`[0,-0.0]`, "unique-items  T"},
		row{`["a","\u0061"]`, "unique-items  T"},
		row{`[{"a":1,"b":[2,3]},{"b":[2,3],"a":1}]`, "unique-items  T"},
		row{`[{"a":1,"b":2},{"a":2,"b":1}]`, ""},
		row{`[[1,2],[2,1]]`, ""},
		row{`[[1,2],[1,2],[1,2]]`, "unique-items  T"},
		row{`[null,null]`, "unique-items  T"},
		row{`[true,true]`, "unique-items  T"},
	)
	check(t, "3.0.3", `T: {type: array, uniqueItems: true, items: {type: array, uniqueItems: true, items: {type: integer}}}`,
		row{`[[1,2],[2,1]]`, ""}, row{`[[1,1],[1]]`, "unique-items /0 T/items"}, row{`[[1],[2,2],[1],[3,3]]`, "unique-items /1 T/items; unique-items  T; unique-items /3 T/items"})
	check(t, "3.0.3", `T: {anyOf: [{type: array, uniqueItems: true, items: {}}, {type: array, maxItems: 1, items: {}}]}`,
		row{`[1,2]`, ""}, row{`[1,1]`, "any-of  T"})
}

func TestCombinators(t *testing.T) {
	check(t, "3.0.3", `
T:
  allOf:
  - {type: object, required: [a], properties: {a: {type: integer}, c: {minLength: 2}}}
  - {type: object, required: [b], properties: {b: {type: string}, c: {maxLength: 3}}}`,
		row{`{"a":1,"b":"x","c":"ab"}`, ""},
		row{`{"a":"x"}`, "type /a T/allOf/0/properties/a; required /b T"},
		row{`{"a":1,"b":"x","c":"abcd"}`, "max-length /c T/allOf/0/properties/c"},
		row{`{"a":1,"b":"x","c":"a"}`, "min-length /c T/allOf/0/properties/c"})
	check(t, "3.0.3", `T: {anyOf: [{type: string, minLength: 3}, {type: integer, minimum: 10}]}`,
		row{`"abc"`, ""}, row{`10`, ""}, row{`"ab"`, "any-of  T"}, row{`9`, "any-of  T"}, row{`null`, "any-of  T"}, row{`{"a":[1]}`, "any-of  T"})
	check(t, "3.0.3", `T: {oneOf: [{type: integer, multipleOf: 3}, {type: integer, multipleOf: 5}]}`,
		row{`9`, ""}, row{`10`, ""}, row{`15`, "one-of  T"}, row{`7`, "one-of  T"})
	check(t, "3.0.3", `T: {type: object, properties: {a: {not: {type: object, required: [x]}}}}`,
		row{`{"a":{"y":1}}`, ""}, row{`{"a":1}`, ""}, row{`{"a":{"x":1}}`, "not /a T/properties/a"})
	check(t, "3.1.0", `
T:
  type: object
  if: {properties: {kind: {const: card}}, required: [kind]}
  then: {required: [number]}
  else: {properties: {number: false}}`,
		row{`{"kind":"card","number":1}`, ""}, row{`{"number":1,"kind":"card"}`, ""}, row{`{"kind":"cash"}`, ""},
		row{`{"kind":"card"}`, "required  T/then"}, row{`{"number":1,"kind":"cash"}`, "never  T/else/properties/number"})
	check(t, "3.1.0", `
T: {type: object, dependentSchemas: {a: {required: [b]}}}`,
		row{`{"a":1,"b":2}`, ""}, row{`{"c":1}`, ""}, row{`{"a":1}`, "required  T/dependentSchemas/a"})
	// A branch that fails in the depth, with the other one alive, and then both.
	check(t, "3.0.3", `
T:
  type: array
  items:
    oneOf:
    - {type: object, required: [x], properties: {x: {type: array, items: {type: integer}}}}
    - {type: object, required: [x], properties: {x: {type: array, items: {type: string}}}}`,
		row{`[{"x":[1,2]},{"x":["a"]}]`, ""},
		row{`[{"x":[1,"a"]}]`, "one-of /0 T/items"},
		row{`[{"x":[]}]`, "one-of /0 T/items"},
		row{`[{"x":[1]},{"y":1},{"x":[true,1,2]}]`, "one-of /1 T/items; one-of /2 T/items"})
	check(t, "3.1.0", `
T: {const: {a: [1, {b: null}], c: x}}`,
		row{`{"c":"x","a":[1.0,{"b":null}]}`, ""}, row{`{"c":"x","a":[1,{"b":0}]}`, "const  T"}, row{`{"c":"x"}`, "const  T"},
		row{`{"c":"x","a":[1,{"b":null}],"d":1}`, "const  T"}, row{`"x"`, "const  T"})
	check(t, "3.1.0", `
T: {enum: [[1, 2], {a: 1}, x]}`,
		row{`[1,2]`, ""}, row{`{"a":1}`, ""}, row{`"x"`, ""}, row{`[1]`, "enum  T"}, row{`{"a":2}`, "enum  T"}, row{`"y"`, "enum  T"}, row{`{}`, "enum  T"})
}

func TestDiscriminator(t *testing.T) {
	const pets = `
T:
  oneOf: [{$ref: "#/components/schemas/Cat"}, {$ref: "#/components/schemas/Dog"}]
  discriminator: {propertyName: kind, mapping: {feline: "#/components/schemas/Cat"}}
Cat: {type: object, required: [kind, name], properties: {kind: {type: string}, name: {type: string}, lives: {type: integer}}}
Dog: {type: object, required: [kind, name], properties: {kind: {type: string}, name: {type: string}, lives: {type: string}, tricks: {type: array, items: {type: string}}}}
`
	check(t, "3.0.3", pets,
		row{`{"kind":"Cat","name":"x"}`, ""},
		row{`{"name":"x","kind":"feline"}`, ""},
		row{`{"kind":"Dog","name":"x","lives":"many"}`, ""},
		row{`{"kind":"Cat","name":"x","lives":"many"}`, "type /lives Cat/properties/lives"},
		row{`{"kind":"Dog","name":"x","tricks":[1,2]}`, "type /tricks/0 Dog/properties/tricks/items; type /tricks/1 Dog/properties/tricks/items"},
		row{`{"kind":"Dog"}`, "required /name Dog"},
		row{`{"lives":"many","name":"x","kind":"Cat"}`, "type /lives Cat/properties/lives"},
		row{`{"lives":true,"name":"x","kind":"Cat"}`, "type /lives Cat/properties/lives"},
		row{`{"lives":true,"name":"x","kind":"Bird"}`, "discriminator /kind T"},
		row{`{"lives":true,"name":"x"}`, "one-of  T"},
		row{`{"tricks":[{}],"kind":"Dog","name":"x"}`, "type /tricks Dog/properties/tricks/items"},
		row{`{"kind":"Bird","name":"x"}`, "discriminator /kind T"},
		row{`{"kind":7,"name":"x"}`, "discriminator /kind T"},
		row{`{"name":"x"}`, "one-of  T"},
		row{`{"kind":"D\u006fg","name":"x"}`, ""},
	)
}

func TestNestedDiscriminator(t *testing.T) {
	check(t, "3.1.0", `
T: {anyOf: [{$ref: "#/components/schemas/Pet"}, {type: integer}]}
Pet:
  oneOf: [{$ref: "#/components/schemas/Cat"}, {$ref: "#/components/schemas/Dog"}]
  discriminator: {propertyName: kind}
Cat: {type: object, required: [kind, name], properties: {kind: {type: string}, name: {type: string}, lives: {type: integer}}}
Dog: {type: object, required: [kind, name], properties: {kind: {type: string}, name: {type: string}, lives: {type: string}}}
`,
		row{`{"kind":"Cat","name":"x","lives":1}`, ""},
		row{`{"kind":"Cat","name":"x","lives":"many"}`, "any-of  T"},
		row{`{"lives":"many","kind":"Cat","name":"x"}`, "any-of  T"},
		row{`{"kind":"Cat"}`, "any-of  T"},
		row{`{"kind":"Bird"}`, "any-of  T"},
	)
}

func TestUnevaluated(t *testing.T) {
	check(t, "3.1.0", `
T:
  type: object
  properties: {a: {}}
  anyOf:
  - {properties: {b: {const: 1}}, required: [b]}
  - {properties: {c: {const: 1}}, required: [c]}
  unevaluatedProperties: false`,
		row{`{"a":1,"b":1}`, ""}, row{`{"c":1,"b":1}`, ""}, row{`{"b":1,"c":2}`, "unevaluated-properties /* T"},
		row{`{"a":1,"b":1,"d":1,"e":1}`, "unevaluated-properties /* T; unevaluated-properties /* T"})
	check(t, "3.1.0", `
T: {type: object, allOf: [{properties: {a: {type: integer}}}], unevaluatedProperties: false}`,
		row{`{"a":1}`, ""}, row{`{"a":1,"b":1}`, "unevaluated-properties /* T"})
	check(t, "3.1.0", `
T: {type: array, prefixItems: [{}], contains: {type: string}, unevaluatedItems: {type: integer}}`,
		row{`[1,"a",2]`, ""}, row{`[1,"a",true]`, "unevaluated-items /2 T"})
}

// A recursive alternative is judged once for each value, not once for each
// way to reach it.
func TestRecursionDoesNotMultiply(t *testing.T) {
	p, root := compile(t, "3.0.3", `
T:
  oneOf:
  - {type: object, required: [and], properties: {left: {$ref: "#/components/schemas/T"}, and: {type: boolean}}}
  - {type: object, required: [or], properties: {left: {$ref: "#/components/schemas/T"}, or: {type: boolean}}}
  - {type: object, required: [leaf], properties: {left: {$ref: "#/components/schemas/T"}, leaf: {type: boolean}}}`)
	const depth = 60
	value := strings.Repeat(`{"left":`, depth) + `{"leaf":true}` + strings.Repeat(`,"or":true}`, depth)
	var m schema.Machine
	if got := judge(&m, p, root, all, []byte(value)); got != "" {
		t.Error(got)
	}
	broken := strings.Replace(value, "leaf", "twig", 1)
	if got := judge(&m, p, root, all, []byte(broken)); !strings.HasPrefix(got, "one-of "+strings.Repeat("/left", depth)+" T") && got != "one-of  T" {
		t.Error(got)
	}
}

func TestTokens(t *testing.T) {
	p, root := compile(t, "3.0.3", order)
	var m schema.Machine
	m.Start(p, root, all)
	m.BeginObject()
	m.Name([]byte("id"))
	m.String([]byte("X"))
	m.Name([]byte("items"))
	m.BeginArray()
	m.Null()
	m.EndArray()
	m.Name([]byte("a/b~c"))
	m.Number([]byte("1.5"))
	m.Name([]byte("extra"))
	m.Bool(true)
	m.EndObject()
	const want = "pattern /id T/properties/id; type /items/0 Item; type /a~1b~0c T/properties/a~1b~0c; type /extra T/properties/extra"
	if got := verdict(&m, p, m.End()); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	m.Start(p, root, all)
	if got := verdict(&m, p, m.End()); got != "json" {
		t.Errorf("without a value: %s", got)
	}
}

func TestViolationsAreBounded(t *testing.T) {
	p, root := compile(t, "3.0.3", `T: {type: array, items: {type: string}}`)
	o := all
	o.MaxViolations = 3
	var m schema.Machine
	const want = "type /0 T/items; type /1 T/items; type /2 T/items"
	if got := judge(&m, p, root, o, []byte("[1,2,3,4,5]")); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestTooManyTasksAreRefused(t *testing.T) {
	branches := strings.Repeat("{type: object, properties: {a: {type: string}}}, ", artifact.MaxTasks)
	check(t, "3.0.3", "T: {type: array, items: {anyOf: ["+branches+"{type: integer}]}}",
		row{`[1]`, ""}, row{`[1,{"a":"b"}]`, "unenforceable /1 T/items/anyOf/511"})
}

// Odd text is not our business where the schema allows any.
func TestNaughtyStrings(t *testing.T) {
	const shared = "../../../../shared"
	if _, err := os.Stat(shared); err != nil {
		t.Skip("needs ../shared/corpus")
	}
	data, err := os.ReadFile(shared + "/corpus/naughty-strings/blns.json")
	if err != nil {
		t.Fatal(err)
	}
	p, root := compile(t, "3.0.3", `T: {type: array, minItems: 515, items: {type: string}}`)
	var m schema.Machine
	for _, chunks := range [][][]byte{{data}, {data[:1000], data[1000:1001], data[1001:]}} {
		if got := judge(&m, p, root, all, chunks...); got != "" {
			t.Error(got)
		}
	}
}
