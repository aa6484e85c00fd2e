package compile

import (
	"mime"
	"slices"
	"strings"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/compile/schema"
	"github.com/threatgate/threatgate/internal/inventory"
)

// isRange reports whether a declared type is a media range (RFC 9110 section
// 12.5.1).
func isRange(name string) bool { return wildcards(name) > 0 }

// wildcards is how many parts of a media range are open.
func wildcards(name string) int { return strings.Count(name, "*") }

// readable are the media types whose bodies are read, from which a range
// picks those that it covers. "*" stands for any text.
var readable = []string{
	"*/json", "*/*+json", "application/xml", "text/xml", "*/*+xml",
	"application/x-www-form-urlencoded", "multipart/form-data", "text/plain",
}

// members are the media types of a range that its schema is enforced for: the
// schema is of the value, however that is written. It reports whether these
// are all that are readable: then the range is covered.
func (c *compiler) members(m *inventory.MediaType, d schema.Direction) (list []artifact.Media, all bool) {
	name, _ := mediaType(m.Type)
	kind, isWhole := strings.CutSuffix(name, "/*")
	if !isWhole || schema.Opaque(m.Schema) {
		return nil, false
	}
	all = kind == "*" || kind == "application" || kind == "text"
	for _, member := range readable {
		if kind != "*" && !strings.HasPrefix(member, kind+"/") {
			rest, open := strings.CutPrefix(member, "*/")
			if !open {
				continue
			}
			member = kind + "/" + rest
		}
		one := *m
		one.Type = member
		record, why := c.planMedia(&one, d)
		if why == "" {
			list = append(list, record)
		}
		all = all && (why == "" || misfit(member, m.Schema) != "") // no text is an object
	}
	return list, all
}

// parameters are those of a declared content type that tell it from others, as
// "name=value", sorted; the charset and the boundary don't.
func parameters(declared string) (list []string) {
	_, all, err := mime.ParseMediaType(declared)
	if err != nil {
		return nil
	}
	for name, value := range all {
		if name != "charset" && name != "boundary" && !strings.ContainsAny(value, ";=") {
			list = append(list, name+"="+value)
		}
	}
	slices.Sort(list)
	return list
}
