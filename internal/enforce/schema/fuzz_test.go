package schema_test

import (
	"math/rand/v2"
	"testing"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/enforce/schema"
)

// everything has every keyword in some place, and itself in most.
const everything = `
T:
  anyOf:
  - $ref: "#/components/schemas/Object"
  - {type: array, prefixItems: [{type: string}], items: {$ref: "#/components/schemas/T"}, contains: {type: integer}, uniqueItems: true, maxItems: 4}
  - {type: string, pattern: "^[a-zé]*$", maxLength: 6, enum: [a, b, é, abcdef]}
  - {type: number, minimum: -1.5, multipleOf: 0.5}
  - {const: {a: [1, null]}}
  - {type: "null"}
Object:
  type: object
  required: [a]
  properties: {a: {$ref: "#/components/schemas/T"}, when: {type: string, format: date-time}, kind: {type: string}}
  patternProperties: {"^x": {type: integer}}
  propertyNames: {maxLength: 5}
  dependentRequired: {kind: [a]}
  dependentSchemas: {x: {required: [kind]}}
  if: {properties: {kind: {const: b}}, required: [kind]}
  then: {properties: {b: {type: string}}}
  else: {properties: {c: {oneOf: [{type: integer}, {minimum: 3}]}}}
  not: {required: [no]}
  unevaluatedProperties: {type: boolean}
`

// FuzzChunking: where the chunks end, and what is in memory behind them,
// makes no difference to what is found. Of single bytes nothing is plain.
func FuzzChunking(f *testing.F) {
	for _, seed := range []string{
		`{"a":{"a":"b","when":"2020-01-01T00:00:00Z"},"kind":"b","b":"x"}`,
		`{"a":["é",1,{"a":null}],"c":5,"x":1,"kind":"a","q":true}`,
		`["\u0061bc",1.5,2e0,[1],{"a":[1,null]}]`,
		`{"no":1,"a":1,"toolong":1,"a":2}`,
		`{"id":"a","n":-1,"price":2.25,"on":true,"any":null,"list":[1,2],"rows":[[],[{"id":"b"},{"id":"c"}]],"few":{"x":1},"closed":{}}`,
		"{ \"list\": [ 1, 20 ],\n\t\"self\": {\n \"id\": \"b\", \"n\": 12345678901 }, \"closed\":{\"a\":0}}",
	} {
		f.Add([]byte(seed), uint64(1))
	}
	type program struct {
		program *artifact.Program
		root    artifact.Ref
	}
	var programs [2]program
	programs[0].program, programs[0].root = compile(f, "3.1.0", everything)
	programs[1].program, programs[1].root = compile(f, "3.0.3", plainSchema)
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		random := rand.New(rand.NewPCG(seed, 0))
		var chunks, bytes [][]byte
		for rest := buffered(string(data)); len(rest) > 0; {
			n := 1 + random.IntN(len(rest))
			chunks = append(chunks, rest[:n])
			rest = rest[n:]
		}
		for i := range data {
			bytes = append(bytes, data[i:i+1])
		}
		var m schema.Machine
		for _, p := range programs {
			for _, o := range []schema.Options{all, {MaxDepth: 4, MaxToken: 16, FailFast: true, MaxViolations: 1}} {
				whole := judge(&m, p.program, p.root, o, data)
				for _, cut := range [][][]byte{chunks, bytes, {buffered(string(data))}} {
					if got := judge(&m, p.program, p.root, o, cut...); got != whole {
						t.Fatalf("%q:\n got %s\nwant %s", cut, got, whole)
					}
				}
			}
		}
	})
}
