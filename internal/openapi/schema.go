package openapi

import (
	"strconv"
	"strings"

	"github.com/threatgate/threatgate/internal/inventory"
)

// schemaIn returns the schema that f holds. It is empty until fillSchemas
// comes to it, so schemas may refer to each other in any way, and a chain of
// them, however long, takes no stack.
func (l *loader) schemaIn(f *field) *inventory.Schema {
	switch f.value.kind {
	case object, boolean:
		return l.schema(f.value)
	case null:
		l.diags.Warnf(f.pos(), "%s is null and counts as a schema that allows everything", f.label())
	default:
		l.diags.Errorf(f.value.pos(), "%s must be a schema object, not %s", f.label(), f.value.kind)
	}
	return &inventory.Schema{Pos: f.value.pos(), Pointer: f.value.pointer(), Types: inventory.TypeAny}
}

func (l *loader) schema(n *node) *inventory.Schema {
	outer := l.scope
	defer func() { l.scope = outer }() // which is that of the schemas beside n
	l.scope = l.enter(outer, n)
	here := occurrence{n, l.scope}
	if s := l.schemas[here]; s != nil {
		return s
	}
	target := l.deref(n, schemas, func(n *node) bool {
		l.scope = l.enter(l.scope, n)
		return l.alone(n)
	})
	if target != nil && target != n {
		if s := l.referred(n.get("$ref"), target); s != nil {
			l.schemas[here] = s
			return s
		}
	}
	s := &inventory.Schema{Pos: n.pos(), Pointer: l.pointer(n), Types: inventory.TypeAny}
	if target == nil { // a reference that leads nowhere
		s.Unsupported = append(s.Unsupported, inventory.Keyword{Name: "$ref", Pos: n.get("$ref").value.pos()})
	}
	l.schemas[here] = s
	l.order = append(l.order, here)
	return s
}

// referred is the schema at the target of the reference in ref.
func (l *loader) referred(ref *field, target *node) *inventory.Schema {
	if target.kind != object && target.kind != boolean {
		l.diags.Errorf(ref.value.pos(), "the reference leads to %s, not to a schema", target.kind)
		return nil
	}
	return l.schema(target)
}

// pointer is where a schema stands. In other files than the first it begins with their name.
func (l *loader) pointer(n *node) string {
	if pos := n.pos(); pos.File != l.api.Pos.File {
		return pos.File + n.pointer()
	}
	return n.pointer()
}

// alone reports whether a schema that has a $ref is nothing but that. In
// OpenAPI 3.0 it never is more: what stands beside it is ignored.
func (l *loader) alone(n *node) bool {
	beside := siblings(n)
	if l.v31 {
		return len(beside) == 0
	}
	for _, f := range beside {
		if f.name == "default" || f.name == "deprecated" || f.name == "xml" {
			continue // nothing is judged by these, or only bodies of XML
		}
		l.diags.Warnf(f.pos(), "%q is ignored beside $ref in OpenAPI 3.0; put the reference into allOf", f.name)
	}
	return true
}

// fillSchemas reads every schema that was met, and those met on the way.
func (l *loader) fillSchemas() {
	for i := 0; i < len(l.order); i++ {
		n, s := l.order[i].node, l.schemas[l.order[i]]
		l.scope = l.order[i].scope
		if i == maxOccurrences && len(l.scopes) > 1 {
			l.diags.Errorf(n.pos(), "$dynamicAnchor makes more than %d schemas of those in the document", maxOccurrences)
			return
		}
		switch {
		case n.kind == boolean:
			allow := n.text == "true"
			s.Bool = &allow
		case n.get("$ref") == nil || l.v31:
			l.fill(s, n)
		}
	}
}

