package schema

import (
	"math"
	"sort"
	"strconv"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/inventory"
	"github.com/threatgate/threatgate/internal/violation"
)

// node is an artifact.Schema in the making. Its parts are those of the
// records, before they are laid out.
type node struct {
	pos      diag.Pos
	location string
	code     violation.Code
	types    artifact.Types
	enum     *enum
	number   numberRule
	text     textRule
	array    *arrayRule
	object   *objectRule
	groups   []group
	rank     int
	ranking  bool // its rank is being found
	partial  bool // something that the schema says is not enforced
}

const anyType = artifact.TypeAny

func newNode(location string, code violation.Code, types artifact.Types) *node {
	return &node{location: location, code: code, types: types, text: textRule{length: anySpan}}
}

// children are the nodes that n refers to; 0 may be among them.
func (n *node) children() (all []ref) {
	for _, g := range n.groups {
		all = append(append(all, g.branches...), g.discriminator)
	}
	if a := n.array; a != nil {
		all = append(append(all, a.prefix...), a.items, a.contains, a.unevaluated)
	}
	if o := n.object; o != nil {
		all = append(all, o.extra, o.names, o.unevaluated)
		for _, p := range o.properties {
			all = append(all, p.node)
		}
		for _, p := range o.patterns {
			all = append(all, p.node)
		}
	}
	return all
}

type group struct {
	kind          artifact.GroupKind
	code          violation.Code
	branches      []ref
	property      string // of the discriminator
	discriminator ref
	name          string // that makes a dependent branch count
}

type enum struct {
	code     violation.Code
	literals artifact.Literals
	numbers  []artifact.Numeral
	strings  []string
	selects  map[string]ref // for a discriminator
}

type bound struct {
	code  violation.Code // None: there is no bound
	value artifact.Numeral
	open  bool
}

type numberRule struct {
	min, max        bound
	divisor         uint64
	divisorExponent int32
}

func (r *numberRule) isEmpty() bool {
	return r.min.code == violation.None && r.max.code == violation.None && r.divisor == 0
}

// atLeast adds a lower bound.
func (r *numberRule) atLeast(b bound) {
	if c := b.value.Compare(r.min.value); r.min.code == violation.None || c > 0 || c == 0 && b.open && !r.min.open {
		r.min = b
	}
}

// atMost adds an upper bound.
func (r *numberRule) atMost(b bound) {
	if c := b.value.Compare(r.max.value); r.max.code == violation.None || c < 0 || c == 0 && b.open && !r.max.open {
		r.max = b
	}
}

// integers are the least and the greatest of the integers within MaxBound that r
// allows. Where it does not allow all between them there are none.
func (r *numberRule) integers() (low, high int64) {
	if r.divisor != 0 {
		return 1, 0
	}
	// first is the first integer of which a condition holds that holds of all larger ones.
	first := func(holds func(artifact.Numeral) bool) int64 {
		i := sort.Search(2*artifact.MaxBound+1, func(i int) bool {
			return holds(artifact.ParseNumeral(nil, strconv.AppendInt(nil, int64(i)-artifact.MaxBound, 10)))
		})
		return int64(i) - artifact.MaxBound
	}
	low = first(func(n artifact.Numeral) bool {
		c := n.Compare(r.min.value)
		return r.min.code == violation.None || c > 0 || c == 0 && !r.min.open
	})
	high = first(func(n artifact.Numeral) bool {
		c := n.Compare(r.max.value)
		return r.max.code != violation.None && (c > 0 || c == 0 && r.max.open)
	}) - 1
	return low, high
}

// span is a least and a greatest number of characters, items or properties.
type span struct{ min, max uint32 }

var anySpan = span{0, artifact.Unbounded}

// narrow adds bounds.
func (s *span) narrow(least, most *uint64) {
	if least != nil {
		s.min = max(s.min, clamp(*least))
	}
	if most != nil {
		s.max = min(s.max, clamp(*most))
	}
}

func clamp(n uint64) uint32 { return uint32(min(n, math.MaxUint32)) }

type textRule struct {
	length  span
	pattern ref // automaton
	grammar ref
	format  artifact.Format
}

func (r *textRule) isEmpty() bool {
	return r.length == anySpan && r.pattern == 0 && r.grammar == 0 && r.format == artifact.FormatNone
}

type arrayRule struct {
	prefix      []ref
	items       ref
	contains    ref
	matches     span // of contains
	count       span
	unevaluated ref
	unique      bool
	covers      bool
}

type objectRule struct {
	properties  []property
	required    []string
	dependents  []inventory.DependentRequired
	patterns    []pattern
	extra       ref
	names       ref
	count       span
	unevaluated ref
	covers      bool
}

type property struct {
	name    string
	schemas []*inventory.Schema // all of which apply
	node    ref
}

type pattern struct {
	automaton ref
	schema    *inventory.Schema
	node      ref
}

func (n *node) arrayRule() *arrayRule {
	if n.array == nil {
		n.array = &arrayRule{matches: anySpan, count: anySpan}
	}
	return n.array
}

func (n *node) objectRule() *objectRule {
	if n.object == nil {
		n.object = &objectRule{count: anySpan}
	}
	return n.object
}

func (o *objectRule) property(name string) *property {
	for i := range o.properties {
		if o.properties[i].name == name {
			return &o.properties[i]
		}
	}
	o.properties = append(o.properties, property{name: name})
	return &o.properties[len(o.properties)-1]
}
