package schema

import (
	"cmp"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/violation"
)

var powersOf10 = [artifact.MaxSmall + 1]int64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18}

// readSmall reads a number of at most artifact.MaxSmall digits, without an exponent,
// as an integer over a power of ten. Most numbers are such.
func (v *scalar) readSmall() {
	v.read = numberLarge
	digits := v.bytes
	if digits[0] == '-' {
		digits = digits[1:]
	}
	if len(digits) > artifact.MaxSmall {
		return
	}
	n, point := int64(0), len(digits)-1
	for i, c := range digits {
		if digit := c - '0'; digit <= 9 {
			n = n*10 + int64(digit)
		} else if c == '.' {
			point = i
		} else {
			return
		}
	}
	if len(digits) < len(v.bytes) {
		n = -n
	}
	v.read, v.small, v.scale = numberSmall, n, len(digits)-1-point
}

// toNumeral brings the number into normal form.
func (m *Machine) toNumeral() artifact.Numeral {
	v := &m.scalar
	if v.read != numberNumeral {
		v.numeral, v.read = artifact.ParseNumeral(v.digits, v.bytes), numberNumeral
		v.digits = v.numeral.Digits
	}
	return v.numeral
}

// isSmall reports whether the number has been read into small and scale.
func (v *scalar) isSmall() bool {
	if v.read == numberUnread {
		v.readSmall()
	}
	return v.read == numberSmall
}

func (m *Machine) isInteger() bool {
	if v := &m.scalar; v.isSmall() {
		return v.scale == 0 || v.small%powersOf10[v.scale] == 0
	}
	return m.toNumeral().IsInteger()
}

// compare orders the number and a constant.
func (m *Machine) compare(d *artifact.Decimal) int {
	v := &m.scalar
	if d.IsSmall == 0 || !v.isSmall() {
		return m.toNumeral().Compare(m.program.Numeral(d))
	}
	n, limit := v.small, d.Small
	if more := int(d.Scale) - v.scale; more != 0 && limit != 0 {
		ok := false
		if more > 0 {
			n, ok = shift(n, more)
		} else {
			limit, ok = shift(limit, -more)
		}
		if !ok {
			return m.toNumeral().Compare(m.program.Numeral(d))
		}
	}
	return cmp.Compare(n, limit)
}

// shift returns n × 10^places, if it is small, too.
func shift(n int64, places int) (int64, bool) {
	room := powersOf10[artifact.MaxSmall-places]
	return n * powersOf10[places], -room < n && n < room
}

// checkNumber judges a number.
func (m *Machine) checkNumber(s *artifact.Schema) violation.Code {
	p := m.program
	if s.Types&(artifact.TypeInteger|artifact.TypeNumber) == 0 || s.Types&artifact.TypeNumber == 0 && !m.isInteger() {
		return s.Code
	}
	if s.Kind == artifact.RuleNone {
		return violation.None
	}
	if enum := p.Rule(s, artifact.RuleEnum); enum != 0 {
		e := &p.Enums[enum-1]
		if !m.isAmong(artifact.Of(p.Decimals, e.Numbers)) {
			return e.Code
		}
	}
	rule := p.Rule(s, artifact.RuleNumber)
	if rule == 0 {
		return violation.None
	}
	r := &p.Numbers[rule-1]
	if v := &m.scalar; v.isSmall() && r.Holds(v.small, v.scale) {
		return violation.None
	}
	if r.MinCode != violation.None && m.compare(&r.Min) < int(r.MinOpen) {
		return r.MinCode
	}
	if r.MaxCode != violation.None && m.compare(&r.Max) > -int(r.MaxOpen) {
		return r.MaxCode
	}
	if r.Divisor != 0 && !m.toNumeral().IsMultiple(r.Divisor, r.DivisorExponent) {
		return violation.MultipleOf
	}
	return violation.None
}

func (m *Machine) isAmong(numbers []artifact.Decimal) bool {
	for i := range numbers {
		if m.compare(&numbers[i]) == 0 {
			return true
		}
	}
	return false
}
