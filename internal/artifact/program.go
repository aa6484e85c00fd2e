package artifact

import "github.com/threatgate/threatgate/internal/violation"

// Program is the compiled schemas of an API: what judges JSON values.
//
// A value is judged by a Schema. What a schema says of values of one type
// stands in a rule of that type (Number, String, Array, Object), so that a
// value of another type costs nothing. What it says through other schemas on
// the same value (allOf, anyOf, …) stands in its groups.
//
// Runs of records that one owner refers to follow each other in the order of
// their owners, so that checking them takes linear time.
type Program struct {
	Pool       []byte
	Schemas    []Schema
	Groups     []Group
	Branches   []Ref // into Schemas: of groups
	Enums      []Enum
	Values     []Value
	Decimals   []Decimal // of enums; bounds are held by Numbers
	Numbers    []Number
	Strings    []String
	Arrays     []Array
	Prefixes   []Ref // into Schemas: of arrays
	Objects    []Object
	Keys       []Key
	Tracked    []Text // names of which an object must know whether they were there
	Words      []uint64
	Dependents []Dependent
	Patterns   []Pattern
	Automata   []Automaton
	Classes    [][256]uint8
	Next       []uint16
	Accept     []uint8
}

// Schema judges one value.
type Schema struct {
	Location Text  // where it stands in the specification
	Groups   Range // into Groups
	Enum     Ref
	Number   Ref
	String   Ref
	Array    Ref
	Object   Ref
	Types    Types          // of values that it lets through
	Code     violation.Code // what a value of another type violates
	Rank     uint8          // 0 without groups, else greater than the rank of every branch
	_        uint8
}

// Group is one keyword that applies other schemas to the same value.
type Group struct {
	Property      Text  // of a discriminator
	Branches      Range // into Branches
	Discriminator Ref   // into Schemas: judges the property's value; its enum says which branch it selects
	Bit           uint32
	Kind          GroupKind
	Code          violation.Code
	_             [2]uint8
}

// GroupKind says how the verdicts of a group's branches combine.
type GroupKind uint8

const (
	GroupAll       GroupKind = iota // each must pass
	GroupAny                        // one at least
	GroupOne                        // exactly one
	GroupNot                        // the only branch must fail
	GroupIf                         // three branches: if, then, else; the latter two may be 0
	GroupDependent                  // the only branch must pass if the tracked name Bit is there
	groupKindCount
)

// Enum is a set of scalar values. An array or object is none of them.
type Enum struct {
	Values   Range // into Values: a hash table of strings
	Numbers  Range // into Decimals
	Longest  uint32
	Literals Literals
	Code     violation.Code
	_        [2]uint8
}

// Literals is a set of null, true and false.
type Literals uint8

const (
	LiteralNull Literals = 1 << iota
	LiteralTrue
	LiteralFalse
)

// Value is a slot of a table of strings, as Key is of names.
type Value struct {
	Hash   uint64
	Text   Text
	Select Ref // into Schemas: the branch that this value of a discriminator selects
	Used   uint32
}

// Decimal is a Numeral at rest.
type Decimal struct {
	Int      int64 // the number itself, if IsInt
	Digits   Text
	Exponent int32
	Negative uint8
	IsInt    uint8
	_        [2]uint8
}

// MaxExponent bounds exponents: a number of a larger one is as good as
// infinite, one of a smaller one as good as zero to a limit.
const MaxExponent = 1 << 30

// Number is what a schema says of numbers.
type Number struct {
	Min, Max         Decimal
	Divisor          uint64 // with DivisorExponent: the number must be a multiple of Divisor × 10^DivisorExponent; 0: of nothing
	DivisorExponent  int32
	MinCode, MaxCode violation.Code // None: unbounded
	MinOpen, MaxOpen uint8          // 1: the bound itself is out
}

// Unbounded is the MaxLength, MaxItems, … of a rule that sets none.
const Unbounded = 1<<32 - 1

// String is what a schema says of strings.
type String struct {
	MinLength uint32 // in code points
	MaxLength uint32
	Pattern   Ref // into Automata
	Grammar   Ref // into Automata: of a format that is a regular language
	Format    Format
	_         [3]uint8
}

// Format is a format that is judged by a function of package enforce/schema,
// on the whole of a short string.
type Format uint8

const (
	FormatNone Format = iota
	FormatDate
	FormatDateTime
	FormatTime
	FormatUUID
	FormatEmail
	FormatHostname
	FormatIPv4
	FormatIPv6
	formatCount
)

// MaxFormat is the length in bytes of the longest string that has a Format.
const MaxFormat = 320

// Array is what a schema says of arrays.
type Array struct {
	Prefix      Range // into Prefixes: the schemas of the first items; 0: any
	Items       Ref   // into Schemas: of the others
	Contains    Ref
	MinContains uint32
	MaxContains uint32
	MinItems    uint32
	MaxItems    uint32
	Unevaluated Ref
	Unique      uint8 // 1: no two items may be equal
	Covers      uint8 // 1: Items evaluates all others, even where it is 0
	_           [2]uint8
}

