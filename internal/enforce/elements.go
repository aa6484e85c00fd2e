package enforce

import (
	"bytes"
	"slices"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/enforce/xml"
	"github.com/threatgate/threatgate/internal/violation"
)

// elements is how far an XML document has been judged. It is judged as the
// value that OpenAPI's XML objects say it is (OAS section 4.8.26); the items
// of an array that has no element of its own must follow each other.
type elements struct {
	open  []element
	below int // open elements within the last one, if nothing is said of that
}

// element is an open element.
type element struct {
	content artifact.Content
	space   []byte            // its namespace
	list    *artifact.Element // of an object: the array of which items arrive; nil: none
	null    bool              // it stands for null
}

// beginDocument prepares to read a document.
func (b *body) beginDocument() {
	meta := &b.bundle.Meta
	b.document.Reset(xml.Limits{MaxDepth: int(meta.MaxDepth), MaxToken: int(meta.MaxToken)})
	b.elements = elements{open: b.elements.open[:0]}
	b.fields.malformed = violation.XML
	b.names.Reset()
}

// readDocument takes all tokens that the document has.
func (b *body) readDocument() {
	for !b.machine.Stopped() {
		switch b.document.Next() {
		case xml.More, xml.End:
			return
		case xml.Begin:
			b.beginElement()
		case xml.Part:
			b.elementText(b.document.Bytes)
		case xml.Close:
			b.endElement()
		case xml.Failed:
			b.machine.Refuse(documentCodes[b.document.Err])
		}
	}
}

var documentCodes = [...]violation.Code{
	xml.Syntax:      violation.XML,
	xml.Depth:       violation.Depth,
	xml.TokenLength: violation.TokenLength,
}

// beginElement begins an element in its place: as the root, an item, or a
// property.
func (b *body) beginElement() {
	name := b.document.Name
	if len(b.elements.open) == 0 {
		b.beginDeclared(b.findRoot(name))
		return
	}
	switch last := &b.elements.open[len(b.elements.open)-1]; {
	case !last.null && last.content.Kind == artifact.ContentAny:
		b.elements.below++
		b.writeAny()
	case !last.null && last.content.Kind == artifact.ContentObject:
		b.beginProperty(last, name)
	case !last.null && last.content.Kind == artifact.ContentArray:
		item := &b.bundle.Elements[last.content.Elements.Off]
		if item.Name.Len > 0 && !b.writes(item, name, last.space) {
			item = nil
		}
		b.beginDeclared(item)
	default:
		b.machine.Refuse(violation.Type) // a text or nothing belongs there
	}
}

// findRoot is what the document's root may be, nil if it may not. A schema
// may leave its name open.
func (b *body) findRoot(name xml.Name) *artifact.Element {
	roots := artifact.Of(b.bundle.Elements, b.media.Roots)
	for i := range roots {
		if roots[i].Name.Len == 0 || b.writes(&roots[i], name, nil) {
			return &roots[i]
		}
	}
	return nil
}

func (b *body) beginDeclared(e *artifact.Element) {
	if e == nil {
		b.machine.Refuse(violation.UndeclaredProperty)
		return
	}
	b.beginContent(b.bundle.Contents[e.Content])
}

// beginProperty begins an element of an object.
func (b *body) beginProperty(object *element, name xml.Name) {
	e, known := b.findElement(&object.content, name, object.space, false)
	if e == nil || e != object.list {
		b.endItems(object)
		if !b.elementProperty(e, name.Local) {
			return
		}
	}
	switch {
	case e != nil:
		if e.Kind == artifact.ElementItem && object.list == nil {
			object.list = e
			b.machine.BeginArray()
		}
		b.beginContent(b.bundle.Contents[e.Content])
	case known:
		b.machine.Refuse(violation.UndeclaredProperty)
	case object.content.Scalars == artifact.TypeAny:
		b.beginContent(artifact.Content{Kind: artifact.ContentAny})
	default:
		b.beginContent(artifact.Content{Scalars: object.content.Scalars})
	}
}

// elementProperty feeds the name of a property, which may come once.
func (b *body) elementProperty(e *artifact.Element, local []byte) bool {
	if e != nil {
		local = b.bundle.String(e.Property)
	}
	if !b.property(local) {
		b.machine.Refuse(violation.RepeatedField)
		return false
	}
	return true
}

// endItems ends the array of which items have arrived.
func (b *body) endItems(object *element) {
	if object.list != nil {
		b.machine.EndArray()
		object.list = nil
	}
}

