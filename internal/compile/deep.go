package compile

import (
	"fmt"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/compile/schema"
	"github.com/threatgate/threatgate/internal/inventory"
)

// deep plans a value that is written in names with brackets, or as a text if
// it is a scalar. OpenAPI leaves objects and arrays below the first level
// undefined; they are read as PHP, Rails and qs do. It says why it can't.
func (c *compiler) deep(s *inventory.Schema) (f artifact.Field, why string) {
	f, why = c.deepField(s)
	if why != "" {
		c.below = nil // it holds what leads to the fault
	}
	return f, why
}

func (c *compiler) deepField(s *inventory.Schema) (f artifact.Field, why string) {
	types := schema.Scalars(s)
	container := types & containers
	properties, unconditional := c.schemas.Fields(s)
	item, alike := schema.Item(s)
	if types == inventory.TypeAny && item == nil {
		container = inventory.TypeObject // if anything but a text
	}
	f.Scalars = artifact.Types(types &^ containers)
	switch {
	case container == 0:
	case container == containers:
		return f, "may be an array or an object"
	case container == inventory.TypeArray && !alike:
		return f, "is an array of several kinds of items"
	case container == inventory.TypeArray:
		f.Deep = artifact.DeepArray
		f.Below, why = c.belowOf(s, []inventory.Property{{Schema: item}})
	case !unconditional:
		return f, "has if or dependentSchemas"
	default:
		others, _ := schema.Additional(s)
		if isContainer(others) {
			return f, "may have arrays or objects as properties that it does not name"
		}
		f.Deep, f.Extra = artifact.DeepObject, artifact.Types(others)
		f.Below, why = c.belowOf(s, properties)
	}
	return f, why
}

// belowOf plans the properties or the item of s, once.
func (c *compiler) belowOf(s *inventory.Schema, parts []inventory.Property) (below artifact.Range, why string) {
	below, known := c.below[s]
	if known {
		return below, ""
	}
	if c.below == nil {
		c.below = map[*inventory.Schema]artifact.Range{}
	}
	// The range is known before the fields are: schemas can be recursive.
	below = grow(&c.bundle.Fields, make([]artifact.Field, len(parts))...)
	c.below[s] = below
	for i, part := range parts {
		f, why := c.deepField(part.Schema)
		switch {
		case why != "" && part.Name == "":
			return below, "has an item that " + why
		case why != "":
			return below, fmt.Sprintf("has a property %q that %s", part.Name, why)
		}
		f.Name = c.text(part.Name)
		c.bundle.Fields[int(below.Off)+i] = f
	}
	return below, ""
}
