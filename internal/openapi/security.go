package openapi

import (
	"strings"

	"github.com/threatgate/threatgate/internal/inventory"
)

// schemes reads components.securitySchemes (OAS section 4.8.27).
func (l *loader) schemes(f *field) {
	members := l.members(f)
	for i := range members {
		if n := l.reach(&members[i], securitySchemes); n != nil {
			l.api.Schemes[members[i].name] = l.scheme(members[i].name, n)
		}
	}
}

func (l *loader) scheme(name string, n *node) *inventory.SecurityScheme {
	s := &inventory.SecurityScheme{Name: name, Pos: n.pos()}
	var in *field
	for i := range n.fields {
		switch f := &n.fields[i]; f.name {
		case "type":
			s.Type = l.text(f)
		case "scheme":
			s.HTTPScheme = strings.ToLower(l.text(f))
		case "name":
			s.Key = l.text(f)
		case "in":
			in = f
		case "description", "bearerFormat", "flows", "openIdConnectUrl":
		default:
			l.unknown(f, "a security scheme")
		}
	}
	switch s.Type {
	case "http":
		switch s.HTTPScheme {
		case "":
			l.diags.Errorf(n.pos(), "security scheme %q of type http needs a scheme", name)
		case "bearer":
			s.Kind = inventory.SchemeBearer
		case "basic":
			s.Kind = inventory.SchemeBasic
		default:
			s.Kind = inventory.SchemeHTTPOther
		}
	case "oauth2", "openIdConnect":
		s.Kind = inventory.SchemeBearer
	case "mutualTLS":
		s.Kind = inventory.SchemeMutualTLS
	case "apiKey":
		s.Kind = inventory.SchemeAPIKey
		if s.Key == "" || in == nil {
			l.diags.Errorf(n.pos(), "security scheme %q of type apiKey needs name and in", name)
			break
		}
		where, ok := l.in(in)
		if ok && where == inventory.InPath {
			l.diags.Errorf(in.value.pos(), "an API key is in query, header or cookie, not in path")
		}
		s.In = where
	case "":
		l.diags.Errorf(n.pos(), "security scheme %q needs a type", name)
	default:
		l.diags.Errorf(n.get("type").value.pos(), "%q is not a type of security scheme", s.Type)
	}
	return s
}

// security reads an array of Security Requirement objects (OAS section
// 4.8.30). An empty array and an empty requirement are statements, so nothing
// is taken for absent here.
func (l *loader) security(f *field) inventory.Security {
	s := inventory.Security{Declared: true, Pos: f.pos()}
	if f.value.kind != array {
		l.wrongKind(f, array)
		return s
	}
	for i := range f.value.fields {
		alternative := &f.value.fields[i]
		if alternative.value.kind != object {
			l.wrongKind(alternative, object)
			continue
		}
		requirement := inventory.Requirement{}
		for j := range alternative.value.fields {
			use := &alternative.value.fields[j]
			if l.api.Schemes[use.name] == nil {
				l.diags.Errorf(use.pos(), "security scheme %q is not declared in components.securitySchemes", use.name)
			}
			requirement = append(requirement, inventory.SchemeUse{Scheme: use.name, Scopes: l.texts(use)})
		}
		s.Alternatives = append(s.Alternatives, requirement)
	}
	return s
}
