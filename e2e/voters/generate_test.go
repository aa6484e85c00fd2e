package voters

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
)

// A generator makes schemas in the vocabulary of an OpenAPI version, and
// texts that are close to what they allow.
type generator struct {
	*rand.Rand
	is31 bool
	self string // reference to the schema that is being made
}

// object is a JSON object whose members have an order, and may come twice.
type object []member

type member struct {
	name  string
	value any
}

func pick[T any](g *generator, from ...T) T { return from[g.IntN(len(from))] }

// oneIn is true once in n.
func (g *generator) oneIn(n int) bool { return g.IntN(n) == 0 }

var (
	names   = []string{"a", "b", "c", "é", "x1"}
	strs    = []string{"", "a", "b", "ab", "abc", "é", "😀", "1", "x1"}
	numbers = []string{"0", "1", "-1", "2", "3", "10", "1.5", "0.1", "0.01", "-2.5", "1e2", "9007199254740993", "9223372036854775807", "-9223372036854775808", "0.30000000000000004"}
	// patterns and the strings that they are about
	patterns = map[string][]string{
		"^a":           {"a", "ab", "ba"},
		"b$":           {"b", "ab", "b\n", "ba"},
		"^[a-z]{2,3}$": {"ab", "abc", "a", "abcd", "AB"},
		`^\d+$`:        {"1", "12", "١", "1\n", ""},
		`^\w*$`:        {"a_1", "é", "a-b", ""},
		`^.$`:          {"a", "é", "😀", "\n", "ab"},
		"é|x":          {"é", "x", "e\u0301", "axb"},
		`^[^a]\s`:      {"b ", "b\u00a0", "b\ufeff", "a "},
	}
	formats = map[string][]string{
		"date":      {"2020-02-29", "2021-02-29", "2020-1-01", "2020-01-01T"},
		"date-time": {"2020-01-01T00:00:00Z", "2020-01-01T00:00:00", "2020-01-01t00:00:00+01:00", "2020-13-01T00:00:00Z"},
		"uuid":      {"123e4567-e89b-12d3-a456-426614174000", "123e4567e89b12d3a456426614174000", "123E4567-E89B-12D3-A456-426614174000", "g"},
		"ipv4":      {"192.0.2.1", "192.0.2", "192.0.2.256", "192.0.2.01"},
		"ipv6":      {"::1", "2001:db8::1", "::1%eth0", ":::1"},
	}
)

// schema makes a schema with at most depth levels below it.
func (g *generator) schema(depth int) any {
	if g.is31 && g.oneIn(25) {
		return g.oneIn(2)
	}
	s := map[string]any{}
	kind := g.IntN(16)
	if depth == 0 {
		kind = g.IntN(8)
	}
	switch kind {
	case 0, 1:
		s["type"] = "string"
		g.stringKeywords(s)
	case 2, 3:
		s["type"] = pick(g, "number", "integer")
		g.numberKeywords(s)
	case 4:
		g.constants(s, depth)
	case 5:
		s["type"] = "boolean"
	case 6:
		g.stringKeywords(s)
		g.numberKeywords(s)
	case 7:
		if g.is31 {
			s["type"] = "null"
		}
	case 8, 9, 10:
		s["type"] = "object"
		g.objectKeywords(s, depth)
	case 11, 12:
		s["type"] = "array"
		g.arrayKeywords(s, depth)
	case 13:
		g.objectKeywords(s, depth)
		g.arrayKeywords(s, depth)
	default:
		g.combination(s, depth)
	}
	if t, ok := s["type"].(string); ok && g.oneIn(6) {
		if g.is31 {
			s["type"] = slices.Compact([]any{t, pick(g, "null", "string", "integer")})
		} else {
			s["nullable"] = true
		}
	}
	return s
}

func (g *generator) number(from ...string) json.Number { return json.Number(pick(g, from...)) }

