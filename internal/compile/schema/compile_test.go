package schema_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/compile/regex"
	"github.com/threatgate/threatgate/internal/compile/schema"
	"github.com/threatgate/threatgate/internal/diag"
	machine "github.com/threatgate/threatgate/internal/enforce/schema"
	"github.com/threatgate/threatgate/internal/inventory"
	"github.com/threatgate/threatgate/internal/violation"
)

// What can't be judged is said where it stands.
func TestDiagnostics(t *testing.T) {
	at := func(line int) diag.Pos { return diag.Pos{File: "a.yaml", Line: line, Col: 1} }
	loop := &inventory.Schema{Pos: at(1), Types: inventory.TypeAny}
	loop.AllOf = []*inventory.Schema{loop}
	choice := &inventory.Schema{Pos: at(1), Types: inventory.TypeAny}
	choice.AnyOf = []*inventory.Schema{choice, {Pos: at(2), Types: inventory.TypeString}}
	many := &inventory.Schema{Pos: at(4), Types: inventory.TypeAny}
	for range artifact.MaxTasks {
		many.AnyOf = append(many.AnyOf, &inventory.Schema{Types: inventory.TypeString})
	}
	crowd := &inventory.Schema{Pos: at(5), Types: inventory.TypeAny}
	for i := range artifact.MaxKeys {
		crowd.Required = append(crowd.Required, fmt.Sprint("name", i))
	}
	fits := *crowd
	crowd.DependentRequired = []inventory.DependentRequired{{Name: "name0", Names: []string{"another"}}}
	_, fault := regex.Compile(`(a)\1`)
	for _, test := range []struct {
		name string
		in   *inventory.Schema
		want []string
	}{
		{"a keyword", &inventory.Schema{Types: inventory.TypeAny, Unsupported: []inventory.Keyword{{Name: "contentSchema", Pos: at(2)}}},
			[]string{"a.yaml:2:1: warning: contentSchema is not enforced"}},
		{"a format", &inventory.Schema{Pos: at(1), Types: inventory.TypeAny, Format: "idn-email"}, nil},
		{"a backreference", &inventory.Schema{Types: inventory.TypeAny, Pattern: &inventory.Pattern{Source: `(a)\1`, Pos: at(3)}},
			[]string{fmt.Sprintf("a.yaml:3:1: warning: pattern %q is not enforced: %v", `(a)\1`, fault)}},
		{"a hexadecimal number", &inventory.Schema{Pos: at(1), Types: inventory.TypeAny, Minimum: "0x10"},
			[]string{`a.yaml:1:1: warning: minimum is not enforced: "0x10" is not a JSON number`}},
		{"a divisor with many digits", &inventory.Schema{Pos: at(1), Types: inventory.TypeAny, MultipleOf: "0.123456789012345678901"},
			[]string{"a.yaml:1:1: warning: multipleOf is not enforced: 0.123456789012345678901 has too many digits"}},
		{"no divisor", &inventory.Schema{Pos: at(1), Types: inventory.TypeAny, MultipleOf: "-1"},
			[]string{"a.yaml:1:1: warning: multipleOf is not enforced: -1 is not greater than 0"}},
		{"too many branches", many, []string{"a.yaml:4:1: warning: more than 512 schemas apply to the same value: a value for which all of them come into question is refused"}},
		{"too many names", crowd, []string{"a.yaml:5:1: the schema names more than 4096 properties"}},
		{"as many names as can be", &fits, nil},
		{"a loop of allOf", loop, []string{"a.yaml:1:1: the schema refers to itself: it has no meaning"}},
		{"a loop of anyOf", choice, []string{"a.yaml:1:1: the schema refers to itself: it has no meaning"}},
	} {
		var diags diag.List
		c := schema.New(&diags)
		c.Root(test.in, schema.Request)
		c.Program()
		var got []string
		for _, d := range diags.Sorted() {
			got = append(got, d.String())
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s:\n got %q\nwant %q", test.name, got, test.want)
		}
	}
}

// What can't be judged passes, is refused, or passes and is counted.
func TestUnenforceable(t *testing.T) {
	const backreference = `"pattern":"(a)\\1"`
	for _, test := range []struct{ version, schema, value, refused string }{
		{"3.1.0", `{` + backreference + `}`, `"aa"`, ""},
		{"3.1.0", `{` + backreference + `}`, `17`, "no"},
		{"3.1.0", `{"properties":{"b":{"items":{` + backreference + `}}}}`, `{"b":[1,"aa",2]}`, "/b/1"},
		{"3.1.0", `{"anyOf":[{` + backreference + `},{"type":"integer"}]}`, `"aa"`, ""},
		{"3.1.0", `{"anyOf":[{` + backreference + `},{"type":"integer"}]}`, `1`, "no"},
		{"3.1.0", `{"patternProperties":{"(a)\\1":{}},"properties":{"b":{}}}`, `{"b":1,"aa":[1]}`, "/*"},
		{"3.1.0", `{"patternProperties":{"(a)\\1":{}},"properties":{"b":{}}}`, `{"b":1}`, "no"},
		{"3.1.0", `{"multipleOf":0.123456789012345678901}`, `1`, ""},
		{"3.1.0", `{"multipleOf":0.123456789012345678901}`, `"1"`, "no"},
		{"3.0.3", `{"const":1}`, `1`, ""},
		{"3.0.3", `{"contentMediaType":"text/plain"}`, `""`, "no"},
	} {
		s := load(test.version, []byte(test.schema), nil)
		for _, code := range []violation.Code{violation.None, violation.Unenforceable, violation.Unjudged} {
			c := schema.New(nil)
			c.Unenforceable = code
			root := c.Root(s, schema.Request)
			p := c.Program()
			var m machine.Machine
			valid := judge(&m, &p, root, []byte(test.value))
			got, want := "no", test.refused
			for _, v := range m.Violations() {
				got = string(v.Pointer)
			}
			if code == violation.None {
				want = "no"
			}
			if refused := code == violation.Unenforceable && want != "no"; got != want || valid == refused {
				t.Errorf("%s, %s, %s: at %q, valid %t, want at %q, %t", test.schema, test.value, code, got, valid, want, !refused)
			}
		}
	}
}

