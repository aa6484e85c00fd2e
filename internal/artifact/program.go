package artifact

import (
	"math/bits"

	"github.com/threatgate/threatgate/internal/violation"
)

// Program is the compiled schemas of an API: what judges JSON values.
//
// A value is judged by a Schema. What a schema says of values of one type
// stands in a rule of that type (Number, String, Array, Object), so that a
// value of another type costs nothing. What it says through other schemas on
// the same value (allOf, anyOf, …) stands in its groups.
//
// Where what a run of records may hold depends on its owner, the runs follow
// each other in the order of their owners, so that checking them takes linear
// time.
type Program struct {
	Pool       []byte
	Locations  []Location
	Schemas    []Schema
	Several    []Several
	Groups     []Group
	Branches   []Ref // into Schemas: of groups
	Enums      []Enum
	Values     []Value
	ValueSlots []uint32
	Decimals   []Decimal // of enums; bounds are held by Numbers
	Numbers    []Number
	Strings    []String
	Arrays     []Array
	Prefixes   []Ref // into Schemas: of arrays
	Objects    []Object
	Keys       []Key
	KeySlots   []uint16
	Properties []Ref // into Schemas: of objects
	Words      []uint64
	Others     []Others
	Dependents []Dependent
	Patterns   []Pattern
	Automata   []Automaton
	Classes    [][256]uint8
	Next       []uint32
	CodePoints []Run // all of them, in ascending order; none if no Format asks for them
}

// Schema judges one value. Most say something of one type of values at most,
// so that one rule is all that they have.
type Schema struct {
	Location Ref            // into Locations: where it stands in the specification
	Rule     Ref            // into the section that Kind names
	Kind     RuleKind       // of Rule
	Types    Types          // of values that it lets through
	Code     violation.Code // what a value of another type violates
	Rank     uint8          // 0 without groups, else greater than the rank of every branch
}

// RuleKind says which section a rule is in.
type RuleKind uint8

const (
	RuleNone RuleKind = iota
	RuleEnum
	RuleNumber
	RuleString
	RuleArray
	RuleObject
	RuleSeveral // several of those, or groups
	ruleKindCount
)

// Several is all that a schema says that has more than one rule, or groups.
type Several struct {
	Rules  [RuleSeveral - RuleEnum]Ref // by kind, beginning with RuleEnum; 0: none
	Groups Range                       // into Groups
}

// Rule returns the rule of a kind other than RuleSeveral that s has, 0 if it
// has none.
func (p *Program) Rule(s *Schema, k RuleKind) Ref {
	if s.Kind == k {
		return s.Rule
	}
	if s.Kind == RuleSeveral {
		return p.Several[s.Rule-1].Rules[k-RuleEnum]
	}
	return 0
}

// GroupsOf returns the groups of s.
func (p *Program) GroupsOf(s *Schema) []Group {
	if s.Kind != RuleSeveral {
		return nil
	}
	return Of(p.Groups, p.Several[s.Rule-1].Groups)
}

// Location is a place in the specification: what Tail adds to the place that
// Parent is. Places are long and mostly differ at their ends.
type Location struct {
	Parent Ref // into Locations, before this one
	Tail   Text
}

// AppendLocation appends a place as a JSON pointer, nothing if r is 0.
func (p *Program) AppendLocation(dst []byte, r Ref) []byte {
	if r == 0 {
		return dst
	}
	l := p.Locations[r-1]
	return append(p.AppendLocation(dst, l.Parent), p.String(l.Tail)...)
}

// Group is one keyword that applies other schemas to the same value.
type Group struct {
	Property      Text   // of a discriminator
	Branches      Range  // into Branches
	Discriminator Ref    // into Schemas: judges the property's value; its enum says which branch it selects
	Key           uint32 // of GroupDependent: index among the keys of the schema's object
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
	GroupDependent                  // the only branch must pass if the name Key is there
	groupKindCount
)

// Enum is a set of scalar values. An array or object is none of them.
type Enum struct {
	Values   Range  // into Values: the strings
	Slots    uint32 // into ValueSlots: where their hash table begins
	Numbers  Range  // into Decimals
	Longest  uint32 // of the strings, in bytes
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

// Value is a string of an enum.
type Value struct {
	Ends   Ends
	Text   Text
	Select Ref // into Schemas: the branch that this value of a discriminator selects
	_      uint32
}

// Decimal is a Numeral at rest.
type Decimal struct {
	Small    int64 // the number × 10^Scale, if IsSmall
	Digits   Text
	Exponent int32
	Negative uint8
	IsSmall  uint8
	Scale    uint8 // at most MaxSmall
	_        uint8
}

// MaxSmall is the largest number of digits of which any value fits into an
// int64.
const MaxSmall = 18

// maxExponent bounds exponents: a number of a larger one is as good as
// infinite, one of a smaller one as good as zero to a limit.
const maxExponent = 1 << 30

// Number is what a schema says of numbers.
type Number struct {
	Min, Max         Decimal
	Low, High        int64  // what lies between these is within the bounds, and there is no divisor; see Holds
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
	FormatDateTimeLocal
	FormatTime
	FormatTimeLocal
	FormatUUID
	FormatEmail
	FormatIDNEmail
	FormatHostname
	FormatIDNHostname
	FormatIPv4
	FormatIPv6
	FormatRegex
	formatCount
)

// MaxFormat is the length in bytes of the longest string that has a Format.
const MaxFormat = 1024

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
	Keys          Range  // into Keys: all names that it knows, its properties first, in the order of their declaration
	Slots         uint32 // into KeySlots: where their hash table begins
	Properties    Range  // into Properties: by key, the schema of the property's value; 0: any
	Required      Ref    // into Words: the first of a bitset of keys; 0: none is
	Extra         Ref    // into Schemas: of properties that neither Properties nor Patterns name; 0: any
	Others        Ref
	MinProperties uint32
	MaxProperties uint32
	Covers        uint8 // 1: Extra evaluates all properties, even where it is 0
	Escapes       uint8 // 1: some of the names have characters that JSON escapes
	_             [2]uint8
}

