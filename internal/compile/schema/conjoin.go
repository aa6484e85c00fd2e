package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/compile/regex"
	"github.com/threatgate/threatgate/internal/inventory"
	"github.com/threatgate/threatgate/internal/violation"
)

// builder gathers in one node what a schema and those that it applies to the
// same value without conditions (allOf, $ref) demand together.
type builder struct {
	*Compiler
	node      *node
	direction Direction

	path       []*inventory.Schema // being conjoined, outermost first
	additional bool                // some schema has additionalProperties,
	named      bool                // has properties or patternProperties,
	itemized   bool                // or has keywords of hasItemKeywords,
	valued     bool                // an enum or a const
	unknowable bool                // a pattern for names can't be compiled
}

// conjoin makes the node demand what s does. It returns false, and changes
// nothing, where a single node can't say that exactly.
func (b *builder) conjoin(s *inventory.Schema) bool {
	if slices.Contains(b.path, s) {
		b.diags.Errorf(s.Pos, "the schema refers to itself: it has no meaning")
		return true
	}
	if len(b.path) > 0 && b.conflicts(s) {
		return false
	}
	b.path = append(b.path, s)
	for _, k := range s.Unsupported {
		types := anyType
		if strings.HasPrefix(k.Name, "content") { // only describes a string (validation, section 8)
			types = 0
		}
		b.unenforced(k.Pos, k.Name, nil, types)
	}
	n := b.node
	if s.Bool == nil {
		n.types &= artifact.Types(widen(s.Types))
	}
	b.constants(s)
	b.numbers(s)
	b.strings(s)
	b.arrays(s)
	b.objects(s)
	b.alternatives(s)
	members := s.AllOf
	if s.Ref != nil {
		members = append([]*inventory.Schema{s.Ref}, members...)
	}
	for _, member := range members {
		if Anything(member) {
			continue
		}
		if !b.conjoin(member) {
			n.groups = append(n.groups, group{kind: artifact.GroupAll, code: violation.Type, branches: []ref{b.schema(member, b.direction)}})
		}
	}
	b.path = b.path[:len(b.path)-1]
	return true
}

// conflicts reports whether what s says itself can't be added to the node:
// the node can hold one of each, or the keywords' meanings depend on their
// siblings.
func (b *builder) conflicts(s *inventory.Schema) bool {
	n := b.node
	switch {
	case s.Bool != nil,
		b.valued && (s.Enum != nil || s.Const != nil),
		n.number.divisor != 0 && s.MultipleOf != "",
		n.text.pattern != 0 && s.Pattern != nil,
		(n.text.grammar != 0 || n.text.format != 0) && s.Format != "",
		b.itemized && hasItemKeywords(s),
		s.UnevaluatedItems != nil, s.UnevaluatedProperties != nil,
		n.object != nil && n.object.names != 0 && s.PropertyNames != nil:
		return true
	}
	named := s.Properties != nil || s.PatternProperties != nil
	return b.additional && (named || s.AdditionalProperties != nil) || b.named && s.AdditionalProperties != nil
}

func (b *builder) strings(s *inventory.Schema) {
	r := &b.node.text
	r.length.narrow(s.MinLength, s.MaxLength)
	if s.Pattern != nil {
		r.pattern = b.automaton(*s.Pattern, artifact.TypeString)
	}
	if s.Format != "" && !b.AnnotateFormats {
		b.format(s)
	}
}

// automaton compiles a pattern that judges values of the given types; 0, with
// a warning, if that can't be done.
func (b *builder) automaton(p inventory.Pattern, types artifact.Types) ref {
	c := b.Compiler
	r, ok := c.patterns[p.Source]
	if !ok {
		dfa, err := regex.Compile(p.Source)
		if err == nil {
			c.automata = append(c.automata, dfa)
			r = ref(len(c.automata))
		}
		c.patterns[p.Source], c.faults[p.Source] = r, err
	}
	if err := c.faults[p.Source]; err != nil {
		b.unenforced(p.Pos, fmt.Sprintf("pattern %q", p.Source), err, types)
	}
	return r
}

func (b *builder) arrays(s *inventory.Schema) {
	if s.MinItems != nil || s.MaxItems != nil || s.UniqueItems {
		a := b.node.arrayRule()
		a.count.narrow(s.MinItems, s.MaxItems)
		a.unique = a.unique || s.UniqueItems
	}
	if !hasItemKeywords(s) {
		return
	}
	b.itemized = true
	a := b.node.arrayRule()
	for _, item := range s.PrefixItems {
		a.prefix = append(a.prefix, b.Root(item, b.direction))
	}
	if s.Items != nil {
		a.items, a.covers = b.Root(s.Items, b.direction), true
	}
	if s.Contains != nil {
		a.contains, a.matches = b.schema(s.Contains, b.direction), span{1, artifact.Unbounded}
		if s.MinContains != nil {
			a.matches.min = clamp(*s.MinContains)
		}
		a.matches.narrow(nil, s.MaxContains)
	}
	if s.UnevaluatedItems != nil && !a.covers {
		a.unevaluated = b.rest(s.UnevaluatedItems, violation.UnevaluatedItems)
		a.covers = a.unevaluated == 0
	}
}

