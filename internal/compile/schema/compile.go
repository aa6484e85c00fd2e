// Package schema compiles the schemas of an inventory into a schema program.
//
// All planning is done here: what allOf and references bring together is
// merged into one node where that is exact, constants are folded, patterns
// become automata, names become hash tables. What a program can't judge is a
// warning at the keyword, never silence.
//
// The same schemas, asked for in the same order, give the same program.
package schema

import (
	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/compile/regex"
	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/inventory"
	"github.com/threatgate/threatgate/internal/violation"
)

// Direction is what a value is part of. It decides whether readOnly or
// writeOnly properties may be there.
type Direction uint8

const (
	Request Direction = iota
	Response
)

// Compiler compiles any number of schemas into one program.
type Compiler struct {
	// Unenforceable is what values violate that some keyword can't judge, such
	// as strings whose pattern can't be compiled; None lets them pass.
	Unenforceable violation.Code

	// AnnotateFormats lets every value of a format pass: format is an
	// annotation then, as it is in JSON Schema by default (2020-12
	// validation, section 7.2.1).
	AnnotateFormats bool

	diags    *diag.List
	nodes    []*node
	compiled map[schemaKey]ref
	nevers   map[neverKey]ref
	joined   map[joinKey]*inventory.Schema
	automata []*regex.DFA
	patterns map[string]ref // into automata; 0: can't be compiled
	faults   map[string]error
	unknown  map[string]bool // formats

	codePoints bool // some format asks for them
}

// ref is the index of a node or automaton, plus one; 0 is none, and for
// nodes it lets every value pass.
type ref = artifact.Ref

type schemaKey struct {
	schema    *inventory.Schema
	direction Direction
}

type neverKey struct {
	location string
	code     violation.Code
}

type joinKey struct{ first, second *inventory.Schema }

// New returns a compiler that reports to diags.
func New(diags *diag.List) *Compiler {
	return &Compiler{
		diags:    diags,
		compiled: map[schemaKey]ref{},
		nevers:   map[neverKey]ref{},
		joined:   map[joinKey]*inventory.Schema{},
		patterns: map[string]ref{},
		faults:   map[string]error{},
		unknown:  map[string]bool{},
	}
}

// Root compiles s, once for each direction. A schema that says nothing, such
// as nil, is 0.
func (c *Compiler) Root(s *inventory.Schema, d Direction) artifact.Ref {
	if Anything(s) {
		return 0
	}
	return c.schema(s, d)
}

// Unread is the root of values of s that are not read, so that no keyword
// judges them: what Unenforceable says becomes of them.
func (c *Compiler) Unread(s *inventory.Schema) artifact.Ref {
	if Anything(s) || c.Unenforceable == violation.None {
		return 0
	}
	return c.never(s.Pointer, c.Unenforceable)
}

// Mistyped is the root of values that are of no type that s admits.
func (c *Compiler) Mistyped(s *inventory.Schema) artifact.Ref {
	return c.never(s.Pointer, violation.Type)
}

// schema compiles s to a node, even if it lets everything pass.
func (c *Compiler) schema(s *inventory.Schema, d Direction) ref {
	if s.Bool != nil && !*s.Bool {
		return c.never(s.Pointer, violation.Never)
	}
	key := schemaKey{s, d}
	if r, ok := c.compiled[key]; ok {
		return r
	}
	// The node is known before its contents are: schemas can be recursive.
	n := newNode(s.Pointer, violation.Type, anyType)
	n.pos = s.Pos
	r := c.add(n)
	c.compiled[key] = r
	b := &builder{Compiler: c, node: n, direction: d}
	b.conjoin(s)
	b.complete()
	return r
}

func (c *Compiler) add(n *node) ref {
	c.nodes = append(c.nodes, n)
	return ref(len(c.nodes))
}

// never is a node that no value passes.
func (c *Compiler) never(location string, code violation.Code) ref {
	key := neverKey{location, code}
	if r, ok := c.nevers[key]; ok {
		return r
	}
	r := c.add(newNode(location, code, 0))
	c.nevers[key] = r
	return r
}

