package compile

import (
	"slices"
	"strings"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/compile/schema"
	"github.com/threatgate/threatgate/internal/inventory"
	"github.com/threatgate/threatgate/internal/policy"
	"github.com/threatgate/threatgate/internal/violation"
)

// parameters plans how each parameter is found and read.
func (c *compiler) parameters(o *policy.Operation) (artifact.Range, uint8) {
	names := captures(o)
	if len(names) > artifact.MaxCaptures {
		c.diags.Errorf(o.Operation.Operation.Pos, "%s has more than %d path parameters", o.Path, artifact.MaxCaptures)
		names = names[:artifact.MaxCaptures]
	}
	ordered := slices.Clone(o.Parameters)
	slices.SortStableFunc(ordered, func(a, b *inventory.Parameter) int { return int(a.In) - int(b.In) })
	var list []artifact.Parameter
	for _, p := range ordered {
		capture := 0
		if p.In == inventory.InPath {
			if capture = slices.Index(names, p.Name); capture < 0 {
				continue // declared, but not part of the template
			}
		}
		list = append(list, c.parameter(p, capture))
	}
	return grow(&c.bundle.Parameters, list...), uint8(len(names))
}

var places = [...]violation.Place{
	inventory.InPath:   violation.InPath,
	inventory.InQuery:  violation.InQuery,
	inventory.InHeader: violation.InHeader,
	inventory.InCookie: violation.InCookie,
}

func (c *compiler) parameter(p *inventory.Parameter, capture int) artifact.Parameter {
	name := p.Name
	if p.In == inventory.InHeader {
		name = strings.ToLower(name)
	}
	plan := artifact.Parameter{
		Name:    c.text(name),
		Capture: uint32(capture),
		Place:   places[p.In],
		Style:   artifact.Style(p.Style),
		Scalars: artifact.TypeAny,
	}
	for flag, set := range map[artifact.ParameterFlags]bool{
		artifact.ParameterRequired: p.Required,
		artifact.Explode:           p.Explode,
		artifact.AllowEmpty:        p.AllowEmpty,
	} {
		if set {
			plan.Flags |= flag
		}
	}
	if p.Content != nil {
		if _, isJSON := mediaType(p.Content.Type); isJSON {
			plan.Shape = artifact.ShapeJSON
			c.judgedBy(&plan, p.Content.Schema)
		} else {
			c.unenforced(p.Pos, "the value of parameter %q, a %s document, is not enforced", p.Name, p.Content.Type)
			plan.Flags |= artifact.PresenceOnly
		}
		return plan
	}
	if p.Schema == nil {
		return plan
	}
	c.judgedBy(&plan, p.Schema)
	switch types := schema.Scalars(p.Schema); {
	case types&(inventory.TypeArray|inventory.TypeObject) == 0:
		plan.Scalars = artifact.Types(types)
	case types&^(inventory.TypeArray|inventory.TypeNull) == 0:
		plan.Shape = artifact.ShapeArray
		plan.Scalars = artifact.Types(schema.ItemScalars(p.Schema))
	case types&^(inventory.TypeObject|inventory.TypeNull) == 0:
		plan.Shape = artifact.ShapeObject
		plan.Fields = c.fields(p.Schema)
	case types == inventory.TypeAny: // a schema that names no type: a text
	default:
		c.unenforced(p.Pos, "the value of parameter %q is not enforced: its schema allows both a scalar and an array or object", p.Name)
		plan.Flags |= artifact.PresenceOnly
	}
	if p.Style == inventory.StyleLabel || p.Style == inventory.StyleMatrix {
		c.unenforced(p.Pos, "the value of parameter %q is not enforced: style %s", p.Name, p.Style)
		plan.Flags |= artifact.PresenceOnly
	}
	return plan
}

func (c *compiler) judgedBy(plan *artifact.Parameter, s *inventory.Schema) {
	if s != nil {
		plan.Root = c.schemas.Root(s, schema.Request)
		plan.Schema = c.text(s.Pointer)
	}
}

// fields lists the properties of an object parameter and their types.
func (c *compiler) fields(s *inventory.Schema) artifact.Range {
	var list []artifact.Field
	for _, p := range schema.Properties(s) {
		list = append(list, artifact.Field{Name: c.text(p.Name), Scalars: artifact.Types(schema.Scalars(p.Schema))})
	}
	return grow(&c.bundle.Fields, list...)
}
