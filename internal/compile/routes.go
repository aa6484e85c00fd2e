package compile

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/policy"
)

// branch is a node of the route tree while it grows.
type branch struct {
	literals  map[string]*branch
	templates []*template
	methods   []artifact.Method
}

type template struct {
	pieces []string // "" is a capture
	branch *branch
}

// routes makes the tree of each host, or of all. Hosts that have the same
// routes share one.
func (c *compiler) routes() {
	if len(c.service.Hosts) == 0 {
		c.tree("")
	}
	roots := map[string]uint32{}
	for _, host := range c.service.Hosts {
		routes := ""
		for _, o := range c.service.Operations {
			routes += fmt.Sprintf("%q\n", o.BasePathsAt(host))
		}
		if _, known := roots[routes]; !known {
			roots[routes] = c.tree(host)
		}
		c.bundle.Hosts = append(c.bundle.Hosts, artifact.Host{Name: c.text(host), Root: roots[routes]})
	}
}

// tree puts every operation that a host has into one tree. Templates that
// differ only in the names of their parameters share a branch, so their
// methods merge.
func (c *compiler) tree(host string) (root uint32) {
	trunk := &branch{}
	for i, o := range c.service.Operations {
		for _, base := range o.BasePathsAt(host) {
			at := trunk
			for _, segment := range segments(base) {
				at = at.literal(segment)
			}
			for _, segment := range segments(o.Path) {
				at = at.child(segment)
			}
			name := c.text(o.Method)
			if slices.ContainsFunc(at.methods, func(m artifact.Method) bool { return m.Name == name }) {
				c.diags.Errorf(o.Operation.Operation.Pos, "%s %s%s is declared more than once, or differs from another template only in the names of its parameters",
					o.Method, base, o.Path)
				continue
			}
			at.methods = append(at.methods, artifact.Method{Name: name, Operation: uint32(i)})
		}
	}
	return c.flatten(trunk)
}

// segments cuts a path behind each of its slashes.
func segments(path string) []string { return strings.Split(path, "/")[1:] }

func (b *branch) literal(segment string) *branch {
	if b.literals[segment] == nil {
		if b.literals == nil {
			b.literals = map[string]*branch{}
		}
		b.literals[segment] = &branch{}
	}
	return b.literals[segment]
}

func (b *branch) child(segment string) *branch {
	pieces, captured := split(segment)
	if len(captured) == 0 {
		return b.literal(segment)
	}
	for _, t := range b.templates {
		if slices.Equal(t.pieces, pieces) {
			return t.branch
		}
	}
	t := &template{pieces, &branch{}}
	b.templates = append(b.templates, t)
	return t.branch
}

// flatten writes the tree with each node before those it leads to.
func (c *compiler) flatten(b *branch) uint32 {
	index := len(c.bundle.Nodes)
	c.bundle.Nodes = append(c.bundle.Nodes, artifact.Node{Methods: grow(&c.bundle.Methods, b.methods...)})

	var literals []artifact.Literal
	for _, text := range slices.Sorted(maps.Keys(b.literals)) {
		literals = append(literals, artifact.Literal{Text: c.text(text), Node: c.flatten(b.literals[text])})
	}
	slices.SortStableFunc(b.templates, func(x, y *template) int {
		return cmp.Compare(y.specificity(), x.specificity())
	})
	var templates []artifact.Template
	for _, t := range b.templates {
		var pieces []artifact.Piece
		for _, p := range t.pieces {
			pieces = append(pieces, artifact.Piece{Text: c.text(p)})
		}
		templates = append(templates, artifact.Template{
			Pieces: grow(&c.bundle.Pieces, pieces...),
			Node:   c.flatten(t.branch),
		})
	}
	c.bundle.Nodes[index].Literals = grow(&c.bundle.Literals, literals...)
	c.bundle.Nodes[index].Templates = grow(&c.bundle.Templates, templates...)
	return uint32(index)
}

// specificity is how much of a segment is literal text.
func (t *template) specificity() (n int) {
	for _, p := range t.pieces {
		n += len(p)
	}
	return n
}

// split cuts a template segment into literal texts and captures, a capture
// being "", and lists the captures' names.
func split(segment string) (pieces, names []string) {
	for segment != "" {
		open := strings.IndexByte(segment, '{')
		end := strings.IndexByte(segment, '}')
		if open < 0 || end < open {
			return append(pieces, segment), names
		}
		if open > 0 {
			pieces = append(pieces, segment[:open])
		}
		pieces = append(pieces, "")
		names = append(names, segment[open+1:end])
		segment = segment[end+1:]
	}
	return pieces, names
}

// captures lists the path parameters of an operation in the order in which
// the route tree captures them.
func captures(o *policy.Operation) (names []string) {
	for _, segment := range segments(o.Path) {
		_, more := split(segment)
		names = append(names, more...)
	}
	return names
}
