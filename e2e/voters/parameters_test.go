package voters

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/compile"
	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/enforce"
	"github.com/threatgate/threatgate/internal/enforce/siphash"
	"github.com/threatgate/threatgate/internal/model"
	"github.com/threatgate/threatgate/internal/openapi"
	"github.com/threatgate/threatgate/internal/policy"
	"github.com/threatgate/threatgate/internal/threat"
	"github.com/threatgate/threatgate/internal/violation"
	"github.com/threatgate/threatgate/policies"
)

// parameterQuestion is a parameter, p, and a request.
type parameterQuestion struct {
	version   string
	parameter map[string]any
	message
}

// message is what a request says: a segment of its path, pairs of its query,
// values of header fields or cookies.
type message struct {
	sent   []string // of the parameter
	others []string // of no parameter; none in a path
}

// parameterJudge answers a question about the i-th parameter of a document.
type parameterJudge func(i int, m *message) bool

// A parameterVoter reads the parameters of a document, all of one place.
type parameterVoter struct {
	voter
	read func(version string, parameters []map[string]any) (parameterJudge, error)
}

var parameterVoters = []parameterVoter{{voters[0], kinOfParameters}, {voters[1], libOpenAPIOfParameters}}

// ask is our answer. Readings mostly leave the parameter as it is, so that
// the last ones asked of are kept.
func (q *parameterQuestion) ask() bool {
	key := q.version + string(encode(q.parameter))
	j, known := asked[key]
	if !known {
		if len(asked) > 10_000 {
			clear(asked)
		}
		j, _ = oursOfParameters(q.version, []map[string]any{q.parameter})
		asked[key] = j
	}
	return j != nil && j(0, &q.message)
}

var asked = map[string]parameterJudge{}

// parameterDocument is an OpenAPI document with GET /0, /1, …, each with one
// of the parameters.
func parameterDocument(version string, parameters []map[string]any, template func(p map[string]any) string) []byte {
	paths := map[string]any{}
	for i, p := range parameters {
		path := fmt.Sprint("/", i)
		if p["in"] == "path" {
			path += template(p)
		}
		paths[path] = map[string]any{"get": map[string]any{
			"parameters": []any{p},
			"responses":  map[string]any{"200": map[string]any{"description": "ok"}},
		}}
	}
	return encode(map[string]any{"openapi": version, "info": map[string]any{"title": "t", "version": "1"}, "paths": paths})
}

func plainTemplate(map[string]any) string { return "/{p}" }

// target is the request target of a question about the i-th parameter.
func (m *message) target(i int, in any) string {
	switch in {
	case "path":
		return fmt.Sprintf("/%d/%s", i, strings.Join(m.sent, ""))
	case "query":
		return fmt.Sprintf("/%d?%s", i, strings.Join(m.all(), "&"))
	}
	return fmt.Sprint("/", i)
}

func (m *message) all() []string { return append(m.sent[:len(m.sent):len(m.sent)], m.others...) }

func (m *message) cookie() string { return strings.Join(m.all(), "; ") }

var catalogue = threat.LoadCatalogue(policies.FS, new(diag.List))

func oursOfParameters(version string, parameters []map[string]any) (parameterJudge, error) {
	var diags diag.List
	api, _ := openapi.LoadBytes(parameterDocument(version, parameters, plainTemplate), "t.json", &diags)
	if api == nil {
		return nil, diags.Err()
	}
	graph := model.Bare(api)
	graph.Services[0].Upstream = "127.0.0.1:1"
	set := policy.Derive(graph, catalogue, nil, policy.Modes{}, &diags)
	for _, o := range set.Services[0].Operations {
		o.Mode = violation.Enforce
	}
	releases := compile.Releases(set, &diags)
	if diags.HasErrors() {
		return nil, diags.Err()
	}
	bundle, err := artifact.Decode(releases[0].Bundle)
	if err != nil {
		return nil, err
	}
	e := enforce.New(bundle)
	return func(i int, m *message) bool {
		in := parameters[i]["in"]
		headers := []enforce.Header{
			{Name: []byte(":method"), Value: []byte("GET")},
			{Name: []byte(":path"), Value: []byte(m.target(i, in))},
			{Name: []byte(":authority"), Value: []byte("host")},
		}
		switch in {
		case "header":
			for _, value := range m.sent {
				headers = append(headers, enforce.Header{Name: []byte("p"), Value: []byte(value)})
			}
			for _, value := range m.others {
				headers = append(headers, enforce.Header{Name: []byte("other"), Value: []byte(value)})
			}
		case "cookie":
			headers = append(headers, enforce.Header{Name: []byte("cookie"), Value: []byte(m.cookie())})
		}
		r := e.Begin()
		defer r.End()
		r.Headers(headers, true, noon{})
		return r.Decision() == violation.Allowed
	}, nil
}

