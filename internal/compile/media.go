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
	"github.com/threatgate/threatgate/internal/policy"
)

// media orders an operation's content types from the most to the least
// specific, so that the first match is the best one (RFC 9110 section 12.5.1).
func (c *compiler) media(o *policy.Operation) artifact.Range {
	if o.Body == nil {
		return artifact.Range{}
	}
	var list []artifact.Media
	for _, m := range o.Body.Content {
		list = append(list, c.mediaType(m))
	}
	slices.SortStableFunc(list, func(a, b artifact.Media) int {
		return cmp.Compare(wildcards(c.bundle.String(a.Type)), wildcards(c.bundle.String(b.Type)))
	})
	return grow(&c.bundle.Media, list...)
}

func (c *compiler) mediaType(m *inventory.MediaType) artifact.Media {
	name, isJSON := mediaType(m.Type)
	record := artifact.Media{Type: c.text(name), Kind: artifact.MediaOpaque}
	why := ""
	switch {
	case isJSON:
		record.Kind = artifact.MediaJSON
	case schema.Opaque(m.Schema):
	case name == "application/x-www-form-urlencoded":
		record.Kind = artifact.MediaForm
		record.Fields, record.Extra, why = c.form(m, formField)
	case name == "multipart/form-data":
		record.Kind = artifact.MediaMultipart
		record.Fields, record.Extra, why = c.form(m, c.partField)
	case sequences[name] != artifact.MediaOpaque:
		return c.sequence(m, record)
	case strings.HasPrefix(name, "text/") && schema.Scalars(m.Schema) == inventory.TypeString:
		record.Kind = artifact.MediaText
	default:
		why = "such bodies are not read"
	}
	switch {
	case why != "":
		c.unenforced(m.Pos, "the schema of %s bodies is not enforced, only their type and size: %s", m.Type, why)
		record.Kind = artifact.MediaOpaque
	case record.Kind != artifact.MediaOpaque:
		record.Root = c.schemas.Root(m.Schema, schema.Request)
	}
	return record
}

// sequences are the media types of several JSON texts.
var sequences = map[string]artifact.MediaKind{
	"application/jsonl":       artifact.MediaLines,
	"application/x-jsonlines": artifact.MediaLines,
	"application/x-ndjson":    artifact.MediaLines,
	"application/json-seq":    artifact.MediaSequence, // RFC 7464
}

// sequence plans a body of several JSON texts. Its schema is that of the
// array of them all if it is one of arrays, else that of each.
func (c *compiler) sequence(m *inventory.MediaType, record artifact.Media) artifact.Media {
	whole := m.Schema
	switch types := schema.Scalars(m.Schema); {
	case types&inventory.TypeArray == 0:
		whole = &inventory.Schema{Pos: whole.Pos, Pointer: whole.Pointer, Types: inventory.TypeArray, Items: whole}
	case types != inventory.TypeArray:
		c.unenforced(m.Pos, "the schema of %s bodies is not enforced, only their type and size: it does not tell whether it is of each JSON text or of them all", m.Type)
		return record
	}
	record.Kind = sequences[string(c.bundle.String(record.Type))]
	record.Root = c.schemas.Root(whole, schema.Request)
	return record
}

// mediaType strips the parameters of a declared content type and reports
// whether its bodies are JSON (RFC 8259, RFC 6839 section 3.1).
func mediaType(declared string) (name string, isJSON bool) {
	name, _, _ = strings.Cut(strings.ToLower(declared), ";")
	name = strings.TrimSpace(name)
	_, subtype, _ := strings.Cut(name, "/")
	return name, subtype == "json" || strings.HasSuffix(subtype, "+json")
}

// wildcards is how many parts of a media range are open.
func wildcards(name []byte) int { return bytes.Count(name, []byte{'*'}) }

// form plans the fields of a form (OAS section 4.8.14.3) or multipart body
// (section 4.8.14.4), or says why it can't.
func (c *compiler) form(m *inventory.MediaType, plan func(*inventory.Schema, inventory.Encoding) (artifact.Field, string)) (fields artifact.Range, extra artifact.Types, why string) {
	properties, ok := schema.Fields(m.Schema)
	others, _ := schema.Additional(m.Schema)
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
	return grow(&c.bundle.Fields, list...), artifact.Types(others), ""
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

func formField(s *inventory.Schema, e inventory.Encoding) (f artifact.Field, why string) {
	types := schema.Scalars(s)
	f.Scalars = artifact.Types(types)
	isArray := types&^(inventory.TypeArray|inventory.TypeNull) == 0
	name, isJSON := mediaType(e.ContentType)
	switch {
	case isJSON && types&inventory.TypeArray != 0 && types != inventory.TypeAny:
		return f, "is an array of which its encoding does not tell whether the whole or each item is JSON"
	case isJSON:
		f.Shape = artifact.ShapeJSON
	case name != "" && name != "text/plain":
		return f, "is written as " + e.ContentType
	case !isContainer(types):
	case types&inventory.TypeObject != 0:
		return f, "may be an object"
	case !isArray:
		return f, "may be a scalar or an array"
	case e.Style != inventory.StyleForm || !e.Explode:
		return f, fmt.Sprintf("is an array in style %s, exploded: %t", e.Style, e.Explode)
	default:
		items := schema.ItemScalars(s)
		if isContainer(items) {
			return f, "may be an array of arrays or objects"
		}
		f.Array, f.Scalars = 1, artifact.Types(items)
	}
	return f, ""
}

// partField plans a part: what a form has, and also files and JSON objects.
func (c *compiler) partField(s *inventory.Schema, e inventory.Encoding) (f artifact.Field, why string) {
	for _, h := range e.Headers {
		c.unenforced(h.Pos, "header %q of a part is not enforced", h.Name)
	}
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
	case schema.Scalars(s)&^inventory.TypeNull == inventory.TypeObject && name == "":
		e.ContentType = "application/json"
	}
	return formField(s, e)
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
