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
		return len(name) > len("p[]") && strings.HasPrefix(name, "p[") && strings.HasSuffix(name, "]")
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
	if q.in("path") && len(all) > 0 && (all[0] == "" || all[0] == ".") { // which no path has
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
