package compile

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/compile/schema"
	"github.com/threatgate/threatgate/internal/inventory"
	"github.com/threatgate/threatgate/internal/violation"
)

// media orders content types from the most to the least specific, so that the
// first match is the best one (RFC 9110 section 12.5.1).
func (c *compiler) media(content []*inventory.MediaType, d schema.Direction) artifact.Range {
	kind := aMediaType
	if d == schema.Response {
		kind = ofResponse
	}
	ordered := slices.Clone(content)
	slices.SortStableFunc(ordered, func(a, b *inventory.MediaType) int {
		return cmp.Or(cmp.Compare(wildcards(a.Type), wildcards(b.Type)), -cmp.Compare(len(parameters(a.Type)), len(parameters(b.Type))))
	})
	var list []artifact.Media
	for _, m := range ordered {
		members, all := c.members(m, d)
		list = append(list, members...)
		record := c.mediaType(m, d)
		c.partial = c.partial && !all
		c.covered(kind, record.Root)
		list = append(list, record)
	}
	return share(c, &c.bundle.Media, list...)
}

func (c *compiler) mediaType(m *inventory.MediaType, d schema.Direction) artifact.Media {
	record, why := c.planMedia(m, d)
	name, _ := mediaType(m.Type)
	switch kind, subtype, _ := strings.Cut(name, "/"); {
	case kind == "" || subtype == "":
		c.diags.Warnf(m.Pos, "%q bodies are always refused: no media type is written so", m.Type)
		return record
	case record.Kind == artifact.MediaUnread:
		c.diags.Warnf(m.Pos, "%s bodies are always refused: %s; `unenforceable: pass` or `count` in the model lets them through", m.Type, misfit(name, m.Schema))
		return record
	case isRange(name) && why != "":
		c.unenforced(m.Pos, "the schema of %s bodies is enforced where they are JSON, XML, a form or text, and can be read so; of others only the size is judged", m.Type)
		return c.unread(record, m)
	case why != "":
		c.unenforced(m.Pos, "the schema of %s bodies is not enforced, only their type and size: %s", m.Type, why)
		return c.unread(record, m)
	}
	return record
}

// planMedia plans bodies of a media type, or says why it can't.
func (c *compiler) planMedia(m *inventory.MediaType, d schema.Direction) (record artifact.Media, why string) {
	name, isJSON := mediaType(m.Type)
	record = artifact.Media{Type: c.text(name), Parameters: c.text(strings.Join(parameters(m.Type), ";")), Kind: artifact.MediaOpaque}
	switch {
	case isJSON:
		record.Kind = artifact.MediaJSON
	case schema.Opaque(m.Schema), isOctets(name) && schema.AnyString(m.Schema):
	case misfit(name, m.Schema) != "":
		if c.admitsMisfits(d) {
			return record, misfit(name, m.Schema)
		}
		record.Kind, record.Root = artifact.MediaUnread, c.schemas.Mistyped(m.Schema)
		return record, ""
	case name == "application/x-www-form-urlencoded":
		record.Kind = artifact.MediaForm
		record.Fields, record.Extra, why = c.form(m, c.formField)
	case name == "multipart/form-data", name == "multipart/mixed":
		record.Kind = artifact.MediaMultipart
		record.Fields, record.Extra, why = c.form(m, c.partField)
	case isXML(name):
		record.Kind = artifact.MediaXML
		record.Roots, why = c.xml(m.Schema)
	case sequences[name] != artifact.MediaOpaque:
		return c.sequence(m, d, record)
	case strings.HasPrefix(name, "text/") && (isOctets(name) || name != "text/event-stream" && schema.Scalars(m.Schema) == inventory.TypeString):
		record.Kind, record.Extra = artifact.MediaText, artifact.TypeString
		if types := schema.Scalars(m.Schema); types != inventory.TypeAny {
			record.Extra = artifact.Types(types & bodyTypes(name))
		}
	case isOctets(name), m.Schema.Format == "binary" && !isRange(name):
		return c.octets(m, d, record)
	default:
		why = "such bodies are not read"
	}
	if why == "" && record.Kind != artifact.MediaOpaque {
		record.Root = c.schemas.Root(m.Schema, d)
	}
	return record, why
}

