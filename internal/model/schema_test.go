package model

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/threatgate/threatgate/internal/diag"
)

// publishedSchema is the part of JSON Schema that the published schema uses.
type publishedSchema struct {
	Schema               string `json:"$schema"`
	ID                   string `json:"$id"`
	Title, Description   string
	Ref                  string `json:"$ref"`
	Type                 any
	Enum                 []string
	Pattern              string
	Minimum, Maximum     *uint64
	MinLength, MinItems  uint64
	Required             []string
	Properties           map[string]*publishedSchema
	AdditionalProperties json.RawMessage
	Items                *publishedSchema
	AnyOf                []*publishedSchema
	Defs                 map[string]*publishedSchema `json:"$defs"`
}

func readSchema(t *testing.T) *publishedSchema {
	t.Helper()
	data, err := os.ReadFile("../../docs/threatmodel.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var root publishedSchema
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&root); err != nil {
		t.Fatal(err)
	}
	return &root
}

// scalarDefinitions are where the schema defines scalars, by their type.
var scalarDefinitions = map[reflect.Type]string{
	reflect.TypeFor[string]():     "text",
	reflect.TypeFor[identifier](): "identifier",
	reflect.TypeFor[count]():      "count",
	reflect.TypeFor[size]():       "size",
	reflect.TypeFor[rate]():       "rate",
	reflect.TypeFor[date]():       "date",
	reflect.TypeFor[listen]():     "listen",
	reflect.TypeFor[upstream]():   "upstream",
	reflect.TypeFor[remote]():     "remote",
	reflect.TypeFor[parameter]():  "parameter",
}

// TestSchema: the published schema and the decoder know the same fields, of
// the same types, with the same words, the same ones of them required.
func TestSchema(t *testing.T) {
	root := readSchema(t)
	c := comparison{t: t, defs: root.Defs, used: map[string]bool{}}
	c.value("document", root, reflect.TypeFor[document](), "")
	for name := range root.Defs {
		if !c.used[name] {
			t.Errorf("nothing uses #/$defs/%s", name)
		}
	}
	if c.fields < 70 {
		t.Errorf("only %d fields were compared", c.fields)
	}
}

type comparison struct {
	t      *testing.T
	defs   map[string]*publishedSchema
	used   map[string]bool
	fields int
}

func (c *comparison) value(path string, s *publishedSchema, typ reflect.Type, tag reflect.StructTag) {
	ref := ""
	if s.Ref != "" {
		ref = strings.TrimPrefix(s.Ref, "#/$defs/")
		c.used[ref] = true
		if s = c.defs[ref]; s == nil {
			c.t.Errorf("%s: nothing at #/$defs/%s", path, ref)
			return
		}
	}
	if _, ok := reflect.New(typ).Interface().(interface{ cell() (any, *diag.Pos) }); ok {
		c.scalar(path, s, ref, typ.Field(0).Type, strings.Fields(tag.Get("one")))
		return
	}
	if word := tag.Get("or"); word != "" {
		if len(s.AnyOf) != 2 || !slices.Equal(s.AnyOf[0].Enum, []string{word}) {
			c.t.Errorf("%s: want a choice between %q and an object", path, word)
			return
		}
		s = s.AnyOf[1]
	}
	switch typ.Kind() {
	case reflect.Slice:
		if c.is(path, s, "array"); s.Items != nil {
			c.value(path+"[]", s.Items, typ.Elem(), "")
		}
	case reflect.Map:
		c.is(path, s, "object")
		var item publishedSchema
		if err := json.Unmarshal(s.AdditionalProperties, &item); err != nil {
			c.t.Errorf("%s: additionalProperties: %v", path, err)
			return
		}
		c.value(path+".*", &item, typ.Elem(), "")
	case reflect.Struct:
		c.is(path, s, "object")
		if string(s.AdditionalProperties) != "false" {
			c.t.Errorf("%s: additionalProperties isn't false", path)
		}
		var names, required []string
		for i := range typ.NumField() {
			name, must, ok := fieldTag(typ.Field(i))
			if !ok {
				continue
			}
			c.fields++
			names = append(names, name)
			if must {
				required = append(required, name)
			}
			if property := s.Properties[name]; property != nil {
				c.value(path+"."+name, property, typ.Field(i).Type, typ.Field(i).Tag)
			}
		}
		if slices.Sort(names); !slices.Equal(names, keys(s.Properties)) {
			c.t.Errorf("%s: the decoder knows %q, the schema %q", path, names, keys(s.Properties))
		}
		if !slices.Equal(required, s.Required) {
			c.t.Errorf("%s: the decoder requires %q, the schema %q", path, required, s.Required)
		}
	}
}