// count adds a least and a greatest number of something, mostly in order.
func (g *generator) count(s map[string]any, least, most string) {
	low := g.IntN(3)
	if g.oneIn(3) {
		s[least] = json.Number(fmt.Sprint(low))
	}
	if g.oneIn(3) {
		s[most] = json.Number(fmt.Sprint(low + g.IntN(3)))
	}
}

func (g *generator) stringKeywords(s map[string]any) {
	g.count(s, "minLength", "maxLength")
	switch g.IntN(4) {
	case 0:
		s["pattern"] = pick(g, slices.Sorted(maps.Keys(patterns))...)
	case 1:
		s["format"] = pick(g, slices.Sorted(maps.Keys(formats))...)
	}
}

func (g *generator) numberKeywords(s map[string]any) {
	for _, bound := range [][2]string{{"minimum", "exclusiveMinimum"}, {"maximum", "exclusiveMaximum"}} {
		switch {
		case !g.oneIn(3):
		case g.is31:
			s[pick(g, bound[:]...)] = g.number(numbers...)
		default:
			s[bound[0]] = g.number(numbers...)
			if g.oneIn(2) {
				s[bound[1]] = g.oneIn(2)
			}
		}
	}
	if g.oneIn(4) {
		s["multipleOf"] = g.number("1", "2", "0.1", "0.01", "1.5", "3", "1e2")
	}
	if s["type"] == "integer" && g.oneIn(5) {
		s["format"] = pick(g, "int32", "int64")
	}
}

func (g *generator) constants(s map[string]any, depth int) {
	if g.is31 && g.oneIn(2) {
		s["const"] = plain(g.any(depth))
		return
	}
	var values []any
	for range 1 + g.IntN(3) {
		value := plain(g.any(depth))
		if !slices.ContainsFunc(values, func(v any) bool { return reflect.DeepEqual(v, value) }) {
			values = append(values, value)
		}
	}
	s["enum"] = values
	if g.oneIn(3) {
		s["type"] = pick(g, "string", "number", "integer")
	}
}

func (g *generator) objectKeywords(s map[string]any, depth int) {
	properties := map[string]any{}
	for range g.IntN(4) {
		properties[pick(g, names...)] = g.below(depth)
	}
	if len(properties) > 0 {
		s["properties"] = properties
		if g.oneIn(2) {
			s["required"] = []any{pick(g, names...)}
		}
	}
	g.count(s, "minProperties", "maxProperties")
	if g.oneIn(3) {
		s["additionalProperties"] = g.boolOr(depth)
	}
	if !g.is31 {
		return
	}
	if g.oneIn(4) {
		s["patternProperties"] = map[string]any{pick(g, "^a", "é|x", "b$"): g.below(depth)}
	}
	if g.oneIn(6) {
		s["propertyNames"] = map[string]any{"maxLength": json.Number("1")}
	}
	if g.oneIn(6) {
		s["dependentRequired"] = map[string]any{pick(g, names...): []any{pick(g, names...)}}
	}
	if g.oneIn(6) {
		s["dependentSchemas"] = map[string]any{pick(g, names...): g.schema(max(0, depth-1))}
	}
	if g.oneIn(5) {
		s["unevaluatedProperties"] = g.boolOr(depth)
	}
}

func (g *generator) arrayKeywords(s map[string]any, depth int) {
	s["items"] = g.below(depth)
	g.count(s, "minItems", "maxItems")
	if g.oneIn(3) {
		s["uniqueItems"] = true
	}
	if !g.is31 {
		return
	}
	if g.oneIn(3) {
		delete(s, "items")
	}
	if g.oneIn(4) {
		s["prefixItems"] = []any{g.below(depth)}
	}
	if g.oneIn(4) {
		s["contains"] = g.below(depth)
		g.count(s, "minContains", "maxContains")
	}
	if g.oneIn(5) {
		s["unevaluatedItems"] = g.boolOr(depth)
	}
}

