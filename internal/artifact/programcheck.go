package artifact

import "github.com/threatgate/threatgate/internal/violation"

// check is the part of Bundle.check that is about the program. Beyond
// references it sees to it that judging ends: branches have a lower rank
// than their schema, so that no schema applies itself to the same value.
func (p *Program) check() bool {
	c := programChecker{checker{ok: true, text: len(p.Pool)}, p}
	c.locations()
	c.schemas()
	c.enums()
	c.numbers()
	c.strings()
	c.arrays()
	c.objects()
	c.automata()
	c.codePoints()
	return c.ok
}

type programChecker struct {
	checker
	p *Program
}

func (c *programChecker) locations() {
	for i, l := range c.p.Locations {
		c.refs(i, l.Parent)
		c.texts(l.Tail)
	}
}

func (c *programChecker) schemas() {
	p := c.p
	var groups, branches run
	for _, s := range p.Schemas {
		c.refs(len(p.Locations), s.Location)
		c.refs(len(p.Enums), s.Enum)
		c.refs(len(p.Numbers), s.Number)
		c.refs(len(p.Strings), s.String)
		c.refs(len(p.Arrays), s.Array)
		c.refs(len(p.Objects), s.Object)
		c.expect(s.Types <= TypeAny && s.Code.Valid())
		for _, g := range follow(c, p.Groups, s.Groups, &groups) {
			c.texts(g.Property)
			c.refs(len(p.Schemas), g.Discriminator)
			c.expect(g.Kind < groupKindCount && g.Code.Valid() && g.Branches.Len > 0)
			c.expect(g.Kind != GroupNot && g.Kind != GroupDependent || g.Branches.Len == 1)
			c.expect(g.Kind != GroupIf || g.Branches.Len == 3)
			c.expect(g.Kind != GroupDependent || s.Object != 0 && c.ok && g.Key < p.Objects[s.Object-1].Keys.Len)
			for i, b := range follow(c, p.Branches, g.Branches, &branches) {
				optional := g.Kind == GroupIf && i > 0
				c.refs(len(p.Schemas), b)
				c.expect(b == 0 && optional || b != 0 && c.ok && p.Schemas[b-1].Rank < s.Rank)
			}
			// A discriminator's value is judged like a property of its own.
			c.expect(g.Discriminator == 0 || c.ok && p.Schemas[g.Discriminator-1].Rank == 0 && p.Schemas[g.Discriminator-1].Enum != 0)
		}
	}
}

func (c *programChecker) enums() {
	p := c.p
	var values, slots, numbers run
	for _, e := range p.Enums {
		c.expect(e.Code.Valid())
		c.slots(e.Slots, e.Values.Len, &slots)
		for _, v := range follow(c, p.Values, e.Values, &values) {
			c.texts(v.Text)
			c.refs(len(p.Schemas), v.Select)
		}
		for _, d := range follow(c, p.Decimals, e.Numbers, &numbers) {
			c.decimal(d)
		}
	}
}

func (c *programChecker) numbers() {
	for _, n := range c.p.Numbers {
		c.decimal(n.Min)
		c.decimal(n.Max)
		c.expect(n.MinCode == violation.None || n.MinCode.Valid())
		c.expect(n.MaxCode == violation.None || n.MaxCode.Valid())
		c.expect(bounded(n.DivisorExponent))
	}
}

func (c *programChecker) strings() {
	for _, s := range c.p.Strings {
		c.refs(len(c.p.Automata), s.Pattern, s.Grammar)
		c.expect(s.Format < formatCount)
	}
}

func (c *programChecker) arrays() {
	p := c.p
	var prefixes run
	for _, a := range p.Arrays {
		c.refs(len(p.Schemas), a.Items, a.Contains, a.Unevaluated)
		c.refs(len(p.Schemas), follow(c, p.Prefixes, a.Prefix, &prefixes)...)
	}
}