// findElement is what an element or attribute of an object is, nil if it is
// not declared. Then known reports whether one is that some reader, which
// looks for the other kind or overlooks namespaces, takes it for.
func (b *body) findElement(object *artifact.Content, name xml.Name, around []byte, attribute bool) (e *artifact.Element, known bool) {
	all := artifact.Of(b.bundle.Elements, object.Elements)
	i, known := slices.BinarySearchFunc(all, name.Local, func(e artifact.Element, local []byte) int {
		return bytes.Compare(b.bundle.String(e.Name), local)
	})
	if attribute {
		around = nil
	}
	for ; i < len(all) && bytes.Equal(b.bundle.String(all[i].Name), name.Local); i++ {
		e := &all[i]
		if e.Kind != artifact.ElementNone && (e.Kind == artifact.ElementAttribute) == attribute && b.writes(e, name, around) {
			return e, true
		}
	}
	return nil, known
}

// writes reports whether e is written with this name. Where it has no
// namespace, the element may be in that of the one around it.
func (b *body) writes(e *artifact.Element, name xml.Name, around []byte) bool {
	space := b.bundle.String(e.Space)
	return bytes.Equal(b.bundle.String(e.Name), name.Local) &&
		(bytes.Equal(space, name.Space) || len(space) == 0 && bytes.Equal(around, name.Space))
}

// beginContent begins the value that the current element holds.
func (b *body) beginContent(content artifact.Content) {
	e := element{content: content, space: b.document.Name.Space}
	if e.null = content.Kind != artifact.ContentAny && b.isNil(); e.null {
		b.machine.Null()
	} else {
		b.beginValueOf(&e)
	}
	b.elements.open = append(b.elements.open, e)
}

func (b *body) beginValueOf(e *element) {
	m := &b.machine
	switch e.content.Kind {
	case artifact.ContentObject:
		m.BeginObject()
		b.names.Push()
		for _, a := range b.document.Attributes {
			b.judgeAttribute(&e.content, a)
		}
		return
	case artifact.ContentAny:
		b.writeAny()
		return
	case artifact.ContentArray:
		m.BeginArray()
	default:
		b.fields.now = artifact.Field{Scalars: e.content.Scalars}
		b.beginValue()
	}
	if len(b.document.Attributes) > 0 {
		m.Refuse(violation.UndeclaredProperty) // which an array or text has none of
	}
}

// judgeAttribute judges an attribute as a property.
func (b *body) judgeAttribute(object *artifact.Content, a xml.Attribute) {
	e, known := b.findElement(object, a.Name, nil, true)
	if b.machine.Stopped() || !b.elementProperty(e, a.Local) {
		return
	}
	switch {
	case e != nil:
		b.scalar(b.bundle.Contents[e.Content].Scalars, a.Value)
	case bytes.Equal(a.Space, instance) && (bytes.Equal(a.Local, isNil) || bytes.Equal(a.Local, isType)):
		b.machine.Refuse(violation.XML) // to those who know it the element is another
	case known:
		b.machine.Refuse(violation.UndeclaredProperty)
	default:
		b.scalar(object.Scalars, a.Value)
	}
}

var (
	instance = []byte("http://www.w3.org/2001/XMLSchema-instance")
	isNil    = []byte("nil")
	isType   = []byte("type")
	isTrue   = []byte("true")
)

// isNil reports whether the element says that it stands for null, as XML
// Schema has it (part 1, section 2.6.2; OAS 3.2 section 4.26).
func (b *body) isNil() bool {
	all := b.document.Attributes
	return len(all) == 1 && bytes.Equal(all[0].Space, instance) && bytes.Equal(all[0].Local, isNil) && bytes.Equal(all[0].Value, isTrue)
}

// writeAny feeds an element of which nothing is said as a part of a text, so
// that different ones are different items.
func (b *body) writeAny() {
	b.machine.Part(startOfTag)
	b.machine.Part(b.document.Name.Local)
	for _, a := range b.document.Attributes {
		b.machine.Part(startOfTag)
		b.machine.Part(a.Local)
		b.machine.Part(startOfTag)
		b.machine.Part(a.Value)
	}
}

var startOfTag, endOfTag = []byte("<"), []byte(">")

// elementText is a part of the text in the current element.
func (b *body) elementText(part []byte) {
	switch last := &b.elements.open[len(b.elements.open)-1]; {
	case last.null, last.content.Kind == artifact.ContentObject, last.content.Kind == artifact.ContentArray:
		if len(bytes.Trim(part, xml.Space)) > 0 {
			b.machine.Refuse(violation.Type)
		}
	case last.content.Kind == artifact.ContentText:
		b.valuePart(part, false)
	default:
		b.machine.Part(part)
	}
}

func (b *body) endElement() {
	s, m := &b.elements, &b.machine
	if s.below > 0 {
		s.below--
		m.Part(endOfTag)
		return
	}
	last := &s.open[len(s.open)-1]
	switch {
	case last.null:
	case last.content.Kind == artifact.ContentObject:
		b.endItems(last)
		b.names.Pop()
		m.EndObject()
	case last.content.Kind == artifact.ContentArray:
		m.EndArray()
	case last.content.Kind == artifact.ContentText:
		b.valuePart(nil, true)
	default:
		m.EndString(endOfTag)
	}
	s.open = s.open[:len(s.open)-1]
}