func (g *generator) boolOr(depth int) any {
	if g.oneIn(2) {
		return g.oneIn(3)
	}
	return g.below(depth)
}

// below makes a schema one level deeper, or refers to the outermost.
func (g *generator) below(depth int) any {
	if g.oneIn(12) {
		return map[string]any{"$ref": g.self}
	}
	return g.schema(max(0, depth-1))
}

func (g *generator) combination(s map[string]any, depth int) {
	if g.oneIn(2) {
		s["type"] = "object"
		g.objectKeywords(s, depth)
	}
	kinds := []string{"allOf", "anyOf", "oneOf", "not", "if"}
	switch kind := kinds[g.IntN(len(kinds))]; {
	case kind == "not", kind == "if" && !g.is31:
		s["not"] = g.schema(depth - 1)
	case kind == "if":
		s["if"] = g.schema(depth - 1)
		for _, keyword := range []string{"then", "else"} {
			if !g.oneIn(3) {
				s[keyword] = g.schema(depth - 1)
			}
		}
	default:
		var members []any
		for range 1 + g.IntN(3) {
			members = append(members, g.schema(depth-1))
		}
		s[kind] = members
	}
}

// any is any value.
func (g *generator) any(depth int) any {
	kind := g.IntN(7)
	if depth <= 0 {
		kind = g.IntN(5)
	}
	switch kind {
	case 0:
		return nil
	case 1:
		return g.oneIn(2)
	case 2:
		return g.number(numbers...)
	case 3, 4:
		return pick(g, strs...)
	case 5:
		list := []any{}
		for range g.IntN(3) {
			list = append(list, g.any(depth-1))
		}
		return list
	}
	o := object{}
	for _, name := range names[:g.IntN(3)] {
		o = append(o, member{name, g.any(depth - 1)})
	}
	return o
}

// plain is a value without the order of its members.
func plain(v any) any {
	switch v := v.(type) {
	case []any:
		list := []any{}
		for _, item := range v {
			list = append(list, plain(item))
		}
		return list
	case object:
		m := map[string]any{}
		for _, p := range v {
			m[p.name] = plain(p.value)
		}
		return m
	}
	return v
}

// ordered is the opposite of plain.
func ordered(v any) any {
	switch v := v.(type) {
	case []any:
		list := []any{}
		for _, item := range v {
			list = append(list, ordered(item))
		}
		return list
	case map[string]any:
		o := object{}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			o = append(o, member{name, ordered(v[name])})
		}
		return o
	}
	return v
}

// near makes a value that one part of the schema s is about. root is what
// references lead to.
func (g *generator) near(s, root any, depth int) any {
	o, _ := s.(map[string]any)
	if o == nil || depth < 0 || g.oneIn(15) {
		return g.any(1)
	}
	if o["$ref"] != nil {
		return g.near(root, root, depth-1)
	}
	if values, ok := o["enum"].([]any); ok && !g.oneIn(6) {
		return ordered(pick(g, values...))
	}
	if value, ok := o["const"]; ok && !g.oneIn(6) {
		return ordered(value)
	}
	var parts []any
	for _, keyword := range []string{"allOf", "anyOf", "oneOf"} {
		members, _ := o[keyword].([]any)
		parts = append(parts, members...)
	}
	for _, keyword := range []string{"not", "if", "then", "else"} {
		if o[keyword] != nil {
			parts = append(parts, o[keyword])
		}
	}
	kind := o["type"]
	if list, ok := kind.([]any); ok {
		kind = pick(g, list...)
	}
	if o["nullable"] == true && g.oneIn(4) {
		kind = "null"
	}
	if len(parts) > 0 {
		part := g.near(pick(g, parts...), root, depth-1)
		if overlay, ok := part.(object); ok && (kind == "object" || o["properties"] != nil) && g.oneIn(2) {
			base, _ := g.objectNear(o, root, depth).(object)
			return merged(base, overlay)
		}
		if kind == nil || g.oneIn(2) {
			return part
		}
	}
	if kind == nil {
		kind = pick(g, "string", "integer")
		if o["properties"] != nil || o["items"] != nil || o["contains"] != nil {
			kind = pick(g, "object", "array")
		}
	}
	switch kind {
	case "string":
		return g.stringNear(o)
	case "number", "integer":
		return g.numberNear(o)
	case "object":
		return g.objectNear(o, root, depth)
	case "array":
		return g.arrayNear(o, root, depth)
	case "boolean":
		return g.oneIn(2)
	}
	return nil
}

