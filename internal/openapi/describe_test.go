package openapi

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/threatgate/threatgate/internal/inventory"
)

// describe writes everything that a schema says, in one line: its types (none
// for any), then its keywords in the order of inventory.Schema. A schema that
// is being described already is written as its pointer.
func describe(s *inventory.Schema) string {
	d := describer{open: map[*inventory.Schema]bool{}}
	return d.schema(s)
}

type describer struct{ open map[*inventory.Schema]bool }

func (d describer) schema(s *inventory.Schema) string {
	switch {
	case s == nil:
		return "nil"
	case s.Bool != nil:
		return strconv.FormatBool(*s.Bool)
	case d.open[s]:
		return s.Pointer
	}
	d.open[s] = true
	defer delete(d.open, s)

	var out []string
	say := func(name string, value any, present bool) {
		if present {
			out = append(out, fmt.Sprintf("%s=%v", name, value))
		}
	}
	flag := func(name string, set bool) {
		if set {
			out = append(out, name)
		}
	}
	size := func(name string, v *uint64) {
		if v != nil {
			say(name, *v, true)
		}
	}
	sub := func(name string, v *inventory.Schema) {
		if v != nil {
			say(name, "("+d.schema(v)+")", true)
		}
	}
	list := func(name string, v []*inventory.Schema) {
		var all []string
		for _, s := range v {
			all = append(all, "("+d.schema(s)+")")
		}
		say(name, strings.Join(all, ""), v != nil)
	}
	named := func(name string, v []inventory.Property) {
		for _, p := range v {
			sub(name+"."+p.Name, p.Schema)
		}
	}

	if s.Types != inventory.TypeAny {
		out = append(out, types(s.Types))
	}
	say("enum", s.Enum, s.Enum != nil)
	if s.Const != nil {
		say("const", *s.Const, true)
	}
	say("min", s.Minimum, s.Minimum != "")
	say("max", s.Maximum, s.Maximum != "")
	say("xmin", s.ExclusiveMinimum, s.ExclusiveMinimum != "")
	say("xmax", s.ExclusiveMaximum, s.ExclusiveMaximum != "")
	say("multiple", s.MultipleOf, s.MultipleOf != "")
	size("minLength", s.MinLength)
	size("maxLength", s.MaxLength)
	if s.Pattern != nil {
		say("pattern", s.Pattern.Source, true)
	}
	say("format", s.Format, s.Format != "")
	say("encoding", s.ContentEncoding, s.ContentEncoding != "")
	say("media", s.ContentMediaType, s.ContentMediaType != "")
	sub("items", s.Items)
	list("prefix", s.PrefixItems)
	sub("contains", s.Contains)
	size("minContains", s.MinContains)
	size("maxContains", s.MaxContains)
	size("minItems", s.MinItems)
	size("maxItems", s.MaxItems)
	flag("unique", s.UniqueItems)
	named("property", s.Properties)
	for _, p := range s.PatternProperties {
		sub("pattern."+p.Pattern.Source, p.Schema)
	}
	sub("additional", s.AdditionalProperties)
	sub("names", s.PropertyNames)
	say("required", s.Required, s.Required != nil)
	size("minProperties", s.MinProperties)
	size("maxProperties", s.MaxProperties)
	for _, r := range s.DependentRequired {
		say("dependent."+r.Name, r.Names, true)
	}
	named("dependent", s.DependentSchemas)
	list("allOf", s.AllOf)
	list("anyOf", s.AnyOf)
	list("oneOf", s.OneOf)
	sub("not", s.Not)
	sub("if", s.If)
	sub("then", s.Then)
	sub("else", s.Else)
	sub("ref", s.Ref)
	if s.Discriminator != nil {
		for _, m := range s.Discriminator.Mapping {
			out = append(out, fmt.Sprintf("%s:%s->%s", s.Discriminator.Property, m.Value, m.Schema.Pointer))
		}
	}
	sub("unevaluatedItems", s.UnevaluatedItems)
	sub("unevaluatedProperties", s.UnevaluatedProperties)
	flag("readOnly", s.ReadOnly)
	flag("writeOnly", s.WriteOnly)
	flag("deprecated", s.Deprecated)
	flag("default", s.HasDefault)
	if c := s.Classification; c != nil {
		say("class", c.Category+"/"+c.Sensitivity+"@"+c.Pos.String(), true)
	}
	for _, k := range s.Unsupported {
		out = append(out, fmt.Sprintf("unsupported:%s@%s", k.Name, k.Pos))
	}
	return strings.Join(out, " ")
}

func types(set inventory.TypeSet) string {
	var names []string
	for i, name := range []string{"null", "boolean", "integer", "number", "string", "array", "object"} {
		if set&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, "|")
}
