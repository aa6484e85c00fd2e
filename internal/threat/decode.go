package threat

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/threatgate/threatgate/internal/diag"
)

// decoder reads YAML nodes strictly: what isn't known is an error with its
// place, and the rest is read on, so that one run shows every mistake.
type decoder struct {
	file  string
	diags *diag.List
}

// parse returns the root of a document, or nil after a report.
func (d *decoder) parse(data []byte) *yaml.Node {
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		line, message := diag.YAMLFault(data, err)
		d.diags.Errorf(diag.Pos{File: d.file, Line: line}, "%s", message)
		return nil
	}
	if len(document.Content) == 0 {
		d.diags.Errorf(diag.Pos{File: d.file}, "the file is empty")
		return nil
	}
	return document.Content[0]
}

func (d *decoder) pos(n *yaml.Node) diag.Pos {
	return diag.Pos{File: d.file, Line: n.Line, Col: n.Column}
}

func (d *decoder) errorf(n *yaml.Node, format string, args ...any) {
	d.diags.Errorf(d.pos(n), format, args...)
}

// fields reads a mapping: each known key goes to its function, and those in
// required must be there.
func (d *decoder) fields(n *yaml.Node, known map[string]func(*yaml.Node), required ...string) {
	seen := map[string]bool{}
	d.entries(n, func(key, value *yaml.Node) {
		seen[key.Value] = true
		if read, ok := known[key.Value]; ok {
			read(value)
			return
		}
		d.errorf(key, "unknown field %q; known here: %s", key.Value, listed(known))
	})
	for _, name := range required {
		if n.Kind == yaml.MappingNode && !seen[name] {
			d.errorf(n, "%q is missing", name)
		}
	}
}

// entries calls each for every entry of a mapping, in document order.
func (d *decoder) entries(n *yaml.Node, each func(key, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		d.errorf(n, "a mapping is expected, not %s", kind(n))
		return
	}
	seen := map[string]bool{}
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if seen[key.Value] {
			d.errorf(key, "%q is here twice", key.Value)
			continue
		}
		seen[key.Value] = true
		each(key, value)
	}
}

// items calls each for every item of a sequence.
func (d *decoder) items(n *yaml.Node, each func(*yaml.Node)) {
	if n.Kind != yaml.SequenceNode {
		d.errorf(n, "a list is expected, not %s", kind(n))
		return
	}
	for _, item := range n.Content {
		each(item)
	}
}

func (d *decoder) text(n *yaml.Node) string {
	if n.Kind != yaml.ScalarNode || n.Value == "" {
		d.errorf(n, "a text is expected, not %s", kind(n))
		return ""
	}
	return n.Value
}

// texts reads one text or a list of them.
func (d *decoder) texts(n *yaml.Node) (out []string) {
	if n.Kind == yaml.ScalarNode {
		return []string{d.text(n)}
	}
	d.items(n, func(item *yaml.Node) { out = append(out, d.text(item)) })
	return out
}

// word reads one of a closed set of words.
func (d *decoder) word(n *yaml.Node, words []string) string {
	text := d.text(n)
	if text != "" && !slices.Contains(words, text) {
		d.errorf(n, "%q is not one of: %s", text, strings.Join(words, ", "))
	}
	return text
}

func (d *decoder) flag(n *yaml.Node) bool {
	if n.Tag != "!!bool" {
		d.errorf(n, "true or false is expected, not %s", kind(n))
	}
	return n.Value == "true"
}

// number reads a number from 0 to most.
func (d *decoder) number(n *yaml.Node, most float64) float64 {
	x, err := strconv.ParseFloat(n.Value, 64)
	if n.Kind != yaml.ScalarNode || err != nil || !(x >= 0 && x <= most) {
		d.errorf(n, "a number from 0 to %g is expected, not %s", most, kind(n))
		return 0
	}
	return x
}

func kind(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	}
	return cmp.Or(strconv.Quote(n.Value), "nothing")
}

func listed[V any](m map[string]V) string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
