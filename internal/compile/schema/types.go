package schema

import (
	"slices"

	"github.com/threatgate/threatgate/internal/inventory"
)

// Scalars is the set of types that a value of s may have, as far as s and
// the schemas that it applies to the same value name types or constants. The
// text of a parameter is read as one of the scalar types among them.
func Scalars(s *inventory.Schema) inventory.TypeSet { return typesOf(s, nil) }

// ItemScalars is Scalars of the items of s, of whichever items have most.
func ItemScalars(s *inventory.Schema) inventory.TypeSet {
	var all []*inventory.Schema
	each(s, nil, func(s *inventory.Schema) {
		if s.Items != nil {
			all = append(all, s.Items)
		}
		all = append(all, s.PrefixItems...)
	})
	if all == nil {
		return inventory.TypeAny
	}
	return union(all, Scalars)
}

// Properties lists the properties that s and the schemas that it applies to
// the same value declare, each name once.
func Properties(s *inventory.Schema) (all []inventory.Property) {
	each(s, nil, func(s *inventory.Schema) {
		for _, p := range s.Properties {
			if !slices.ContainsFunc(all, func(q inventory.Property) bool { return q.Name == p.Name }) {
				all = append(all, p)
			}
		}
	})
	return all
}

// Additional is Scalars of the properties that s declares by no name, and
// whether s or a schema that it applies to the same value speaks of them
// other than to forbid them.
func Additional(s *inventory.Schema) (types inventory.TypeSet, said bool) {
	each(s, nil, func(s *inventory.Schema) {
		others := []*inventory.Schema{s.AdditionalProperties, s.UnevaluatedProperties}
		for _, p := range s.PatternProperties {
			others = append(others, p.Schema)
		}
		for _, other := range others {
			if other != nil && (other.Bool == nil || *other.Bool) {
				types, said = types|Scalars(other), true
			}
		}
	})
	if !said {
		types = inventory.TypeAny
	}
	return types, said
}

// each visits s and the schemas that it applies to the same value.
func each(s *inventory.Schema, above []*inventory.Schema, visit func(*inventory.Schema)) {
	if s == nil || slices.Contains(above, s) {
		return
	}
	visit(s)
	above = append(above, s)
	each(s.Ref, above, visit)
	for _, list := range [][]*inventory.Schema{s.AllOf, s.AnyOf, s.OneOf} {
		for _, branch := range list {
			each(branch, above, visit)
		}
	}
}

func typesOf(s *inventory.Schema, above []*inventory.Schema) inventory.TypeSet {
	switch {
	case s == nil, slices.Contains(above, s):
		return inventory.TypeAny
	case s.Bool != nil && *s.Bool:
		return inventory.TypeAny
	case s.Bool != nil:
		return 0
	}
	above = append(above, s)
	types := widen(s.Types)
	if s.Const != nil {
		types &= constantType(*s.Const)
	}
	if s.Enum != nil {
		types &= union(s.Enum, constantType)
	}
	inner := func(s *inventory.Schema) inventory.TypeSet { return typesOf(s, above) }
	for _, all := range s.AllOf {
		types &= inner(all)
	}
	types &= inner(s.Ref)
	if s.AnyOf != nil {
		types &= union(s.AnyOf, inner)
	}
	if s.OneOf != nil {
		types &= union(s.OneOf, inner)
	}
	return types
}

func union[T any](items []T, types func(T) inventory.TypeSet) (all inventory.TypeSet) {
	for _, item := range items {
		all |= types(item)
	}
	return all
}

// widen makes integers out of what may be numbers: an integer is a number.
func widen(t inventory.TypeSet) inventory.TypeSet {
	if t&inventory.TypeNumber != 0 {
		t |= inventory.TypeInteger
	}
	return t
}

// constantType is the type of a JSON text.
func constantType(text string) inventory.TypeSet {
	switch text[0] {
	case '"':
		return inventory.TypeString
	case '{':
		return inventory.TypeObject
	case '[':
		return inventory.TypeArray
	case 't', 'f':
		return inventory.TypeBoolean
	case 'n':
		return inventory.TypeNull
	}
	return inventory.TypeNumber | inventory.TypeInteger
}
