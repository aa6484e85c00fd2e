package openapi

import (
	"strings"

	"github.com/threatgate/threatgate/internal/inventory"
)

// maxExpansions bounds the base paths that the variables of one server give.
const maxExpansions = 64

// servers reads an array of Server objects (OAS section 4.8.5).
func (l *loader) servers(f *field) []inventory.Server {
	var out []inventory.Server
	elements := l.elements(f)
	for i := range elements {
		if l.is(&elements[i], object) {
			out = append(out, l.server(elements[i].value)...)
		}
	}
	return out
}

// server reads one Server object. A variable in the host makes the host
// unknown; one in the path gives one server for each of its values.
func (l *loader) server(n *node) []inventory.Server {
	var url, variables *field
	for i := range n.fields {
		switch f := &n.fields[i]; f.name {
		case "url":
			url = f
		case "variables":
			variables = f
		case "description":
		default:
			l.unknown(f, "a server")
		}
	}
	if url == nil || !l.is(url, text) {
		l.diags.Errorf(n.pos(), "a server needs a url")
		return nil
	}
	host, path := splitServer(url.value.text)
	paths := []string{path}
	if variables != nil {
		members := l.members(variables)
		for i := range members {
			paths = l.expand(paths, &members[i])
		}
	}
	var out []inventory.Server
	for _, p := range paths {
		if strings.Contains(p, "{") {
			l.diags.Warnf(url.value.pos(), "the path of the server's url has a variable without a value; the server is ignored")
			return nil
		}
		out = append(out, inventory.Server{Host: host, BasePath: strings.TrimRight(p, "/"), Pos: n.pos()})
	}
	return out
}

// splitServer splits a server's URL, which may be relative and have variables,
// into host, "" where it is not fixed, and path, "" or with a leading slash.
func splitServer(url string) (host, path string) {
	if end := strings.IndexAny(url, "?#"); end >= 0 {
		url = url[:end]
	}
	path = url
	if _, rest, ok := strings.Cut(url, "//"); ok && !strings.HasPrefix(url, "/") || strings.HasPrefix(url, "//") {
		host, path = rest, ""
		if slash := strings.IndexByte(rest, '/'); slash >= 0 {
			host, path = rest[:slash], rest[slash:]
		}
	}
	if strings.Contains(host, "{") {
		host = ""
	}
	if path != "" && path[0] != '/' {
		path = "/" + path
	}
	return strings.ToLower(host), path
}

// expand replaces one variable (OAS section 4.8.6) by each of its values.
func (l *loader) expand(paths []string, variable *field) []string {
	placeholder := "{" + variable.name + "}"
	if !l.is(variable, object) || !strings.Contains(paths[0], placeholder) {
		return paths
	}
	var values []string
	if f := variable.value.get("enum"); f != nil {
		for _, e := range l.elements(f) {
			values = append(values, e.value.text)
		}
	} else if f := variable.value.get("default"); f != nil {
		values = []string{f.value.text}
	}
	var out []string
	for _, p := range paths {
		for _, v := range values {
			out = append(out, strings.ReplaceAll(p, placeholder, strings.Trim(v, "/")))
		}
	}
	if len(out) > maxExpansions {
		l.diags.Warnf(variable.pos(), "the server's variables give %d base paths; the first %d are used", len(out), maxExpansions)
		out = out[:maxExpansions]
	}
	if len(out) == 0 {
		return paths
	}
	return out
}
