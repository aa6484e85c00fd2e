package artifact

import (
	"encoding/binary"
	"math/bits"
)

// The forms in this file are part of the format: the compiler writes
// constants in them, and the filter brings what it reads into them.

// Ends are the first eight bytes of a name, filled up with zeros, and, if it
// is longer, the last eight. Names of up to 16 bytes that have the same ends
// and the same length are the same.
type Ends struct{ Head, Tail uint64 }

// EndsOf returns the ends of a name.
func EndsOf(name []byte) Ends {
	n := len(name)
	if n < 8 {
		if cap(name) < 8 {
			name = append(make([]byte, 0, 8), name...)
		}
		// What is behind the name is read along: one load instead of several.
		return Ends{Head: binary.LittleEndian.Uint64(name[:8]) & (1<<(8*n&63) - 1)}
	}
	return Ends{binary.LittleEndian.Uint64(name), binary.LittleEndian.Uint64(name[n-8:])}
}

// Hash places a name of n bytes in a table of Slots. It is not meant to
// withstand chosen collisions: they only lengthen the search by the names
// that the schema itself holds.
func (e Ends) Hash(n int) uint32 {
	h := (e.Head ^ uint64(n)) * 0x9e3779b97f4a7c15
	h = (bits.RotateLeft64(h, 31) ^ e.Tail) * 0xd6e8feb86659fd93
	return uint32(h ^ h>>32)
}

// Numeral is a number in normal form: 0.DIGITS × 10^Exponent, where the
// digits neither begin nor end with 0. Zero has no digits. Equal numbers have
// equal forms, 1.0 and 10e-1 for example.
type Numeral struct {
	Digits   []byte
	Exponent int32 // within ±maxExponent
	Negative bool
}

// ParseNumeral brings a number in JSON's form (RFC 8259, section 6) into
// normal form. The digits are written to buf.
func ParseNumeral(buf, number []byte) Numeral {
	n := Numeral{Digits: buf[:0]}
	i := 0
	if number[0] == '-' {
		n.Negative = true
		i++
	}
	exponent := int64(0)
	fraction := false
	for ; i < len(number) && number[i]|0x20 != 'e'; i++ {
		c := number[i]
		if c == '.' {
			fraction = true
			continue
		}
		if c == '0' && len(n.Digits) == 0 {
			if fraction {
				exponent--
			}
			continue
		}
		n.Digits = append(n.Digits, c)
		if !fraction {
			exponent++
		}
	}
	for len(n.Digits) > 0 && n.Digits[len(n.Digits)-1] == '0' {
		n.Digits = n.Digits[:len(n.Digits)-1]
	}
	if len(n.Digits) == 0 {
		return Numeral{Digits: n.Digits}
	}
	n.Exponent = int32(max(-maxExponent, min(maxExponent, exponent+parseExponent(number[i:]))))
	return n
}

// parseExponent reads "e-12". It stops growing where nothing changes any more.
func parseExponent(s []byte) int64 {
	if len(s) == 0 {
		return 0
	}
	s = s[1:]
	negative := s[0] == '-'
	if negative || s[0] == '+' {
		s = s[1:]
	}
	var e int64
	for _, c := range s {
		e = min(e*10+int64(c-'0'), 1<<40)
	}
	if negative {
		return -e
	}
	return e
}

// IsInteger reports whether n has no fractional part.
func (n Numeral) IsInteger() bool { return int(n.Exponent) >= len(n.Digits) }

// Compare orders numbers: negative if n < m, 0 if they are equal.
func (n Numeral) Compare(m Numeral) int {
	switch {
	case len(n.Digits) == 0 || len(m.Digits) == 0 || n.Negative != m.Negative:
		return n.sign() - m.sign()
	case n.Negative:
		return m.compareMagnitude(n)
	}
	return n.compareMagnitude(m)
}

func (n Numeral) sign() int {
	switch {
	case len(n.Digits) == 0:
		return 0
	case n.Negative:
		return -1
	}
	return 1
}

func (n Numeral) compareMagnitude(m Numeral) int {
	if n.Exponent != m.Exponent {
		if n.Exponent < m.Exponent {
			return -1
		}
		return 1
	}
	// Digits after the point compare like text.
	for i := range min(len(n.Digits), len(m.Digits)) {
		if d := int(n.Digits[i]) - int(m.Digits[i]); d != 0 {
			return d
		}
	}
	return len(n.Digits) - len(m.Digits)
}

// IsMultiple reports whether n is an integer times divisor × 10^exponent.
func (n Numeral) IsMultiple(divisor uint64, exponent int32) bool {
	if len(n.Digits) == 0 {
		return true
	}
	// n is an integer V without a factor 10, times 10^(Exponent-len(Digits)).
	shift := int64(n.Exponent) - int64(len(n.Digits)) - int64(exponent)
	if shift < 0 {
		return false
	}
	var rest uint64
	for _, d := range n.Digits {
		rest = addMod(mulMod(rest, 10, divisor), uint64(d-'0'), divisor)
	}
	power := uint64(10) % divisor
	for ; shift > 0; shift >>= 1 {
		if shift&1 != 0 {
			rest = mulMod(rest, power, divisor)
		}
		power = mulMod(power, power, divisor)
	}
	return rest == 0
}

func mulMod(a, b, m uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return bits.Rem64(hi, lo, m)
}

func addMod(a, b, m uint64) uint64 {
	lo, carry := bits.Add64(a, b, 0)
	return bits.Rem64(carry, lo, m)
}

// MaxBound bounds Low and High on both sides, and maxScale the scale at which Holds
// compares them, so that it can't overflow.
const (
	MaxBound = 1e11
	maxScale = 7
)

// Holds reports whether n × 10^-scale is allowed, as far as Low and High tell. If
// not, the bounds themselves do.
func (r *Number) Holds(n int64, scale int) bool {
	if uint(scale) > maxScale {
		return false
	}
	unit := units[scale]
	return r.Low*unit <= n && n <= r.High*unit
}

var units = [maxScale + 1]int64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7}

// Numeral returns d's normal form.
func (p *Program) Numeral(d *Decimal) Numeral {
	return Numeral{Digits: p.String(d.Digits), Exponent: d.Exponent, Negative: d.Negative != 0}
}
