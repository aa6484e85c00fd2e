package schema

import (
	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/violation"
)

// parseSmall reads a number that is written as an integer of at most 18
// digits.
func parseSmall(number []byte) (n int64, ok bool) {
	digits := number
	if digits[0] == '-' {
		digits = digits[1:]
	}
	if len(digits) > 18 {
		return 0, false
	}
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	if len(digits) < len(number) {
		n = -n
	}
	return n, true
}

// numeral is the number's normal form.
func (m *Machine) numeral() artifact.Numeral {
	v := &m.scalar
	if !v.normal {
		v.numeral, v.normal = artifact.ParseNumeral(v.digits, v.bytes), true
		v.digits = v.numeral.Digits
	}
	return v.numeral
}

func (m *Machine) isInteger() bool { return m.scalar.isSmall || m.numeral().IsInteger() }

// compare orders the number and a constant.
func (m *Machine) compare(d *artifact.Decimal) int {
	if v := &m.scalar; v.isSmall && d.IsInt != 0 {
		switch {
		case v.small < d.Int:
			return -1
		case v.small > d.Int:
			return 1
		}
		return 0
	}
	return m.numeral().Compare(m.program.Numeral(d))
}

func (m *Machine) checkNumber(s *artifact.Schema) violation.Code {
	p := m.program
	if s.Enum != 0 {
		e := &p.Enums[s.Enum-1]
		if !m.isAmong(artifact.Of(p.Decimals, e.Numbers)) {
			return e.Code
		}
	}
	if s.Number == 0 {
		return violation.None
	}
	r := &p.Numbers[s.Number-1]
	if r.MinCode != violation.None {
		if c := m.compare(&r.Min); c < 0 || c == 0 && r.MinOpen != 0 {
			return r.MinCode
		}
	}
	if r.MaxCode != violation.None {
		if c := m.compare(&r.Max); c > 0 || c == 0 && r.MaxOpen != 0 {
			return r.MaxCode
		}
	}
	if r.Divisor != 0 && !m.numeral().IsMultiple(r.Divisor, r.DivisorExponent) {
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