// octets plans bodies of which a schema can bound the size: what else it may
// say is of text. Even format byte is for binary data within a text (OAS 3.0.4
// and 3.1.1 section 4.4.2): where it is all of a body, some servers mean
// base64 and some the data itself.
func (c *compiler) octets(m *inventory.MediaType, d schema.Direction, record artifact.Media) (artifact.Media, string) {
	most, all := schema.Octets(m.Schema)
	if most == math.MaxUint32 || !all && c.schemas.Unread(m.Schema) != 0 {
		if all {
			return record, ""
		}
		return record, "it is of a text, and they are octets"
	}
	if !all {
		c.unenforced(m.Pos, "the schema of %s bodies is not enforced, only its maxLength, in bytes: the rest is of a text, and they are octets", m.Type)
	}
	record.Kind = artifact.MediaOctets
	record.Fields = share(c, &c.bundle.Fields, artifact.Field{Shape: artifact.ShapeFile, MaxSize: most})
	record.Root = c.schemas.Root(&inventory.Schema{Pos: m.Schema.Pos, Pointer: m.Schema.Pointer, Types: inventory.TypeString}, d)
	return record, ""
}

// unread plans bodies whose schema is not enforced.
func (c *compiler) unread(record artifact.Media, m *inventory.MediaType) artifact.Media {
	record.Kind = artifact.MediaOpaque
	if record.Root = c.schemas.Unread(m.Schema); record.Root != 0 {
		record.Kind = artifact.MediaUnread
	}
	return record
}

// sequences are the media types of several JSON texts.
var sequences = map[string]artifact.MediaKind{
	"application/jsonl":       artifact.MediaLines,
	"application/ndjson":      artifact.MediaLines,
	"application/x-jsonl":     artifact.MediaLines,
	"application/x-jsonlines": artifact.MediaLines,
	"application/x-ndjson":    artifact.MediaLines,
	"application/json-seq":    artifact.MediaSequence, // RFC 7464
}

// sequence plans a body of several JSON texts. Its schema is that of the
// array of them all if it is one of arrays, else that of each.
func (c *compiler) sequence(m *inventory.MediaType, d schema.Direction, record artifact.Media) (artifact.Media, string) {
	whole := m.Schema
	switch types := schema.Scalars(m.Schema); {
	case types&inventory.TypeArray == 0:
		whole = &inventory.Schema{Pos: whole.Pos, Pointer: whole.Pointer, Types: inventory.TypeArray, Items: whole}
	case types != inventory.TypeArray:
		return record, "it does not tell whether it is of each JSON text or of them all"
	}
	record.Kind = sequences[string(c.bundle.String(record.Type))]
	record.Root = c.schemas.Root(whole, d)
	return record, ""
}

// mediaType strips the parameters of a declared content type and reports
// whether its bodies are JSON (RFC 8259, RFC 6839 section 3.1).
func mediaType(declared string) (name string, isJSON bool) {
	name, _, _ = strings.Cut(strings.ToLower(declared), ";")
	name = strings.TrimSpace(name)
	_, subtype, _ := strings.Cut(name, "/")
	return name, subtype == "json" || strings.HasSuffix(subtype, "+json")
}

// form plans the fields of a form (OAS section 4.8.14.3) or multipart body
// (section 4.8.14.4), or says why it can't.
func (c *compiler) form(m *inventory.MediaType, plan func(*inventory.Schema, inventory.Encoding) (artifact.Field, string)) (fields artifact.Range, extra artifact.Types, why string) {
	properties, ok := c.schemas.Fields(m.Schema)
	others, _ := schema.Additional(m.Schema)
	if schema.Scalars(m.Schema)&inventory.TypeObject == 0 {
		return fields, 0, notAnObject
	}
	if !ok {
		return fields, 0, "it has if or dependentSchemas"
	}
	if isContainer(others) {
		return fields, 0, "properties that it does not name may be arrays or objects"
	}
	var list []artifact.Field
	for _, p := range properties {
		f, why := plan(p.Schema, encoding(m, p.Name))
		if why != "" {
			return fields, 0, fmt.Sprintf("property %q %s", p.Name, why)
		}
		f.Name = c.text(p.Name)
		list = append(list, f)
	}
	return share(c, &c.bundle.Fields, list...), artifact.Types(others), ""
}

