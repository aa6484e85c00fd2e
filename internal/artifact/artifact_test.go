package artifact_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"reflect"
	"strings"
	"testing"

	"github.com/threatgate/threatgate/internal/artifact"
	compiler "github.com/threatgate/threatgate/internal/compile/schema"
	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/enforce/schema"
	"github.com/threatgate/threatgate/internal/inventory"
	"github.com/threatgate/threatgate/internal/openapi"
	"github.com/threatgate/threatgate/internal/violation"
)

// Records are read and written as the memory they are, so none may hold a
// pointer, or bytes that belong to no field.
func TestRecordsAreFlat(t *testing.T) {
	records := 0
	for _, of := range []any{artifact.Bundle{}, artifact.Program{}} {
		for _, section := range reflect.VisibleFields(reflect.TypeOf(of)) {
			switch record := section.Type; {
			case record == reflect.TypeFor[string](), record == reflect.TypeFor[artifact.Program]():
			case record.Kind() == reflect.Slice:
				isFlat(t, section.Name, record.Elem())
				records++
			default:
				isFlat(t, section.Name, record)
				records++
			}
		}
	}
	if records < 42 {
		t.Errorf("%d sections were looked at, want at least 42", records)
	}
}

func isFlat(t *testing.T, path string, record reflect.Type) {
	switch record.Kind() {
	case reflect.Struct:
		end := uintptr(0)
		for i := range record.NumField() {
			field := record.Field(i)
			if field.Offset != end {
				t.Errorf("%s.%s: %d bytes before it belong to no field", path, field.Name, field.Offset-end)
			}
			end = field.Offset + field.Type.Size()
			isFlat(t, path+"."+field.Name, field.Type)
		}
		if end != record.Size() {
			t.Errorf("%s: the last %d bytes belong to no field", path, record.Size()-end)
		}
	case reflect.Array:
		isFlat(t, path, record.Elem())
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Int32, reflect.Int64:
	default:
		t.Errorf("%s is a %s", path, record.Kind())
	}
}

// specification uses every kind of record that a program has.
const specification = `
openapi: 3.1.0
info: {title: t, version: "1"}
paths: {/: {post: {requestBody: {content: {application/json: {schema: {$ref: "#/components/schemas/T"}}}}, responses: {}}}}
components:
  schemas:
    T:
      type: object
      required: [id]
      properties:
        id: {type: string, pattern: "^[a-z]+$", maxLength: 8}
        when: {format: date-time}
        link: {format: byte}
        host: {format: idn-hostname}
        n: {type: integer, minimum: -5, maximum: 3.5e2, multipleOf: 0.5}
        colour: {enum: [red, green, 1, 2.5, null, true]}
        pair: {const: {a: [1, 2]}}
        list: {type: array, prefixItems: [{type: string}], items: {type: integer}, contains: {const: 1}, uniqueItems: true, minItems: 1}
        next: {$ref: "#/components/schemas/T"}
        pet: {oneOf: [{$ref: "#/components/schemas/Cat"}, {$ref: "#/components/schemas/Dog"}], discriminator: {propertyName: kind}}
        other: {anyOf: [{type: integer}, {not: {type: string}}], if: {type: integer}, then: {minimum: 1}, else: {maxItems: 1}}
      patternProperties: {"^x-": {type: boolean}}
      propertyNames: {maxLength: 10}
      dependentRequired: {n: [colour]}
      dependentSchemas: {list: {required: [n]}}
      unevaluatedProperties: {type: integer}
    Cat: {type: object, properties: {kind: {type: string}, lives: {type: integer}}, additionalProperties: false}
    Dog: {type: object, properties: {kind: {type: string}}, required: [kind]}
`

var values = []string{
	`{"id":"abc","when":"2020-02-29T00:00:00Z","link":"AAAA","host":"xn--9n2bp8q.·","n":1.5,"colour":2.5,"pair":{"a":[1,2]},"list":["x",1,2],"x-a":true,"more":7}`,
	`{"id":"ABC","when":"x","link":"?","n":1e9,"colour":"blue","pair":{"a":[1]},"list":[1,1,1],"x-a":1,"more":"7"}`,
	`{"id":"a","next":{"id":"b","next":{"pet":{"kind":"Cat","lives":9}}},"pet":{"kind":"Dog"},"other":[1,{"a":"b"}]}`,
	`{"pet":{"lives":true,"kind":"Bird"},"other":"text","a name that is too long":1}`,
	`[[[{"a":[]}]],"text",1.5e-3,true,null]`,
	`"text"`, `17`, `null`, `tru`,
}

func bundle(t testing.TB) *artifact.Bundle {
	var diags diag.List
	api, _ := openapi.LoadBytes([]byte(specification), "t.yaml", &diags)
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	c := compiler.New(&diags)
	root := c.Root(bodySchema(api), compiler.Request)
	b := &artifact.Bundle{
		Revision:   "0123456789abcdef",
		Meta:       artifact.Meta{API: artifact.Text{Len: 3}, MaxDepth: 16, MaxToken: 64, MaxRecords: 1},
		Text:       []byte("api" + "/x" + "POST" + "application/json"),
		Nodes:      []artifact.Node{{Literals: artifact.Range{Len: 1}}, {Methods: artifact.Range{Len: 1}}},
		Literals:   []artifact.Literal{{Text: artifact.Text{Off: 3, Len: 2}, Node: 1}},
		Methods:    []artifact.Method{{Name: artifact.Text{Off: 5, Len: 4}}},
		Operations: []artifact.Operation{{Media: artifact.Range{Len: 2}, Threats: artifact.Range{Len: 1}, Responses: artifact.Range{Len: 1}}},
		Parameters: []artifact.Parameter{{Name: artifact.Text{Off: 3, Len: 2}, Root: root, Place: violation.InResponseHeader}},
		Responses:  []artifact.Response{{Media: artifact.Range{Len: 1}, Headers: artifact.Range{Len: 1}, Last: 999}},
		Fields:     []artifact.Field{{Name: artifact.Text{Len: 3}, Shape: artifact.ShapeFile, Array: 1}},
		Media: []artifact.Media{
			{Type: artifact.Text{Off: 9, Len: 16}, Root: root, Kind: artifact.MediaJSON},
			{Type: artifact.Text{Off: 9, Len: 16}, Root: root, Kind: artifact.MediaMultipart, Fields: artifact.Range{Len: 1}},
		},
		Threats: []artifact.Threat{{Code: violation.Pattern}},
		Program: c.Program(),
	}
	b.Program.CodePoints = b.Program.CodePoints[:16] // one damaged run is like another
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	return b
}

