package compile

import (
	"cmp"
	"fmt"
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
	several := 0 // parameters that undeclared ones may belong to
	for _, p := range o.Parameters {
		if isOpen(p) {
			several++
		}
	}
	var list []artifact.Parameter
	for _, p := range o.Parameters {
		capture := 0
		if p.In == inventory.InPath {
			if capture = slices.Index(names, p.Name); capture < 0 {
				continue // declared, but not part of the template
			}
		}
		plan := c.parameter(p, places[p.In], capture)
		if plan.Flags&artifact.Open != 0 && several > 1 {
			c.notJudged(&plan, p, "undeclared parameters may be properties of another one as well")
		}
		c.covered(aParameter, plan.Root)
		list = append(list, plan)
	}
	slices.SortStableFunc(list, func(a, b artifact.Parameter) int {
		return cmp.Or(cmp.Compare(a.Place, b.Place), cmp.Compare(a.Flags&artifact.Open, b.Flags&artifact.Open))
	})
	return share(c, &c.bundle.Parameters, list...), uint8(len(names))
}

var places = [...]violation.Place{
	inventory.InPath:   violation.InPath,
	inventory.InQuery:  violation.InQuery,
	inventory.InHeader: violation.InHeader,
	inventory.InCookie: violation.InCookie,
}

func (c *compiler) parameter(p *inventory.Parameter, place violation.Place, capture int) artifact.Parameter {
	name := p.Name
	if p.In == inventory.InHeader {
		name = strings.ToLower(name)
	}
	plan := artifact.Parameter{
		Name:    c.text(name),
		Capture: uint32(capture),
		Place:   place,
		Style:   artifact.Style(p.Style),
		Scalars: artifact.TypeAny,
	}
	for flag, set := range map[artifact.ParameterFlags]bool{
		artifact.ParameterRequired: p.Required,
		artifact.Explode:           p.Explode,
		artifact.AllowEmpty:        p.AllowEmpty && p.Style == inventory.StyleForm, // ignored for others
	} {
		if set {
			plan.Flags |= flag
		}
	}
	switch {
	case p.Content != nil:
		c.document(&plan, p)
	case p.Schema != nil:
		c.judgedBy(&plan, p.Schema)
		c.shape(&plan, p)
	}
	return plan
}

// document plans a parameter that has content in place of a schema.
func (c *compiler) document(plan *artifact.Parameter, p *inventory.Parameter) {
	name, isJSON := mediaType(p.Content.Type)
	types := schema.Scalars(p.Content.Schema)
	switch {
	case isJSON:
		plan.Shape = artifact.ShapeJSON
	case name == "text/plain" && (types == inventory.TypeAny || types&containers == 0):
		plan.Scalars = artifact.Types(types)
	default:
		c.notJudged(plan, p, "it is content of type "+p.Content.Type)
		return
	}
	c.judgedBy(plan, p.Content.Schema)
}

const containers = inventory.TypeArray | inventory.TypeObject

// shape plans how the text of a parameter becomes a value of its schema, as
// far as the OAS defines it (section 4.8.12, explode, Style Values and Style
// Examples).
func (c *compiler) shape(plan *artifact.Parameter, p *inventory.Parameter) {
	types := schema.Scalars(p.Schema)
	container := types & containers
	alone := types&^(containers|inventory.TypeNull) != 0
	switch {
	case container != 0 && p.Style == inventory.StyleDeepObject:
		f, why := c.deep(p.Schema)
		if why != "" {
			c.notJudged(plan, p, "it "+why)
			return
		}
		plan.Shape, plan.Fields, plan.Scalars = deepShapes[f.Deep], f.Below, f.Extra
		if alone {
			plan.Alone = f.Scalars
		}
		return
	case container == 0 || types == inventory.TypeAny: // a schema that names no type: a text
		plan.Scalars = artifact.Types(types)
		return
	case container == containers:
		c.notJudged(plan, p, "its schema allows both an array and an object")
		return
	case alone && p.Style == inventory.StyleMatrix && p.Explode:
		c.notJudged(plan, p, "its schema allows both a scalar and an array or object")
		return
	case container == inventory.TypeObject && p.In == inventory.InCookie && p.Explode:
		c.notJudged(plan, p, "OpenAPI does not define exploded objects in cookies")
		plan.Flags &^= artifact.ParameterRequired // nothing bears its name
		return
	case container == inventory.TypeArray:
		plan.Shape = artifact.ShapeArray
		plan.Scalars = artifact.Types(schema.ItemScalars(p.Schema))
		c.refused(p, "an item", inventory.TypeSet(plan.Scalars))
	default:
		plan.Shape = artifact.ShapeObject
		others, _ := schema.Additional(p.Schema)
		plan.Scalars, plan.Fields = artifact.Types(others), c.fields(p)
	}
	if alone {
		plan.Alone = artifact.Types(types &^ container)
	}
	if isOpen(p) {
		plan.Flags |= artifact.Open
	}
}

var deepShapes = [...]artifact.Shape{artifact.DeepObject: artifact.ShapeObject, artifact.DeepArray: artifact.ShapeArray}

// isOpen reports whether p is an object whose properties are query parameters
// of their own, with names that the specification doesn't list but speaks of.
func isOpen(p *inventory.Parameter) bool {
	if p.In != inventory.InQuery || !p.Explode || p.Style == inventory.StyleDeepObject || p.Schema == nil {
		return false
	}
	_, said := schema.Additional(p.Schema)
	return said && schema.Scalars(p.Schema)&containers == inventory.TypeObject
}

// notJudged plans to look for p without reading its value.
func (c *compiler) notJudged(plan *artifact.Parameter, p *inventory.Parameter, why string) {
	c.unenforced(p.Pos, "the value of parameter %q is not enforced: %s", p.Name, why)
	plan.Flags |= artifact.PresenceOnly
	s := p.Schema
	if p.Content != nil {
		s = p.Content.Schema
	}
	plan.Root = c.schemas.Unread(s)
}

// refused warns where no text can stand for a part of p's value.
func (c *compiler) refused(p *inventory.Parameter, part string, types inventory.TypeSet) {
	if types != 0 && types&^(containers|inventory.TypeNull) == 0 {
		c.diags.Warnf(p.Pos, "%s of parameter %q is always refused: OpenAPI does not define how an array or object is written within one", part, p.Name)
	}
}

func (c *compiler) judgedBy(plan *artifact.Parameter, s *inventory.Schema) {
	if s != nil {
		direction := schema.Request
		if plan.Place.OfResponse() {
			direction = schema.Response
		}
		plan.Root = c.schemas.Root(s, direction)
		plan.Schema = c.text(s.Pointer)
	}
}

// fields lists the properties of an object parameter and their types.
func (c *compiler) fields(p *inventory.Parameter) artifact.Range {
	var list []artifact.Field
	for _, property := range schema.Properties(p.Schema) {
		types := schema.Scalars(property.Schema)
		c.refused(p, fmt.Sprintf("property %q", property.Name), types)
		list = append(list, artifact.Field{Name: c.text(property.Name), Scalars: artifact.Types(types)})
	}
	return share(c, &c.bundle.Fields, list...)
}