// noon is a world in which nothing happens.
type noon struct{}

func (noon) Now() int64                      { return 43200e9 }
func (noon) ClientAddress() []byte           { return nil }
func (noon) HashKey() siphash.Key            { return siphash.Key{} }
func (noon) FromUpstream() bool              { return true }
func (noon) Get([]byte) ([]byte, uint32)     { return nil, 0 }
func (noon) Set([]byte, []byte, uint32) bool { return true }

// get is the request as a voter gets it from net/http; nil if that refuses it.
func get(i int, in any, m *message) *http.Request {
	u, err := url.ParseRequestURI(m.target(i, in))
	if err != nil {
		return nil
	}
	r, _ := http.NewRequest("GET", "http://host/", nil)
	u.Scheme, u.Host = "http", "host"
	r.URL = u
	switch in {
	case "header":
		for _, value := range m.sent {
			r.Header.Add("P", value)
		}
		for _, value := range m.others {
			r.Header.Add("Other", value)
		}
	case "cookie":
		r.Header.Set("Cookie", m.cookie())
	}
	return r
}

func kinOfParameters(version string, parameters []map[string]any) (parameterJudge, error) {
	doc, err := openapi3.NewLoader().LoadFromData(parameterDocument(version, parameters, plainTemplate))
	if err != nil {
		return nil, err
	}
	return func(i int, m *message) bool {
		in := parameters[i]["in"]
		r := get(i, in, m)
		if r == nil {
			return false
		}
		path := fmt.Sprint("/", i)
		captured := map[string]string{}
		if in == "path" {
			captured["p"] = strings.TrimPrefix(r.URL.Path, path+"/")
			path += "/{p}"
			if strings.Contains(captured["p"], "/") {
				return false // its router finds no operation
			}
		}
		item := doc.Paths.Find(path)
		return openapi3filter.ValidateRequest(openapi3.NewLoader().Context, &openapi3filter.RequestValidationInput{
			Request:    r,
			PathParams: captured,
			Route:      &routers.Route{Spec: doc, Path: path, PathItem: item, Method: "GET", Operation: item.Get},
		}) == nil
	}, nil
}

// libOpenAPIOfParameters writes the style of a path parameter into the
// template, as RFC 6570 has it: there this voter looks for it.
func libOpenAPIOfParameters(version string, parameters []map[string]any) (parameterJudge, error) {
	doc, err := libopenapi.NewDocument(parameterDocument(version, parameters, func(p map[string]any) string {
		operator, _ := map[any]string{"label": ".", "matrix": ";"}[p["style"]]
		if p["explode"] == true {
			return "/{" + operator + "p*}"
		}
		return "/{" + operator + "p}"
	}))
	if err != nil {
		return nil, err
	}
	v, errs := validator.NewValidator(doc, config.WithFormatAssertions())
	if errs != nil {
		return nil, errs[0]
	}
	return func(i int, m *message) bool {
		r := get(i, parameters[i]["in"], m)
		if r == nil {
			return false
		}
		valid, _ := v.ValidateHttpRequestSync(r)
		return valid
	}, nil
}

// parameter makes a parameter named p, in any of the styles that its place
// has for its type (OAS 3.1.1, section 4.8.12.4).
func (g *generator) parameter(in string) map[string]any {
	p := map[string]any{"name": "p", "in": in, "required": in == "path" || g.oneIn(2)}
	styles := map[string][]string{"path": {"simple", "label", "matrix"}, "query": {"form"}, "header": {"simple"}, "cookie": {"form"}}[in]
	switch g.IntN(4) {
	case 0, 1:
		p["schema"] = g.scalarSchema()
	case 2:
		s := map[string]any{"type": "array", "items": g.scalarSchema()}
		g.count(s, "minItems", "maxItems")
		p["schema"] = s
		if in == "query" {
			styles = []string{"form", "form", "pipeDelimited", "spaceDelimited"}
		}
	case 3:
		s := map[string]any{"type": "object", "properties": map[string]any{"a": g.scalarSchema(), "b": g.scalarSchema()}}
		if g.oneIn(2) {
			s["required"] = []any{"a"}
		}
		if g.oneIn(2) {
			s["additionalProperties"] = false
		}
		p["schema"] = s
		if in == "query" {
			styles = []string{"form", "deepObject", "deepObject", "pipeDelimited", "spaceDelimited"}
		}
	}
	p["style"], p["explode"] = pick(g, styles...), g.oneIn(2)
	switch {
	case p["style"] == "deepObject":
		p["explode"] = true
	case p["style"] == "pipeDelimited", p["style"] == "spaceDelimited", in == "cookie" && kindOf(p) == "object":
		p["explode"] = false
	}
	if p["explode"] == (p["style"] == "form") && g.oneIn(2) {
		delete(p, "explode")
	}
	if p["style"] == styles[0] && g.oneIn(2) && (styles[0] == "form" || styles[0] == "simple") {
		delete(p, "style")
	}
	return p
}

