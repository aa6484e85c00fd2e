package policy

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/inventory"
	"github.com/threatgate/threatgate/internal/model"
	"github.com/threatgate/threatgate/internal/openapi"
	"github.com/threatgate/threatgate/internal/threat"
	"github.com/threatgate/threatgate/internal/violation"
	"github.com/threatgate/threatgate/policies"
)

// derive loads a model from files in memory and derives its policies.
// Warnings come back one a line.
func derive(t *testing.T, modes Modes, files map[string]string) (*Set, []threat.Threat, string) {
	t.Helper()
	var diags diag.List
	rules := threat.LoadCatalogue(policies.FS, &diags)
	graph, _ := model.Load("model.yaml", model.Options{
		ReadFile: func(path string) ([]byte, error) {
			data, ok := files[path]
			if !ok {
				return nil, fs.ErrNotExist
			}
			return []byte(data), nil
		},
		OpenSpec: func(path string, _ map[string]string, diags *diag.List) (*inventory.API, []string) {
			return openapi.LoadBytes([]byte(files[path]), path, diags)
		},
	}, &diags)
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	threats := threat.Enumerate(graph, rules)
	var warnings diag.List
	set := Derive(graph, rules, threats, modes, &warnings)
	var lines []string
	for _, d := range warnings.Sorted() {
		lines = append(lines, d.String())
	}
	return set, threats, strings.Join(lines, "\n")
}

func document(spec string) string {
	return "apiVersion: threatgate.dev/v1alpha1\nkind: ThreatModel\nmetadata: {name: test}\nspec:\n" + spec
}

const keys = `{"keys": [{"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": "1",
"x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}`

func TestModes(t *testing.T) {
	files := map[string]string{
		"model.yaml": document(`
  services:
    - {id: orders, mode: enforce, specs: [{file: orders.yaml}], operations: [{match: GET /b, mode: "off"}]}
`),
		"orders.yaml": "openapi: 3.1.0\ninfo: {title: Orders, version: '1'}\npaths: {/a: {get: {}}, /b: {get: {}}}\n",
	}
	key := OperationKey{"orders", "GET /b"}
	for _, row := range []struct {
		name  string
		modes Modes
		want  string // of the service, GET /a and GET /b
	}{
		{"the model's", Modes{}, "enforce enforce off"},
		{"the API's at run time", Modes{APIs: map[string]violation.Mode{"orders": violation.Shadow}}, "shadow shadow shadow"},
		{"the operation's at run time", Modes{Operations: map[OperationKey]violation.Mode{key: violation.Shadow}}, "enforce enforce shadow"},
		{"both", Modes{
			APIs:       map[string]violation.Mode{"orders": violation.Off},
			Operations: map[OperationKey]violation.Mode{key: violation.Enforce},
		}, "off off enforce"},
		{"all APIs'", Modes{APIs: map[string]violation.Mode{"": violation.Shadow}}, "shadow shadow shadow"},
		{"all APIs' and the API's", Modes{APIs: map[string]violation.Mode{"": violation.Shadow, "orders": violation.Off}}, "off off off"},
		{"another API's", Modes{APIs: map[string]violation.Mode{"payments": violation.Off}}, "enforce enforce off"},
	} {
		set, _, _ := derive(t, row.modes, files)
		s := set.Services[0]
		got := s.Mode.String()
		for _, o := range s.Operations {
			got += " " + o.Mode.String()
		}
		if got != row.want {
			t.Errorf("%s: %s, want %s", row.name, got, row.want)
		}
	}
}

