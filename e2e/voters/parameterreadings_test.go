package voters

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

var parameterReadings = []reading[parameterQuestion]{
	{
		"kin-openapi", "undeclared parameters pass", "both",
		"OAS 3.0.3, section 4.7.10: an operation lists its parameters, and nothing is said of others",
		func(q *parameterQuestion) {
			q.edit(func(pairs []string) []string {
				return slices.DeleteFunc(pairs, func(pair string) bool { return !q.declares(nameOf(pair)) })
			})
		},
	},
	{
		"kin-openapi", "what can't be decoded is left out", "ours",
		"RFC 3986, section 2.1: a percent sign is followed by two hexadecimal digits",
		func(q *parameterQuestion) {
			q.edit(func(pairs []string) []string {
				return slices.DeleteFunc(pairs, func(pair string) bool {
					_, err := url.QueryUnescape(pair)
					return err != nil
				})
			})
		},
	},
	{
		"kin-openapi", "bytes that are not UTF-8 pass", "ours",
		"OAS 3.0.3, section 4.7.24: strings are JSON's, and RFC 8259, section 8.1: those are UTF-8",
		func(q *parameterQuestion) { q.query = strings.ReplaceAll(q.query, "%ff", "%EF%BF%BD") },
	},
	{
		"kin-openapi", "of what is repeated the first that is not empty counts", "ours",
		"OAS 3.0.3, section 4.7.12.3: only an exploded array is written by repeating its name",
		func(q *parameterQuestion) {
			q.edit(func(pairs []string) []string {
				counts := map[string]int{}
				for i, pair := range pairs {
					first, known := counts[nameOf(pair)]
					if !known || strings.HasSuffix(pairs[first], "=") && !strings.HasSuffix(pair, "=") {
						counts[nameOf(pair)] = i
					}
				}
				var left []string
				for i, pair := range pairs {
					if q.isExplodedArray() || counts[nameOf(pair)] == i {
						left = append(left, pair)
					}
				}
				return left
			})
		},
	},
	{
		"kin-openapi", "booleans are Go's", "ours",
		"JSON Schema 2020-12 core, section 4.2.1: there are true and false",
		func(q *parameterQuestion) {
			q.values("boolean", func(text string) string {
				if b, err := strconv.ParseBool(text); err == nil {
					return strconv.FormatBool(b)
				}
				return text
			})
		},
	},
	{
		"kin-openapi", "integers are Go's int64 and then floating-point, and have no fraction", "both",
		"JSON Schema 2020-12 validation, section 6.1.1: 1.0 is an integer; RFC 8259, section 6: there is no +1 and no 01",
		func(q *parameterQuestion) {
			q.values("integer", func(text string) string {
				n, err := strconv.ParseInt(text, 10, 64)
				if err != nil {
					return "none"
				}
				return exact(float64(n))
			})
		},
	},
	{
		"kin-openapi", "numbers are Go's float64", "ours",
		"JSON Schema 2020-12 core, section 4.2.1: numbers have any precision; RFC 8259, section 6: there is no +1, no 01 and no 1.",
		func(q *parameterQuestion) {
			q.values("number", func(text string) string {
				f, err := strconv.ParseFloat(text, 64)
				if err != nil || strings.ContainsFunc(text, func(r rune) bool { return !strings.ContainsRune("+-.0123456789eE", r) }) {
					return "none"
				}
				return exact(f)
			})
		},
	},
	{
		"kin-openapi", "numbers of schemas are floating-point", "ours",
		"JSON Schema 2020-12 core, section 4.2.1: numbers have any precision",
		func(q *parameterQuestion) { q.parameter = floats(q.parameter, exact).(map[string]any) },
	},
	{
		"kin-openapi", "multipleOf has a tolerance", "ours",
		"JSON Schema 2020-12 validation, section 6.2.1: the division gives an integer",
		func(q *parameterQuestion) {
			q.schemas(func(s map[string]any) { delete(s, "multipleOf") })
		},
	},
	{
		"kin-openapi", "an array is not written by an empty text", "both",
		"OAS 3.0.3, section 4.7.12.4: the examples of empty values are of strings",
		func(q *parameterQuestion) {
			q.edit(func(pairs []string) []string {
				for i, pair := range pairs {
					if name, value, _ := strings.Cut(pair, "="); q.schema()["type"] == "array" && nameOf(pair) == "p" && value == "" {
						pairs[i] = name + "=%zz"
					}
				}
				return pairs
			})
		},
	},
	{
		"kin-openapi", "a property without a text is not there", "ours",
		"JSON Schema 2020-12 validation, section 6.1.1: an empty text is no number or boolean",
		func(q *parameterQuestion) {
			q.edit(func(pairs []string) []string {
				return slices.DeleteFunc(pairs, func(pair string) bool {
					_, value, _ := strings.Cut(pair, "=")
					property := q.property(nameOf(pair))
					absent := value == "" && property != nil && property["type"] != "string"
					if absent { // but the parameter is there
						q.parameter = maps.Clone(q.parameter)
						q.parameter["required"] = false
					}
					return absent
				})
			})
		},
	},
	{
		"kin-openapi", "undeclared properties of a deepObject are left out", "ours",
		"JSON Schema 2020-12 core, section 10.3.2.3: additionalProperties false lets none pass",
		func(q *parameterQuestion) {
			q.edit(func(pairs []string) []string {
				return slices.DeleteFunc(pairs, func(pair string) bool {
					name := nameOf(pair)
					return strings.HasPrefix(name, "p[") && q.property(name) == nil
				})
			})
		},
	},
}

