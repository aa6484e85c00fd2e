package model

import (
	"path/filepath"
	"strconv"
	"strings"

	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/inventory"
)

// classify writes data assets into the schemas that pointers name, in every
// version of s that has them.
func (b *binder) classify(s *Service, entries []classifyEntry) {
	if len(entries) == 0 {
		return
	}
	var indexes []map[string][]place
	for _, v := range s.Versions {
		indexes = append(indexes, schemaPlaces(v.API))
	}
	for _, e := range entries {
		asset := b.assets.find(e.Asset, &b.diags)
		if asset == nil || !e.Pointer.given() {
			continue
		}
		found := false
		for i, v := range s.Versions {
			for _, at := range indexes[i][qualify(v.API, e.Pointer.Value)] {
				at.classify(&inventory.Classification{Category: asset.Category, Sensitivity: asset.Sensitivity, Pos: e.Pos})
				found = true
			}
		}
		if !found && !b.unread {
			var known []string
			for i, v := range s.Versions {
				for name := range indexes[i] {
					if rest, ok := strings.CutPrefix(name, v.API.Pos.File); ok {
						known = append(known, rest)
					}
				}
			}
			b.diags.Errorf(e.Pointer.Pos, "no schema that an operation uses is at %q%s", e.Pointer.Value, diag.DidYouMean(e.Pointer.Value, known))
		}
	}
}

// qualify is a pointer with the file that it is in, relative to the
// specification: "#/components/schemas/Order", "common.yaml#/Email".
func qualify(api *inventory.API, pointer string) string {
	file, fragment, _ := strings.Cut(pointer, "#")
	if file == "" {
		return api.Pos.File + "#" + fragment
	}
	return filepath.Join(filepath.Dir(api.Pos.File), file) + "#" + fragment
}

// place is where a schema stands. Where a reference stands, the schema stands
// elsewhere and slot is what holds it here.
type place struct {
	schema *inventory.Schema
	slot   **inventory.Schema // nil if the schema itself stands here
}

// classify marks the data at this place and, where it is a reference, only
// there: the schema that it names may be used for other data, too.
func (p place) classify(c *inventory.Classification) {
	if p.slot == nil {
		p.schema.Classification = c
		return
	}
	own := **p.slot
	own.Classification = c
	*p.slot = &own
}

// schemaPlaces finds every schema that operations use by where it stands:
// "file#/pointer". A schema with dynamic references may stand there several
// times.
func schemaPlaces(api *inventory.API) map[string][]place {
	places := map[string][]place{}
	seen := map[*inventory.Schema]bool{}
	var visit func(s *inventory.Schema)
	visit = func(s *inventory.Schema) {
		if s == nil || seen[s] {
			return
		}
		seen[s] = true
		here := filepath.Clean(s.Pos.File) + s.Pointer
		places[here] = append(places[here], place{schema: s})
		eachSubschema(s, func(slot **inventory.Schema, token string) {
			visit(*slot)
			there := places[here+token]
			if stands := len(there) > 0 && there[0].slot == nil; !stands && *slot != nil && token != "" {
				places[here+token] = append(there, place{slot: slot})
			}
		})
	}
	for _, op := range api.Operations {
		eachRoot(op, visit)
	}
	return places
}

// eachRoot calls visit for the schemas of an operation's messages.
func eachRoot(op *inventory.Operation, visit func(*inventory.Schema)) {
	var content func([]*inventory.MediaType)
	parameters := func(list []*inventory.Parameter) {
		for _, p := range list {
			visit(p.Schema)
			if p.Content != nil {
				content([]*inventory.MediaType{p.Content})
			}
		}
	}
	content = func(list []*inventory.MediaType) {
		for _, m := range list {
			visit(m.Schema)
			for _, e := range m.Encoding {
				parameters(e.Headers)
			}
		}
	}
	parameters(op.Parameters)
	if op.Body != nil {
		content(op.Body.Content)
	}
	for _, r := range op.Responses {
		parameters(r.Headers)
		content(r.Content)
	}
}

var escapeToken = strings.NewReplacer("~", "~0", "/", "~1") // RFC 6901, section 3

// eachSubschema calls visit with each field of s that holds a schema, which
// may be nil, and the JSON pointer from s to it; "" if it is the target of a
// reference.
func eachSubschema(s *inventory.Schema, visit func(slot **inventory.Schema, token string)) {
	named := func(keyword string, list []inventory.Property) {
		for i := range list {
			visit(&list[i].Schema, keyword+escapeToken.Replace(list[i].Name))
		}
	}
	numbered := func(keyword string, list []*inventory.Schema) {
		for i := range list {
			visit(&list[i], keyword+strconv.Itoa(i))
		}
	}
	visit(&s.Ref, "")
	visit(&s.Items, "/items")
	visit(&s.Contains, "/contains")
	visit(&s.AdditionalProperties, "/additionalProperties")
	visit(&s.PropertyNames, "/propertyNames")
	visit(&s.UnevaluatedItems, "/unevaluatedItems")
	visit(&s.UnevaluatedProperties, "/unevaluatedProperties")
	visit(&s.Not, "/not")
	visit(&s.If, "/if")
	visit(&s.Then, "/then")
	visit(&s.Else, "/else")
	named("/properties/", s.Properties)
	named("/dependentSchemas/", s.DependentSchemas)
	for i := range s.PatternProperties {
		visit(&s.PatternProperties[i].Schema, "/patternProperties/"+escapeToken.Replace(s.PatternProperties[i].Pattern.Source))
	}
	numbered("/prefixItems/", s.PrefixItems)
	numbered("/allOf/", s.AllOf)
	numbered("/anyOf/", s.AnyOf)
	numbered("/oneOf/", s.OneOf)
}
