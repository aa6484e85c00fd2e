package schema

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/compile/idna"
	"github.com/threatgate/threatgate/internal/compile/regex"
	"github.com/threatgate/threatgate/internal/violation"
)

// Program lays out all that has been compiled.
func (c *Compiler) Program() artifact.Program {
	e := &emitter{
		pool:      map[string]artifact.Text{},
		locations: map[string]artifact.Ref{},
		enums:     map[string]artifact.Ref{},
		numbers:   map[artifact.Number]artifact.Ref{},
		strings:   map[artifact.String]artifact.Ref{},
		several:   map[artifact.Several]artifact.Ref{},
		keys:      map[string]table{},
	}
	for _, n := range c.nodes {
		c.rank(n)
	}
	for _, n := range c.nodes {
		if c.reach(n) > artifact.MaxTasks {
			c.diags.Warnf(n.pos, "more than %d schemas apply to the same value: a value for which all of them come into question is refused", artifact.MaxTasks)
		}
		if n.object != nil && len(keys(n)) > artifact.MaxKeys {
			c.diags.Errorf(n.pos, "the schema names more than %d properties", artifact.MaxKeys)
		}
	}
	for _, n := range c.nodes {
		e.schema(n)
	}
	for _, dfa := range c.automata {
		e.automaton(dfa)
	}
	if c.codePoints {
		e.program.CodePoints = idna.CodePoints()
	}
	return e.program
}

// rank finds how many schemas deep n applies others to the same value. A
// schema that comes back to itself on the way can't be judged.
func (c *Compiler) rank(n *node) {
	if n.rank > 0 || len(n.groups) == 0 {
		return
	}
	n.ranking = true
	deepest := 0
	for i := range n.groups {
		for k, r := range n.groups[i].branches {
			if r == 0 {
				continue
			}
			branch := c.nodes[r-1]
			if branch.ranking {
				c.diags.Errorf(n.pos, "the schema refers to itself: it has no meaning")
				n.groups[i].branches[k] = c.never(n.location, violation.Never)
				continue
			}
			c.rank(branch)
			deepest = max(deepest, branch.rank)
		}
	}
	n.ranking = false
	n.rank = deepest + 1
	if n.rank > maxRank {
		c.diags.Errorf(n.pos, "the schema is too deep: more than %d schemas apply to the same value, one through the other", maxRank)
		n.groups, n.rank = nil, 0
	}
}

const maxRank = 255

// reach is the number of schemas that n applies to one value, itself included.
func (c *Compiler) reach(n *node) int {
	seen := map[*node]bool{n: true}
	todo := []*node{n}
	for len(todo) > 0 {
		n, todo = todo[0], todo[1:]
		for _, g := range n.groups {
			for _, r := range g.branches {
				if r != 0 && !seen[c.nodes[r-1]] {
					seen[c.nodes[r-1]] = true
					todo = append(todo, c.nodes[r-1])
				}
			}
		}
	}
	return len(seen)
}

type emitter struct {
	program   artifact.Program
	pool      map[string]artifact.Text
	locations map[string]artifact.Ref // by JSON pointer
	enums     map[string]artifact.Ref // by all that they hold
	numbers   map[artifact.Number]artifact.Ref
	strings   map[artifact.String]artifact.Ref
	several   map[artifact.Several]artifact.Ref
	keys      map[string]table // by the names
}

// table is where names and their hash table are.
type table struct {
	names artifact.Range
	slots uint32
}

// text puts a string into the pool, once.
func (e *emitter) text(s string) artifact.Text {
	t, ok := e.pool[s]
	if !ok {
		t = artifact.Text{Off: uint32(len(e.program.Pool)), Len: uint32(len(s))}
		e.program.Pool = append(e.program.Pool, s...)
		e.pool[s] = t
	}
	return t
}

