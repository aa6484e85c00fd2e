package inventory

import "github.com/threatgate/threatgate/internal/diag"

// TypeSet is a set of JSON types. Integer is a number without a fractional
// part; a set with Number need not name it.
type TypeSet uint8

const (
	TypeNull TypeSet = 1 << iota
	TypeBoolean
	TypeInteger
	TypeNumber
	TypeString
	TypeArray
	TypeObject

	// TypeAny is every type; a schema that names none has it.
	TypeAny = TypeNull | TypeBoolean | TypeInteger | TypeNumber | TypeString | TypeArray | TypeObject
)

// Decimal is a number exactly as the document writes it ("9223372036854775807",
// "0.1", "1e3"); "" means absent. Documents keep it as text because a float64
// can't hold an int64's bounds.
type Decimal string

// Schema is one schema object of any OpenAPI dialect, in the vocabulary of
// JSON Schema 2020-12: a loader turns OpenAPI 3.0's nullable into a type,
// and its boolean exclusiveMinimum and exclusiveMaximum into numbers.
//
// References are resolved: Ref points at the very node the reference names,
// so a recursive schema is a cyclic graph. A reference without siblings is
// represented by its target. The target of a $dynamicRef is a member of AllOf,
// and a schema that is reached in several dynamic scopes is there for each.
type Schema struct {
	Pos     diag.Pos
	Pointer string // where it stands: "#/components/schemas/Order/properties/id"

	Bool *bool // a boolean schema, true or false; nothing else is set then

	Types TypeSet  // TypeAny if the document names none
	Enum  []string // each a JSON text, numbers as written; nil if absent
	Const *string  // a JSON text

	Minimum, Maximum                   Decimal
	ExclusiveMinimum, ExclusiveMaximum Decimal
	MultipleOf                         Decimal

	MinLength, MaxLength *uint64 // in Unicode code points
	Pattern              *Pattern
	Format               string
	ContentEncoding      string
	ContentMediaType     string

	Items                    *Schema
	PrefixItems              []*Schema
	Contains                 *Schema
	MinContains, MaxContains *uint64
	MinItems, MaxItems       *uint64
	UniqueItems              bool

	Properties                   []Property // in document order
	PatternProperties            []PatternProperty
	AdditionalProperties         *Schema // nil if absent
	PropertyNames                *Schema
	Required                     []string
	MinProperties, MaxProperties *uint64
	DependentRequired            []DependentRequired
	DependentSchemas             []Property

	AllOf, AnyOf, OneOf []*Schema
	Not, If, Then, Else *Schema
	Ref                 *Schema // a reference that has siblings (3.1)
	Discriminator       *Discriminator

	UnevaluatedItems, UnevaluatedProperties *Schema

	XML *XML // how XML writes its values; nil if the document doesn't say

	ReadOnly, WriteOnly, Deprecated bool
	HasDefault                      bool

	Classification *Classification // x-data-classification and its aliases
	Unsupported    []Keyword       // keywords the loader saw and does not represent
}

// Property is a named subschema.
type Property struct {
	Name   string
	Schema *Schema
	Pos    diag.Pos // of the name
}

// Pattern is an ECMA-262 regular expression.
type Pattern struct {
	Source string
	Pos    diag.Pos
}

// PatternProperty is a subschema for every name that matches.
type PatternProperty struct {
	Pattern Pattern
	Schema  *Schema
}

// DependentRequired lists the names that must be there if Name is.
type DependentRequired struct {
	Name  string
	Names []string
}

// Discriminator is OAS section 4.8.25.
type Discriminator struct {
	Property string
	Mapping  []Mapping // every value that selects a subschema, explicit and implicit
	Pos      diag.Pos
}

// Mapping sends one discriminator value to one subschema.
type Mapping struct {
	Value  string
	Schema *Schema
}

// XML is OAS section 4.8.26.
type XML struct {
	Name      string // of the element or attribute; "" if not given
	Namespace string
	Prefix    string
	Attribute bool
	Wrapped   bool // an array has an element of its own
	Pos       diag.Pos
}

// Keyword is a name at a place.
type Keyword struct {
	Name string
	Pos  diag.Pos
}

// Classification is what a document says of a field's data.
type Classification struct {
	Category    string // PII, financial, government-id, health, secret, credential, contact, other
	Sensitivity string // public, internal, confidential, restricted
	Pos         diag.Pos
}