// edit changes the pairs of the query.
func (q *parameterQuestion) edit(change func([]string) []string) {
	if q.query != "" {
		q.query = strings.Join(change(strings.Split(q.query, "&")), "&")
	}
}

func nameOf(pair string) string {
	name, _, _ := strings.Cut(pair, "=")
	if decoded, err := url.QueryUnescape(name); err == nil {
		return decoded
	}
	return name
}

func (q *parameterQuestion) schema() map[string]any { return q.parameter["schema"].(map[string]any) }

// declares reports whether a name is the parameter's.
func (q *parameterQuestion) declares(name string) bool {
	if q.schema()["type"] == "object" {
		return strings.HasPrefix(name, "p[")
	}
	return name == "p"
}

// property is the schema of a deepObject's property, by the name of its
// parameter; nil if there is none.
func (q *parameterQuestion) property(name string) map[string]any {
	properties, _ := q.schema()["properties"].(map[string]any)
	s, _ := properties[strings.TrimSuffix(strings.TrimPrefix(name, "p["), "]")].(map[string]any)
	return s
}

func (q *parameterQuestion) isExplodedArray() bool {
	return q.schema()["type"] == "array" && q.parameter["explode"] == nil
}

// schemas lets change have its way with the parameter's schema and those
// within.
func (q *parameterQuestion) schemas(change func(map[string]any)) {
	q.parameter = maps.Clone(q.parameter)
	q.parameter["schema"] = rewritten(q.parameter["schema"], change)
}

// values writes anew the values that are of the given type.
func (q *parameterQuestion) values(kind string, write func(string) string) {
	s, separator := q.schema(), ""
	if s["type"] == "array" {
		s = s["items"].(map[string]any)
		if !q.isExplodedArray() {
			separator = map[any]string{nil: ",", "pipeDelimited": "|", "spaceDelimited": " "}[q.parameter["style"]]
		}
	}
	q.edit(func(pairs []string) []string {
		for i, pair := range pairs {
			of := s
			name, value, _ := strings.Cut(pair, "=")
			if s["type"] == "object" {
				of = q.property(nameOf(pair))
			}
			text, err := url.QueryUnescape(value)
			if of["type"] != kind || err != nil || text == "" {
				continue
			}
			parts := []string{text}
			if separator != "" {
				parts = strings.Split(text, separator)
			}
			for k := range parts {
				parts[k] = write(parts[k])
			}
			pairs[i] = name + "=" + strings.ReplaceAll(url.QueryEscape(strings.Join(parts, separator)), "%2C", ",")
		}
		return pairs
	})
}