// Others is what few schemas say of objects.
type Others struct {
	Dependents  Range // into Dependents
	Patterns    Range // into Patterns
	Names       Ref   // into Schemas: judges each name, as a string
	Unevaluated Ref
}

// OthersOf returns the others of o.
func (p *Program) OthersOf(o *Object) *Others {
	if o.Others == 0 {
		return &noOthers
	}
	return &p.Others[o.Others-1]
}

var noOthers Others

// Key is a name that an object knows: because it is declared, or because it
// matters whether it is there. Objects that know the same names share them.
//
// The hash table of names, and likewise of values, has TableSize slots, in
// which 0 is free, any other number an index among the keys plus 1. A name is
// in the first free slot from its hash modulo TableSize on.
type Key struct {
	Ends Ends
	Name Text
}

// TableSize is the number of slots for n names: a power of 2, of which half
// or more are free.
func TableSize(n uint32) uint32 {
	if n == 0 {
		return 0
	}
	return 1 << bits.Len32(2*n-1)
}

// KeyTable returns the hash table of an object's keys.
func (p *Program) KeyTable(o *Object) []uint16 {
	return p.KeySlots[o.Slots : o.Slots+TableSize(o.Keys.Len)]
}

// ValueTable returns the hash table of an enum's strings.
func (p *Program) ValueTable(e *Enum) []uint32 {
	return p.ValueSlots[e.Slots : e.Slots+TableSize(e.Values.Len)]
}

// Bitset returns the words of a bitset of o's keys, none if r is 0.
func (p *Program) Bitset(r Ref, o *Object) []uint64 {
	if r == 0 {
		return nil
	}
	return p.Words[r-1:][:BitsetSize(o.Keys.Len)]
}

// BitsetSize is the number of words of a bitset of n keys.
func BitsetSize(n uint32) uint32 { return (n + 63) / 64 }

// Dependent is a name that needs others.
type Dependent struct {
	Needs Ref    // into Words: the first of a bitset of keys
	Key   uint32 // index of the name among the keys
}

// Pattern is a schema for all names that an automaton accepts.
type Pattern struct {
	Automaton Ref
	Schema    Ref
}

// Automaton is a deterministic automaton over bytes. A state is the index of
// the first of its transitions in Next. State 0 is dead: it accepts nothing
// and leads only to itself.
type Automaton struct {
	Next     Range  // into Next: the state after byte b in state s is Next[s + class(b)]
	Accept   uint32 // the first state that accepts, as do those behind it
	MinRunes uint32 // code points that the string must have, beyond being accepted
	MaxRunes uint32
	Class    uint32 // into Classes
	Start    uint32
}

// MaxTasks bounds the schemas that judge one value side by side.
const MaxTasks = 512

// MaxKeys bounds the names that one object knows.
const MaxKeys = 1 << 12

// String returns the bytes of t. They must not be changed.
func (p *Program) String(t Text) []byte { return p.Pool[t.Off : t.Off+t.Len] }

func (p *Program) sections() []section {
	return []section{
		list[byte]{&p.Pool},
		list[Location]{&p.Locations},
		list[Schema]{&p.Schemas},
		list[Several]{&p.Several},
		list[Group]{&p.Groups},
		list[Ref]{&p.Branches},
		list[Enum]{&p.Enums},
		list[Value]{&p.Values},
		list[uint32]{&p.ValueSlots},
		list[Decimal]{&p.Decimals},
		list[Number]{&p.Numbers},
		list[String]{&p.Strings},
		list[Array]{&p.Arrays},
		list[Ref]{&p.Prefixes},
		list[Object]{&p.Objects},
		list[Key]{&p.Keys},
		list[uint16]{&p.KeySlots},
		list[Ref]{&p.Properties},
		list[uint64]{&p.Words},
		list[Others]{&p.Others},
		list[Dependent]{&p.Dependents},
		list[Pattern]{&p.Patterns},
		list[Automaton]{&p.Automata},
		list[[256]uint8]{&p.Classes},
		list[uint32]{&p.Next},
		list[Run]{&p.CodePoints},
	}
}

func (p *Program) hasRoot(r Ref) bool { return int(r) <= len(p.Schemas) }
