package voters

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// bodyQuestion is a schema and a text.
type bodyQuestion struct {
	version string
	schema  any
	depth   int // of the text, at most
	text    []byte
}

func (q *bodyQuestion) is30() bool { return strings.HasPrefix(q.version, "3.0") }

// ask is our answer to a question.
func (q *bodyQuestion) ask() bool {
	j, err := oursTo(q.depth, q.version, []any{q.schema})
	return err == nil && j(0, q.text)
}

var bodyReadings = []reading[bodyQuestion]{
	{
		"kin-openapi", "text after the value is ignored", "ours",
		"RFC 8259, section 2: a JSON text is one value",
		func(q *bodyQuestion) {
			d := json.NewDecoder(bytes.NewReader(q.text))
			if v := json.RawMessage(nil); d.Decode(&v) == nil {
				q.text = v
			}
		},
	},
	{
		"kin-openapi libopenapi jsonschema", "what is not UTF-8 becomes U+FFFD", "ours",
		"RFC 8259, section 8.1: a text must be UTF-8",
		func(q *bodyQuestion) { q.text = bytes.ToValidUTF8(q.text, []byte("\ufffd")) },
	},
	{
		"kin-openapi libopenapi jsonschema", "half a surrogate pair becomes U+FFFD", "ours",
		"RFC 7493, section 2.1; RFC 8259, section 8.2: unpredictable",
		func(q *bodyQuestion) {
			q.text = escapes.ReplaceAllFunc(q.text, func(escape []byte) []byte {
				if s := string(escape); len(s) == 12 || s[2]|0x20 != 'd' || s[3] < '8' {
					return escape
				}
				return []byte("\ufffd")
			})
		},
	},
	{
		"kin-openapi libopenapi jsonschema", "the last of equal names wins", "ours",
		"RFC 7493, section 2.3; RFC 8259, section 4: unpredictable",
		func(q *bodyQuestion) {
			d := json.NewDecoder(bytes.NewReader(q.text))
			d.UseNumber()
			if v := any(nil); d.Decode(&v) == nil {
				q.text = append(encode(v), q.text[d.InputOffset():]...)
			}
		},
	},
	{
		"kin-openapi libopenapi jsonschema", "arrays and objects nest without bound", "both",
		"RFC 8259, section 9: an implementation may limit the depth",
		func(q *bodyQuestion) { q.depth = 10_000 },
	},
	{
		"kin-openapi libopenapi", "numbers are floating-point", "ours",
		"JSON Schema 2020-12 core, section 4.2.1: numbers have any precision",
		func(q *bodyQuestion) {
			q.schema, q.text = floats(q.schema, exact), inText(q.text, exact)
			q.widenInt64(exact)
		},
	},
	{
		"kin-openapi libopenapi", "numbers of schemas are floating-point, in few digits", "ours",
		"JSON Schema 2020-12 core, section 4.2.1: numbers have any precision",
		func(q *bodyQuestion) { q.schema = floats(q.schema, short) },
	},
	{
		"libopenapi", "numbers of texts are floating-point, in few digits", "ours",
		"JSON Schema 2020-12 core, section 4.2.1: numbers have any precision",
		func(q *bodyQuestion) {
			q.text = inText(q.text, short)
			q.widenInt64(short)
		},
	},
	{
		"jsonschema", "a number with an exponent of nine digits is none", "both",
		"RFC 8259, section 6: an implementation may limit the range of numbers",
		func(q *bodyQuestion) {
			if bytes.Contains(q.text, []byte("1E400000000")) {
				q.text = []byte("!")
			}
		},
	},
	{
		"kin-openapi", "multipleOf has a tolerance", "ours",
		"JSON Schema 2020-12 validation, section 6.2.1: the division gives an integer",
		func(q *bodyQuestion) {
			q.schema = rewritten(q.schema, func(s map[string]any) { delete(s, "multipleOf") })
		},
	},
	{
		"kin-openapi", "a schema of nothing but empty ones is empty", "ours",
		"JSON Schema 2020-12 core, sections 10.2.1.3 and 10.2.1.4: {} allows everything, so that not refuses it, and oneOf of two",
		func(q *bodyQuestion) {
			q.schema = rewritten(q.schema, func(s map[string]any) {
				if isEmpty(s) {
					clear(s)
				}
			})
		},
	},
	{
		"kin-openapi", "null is asked of nullable, or else of allOf, anyOf and oneOf, alone", "ours",
		"OAS 3.0.3, section 4.7.24.1: nullable adds null to the type, says nothing without one, and takes nothing else back",
		func(q *bodyQuestion) {
			q.schema = rewritten(q.schema, func(s map[string]any) {
				members := map[string]any{}
				for _, keyword := range []string{"allOf", "anyOf", "oneOf", "not", "$ref"} {
					if s[keyword] != nil {
						members[keyword] = s[keyword]
					}
				}
				was := maps.Clone(s)
				switch {
				case s["$ref"] != nil, !q.is30() && !strings.Contains(string(encode(q.schema)), "$ref"): // a reference makes it fall back
				case s["nullable"] == true, slices.Contains(list(s["type"]), any("null")):
					become(s, "anyOf", was, onlyNull)
				case s["allOf"] != nil || s["anyOf"] != nil || s["oneOf"] != nil:
					become(s, "anyOf", map[string]any{"allOf": []any{was, notNull}}, map[string]any{"allOf": []any{members, onlyNull}})
				case s["type"] == nil:
					become(s, "allOf", was, notNull)
				}
			})
		},
	},
	{
		"kin-openapi", "equal items are those of the same digits", "ours",
		"JSON Schema 2020-12 core, section 4.2.2: numbers are equal by their value",
		func(q *bodyQuestion) {
			q.schema = rewritten(q.schema, func(s map[string]any) { delete(s, "uniqueItems") })
		},
	},
	{
		"libopenapi", "nullable makes allOf one of two, of which null may be both", "ours",
		"OAS 3.0.3, section 4.7.24.1: nullable adds null to the type, and changes nothing else",
		func(q *bodyQuestion) {
			q.schema = rewritten(q.schema, func(s map[string]any) {
				if s["nullable"] == true && s["allOf"] != nil {
					s["oneOf"] = append(list(s["oneOf"]), map[string]any{"allOf": s["allOf"]}, onlyNull)
					delete(s, "allOf")
				}
			})
		},
	},
	{
		"libopenapi", "nullable lets null pass whatever else is said", "ours",
		"OAS 3.0.3, section 4.7.24.1: nullable adds null to the type, and takes nothing else back",
		func(q *bodyQuestion) {
			q.schema = rewritten(q.schema, func(s map[string]any) {
				if s["nullable"] == true {
					become(s, "anyOf", maps.Clone(s), onlyNull)
				}
			})
		},
	},
	{
		"kin-openapi", "const null is nothing", "ours",
		"JSON Schema 2020-12 validation, section 6.1.3: const may be of any type, null included",
		func(q *bodyQuestion) {
			q.schema = rewritten(q.schema, func(s map[string]any) {
				if v, ok := s["const"]; ok && v == nil {
					delete(s, "const")
				}
			})
		},
	},
	{
		"libopenapi", "white space alone is null", "ours",
		"RFC 8259, section 2: a JSON text is a value",
		func(q *bodyQuestion) {
			if len(bytes.TrimSpace(q.text)) == 0 {
				q.text = []byte("null")
			}
		},
	},
	{
		"kin-openapi jsonschema", "int32 and int64 are unknown formats", "ours",
		"OAS 3.1.1, section 4.8.24, data types: signed 32 or 64 bits",
		func(q *bodyQuestion) {
			q.schema = rewritten(q.schema, func(s map[string]any) {
				if s["format"] == "int32" || s["format"] == "int64" {
					delete(s, "format")
				}
			})
		},
	},
	{
		"kin-openapi", "date-time has capitals only", "ours",
		"RFC 3339, section 5.6: T and Z may be written t and z",
		func(q *bodyQuestion) {
			q.schema = rewritten(q.schema, func(s map[string]any) {
				if s["format"] == "date-time" {
					s["allOf"] = append([]any{map[string]any{"not": map[string]any{"type": "string", "pattern": "[tz]"}}}, list(s["allOf"])...)
				}
			})
		},
	},
	{
		"kin-openapi libopenapi jsonschema", `\s is ASCII`, "ours",
		"OAS 3.1.1, section 4.8.24: patterns are ECMA-262's, whose WhiteSpace has U+00A0 and U+FEFF",
		func(q *bodyQuestion) {
			q.schema = rewritten(q.schema, func(s map[string]any) {
				if p, ok := s["pattern"].(string); ok {
					s["pattern"] = strings.ReplaceAll(p, `\s`, "[\t\n\f\r ]")
				}
			})
		},
	},
	{
		"kin-openapi", "ipv4, ipv6 and uuid are annotations", "both",
		"JSON Schema 2020-12 validation, section 7.2: asserting formats is a choice",
		func(q *bodyQuestion) {
			q.schema = rewritten(q.schema, func(s map[string]any) {
				if s["format"] == "ipv4" || s["format"] == "ipv6" || s["format"] == "uuid" {
					delete(s, "format")
				}
			})
		},
	},
}