func merged(base, overlay object) object {
	all := slices.Clone(base)
	for _, m := range overlay {
		if !slices.ContainsFunc(base, func(b member) bool { return b.name == m.name }) {
			all = append(all, m)
		}
	}
	return all
}

// around is a count at a bound, or one beside it.
func (g *generator) around(s map[string]any, least, most string) int {
	for _, keyword := range []string{least, most} {
		if bound, ok := s[keyword].(json.Number); ok && g.oneIn(2) {
			n, _ := bound.Int64()
			return max(0, int(n)+g.IntN(3)-1)
		}
	}
	return g.IntN(4)
}

func (g *generator) stringNear(s map[string]any) string {
	if p, ok := s["pattern"].(string); ok && !g.oneIn(3) {
		return pick(g, patterns[p]...)
	}
	if f, ok := s["format"].(string); ok && formats[f] != nil && !g.oneIn(3) {
		return pick(g, formats[f]...)
	}
	var b strings.Builder
	for range g.around(s, "minLength", "maxLength") {
		b.WriteString(pick(g, "a", "b", "1", "é", "😀", "\"", "\\", "\n", "\u0000", "/"))
	}
	return b.String()
}

func (g *generator) numberNear(s map[string]any) json.Number {
	base := pick(g, numbers...)
	for _, keyword := range []string{"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"} {
		if bound, ok := s[keyword].(json.Number); ok && g.oneIn(2) {
			base = string(bound)
		}
	}
	switch s["format"] {
	case "int32":
		base = pick(g, base, "2147483647", "-2147483648")
	case "int64":
		base = pick(g, base, "9223372036854775807", "-9223372036854775808")
	}
	exact, _ := new(big.Rat).SetString(base)
	if s["multipleOf"] != nil && g.oneIn(2) {
		exact.Mul(exact, big.NewRat(int64(g.IntN(5)), 1))
	}
	step, _ := new(big.Rat).SetString(pick(g, "0", "0", "1", "-1", "0.1", "-0.01", "1e-17", "-1e-17"))
	exact.Add(exact, step)
	digits := exact.FloatString(20)
	digits = strings.TrimRight(strings.TrimRight(digits, "0"), ".")
	switch g.IntN(8) {
	case 0:
		if !strings.Contains(digits, ".") {
			digits += ".0"
		}
	case 1:
		digits += pick(g, "e0", "E+0", "e-0")
	case 2:
		exact.Quo(exact, big.NewRat(10, 1))
		digits = exact.FloatString(21) + "e1"
	}
	return json.Number(digits)
}

func (g *generator) objectNear(s map[string]any, root any, depth int) any {
	o := object{}
	properties, _ := s["properties"].(map[string]any)
	required, _ := s["required"].([]any)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if slices.Contains(required, any(name)) && !g.oneIn(6) || g.oneIn(2) {
			o = append(o, member{name, g.near(properties[name], root, depth-1)})
		}
	}
	for _, keyword := range []string{"additionalProperties", "patternProperties", "unevaluatedProperties", "dependentSchemas", "dependentRequired"} {
		sub := s[keyword]
		if named, ok := sub.(map[string]any); ok && (keyword == "patternProperties" || keyword == "dependentSchemas") {
			for _, sub = range named {
			}
		}
		if sub != nil && g.oneIn(2) {
			o = merged(o, object{{pick(g, names...), g.near(sub, root, depth-1)}})
		}
	}
	if g.oneIn(3) {
		o = merged(o, object{{pick(g, names...), g.any(1)}})
	}
	g.Shuffle(len(o), func(i, j int) { o[i], o[j] = o[j], o[i] })
	return o
}

