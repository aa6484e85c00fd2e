package compile

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/compile/schema"
	"github.com/threatgate/threatgate/internal/inventory"
)

// xmlPlans are how XML writes the values of schemas (OAS section 4.8.26), as
// far as it has been planned.
type xmlPlans struct {
	contents map[xmlKey]uint32 // into the bundle's Contents
	faults   map[uint32]string // why a content can't be read, by its index
}

// xmlKey names a content: items without a name of their own have that of the
// property.
type xmlKey struct {
	schema *inventory.Schema
	name   string
}

// isXML reports whether bodies of a media type are XML (RFC 7303 sections 4.2
// and 9.1).
func isXML(name string) bool {
	return name == "application/xml" || name == "text/xml" || strings.HasSuffix(name, "+xml")
}

// xml plans bodies with this schema, or says why it can't. Their root has the
// name of the component, or that of its XML object, which is not everybody's
// reading (OAS 3.0.4 section 4.7.24); or any where there is neither.
func (c *compiler) xml(s *inventory.Schema) (roots artifact.Range, why string) {
	x, _ := xmlOf(s)
	names := slices.Compact([]string{component(s), x.Name})
	if len(names) > 1 {
		names = slices.DeleteFunc(names, func(name string) bool { return name == "" })
	}
	content := c.content(s, names[len(names)-1])
	var list []artifact.Element
	for _, name := range names {
		list = append(list, artifact.Element{Name: c.text(name), Space: c.text(x.Namespace), Content: content})
	}
	return grow(&c.bundle.Elements, list...), c.xmlFault(content, map[uint32]bool{})
}

// component is the name of s if it is a component.
func component(s *inventory.Schema) string {
	_, name, ok := strings.Cut(s.Pointer, "#/components/schemas/")
	if !ok || strings.Contains(name, "/") {
		return ""
	}
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
}

// xmlOf is the XML object of s, or else of what it refers to or is composed
// of, and the schema that has it.
func xmlOf(s *inventory.Schema) (x inventory.XML, owner *inventory.Schema) {
	if s.XML != nil {
		return *s.XML, s
	}
	for _, other := range append([]*inventory.Schema{s.Ref}, s.AllOf...) {
		if other == nil {
			continue
		}
		if x, owner = xmlOf(other); owner != nil {
			return x, owner
		}
	}
	return x, nil
}

// content plans what an element of this name holds.
func (c *compiler) content(s *inventory.Schema, name string) uint32 {
	key := xmlKey{s, name}
	if at, ok := c.plans.contents[key]; ok {
		return at
	}
	// The content is known before what it holds: schemas can be recursive.
	at := uint32(len(c.bundle.Contents))
	c.bundle.Contents = append(c.bundle.Contents, artifact.Content{})
	c.plans.contents[key] = at
	content, why := c.describe(s, name)
	if why != "" {
		c.plans.faults[at] = s.Pointer + " " + why
	}
	c.bundle.Contents[at] = content
	return at
}

// xmlFault is why a content, or one below it, can't be read; "" if it can.
func (c *compiler) xmlFault(at uint32, seen map[uint32]bool) (why string) {
	if seen[at] {
		return ""
	}
	seen[at] = true
	why = c.plans.faults[at]
	for _, e := range artifact.Of(c.bundle.Elements, c.bundle.Contents[at].Elements) {
		why = cmp.Or(why, c.xmlFault(e.Content, seen))
	}
	return why
}

// contentKind is what the values of s are to XML: where no type is named, what
// else is said tells.
func (c *compiler) contentKind(s *inventory.Schema) (kind artifact.ContentKind, why string) {
	types := schema.Scalars(s) &^ inventory.TypeNull
	if types == inventory.TypeAny&^inventory.TypeNull {
		properties, _ := c.schemas.Fields(s)
		_, others := schema.Additional(s)
		item, _ := schema.Item(s)
		switch {
		case schema.Anything(s):
			return artifact.ContentAny, ""
		case len(properties) > 0 || others:
			return artifact.ContentObject, ""
		case item != nil:
			return artifact.ContentArray, ""
		}
		return artifact.ContentText, ""
	}
	switch {
	case types == inventory.TypeObject:
		return artifact.ContentObject, ""
	case types == inventory.TypeArray:
		return artifact.ContentArray, ""
	case types&containers != 0:
		return kind, "may be a text, or an array or object"
	}
	return artifact.ContentText, ""
}

