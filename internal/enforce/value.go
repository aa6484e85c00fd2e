package enforce

import (
	"bytes"
	"unicode/utf8"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/enforce/uri"
	"github.com/threatgate/threatgate/internal/violation"
)

// decode undoes percent-encoding in queries and cookies: headers have none,
// and captures are decoded already. The result is valid until the next call.
func (r *Request) decode(place violation.Place, src []byte) ([]byte, bool) {
	plus := place == violation.InQuery
	if !plus && place != violation.InCookie || plus && r.plainQuery || uri.Plain(src, plus) {
		return src, true
	}
	var ok bool
	r.value, ok = uri.Unescape(r.value[:0], src, plus)
	return r.value, ok
}

// scalar feeds a text as the JSON value it stands for: a number or boolean
// where the schema admits one and the text is written as JSON writes it,
// else a string. An integer has no exponent: what reads integers, such as C's
// strtol and JavaScript's parseInt, stops at it. It reports whether the text
// is UTF-8: automata and formats take that for granted.
func (r *Request) scalar(types artifact.Types, value []byte) bool {
	switch {
	case !utf8.Valid(value):
		return false
	case types&artifact.TypeNumber != 0 && isNumber(value),
		types&artifact.TypeInteger != 0 && isNumber(value) && bytes.IndexByte(value, 'e') < 0 && bytes.IndexByte(value, 'E') < 0:
		r.machine.Number(value)
	case types&artifact.TypeBoolean != 0 && (string(value) == "true" || string(value) == "false"):
		r.machine.Bool(len(value) == len("true"))
	case types&artifact.TypeNull != 0 && types&artifact.TypeString == 0 && (len(value) == 0 || string(value) == "null"):
		r.machine.Null()
	default:
		r.machine.String(value)
	}
	return true
}

// isNumber reports whether s is a number of RFC 8259 section 6.
func isNumber(s []byte) bool {
	if len(s) > 0 && s[0] == '-' {
		s = s[1:]
	}
	whole, s := digits(s)
	if len(whole) == 0 || len(whole) > 1 && whole[0] == '0' {
		return false
	}
	if len(s) > 0 && s[0] == '.' {
		var fraction []byte
		if fraction, s = digits(s[1:]); len(fraction) == 0 {
			return false
		}
	}
	if len(s) > 0 && (s[0] == 'e' || s[0] == 'E') {
		s = s[1:]
		if len(s) > 0 && (s[0] == '+' || s[0] == '-') {
			s = s[1:]
		}
		var exponent []byte
		if exponent, s = digits(s); len(exponent) == 0 {
			return false
		}
	}
	return len(s) == 0
}

func digits(s []byte) (run, rest []byte) {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return s[:n], s[n:]
}