func (g *generator) arrayNear(s map[string]any, root any, depth int) any {
	list := []any{}
	prefix, _ := s["prefixItems"].([]any)
	for i := range g.around(s, "minItems", "maxItems") {
		sub := s["items"]
		if i < len(prefix) {
			sub = prefix[i]
		} else if sub == nil || s["contains"] != nil && g.oneIn(2) {
			sub = s["contains"]
		}
		list = append(list, g.near(sub, root, depth-1))
	}
	if len(list) > 1 && g.oneIn(3) {
		list[len(list)-1] = list[0]
		if n, ok := list[0].(json.Number); ok && !strings.ContainsAny(string(n), "eE") {
			list[len(list)-1] = n + "e0"
		}
	}
	return list
}

// text spells a value in one of the ways that JSON has for it, and now and
// then in one that it does not have.
func (g *generator) text(v any) []byte {
	b := g.spell(nil, v)
	if !g.oneIn(10) {
		return b
	}
	i := g.IntN(len(b) + 1)
	switch g.IntN(8) {
	case 0:
		return b[:i]
	case 1:
		return append(b, pick(g, " ", "\n", "{}", ",", "]", "\x00", " null")...)
	case 2:
		return append([]byte(pick(g, " ", "\ufeff", "\v", "\t", "[")), b...)
	case 3:
		return slices.Insert(b, i, []byte(pick(g, " ", "\r", ",", "\x80", "\xed\xa0\x80", "\xc0\xaf", `\ud800`, `\u0000`, "\x01"))...)
	case 4:
		return []byte(strings.Repeat("[", 70) + strings.Repeat("]", 70))
	case 5:
		return []byte(pick(g, "01", "-", "1.", ".5", "+1", "1e", "0x1", "NaN", "-Infinity", "1e400", "-1e-400", "1E400000000", strings.Repeat("9", 400), "tru", "nulL", "''", "", " \n"))
	case 6:
		return []byte(pick(g, `"\ud83d\ude00"`, `"\ud83d"`, `"\ude00\ud83d"`, `"\x"`, `"\u12"`, `"\/"`, "\"\t\"", "\"\x7f\"", `{"a":1,"\u0061":2}`, `{"a":1,"a":"b"}`, `{"":1}`, `{a:1}`, `[1,]`, `{"a":1,}`))
	}
	return slices.Delete(b, min(i, len(b)-1), len(b))
}

func (g *generator) spell(b []byte, v any) []byte {
	if g.oneIn(20) {
		b = append(b, pick(g, " ", "\n", "\t\r")...)
	}
	switch v := v.(type) {
	case string:
		return g.quote(b, v)
	case []any:
		b = append(b, '[')
		for i, item := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = g.spell(b, item)
		}
		return append(b, ']')
	case object:
		if len(v) > 0 && g.oneIn(40) {
			v = append(v, member{v[0].name, g.any(0)})
		}
		b = append(b, '{')
		for i, m := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(g.quote(b, m.name), ':')
			b = g.spell(b, m.value)
		}
		return append(b, '}')
	}
	return append(b, encode(v)...)
}

func (g *generator) quote(b []byte, s string) []byte {
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r >= 0x10000 && g.oneIn(3):
			b = fmt.Appendf(b, `\u%04x\u%04X`, 0xd800+(r-0x10000)>>10, 0xdc00+(r-0x10000)&0x3ff)
		case r < 0x10000 && (r < ' ' || r == '"' || r == '\\' || g.oneIn(15)):
			b = fmt.Appendf(b, `\u%04x`, r)
		default:
			b = append(b, string(r)...)
		}
	}
	return append(b, '"')
}
