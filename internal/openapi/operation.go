package openapi

import (
	"slices"
	"strings"

	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/inventory"
)

// paths reads the Paths object (OAS section 4.8.8). inherited is the
// document's own security.
func (l *loader) paths(f *field, inherited inventory.Security) {
	ids := map[string]diag.Pos{}
	members := l.members(f)
	for i := range members {
		f := &members[i]
		switch {
		case strings.HasPrefix(f.name, "x-"):
		case !strings.HasPrefix(f.name, "/"):
			l.diags.Errorf(f.pos(), "path %q does not start with a slash", f.name)
		case strings.ContainsAny(f.name, "#?"):
			l.diags.Warnf(f.pos(), "path %q has a fragment or a query, which no request's path has; its operations are ignored", f.name)
		default:
			if names, ok := l.template(f); ok {
				l.path(f, names, inherited, ids)
			}
		}
	}
}

// template finds the names in the path's braces (OAS section 4.8.8.2).
func (l *loader) template(f *field) (names []string, ok bool) {
	for rest := f.name; ; {
		open := strings.IndexAny(rest, "{}")
		if open < 0 {
			return names, true
		}
		end := strings.IndexAny(rest[open+1:], "{}/")
		if rest[open] == '}' || end <= 0 || rest[open+1+end] != '}' {
			l.diags.Errorf(f.pos(), "path %q has braces that don't enclose a name", f.name)
			return nil, false
		}
		name := rest[open+1 : open+1+end]
		if slices.Contains(names, name) {
			l.diags.Warnf(f.pos(), "path %q has {%s} twice", f.name, name)
		}
		names = append(names, name)
		rest = rest[open+1+end+1:]
	}
}

// path reads a Path Item object (OAS section 4.8.9) at the template in f, which has the names.
func (l *loader) path(f *field, names []string, inherited inventory.Security, ids map[string]diag.Pos) {
	n := l.reach(f, pathItems)
	if n == nil {
		return
	}
	var shared []*inventory.Parameter
	var servers []inventory.Server
	for i := range n.fields {
		switch f := &n.fields[i]; f.name {
		case "parameters":
			shared = l.parameters(f)
		case "servers":
			servers = l.servers(f)
		}
	}
	for i := range n.fields {
		switch method := &n.fields[i]; method.name {
		case "get", "put", "post", "delete", "options", "head", "patch", "trace":
			if !l.is(method, object) {
				continue
			}
			op := &inventory.Operation{
				Method:   strings.ToUpper(method.name),
				Path:     f.name,
				Pos:      method.pos(),
				Servers:  servers,
				Security: inherited,
			}
			own := l.operation(op, method.value)
			op.Parameters = l.fit(f, names, merge(shared, own))
			if id := method.value.get("operationId"); op.ID != "" {
				if first, taken := ids[op.ID]; taken {
					l.diags.Warnf(id.value.pos(), "operationId %q is taken by the operation at %s; this one goes by %s %s", op.ID, first, op.Method, op.Path)
					op.ID = ""
				} else {
					ids[op.ID] = op.Pos
				}
			}
			l.api.Operations = append(l.api.Operations, op)
		case "parameters", "servers", "summary", "description", "$ref":
		default:
			l.unknown(method, "a path item")
		}
	}
}

// operation reads an Operation object (OAS section 4.8.10) into op and returns its own parameters.
func (l *loader) operation(op *inventory.Operation, n *node) (own []*inventory.Parameter) {
	for i := range n.fields {
		switch f := &n.fields[i]; f.name {
		case "operationId":
			op.ID = l.text(f)
		case "summary":
			op.Summary = l.text(f)
		case "tags":
			op.Tags = l.texts(f)
		case "deprecated":
			op.Deprecated = l.bool(f)
		case "parameters":
			own = l.parameters(f)
		case "requestBody":
			op.Body = l.body(f)
		case "responses":
			op.Responses = l.responses(f)
		case "security":
			op.Security = l.security(f)
		case "servers":
			if servers := l.servers(f); len(servers) > 0 {
				op.Servers = servers
			}
		case "description", "externalDocs", "callbacks":
		default:
			l.unknown(f, "an operation")
		}
	}
	return own
}

// merge is the path's parameters, each replaced by the operation's of the same
// name and place, then the rest of the operation's.
func merge(shared, own []*inventory.Parameter) []*inventory.Parameter {
	out := slices.Clone(shared)
	for _, p := range own {
		if i := slices.IndexFunc(shared, func(q *inventory.Parameter) bool { return same(p, q) }); i >= 0 {
			out[i] = p
		} else {
			out = append(out, p)
		}
	}
	return out
}

// fit compares path parameters with the template at f: those that it doesn't
// mention can't be sent and are dropped; a name without one takes any text.
func (l *loader) fit(f *field, names []string, params []*inventory.Parameter) []*inventory.Parameter {
	var declared []string
	out := slices.DeleteFunc(params, func(p *inventory.Parameter) bool {
		if p.In != inventory.InPath {
			return false
		}
		declared = append(declared, p.Name)
		if slices.Contains(names, p.Name) {
			return false
		}
		l.diags.Warnf(p.Pos, "path %q has no {%s}; the parameter is ignored", f.name, p.Name)
		return true
	})
	for _, name := range names {
		if !slices.Contains(declared, name) {
			l.diags.Warnf(f.pos(), "path %q: {%s} is not declared as a parameter, so any text is accepted there", f.name, name)
		}
	}
	return out
}
