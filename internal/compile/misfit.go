package compile

import (
	"strings"

	"github.com/threatgate/threatgate/internal/compile/schema"
	"github.com/threatgate/threatgate/internal/inventory"
	"github.com/threatgate/threatgate/internal/violation"
)

// bodyTypes are the types of the values that bodies of a media type may stand
// for; of most it is not known. A form is an object (OAS 3.1.1 sections
// 4.8.14.3 and 4.8.14.4), a plain text a scalar (appendix B). Other texts and
// octets are a string, or outside of all types (OAS 3.0.4 and 3.1.1 section
// 4.4.2, JSON Schema 2020-12 core section 4.2.3). A string may be any of them,
// as it is written.
func bodyTypes(name string) inventory.TypeSet {
	switch {
	case name == "application/x-www-form-urlencoded", name == "multipart/form-data":
		return inventory.TypeObject | inventory.TypeString
	case name == "text/plain":
		return inventory.TypeString | inventory.TypeNumber | inventory.TypeInteger | inventory.TypeBoolean
	case isOctets(name):
		return inventory.TypeString
	}
	return inventory.TypeAny
}

// misfit says why no body of a media type can be of s, "" if one may be.
func misfit(name string, s *inventory.Schema) string {
	switch types := bodyTypes(name); {
	case schema.Scalars(s)&types != 0:
		return ""
	case types&inventory.TypeObject != 0:
		return notAnObject
	default:
		return "the schema admits no string, which is all that they are"
	}
}

const notAnObject = "it is not of an object"

// admitsMisfits reports whether bodies that can't be of their schema pass, or
// pass and are counted. Unless the model says so, requests are refused, and
// responses, which the service itself declares so, pass.
func (c *compiler) admitsMisfits(d schema.Direction) bool {
	choice := c.service.Unenforceable
	if choice == nil {
		return d == schema.Response
	}
	return *choice != violation.Unenforceable
}

// isOctets reports whether bodies of a media type have no structure that is
// known to map to arrays and objects, but are a text, a picture and the like.
func isOctets(name string) bool {
	kind, subtype, _ := strings.Cut(name, "/")
	if _, suffix, structured := strings.Cut(subtype, "+"); structured && suffix != "" {
		return false // RFC 6838 section 4.2.8
	}
	switch kind {
	case "text":
		return !structuredTexts[subtype]
	case "audio", "font", "image", "video":
		return true
	}
	return name == "application/octet-stream" || name == "application/pdf"
}

// structuredTexts are the subtypes of text that some servers read as arrays or
// objects.
var structuredTexts = map[string]bool{
	"csv": true, "csv-schema": true, "tab-separated-values": true, "event-stream": true, "uri-list": true,
	"json": true, "xml": true, "yaml": true, "x-yaml": true, "yml": true, "x-yml": true, "vnd.yaml": true,
	"toml": true, "x-toml": true, "calendar": true, "vcard": true, "x-protobuf": true, "*": true,
}
