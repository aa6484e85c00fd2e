package schema_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/threatgate/threatgate/internal/enforce/schema"
	"github.com/threatgate/threatgate/internal/enforce/siphash"
)

const plainSchema = `
T:
  type: object
  required: [id]
  properties:
    id: {type: string, pattern: "^[a-z]{1,8}$"}
    n: {type: integer, minimum: -5, maximum: 1000000000000000}
    price: {type: number, multipleOf: 0.25, maximum: 1000}
    rate: {type: number, minimum: 0, exclusiveMinimum: true, maximum: 12.5}
    steps: {type: integer, minimum: -3, exclusiveMaximum: true, maximum: 7}
    "on": {type: boolean}
    any: {}
    sixteen-letters-: {type: string, nullable: true}
    seventeen-letters: {type: "string", enum: [red, green, "a value of more than sixteen bytes"]}
    list: {type: array, minItems: 1, maxItems: 3, items: {type: integer}}
    rows: {type: array, items: {type: array, items: {$ref: "#/components/schemas/T"}}}
    self: {$ref: "#/components/schemas/T"}
    few: {type: object, minProperties: 1, maxProperties: 2, additionalProperties: {type: integer}}
    closed: {type: object, additionalProperties: false, properties: {a: {type: integer}}}
    set: {type: array, uniqueItems: true, items: {type: integer}}
    either: {oneOf: [{type: integer}, {type: array}]}
  additionalProperties: {type: string, maxLength: 3}
`

