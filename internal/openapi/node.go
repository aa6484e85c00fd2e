package openapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/threatgate/threatgate/internal/diag"
)

// Bounds of one document, far above real ones: the largest public
// description has 47 MB, 1.5 million nodes and a depth under 40.
const (
	maxBytes    = 64 << 20
	maxNodes    = 4 << 20
	maxExpanded = 1 << 20 // nodes that YAML aliases stand for
	maxDepth    = 500
)

// size counts a document's nodes while it is read.
type size struct{ nodes, expanded int }

// excess says which bound a document breaks, or "".
func (s size) excess(depth int) string {
	switch {
	case s.nodes > maxNodes:
		return fmt.Sprintf("the document has more than %d values", maxNodes)
	case s.expanded > maxExpanded:
		return fmt.Sprintf("aliases stand for more than %d values", maxExpanded)
	case depth > maxDepth:
		return fmt.Sprintf("more than %d values inside each other", maxDepth)
	}
	return ""
}

type kind uint8

const (
	null kind = iota
	boolean
	number
	text
	array
	object
)

// String is the kind with its article, as messages use it.
func (k kind) String() string {
	return [...]string{"null", "a boolean", "a number", "a string", "an array", "an object"}[k]
}

// place is a line and a column, 1-based; columns count bytes.
type place struct{ line, col uint32 }

// node is one value of a document, whether that was JSON or YAML.
type node struct {
	kind kind
	place
	text   string         // a string's content; any other scalar as JSON writes it, numbers as the document does
	fields []field        // of an object or, without names, of an array; in document order
	index  map[string]int // of fields by name, where there are many

	parent *node
	at     int // index in parent.fields
	src    *source
}

// field is a member of an object or an element of an array.
type field struct {
	name string
	place
	value *node
}

func (n *node) pos() diag.Pos { return n.src.pos(n.place) }

// pos is where the field's name stands.
func (f *field) pos() diag.Pos { return f.value.src.pos(f.place) }

// smallObject is how many fields are faster to scan than to look up.
const smallObject = 12

// add appends a field; it reports whether the name is new to the object.
func (n *node) add(f field) bool {
	if n.kind == object {
		if n.get(f.name) != nil {
			return false
		}
		if len(n.fields) == smallObject {
			n.index = map[string]int{}
			for i, g := range n.fields {
				n.index[g.name] = i
			}
		}
		if n.index != nil {
			n.index[f.name] = len(n.fields)
		}
	}
	n.fields = append(n.fields, f)
	return true
}

// get returns the named field of an object, or nil.
func (n *node) get(name string) *field {
	if n.kind != object {
		return nil
	}
	if n.index != nil {
		if i, ok := n.index[name]; ok {
			return &n.fields[i]
		}
		return nil
	}
	for i := range n.fields {
		if n.fields[i].name == name {
			return &n.fields[i]
		}
	}
	return nil
}

// adopt tells the children of a finished node who their parent is.
func (n *node) adopt() {
	for i, f := range n.fields {
		f.value.parent, f.value.at = n, i
	}
}

// pointer is the JSON pointer (RFC 6901) to the node, as a URI fragment but
// without percent-encoding: "#/components/schemas/Order".
func (n *node) pointer() string {
	if n.parent == nil {
		return "#"
	}
	name := n.parent.fields[n.at].name
	if n.parent.kind == array {
		name = strconv.Itoa(n.at)
	}
	return n.parent.pointer() + "/" + escapeToken.Replace(name)
}

var (
	escapeToken   = strings.NewReplacer("~", "~0", "/", "~1")
	unescapeToken = strings.NewReplacer("~1", "/", "~0", "~")
)

// appendJSON appends the node's JSON text, numbers as written.
func (n *node) appendJSON(b []byte) []byte {
	switch n.kind {
	case text:
		return appendQuoted(b, n.text)
	case array:
		b = append(b, '[')
		for i, f := range n.fields {
			if i > 0 {
				b = append(b, ',')
			}
			b = f.value.appendJSON(b)
		}
		return append(b, ']')
	case object:
		b = append(b, '{')
		for i, f := range n.fields {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendQuoted(b, f.name), ':')
			b = f.value.appendJSON(b)
		}
		return append(b, '}')
	}
	return append(b, n.text...)
}

func appendQuoted(b []byte, s string) []byte {
	var quoted bytes.Buffer
	encoder := json.NewEncoder(&quoted)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(s); err != nil {
		panic(err) // strings can't fail
	}
	return append(b, bytes.TrimSuffix(quoted.Bytes(), []byte{'\n'})...)
}