// Responses are judged in the mode of their operation, or in what the model
// says of them if that does less.
func TestModesOfResponses(t *testing.T) {
	files := map[string]string{
		"model.yaml": document(`
  services:
    - id: orders
      mode: enforce
      specs: [{file: orders.yaml}]
      operations: [{match: GET /b, responses: shadow}, {match: GET /c, responses: "off"}]
    - id: payments
      mode: enforce
      responses: shadow
      specs: [{file: orders.yaml}]
      operations: [{match: GET /b, responses: enforce}, {match: GET /c, mode: "off"}]
`),
		"orders.yaml": "openapi: 3.1.0\ninfo: {title: Orders, version: '1'}\npaths: {/a: {get: {}}, /b: {get: {}}, /c: {get: {}}}\n",
	}
	for _, row := range []struct {
		modes Modes
		want  string // of a, b and c, in orders and payments
	}{
		{Modes{}, "enforce shadow off shadow enforce off"},
		{Modes{APIs: map[string]violation.Mode{"": violation.Shadow}}, "shadow shadow off shadow shadow shadow"},
		{Modes{APIs: map[string]violation.Mode{"": violation.Off}}, "off off off off off off"},
	} {
		set, _, _ := derive(t, row.modes, files)
		var got []string
		for _, s := range set.Services {
			for _, o := range s.Operations {
				got = append(got, o.ResponseMode().String())
			}
		}
		if strings.Join(got, " ") != row.want {
			t.Errorf("%v: %s, want %s", row.modes, strings.Join(got, " "), row.want)
		}
	}
}