// What is plain, what is nearly so, and what stands within what is.
func TestPlain(t *testing.T) {
	nested := func(n int, inner string) string {
		return strings.Repeat(`{"id":"a","self":`, n) + inner + strings.Repeat("}", n)
	}
	check(t, "3.0.3", plainSchema,
		row{`{"id":"a","n":1,"price":2.25,"on":true,"any":null,"sixteen-letters-":null,"seventeen-letters":"red","list":[1,2],"rows":[[],[{"id":"b"},{"id":"c"}]],"self":{"id":"d"},"few":{"x":1},"closed":{}}`, ""},
		row{`{"closed":{"a":-0},"few":{"y":1,"x":2},"list":[0,-1,2],"any":"x","id":"a","other":"xyz","on":false,"seventeen-letters":"a value of more than sixteen bytes"}`, ""},
		row{"{\n  \"id\": \"a\",\n  \"n\" : 1 ,\r\n\t\"list\": [\n 1 , 2\n], \"self\": {\n\"id\"\n:\"b\"\n}\n}\n", ""},
		row{`{"id":"\u0061","any":"Zoë","sixteen-letters-":"é","price":1e2,"n":1000000000000000,"self":{"id":"a","any":"\n"}}`, ""},

		row{`{"id":"A"}`, "pattern /id T/properties/id"},
		row{`{"id":"a","n":-6}`, "minimum /n T/properties/n"},
		row{`{"id":"a","n":1000000000000001}`, "maximum /n T/properties/n"},
		row{`{"id":"a","n":1.5}`, "type /n T/properties/n"},
		row{`{"id":"a","n":1.00}`, ""},
		row{`{"id":"a","price":1.3}`, "multiple-of /price T/properties/price"},
		row{`{"id":"a","price":1000.25}`, "maximum /price T/properties/price"},
		row{`{"id":"a","rate":0}`, "exclusive-minimum /rate T/properties/rate"},
		row{`{"id":"a","rate":0.0}`, "exclusive-minimum /rate T/properties/rate"},
		row{`{"id":"a","rate":0.0000001}`, ""},
		row{`{"id":"a","rate":12.5}`, ""},
		row{`{"id":"a","rate":12.50}`, ""},
		row{`{"id":"a","rate":12.6}`, "maximum /rate T/properties/rate"},
		row{`{"id":"a","rate":13}`, "maximum /rate T/properties/rate"},
		row{`{"id":"a","steps":-3}`, ""},
		row{`{"id":"a","steps":-4}`, "minimum /steps T/properties/steps"},
		row{`{"id":"a","steps":6}`, ""},
		row{`{"id":"a","steps":7}`, "exclusive-maximum /steps T/properties/steps"},
		row{`{"id":"a","steps":6.5}`, "type /steps T/properties/steps"},
		row{`{"id":"a","steps":6.0}`, ""},
		row{`{"id":"a","on":null}`, "type /on T/properties/on"},
		row{`{"id":"a","seventeen-letters":"blue"}`, "enum /seventeen-letters T/properties/seventeen-letters"},
		row{`{"id":"a","list":[]}`, "min-items /list T/properties/list"},
		row{`{"id":"a","list":[1,2,3,4]}`, "max-items /list T/properties/list"},
		row{`{"id":"a","list":[1,"x",3]}`, "type /list/1 T/properties/list/items"},
		row{`{"id":"a","list":{}}`, "type /list T/properties/list"},
		row{`{"id":"a","rows":[[{"id":"b"}],[{"id":"c"},{"n":1}]]}`, "required /rows/1/1/id T"},
		row{`{"n":1}`, "required /id T"},
		row{`{"id":"a","few":{}}`, "min-properties /few T/properties/few"},
		row{`{"id":"a","few":{"a":1,"b":2,"c":3}}`, "max-properties /few T/properties/few"},
		row{`{"id":"a","closed":{"a":1,"b":2}}`, "undeclared-property /closed/* T/properties/closed"},
		row{`{"id":"a","other":"long"}`, "max-length /* T/additionalProperties"},
		row{`{"id":"a","self":[]}`, "type /self T"},
		row{`{"id":"a","set":[1,2,3]}`, ""},
		row{`{"id":"a","set":[1,2,1.0]}`, "unique-items /set T/properties/set"},
		row{`{"id":"a","either":1}`, ""},
		row{`{"id":"a","either":"x"}`, "one-of /either T/properties/either"},

		row{`{"id":"a","id":"b"}`, "duplicate-name"},
		row{`{"id":"a","self":{"id":"a","n":1,"id":"b"}}`, "duplicate-name /self"},
		row{`{"id":"a","other":"x","other":"y"}`, "duplicate-name"},
		row{`{"id":"a","i\u0064":"b"}`, "duplicate-name"},

		row{`{"id":"a",}`, "json /id"},
		row{`{"id":"a","list":[1,]}`, "json /list/0"},
		row{`{"id":"a","list":[,1]}`, "json /list"},
		row{`{"id":"a" "n":1}`, "json /id"},
		row{`{"id":"a","n":01}`, "json /n"},
		row{`{"id":"a","n":-}`, "json /n"},
		row{`{"id":"a","n":1.}`, "json /n"},
		row{`{"id":"a","n":1x}`, "json /n"},
		row{`{"id":"a","n"=1}`, "json /n"},
		row{`{"id":"a","on":trux}`, "json /on"},
		row{`{"id":"a","any":"` + "\x01" + `"}`, "json /any"},
		row{`{"id":"a","any":"` + "\xc3(" + `"}`, "json /any"},
		row{`{"id":"a","any":[1}}`, "json /any"},
		row{`{"id":"a","list":[1}}`, "json /list/0"},
		row{`{"id":"a","self":{"id":"a"]}`, "json /self/id"},
		row{`{"id":"a","list":[1]`, "json /list"},

		row{nested(20, `{"id":"b"}`), ""},
		row{nested(20, `{"id":1}`), "type " + strings.Repeat("/self", 20) + "/id T/properties/id"},
		row{nested(63, `{"id":"b"}`), ""},
		row{nested(64, `{"id":"b"}`), "depth " + strings.Repeat("/self", 64)},
	)
}

