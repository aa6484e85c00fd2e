package schema

import (
	"math"
	"slices"

	"github.com/threatgate/threatgate/internal/inventory"
)

// Fields lists the properties of s like Properties, each with all that is
// said of it. It is false if some schema is applied only to some objects:
// then the text of a property may stand for one thing in this object and for
// another in that.
func (c *Compiler) Fields(s *inventory.Schema) (all []inventory.Property, ok bool) {
	ok = true
	said := map[string][]*inventory.Schema{}
	each(s, nil, func(s *inventory.Schema) {
		for _, p := range s.Properties {
			if said[p.Name] == nil {
				all = append(all, p)
			}
			if !slices.Contains(said[p.Name], p.Schema) {
				said[p.Name] = append(said[p.Name], p.Schema)
			}
		}
		ok = ok && s.If == nil && s.DependentSchemas == nil
	})
	for i, p := range all {
		all[i].Schema = c.join(said[p.Name])
	}
	return all, ok
}

// Item is the schema of all items of s, nil if any value can be one. It is
// false if they differ by their place, or with a schema that s applies.
func Item(s *inventory.Schema) (item *inventory.Schema, ok bool) {
	ok = true
	each(s, nil, func(s *inventory.Schema) {
		if s.Items != nil && item == nil {
			item = s.Items
		}
		ok = ok && s.PrefixItems == nil && (s.Items == nil || s.Items == item)
	})
	return item, ok
}

// Opaque reports whether s says no more of a value than "some bytes".
func Opaque(s *inventory.Schema) bool {
	if s == nil || s.Types != inventory.TypeString {
		return Anything(s)
	}
	rest := *s
	rest.Types = inventory.TypeAny
	if rest.Format == "binary" {
		rest.Format = ""
	}
	return Anything(&rest)
}

// AnyString reports whether s is known to say no more of strings than that
// they are octets, whatever it says of other values.
func AnyString(s *inventory.Schema) bool { return anyString(s, nil) }

func anyString(s *inventory.Schema, above []*inventory.Schema) bool {
	switch {
	case s == nil:
		return true
	case s.Bool != nil:
		return *s.Bool
	case slices.Contains(above, s), s.Types&inventory.TypeString == 0, s.Enum != nil, s.Const != nil,
		s.MinLength != nil, s.MaxLength != nil, s.Pattern != nil, s.Format != "" && s.Format != "binary",
		s.Not != nil, s.If != nil, s.OneOf != nil, s.Unsupported != nil:
		return false
	}
	above = append(above, s)
	inner := func(s *inventory.Schema) bool { return anyString(s, above) }
	return inner(s.Ref) && !slices.ContainsFunc(s.AllOf, func(s *inventory.Schema) bool { return !inner(s) }) &&
		(s.AnyOf == nil || slices.ContainsFunc(s.AnyOf, inner))
}

// Octets is how many octets a string of s may have, without bound
// math.MaxUint32, and whether s is known to say no more of strings (OAS 3.0.4
// and 3.1.1 section 4.4.2, "Working with Binary Data").
func Octets(s *inventory.Schema) (most uint32, all bool) { return octets(s, nil) }

func octets(s *inventory.Schema, above []*inventory.Schema) (most uint32, all bool) {
	most = math.MaxUint32
	if s == nil || s.Bool != nil || slices.Contains(above, s) {
		return most, anyString(s, above)
	}
	if s.MaxLength != nil {
		most = clamp(*s.MaxLength)
	}
	rest := *s
	rest.MaxLength, rest.Ref, rest.AllOf = nil, nil, nil
	all = anyString(&rest, above)
	above = append(above, s)
	for _, inner := range append([]*inventory.Schema{s.Ref}, s.AllOf...) {
		m, a := octets(inner, above)
		most, all = min(most, m), all && a
	}
	return most, all
}

// File reports whether s is a string of octets of which nothing is said but
// how many there may be, as OpenAPI describes files: with format binary, or
// with the media type of what is not encoded.
func File(s *inventory.Schema) (maxSize uint32, ok bool) {
	rest := *s
	rest.MaxLength, rest.Unsupported = nil, nil
	raw := s.Format == "binary"
	for _, k := range s.Unsupported {
		if k.Name != "contentMediaType" {
			return 0, false
		}
		raw = true
	}
	maxSize = math.MaxUint32
	if s.MaxLength != nil {
		maxSize = clamp(*s.MaxLength)
	}
	return maxSize, raw && s.Types == inventory.TypeString && Opaque(&rest)
}