func (c *comparison) scalar(path string, s *publishedSchema, ref string, typ reflect.Type, words []string) {
	switch {
	case len(words) > 0:
		if c.is(path, s, "string"); !slices.Equal(words, s.Enum) {
			c.t.Errorf("%s: the decoder knows %q, the schema %q", path, words, s.Enum)
		}
	case typ.Kind() == reflect.Bool:
		c.is(path, s, "boolean")
	case typ == reflect.TypeFor[trust]():
		c.is(path, s, "integer")
	case scalarDefinitions[typ] != ref:
		c.t.Errorf("%s: is %q in the schema, %q in the decoder", path, ref, scalarDefinitions[typ])
	}
}

func (c *comparison) is(path string, s *publishedSchema, typ string) {
	if s.Type != typ {
		c.t.Errorf("%s: is %v in the schema, %s in the decoder", path, s.Type, typ)
	}
}

// TestSchemaPatterns: the schema and the decoder accept the same scalars,
// apart from those that no pattern can tell.
func TestSchemaPatterns(t *testing.T) {
	root := readSchema(t)
	accepts := func(v any, text string) bool {
		typ := reflect.TypeOf(v)
		if typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		s := root.Defs[scalarDefinitions[typ]]
		if typ == reflect.TypeFor[trust]() {
			s = root.Defs["trustZone"].Properties["trust"]
		}
		if s.Pattern != "" {
			return regexp.MustCompile(s.Pattern).MatchString(text)
		}
		var n uint64
		err := json.Unmarshal([]byte(text), &n)
		return err == nil && *s.Minimum <= n && n <= *s.Maximum
	}
	for _, test := range scalarTests {
		v, want := test.want, true
		if v == nil {
			v, want = test.zero, false
		}
		if got := accepts(v, test.text); got != want {
			t.Errorf("%q as %T: the schema accepts: %t, the decoder: %t", test.text, v, got, want)
		}
	}
	for _, test := range beyondPatterns {
		if !accepts(test.zero, test.text) {
			t.Errorf("%q as %T: the schema can tell", test.text, test.zero)
		}
	}
}

// TestShopUsesEveryField: the example says everything that can be said.
func TestShopUsesEveryField(t *testing.T) {
	data, err := os.ReadFile("testdata/shop.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	var visit func(n *yaml.Node, typ reflect.Type)
	visit = func(n *yaml.Node, typ reflect.Type) {
		switch {
		case n.Kind == yaml.SequenceNode:
			for _, item := range n.Content {
				visit(item, typ.Elem())
			}
		case n.Kind == yaml.MappingNode && typ.Kind() == reflect.Map:
			for i := 1; i < len(n.Content); i += 2 {
				visit(n.Content[i], typ.Elem())
			}
		case n.Kind == yaml.MappingNode:
			for i := range typ.NumField() {
				for j := 0; j < len(n.Content); j += 2 {
					if name, _, ok := fieldTag(typ.Field(i)); ok && n.Content[j].Value == name {
						used[fmt.Sprintf("%s.%s", typ.Name(), name)] = true
						visit(n.Content[j+1], typ.Field(i).Type)
					}
				}
			}
		}
	}
	visit(doc.Content[0], reflect.TypeFor[document]())

	var every func(typ reflect.Type)
	every = func(typ reflect.Type) {
		switch typ.Kind() {
		case reflect.Slice, reflect.Map:
			every(typ.Elem())
		case reflect.Struct:
			for i := range typ.NumField() {
				if name, _, ok := fieldTag(typ.Field(i)); ok {
					if !used[fmt.Sprintf("%s.%s", typ.Name(), name)] {
						t.Errorf("testdata/shop.yaml doesn't use %s of %s", name, typ.Name())
					}
					every(typ.Field(i).Type)
				}
			}
		}
	}
	every(reflect.TypeFor[document]())
}