// fill reads a Schema object (OAS section 4.8.24) into s.
func (l *loader) fill(s *inventory.Schema, n *node) {
	var nullable bool
	var dynamic *inventory.Schema       // what $dynamicRef leads to
	var exclusiveMin, exclusiveMax bool // OpenAPI 3.0: the bound beside it is exclusive
	vocabularies := l.vocabularies(n)
	for i := range n.fields {
		f := &n.fields[i]
		if k, known := keywords[f.name]; known && k.vocabulary&vocabularies == 0 {
			continue
		}
		if foreign(f.name, l.v31) {
			s.Unsupported = append(s.Unsupported, inventory.Keyword{Name: f.name, Pos: f.pos()})
			continue
		}
		switch f.name {
		case "$ref":
			if f.value.kind != text {
				l.wrongKind(f, text)
				break
			}
			if target := l.follow(f, schemas); target != nil {
				s.Ref = l.referred(f, target)
			}
		case "$dynamicRef":
			dynamic = l.dynamic(f)
		case "type":
			s.Types = l.types(f)
		case "nullable":
			nullable = l.bool(f)
		case "enum":
			s.Enum = l.enum(f)
		case "const":
			v := string(f.value.appendJSON(nil))
			s.Const = &v
		case "minimum":
			s.Minimum = l.decimal(f)
		case "maximum":
			s.Maximum = l.decimal(f)
		case "exclusiveMinimum":
			exclusiveMin = l.exclusive(f, &s.ExclusiveMinimum)
		case "exclusiveMaximum":
			exclusiveMax = l.exclusive(f, &s.ExclusiveMaximum)
		case "multipleOf":
			s.MultipleOf = l.multipleOf(f)
		case "minLength":
			s.MinLength = l.size(f)
		case "maxLength":
			s.MaxLength = l.size(f)
		case "minItems":
			s.MinItems = l.size(f)
		case "maxItems":
			s.MaxItems = l.size(f)
		case "minProperties":
			s.MinProperties = l.size(f)
		case "maxProperties":
			s.MaxProperties = l.size(f)
		case "minContains":
			s.MinContains = l.size(f)
		case "maxContains":
			s.MaxContains = l.size(f)
		case "pattern":
			if l.is(f, text) {
				s.Pattern = &inventory.Pattern{Source: f.value.text, Pos: f.value.pos()}
			}
		case "format":
			s.Format = l.text(f)
		case "contentEncoding":
			s.ContentEncoding = l.text(f)
		case "contentMediaType":
			s.ContentMediaType = l.text(f)
		case "uniqueItems":
			s.UniqueItems = l.bool(f)
		case "items":
			s.Items = l.schemaIn(f)
		case "prefixItems":
			s.PrefixItems = l.schemaList(f)
		case "contains":
			s.Contains = l.schemaIn(f)
		case "properties":
			s.Properties = l.properties(f)
		case "patternProperties":
			for _, p := range l.properties(f) {
				s.PatternProperties = append(s.PatternProperties, inventory.PatternProperty{
					Pattern: inventory.Pattern{Source: p.Name, Pos: p.Pos}, Schema: p.Schema,
				})
			}
		case "additionalProperties":
			s.AdditionalProperties = l.schemaIn(f)
		case "propertyNames":
			s.PropertyNames = l.schemaIn(f)
		case "required":
			s.Required = l.texts(f)
		case "dependentRequired":
			members := l.members(f)
			for i := range members {
				s.DependentRequired = append(s.DependentRequired, l.dependent(&members[i]))
			}
		case "dependentSchemas":
			s.DependentSchemas = append(s.DependentSchemas, l.properties(f)...)
		case "dependencies":
			l.dependencies(s, f)
		case "allOf":
			s.AllOf = l.schemaList(f)
		case "anyOf":
			s.AnyOf = l.schemaList(f)
		case "oneOf":
			s.OneOf = l.schemaList(f)
		case "not":
			s.Not = l.schemaIn(f)
		case "if":
			s.If = l.schemaIn(f)
		case "then":
			s.Then = l.schemaIn(f)
		case "else":
			s.Else = l.schemaIn(f)
		case "unevaluatedItems":
			s.UnevaluatedItems = l.schemaIn(f)
		case "unevaluatedProperties":
			s.UnevaluatedProperties = l.schemaIn(f)
		case "readOnly":
			s.ReadOnly = l.bool(f)
		case "writeOnly":
			s.WriteOnly = l.bool(f)
		case "discriminator":
			s.Discriminator = l.discriminator(f, n)
		case "xml":
			s.XML = l.xml(f)
		case "deprecated":
			s.Deprecated = l.bool(f)
		case "default":
			s.HasDefault = true
		default:
			l.misspelt(f)
		}
	}
	if dynamic != nil {
		s.AllOf = append(s.AllOf, dynamic)
	}
	s.Classification = l.classification(n)
	if exclusiveMin {
		s.Minimum, s.ExclusiveMinimum = "", s.Minimum
	}
	if exclusiveMax {
		s.Maximum, s.ExclusiveMaximum = "", s.Maximum
	}
	if nullable {
		s.Types |= inventory.TypeNull // nothing new for a schema without types (OAS 3.0.3, proposal 2019-10-31)
	}
	l.checkEnum(s, n)
}

func (l *loader) schemaList(f *field) []*inventory.Schema {
	var out []*inventory.Schema
	elements := l.elements(f)
	for i := range elements {
		out = append(out, l.schemaIn(&elements[i]))
	}
	return out
}

func (l *loader) properties(f *field) []inventory.Property {
	var out []inventory.Property
	members := l.members(f)
	for i := range members {
		f := &members[i]
		out = append(out, inventory.Property{Name: f.name, Schema: l.schemaIn(f), Pos: f.pos()})
	}
	return out
}

func (l *loader) dependent(f *field) inventory.DependentRequired {
	return inventory.DependentRequired{Name: f.name, Names: l.texts(f)}
}

