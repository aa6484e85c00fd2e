package artifact

import (
	"slices"

	"github.com/threatgate/threatgate/internal/violation"
)

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
		c.expect(s.Types <= TypeAny && s.Code.Valid())
		all := c.rules(s)
		object := all.Rules[RuleObject-RuleEnum]
		for _, g := range follow(c, p.Groups, all.Groups, &groups) {
			c.texts(g.Property)
			c.refs(len(p.Schemas), g.Discriminator)
			c.expect(g.Kind < groupKindCount && g.Code.Valid() && g.Branches.Len > 0)
			c.expect(g.Kind != GroupNot && g.Kind != GroupDependent || g.Branches.Len == 1)
			c.expect(g.Kind != GroupIf || g.Branches.Len == 3)
			c.expect(g.Kind != GroupDependent || object != 0 && c.ok && g.Key < p.Objects[object-1].Keys.Len)
			for i, b := range follow(c, p.Branches, g.Branches, &branches) {
				optional := g.Kind == GroupIf && i > 0
				c.refs(len(p.Schemas), b)
				c.expect(b == 0 && optional || b != 0 && c.ok && p.Schemas[b-1].Rank < s.Rank)
			}
			// A discriminator's value is judged like a property of its own.
			c.expect(g.Discriminator == 0 || c.ok && p.Schemas[g.Discriminator-1].Rank == 0 && p.Schemas[g.Discriminator-1].Kind == RuleEnum)
		}
	}
}

// rules checks what a schema refers to and returns it as if it were several.
func (c *programChecker) rules(s Schema) (all Several) {
	p := c.p
	c.expect(s.Kind < ruleKindCount && (s.Rule != 0) == (s.Kind != RuleNone))
	if s.Kind == RuleSeveral {
		c.refs(len(p.Several), s.Rule)
	}
	switch {
	case !c.ok, s.Kind == RuleNone:
	case s.Kind == RuleSeveral:
		all = p.Several[s.Rule-1]
	default:
		all.Rules[s.Kind-RuleEnum] = s.Rule
	}
	for i, n := range [len(all.Rules)]int{len(p.Enums), len(p.Numbers), len(p.Strings), len(p.Arrays), len(p.Objects)} {
		c.refs(n, all.Rules[i])
	}
	return all
}

func (c *programChecker) enums() {
	p := c.p
	for _, v := range p.Values {
		c.texts(v.Text)
		c.refs(len(p.Schemas), v.Select)
	}
	var numbers run
	for _, e := range p.Enums {
		c.expect(e.Code.Valid())
		c.span(e.Values, len(p.Values))
		c.table(e.Slots, e.Values, len(p.ValueSlots))
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
		c.expect(-MaxBound <= n.Low && n.Low <= MaxBound+1 && -MaxBound-1 <= n.High && n.High <= MaxBound)
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
	for _, k := range p.Keys {
		c.texts(k.Name)
	}
	c.refs(len(p.Schemas), p.Properties...)
	for _, pattern := range p.Patterns {
		c.refs(len(p.Automata), pattern.Automaton)
		c.refs(len(p.Schemas), pattern.Schema)
		c.expect(pattern.Automaton != 0)
	}
	var words, dependents run
	for _, o := range p.Objects {
		c.span(o.Keys, len(p.Keys))
		c.span(o.Properties, len(p.Properties))
		c.table(o.Slots, o.Keys, len(p.KeySlots))
		c.refs(len(p.Schemas), o.Extra)
		c.refs(len(p.Others), o.Others)
		c.expect(o.Keys.Len <= MaxKeys && o.Properties.Len <= o.Keys.Len)
		if o.Required != 0 {
			c.bits(o.Required, o.Keys.Len, &words)
		}
		if o.Others == 0 || !c.ok {
			continue
		}
		others := p.Others[o.Others-1]
		c.refs(len(p.Schemas), others.Names, others.Unevaluated)
		c.span(others.Patterns, len(p.Patterns))
		for _, d := range follow(c, p.Dependents, others.Dependents, &dependents) {
			c.expect(d.Key < o.Keys.Len)
			c.bits(d.Needs, o.Keys.Len, &words)
		}
	}
}

func (c *programChecker) automata() {
	p := c.p
	var nexts run
	for _, a := range p.Automata {
		next := follow(c, p.Next, a.Next, &nexts)
		c.expect(int(a.Class) < len(p.Classes))
		if !c.ok {
			return
		}
		last := slices.Max(p.Classes[a.Class][:])
		c.expect(int(a.Start)+int(last) < len(next))
		for _, s := range next {
			c.expect(int(s)+int(last) < len(next))
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

// table checks the place of the hash table of the names that r names. What
// the slots hold is checked by who looks there: it costs nothing.
func (c *programChecker) table(slots uint32, r Range, n int) {
	c.span(Range{slots, TableSize(r.Len)}, n)
}

// bits checks a bitset of n keys: that it names no others.
func (c *programChecker) bits(r Ref, n uint32, at *run) {
	c.expect(r != 0)
	words := follow(c, c.p.Words, Range{uint32(r) - 1, BitsetSize(n)}, at)
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

func bounded(exponent int32) bool { return -maxExponent <= exponent && exponent <= maxExponent }