func (c *compiler) describe(s *inventory.Schema, name string) (content artifact.Content, why string) {
	if content.Kind, why = c.contentKind(s); why != "" {
		return content, why
	}
	if x, _ := xmlOf(s); x.Prefix != "" && x.Namespace == "" {
		return content, "has a prefix without a namespace"
	}
	switch content.Kind {
	case artifact.ContentObject:
		return c.xmlObject(s)
	case artifact.ContentArray:
		item, same := schema.Item(s)
		if !same {
			return content, "is an array of several kinds of items"
		}
		content.Elements = grow(&c.bundle.Elements, c.xmlItem(item, name))
	case artifact.ContentText:
		content.Scalars = artifact.Types(schema.Scalars(s))
		if content.Scalars == 0 && len(s.AllOf) > 0 {
			why = "is of another type in each schema that declares it"
		}
	}
	return content, why
}

// xmlItem plans the items of an array, which have a name of their own or that
// of the array.
func (c *compiler) xmlItem(s *inventory.Schema, name string) artifact.Element {
	if s == nil {
		s = &inventory.Schema{Types: inventory.TypeAny}
	}
	x, _ := xmlOf(s)
	name = cmp.Or(x.Name, name, component(s))
	return artifact.Element{Name: c.text(name), Space: c.text(x.Namespace), Content: c.content(s, name), Kind: artifact.ElementItem}
}

func (c *compiler) xmlObject(s *inventory.Schema) (content artifact.Content, why string) {
	properties, whole := c.schemas.Fields(s)
	rest, _ := schema.Additional(s)
	content = artifact.Content{Kind: artifact.ContentObject, Scalars: artifact.Types(rest)}
	switch {
	case !whole:
		return content, "has if or dependentSchemas"
	case isContainer(rest):
		return content, "may have arrays or objects as properties that it does not name"
	}
	var named, others []artifact.Element
	for _, p := range properties {
		e, alias, why := c.xmlProperty(p)
		if why != "" {
			return content, fmt.Sprintf("has a property %q that %s", p.Name, why)
		}
		e.Property = c.text(p.Name)
		named = append(named, e)
		if e.Name = e.Property; !alias {
			e.Kind = artifact.ElementNone
		}
		others = append(others, e)
	}
	named, why = c.xmlNames(named, others)
	content.Elements = grow(&c.bundle.Elements, named...)
	return content, why
}

// xmlNames are the elements and attributes of an object, sorted by name: the
// named ones, and by the property's own name the others, each of the property
// at the same place. A component's name that several properties would bear is
// that of none.
func (c *compiler) xmlNames(named, others []artifact.Element) (list []artifact.Element, why string) {
	bearers, taken := map[artifact.Text]int{}, map[artifact.Text]bool{}
	for _, e := range named {
		bearers[e.Name]++
	}
	for i, e := range named {
		if bearers[e.Name] > 1 && others[i].Kind != artifact.ElementNone {
			e = others[i]
		}
		for _, f := range list {
			if f.Name == e.Name && f.Space == e.Space && (f.Kind == artifact.ElementAttribute) == (e.Kind == artifact.ElementAttribute) {
				why = fmt.Sprintf("has two properties that are written as %q", c.bundle.String(e.Name))
			}
		}
		taken[e.Name] = true
		list = append(list, e)
	}
	for _, e := range others {
		if !taken[e.Name] {
			list = append(list, e)
		}
	}
	slices.SortStableFunc(list, func(e, f artifact.Element) int {
		return bytes.Compare(c.bundle.String(e.Name), c.bundle.String(f.Name))
	})
	return list, why
}

// xmlProperty plans a property. What is a component of its own may bear its
// own name or, as most write it, that of the property: the alias.
func (c *compiler) xmlProperty(p inventory.Property) (e artifact.Element, alias bool, why string) {
	x, owner := xmlOf(p.Schema)
	kind, why := c.contentKind(p.Schema)
	name := cmp.Or(x.Name, p.Name)
	e = artifact.Element{Name: c.text(name), Space: c.text(x.Namespace)}
	switch {
	case why != "":
	case x.Attribute && (kind == artifact.ContentArray || kind == artifact.ContentObject):
		why = "is an attribute, and an array or object"
	case x.Attribute:
		e.Kind, e.Content = artifact.ElementAttribute, uint32(len(c.bundle.Contents))
		c.bundle.Contents = append(c.bundle.Contents, artifact.Content{Scalars: artifact.Types(schema.Scalars(p.Schema))})
	case kind == artifact.ContentArray && !x.Wrapped:
		item, same := schema.Item(p.Schema)
		if !same {
			why = "is an array of several kinds of items"
		}
		e = c.xmlItem(item, p.Name)
	default:
		e.Content = c.content(p.Schema, name)
		alias = owner != nil && component(owner) != ""
	}
	if x.Prefix != "" && x.Namespace == "" {
		why = "has a prefix without a namespace"
	}
	return e, alias, why
}
