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

// parameterQuestion is a query parameter, p, and a query.
type parameterQuestion struct {
	parameter map[string]any
	query     string
}

func (q *parameterQuestion) ask() bool {
	j, err := oursOfParameters([]map[string]any{q.parameter})
	return err == nil && j(0, q.query)
}

type parameterJudge func(parameter int, query string) bool

// parameterDocument is an OpenAPI document with GET /0, /1, …, each with one
// of the parameters.
func parameterDocument(parameters []map[string]any) []byte {
	paths := map[string]any{}
	for i, p := range parameters {
		paths[fmt.Sprint("/", i)] = map[string]any{"get": map[string]any{
			"parameters": []any{p},
			"responses":  map[string]any{"200": map[string]any{"description": "ok"}},
		}}
	}
	return encode(map[string]any{"openapi": "3.0.3", "info": map[string]any{"title": "t", "version": "1"}, "paths": paths})
}

func oursOfParameters(parameters []map[string]any) (parameterJudge, error) {
	var diags diag.List
	api, _ := openapi.LoadBytes(parameterDocument(parameters), "t.json", &diags)
	if api == nil {
		return nil, diags.Err()
	}
	graph := model.Bare(api)
	graph.Services[0].Upstream = "127.0.0.1:1"
	set := policy.Derive(graph, threat.LoadCatalogue(policies.FS, &diags), nil, policy.Modes{}, &diags)
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
	return func(i int, query string) bool {
		r := e.Begin()
		defer r.End()
		r.Headers([]enforce.Header{
			{Name: []byte(":method"), Value: []byte("GET")},
			{Name: []byte(":path"), Value: fmt.Appendf(nil, "/%d?%s", i, query)},
			{Name: []byte(":authority"), Value: []byte("host")},
		}, true, noon{})
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

func get(i int, query string) *http.Request {
	r, _ := http.NewRequest("GET", "http://host/", nil)
	r.URL = &url.URL{Scheme: "http", Host: "host", Path: fmt.Sprint("/", i), RawQuery: query}
	return r
}

func kinOfParameters(parameters []map[string]any) (parameterJudge, error) {
	doc, err := openapi3.NewLoader().LoadFromData(parameterDocument(parameters))
	if err != nil {
		return nil, err
	}
	return func(i int, query string) bool {
		path := fmt.Sprint("/", i)
		item := doc.Paths.Find(path)
		return openapi3filter.ValidateRequest(openapi3.NewLoader().Context, &openapi3filter.RequestValidationInput{
			Request: get(i, query),
			Route:   &routers.Route{Spec: doc, Path: path, PathItem: item, Method: "GET", Operation: item.Get},
		}) == nil
	}, nil
}

// parameter makes a query parameter named p.
func (g *generator) parameter() map[string]any {
	p := map[string]any{"name": "p", "in": "query", "required": g.oneIn(2)}
	scalar := func() map[string]any {
		s := map[string]any{"type": pick(g, "string", "integer", "number", "boolean")}
		switch s["type"] {
		case "string":
			if g.count(s, "minLength", "maxLength"); g.oneIn(3) {
				s["enum"] = []any{pick(g, "a", "ab", "a,b", "é"), "b"}
			}
		case "integer", "number":
			g.numberKeywords(s)
		}
		return s
	}
	switch g.IntN(4) {
	case 0, 1:
		p["schema"] = scalar()
	case 2:
		s := map[string]any{"type": "array", "items": scalar()}
		g.count(s, "minItems", "maxItems")
		p["schema"] = s
		switch g.IntN(3) {
		case 0:
			p["explode"] = false
		case 1:
			p["style"], p["explode"] = pick(g, "pipeDelimited", "spaceDelimited"), false
		}
	case 3:
		s := map[string]any{"type": "object", "properties": map[string]any{"a": scalar(), "b": scalar()}}
		if g.oneIn(2) {
			s["required"] = []any{"a"}
		}
		if g.oneIn(2) {
			s["additionalProperties"] = false
		}
		p["schema"], p["style"], p["explode"] = s, "deepObject", true
	}
	return p
}

// query makes a query that is about the parameter.
func (g *generator) query(p map[string]any) string {
	s := p["schema"].(map[string]any)
	var pairs []string
	pair := func(name, value string) { pairs = append(pairs, name+"="+value) }
	switch {
	case g.oneIn(12):
	case s["type"] == "array":
		var items []string
		for range g.around(s, "minItems", "maxItems") {
			items = append(items, g.scalar(s["items"].(map[string]any)))
		}
		separator := map[any]string{nil: ",", "pipeDelimited": pick(g, "|", "%7C"), "spaceDelimited": "%20"}[p["style"]]
		if p["explode"] == nil && !g.oneIn(8) {
			for _, item := range items {
				pair("p", item)
			}
		} else {
			pair("p", strings.Join(items, separator))
		}
	case s["type"] == "object":
		for _, name := range []string{"a", "b"} {
			if !g.oneIn(3) {
				pair(fmt.Sprintf(pick(g, "p[%s]", "p%%5B%s%%5D"), name), g.scalar(s["properties"].(map[string]any)[name].(map[string]any)))
			}
		}
		if g.oneIn(6) {
			pair("p[c]", "1")
		}
	default:
		pair("p", g.scalar(s))
	}
	switch g.IntN(14) {
	case 0:
		pair("other", "1")
	case 1:
		if len(pairs) > 0 {
			pairs = append(pairs, pick(g, pairs...))
		}
	case 2:
		pairs = append(pairs, pick(g, "p", "", "p=%zz", "p=%ff", "=1", "P=1"))
	}
	return strings.Join(pairs, "&")
}

// scalar spells a value that is near what the schema s allows.
func (g *generator) scalar(s map[string]any) string {
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
	escaped := strings.ReplaceAll(url.QueryEscape(text), "%2C", pick(g, ",", "%2C"))
	if g.oneIn(10) && len(escaped) > 0 && escaped[0] != '%' && escaped[0] != '+' {
		escaped = fmt.Sprintf("%%%02x", escaped[0]) + escaped[1:]
	}
	return escaped
}

func TestParameters(t *testing.T) {
	const perParameter = 40
	seed, documents := setting("VOTERS_SEED", usualSeed), setting("VOTERS_DOCUMENTS", usualDocuments)/2
	t.Logf("seed %d, %d documents", seed, documents)
	var all counts
	for d := range documents {
		g := &generator{Rand: rand.New(rand.NewPCG(seed, d))}
		var parameters []map[string]any
		queries := make([][]string, perDocument)
		for i := range queries {
			parameters = append(parameters, g.parameter())
			for range perParameter {
				queries[i] = append(queries[i], g.query(parameters[i]))
			}
		}
		us, err := oursOfParameters(parameters)
		if err != nil {
			t.Fatalf("document %d: %v", d, err)
		}
		them, err := kinOfParameters(parameters)
		if err != nil {
			t.Fatalf("document %d: %v", d, err)
		}
		for i := range queries {
			for _, query := range queries[i] {
				got, panics := answer(func() bool { return them(i, query) })
				q := parameterQuestion{parameters[i], query}
				if !answered(&all, voters[0], parameterReadings, q, (*parameterQuestion).ask, us(i, query), got, panics) {
					t.Errorf("%s says %t: %s: %s", voters[0].name, got, encode(parameters[i]), query)
				}
			}
		}
	}
	report(t, &all, voters[0], parameterReadings, 15_000, seed == usualSeed && documents == usualDocuments/2)
}