func TestFormatsAsAnnotations(t *testing.T) {
	s := load("3.1.0", []byte(`{"format":"ipv4","items":{"format":"int32","minimum":0}}`), new(diag.List))
	for _, annotate := range []bool{false, true} {
		c := schema.New(nil)
		c.AnnotateFormats = annotate
		root := c.Root(s, schema.Request)
		p := c.Program()
		var m machine.Machine
		for value, want := range map[string]bool{`"::1"`: annotate, `[4294967296]`: annotate, `[1]`: true, `[-1]`: false} {
			if got := judge(&m, &p, root, []byte(value)); got != want {
				t.Errorf("%s, annotating %t: valid %t, want %t", value, annotate, got, want)
			}
		}
	}
}

func TestDynamicReferenceToItself(t *testing.T) {
	var diags diag.List
	compile(load("3.1.0", []byte(`{"$dynamicAnchor":"x","$dynamicRef":"#x"}`), &diags), &diags)
	const want = "test.json:8:35: the schema refers to itself: it has no meaning"
	if got := diags.Err(); got == nil || got.Error() != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestRoots(t *testing.T) {
	c := schema.New(nil)
	yes := true
	item := &inventory.Schema{Types: inventory.TypeString, ReadOnly: true}
	first := c.Root(item, schema.Request)
	if again := c.Root(item, schema.Request); again != first || first == 0 {
		t.Errorf("the same schema is %d and then %d", first, again)
	}
	for _, anything := range []*inventory.Schema{nil, {Bool: &yes}, {Types: inventory.TypeAny}} {
		if r := c.Root(anything, schema.Request); r != 0 {
			t.Errorf("a schema that says nothing is %d", r)
		}
	}
}

// allOf of plain objects costs nothing: it is one schema, without groups.
func TestAllOfIsMerged(t *testing.T) {
	var diags diag.List
	s := load("3.0.3", []byte(`{"allOf":[
		{"type":"object","required":["a"],"properties":{"a":{"type":"string","minLength":1}}},
		{"type":"object","properties":{"a":{"maxLength":5},"b":{"type":"integer"}}},
		{"minProperties":1,"allOf":[{"maxProperties":3}]}]}`), &diags)
	root, p := compile(s, &diags)
	if got := p.Schemas[root-1]; len(p.GroupsOf(&got)) != 0 || got.Rank != 0 {
		t.Errorf("%+v has groups", got)
	}
	s = load("3.0.3", []byte(`{"allOf":[{"properties":{"a":{}},"additionalProperties":false},{"properties":{"b":{}}}]}`), &diags)
	root, p = compile(s, &diags)
	var m machine.Machine
	if judge(&m, &p, root, []byte(`{"b":1}`)) || !judge(&m, &p, root, []byte(`{"a":1}`)) {
		t.Error("additionalProperties is about its own siblings only")
	}
}

func TestScalars(t *testing.T) {
	for _, test := range []struct {
		schema string
		want   artifact.Types
	}{
		{`{}`, artifact.TypeAny},
		{`{"type":"integer"}`, artifact.TypeInteger},
		{`{"type":"number","nullable":true}`, artifact.TypeInteger | artifact.TypeNumber | artifact.TypeNull},
		{`{"enum":["a",1]}`, artifact.TypeInteger | artifact.TypeNumber | artifact.TypeString},
		{`{"allOf":[{"type":"string"},{"minLength":1}]}`, artifact.TypeString},
		{`{"oneOf":[{"type":"string"},{"anyOf":[{"type":"boolean"},{"type":"array","items":{}}]}]}`, artifact.TypeString | artifact.TypeBoolean | artifact.TypeArray},
		{`{"type":"number","allOf":[{"type":"integer"}]}`, artifact.TypeInteger},
	} {
		var diags diag.List
		if got := artifact.Types(schema.Scalars(load("3.0.3", []byte(test.schema), &diags))); got != test.want {
			t.Errorf("%s: %07b, want %07b", test.schema, got, test.want)
		}
	}
	var diags diag.List
	s := load("3.0.3", []byte(`{"type":"object","properties":{"a":{"type":"string"}},"allOf":[{"properties":{"b":{"type":"array","items":{"type":"integer"}},"a":{}}}]}`), &diags)
	var got []string
	for _, p := range schema.Properties(s) {
		got = append(got, fmt.Sprintf("%s %07b %07b", p.Name, schema.Scalars(p.Schema), schema.ItemScalars(p.Schema)))
	}
	if want := []string{"a 0010000 1111111", "b 0100000 0000100"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
