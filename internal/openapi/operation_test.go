package openapi

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/threatgate/threatgate/internal/inventory"
)

func parameterLine(p *inventory.Parameter) string {
	line := fmt.Sprintf("%s %s %s explode=%v", p.In, p.Name, p.Style, p.Explode)
	for _, flag := range []struct {
		name string
		set  bool
	}{{"required", p.Required}, {"deprecated", p.Deprecated}, {"reserved", p.AllowReserved}, {"empty", p.AllowEmpty}} {
		if flag.set {
			line += " " + flag.name
		}
	}
	if p.Schema != nil {
		line += " (" + describe(p.Schema) + ")"
	}
	if p.Content != nil {
		line += " " + contentLine(p.Content)
	}
	return line
}

func contentLine(m *inventory.MediaType) string {
	line := m.Type
	if m.Schema != nil {
		line += " (" + describe(m.Schema) + ")"
	}
	for _, e := range m.Encoding {
		line += fmt.Sprintf(" [%s %q %s explode=%v]", e.Property, e.ContentType, e.Style, e.Explode)
		for _, h := range e.Headers {
			line += " " + parameterLine(h)
		}
	}
	return line
}

func expect(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestDocument(t *testing.T) {
	for _, test := range []struct{ name, document, want string }{
		{"o.yaml", "openapi: 3.0.3\ninfo: {title: ' My (Great) API! v2', version: 1.0}\npaths: {}\n", "my-great-api-v2 1.0 openapi-3.0 o.yaml:1:1"},
		{"dir/My_Orders.v1.yaml", "openapi: 3.0.3\npaths: {}\n", "my-orders-v1  openapi-3.0 dir/My_Orders.v1.yaml:1:1"},
		{"...", "openapi: 3.1.1\ninfo: {title: 日本}\npaths: {}\n", "api  openapi-3.1 ...:1:1"},
	} {
		api, faults := load(t, test.name, test.document)
		if faults != "" {
			t.Errorf("%s: %s", test.name, faults)
			continue
		}
		if got := fmt.Sprint(api.Name, " ", api.Version, " ", api.Format, " ", api.Pos); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}

func TestServers(t *testing.T) {
	for _, test := range []struct{ servers, want string }{
		{"[]", "[]"},
		{"[{url: /}]", `[{"" ""}]`},
		{"[{url: 'https://API.example:8443/v1/'}, {url: 'https://b.example'}]", `[{"api.example:8443" "/v1"} {"b.example" ""}]`},
		{"[{url: v2}, {url: '//h/v1?a=b#c'}]", `[{"" "/v2"} {"h" "/v1"}]`},
		{"[{url: /redirect//x}]", `[{"" "/redirect//x"}]`},
		{"[{url: 'https://{region}.example/{base}/x', variables: {region: {default: eu}, base: {default: v1}}}]", `[{"" "/v1/x"}]`},
		{"[{url: '/{a}/{b}', variables: {a: {default: x, enum: [x, y]}, b: {default: 1, enum: [1, 2]}}}]",
			`[{"" "/x/1"} {"" "/x/2"} {"" "/y/1"} {"" "/y/2"}]`},
		{"[{url: '/{a}', variables: {a: {default: ''}}}]", `[{"" ""}]`},
	} {
		api := mustLoad(t, "openapi: 3.0.3\nservers: "+test.servers+"\npaths: {}\n")
		got := []string{}
		for _, s := range api.Servers {
			got = append(got, fmt.Sprintf("{%q %q}", s.Host, s.BasePath))
		}
		if fmt.Sprint(got) != test.want {
			t.Errorf("%s: got %v, want %s", test.servers, got, test.want)
		}
	}
}

func TestOperations(t *testing.T) {
	api := mustLoad(t, `
openapi: 3.0.3
servers: [{url: /root}]
paths:
  /z/{id}:
    summary: s
    servers: [{url: /path}]
    parameters: [{name: id, in: path, required: true, schema: {type: string}}]
    post: {operationId: make, tags: [a, b], summary: Make it, deprecated: true}
    get: {servers: [{url: /own}, {url: /other}]}
  /z/{other}:
    head: {parameters: [{name: other, in: path, required: true, schema: {}}]}
  /a:
    $ref: '#/x-shared'
  /a.{ext}/b{c}:
    trace:
      parameters:
        - {name: ext, in: path, required: true, schema: {}}
        - {name: c, in: path, required: true, schema: {}}
      callbacks: {c: 1}
x-shared:
  delete: {}
`)
	var got []string
	for _, op := range api.Operations {
		line := fmt.Sprintf("%s %s %s %s %q %q", op.Pos, op.Method, op.Path, op.Name(), op.Tags, op.Summary)
		if op.Deprecated {
			line += " deprecated"
		}
		for _, s := range op.Servers {
			line += " " + s.BasePath
		}
		got = append(got, line)
	}
	expect(t, got,
		`a.yaml:9:5 POST /z/{id} make ["a" "b"] "Make it" deprecated /path`,
		`a.yaml:10:5 GET /z/{id} GET /z/{id} [] "" /own /other`,
		`a.yaml:12:5 HEAD /z/{other} HEAD /z/{other} [] ""`,
		`a.yaml:22:3 DELETE /a DELETE /a [] ""`,
		`a.yaml:16:5 TRACE /a.{ext}/b{c} TRACE /a.{ext}/b{c} [] ""`,
	)
}

func TestParameters(t *testing.T) {
	api := mustLoad(t, `
openapi: 3.0.3
paths:
  /{p}/{l}/{m}:
    parameters:
      - {name: p, in: path, required: true, schema: {type: string}}
      - {name: q, in: query, schema: {type: string}}
      - {name: X-H, in: header, schema: {type: string}}
    get:
      parameters:
        - {name: x-h, in: header, required: true, schema: {type: integer}}
        - {name: q, in: query, explode: false, allowReserved: true, allowEmptyValue: true, deprecated: true, schema: {}}
        - {name: q, in: cookie, schema: {}}
        - {name: l, in: path, required: true, style: label, schema: {}}
        - {name: m, in: path, required: true, style: matrix, explode: true, schema: {}}
        - {name: s, in: query, style: spaceDelimited, schema: {}}
        - {name: i, in: query, style: pipeDelimited, schema: {}}
        - {name: d, in: query, style: deepObject, explode: true, schema: {type: object}}
        - {name: j, in: query, content: {application/JSON: {schema: {type: object}}}}
        - {name: authorization, in: header, schema: {}}
        - {name: Accept, in: header, schema: {}}
        - {name: Content-Type, in: header, schema: {}}
        - $ref: '#/components/parameters/r'
components:
  parameters:
    r: {name: r, in: query, schema: {type: boolean}}
`)
	var got []string
	for _, p := range api.Operations[0].Parameters {
		got = append(got, parameterLine(p))
	}
	expect(t, got,
		"path p simple explode=false required (string)",
		"query q form explode=false deprecated reserved empty ()",
		"header x-h simple explode=false required (integer)",
		"cookie q form explode=true ()",
		"path l label explode=false required ()",
		"path m matrix explode=true required ()",
		"query s spaceDelimited explode=false ()",
		"query i pipeDelimited explode=false ()",
		"query d deepObject explode=true (object)",
		"query j form explode=true application/json (object)",
		"query r form explode=true (boolean)",
	)
}

func TestBodiesAndResponses(t *testing.T) {
	api := mustLoad(t, `
openapi: 3.0.3
paths:
  /a:
    post:
      requestBody: {$ref: '#/components/requestBodies/b'}
      responses:
        200:
          description: d
          headers:
            X-Rate: {required: true, schema: {type: integer}}
            Content-Type: {schema: {}}
          content: {application/json: {schema: {type: object}}}
        4xx: {$ref: '#/components/responses/r'}
        default: {description: d}
    get: {}
components:
  requestBodies:
    b:
      required: true
      content:
        Multipart/Form-Data; charset=UTF-8:
          schema: {type: object}
          encoding:
            file: {contentType: 'image/png, image/jpeg', headers: {X-A: {schema: {type: string}}}}
            list: {style: pipeDelimited}
        '*/*': {}
  responses:
    r: {description: d}
`)
	post, get := api.Operations[0], api.Operations[1]
	var got []string
	for _, m := range post.Body.Content {
		got = append(got, contentLine(m))
	}
	for _, r := range post.Responses {
		line := r.Status + " " + r.Pos.String()
		for _, h := range r.Headers {
			line += " " + parameterLine(h)
		}
		for _, m := range r.Content {
			line += " " + contentLine(m)
		}
		got = append(got, line)
	}
	expect(t, got,
		`multipart/form-data; charset=utf-8 (object) [file "image/png, image/jpeg" form explode=true] header X-A simple explode=false (string) [list "" pipeDelimited explode=false]`,
		`*/*`,
		`200 a.yaml:9:11 header X-Rate simple explode=false required (integer) application/json (object)`,
		`4XX a.yaml:29:8`,
		`default a.yaml:15:18`,
	)
	if !post.Body.Required || get.Body != nil || get.Responses != nil {
		t.Errorf("required %v; body %v and responses %v of an operation without", post.Body.Required, get.Body, get.Responses)
	}
}

func TestSecurity(t *testing.T) {
	const schemes = `
components:
  securitySchemes:
    jwt: {type: http, scheme: Bearer, bearerFormat: JWT}
    user: {type: http, scheme: basic}
    digest: {type: http, scheme: Digest}
    key: {type: apiKey, in: cookie, name: sid}
    oauth: {type: oauth2, flows: {}}
    oidc: {$ref: '#/components/securitySchemes/other'}
    other: {type: openIdConnect, openIdConnectUrl: 'https://h'}
    cert: {type: mutualTLS}
`
	for _, test := range []struct{ name, document, operation, want string }{
		{"absent", "", "{}", "declared=false public=true [] -"},
		{"inherited", "security: [{jwt: []}]\n", "{}", "declared=true public=false [[{jwt []}]] a.yaml:2:1"},
		{"overridden", "security: [{jwt: []}]\n", "{security: [{key: []}]}", "declared=true public=false [[{key []}]] a.yaml:4:14"},
		{"empty", "security: [{jwt: []}]\n", "{security: []}", "declared=true public=true [] a.yaml:4:14"},
		{"optional", "", "{security: [{}, {jwt: []}]}", "declared=true public=true [[] [{jwt []}]] a.yaml:3:14"},
		{"all of several, with scopes", "", "{security: [{oauth: [r, w], cert: []}, {oidc: [r]}]}",
			"declared=true public=false [[{oauth [r w]} {cert []}] [{oidc [r]}]] a.yaml:3:14"},
	} {
		t.Run(test.name, func(t *testing.T) {
			api := mustLoad(t, "openapi: 3.0.3\n"+test.document+"paths:\n  /a: {get: "+test.operation+"}"+schemes)
			s := api.Operations[0].Security
			if got := fmt.Sprintf("declared=%v public=%v %v %s", s.Declared, s.Public(), s.Alternatives, s.Pos); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}

	api := mustLoad(t, "openapi: 3.0.3\npaths: {}"+schemes)
	want := map[string]inventory.SecurityScheme{
		"jwt":    {Kind: inventory.SchemeBearer, Type: "http", HTTPScheme: "bearer"},
		"user":   {Kind: inventory.SchemeBasic, Type: "http", HTTPScheme: "basic"},
		"digest": {Kind: inventory.SchemeHTTPOther, Type: "http", HTTPScheme: "digest"},
		"key":    {Kind: inventory.SchemeAPIKey, Type: "apiKey", In: inventory.InCookie, Key: "sid"},
		"oauth":  {Kind: inventory.SchemeBearer, Type: "oauth2"},
		"oidc":   {Kind: inventory.SchemeBearer, Type: "openIdConnect"},
		"other":  {Kind: inventory.SchemeBearer, Type: "openIdConnect"},
		"cert":   {Kind: inventory.SchemeMutualTLS, Type: "mutualTLS"},
	}
	for name, scheme := range api.Schemes {
		w := want[name]
		w.Name, w.Pos = name, scheme.Pos
		if *scheme != w {
			t.Errorf("scheme %s: got %+v, want %+v", name, *scheme, w)
		}
	}
	if len(api.Schemes) != len(want) {
		t.Errorf("%d schemes, want %d", len(api.Schemes), len(want))
	}
}