// location puts a JSON pointer into the tree of places.
func (e *emitter) location(pointer string) artifact.Ref {
	if pointer == "" || e.locations[pointer] != 0 {
		return e.locations[pointer]
	}
	above := e.above(pointer)
	l := artifact.Location{Parent: e.location(above), Tail: e.text(pointer[len(above):])}
	e.program.Locations = append(e.program.Locations, l)
	e.locations[pointer] = last(e.program.Locations)
	return e.locations[pointer]
}

// above is the nearest place above a pointer that is in the tree, else that
// two segments up: what is before "/paths/~1orders", for example.
func (e *emitter) above(pointer string) string {
	up := func(p string) string { return p[:max(0, strings.LastIndexByte(p, '/'))] }
	for p := up(pointer); p != ""; p = up(p) {
		if e.locations[p] != 0 {
			return p
		}
	}
	return up(up(pointer))
}

// push appends records and returns their place.
func push[T any](list *[]T, items ...T) artifact.Range {
	if len(items) == 0 {
		return artifact.Range{}
	}
	r := artifact.Range{Off: uint32(len(*list)), Len: uint32(len(items))}
	*list = append(*list, items...)
	return r
}

// once appends a record unless there is an equal one.
func once[T comparable](known map[T]artifact.Ref, list *[]T, item T) artifact.Ref {
	if known[item] == 0 {
		*list = append(*list, item)
		known[item] = last(*list)
	}
	return known[item]
}

// last is the Ref of the record that was appended last.
func last[T any](list []T) artifact.Ref { return artifact.Ref(len(list)) }

func (e *emitter) schema(n *node) {
	p := &e.program
	s := artifact.Schema{Location: e.location(n.location), Types: n.types, Code: n.code, Rank: uint8(n.rank)}
	var all artifact.Several
	has := func(kind artifact.RuleKind, rule artifact.Ref) { all.Rules[kind-artifact.RuleEnum] = rule }
	if n.enum != nil {
		has(artifact.RuleEnum, e.enum(n.enum))
	}
	if !n.number.isEmpty() {
		has(artifact.RuleNumber, e.number(&n.number))
	}
	if !n.text.isEmpty() {
		has(artifact.RuleString, e.string(&n.text))
	}
	if n.array != nil {
		has(artifact.RuleArray, e.array(n.array))
	}
	var known []string
	if n.object != nil {
		known = keys(n)
		has(artifact.RuleObject, e.object(n.object, known))
	}
	var groups []artifact.Group
	for _, g := range n.groups {
		groups = append(groups, artifact.Group{
			Property:      e.text(g.property),
			Branches:      push(&p.Branches, g.branches...),
			Discriminator: g.discriminator,
			Key:           uint32(max(0, slices.Index(known, g.name))),
			Kind:          g.kind,
			Code:          g.code,
		})
	}
	all.Groups = push(&p.Groups, groups...)
	s.Kind, s.Rule = e.rule(all)
	p.Schemas = append(p.Schemas, s)
}

// rule is the only one that a schema has, or all that it has.
func (e *emitter) rule(all artifact.Several) (kind artifact.RuleKind, rule artifact.Ref) {
	count := all.Groups.Len
	for i, r := range all.Rules {
		if r != 0 {
			kind, rule = artifact.RuleEnum+artifact.RuleKind(i), r
			count++
		}
	}
	if count > 1 || all.Groups.Len > 0 {
		return artifact.RuleSeveral, once(e.several, &e.program.Several, all)
	}
	return kind, rule
}