// A name that differs in any one byte is another.
func TestPlainNames(t *testing.T) {
	const letters = "abcdefghijklmnopqrstuvwxyz"
	for n := range len(letters) {
		name := letters[:n+1]
		rows := []row{{fmt.Sprintf(`{"%s":1}`, name), ""}}
		for i := range name {
			for _, other := range []string{"~", "", "ab", `\\`, `\u0000`} {
				rows = append(rows, row{fmt.Sprintf(`{"%s":1}`, name[:i]+other+name[i+1:]), "undeclared-property /* T"})
			}
		}
		check(t, "3.0.3", "T: {type: object, additionalProperties: false, properties: {"+name+": {type: integer}}}", rows...)
	}
}

// A name that JSON has to escape is found by what it stands for.
func TestPlainEscapedNames(t *testing.T) {
	for _, r := range []struct{ declared, spelt, not, code string }{
		{`a\\b`, `a\\b`, `a\b`, `undeclared-property /* T; required /a\b T`},
		{`a\"b`, `a\"b`, `a"b`, "json /*"},
		{`a\nb`, `a\nb`, "a\nb", "json /*"},
		{`a\u0000`, `a\u0000`, "a\x00", "json /*"},
		{`a\":1,\"b`, `a\":1,\"b`, `a":1,"b`, `undeclared-property /* T; undeclared-property /* T; required /a":1,"b T`},
	} {
		check(t, "3.0.3", `T: {type: object, additionalProperties: false, required: ["`+r.declared+`"], properties: {"`+r.declared+`": {type: integer}}}`,
			row{`{"` + r.spelt + `":1}`, ""},
			row{`{"` + r.not + `":1}`, r.code},
		)
	}
}

// An object of more names than plain keeps is judged by its tokens, and what
// is in it may be plain again.
func TestPlainInManyNames(t *testing.T) {
	var properties, members []string
	for i := range 65 {
		properties = append(properties, fmt.Sprintf("p%d: {type: object, required: [a], properties: {a: {type: integer}}}", i))
		members = append(members, fmt.Sprintf(`"p%d":{"a":%d}`, i, i))
	}
	body := `{"many":{` + strings.Join(members, ",") + "}}"
	check(t, "3.0.3", "T: {type: object, properties: {many: {type: object, properties: {"+strings.Join(properties, ", ")+"}}}}",
		row{body, ""},
		row{strings.Replace(body, `{"a":64}`, `{}`, 1), "required /many/p64/a T/properties/many/properties/p64"},
		row{strings.Replace(body, `"p64"`, `"p3"`, 1), "duplicate-name /many"},
	)
}

func TestPlainTokenLength(t *testing.T) {
	p, root := compile(t, "3.0.3", plainSchema)
	var m schema.Machine
	m.SetSecret(siphash.Key{K0: 1, K1: 2})
	for _, r := range []struct {
		most        int
		value, want string
	}{
		{4, `{"id":"a","n":1234}`, ""},
		{4, `{"id":"a","n":12345}`, "token-length /n"},
		{4, `{"id":"a","price":1234}`, "token-length /id"},
		{16, `{"id":"a","sixteen-letters-":null,"n":-12345678}`, "minimum /n T/properties/n"},
		{16, `{"id":"a","n":123456789012345,"any":-123456789012345}`, ""},
		{16, `{"id":"a","any":1234567890123456}`, ""},
		{16, `{"id":"a","any":12345678901234567}`, "token-length /any"},
		{16, `{"id":"a","any":-1234567890123456}`, "token-length /any"},
		{16, `{"id":"a","seventeen-letters":"red"}`, "token-length /id"},
	} {
		short := all
		short.MaxToken = r.most
		everySplit(buffered(r.value), func(chunks ...[]byte) {
			if got := judge(&m, p, root, short, chunks...); got != r.want {
				t.Errorf("%q\n got %s\nwant %s", chunks, got, r.want)
			}
		})
	}
}
