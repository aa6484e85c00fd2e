package e2e_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/threatgate/threatgate/e2e/gateway"
)

// triedModel puts a specification in front of an upstream that knows nothing
// of it.
const triedModel = `
apiVersion: threatgate.dev/v1alpha1
kind: ThreatModel
metadata: {name: tried}
spec:
  services:
    - {id: tried, specs: [{file: SPEC}], responses: "off"}
`

// TestSchemathesis lets Schemathesis, which knows nothing of us, try gateways
// in enforce: the requests that it makes to keep to a specification reach the
// upstream, those that break it don't.
func TestSchemathesis(t *testing.T) {
	command := schemathesis(t)
	own := filepath.Join(gateway.Root, "e2e", "testdata", "schemathesis")
	corpus := filepath.Join(gateway.Root, "..", "shared", "corpus")
	for _, c := range []struct {
		name, spec         string
		examples           int // of each operation
		positive, negative int // floors
		exceptions         []exception
	}{
		{"OpenAPI 3.0", filepath.Join(own, "openapi-3.0.yaml"), 40, 500, 950, ownExceptions},
		{"OpenAPI 3.1", filepath.Join(own, "openapi-3.1.yaml"), 40, 150, 300, nil},
		{"petstore", filepath.Join(corpus, "petstore", "openapi.yaml"), 20, 600, 800, petstoreExceptions},
		{"crAPI", filepath.Join(corpus, "crapi", "crapi-openapi-spec.json"), 10, 300, 950, crapiExceptions},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := os.Stat(c.spec); err != nil {
				t.Skipf("conformance: Schemathesis, %s: not run: it needs ../shared/corpus", c.name)
			}
			g := gateway.Run(t, "--model", saved(t, "model.yaml", strings.Replace(triedModel, "SPEC", c.spec, 1)), "--mode", "enforce")
			all := probes(t, command, g, c.spec, c.examples)
			arrived := map[string]bool{}
			for _, r := range g.Upstream.Take() {
				arrived[r.Header.Get("X-Schemathesis-TestCaseId")] = true
			}

			exceptions := append(c.exceptions, alwaysExcepted...)
			positive, negative, excepted := 0, 0, make([]int, len(exceptions))
			for i := range all {
				p := &all[i]
				if p.negative {
					negative++
				} else {
					positive++
				}
				if arrived[p.id] == (p.problem != "") {
					t.Errorf("has arrived: %t\n%v", arrived[p.id], p)
				}
				if arrived[p.id] != p.negative {
					continue
				}
				if x := find(exceptions, p); x >= 0 {
					excepted[x]++
				} else {
					t.Error(p)
				}
			}
			total := 0
			for _, n := range excepted {
				total += n
			}
			t.Logf("conformance: %-26s %5d/%-5d requests, %d of them positive and %d negative", "Schemathesis, "+c.name, len(all)-total, len(all), positive, negative)
			for x, n := range excepted {
				switch {
				case n > 0:
					t.Logf("conformance:     not %d: %s", n, exceptions[x].why)
				case x < len(c.exceptions):
					t.Errorf("no request needs the exception %q", exceptions[x].why)
				}
			}
			if positive < c.positive || negative < c.negative {
				t.Errorf("fewer than %d positive or %d negative requests", c.positive, c.negative)
			}
		})
	}
}

// exception is a kind of request of which we think otherwise than
// Schemathesis. Its expressions match all of a text; an empty one matches any.
type exception struct {
	why        string
	line, body string // of the request
	what       string // what Schemathesis says of it
	problem    string // with which a positive one is refused; empty: it is negative
}

// find returns the index of the exception that a probe is, or -1.
func find(exceptions []exception, p *probe) int {
	matches := func(expression, text string) bool {
		return expression == "" || regexp.MustCompile(`(?s)\A(?:`+expression+`)\z`).MatchString(text)
	}
	for i, x := range exceptions {
		if p.negative == (x.problem == "") && p.problem == x.problem &&
			matches(x.line, p.line) && matches(x.body, p.body) && matches(x.what, p.what) {
			return i
		}
	}
	return -1
}

// nothing is the expression of a request without a body.
const nothing = `\z`