// join is a schema that demands what all of the given ones do.
func (c *Compiler) join(all []*inventory.Schema) *inventory.Schema {
	whole := all[0]
	for _, s := range all[1:] {
		key := joinKey{whole, s}
		if c.joined[key] == nil {
			c.joined[key] = &inventory.Schema{Pos: whole.Pos, Pointer: whole.Pointer, Types: inventory.TypeAny, AllOf: []*inventory.Schema{whole, s}}
		}
		whole = c.joined[key]
	}
	return whole
}

// Anything reports whether s says nothing about any value.
func Anything(s *inventory.Schema) bool {
	if s == nil {
		return true
	}
	if s.Bool != nil {
		return *s.Bool
	}
	return s.Types == inventory.TypeAny && s.Enum == nil && s.Const == nil &&
		s.Minimum == "" && s.Maximum == "" && s.ExclusiveMinimum == "" && s.ExclusiveMaximum == "" && s.MultipleOf == "" &&
		s.MinLength == nil && s.MaxLength == nil && s.Pattern == nil && s.Format == "" &&
		!hasItemKeywords(s) && s.MinItems == nil && s.MaxItems == nil && !s.UniqueItems &&
		!hasPropertyKeywords(s) && s.Required == nil && s.MinProperties == nil && s.MaxProperties == nil &&
		s.DependentRequired == nil && s.DependentSchemas == nil &&
		s.AllOf == nil && s.AnyOf == nil && s.OneOf == nil && s.Not == nil && s.If == nil && s.Ref == nil &&
		s.Discriminator == nil && s.Unsupported == nil
}

// hasItemKeywords reports whether s has any of the keywords for arrays whose
// meanings depend on each other.
func hasItemKeywords(s *inventory.Schema) bool {
	return s.Items != nil || s.PrefixItems != nil || s.Contains != nil || s.UnevaluatedItems != nil
}

// hasPropertyKeywords is hasItemKeywords for objects.
func hasPropertyKeywords(s *inventory.Schema) bool {
	return s.Properties != nil || s.PatternProperties != nil || s.AdditionalProperties != nil || s.PropertyNames != nil || s.UnevaluatedProperties != nil
}

// unenforced warns that a keyword of the schema does not judge values of the
// given types, and why if that is known.
func (b *builder) unenforced(pos diag.Pos, what string, why error, types artifact.Types) {
	b.node.partial = true
	if b.Unenforceable != violation.None && types != 0 {
		judged := b.add(newNode(b.node.location, b.Unenforceable, anyType&^types))
		b.node.groups = append(b.node.groups, group{kind: artifact.GroupAll, code: b.Unenforceable, branches: []ref{judged}})
	}
	if why != nil {
		b.diags.Warnf(pos, "%s is not enforced: %v", what, why)
	} else {
		b.diags.Warnf(pos, "%s is not enforced", what)
	}
}

// Count is the number of schemas that have been compiled, and of those in
// which everything is enforced, the schemas below them aside.
func (c *Compiler) Count() (all, full int) {
	for _, n := range c.nodes {
		if !n.partial {
			full++
		}
	}
	return len(c.nodes), full
}

// Patterns is the number of patterns that schemas have, each counted once,
// and of those that have an automaton.
func (c *Compiler) Patterns() (all, full int) {
	for _, fault := range c.faults {
		if fault == nil {
			full++
		}
	}
	return len(c.faults), full
}

// Partial says of each node, by its Ref, whether something is not enforced
// that it or a schema below it says. It is to be asked once everything is
// compiled.
func (c *Compiler) Partial() []bool {
	above := make([][]ref, len(c.nodes)+1) // by child
	partial := make([]bool, len(c.nodes)+1)
	var spread []ref
	for i, n := range c.nodes {
		r := ref(i + 1)
		for _, child := range n.children() {
			above[child] = append(above[child], r)
		}
		if n.partial {
			partial[r], spread = true, append(spread, r)
		}
	}
	for len(spread) > 0 {
		last := len(spread) - 1
		r := spread[last]
		spread = spread[:last]
		for _, parent := range above[r] {
			if !partial[parent] {
				partial[parent], spread = true, append(spread, parent)
			}
		}
	}
	partial[0] = false // no node
	return partial
}
