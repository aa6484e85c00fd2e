package schema

import (
	"slices"

	"github.com/threatgate/threatgate/internal/inventory"
)

// Fields lists the properties of s like Properties, each with all that is
// said of it; extra is Scalars of the properties that s does not name. It is
// false if some schema is applied only to some objects: then the text of a
// property may stand for one thing in this object and another in that.
func Fields(s *inventory.Schema) (all []inventory.Property, extra inventory.TypeSet, ok bool) {
	var others []*inventory.Schema
	ok = true
	each(s, nil, func(s *inventory.Schema) {
		for _, p := range s.Properties {
			i := slices.IndexFunc(all, func(q inventory.Property) bool { return q.Name == p.Name })
			if i < 0 {
				all = append(all, p)
			} else if all[i].Schema != p.Schema {
				all[i].Schema = &inventory.Schema{Types: inventory.TypeAny, AllOf: []*inventory.Schema{all[i].Schema, p.Schema}}
			}
		}
		for _, p := range s.PatternProperties {
			others = append(others, p.Schema)
		}
		for _, other := range []*inventory.Schema{s.AdditionalProperties, s.UnevaluatedProperties} {
			if other != nil {
				others = append(others, other)
			}
		}
		ok = ok && s.If == nil && s.DependentSchemas == nil
	})
	if others == nil {
		return all, inventory.TypeAny, ok
	}
	return all, union(others, Scalars), ok
}

// Opaque reports whether s says no more of a value than "some bytes".
func Opaque(s *inventory.Schema) bool {
	if s == nil || s.Types != inventory.TypeString {
		return isAnything(s)
	}
	rest := *s
	rest.Types = inventory.TypeAny
	if rest.Format == "binary" {
		rest.Format = ""
	}
	return isAnything(&rest)
}
