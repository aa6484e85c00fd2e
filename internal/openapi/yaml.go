package openapi

import (
	"bytes"
	"errors"
	"io"
	"math/big"
	"regexp"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/threatgate/threatgate/internal/diag"
)

// parseYAML reads a file that holds one YAML document.
func parseYAML(data []byte, src *source, diags *diag.List) *node {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	switch err := decoder.Decode(&doc); {
	case errors.Is(err, io.EOF):
		diags.Errorf(src.pos(place{1, 1}), "the document is empty")
		return nil
	case err != nil:
		reportYAML(data, err, src, diags)
		return nil
	}
	switch err := decoder.Decode(&second); {
	case err == nil:
		diags.Errorf(src.pos(place{uint32(second.Line), uint32(second.Column)}), "a second YAML document in one file")
		return nil
	case !errors.Is(err, io.EOF):
		reportYAML(data, err, src, diags)
		return nil
	}
	b := yamlBuilder{src: src, diags: diags, columns: newColumns(data), open: map[*yaml.Node]bool{}}
	root := b.value(doc.Content[0], 0)
	if b.failed {
		return nil
	}
	return root
}

func reportYAML(data []byte, err error, src *source, diags *diag.List) {
	line, message := diag.YAMLFault(data, err)
	diags.Errorf(src.pos(place{line: uint32(line)}), "%s", message)
}

// yamlBuilder makes nodes of YAML's own tree: aliases and merge keys are
// expanded, plain scalars get their kind by the YAML 1.2 core schema.
type yamlBuilder struct {
	src     *source
	diags   *diag.List
	columns *columns
	open    map[*yaml.Node]bool // anchors that are being expanded
	size    size
	full    bool
	failed  bool
}

func (b *yamlBuilder) place(y *yaml.Node) place {
	return place{uint32(y.Line), uint32(b.columns.bytes(y.Line, y.Column))}
}

func (b *yamlBuilder) fail(y *yaml.Node, format string, args ...any) {
	b.failed = true
	b.diags.Errorf(b.src.pos(b.place(y)), format, args...)
}

func (b *yamlBuilder) value(y *yaml.Node, depth int) *node {
	n := &node{kind: null, text: "null", place: b.place(y), src: b.src}
	if b.full {
		return n
	}
	b.size.nodes++
	if len(b.open) > 0 {
		b.size.expanded++
	}
	if excess := b.size.excess(depth); excess != "" {
		b.fail(y, "%s", excess)
		b.full = true // nothing after this is read
		return n
	}
	switch y.Kind {
	case yaml.AliasNode:
		if b.open[y.Alias] {
			b.fail(y, "alias *%s contains itself", y.Value)
			return n
		}
		b.open[y.Alias] = true
		n = b.value(y.Alias, depth)
		delete(b.open, y.Alias)
	case yaml.SequenceNode:
		n.kind, n.text = array, ""
		for _, item := range y.Content {
			v := b.value(item, depth+1)
			n.add(field{place: v.place, value: v})
		}
	case yaml.MappingNode:
		n.kind, n.text = object, ""
		b.mapping(n, y, depth)
	default:
		n.kind, n.text = scalar(y)
	}
	n.adopt()
	return n
}

func (b *yamlBuilder) mapping(n *node, y *yaml.Node, depth int) {
	var merged []*yaml.Node
	for i := 0; i < len(y.Content); i += 2 {
		key, value := y.Content[i], y.Content[i+1]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		switch {
		case key.Kind != yaml.ScalarNode:
			b.fail(key, "a key must be a string")
		case key.Tag == "!!merge":
			merged = append(merged, value)
		case !n.add(field{name: key.Value, place: b.place(key), value: b.value(value, depth+1)}):
			b.fail(key, "duplicate key %q, first in line %d", key.Value, n.get(key.Value).line)
		}
	}
	// The mapping's own keys win over merged ones, earlier merges over later.
	for len(merged) > 0 {
		m := merged[0]
		merged = merged[1:]
		if m.Kind == yaml.SequenceNode {
			merged = append(append([]*yaml.Node{}, m.Content...), merged...)
			continue
		}
		from := b.value(m, depth+1)
		if from.kind != object && !b.failed {
			b.fail(m, "only a mapping can be merged, not %s", from.kind)
		}
		for _, f := range from.fields {
			n.add(f)
		}
	}
}

var (
	coreInteger = regexp.MustCompile(`^[-+]?[0-9]+$`)
	coreRadix   = regexp.MustCompile(`^0(x[0-9a-fA-F]+|o[0-7]+)$`)
	coreFloat   = regexp.MustCompile(`^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`)
)

// scalar is a scalar's kind and text by YAML 1.2, section 10.3.2. Infinity and
// not-a-number, which JSON doesn't have, remain strings.
func scalar(y *yaml.Node) (kind, string) {
	if y.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0 ||
		y.Style&yaml.TaggedStyle != 0 && y.Tag == "!!str" {
		return text, y.Value
	}
	switch v := y.Value; v {
	case "", "~", "null", "Null", "NULL":
		return null, "null"
	case "true", "True", "TRUE":
		return boolean, "true"
	case "false", "False", "FALSE":
		return boolean, "false"
	default:
		switch {
		case coreRadix.MatchString(v):
			i, _ := new(big.Int).SetString(v, 0)
			return number, i.String()
		case coreInteger.MatchString(v), coreFloat.MatchString(v):
			return number, jsonNumber(v)
		}
		return text, v
	}
}

// jsonNumber respells a YAML number as JSON demands: no plus sign, no leading
// zeros, a digit on either side of the point. JSON's own numbers stay as they are.
func jsonNumber(v string) string {
	v = strings.TrimPrefix(v, "+")
	v, negative := strings.CutPrefix(v, "-")
	end := strings.IndexAny(v, "eE")
	if end < 0 {
		end = len(v)
	}
	whole, fraction, point := strings.Cut(v[:end], ".")
	if whole = strings.TrimLeft(whole, "0"); whole == "" {
		whole = "0"
	}
	if negative {
		whole = "-" + whole
	}
	if point && fraction != "" {
		whole += "." + fraction
	}
	return whole + v[end:]
}

// columns turns YAML's columns, which count characters, into ones that count
// bytes. Nodes come in the order of the document, so it goes on from where it was.
type columns struct {
	data            []byte
	lines           []int // where each line begins; nil if all is ASCII
	line, col, byte int   // the last answer
}

func newColumns(data []byte) *columns {
	c := &columns{data: data}
	if bytes.IndexFunc(data, func(r rune) bool { return r >= utf8.RuneSelf }) < 0 {
		return c
	}
	c.lines = []int{0}
	for i, b := range data {
		if b == '\n' {
			c.lines = append(c.lines, i+1)
		}
	}
	return c
}

func (c *columns) bytes(line, col int) int {
	if c.lines == nil || line < 1 || line > len(c.lines) {
		return col
	}
	if line != c.line || col < c.col {
		c.line, c.col, c.byte = line, 1, 1
	}
	rest := c.data[c.lines[line-1]+c.byte-1:]
	for c.col < col && len(rest) > 0 {
		_, size := utf8.DecodeRune(rest)
		rest = rest[size:]
		c.col, c.byte = c.col+1, c.byte+size
	}
	return c.byte
}