func (g *generator) scalarSchema() map[string]any {
	s := map[string]any{"type": pick(g, "string", "string", "integer", "number", "boolean")}
	switch s["type"] {
	case "string":
		if g.count(s, "minLength", "maxLength"); g.oneIn(2) {
			s["enum"] = []any{"b", pick(g, "a", "ab", "é"), pick(g, "a,b", "a,b", "a,b", "a;b", "a=b", "a.b", "a|b", "a b", "a&b")}
		}
	case "integer", "number":
		g.numberKeywords(s)
	}
	return s
}

// layout is how a value is written (OAS 3.1.1, sections 4.8.12.3 and
// 4.8.12.4; RFC 6570, section 3.2).
type layout struct {
	open   string // begins it
	next   string // stands between items or members; if empty, each is sent by itself
	assign string // stands between the name of a member and its value
}

func layoutOf(p map[string]any) layout {
	style, exploded := styleOf(p)
	l := layout{next: ",", assign: ","}
	if exploded {
		l.assign = "="
	}
	switch style {
	case "label":
		l.open = "."
		if exploded {
			l.next = "."
		}
	case "matrix":
		switch l.open = ";p="; {
		case exploded && kindOf(p) == "array":
			l.next = l.open
		case exploded && kindOf(p) == "object":
			l.open, l.next = ";", ";"
		}
	case "form":
		switch l.open = "p="; {
		case exploded && p["in"] == "cookie":
			l.next = "&p="
		case exploded && kindOf(p) == "object":
			l.open, l.next = "", ""
		case exploded:
			l.next = ""
		}
	case "pipeDelimited":
		l = layout{"p=", "|", "|"}
	case "spaceDelimited":
		l = layout{"p=", "%20", "%20"}
	case "deepObject":
		l = layout{"p[", "", "]="}
	}
	return l
}

// styleOf returns style and explode, or their defaults.
func styleOf(p map[string]any) (style string, exploded bool) {
	style, _ = p["style"].(string)
	if style == "" {
		style = map[any]string{"path": "simple", "header": "simple", "query": "form", "cookie": "form"}[p["in"]]
	}
	exploded = style == "form"
	if given, ok := p["explode"].(bool); ok {
		exploded = given
	}
	return style, exploded
}

func kindOf(p map[string]any) any { return p["schema"].(map[string]any)["type"] }

// message makes a request that is about the parameter.
func (g *generator) message(p map[string]any) (m message) {
	if !g.oneIn(12) {
		m.sent = g.sent(p)
	}
	switch in := p["in"]; {
	case in == "path" && !g.oneIn(14):
	case in == "path":
		for i, segment := range m.sent {
			m.sent[i] = pick(g, segment+segment, segment+",", segment+".", segment+";p", segment+"%zz", segment+"%ff", strings.TrimLeft(segment, ".;"), strings.TrimPrefix(segment, ";p"), "."+segment, ";P=1")
		}
	default:
		switch g.IntN(14) {
		case 0:
			m.others = append(m.others, "other=1")
		case 1:
			if len(m.sent) > 0 {
				m.sent = append(m.sent, pick(g, m.sent...))
			}
		case 2:
			m.sent = append(m.sent, map[any]string{
				"query":  pick(g, "p", "p=%zz", "p=%ff", "p=1"),
				"header": pick(g, "", "1", "\xff", "%zz", "%ff"),
				"cookie": pick(g, "p", "p=", "p=%zz", "p=%ff", "p=1"),
			}[in])
		case 3:
			m.others = append(m.others, pick(g, "=1", "P=1", "x"))
		}
	}
	return m
}

