package voters

import (
	"encoding/json"
	"maps"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const bothVoters = "kin-openapi libopenapi"

var parameterReadings = []reading[parameterQuestion]{
	{
		bothVoters, "undeclared query parameters pass", "both",
		"OAS 3.1.1, section 4.8.10: an operation lists its parameters, and nothing is said of others",
		func(q *parameterQuestion) {
			if q.in("query") {
				q.others = nil
				q.keep(func(_ int, pair string) bool { return q.declares(nameOf(pair)) })
			}
		},
	},
	{
		bothVoters, "what can't be decoded is left out of a query", "ours",
		"RFC 3986, section 2.1: a percent sign is followed by two hexadecimal digits",
		func(q *parameterQuestion) {
			if q.in("query") {
				q.keep(func(_ int, pair string) bool {
					_, err := url.QueryUnescape(pair)
					return err == nil
				})
			}
		},
	},
	{
		bothVoters, "bytes that are not UTF-8 pass", "ours",
		"OAS 3.1.1, section 4.8.24: strings are JSON's, and RFC 8259, section 8.1: those are UTF-8",
		func(q *parameterQuestion) {
			q.write(func(text string) string {
				if q.in("header") {
					return strings.ToValidUTF8(text, "\ufffd")
				}
				return strings.ReplaceAll(text, "%ff", "%EF%BF%BD")
			})
		},
	},
	{
		bothVoters, "cookies are not decoded", "both",
		"RFC 6570, section 3.2.1, has form escape what is reserved; OAS 3.1.1, appendix D: that is not always appropriate in cookies",
		func(q *parameterQuestion) {
			if q.in("cookie") {
				q.write(func(text string) string { return strings.ReplaceAll(text, "%", "%25") })
			}
		},
	},
	{
		bothVoters, "separators in queries are looked for after decoding", "ours",
		"RFC 3986, section 2.4: components are separated before they are decoded",
		func(q *parameterQuestion) {
			if q.in("query") && q.layout().next == "," {
				q.write(func(text string) string { return strings.ReplaceAll(text, "%2C", ",") })
			}
		},
	},
	{
		bothVoters, "separators in paths are looked for after decoding", "ours",
		"RFC 3986, section 2.4: components are separated before they are decoded",
		func(q *parameterQuestion) {
			if q.in("path") && !q.isScalar() {
				q.write(func(text string) string {
					return strings.NewReplacer("%2C", ",", "%3B", ";", "%3D", "=").Replace(text)
				})
			}
		},
	},
	{
		"libopenapi", "an escaped slash is part of a value", "both",
		"RFC 3986, section 2.2: it is; RFC 9110, section 17.3: what names files by mistake may be refused",
		func(q *parameterQuestion) {
			if q.in("path") {
				q.write(func(text string) string { return strings.ReplaceAll(text, "%2F", "_") })
			}
		},
	},
	{
		"libopenapi", "in label and matrix style the first character is left out, whatever it is", "ours",
		"RFC 6570, sections 3.2.5 and 3.2.7: it is . or ;",
		func(q *parameterQuestion) {
			l := q.layout()
			if l.open == "" || !q.in("path") {
				return
			}
			q.write(func(text string) string {
				if text == "" {
					return text
				}
				if text[0] == '%' {
					text = text[2:]
				}
				text = brokenStart.ReplaceAllStringFunc(text[1:], func(bytes string) string { return strings.Repeat("_", len(bytes)/3) })
				switch {
				case l.next == ";p=":
					text = strings.ReplaceAll(strings.ReplaceAll(text, "p=", ""), ";", l.next)
				case l.open == ";p=":
					text = strings.Replace(text, "p=", "", 1)
				}
				return l.open + text
			})
		},
	},
	{
		"libopenapi", "strings and their enum in label and matrix style are with what begins them", "ours",
		"OAS 3.1.1, section 4.8.12.4: that belongs to the style",
		func(q *parameterQuestion) {
			if q.in("path") && q.kind() == "string" {
				q.declare(map[string]any{"style": nil})
			}
		},
	},
	{
		bothVoters, "dot segments are values", "ours",
		"RFC 3986, section 3.3: they stand for places in the hierarchy",
		func(q *parameterQuestion) {
			if !q.in("path") || len(q.sent) == 0 {
				return
			}
			if name, _, _ := strings.Cut(q.sent[0], ";"); name == "." || name == ".." {
				q.asMatrix()
			}
		},
	},
	{
		"kin-openapi", "in matrix style = stands before an empty value, too", "ours",
		"RFC 6570, section 3.2.7: it does not",
		func(q *parameterQuestion) {
			if q.parameter["style"] == "matrix" && len(q.sent) == 1 && slices.ContainsFunc(strings.Split(q.sent[0], ";")[1:], func(p string) bool { return !strings.Contains(p, "=") }) {
				q.refuse()
			}
		},
	},
	{
		bothVoters, "in matrix style ; is part of a value", "ours",
		"RFC 6570, section 3.2.1: a value has it escaped",
		func(q *parameterQuestion) {
			if l := q.layout(); q.parameter["style"] == "matrix" && l.open == ";p=" {
				q.write(func(text string) string {
					rest, _ := strings.CutPrefix(text, l.open)
					parts := strings.Split(rest, l.next)
					for i := range parts {
						parts[i] = strings.ReplaceAll(parts[i], ";", "%3B")
					}
					return l.open + strings.Join(parts, l.next)
				})
			}
		},
	},
	{
		"libopenapi", "cookies are exploded if they say so", "ours",
		"OAS 3.1.1, section 4.8.12.2.2: with form explode is true if nothing is said",
		func(q *parameterQuestion) {
			if q.in("cookie") && q.kind() == "array" && q.parameter["explode"] == nil {
				q.declare(map[string]any{"explode": false})
			}
		},
	},
	{
		"kin-openapi", "an exploded array in a cookie is not understood", "both",
		"OAS 3.1.1, appendix D: what form makes of it has & where cookies have other separators",
		func(q *parameterQuestion) {
			if q.in("cookie") && q.layout().next == "&p=" {
				q.refuse()
			}
		},
	},
	{
		"libopenapi", "exploded arrays in headers and cookies pass", "ours",
		"OAS 3.1.1, section 4.8.12.4: simple has an array alike with explode and without",
		func(q *parameterQuestion) {
			_, exploded := styleOf(q.parameter)
			if given := q.parameter["explode"]; (q.in("header") && exploded || q.in("cookie") && given == true) && q.kind() == "array" && len(q.sent) > 0 {
				q.accept()
			}
		},
	},
	{
		"libopenapi", "an exploded object is looked for under its own name first", "ours",
		"OAS 3.1.1, section 4.8.12.4: exploded, it has no pair of its name",
		func(q *parameterQuestion) {
			isOwn := func(pair string) bool { return nameOf(pair) == "p" }
			if q.in("query") && q.kind() == "object" && q.layout().open == "" && slices.ContainsFunc(q.sent, isOwn) {
				q.keep(func(_ int, pair string) bool { return isOwn(pair) })
				q.declare(map[string]any{"explode": false})
			}
		},
	},
	{
		"libopenapi", "an object with an empty member without a name is not judged", "ours",
		"JSON Schema 2020-12 core, section 4.2.1: a name may be any string",
		func(q *parameterQuestion) {
			isBare := func(pair string) bool { return pair == "p" || pair == "p=" }
			isNothing := func(p part) bool { return p == part{} }
			if q.kind() == "object" && q.has(isNothing) || q.parameter["style"] == "deepObject" && slices.ContainsFunc(q.sent, isBare) {
				q.accept()
			}
		},
	},
	{
		"libopenapi", "an exploded object in a query need not be there", "ours",
		"OAS 3.1.1, section 4.8.12.2: required says whether it is mandatory",
		func(q *parameterQuestion) {
			if q.in("query") && q.kind() == "object" && q.layout().open == "" {
				q.declare(map[string]any{"required": false})
			}
		},
	},
	{
		"libopenapi", "with explode in so many words a query has no comma in plain", "both",
		"OAS 3.1.1, section 4.8.12.2.2: what is reserved should be escaped where allowReserved does not say otherwise",
		func(q *parameterQuestion) {
			if q.in("query") && q.parameter["explode"] == true && slices.ContainsFunc(q.sent, func(text string) bool { return strings.Contains(text, ",") }) {
				q.refuse()
			}
		},
	},
	{
		"kin-openapi", "of what is repeated in a query the first that is not empty counts", "ours",
		"OAS 3.1.1, section 4.8.12.4: only an exploded array is written by repeating its name",
		func(q *parameterQuestion) {
			if !q.in("query") || !q.isScalar() || len(q.sent) == 0 {
				return
			}
			first := max(0, slices.IndexFunc(q.sent, func(pair string) bool { return strings.TrimPrefix(pair, "p") != "" && pair != "p=" }))
			q.sent = q.sent[first : first+1]
		},
	},
	{
		bothVoters, "of repeated lists and members in a query the first counts", "ours",
		"OAS 3.1.1, section 4.8.12.4: only an exploded array is written by repeating its name",
		func(q *parameterQuestion) {
			if !q.in("query") || q.isScalar() || q.kind() == "array" && q.layout().next == "" || q.parameter["style"] == "deepObject" {
				return
			}
			seen := map[string]bool{}
			q.keep(func(_ int, pair string) bool {
				first := !seen[nameOf(pair)]
				seen[nameOf(pair)] = true
				return first
			})
		},
	},
	{
		"libopenapi", "each of what is repeated in a query is judged by itself", "ours",
		"OAS 3.1.1, section 4.8.12.4: only an exploded array is written by repeating its name",
		func(q *parameterQuestion) {
			if q.in("query") && q.isScalar() && len(q.sent) > 1 {
				q.declare(map[string]any{"explode": nil, "schema": map[string]any{"type": "array", "items": q.schema()}})
			}
		},
	},
	{
		bothVoters, "of several field lines the first counts", "ours",
		"RFC 9110, section 5.3: only lists have several lines",
		func(q *parameterQuestion) {
			if q.in("header") {
				q.keep(func(i int, _ string) bool { return i == 0 })
			}
		},
	},
	{
		"libopenapi", "an empty field line is none", "ours",
		"RFC 9110, section 5.5: a field value may be empty",
		func(q *parameterQuestion) {
			if q.in("header") {
				q.keep(func(_ int, text string) bool { return text != "" })
			}
		},
	},
	{
		"kin-openapi", "several field lines are one list", "both",
		"RFC 9110, section 5.3: a recipient may combine the lines of a list, and need not",
		func(q *parameterQuestion) {
			if q.in("header") && !q.isScalar() && len(q.sent) > 1 {
				q.sent = []string{strings.Join(q.sent, ",")}
			}
		},
	},
	{
		"kin-openapi", "of several cookies of one name the first counts", "ours",
		"RFC 6265, section 4.2.2: servers should not rely upon their order",
		func(q *parameterQuestion) {
			if q.in("cookie") {
				q.keep(func(i int, pair string) bool { return i == 0 })
			}
		},
	},
	{
		"libopenapi", "of several cookies of one name the last counts", "ours",
		"RFC 6265, section 4.2.2: servers should not rely upon their order",
		func(q *parameterQuestion) {
			if q.in("cookie") {
				q.keep(func(i int, pair string) bool { return i == len(q.sent)-1 })
			}
		},
	},
	{
		"libopenapi", "members that are not written out are left out", "ours",
		"OAS 3.1.1, section 4.8.12.4: each has a name and a value",
		func(q *parameterQuestion) {
			if l := q.layout(); q.kind() == "object" && l.next != "" {
				q.write(func(text string) string { return l.open + whole(l, strings.TrimPrefix(text, l.open)) })
			}
		},
	},
	{
		"kin-openapi", "an object is not written by an empty text", "both",
		"RFC 6570, section 2.3: an empty map is undefined, so that nothing writes it",
		func(q *parameterQuestion) {
			if q.kind() == "object" && q.isEmpty() {
				q.refuse()
			}
		},
	},
	{
		"libopenapi", "an object without members is not judged", "ours",
		"JSON Schema 2020-12 validation, section 6.5.3: required is about it, too",
		func(q *parameterQuestion) {
			l := q.layout()
			if q.kind() == "object" && l.next != "" && !q.in("header") && len(q.sent) == 1 && whole(l, strings.TrimPrefix(q.sent[0], l.open)) == "" {
				q.accept()
			}
		},
	},
	{
		"libopenapi", "an object in a header has members", "both",
		"RFC 6570, section 2.3: an empty map is undefined, so that nothing writes it",
		func(q *parameterQuestion) {
			if l := q.layout(); q.kind() == "object" && q.in("header") && len(q.sent) == 1 && whole(l, q.sent[0]) == "" {
				q.refuse()
			}
		},
	},
	{
		"kin-openapi", "an array is not written by an empty text", "both",
		"OAS 3.1.1, section 4.8.12.4: what an empty array looks like is shown of none",
		func(q *parameterQuestion) {
			if q.kind() == "array" && q.isEmpty() && (q.in("query") || q.item()["type"] != "string") {
				q.refuse()
			}
		},
	},
	{
		bothVoters, "an empty text is a list of one empty item", "both",
		"RFC 6570, section 2.3: an empty list is undefined, so that nothing writes it",
		func(q *parameterQuestion) {
			if q.kind() == "array" && q.isEmpty() {
				q.judgeItems([]string{""})
			}
		},
	},
	{
		"kin-openapi", "a member's value has no =", "ours",
		"RFC 6570, section 3.2.1: it has, if escaped",
		func(q *parameterQuestion) {
			if l := q.layout(); q.kind() == "object" && l.assign == "=" && l.next != "" && q.has(func(p part) bool { return strings.Contains(p.text, "=") }) {
				q.refuse()
			}
		},
	},
	{
		bothVoters, "of members of one name the last counts", "ours",
		"RFC 8259, section 4: what is not unique is unpredictable",
		func(q *parameterQuestion) {
			q.parts(func(parts []part) []part {
				last := map[string]int{}
				for i, p := range parts {
					last[p.name] = i
				}
				var left []part
				for i, p := range parts {
					if q.kind() != "object" || last[p.name] == i {
						left = append(left, p)
					}
				}
				return left
			})
		},
	},
	{
		"kin-openapi", "a property without a text is not there", "ours",
		"JSON Schema 2020-12 validation, section 6.1.1: an empty text is no number or boolean",
		func(q *parameterQuestion) {
			q.parts(func(parts []part) []part {
				return slices.DeleteFunc(parts, func(p part) bool {
					s := q.property(p.name)
					absent := p.text == "" && s != nil && s["type"] != "string"
					if absent && q.in("query") { // but the parameter is there
						q.parameter = maps.Clone(q.parameter)
						q.parameter["required"] = false
					}
					return absent
				})
			})
		},
	},
	{
		"kin-openapi", "undeclared properties are left out", "ours",
		"JSON Schema 2020-12 core, section 10.3.2.3: additionalProperties false lets none pass",
		func(q *parameterQuestion) {
			q.parts(func(parts []part) []part {
				return slices.DeleteFunc(parts, func(p part) bool { return q.kind() == "object" && q.property(p.name) == nil })
			})
		},
	},
	{
		"kin-openapi", "booleans are Go's", "ours",
		"JSON Schema 2020-12 core, section 4.2.1: there are true and false",
		func(q *parameterQuestion) { q.values("boolean", goBoolean) },
	},
	{
		"libopenapi", "booleans are Go's, but for 0 and 1 in lists and all in objects", "ours",
		"JSON Schema 2020-12 core, section 4.2.1: there are true and false",
		func(q *parameterQuestion) {
			q.values("boolean", func(text string) string {
				if q.kind() == "object" || q.kind() == "array" && !q.in("query") && (text == "0" || text == "1") {
					return text
				}
				return goBoolean(text)
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
				return allDigits(float64(n))
			})
			q.schemas(func(s map[string]any) {
				if s["format"] == "int64" { // which any int64 has
					delete(s, "format")
				}
			})
		},
	},
	{
		"libopenapi", "integers are Go's int64, or float64 without a fraction", "both",
		"JSON Schema 2020-12 validation, section 6.1.1: 1.0 is an integer; RFC 8259, section 6: there is no +1 and no 01",
		func(q *parameterQuestion) {
			q.valuesOf("integer", func(s map[string]any, text string) string {
				if n, err := strconv.ParseInt(text, 10, 64); err == nil {
					return strconv.FormatInt(n, 10)
				}
				if q.kind() == "array" && (q.in("header") || q.in("cookie")) { // any number
					return "0"
				}
				f, err := strconv.ParseFloat(goNumber(text, digits), 64)
				if err != nil || f != math.Trunc(f) || math.Abs(f) >= math.MaxInt64 && q.kind() != "object" {
					return "none"
				}
				if s["format"] == "int64" {
					return allDigits(f)
				}
				return digits(f)
			})
		},
	},
	{
		"kin-openapi", "numbers are Go's float64", "ours",
		"JSON Schema 2020-12 core, section 4.2.1: numbers have any precision; RFC 8259, section 6: there is no +1, no 01 and no 1.",
		func(q *parameterQuestion) {
			q.values("number", func(text string) string { return goNumber(text, allDigits) })
		},
	},
	{
		bothVoters, "numbers are Go's float64, in few digits", "ours",
		"JSON Schema 2020-12 core, section 4.2.1: numbers have any precision; RFC 8259, section 6: there is no +1, no 01 and no 1.",
		func(q *parameterQuestion) {
			q.values("number", func(text string) string { return goNumber(text, digits) })
		},
	},
	{
		"kin-openapi", "numbers of schemas are floating-point", "ours",
		"JSON Schema 2020-12 core, section 4.2.1: numbers have any precision",
		func(q *parameterQuestion) { q.parameter = floats(q.parameter, exact).(map[string]any) },
	},
	{
		bothVoters, "numbers of schemas are floating-point, in few digits", "ours",
		"JSON Schema 2020-12 core, section 4.2.1: numbers have any precision",
		func(q *parameterQuestion) { q.parameter = floats(q.parameter, short).(map[string]any) },
	},
	{
		"kin-openapi", "multipleOf has a tolerance", "ours",
		"JSON Schema 2020-12 validation, section 6.2.1: the division gives an integer",
		func(q *parameterQuestion) { q.schemas(func(s map[string]any) { delete(s, "multipleOf") }) },
	},
	{
		"libopenapi", "an enum is judged alone", "ours",
		"JSON Schema 2020-12 core, section 7.7: every keyword has its say",
		func(q *parameterQuestion) {
			if q.isScalar() && q.schema()["enum"] != nil {
				q.declare(map[string]any{"schema": map[string]any{"type": "string", "enum": q.schema()["enum"]}})
			}
		},
	},
	{
		"libopenapi", "of the items of arrays only the type counts, and in queries an enum", "ours",
		"JSON Schema 2020-12 core, section 10.3.1.2: items applies all of its schema",
		func(q *parameterQuestion) {
			if q.kind() != "array" {
				return
			}
			item := map[string]any{"type": q.item()["type"]}
			if q.in("query") && q.item()["enum"] != nil {
				item["enum"] = q.item()["enum"]
			}
			q.declare(map[string]any{"schema": merge(q.schema(), map[string]any{"items": item})})
		},
	},
	{
		"libopenapi", "minItems and maxItems are for queries", "ours",
		"OAS 3.1.1, section 4.8.12: the schema of a parameter is one as any other",
		func(q *parameterQuestion) {
			if q.kind() == "array" && !q.in("query") {
				q.declare(map[string]any{"schema": merge(q.schema(), map[string]any{"minItems": nil, "maxItems": nil})})
			}
		},
	},
	{
		"libopenapi", "each of the pairs of an array in a query is a list", "ours",
		"OAS 3.1.1, section 4.8.12.4: an exploded array has an item in each, and others are one pair",
		func(q *parameterQuestion) {
			if !q.in("query") || q.kind() != "array" || len(q.sent) == 0 {
				return
			}
			var items []string
			for _, pair := range q.sent {
				_, value, _ := strings.Cut(pair, "=")
				value, err := url.QueryUnescape(value)
				if err != nil {
					return
				}
				separator := map[any]string{"pipeDelimited": "|", "spaceDelimited": " "}[q.parameter["style"]]
				if separator == "" {
					separator = ","
				}
				list := strings.Split(value, separator)
				if !q.inBounds(len(list)) {
					q.refuse()
					return
				}
				items = append(items, list...)
			}
			q.declare(map[string]any{"schema": map[string]any{"type": "array", "items": q.item()}})
			q.judgeItems(items)
		},
	},
}

// brokenStart is the rest of a character in UTF-8, of which each byte counts
// as one.
var brokenStart = regexp.MustCompile(`^(?:%[89AB][0-9A-F])+`)

func goBoolean(text string) string {
	if b, err := strconv.ParseBool(text); err == nil {
		return strconv.FormatBool(b)
	}
	return text
}

// goNumber writes anew what is a float64 to Go, in decimal.
func goNumber(text string, write func(float64) string) string {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || strings.ContainsFunc(text, func(r rune) bool { return !strings.ContainsRune("+-.0123456789eE", r) }) {
		return "none"
	}
	return write(f)
}

// digits and allDigits write a float64 as short and exact do, but without an
// exponent, which integers do not have.
func digits(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func allDigits(f float64) string {
	if math.Abs(f) > 1<<53 {
		return exact(f)
	}
	return digits(f)
}

func (q *parameterQuestion) in(place string) bool { return q.parameter["in"] == place }

func (q *parameterQuestion) layout() layout { return layoutOf(q.parameter) }

func (q *parameterQuestion) kind() any { return kindOf(q.parameter) }

func (q *parameterQuestion) isScalar() bool { return q.kind() != "array" && q.kind() != "object" }

func (q *parameterQuestion) schema() map[string]any { return q.parameter["schema"].(map[string]any) }

// item is the schema of an array's items.
func (q *parameterQuestion) item() map[string]any {
	s, _ := q.schema()["items"].(map[string]any)
	return s
}

// property is the schema of an object's property; nil if there is none.
func (q *parameterQuestion) property(name string) map[string]any {
	properties, _ := q.schema()["properties"].(map[string]any)
	s, _ := properties[name].(map[string]any)
	return s
}

// declares reports whether a query parameter of this name is p or part of it.
func (q *parameterQuestion) declares(name string) bool {
	switch {
	case q.parameter["style"] == "deepObject":
		return strings.HasPrefix(name, "p[") && strings.HasSuffix(name, "]")
	case q.kind() == "object" && q.layout().open == "":
		return q.property(name) != nil
	}
	return name == "p"
}

func nameOf(pair string) string {
	name, _, _ := strings.Cut(pair, "=")
	if decoded, err := url.QueryUnescape(name); err == nil {
		return decoded
	}
	return name
}

// keep leaves out of what is sent all but what it is told to keep.
func (q *parameterQuestion) keep(keeps func(i int, text string) bool) {
	var left []string
	for i, text := range q.sent {
		if keeps(i, text) {
			left = append(left, text)
		}
	}
	q.sent = left
}

// write changes each text that is sent.
func (q *parameterQuestion) write(change func(string) string) {
	q.sent = slices.Clone(q.sent)
	for i, text := range q.sent {
		q.sent[i] = change(text)
	}
}

// schemas lets change have its way with the parameter's schema and those
// within.
func (q *parameterQuestion) schemas(change func(map[string]any)) {
	q.parameter = maps.Clone(q.parameter)
	q.parameter["schema"] = rewritten(q.parameter["schema"], change)
}

// declare changes the parameter's own fields; nil takes one away.
func (q *parameterQuestion) declare(fields map[string]any) {
	q.parameter = merge(q.parameter, fields)
}

// refuse makes a question to which no is the answer, accept one to which yes
// is.
func (q *parameterQuestion) refuse() {
	q.declare(map[string]any{"required": true, "schema": map[string]any{"type": "string"}, "style": nil, "explode": nil})
	q.message = message{}
}

func (q *parameterQuestion) accept() {
	q.declare(map[string]any{"schema": map[string]any{"type": "string"}, "style": nil, "explode": nil})
	q.message = message{sent: []string{q.layout().open + "a"}}
}

// A part is an item or member of a value, or a scalar, decoded.
type part struct{ name, text string }

// parts changes the parts of each text that is sent. What is not written in
// the parameter's layout is left as it is.
func (q *parameterQuestion) parts(change func([]part) []part) {
	var all []string
	for _, text := range q.sent {
		parts, ok := q.read(text)
		if !ok {
			all = append(all, text)
			continue
		}
		left := change(slices.Clone(parts))
		switch {
		case slices.Equal(left, parts):
			all = append(all, text)
		case len(left) > 0 || !q.in("query"): // a query parameter without parts is not there
			all = append(all, q.spell(left))
		}
	}
	q.sent = all
	if q.in("path") && (len(all) == 0 || all[0] == "" || all[0] == ".") { // which no path has
		q.asMatrix()
	}
}

// asMatrix sends a path parameter, of which there is but an empty text after
// what begins it, in the style that can write one.
func (q *parameterQuestion) asMatrix() {
	rest := strings.TrimPrefix(strings.Join(q.sent, ""), q.layout().open)
	if q.kind() == "array" && q.layout().next == "." {
		rest = strings.ReplaceAll(rest, ".", ",")
	}
	q.declare(map[string]any{"style": "matrix", "explode": false})
	q.sent = []string{";p=" + strings.NewReplacer(";", "%3B", "=", "%3D").Replace(rest)}
}

// has reports whether a part is as asked for.
func (q parameterQuestion) has(is func(part) bool) (found bool) {
	q.parts(func(parts []part) []part {
		found = found || slices.ContainsFunc(parts, is)
		return parts
	})
	return found
}

// read cuts a text into its parts.
func (q *parameterQuestion) read(text string) (parts []part, ok bool) {
	l, object := q.layout(), q.kind() == "object"
	text = unspelt(l, text)
	if (q.in("query") || q.in("cookie")) && !strings.Contains(text, "=") {
		text += "="
	}
	text, opened := strings.CutPrefix(text, l.open)
	if !opened {
		return nil, false
	}
	ok = true
	texts := []string{text}
	if !q.isScalar() && l.next != "" {
		texts = strings.Split(text, l.next)
	}
	for i := 0; i < len(texts); i++ {
		p := part{text: texts[i]}
		switch {
		case object && l.next != l.assign:
			p.name, p.text, ok = strings.Cut(texts[i], l.assign)
		case object && i+1 == len(texts):
			ok = false
		case object:
			p = part{texts[i], texts[i+1]}
			i++
		}
		if !ok {
			return nil, false
		}
		if p.text, ok = q.decode(p.text); !ok {
			return nil, false
		}
		parts = append(parts, p)
	}
	return parts, true
}

// unspelt writes separators in the spelling that the layout has.
func unspelt(l layout, text string) string {
	switch {
	case l.next == "|":
		return strings.ReplaceAll(text, "%7C", "|")
	case l.next == "%20":
		return strings.ReplaceAll(text, "+", "%20")
	case l.assign == "]=":
		return strings.NewReplacer("%5B", "[", "%5D", "]").Replace(text)
	case l.open == ".":
		return strings.ReplaceAll(text, "%2e", ".")
	}
	return text
}

// decode undoes escapes, of which headers have none.
func (q *parameterQuestion) decode(text string) (string, bool) {
	switch {
	case q.in("header"):
		return strings.TrimSpace(text), true
	case !q.in("query"):
		text = strings.ReplaceAll(text, "+", "%2B")
	}
	text, err := url.QueryUnescape(text)
	return text, err == nil
}

// spell is the opposite of read.
func (q *parameterQuestion) spell(parts []part) string {
	l := q.layout()
	var texts []string
	for _, p := range parts {
		text := p.text
		if !q.in("header") {
			text = escape(text)
		}
		if q.kind() == "object" {
			text = p.name + l.assign + text
		}
		texts = append(texts, text)
	}
	return l.open + strings.Join(texts, l.next)
}

func escape(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }

// values writes anew the texts that are of the given type.
func (q *parameterQuestion) values(kind string, write func(string) string) {
	q.valuesOf(kind, func(_ map[string]any, text string) string { return write(text) })
}

// valuesOf is values where the schema matters.
func (q *parameterQuestion) valuesOf(kind string, write func(s map[string]any, text string) string) {
	q.parts(func(parts []part) []part {
		for i, p := range parts {
			if s := q.schemaOf(p); s != nil && s["type"] == kind && p.text != "" {
				parts[i].text = write(s, p.text)
			}
		}
		return parts
	})
}

func (q *parameterQuestion) schemaOf(p part) map[string]any {
	switch q.kind() {
	case "array":
		return q.item()
	case "object":
		return q.property(p.name)
	}
	return q.schema()
}

// isEmpty reports whether an empty text is sent.
func (q *parameterQuestion) isEmpty() bool {
	open := q.layout().open
	return len(q.sent) == 1 && (q.sent[0] == open || q.sent[0] == strings.TrimSuffix(open, "="))
}

// whole keeps of the members of an object those with a name and a value.
func whole(l layout, text string) string {
	pieces := strings.Split(unspelt(l, text), l.next)
	if l.assign == l.next {
		return strings.Join(pieces[:len(pieces)&^1], l.next)
	}
	return strings.Join(slices.DeleteFunc(pieces, func(p string) bool { return strings.Count(p, "=") != 1 }), l.next)
}

// merge is a schema with other keywords; nil takes one away.
func merge(s, other map[string]any) map[string]any {
	s = maps.Clone(s)
	for keyword, value := range other {
		if s[keyword] = value; value == nil {
			delete(s, keyword)
		}
	}
	return s
}

// inBounds reports whether an array may have n items.
func (q *parameterQuestion) inBounds(n int) bool {
	least, most := 0, n
	if bound, ok := q.schema()["minItems"].(json.Number); ok {
		least, _ = strconv.Atoi(string(bound))
	}
	if bound, ok := q.schema()["maxItems"].(json.Number); ok {
		most, _ = strconv.Atoi(string(bound))
	}
	return least <= n && n <= most
}

// judgeItems asks for an array of these items, however it was sent.
func (q *parameterQuestion) judgeItems(items []string) {
	if !q.inBounds(len(items)) {
		q.refuse()
		return
	}
	q.declare(map[string]any{"in": "query", "required": false, "style": nil, "explode": nil, "schema": map[string]any{"type": "array", "items": q.item()}})
	q.sent, q.others = nil, nil
	for _, item := range items {
		q.sent = append(q.sent, "p="+escape(item))
	}
}