func (e *emitter) enum(n *enum) artifact.Ref {
	p := &e.program
	key := fmt.Sprint(n.code, n.literals, n.numbers, n.selects)
	for _, s := range n.strings {
		key += strconv.Quote(s)
	}
	if e.enums[key] != 0 {
		return e.enums[key]
	}
	r := artifact.Enum{Literals: n.literals, Code: n.code}
	var numbers []artifact.Decimal
	for _, v := range n.numbers {
		numbers = append(numbers, e.decimal(v))
	}
	r.Numbers = push(&p.Decimals, numbers...)
	values := make([]artifact.Value, len(n.strings))
	for i, s := range n.strings {
		r.Longest = max(r.Longest, uint32(len(s)))
		values[i] = artifact.Value{Ends: artifact.EndsOf([]byte(s)), Text: e.text(s), Select: n.selects[s]}
	}
	r.Values = push(&p.Values, values...)
	r.Slots = push(&p.ValueSlots, hashTable[uint32](n.strings)...).Off
	p.Enums = append(p.Enums, r)
	e.enums[key] = last(p.Enums)
	return e.enums[key]
}

func (e *emitter) decimal(n artifact.Numeral) artifact.Decimal {
	d := artifact.Decimal{Digits: e.text(string(n.Digits)), Exponent: n.Exponent}
	if n.Negative {
		d.Negative = 1
	}
	digits, scale := n.Digits, len(n.Digits)-int(n.Exponent)
	for ; scale < 0; scale++ {
		if len(digits) == artifact.MaxSmall {
			return d
		}
		digits = append(digits[:len(digits):len(digits)], '0')
	}
	if len(digits) > artifact.MaxSmall || scale > artifact.MaxSmall {
		return d
	}
	d.IsSmall, d.Scale = 1, uint8(scale)
	for _, digit := range digits {
		d.Small = d.Small*10 + int64(digit-'0')
	}
	if n.Negative {
		d.Small = -d.Small
	}
	return d
}

func (e *emitter) number(r *numberRule) artifact.Ref {
	n := artifact.Number{
		Min: e.decimal(r.min.value), MinCode: r.min.code, MinOpen: bit(r.min.open),
		Max: e.decimal(r.max.value), MaxCode: r.max.code, MaxOpen: bit(r.max.open),
		Divisor: r.divisor, DivisorExponent: r.divisorExponent,
	}
	if e.numbers[n] == 0 { // the integers follow from the rest
		record := n
		record.Low, record.High = r.integers()
		e.program.Numbers = append(e.program.Numbers, record)
		e.numbers[n] = last(e.program.Numbers)
	}
	return e.numbers[n]
}

func (e *emitter) string(r *textRule) artifact.Ref {
	return once(e.strings, &e.program.Strings, artifact.String{
		MinLength: r.length.min, MaxLength: r.length.max,
		Pattern: r.pattern, Grammar: r.grammar, Format: r.format,
	})
}

func (e *emitter) array(r *arrayRule) artifact.Ref {
	p := &e.program
	p.Arrays = append(p.Arrays, artifact.Array{
		Prefix: push(&p.Prefixes, r.prefix...), Items: r.items, Contains: r.contains,
		MinContains: r.matches.min, MaxContains: r.matches.max,
		MinItems: r.count.min, MaxItems: r.count.max,
		Unevaluated: r.unevaluated, Unique: bit(r.unique), Covers: bit(r.covers),
	})
	return last(p.Arrays)
}

// keys are the names that an object knows: its properties, then those of
// which it matters otherwise whether they are there.
func keys(n *node) []string {
	var names []string
	for _, property := range n.object.properties {
		names = append(names, property.name)
	}
	names = append(names, n.object.required...)
	for _, d := range n.object.dependents {
		names = append(append(names, d.Name), d.Names...)
	}
	for _, g := range n.groups {
		if g.kind == artifact.GroupDependent {
			names = append(names, g.name)
		}
	}
	return distinctNames(names)
}

func distinctNames(names []string) (out []string) {
	seen := map[string]bool{}
	for _, name := range names {
		if !seen[name] {
			seen[name] = true
			out = append(out, name)
		}
	}
	return out
}