var alwaysExcepted = []exception{
	{
		why:  "what would be the type of a body says nothing without one",
		what: "Malformed Content-Type: .*", body: nothing,
	},
}

const (
	anyText  = "any text is a string"
	oneItem  = "a text is an array of it"
	repeated = "an undeclared property that is an array is not written in one way that all read alike"
)

var ownExceptions = []exception{
	{
		why:  "undeclared headers and cookies pass",
		line: "GET /v1/headers", what: "Object with unexpected properties",
	},
	{
		why:  anyText,
		line: "POST /v1/text", body: "[A-Za-z ]{3,20}", what: "Incorrect type",
	},
	{
		why:  anyText,
		line: "POST /v1/xml", body: ".*<to>[a-z]{1,8}</to>.*", what: "to: Incorrect type",
	},
	{
		why:  oneItem,
		line: `GET /v1/label/\.[a-z]{1,8}/\.[a-z]{1,8}/\.(true|false)(\.(true|false))*`, what: ".*type.*",
	},
	{
		why:  oneItem,
		line: "POST /v1/urlencoded", body: `(.*&)?tags=[a-z]{1,8}`, what: "tags: Incorrect type",
	},
	{
		why:  "an element without content is an empty array",
		line: "POST /v1/xml", body: ".*<stamps></stamps>.*", what: "stamps: Incorrect type",
	},
	{
		why:  repeated,
		line: "POST /v1/xml", problem: "validation:repeated-field",
	},
	{
		why:  "an escaped comma is part of a value, RFC 6570 section 3.2.1",
		line: `GET /v1/object\?.*flat=[xy0-9-]+(%2C[xy0-9-]+){3}.*`, problem: "validation:parameter-encoding",
	},
	{
		why:  "a body of no bytes is none: HTTP does not tell them apart",
		line: "PUT /v1/octets", body: nothing, problem: "validation:body-missing",
	},
}

var petstoreExceptions = []exception{
	{
		why:  "texts are an array of strings",
		line: `GET /api/v3/pet/findByTags(\?tags=[^&]*(&tags=[^&]*)*)?`, what: ".*type.*",
	},
	{
		why:  "the undeclared parameter was not sent, for its value is an empty list",
		line: `GET /api/v3/pet/findByStatus(\?status=(available|pending|sold))?`, what: ".*`additionalProperties`.*",
	},
	{
		why:  oneItem,
		line: "(POST|PUT) /api/v3/pet", body: "id=10&name=doggie&photoUrls=[^&]*&status=available", what: "photoUrls: Incorrect type",
	},
	{
		why:  "an element without content is an empty array",
		line: "(POST|PUT) /api/v3/pet", body: ".*<photoUrls></photoUrls><tags></tags>.*", what: "(photoUrls|tags): Incorrect type",
	},
	{
		why:  "an empty array is not written in a form, so the required property is missing",
		line: "(POST|PUT) /api/v3/pet", body: "(id|name|status)=.*", problem: "validation:required",
	},
	{
		why:  "an object in a form is written as JSON, not as the names of its properties",
		line: "(POST|PUT) /api/v3/pet", body: ".*tags=(id|name)&.*", problem: "validation:json",
	},
	{
		why:  repeated,
		line: "(POST|PUT) /api/v3/.*", problem: "validation:repeated-field",
	},
	{
		why:  "some parsers drop fields without a name",
		line: "(POST|PUT) /api/v3/.*", body: "(.*&)?=.*", problem: "validation:form",
	},
}

var crapiExceptions = []exception{
	{
		why:  "a parameter of this name is to be ignored, OpenAPI section 4.8.12.2.1",
		line: "GET /workshop/api/shop/return_qr_code", what: ".*Accept.*",
	},
	{
		why:  "a decimal has digits; Schemathesis does not know the format",
		line: "POST /workshop/api/shop/products", body: `.*"price": "".*`, problem: "validation:format",
	},
	{
		why:  repeated,
		line: "POST /identity/api/v2/user/(pictures|videos)", problem: "validation:repeated-field",
	},
	{
		why:  "the name of a part is empty, or has characters that some parsers stop at",
		line: "POST /identity/api/v2/user/(pictures|videos)", body: `.*name="("|[^"\r]*[\x00-\x1f\x7f%\\]).*`, problem: "validation:multipart",
	},
}