func TestBoundsAndLimits(t *testing.T) {
	set, _, _ := derive(t, Modes{}, map[string]string{
		"model.yaml": document(`
  services:
    - id: orders
      failure: open
      bounds: {maxBody: 2KiB, maxDepth: 9}
      specs: [{file: orders.yaml, state: deprecated, sunset: 2030-01-31}]
      operations: [{match: GET /b, bounds: {maxDepth: 5, maxHeld: 64KiB}, limit: {per: subject, rate: 30/min, burst: 10}}]
`),
		"orders.yaml": "openapi: 3.1.0\ninfo: {title: Orders, version: '1'}\npaths: {/a: {get: {}}, /b: {get: {}}}\n",
	})
	var got []string
	for _, o := range set.Services[0].Operations {
		line := fmt.Sprintf("%s %v %s %s", o.Label, o.Bounds, o.Failure, o.Sunset.Format("2006-01-02"))
		for _, l := range o.Limits {
			line += fmt.Sprintf(" %d/%s burst %d per %d", l.Count, l.Window, l.Burst, l.Per)
		}
		got = append(got, line)
	}
	want := `GET /a {2048 1048576 9 100 1024} open 2030-01-31
GET /b {2048 65536 5 100 1024} open 2030-01-31 30/1m0s burst 10 per 1`
	if got := strings.Join(got, "\n"); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestTokenRulesOfFlowsAreNotEnforced(t *testing.T) {
	_, _, warnings := derive(t, Modes{}, map[string]string{
		"model.yaml": document(`
  services:
    - {id: orders, specs: [{file: orders.yaml}]}
  flows:
    - {id: edge, from: internet, to: orders}
    - {id: inner, from: mesh, to: orders, token: {strip: all}}
    - {id: outer, from: orders, to: internet, token: {exchange: {audience: partner}}}
`),
		"orders.yaml": "openapi: 3.1.0\ninfo: {title: Orders, version: '1'}\npaths: {/a: {get: {}}}\n",
	})
	const want = `model.yaml:10:7: warning: flow inner: what happens to the caller's token there is not enforced
model.yaml:11:7: warning: flow outer: what happens to the caller's token there is not enforced`
	if warnings != want {
		t.Errorf("got:\n%s\nwant:\n%s", warnings, want)
	}
}

const securitySpec = `openapi: 3.1.0
info: {title: Orders, version: "1"}
components:
  securitySchemes:
    bearer: {type: http, scheme: bearer}
    basic: {type: http, scheme: basic}
    digest: {type: http, scheme: Digest}
    header: {type: apiKey, in: header, name: X-Key}
    query: {type: apiKey, in: query, name: key}
    cookie: {type: apiKey, in: cookie, name: sid}
    oauth: {type: oauth2, flows: {clientCredentials: {tokenUrl: "https://login.example/token", scopes: {read: read}}}}
    oidc: {type: openIdConnect, openIdConnectUrl: "https://login.example/.well-known/openid-configuration"}
    tls: {type: mutualTLS}
paths:
  /absent: {get: {}}
  /empty: {get: {security: []}}
  /optional: {get: {security: [{bearer: []}, {}]}}
  /bearer: {get: {security: [{bearer: [role]}]}}
  /oauth: {get: {security: [{oauth: [read]}]}}
  /oidc: {get: {security: [{oidc: [read, openid]}]}}
  /basic: {get: {security: [{basic: []}]}}
  /digest: {get: {security: [{digest: []}]}}
  /keys: {get: {security: [{header: [], query: []}, {cookie: []}]}}
  /tls: {get: {security: [{tls: []}]}}
  /tls-and-bearer: {get: {security: [{tls: [], bearer: []}]}}
  /tls-or-bearer: {get: {security: [{tls: []}, {bearer: []}]}}
`

func tokens(s *Service) string {
	var out []string
	for _, o := range s.Operations {
		var alternatives []string
		for _, a := range o.Token.Alternatives {
			var credentials []string
			for _, c := range a {
				text := [...]string{"bearer", "basic", "header", "query", "cookie", "http"}[c.Kind]
				if c.Name != "" {
					text += " " + c.Name
				}
				for _, i := range c.Issuers {
					text += " by " + i.ID
				}
				if c.Scopes != nil {
					text += fmt.Sprint(" ", c.Scopes)
				}
				credentials = append(credentials, text)
			}
			alternatives = append(alternatives, strings.Join(credentials, " + "))
		}
		out = append(out, o.Label+": "+strings.Join(alternatives, " | "))
	}
	for _, i := range s.Issuers {
		out = append(out, "issuer "+i.ID)
	}
	return strings.Join(out, "\n")
}

func TestTokens(t *testing.T) {
	const tlsWarnings = `
orders.yaml:13:10: warning: security scheme "tls" (mutualTLS) is not judged: the gateway doesn't see it
orders.yaml:24:10: warning: GET /tls can be called with security scheme "tls" alone, which is not judged: no credential is demanded
orders.yaml:26:20: warning: GET /tls-or-bearer can be called with security scheme "tls" alone, which is not judged: no credential is demanded`
	for _, row := range []struct{ name, model, want, warnings string }{
		{"no issuer", `
  services: [{id: orders, specs: [{file: orders.yaml}]}]
`, `GET /absent: 
GET /empty: 
GET /optional: bearer | 
GET /bearer: bearer
GET /oauth: bearer
GET /oidc: bearer
GET /basic: basic
GET /digest: http digest
GET /keys: header X-Key + query key | cookie sid
GET /tls: 
GET /tls-and-bearer: bearer
GET /tls-or-bearer:  | bearer`, `
orders.yaml:5:13: warning: service orders declares security "bearer", but no issuer is known: the credential's form is judged, its signature is NOT verified
orders.yaml:11:12: warning: service orders declares security "oauth", but no issuer is known: the credential's form is judged, its signature is NOT verified
orders.yaml:12:11: warning: service orders declares security "oidc", but no issuer is known: the credential's form is judged, its signature is NOT verified` + tlsWarnings},
		{"the issuers of the model", `
  issuers:
    - {id: staff, issuer: "https://staff.example", audiences: [shop], jwks: {file: keys.json}}
    - {id: login, issuer: "https://login.example", audiences: [shop], jwks: {file: keys.json}}
  services: [{id: orders, specs: [{file: orders.yaml}]}]
`, `GET /absent: 
GET /empty: 
GET /optional: bearer by login by staff | 
GET /bearer: bearer by login by staff
GET /oauth: bearer by login by staff [read]
GET /oidc: bearer by login by staff [read openid]
GET /basic: basic
GET /digest: http digest
GET /keys: header X-Key + query key | cookie sid
GET /tls: 
GET /tls-and-bearer: bearer by login by staff
GET /tls-or-bearer:  | bearer by login by staff
issuer login
issuer staff`, tlsWarnings},
		{"the issuer of a flow", `
  issuers:
    - {id: staff, issuer: "https://staff.example", audiences: [shop], jwks: {file: keys.json}}
    - {id: login, issuer: "https://login.example", audiences: [shop], jwks: {file: keys.json}}
  services: [{id: orders, specs: [{file: orders.yaml}]}, {id: backoffice, specs: [{file: orders.yaml}]}]
  flows:
    - {id: edge, from: internet, to: orders, authn: {issuer: login}}
    - {id: inner, from: mesh, to: backoffice, authn: {issuer: staff}}
`, `GET /absent: 
GET /empty: 
GET /optional: bearer by login | 
GET /bearer: bearer by login
GET /oauth: bearer by login [read]
GET /oidc: bearer by login [read openid]
GET /basic: basic
GET /digest: http digest
GET /keys: header X-Key + query key | cookie sid
GET /tls: 
GET /tls-and-bearer: bearer by login
GET /tls-or-bearer:  | bearer by login
issuer login`, tlsWarnings},
	} {
		set, _, warnings := derive(t, Modes{}, map[string]string{"model.yaml": document(row.model), "orders.yaml": securitySpec, "keys.json": keys})
		if got := tokens(set.Services[0]); got != row.want {
			t.Errorf("%s: got:\n%s\nwant:\n%s", row.name, got, row.want)
		}
		if want := strings.TrimPrefix(row.warnings, "\n"); warnings != want {
			t.Errorf("%s: warnings:\n%s\nwant:\n%s", row.name, warnings, want)
		}
	}
}

func TestIdentityHeaders(t *testing.T) {
	const spec = `openapi: 3.1.0
info: {title: Orders, version: "1"}
components: {securitySchemes: {key: {type: apiKey, in: header, name: X-Userinfo}}}
paths:
  /orders:
    get: {security: [{key: []}], parameters: [{name: X-User-Id, in: header, schema: {type: string}}]}
`
	set, _, warnings := derive(t, Modes{}, map[string]string{
		"model.yaml": document(`
  services:
    - {id: orders, specs: [{file: orders.yaml}]}
    - {id: inner, specs: [{file: orders.yaml}]}
  flows: [{id: mesh-inner, from: mesh, to: inner}]
`),
		"orders.yaml": spec,
	})
	edge, inner := set.Services[0].Identity, set.Services[1].Identity
	if len(edge) < 50 || !slices.IsSorted(edge) || !slices.Contains(edge, "x-forwarded-user") ||
		slices.Contains(edge, "x-user-id") || slices.Contains(edge, "x-userinfo") {
		t.Errorf("at the edge: %q", edge)
	}
	if len(inner) != 0 {
		t.Errorf("inside: %q, want none", inner)
	}
	want := `orders.yaml:3:37: warning: header "x-userinfo" is declared here, so it is not removed although callers can write what they like into it (TB-02): the OpenID Connect user information, set by OpenID plugins
orders.yaml:6:47: warning: header "x-user-id" is declared here, so it is not removed although callers can write what they like into it (TB-02): the user's id, set by many gateways`
	if warnings != want {
		t.Errorf("warnings:\n%s\nwant:\n%s", warnings, want)
	}
}

// TestThreatNames: a code carries the most severe rule that answers for it,
// whatever the mode; what no threat asks for stays the contract's.
func TestThreatNames(t *testing.T) {
	files := map[string]string{
		"model.yaml": document("  services: [{id: shop, specs: [{file: shop.yaml}]}]\n"),
		"shop.yaml": `openapi: 3.1.0
info: {title: Shop, version: "1"}
paths:
  /login:
    post:
      requestBody: {content: {application/json: {schema: {type: object, properties: {password: {type: string}}}}}}
  /health: {get: {}}
`,
	}
	for _, modes := range []Modes{{}, {APIs: map[string]violation.Mode{"shop": violation.Enforce}}} {
		set, _, _ := derive(t, modes, files)
		s := set.Services[0]
		if s.Unknown != "API9-01" || s.Method != "API5-03" {
			t.Errorf("unknown operation %q, method %q", s.Unknown, s.Method)
		}
		for label, want := range map[string]string{
			"POST /login": "body-size=API4-02 depth=API4-02 identity-header=TB-02 rate=API2-04 token-length=API4-02 too-many-parameters=API4-02 undeclared-property=API3-01 unevaluated-properties=API3-01",
			"GET /health": "identity-header=TB-02 rate=API4-01",
		} {
			i := slices.IndexFunc(s.Operations, func(o *Operation) bool { return o.Label == label })
			var got []string
			for code, rule := range s.Operations[i].Threats {
				got = append(got, code.String()+"="+rule)
			}
			slices.Sort(got)
			if got := strings.Join(got, " "); got != want {
				t.Errorf("%s: %s, want %s", label, got, want)
			}
		}
	}
}

func TestTheMostSevereThreatNamesACode(t *testing.T) {
	rule := func(id string) *threat.Rule {
		return &threat.Rule{ID: id, Controls: []*threat.Control{{Codes: []violation.Code{violation.Rate}}}}
	}
	o := &model.Operation{}
	at := func(id string, number float64) threat.Threat {
		return threat.Threat{Rule: rule(id), Operation: o, Score: threat.Score{Number: number}}
	}
	for _, row := range []struct {
		threats []threat.Threat
		want    string
	}{
		{[]threat.Threat{at("A", 5), at("B", 7)}, "B"},
		{[]threat.Threat{at("B", 7), at("A", 5)}, "B"},
		{[]threat.Threat{at("B", 7), at("A", 7)}, "A"},
		{[]threat.Threat{at("A", 7), at("B", 7)}, "A"},
	} {
		if got := namesOf(row.threats)[o][violation.Rate]; got != row.want {
			t.Errorf("got %s, want %s", got, row.want)
		}
	}
}

// TestCompiles: for each code that depends on the operation, one that can
// violate it and one that can't.
func TestCompiles(t *testing.T) {
	issuers := []*model.Issuer{{ID: "login"}}
	token := func(c Credential) Token { return Token{Alternatives: []Alternative{{c}}} }
	bare := Operation{Operation: &model.Operation{}}
	edge := &Service{Identity: []string{"x-user"}}
	for _, row := range []struct {
		code violation.Code
		can  Operation
	}{
		{violation.Deprecated, Operation{Operation: &model.Operation{Deprecated: true}}},
		{violation.Sunset, Operation{Operation: bare.Operation, Sunset: time.Unix(1, 0)}},
		{violation.Rate, Operation{Operation: bare.Operation, Limits: []*model.Limit{{}}}},
		{violation.TokenMissing, Operation{Operation: bare.Operation, Token: token(Credential{Kind: Basic})}},
		{violation.TokenMalformed, Operation{Operation: bare.Operation, Token: token(Credential{Kind: Basic})}},
		{violation.TokenNotVerified, Operation{Operation: bare.Operation, Token: token(Credential{Issuers: issuers})}},
		{violation.Scope, Operation{Operation: bare.Operation, Token: token(Credential{Issuers: issuers, Scopes: []string{"read"}})}},
	} {
		if !row.can.compiles(row.code, edge) || bare.compiles(row.code, edge) {
			t.Errorf("%s: with %t, without %t", row.code, row.can.compiles(row.code, edge), bare.compiles(row.code, edge))
		}
	}
	if !bare.compiles(violation.IdentityHeader, edge) || bare.compiles(violation.IdentityHeader, &Service{}) {
		t.Error("identity-header: it depends on what the service strips")
	}
	if !bare.compiles(violation.MaxLength, edge) || bare.compiles(violation.UnknownOperation, edge) || !edge.compiles(violation.UnknownOperation) {
		t.Error("the contract is the operation's, what matches no operation the service's")
	}
	basic := Operation{Operation: bare.Operation, Token: token(Credential{Kind: Basic})}
	if basic.compiles(violation.TokenNotVerified, edge) || basic.compiles(violation.Scope, edge) {
		t.Error("without an issuer nothing is verified")
	}
}

func TestPosture(t *testing.T) {
	files := map[string]string{
		"model.yaml": document(`
  services:
    - id: shop
      specs: [{file: shop.yaml}]
      operations: [{match: POST /pay, responses: shadow, limit: {per: address, rate: 5/min}}]
    - {id: bank, specs: [{file: bank.yaml}]}
  flows:
    - {id: edge, from: internet, to: shop}
    - {id: shop-bank, from: shop, to: bank}
`),
		"shop.yaml": `openapi: 3.1.0
info: {title: Shop, version: "1"}
paths:
  /pay:
    post:
      deprecated: true
      requestBody: {content: {application/json: {schema: {type: object, properties: {note: {type: string}, id: {type: integer, readOnly: true}}}}}}
      responses: {"200": {description: ok, content: {application/json: {schema: {type: object, properties: {pin: {type: string, writeOnly: true}}}}}}}
`,
		"bank.yaml": "openapi: 3.1.0\ninfo: {title: Bank, version: '1'}\npaths: {/transfer: {get: {}}}\n",
	}
	for _, row := range []struct {
		mode violation.Mode
		want string
	}{
		{violation.Shadow, `API2-01 POST /pay: absent
API2-05 shop-bank: unwatched
API3-01 POST /pay: 
API3-02 POST /pay: shadow
API3-03 POST /pay: shadow
API4-02 POST /pay: shadow
API5-03 shop: shadow
API6-01 POST /pay: 
API9-02 POST /pay: shadow
TB-02 POST /pay: shadow`},
		{violation.Enforce, `API2-01 POST /pay: absent
API2-05 shop-bank: unwatched
API3-01 POST /pay: 
API3-02 POST /pay: enforced
API3-03 POST /pay: shadow
API4-02 POST /pay: enforced
API5-03 shop: enforced
API6-01 POST /pay: 
API9-02 POST /pay: enforced
TB-02 POST /pay: enforced`},
		{violation.Off, `API2-01 POST /pay: unwatched
API2-05 shop-bank: unwatched
API3-01 POST /pay: unwatched
API3-02 POST /pay: unwatched
API3-03 POST /pay: unwatched
API4-02 POST /pay: unwatched
API5-03 shop: unwatched
API6-01 POST /pay: unwatched
API9-02 POST /pay: unwatched
TB-02 POST /pay: unwatched`},
	} {
		set, threats, _ := derive(t, Modes{APIs: map[string]violation.Mode{"shop": row.mode}}, files)
		var got []string
		for i := range threats {
			found := &threats[i]
			if found.Flow == nil && found.Service.ID != "shop" {
				continue
			}
			p := set.Posture(found)
			var states []string
			for _, s := range p.Controls {
				states = append(states, [...]string{"absent", "shadow", "enforced"}[s])
			}
			if !p.Logged {
				states = []string{"unwatched"}
			}
			subject := found.Service.ID
			if found.Operation != nil {
				subject = found.Operation.Label
			} else if found.Flow != nil {
				subject = found.Flow.ID
			}
			got = append(got, fmt.Sprintf("%s %s: %s", found.Rule.ID, subject, strings.Join(states, ", ")))
		}
		if got := strings.Join(got, "\n"); got != row.want {
			t.Errorf("%s: got:\n%s\nwant:\n%s", row.mode, got, row.want)
		}
	}
}