func (c *programChecker) objects() {
	p := c.p
	var keys, slots, words, dependents, patterns run
	for _, o := range p.Objects {
		c.refs(len(p.Schemas), o.Extra, o.Names, o.Unevaluated)
		c.expect(o.Keys.Len <= MaxKeys && o.Required.Len == (o.Keys.Len+63)/64)
		c.bits(follow(c, p.Words, o.Required, &words), o.Keys.Len)
		c.slots(o.Slots, o.Keys.Len, &slots)
		for _, k := range follow(c, p.Keys, o.Keys, &keys) {
			c.texts(k.Name)
			c.refs(len(p.Schemas), k.Schema)
		}
		for _, d := range follow(c, p.Dependents, o.Dependents, &dependents) {
			c.expect(d.Key < o.Keys.Len && d.Needs.Len == o.Required.Len)
			c.bits(follow(c, p.Words, d.Needs, &words), o.Keys.Len)
		}
		for _, pattern := range follow(c, p.Patterns, o.Patterns, &patterns) {
			c.refs(len(p.Automata), pattern.Automaton)
			c.refs(len(p.Schemas), pattern.Schema)
			c.expect(pattern.Automaton != 0)
		}
	}
}

func (c *programChecker) automata() {
	p := c.p
	var nexts, accepts run
	for _, a := range p.Automata {
		next, accept := follow(c, p.Next, a.Next, &nexts), follow(c, p.Accept, a.Accept, &accepts)
		states := uint32(len(accept))
		c.expect(uint64(len(next)) == uint64(states)*uint64(a.Width) && uint32(a.Start) < states)
		for _, s := range next {
			c.expect(uint32(s) < states)
		}
		c.expect(int(a.Class) < len(p.Classes))
		if !c.ok {
			return
		}
		for _, class := range p.Classes[a.Class] {
			c.expect(uint16(class) < a.Width)
		}
	}
}

func (c *programChecker) codePoints() {
	next := rune(0)
	for i, run := range c.p.CodePoints {
		c.expect(run.First() >= next && (i > 0 || run.First() == 0) && run.Traits()&DirectionMask <= NonspacingMark)
		next = run.First() + 1
	}
}

// decimal checks a number's form: digits without a zero at either end.
func (c *programChecker) decimal(d Decimal) {
	c.texts(d.Digits)
	c.expect(bounded(d.Exponent) && d.Scale <= MaxSmall)
	if !c.ok || d.Digits.Len == 0 {
		return
	}
	digits := c.p.String(d.Digits)
	for _, b := range digits {
		c.expect(b >= '0' && b <= '9')
	}
	c.expect(digits[0] != '0' && digits[len(digits)-1] != '0')
}

// slots checks the hash table of n names.
func (c *programChecker) slots(r Range, n uint32, at *run) {
	c.expect(powerOfTwo(r.Len))
	for _, slot := range follow(c, c.p.Slots, r, at) {
		c.expect(slot <= n)
	}
}

// bits checks that a bitset names none but the first n.
func (c *programChecker) bits(words []uint64, n uint32) {
	if n%64 != 0 && len(words) > 0 {
		c.expect(words[len(words)-1]>>(n%64) == 0)
	}
}

func (c *programChecker) refs(n int, refs ...Ref) {
	for _, r := range refs {
		c.expect(uint64(r) <= uint64(n))
	}
}

// run is the end of the runs of one section that have been followed.
type run struct{ end uint32 }

// follow returns the items that r names, if they stand behind all that were
// followed before.
func follow[T any](c *programChecker, items []T, r Range, at *run) []T {
	c.span(r, len(items))
	c.expect(r.Off >= at.end || r.Len == 0)
	if !c.ok || r.Len == 0 {
		return nil
	}
	at.end = r.Off + r.Len
	return items[r.Off:at.end]
}

func bounded(exponent int32) bool { return -MaxExponent <= exponent && exponent <= MaxExponent }

func powerOfTwo(n uint32) bool { return n&(n-1) == 0 }