func (b *builder) objects(s *inventory.Schema) {
	if !hasPropertyKeywords(s) && s.Required == nil && s.MinProperties == nil && s.MaxProperties == nil && s.DependentRequired == nil {
		return
	}
	o := b.node.objectRule()
	o.count.narrow(s.MinProperties, s.MaxProperties)
	o.required = append(o.required, s.Required...)
	o.dependents = append(o.dependents, s.DependentRequired...)
	for _, p := range s.Properties {
		property := o.property(p.Name)
		if !slices.Contains(property.schemas, p.Schema) {
			property.schemas = append(property.schemas, p.Schema)
		}
	}
	for _, p := range s.PatternProperties {
		if r := b.automaton(p.Pattern, 0); r != 0 {
			o.patterns = append(o.patterns, pattern{automaton: r, schema: p.Schema})
		} else {
			b.unknowable = true
		}
	}
	if s.PropertyNames != nil && !Anything(s.PropertyNames) {
		o.names = b.schema(s.PropertyNames, b.direction)
	}
	b.named = b.named || s.Properties != nil || s.PatternProperties != nil
	switch {
	case s.AdditionalProperties != nil:
		b.additional = true
		o.extra, o.covers = b.rest(s.AdditionalProperties, violation.UndeclaredProperty), true
	case s.UnevaluatedProperties != nil:
		o.unevaluated = b.rest(s.UnevaluatedProperties, violation.UnevaluatedProperties)
		o.covers = o.unevaluated == 0
	}
}

// rest compiles a schema for what other keywords do not name.
func (b *builder) rest(s *inventory.Schema, code violation.Code) ref {
	if s.Bool != nil && !*s.Bool {
		return b.never(b.node.location, code)
	}
	return b.Root(s, b.direction)
}

// alternatives adds the groups of s, apart from allOf.
func (b *builder) alternatives(s *inventory.Schema) {
	n := b.node
	add := func(kind artifact.GroupKind, code violation.Code, branches ...*inventory.Schema) *group {
		g := group{kind: kind, code: code}
		for _, branch := range branches {
			g.branches = append(g.branches, b.branch(branch))
		}
		n.groups = append(n.groups, g)
		return &n.groups[len(n.groups)-1]
	}
	if s.AnyOf != nil {
		b.discriminate(add(artifact.GroupAny, violation.AnyOf, s.AnyOf...), s)
	}
	if s.OneOf != nil {
		b.discriminate(add(artifact.GroupOne, violation.OneOf, s.OneOf...), s)
	}
	if s.Not != nil {
		add(artifact.GroupNot, violation.Not, s.Not)
	}
	if s.If != nil {
		add(artifact.GroupIf, violation.Never, s.If, s.Then, s.Else)
	}
	for _, d := range s.DependentSchemas {
		n.objectRule()
		add(artifact.GroupDependent, violation.Never, d.Schema).name = d.Name
	}
}

func (b *builder) branch(s *inventory.Schema) ref {
	if s == nil {
		return 0
	}
	return b.schema(s, b.direction)
}

// discriminate lets the discriminator of s select a branch of g, if it has a
// value for each of them: a branch that no value selects must stay possible.
func (b *builder) discriminate(g *group, s *inventory.Schema) {
	d := s.Discriminator
	if d == nil {
		return
	}
	e := &enum{code: violation.Discriminator, selects: map[string]ref{}}
	selected := map[ref]bool{}
	for _, m := range d.Mapping {
		if r := b.compiled[schemaKey{m.Schema, b.direction}]; r != 0 && slices.Contains(g.branches, r) && e.selects[m.Value] == 0 {
			e.strings = append(e.strings, m.Value)
			e.selects[m.Value] = r
			selected[r] = true
		}
	}
	for _, r := range g.branches {
		if !selected[r] {
			return
		}
	}
	g.property = d.Property
	value := newNode(s.Pointer, violation.Discriminator, artifact.TypeString)
	value.enum = e
	g.discriminator = b.add(value)
}

// complete compiles what depends on all of the conjoined schemas.
func (b *builder) complete() {
	n := b.node
	if a := n.array; a != nil && a.unevaluated != 0 && len(n.groups) == 0 && a.contains == 0 {
		// No branch can evaluate anything, so this is items.
		a.items, a.covers, a.unevaluated = a.unevaluated, true, 0
	}
	o := n.object
	if o == nil {
		return
	}
	for i := range o.properties {
		p := &o.properties[i]
		if code := b.forbidden(p); code != violation.None {
			p.node = b.never(p.schemas[0].Pointer, code)
			o.required = slices.DeleteFunc(o.required, func(name string) bool { return name == p.name })
			continue
		}
		p.node = b.Root(b.join(p.schemas), b.direction)
	}
	for i := range o.patterns {
		o.patterns[i].node = b.Root(o.patterns[i].schema, b.direction)
	}
	if b.unknowable {
		// Any name may be one that the pattern matches.
		o.extra, o.unevaluated, o.covers = 0, 0, true
		if b.Unenforceable != violation.None {
			o.extra = b.never(n.location, b.Unenforceable)
		}
	}
	if o.unevaluated != 0 && len(n.groups) == 0 {
		o.extra, o.covers, o.unevaluated = o.unevaluated, true, 0
	}
}

// forbidden is why a property must not be there in this direction, if so.
func (b *builder) forbidden(p *property) violation.Code {
	for _, s := range p.schemas {
		switch {
		case b.direction == Request && hasFlag(s, nil, func(s *inventory.Schema) bool { return s.ReadOnly }):
			return violation.ReadOnly
		case b.direction == Response && hasFlag(s, nil, func(s *inventory.Schema) bool { return s.WriteOnly }):
			return violation.WriteOnly
		}
	}
	return violation.None
}

// hasFlag reports whether s, or what it applies without conditions, has a flag.
func hasFlag(s *inventory.Schema, above []*inventory.Schema, flag func(*inventory.Schema) bool) bool {
	if s == nil || slices.Contains(above, s) {
		return false
	}
	if flag(s) || hasFlag(s.Ref, append(above, s), flag) {
		return true
	}
	return slices.ContainsFunc(s.AllOf, func(m *inventory.Schema) bool { return hasFlag(m, append(above, s), flag) })
}