func bodySchema(api *inventory.API) *inventory.Schema {
	return api.Operations[0].Body.Content[0].Schema
}

func TestEveryKindOfRecordIsThere(t *testing.T) {
	program := reflect.ValueOf(bundle(t).Program)
	for _, section := range reflect.VisibleFields(program.Type()) {
		if program.FieldByIndex(section.Index).Len() == 0 {
			t.Errorf("%s is empty", section.Name)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	b := bundle(t)
	encoded := b.Encode()
	decoded, err := artifact.Decode(encoded)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(decoded, b) {
		t.Errorf("decoded %+v\nwant %+v", decoded, b)
	}
	if !bytes.Equal(decoded.Encode(), encoded) {
		t.Error("encoding what was decoded gives other bytes")
	}
	if again := bundle(t).Encode(); !bytes.Equal(again, encoded) {
		t.Error("compiling twice gives other bytes")
	}
	unaligned := append(make([]byte, 1, len(encoded)+1), encoded...)[1:]
	if decoded, err := artifact.Decode(unaligned); err != nil || !reflect.DeepEqual(decoded, b) {
		t.Errorf("unaligned: %v", err)
	}
	artifact.SetRevision(encoded, "fedcba9876543210")
	if decoded, err := artifact.Decode(encoded); err != nil || decoded.Revision != "fedcba9876543210" {
		t.Errorf("with another revision: %v", err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	good := bundle(t).Encode()
	change := func(at int, to byte) []byte {
		b := bytes.Clone(good)
		b[at] = to
		return b
	}
	for _, test := range []struct {
		name string
		data []byte
		want error
	}{
		{"nothing", nil, artifact.ErrNotABundle},
		{"text", []byte(strings.Repeat("x", 100)), artifact.ErrNotABundle},
		{"another version", change(4, 99), artifact.ErrVersion},
		{"cut short", good[:len(good)-1], artifact.ErrTruncated},
		{"too long", append(bytes.Clone(good), 0), artifact.ErrTruncated},
		{"a flipped bit", change(len(good)-1, good[len(good)-1]^1), artifact.ErrChecksum},
		{"another number of sections", change(12, 3), artifact.ErrSections},
		{"a section elsewhere", repaired(change(48, 1)), artifact.ErrSections},
	} {
		if _, err := artifact.Decode(test.data); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
	}
}

// repaired gives an encoded bundle the checksum that it should have.
func repaired(b []byte) []byte {
	if len(b) >= 48 {
		binary.LittleEndian.PutUint32(b[40:], crc32.Checksum(b[48:], crc32.MakeTable(crc32.Castagnoli)))
	}
	return b
}

// run judges values by every schema of a program that was decoded, whatever
// it says. It is enough that this ends.
func run(m *schema.Machine, b *artifact.Bundle) {
	for root := range min(len(b.Program.Schemas), 100) + 1 {
		for _, value := range values {
			m.Start(&b.Program, artifact.Ref(root), schema.Options{MaxDepth: 16, MaxToken: 64, MaxViolations: 10})
			half := len(value) / 2
			m.Write([]byte(value[:half]))
			m.Write([]byte(value[half:]))
			m.End()
			m.Violations()
		}
	}
}

func TestNoCorruptionPanics(t *testing.T) {
	good := bundle(t).Encode()
	damaged := make([]byte, len(good))
	var m schema.Machine
	decoded, refused := 0, 0
	for i := 48; i < len(good); i++ {
		for _, value := range []byte{0, good[i] + 1, 0xff} {
			if value == good[i] {
				continue
			}
			copy(damaged, good)
			damaged[i] = value
			if _, err := artifact.Decode(damaged); err == nil {
				t.Fatalf("byte %d is %#x, which goes unnoticed", i, value)
			}
			b, err := artifact.Decode(repaired(damaged))
			if err != nil {
				refused++
				continue
			}
			decoded++
			if i%4 == 0 {
				run(&m, b)
			}
		}
	}
	t.Logf("%d bytes: %d damaged bundles decoded, %d refused", len(good), decoded, refused)
	if decoded == 0 || refused == 0 {
		t.Error("want some of each")
	}
}

// FuzzDecode: what decodes encodes to the same bytes, and judging by it ends.
func FuzzDecode(f *testing.F) {
	f.Add(bundle(f).Encode())
	f.Add((&artifact.Bundle{Meta: artifact.Meta{MaxDepth: 1, MaxRecords: 1}, Nodes: make([]artifact.Node, 1)}).Encode())
	var m schema.Machine
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := artifact.Decode(repaired(bytes.Clone(data)))
		if err != nil {
			return
		}
		if again, err := artifact.Decode(b.Encode()); err != nil || !reflect.DeepEqual(again, b) {
			t.Errorf("encoding what was decoded gives another bundle: %v", err)
		}
		run(&m, b)
	})
}