var (
	onlyNull = map[string]any{"enum": []any{nil}}
	notNull  = map[string]any{"not": onlyNull}
)

// isEmpty reports whether a schema has only keywords that say nothing, or
// have nothing but {} below them.
func isEmpty(s map[string]any) bool {
	for keyword, v := range s {
		below := list(v)
		if keyword == "not" {
			below = []any{v}
		}
		says := !strings.HasPrefix(keyword, "min") || v != json.Number("0")
		if below != nil {
			says = slices.ContainsFunc(below, func(member any) bool { return !reflect.DeepEqual(member, map[string]any{}) })
		}
		if says {
			return false
		}
	}
	return true
}

// become makes s a schema of one keyword.
func become(s map[string]any, keyword string, members ...any) {
	clear(s)
	s[keyword] = members
}

var escapes = regexp.MustCompile(`\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}`)

// widenInt64 ends int64 at what its bounds are as a float64.
func (q *bodyQuestion) widenInt64(write func(float64) string) {
	q.schema = rewritten(q.schema, func(s map[string]any) {
		if s["format"] == "int64" {
			delete(s, "format")
			s["allOf"] = append(list(s["allOf"]), map[string]any{"minimum": json.Number(write(math.MinInt64)), "maximum": json.Number(write(math.MaxInt64))})
		}
	})
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

// exact and short write a float64 with all of its digits, and with as many
// as tell it from others.
func exact(f float64) string {
	if math.Abs(f) > 1<<53 {
		return strconv.FormatFloat(f, 'f', 0, 64)
	}
	return short(f)
}

func short(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

// tokens finds strings, which have no numbers in them, and numbers.
var tokens = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?`)

// inText writes the numbers of a text anew. One that is too large for a
// float64 makes the text none.
func inText(text []byte, write func(float64) string) []byte {
	overflows := false
	text = tokens.ReplaceAllFunc(text, func(token []byte) []byte {
		if token[0] == '"' || token[0] == '0' && len(token) > 1 && token[1] != '.' {
			return token
		}
		f, err := strconv.ParseFloat(string(token), 64)
		overflows = overflows || err != nil
		return []byte(write(f))
	})
	if overflows {
		return []byte("!")
	}
	return text
}

// floats writes the numbers of v anew.
func floats(v any, write func(float64) string) any {
	switch v := v.(type) {
	case json.Number:
		f, _ := v.Float64()
		return json.Number(write(f))
	case []any:
		list := []any{}
		for _, item := range v {
			list = append(list, floats(item, write))
		}
		return list
	case map[string]any:
		m := map[string]any{}
		for name, member := range v {
			m[name] = floats(member, write)
		}
		return m
	}
	return v
}
