package schema

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/inventory"
	"github.com/threatgate/threatgate/internal/violation"
)

// constants adds enum and const. Scalars become an enum of the node; arrays
// and objects become schemas that only they pass, so that comparing them is
// exact and needs no memory.
func (b *builder) constants(s *inventory.Schema) {
	var values []string
	code := violation.Enum
	switch {
	case s.Enum != nil && s.Const != nil:
		member := &inventory.Schema{Pos: s.Pos, Pointer: s.Pointer, Types: inventory.TypeAny, Const: s.Const}
		b.node.groups = append(b.node.groups, group{kind: artifact.GroupAll, code: violation.Const, branches: []ref{b.schema(member, b.direction)}})
		values = s.Enum
	case s.Const != nil:
		values, code = []string{*s.Const}, violation.Const
	case s.Enum != nil:
		values = s.Enum
	default:
		return
	}
	b.valued = true
	e := &enum{code: code}
	var branches []ref
	for _, text := range values {
		switch v := b.parse(s.Pos, text).(type) {
		case []any, map[string]any:
			branches = append(branches, b.constant(v, s.Pointer, code))
		default:
			e.add(v)
		}
	}
	if branches == nil {
		b.node.enum = e
		return
	}
	branches = append(branches, b.scalarConstant(e, s.Pointer))
	b.node.groups = append(b.node.groups, group{kind: artifact.GroupAny, code: code, branches: branches})
}

func (c *Compiler) parse(pos diag.Pos, text string) any {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		c.diags.Errorf(pos, "the constant is not JSON: %v", err)
	}
	return v
}

// add adds a scalar.
func (e *enum) add(v any) {
	switch v := v.(type) {
	case nil:
		e.literals |= artifact.LiteralNull
	case bool:
		if v {
			e.literals |= artifact.LiteralTrue
		} else {
			e.literals |= artifact.LiteralFalse
		}
	case string:
		if !slices.Contains(e.strings, v) {
			e.strings = append(e.strings, v)
		}
	case json.Number:
		e.numbers = append(e.numbers, numeral(v.String()))
	}
}

// constant is a node that only v passes.
func (c *Compiler) constant(v any, location string, code violation.Code) ref {
	n := newNode(location, code, 0)
	switch v := v.(type) {
	case []any:
		n.types = artifact.TypeArray
		a := n.arrayRule()
		a.count = span{uint32(len(v)), uint32(len(v))}
		for _, item := range v {
			a.prefix = append(a.prefix, c.constant(item, location, code))
		}
	case map[string]any:
		n.types = artifact.TypeObject
		o := n.objectRule()
		o.extra, o.covers = c.never(location, code), true
		for _, name := range slices.Sorted(maps.Keys(v)) {
			p := o.property(name)
			p.node = c.constant(v[name], location, code)
			o.required = append(o.required, name)
		}
	default:
		e := &enum{code: code}
		e.add(v)
		return c.scalarConstant(e, location)
	}
	return c.add(n)
}

func (c *Compiler) scalarConstant(e *enum, location string) ref {
	n := newNode(location, e.code, anyType)
	n.enum = e
	return c.add(n)
}

// numeric are the types of numbers.
const numeric = artifact.TypeInteger | artifact.TypeNumber

func (b *builder) numbers(s *inventory.Schema) {
	r := &b.node.number
	for _, k := range [...]struct {
		name  string
		value inventory.Decimal
		code  violation.Code
		open  bool
		add   func(bound)
	}{
		{"minimum", s.Minimum, violation.Minimum, false, r.atLeast},
		{"exclusiveMinimum", s.ExclusiveMinimum, violation.ExclusiveMinimum, true, r.atLeast},
		{"maximum", s.Maximum, violation.Maximum, false, r.atMost},
		{"exclusiveMaximum", s.ExclusiveMaximum, violation.ExclusiveMaximum, true, r.atMost},
	} {
		if k.value == "" {
			continue
		}
		if !isNumber(string(k.value)) {
			b.unenforced(s.Pos, k.name, fmt.Errorf("%q is not a JSON number", k.value), numeric)
			continue
		}
		k.add(bound{k.code, numeral(string(k.value)), k.open})
	}
	if s.MultipleOf == "" {
		return
	}
	divisor, exponent, err := parseDivisor(string(s.MultipleOf))
	if err != nil {
		b.unenforced(s.Pos, "multipleOf", err, numeric)
		return
	}
	r.divisor, r.divisorExponent = divisor, exponent
}

// parseDivisor reads a number as an integer times a power of ten.
func parseDivisor(s string) (divisor uint64, exponent int32, err error) {
	if !isNumber(s) {
		return 0, 0, fmt.Errorf("%q is not a JSON number", s)
	}
	n := numeral(s)
	if n.Negative || len(n.Digits) == 0 {
		return 0, 0, fmt.Errorf("%s is not greater than 0", s)
	}
	divisor, err = strconv.ParseUint(string(n.Digits), 10, 64)
	if err != nil {
		return 0, 0, fmt.Errorf("%s has too many digits", s)
	}
	return divisor, n.Exponent - int32(len(n.Digits)), nil
}

func numeral(s string) artifact.Numeral { return artifact.ParseNumeral(nil, []byte(s)) }

func isNumber(s string) bool {
	return s != "" && (s[0] == '-' || '0' <= s[0] && s[0] <= '9') && json.Valid([]byte(s))
}
