package voters

import (
	"maps"
	"math"
	"net/url"
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
		"RFC 3986, section 2.2: it is; RFC 9110, section 17.3: to who decodes first it leads to another place",
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
		"libopenapi", "in label and matrix style what begins a string is part of it", "ours",
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
		"libopenapi", "an array in a cookie is not exploded unless it says so", "ours",
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
		"libopenapi", "an exploded object in a query need not be there", "ours",
		"OAS 3.1.1, section 4.8.12.2: required says whether it is mandatory",
		func(q *parameterQuestion) {
			if q.in("query") && q.kind() == "object" && q.layout().open == "" {
				q.declare(map[string]any{"required": false})
			}
		},
	},
	{
		"libopenapi", "where explode is written out, a query has no bare comma", "both",
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
		"RFC 9110, section 5.3: a recipient may combine the lines of a list, and some read the first alone",
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
		"libopenapi", "members without a name and a value are left out", "ours",
		"OAS 3.1.1, section 4.8.12.4: each has a name and a value",
		func(q *parameterQuestion) {
			if l := q.layout(); q.kind() == "object" && l.next != "" {
				q.write(func(text string) string { return l.open + whole(l, strings.TrimPrefix(text, l.open)) })
			}
		},
	},
	{
		"libopenapi", "members have names", "ours",
		"JSON Schema 2020-12 core, section 4.2.1: a name may be any string",
		func(q *parameterQuestion) {
			if q.kind() == "object" && q.has(func(p part) bool { return p.name == "" && p.text != "" }) {
				q.refuse()
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
		"libopenapi", "booleans are Go's, but not 0 and 1 in lists, nor any in objects", "ours",
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
		"kin-openapi", "numbers are Go's float64, in few digits", "ours",
		"JSON Schema 2020-12 core, section 4.2.1: numbers have any precision",
		func(q *parameterQuestion) {
			q.values("number", func(text string) string { return goNumber(text, digits) })
		},
	},
	{
		"libopenapi", "numbers are Go's float64, in few digits, or int64 in objects", "ours",
		"JSON Schema 2020-12 core, section 4.2.1: numbers have any precision; RFC 8259, section 6: there is no +1, no 01 and no 1.",
		func(q *parameterQuestion) {
			q.values("number", func(text string) string {
				if n, err := strconv.ParseInt(text, 10, 64); err == nil && q.kind() == "object" {
					return strconv.FormatInt(n, 10)
				}
				return goNumber(text, digits)
			})
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
		"JSON Schema 2020-12 core, section 7.6: every assertion has its say",
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
		"libopenapi", "minItems and maxItems count in queries only", "ours",
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