// encoding is what is said of how a property is written; by default in style
// form, exploded.
func encoding(m *inventory.MediaType, property string) inventory.Encoding {
	for _, e := range m.Encoding {
		if e.Property == property {
			return *e
		}
	}
	return inventory.Encoding{Style: inventory.StyleForm, Explode: true}
}

// formField plans a field of a form. Where nothing is said of how an object is
// written, it may be a JSON text (OAS 3.1.1 section 4.8.15.1.1) or have
// brackets behind its name, as most clients write it.
func (c *compiler) formField(s *inventory.Schema, e inventory.Encoding) (f artifact.Field, why string) {
	types := schema.Scalars(s)
	f.Scalars = artifact.Types(types)
	isArray := types&^(inventory.TypeArray|inventory.TypeNull) == 0
	name, isJSON := mediaType(e.ContentType)
	switch {
	case e.Style == inventory.StyleDeepObject && types&containers != 0:
		return c.deep(s)
	case isJSON && types&inventory.TypeArray != 0 && types != inventory.TypeAny:
		return f, "is an array of which its encoding does not tell whether the whole or each item is JSON"
	case isJSON:
		f.Shape = artifact.ShapeJSON
	case name != "" && name != "text/plain":
		return f, "is written as " + e.ContentType
	case !isContainer(types):
	case types&inventory.TypeObject != 0:
		if f, why = c.deep(s); types&^(containers|inventory.TypeNull) == 0 {
			f.Shape = artifact.ShapeJSON
		}
		return f, why
	case !isArray:
		return f, "may be a scalar or an array"
	case e.Style != inventory.StyleForm || !e.Explode:
		return f, fmt.Sprintf("is an array in style %s, exploded: %t", e.Style, e.Explode)
	default:
		items := schema.ItemScalars(s)
		switch {
		case items == inventory.TypeObject:
			f, why = c.deep(s)
			f.Shape = artifact.ShapeJSON
		case isContainer(items):
			why = "may be an array of arrays, or of objects and others"
		}
		f.Array, f.Scalars = 1, artifact.Types(items)
	}
	return f, why
}

// partField plans a part, and the headers that it is declared to have (OAS
// section 4.8.15).
func (c *compiler) partField(s *inventory.Schema, e inventory.Encoding) (f artifact.Field, why string) {
	var headers []artifact.Parameter
	for _, h := range e.Headers {
		if !strings.EqualFold(h.Name, "content-type") { // which is said otherwise
			headers = append(headers, c.parameter(h, violation.InHeader, 0))
		}
	}
	f, why = c.partValue(s, e)
	f.Headers = share(c, &c.bundle.Parameters, headers...)
	return f, why
}

// partValue plans what a form has, and also files.
func (c *compiler) partValue(s *inventory.Schema, e inventory.Encoding) (f artifact.Field, why string) {
	name, isJSON := mediaType(e.ContentType)
	file, isArray := s, false
	if s.Types == inventory.TypeArray && s.Items != nil {
		file, isArray = s.Items, true
	}
	switch size, isFile := schema.File(file); {
	case isFile && !isJSON && name != "text/plain":
		f = artifact.Field{Shape: artifact.ShapeFile, MaxSize: size, ContentTypes: c.text(mediaTypes(e.ContentType))}
		if isArray {
			f.Array = 1
		}
		return f, ""
	}
	return c.formField(s, e)
}

// mediaTypes are those of a list, separated by ", ".
func mediaTypes(list string) string {
	all := strings.Split(list, ",")
	for i := range all {
		all[i], _ = mediaType(all[i])
	}
	return strings.Join(all, ", ")
}

// isContainer reports whether a value may be an array or object. Where a
// schema names no type at all, it is a text.
func isContainer(types inventory.TypeSet) bool {
	return types != inventory.TypeAny && types&containers != 0
}