// sent writes a value that is near what the parameter allows.
func (g *generator) sent(p map[string]any) (sent []string) {
	l, s := layoutOf(p), p["schema"].(map[string]any)
	var parts []string
	switch s["type"] {
	case "array":
		for range g.around(s, "minItems", "maxItems") {
			parts = append(parts, g.scalar(s["items"].(map[string]any), p["in"]))
		}
	case "object":
		for _, name := range []string{"a", "b"} {
			if !g.oneIn(4) {
				parts = append(parts, name+l.assign+g.scalar(s["properties"].(map[string]any)[name].(map[string]any), p["in"]))
			}
		}
		if g.oneIn(6) {
			parts = append(parts, "c"+l.assign+"1")
		}
		if g.oneIn(15) {
			parts = append(parts, pick(g, "a", "a"+l.assign+"1", l.assign+"1"))
		}
	default:
		return []string{l.open + g.scalar(s, p["in"])}
	}
	if l.next != "" {
		return []string{g.respelt(l.open + strings.Join(parts, l.next))}
	}
	for _, part := range parts {
		sent = append(sent, g.respelt(l.open+part))
	}
	return sent
}

// respelt writes the separators that have several spellings in one of them.
func (g *generator) respelt(text string) string {
	if g.oneIn(2) {
		return text
	}
	return strings.NewReplacer("[", "%5B", "]", "%5D", "|", "%7C").Replace(text)
}

// scalar spells a value that is near what the schema s allows.
func (g *generator) scalar(s map[string]any, in any) string {
	var text string
	switch s["type"] {
	case "string":
		text = g.stringNear(s)
		if values := list(s["enum"]); values != nil && !g.oneIn(4) {
			text = pick(g, values...).(string)
		}
		text = strings.NewReplacer("\"", "", "\\", "", "\n", "", "\x00", "").Replace(text)
	case "integer", "number":
		text = string(g.numberNear(s))
		if g.oneIn(8) {
			text = pick(g, "1", "0", "-1", "+1", "01", "0x1", "1_0", " 1", "1 ", "NaN", "Inf", "one", "", "1e1", ".5", "1.")
		}
	case "boolean":
		text = pick(g, "true", "false", "true", "false", "1", "TRUE", "t", "", "yes")
	}
	if in == "header" {
		return strings.TrimSpace(text) // as HTTP strips it
	}
	escaped := strings.ReplaceAll(url.QueryEscape(text), "%2C", pick(g, ",", "%2C"))
	if in != "query" {
		escaped = strings.ReplaceAll(escaped, "+", "%20")
	}
	if g.oneIn(10) && len(escaped) > 0 && escaped[0] != '%' && escaped[0] != '+' {
		escaped = fmt.Sprintf("%%%02x", escaped[0]) + escaped[1:]
	}
	return escaped
}

func TestParameters(t *testing.T) {
	const perParameter = 40
	seed, documents := setting("VOTERS_SEED", usualSeed), setting("VOTERS_DOCUMENTS", usualDocuments)/2
	t.Logf("seed %d, %d documents for each place, in OpenAPI 3.0 and 3.1 by turns", seed, documents)
	usual := seed == usualSeed && documents == usualDocuments/2
	all := make([]counts, len(parameterVoters))
	for p, place := range []string{"path", "query", "header", "cookie"} {
		here := make([]counts, len(parameterVoters))
		for d := range documents {
			g := &generator{Rand: rand.New(rand.NewPCG(seed, uint64(p)<<32|d)), is31: d%2 == 1}
			version := map[bool]string{false: "3.0.4", true: "3.1.1"}[g.is31]
			var parameters []map[string]any
			messages := make([][]message, perDocument)
			for i := range messages {
				parameters = append(parameters, g.parameter(place))
				for range perParameter {
					messages[i] = append(messages[i], g.message(parameters[i]))
				}
			}
			us, err := oursOfParameters(version, parameters)
			if err != nil {
				t.Fatalf("%s: document %d: %v", place, d, err)
			}
			for k, v := range parameterVoters {
				them, err := v.read(version, parameters)
				if err != nil {
					t.Fatalf("%s: document %d: %s: %v", place, d, v.name, err)
				}
				for i := range messages {
					for _, m := range messages[i] {
						got, panics := answer(func() bool { return them(i, &m) })
						q := parameterQuestion{version, parameters[i], m}
						if !answered(&here[k], v.voter, parameterReadings, q, (*parameterQuestion).ask, us(i, &m), got, panics) {
							t.Errorf("%s says %t: %s: %q", v.name, got, encode(parameters[i]), m)
						}
					}
				}
			}
		}
		for k, v := range parameterVoters {
			report(t, &here[k], v.name+", "+place, 20_000)
			all[k].add(&here[k])
		}
	}
	for k, v := range parameterVoters {
		reportReadings(t, &all[k], v.voter, parameterReadings, usual)
	}
}
