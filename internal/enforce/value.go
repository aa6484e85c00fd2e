package enforce

import (
	"bytes"
	"unicode/utf8"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/enforce/distinct"
	"github.com/threatgate/threatgate/internal/enforce/schema"
	"github.com/threatgate/threatgate/internal/enforce/uri"
	"github.com/threatgate/threatgate/internal/violation"
)

// values judges the values of a message, one after the other: its parameters
// or headers, then its body. What is no JSON text is judged as the JSON value
// that it stands for.
type values struct {
	request *Request // whose verdict it is
	bundle  *artifact.Bundle
	machine schema.Machine
	names   distinct.Sets // of the objects that are no JSON texts
	deep    deep

	plainQuery  bool   // nothing in the query is escaped
	asciiTarget bool   // nor in the path, and all is ASCII
	buffer      []byte // memory of the value being decoded
	location    []byte // likewise, of a schema's place
}

// start begins a value that is found in a part of the message.
func (v *values) start(root artifact.Ref, in violation.Place) {
	meta := &v.bundle.Meta
	v.machine.Start(&v.bundle.Program, root, schema.Options{
		MaxDepth:      int(meta.MaxDepth),
		MaxToken:      int(meta.MaxToken),
		FailFast:      v.request.modeOf(in) == violation.Enforce,
		MaxViolations: int(meta.MaxRecords),
	})
}

// hasEscapes reports whether values are percent-encoded there: in headers they
// are not.
func hasEscapes(place violation.Place) bool {
	return place == violation.InPath || place == violation.InQuery || place == violation.InCookie
}

// decode undoes percent-encoding. The result is valid until the next call.
func (v *values) decode(place violation.Place, src []byte) ([]byte, bool) {
	plus := place == violation.InQuery
	if v.isASCII(place) || !hasEscapes(place) || plus && v.plainQuery || uri.Plain(src, plus) {
		return src, true
	}
	var ok bool
	v.buffer, ok = uri.Unescape(v.buffer[:0], src, plus)
	return v.buffer, ok
}

// isASCII reports whether it is known that what stands in a place is ASCII, and
// not encoded.
func (v *values) isASCII(place violation.Place) bool {
	return v.asciiTarget && (place == violation.InPath || place == violation.InQuery)
}

// scalar feeds a text as the JSON value it stands for: a number or boolean
// where the schema admits one and the text is written as JSON writes it,
// else a string. An integer has no exponent: what reads integers, such as C's
// strtol and JavaScript's parseInt, stops at it. It reports whether the text
// is UTF-8: automata and formats take that for granted.
func (v *values) scalar(types artifact.Types, value []byte) bool {
	if !utf8.Valid(value) {
		return false
	}
	switch typeOf(types, value) {
	case artifact.TypeNumber:
		v.machine.Number(value)
	case artifact.TypeBoolean:
		v.machine.Bool(len(value) == len("true"))
	case artifact.TypeNull:
		v.machine.Null()
	default:
		v.machine.String(value)
	}
	return true
}

// typeOf is the type of the JSON value that a text stands for.
func typeOf(types artifact.Types, value []byte) artifact.Types {
	switch {
	case types&artifact.TypeNumber != 0 && isNumber(value),
		types&artifact.TypeInteger != 0 && isNumber(value) && bytes.IndexByte(value, 'e') < 0 && bytes.IndexByte(value, 'E') < 0:
		return artifact.TypeNumber
	case types&artifact.TypeBoolean != 0 && (string(value) == "true" || string(value) == "false"):
		return artifact.TypeBoolean
	case types&artifact.TypeNull != 0 && types&artifact.TypeString == 0 && (len(value) == 0 || string(value) == "null"):
		return artifact.TypeNull
	}
	return artifact.TypeString
}

// beginObject and property feed the start of an object and its names, each
// of which is UTF-8 and may come once.
func (v *values) beginObject() {
	v.names.Reset()
	v.names.Push()
	v.machine.BeginObject()
}

func (v *values) property(name []byte) (once bool) {
	v.machine.Name(name)
	return v.names.Add(v.request.key.Sum(name))
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