// dependencies reads what is now dependentRequired and dependentSchemas (JSON
// Schema draft 7, section 6.5.7).
func (l *loader) dependencies(s *inventory.Schema, f *field) {
	members := l.members(f)
	for i := range members {
		if f := &members[i]; f.value.kind == array {
			s.DependentRequired = append(s.DependentRequired, l.dependent(f))
		} else {
			s.DependentSchemas = append(s.DependentSchemas, inventory.Property{Name: f.name, Schema: l.schemaIn(f), Pos: f.pos()})
		}
	}
}

// types reads a type or an array of types.
func (l *loader) types(f *field) inventory.TypeSet {
	if f.value.kind == text {
		return l.typeNamed(f)
	}
	if f.value.kind != array {
		l.wrongKind(f, text)
		return inventory.TypeAny
	}
	if !l.v31 {
		l.diags.Warnf(f.value.pos(), "a list of types is OpenAPI 3.1; it is understood all the same")
	}
	var set inventory.TypeSet
	for i := range f.value.fields {
		switch e := &f.value.fields[i]; {
		case e.value.kind == null:
			l.diags.Warnf(e.value.pos(), `null must be written "null" here; it is understood all the same`)
			set |= inventory.TypeNull
		case l.is(e, text):
			set |= l.typeNamed(e)
		}
	}
	return set
}

func (l *loader) typeNamed(f *field) inventory.TypeSet {
	switch f.value.text {
	case "null":
		if !l.v31 && f.value.parent.kind == object {
			l.diags.Warnf(f.value.pos(), "type null is OpenAPI 3.1; it is understood all the same")
		}
		return inventory.TypeNull
	case "boolean":
		return inventory.TypeBoolean
	case "integer":
		return inventory.TypeInteger
	case "number":
		return inventory.TypeNumber
	case "string":
		return inventory.TypeString
	case "array":
		return inventory.TypeArray
	case "object":
		return inventory.TypeObject
	}
	l.diags.Errorf(f.value.pos(), "%q is not a type", f.value.text)
	return inventory.TypeAny
}

func (l *loader) enum(f *field) []string {
	elements := l.elements(f)
	out := make([]string, 0, len(elements)) // not nil: an empty enum allows nothing
	for _, e := range elements {
		out = append(out, string(e.value.appendJSON(nil)))
	}
	return out
}

// checkEnum warns of values that the type rules out: "enum: [1, 2]" of strings
// is what a YAML writer means by ["1", "2"], and allows nothing.
func (l *loader) checkEnum(s *inventory.Schema, n *node) {
	if s.Enum == nil || s.Types == inventory.TypeAny {
		return
	}
	for _, e := range n.get("enum").value.fields {
		types := [...]inventory.TypeSet{
			null:    inventory.TypeNull,
			boolean: inventory.TypeBoolean,
			number:  inventory.TypeInteger | inventory.TypeNumber,
			text:    inventory.TypeString,
			array:   inventory.TypeArray,
			object:  inventory.TypeObject,
		}
		if s.Types&types[e.value.kind] == 0 {
			l.diags.Warnf(e.value.pos(), "enum has %s, which the type rules out", e.value.kind)
		}
	}
}

// decimal is a number as written.
func (l *loader) decimal(f *field) inventory.Decimal {
	if l.is(f, number) {
		return inventory.Decimal(f.value.text)
	}
	return ""
}

// multipleOf is a decimal above zero.
func (l *loader) multipleOf(f *field) inventory.Decimal {
	d := l.decimal(f)
	mantissa, _, _ := strings.Cut(strings.ToLower(string(d)), "e")
	if d != "" && (mantissa[0] == '-' || strings.Trim(mantissa, "0.") == "") {
		l.diags.Errorf(f.value.pos(), `"multipleOf" must be greater than 0`)
		return ""
	}
	return d
}

// size is a count: 3, and also 3.0.
func (l *loader) size(f *field) *uint64 {
	if !l.is(f, number) {
		return nil
	}
	whole, fraction, _ := strings.Cut(f.value.text, ".")
	u, err := strconv.ParseUint(whole, 10, 64)
	if err != nil || strings.Trim(fraction, "0") != "" {
		l.diags.Errorf(f.value.pos(), "%q must be a whole number from 0 to 2^64-1, not %s", f.name, f.value.text)
		return nil
	}
	return &u
}

// exclusive reads an exclusive bound, which is a number in OpenAPI 3.1 and in
// 3.0 a boolean about the bound beside it. Either is understood in both.
func (l *loader) exclusive(f *field, bound *inventory.Decimal) (besides bool) {
	isFlag := f.value.kind == boolean
	if isFlag == l.v31 {
		l.diags.Warnf(f.value.pos(), "%q is %s in this version of OpenAPI; it is understood all the same",
			f.name, map[bool]kind{false: boolean, true: number}[l.v31])
	}
	if !isFlag {
		*bound = l.decimal(f)
	}
	return isFlag && f.value.text == "true"
}
