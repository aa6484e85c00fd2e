package openapi

import (
	"path/filepath"
	"strings"

	"github.com/threatgate/threatgate/internal/inventory"
)

// document reads the OpenAPI object (OAS section 4.8.1).
func (l *loader) document() {
	root := l.root
	l.api = &inventory.API{Pos: root.pos(), Schemes: map[string]*inventory.SecurityScheme{}}
	if !l.version(root) {
		return
	}
	if l.v31 {
		l.identify(root)
	}
	var paths *field
	for i := range root.fields {
		switch f := &root.fields[i]; f.name {
		case "info":
			l.info(f)
		case "servers":
			l.api.Servers = l.servers(f)
		case "paths":
			paths = f
		case "components":
			l.components(f)
		case "webhooks", "jsonSchemaDialect":
			if !l.v31 {
				l.unknown(f, "OpenAPI 3.0")
			} else if f.name == "jsonSchemaDialect" {
				l.dialect(f)
			}
		case "openapi", "security", "tags", "externalDocs":
		default:
			l.unknown(f, "an OpenAPI document")
		}
	}
	if l.api.Name = slug(l.api.Title); l.api.Name == "" {
		base := filepath.Base(root.src.file)
		l.api.Name = slug(strings.TrimSuffix(base, filepath.Ext(base)))
	}
	if l.api.Name == "" {
		l.api.Name = "api"
	}
	var inherited inventory.Security
	if f := root.get("security"); f != nil {
		inherited = l.security(f)
	}
	switch {
	case paths != nil:
		l.paths(paths, inherited)
	case l.v31:
		l.diags.Warnf(root.pos(), "the document has no paths, so there is nothing to protect")
	default:
		l.diags.Errorf(root.pos(), "the document has no paths")
	}
}

// version finds the dialect; it reports whether there is one we read.
func (l *loader) version(root *node) bool {
	if root.kind != object {
		l.diags.Errorf(root.pos(), "an OpenAPI document is an object, not %s", root.kind)
		return false
	}
	f := root.get("openapi")
	switch swagger := root.get("swagger"); {
	case f == nil && swagger != nil:
		l.diags.Errorf(swagger.pos(), "this is Swagger %s: convert it to OpenAPI 3 first", swagger.value.text)
		return false
	case f == nil:
		if kind := root.get("kind"); kind != nil && kind.value.text == "ThreatModel" {
			l.diags.Errorf(kind.pos(), "this is a threat model: --model names it")
			return false
		}
		l.diags.Errorf(root.pos(), `not an OpenAPI document: there is no "openapi" field`)
		return false
	case f.value.kind != text && f.value.kind != number: // YAML reads 3.1 as a number
		l.wrongKind(f, text)
		return false
	}
	major, rest, _ := strings.Cut(f.value.text, ".")
	minor, _, _ := strings.Cut(rest, ".")
	l.api.Format = "openapi-3.1"
	switch major + "." + minor {
	case "3.0":
		l.api.Format = "openapi-3.0"
	case "3.1":
		l.v31 = true
	case "3.2":
		l.v31 = true
		l.diags.Warnf(f.value.pos(), "OpenAPI 3.2 is read as 3.1: what is new in it is not enforced")
	default:
		l.diags.Errorf(f.value.pos(), "OpenAPI %q is not read; 3.0 and 3.1 are", f.value.text)
		return false
	}
	return true
}

func (l *loader) info(f *field) {
	members := l.members(f)
	for i := range members {
		switch f := &members[i]; f.name {
		case "title":
			l.api.Title = l.text(f)
		case "version":
			if f.value.kind == number { // YAML reads 1.0 as a number
				l.api.Version = f.value.text
			} else {
				l.api.Version = l.text(f)
			}
		}
	}
}

// slug is s in lower case with everything but letters and digits turned into single dashes.
func slug(s string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(s) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			b.WriteRune(r)
		} else if b.Len() > 0 && !strings.HasSuffix(b.String(), "-") {
			b.WriteByte('-')
		}
	}
	return strings.TrimSuffix(b.String(), "-")
}

// components reads what operations name without a reference, the security
// schemes; all else is read where it is referred to.
func (l *loader) components(f *field) {
	members := l.members(f)
	for i := range members {
		switch f := &members[i]; f.name {
		case "securitySchemes":
			l.schemes(f)
		case "schemas", "responses", "parameters", "examples", "requestBodies", "headers", "links", "callbacks":
		case "pathItems":
			if !l.v31 {
				l.unknown(f, "components of OpenAPI 3.0")
			}
		default:
			l.unknown(f, "components")
		}
	}
}