// Object is what a schema says of objects.
type Object struct {
	Keys          Range // into Keys: a hash table of the declared names
	Tracked       Range // into Tracked
	Required      Range // into Words: a bitset of tracked names
	Dependents    Range // into Dependents
	Patterns      Range // into Patterns
	Extra         Ref   // into Schemas: of properties that neither Keys nor Patterns name; 0: any
	Names         Ref   // into Schemas: judges each name, as a string
	Unevaluated   Ref
	MinProperties uint32
	MaxProperties uint32
	Covers        uint32 // 1: Extra evaluates all properties, even where it is 0
}

// Key is a slot of a table of names: 2^n slots, the name in the first free
// one from Hash modulo 2^n on.
type Key struct {
	Hash   uint64
	Name   Text
	Schema Ref    // of the property's value; 0: any
	Bit    uint16 // the name's index among the tracked
	Flags  KeyFlags
	_      uint8
}

// KeyFlags say what a name is; 0: the slot is free.
type KeyFlags uint8

const (
	KeyDeclared KeyFlags = 1 << iota // a property of the schema
	KeyTracked
)

// Dependent is a tracked name that needs others.
type Dependent struct {
	Needs Range // into Words: a bitset of tracked names
	Bit   uint32
}

// Pattern is a schema for all names that an automaton accepts.
type Pattern struct {
	Automaton Ref
	Schema    Ref
}

// Automaton is a deterministic automaton over bytes. State 0 is dead: it
// accepts nothing and leads only to itself.
type Automaton struct {
	Next     Range  // into Next: the state after byte b in state s is Next[s·Width + class(b)]
	Accept   Range  // into Accept: 1 if the state accepts; one for each state
	MinRunes uint32 // code points that the string must have, beyond being accepted
	MaxRunes uint32
	Class    uint32 // into Classes
	Width    uint16 // number of classes
	Start    uint16
}

// MaxTracked bounds the names that one object tracks.
const MaxTracked = 1 << 12

// String returns the bytes of t. They must not be changed.
func (p *Program) String(t Text) []byte { return p.Pool[t.Off : t.Off+t.Len] }

func (p *Program) sections() []section {
	return []section{
		list[byte]{&p.Pool},
		list[Schema]{&p.Schemas},
		list[Group]{&p.Groups},
		list[Ref]{&p.Branches},
		list[Enum]{&p.Enums},
		list[Value]{&p.Values},
		list[Decimal]{&p.Decimals},
		list[Number]{&p.Numbers},
		list[String]{&p.Strings},
		list[Array]{&p.Arrays},
		list[Ref]{&p.Prefixes},
		list[Object]{&p.Objects},
		list[Key]{&p.Keys},
		list[Text]{&p.Tracked},
		list[uint64]{&p.Words},
		list[Dependent]{&p.Dependents},
		list[Pattern]{&p.Patterns},
		list[Automaton]{&p.Automata},
		list[[256]uint8]{&p.Classes},
		list[uint16]{&p.Next},
		list[uint8]{&p.Accept},
	}
}

func (p *Program) hasRoot(r Ref) bool { return int(r) <= len(p.Schemas) }

// check is the part of Bundle.check that is about the program. Beyond
// references it sees to it that judging ends: branches have a lower rank
// than their schema, so that no schema applies itself to the same value.
func (p *Program) check() bool {
	c := programChecker{checker{ok: true, text: len(p.Pool)}, p}
	c.schemas()
	c.enums()
	c.numbers()
	c.strings()
	c.arrays()
	c.objects()
	c.automata()
	return c.ok
}

type programChecker struct {
	checker
	p *Program
}

func (c *programChecker) schemas() {
	p := c.p
	var groups, branches run
	for _, s := range p.Schemas {
		c.texts(s.Location)
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
			c.expect(g.Kind != GroupDependent || s.Object != 0 && c.ok && g.Bit < p.Objects[s.Object-1].Tracked.Len)
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
	var values, numbers run
	for _, e := range p.Enums {
		c.expect(e.Code.Valid())
		c.expect(powerOfTwo(e.Values.Len))
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
	var keys, tracked, words, dependents, patterns run
	for _, o := range p.Objects {
		c.refs(len(p.Schemas), o.Extra, o.Names, o.Unevaluated)
		c.texts(follow(c, p.Tracked, o.Tracked, &tracked)...)
		c.expect(o.Tracked.Len <= MaxTracked && o.Required.Len == (o.Tracked.Len+63)/64)
		c.bits(follow(c, p.Words, o.Required, &words), o.Tracked.Len)
		c.expect(powerOfTwo(o.Keys.Len))
		for _, k := range follow(c, p.Keys, o.Keys, &keys) {
			c.texts(k.Name)
			c.refs(len(p.Schemas), k.Schema)
			c.expect(k.Flags&KeyTracked == 0 || uint32(k.Bit) < o.Tracked.Len)
		}
		for _, d := range follow(c, p.Dependents, o.Dependents, &dependents) {
			c.expect(d.Bit < o.Tracked.Len && d.Needs.Len == o.Required.Len)
			c.bits(follow(c, p.Words, d.Needs, &words), o.Tracked.Len)
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

// decimal checks a number's form: digits without a zero at either end.
func (c *programChecker) decimal(d Decimal) {
	c.texts(d.Digits)
	c.expect(bounded(d.Exponent))
	if !c.ok || d.Digits.Len == 0 {
		return
	}
	digits := c.p.String(d.Digits)
	for _, b := range digits {
		c.expect(b >= '0' && b <= '9')
	}
	c.expect(digits[0] != '0' && digits[len(digits)-1] != '0')
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