func (e *emitter) object(r *objectRule, keys []string) artifact.Ref {
	p := &e.program
	o := artifact.Object{
		Extra: r.extra, Required: e.bitset(r.required, keys),
		MinProperties: r.count.min, MaxProperties: r.count.max, Covers: bit(r.covers),
		Escapes: bit(slices.ContainsFunc(keys, isEscaped)),
	}
	o.Keys, o.Slots = e.keyTable(keys)
	var properties []artifact.Ref
	for _, property := range r.properties {
		properties = append(properties, property.node)
	}
	o.Properties = push(&p.Properties, properties...)
	if others := e.othersOf(r, keys); others != (artifact.Others{}) {
		p.Others = append(p.Others, others)
		o.Others = last(p.Others)
	}
	p.Objects = append(p.Objects, o)
	return last(p.Objects)
}

// isEscaped reports whether a name is written in another way in JSON (RFC 8259,
// section 7).
func isEscaped(name string) bool {
	return strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == '"' || r == '\\' })
}

// keyTable appends the keys of an object and their hash table, unless another
// object has the same.
func (e *emitter) keyTable(names []string) (keys artifact.Range, slots uint32) {
	p := &e.program
	spelt := fmt.Sprintf("%q", names)
	t, ok := e.keys[spelt]
	if !ok {
		var list []artifact.Key
		for _, name := range names {
			list = append(list, artifact.Key{Ends: artifact.EndsOf([]byte(name)), Name: e.text(name)})
		}
		t = table{push(&p.Keys, list...), push(&p.KeySlots, hashTable[uint16](names)...).Off}
		e.keys[spelt] = t
	}
	return t.names, t.slots
}

func (e *emitter) othersOf(r *objectRule, keys []string) artifact.Others {
	p := &e.program
	var dependents []artifact.Dependent
	for _, d := range r.dependents {
		dependents = append(dependents, artifact.Dependent{Needs: e.bitset(d.Names, keys), Key: uint32(slices.Index(keys, d.Name))})
	}
	var patterns []artifact.Pattern
	for _, pattern := range r.patterns {
		patterns = append(patterns, artifact.Pattern{Automaton: pattern.automaton, Schema: pattern.node})
	}
	return artifact.Others{
		Dependents: push(&p.Dependents, dependents...), Patterns: push(&p.Patterns, patterns...),
		Names: r.names, Unevaluated: r.unevaluated,
	}
}

// hashTable finds each of the names, by its index plus 1.
func hashTable[Slot uint16 | uint32](names []string) []Slot {
	slots := make([]Slot, artifact.TableSize(uint32(len(names))))
	mask := uint32(len(slots) - 1)
	for i, name := range names {
		at := artifact.EndsOf([]byte(name)).Hash(len(name)) & mask
		for slots[at] != 0 {
			at = (at + 1) & mask
		}
		slots[at] = Slot(i + 1)
	}
	return slots
}

// bitset appends the set of those names, by their indices among the keys. It
// returns 0 if there are none.
func (e *emitter) bitset(names, keys []string) artifact.Ref {
	if len(names) == 0 {
		return 0
	}
	words := make([]uint64, artifact.BitsetSize(uint32(len(keys))))
	for _, name := range names {
		i := slices.Index(keys, name)
		words[i/64] |= 1 << (i % 64)
	}
	return artifact.Ref(push(&e.program.Words, words...).Off + 1)
}

func bit(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

func (e *emitter) automaton(dfa *regex.DFA) {
	p := &e.program
	a := artifact.Automaton{MaxRunes: artifact.Unbounded, Start: dfa.Start, Accept: uint32(dfa.Accept)}
	if dfa.MinRunes >= 0 {
		a.MinRunes = clamp(uint64(dfa.MinRunes))
	}
	if dfa.MaxRunes >= 0 {
		a.MaxRunes = clamp(uint64(dfa.MaxRunes))
	}
	a.Class = uint32(slices.Index(p.Classes, dfa.Class))
	if a.Class == 1<<32-1 {
		a.Class = push(&p.Classes, dfa.Class).Off
	}
	a.Next = push(&p.Next, dfa.Next...)
	p.Automata = append(p.Automata, a)
}
