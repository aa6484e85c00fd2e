package model

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/inventory"
	"github.com/threatgate/threatgate/internal/openapi"
)

// files is a directory in memory.
type files map[string]string

func (f files) read(path string) ([]byte, error) {
	text, ok := f[path]
	if !ok {
		return nil, errors.New("no such file")
	}
	return []byte(text), nil
}

func (f files) openSpec(path string, references map[string]string, diags *diag.List) (*inventory.API, []string) {
	return openapi.LoadFrom(f.read, path, references, diags)
}

func (f files) options() Options { return Options{OpenSpec: f.openSpec, ReadFile: f.read} }

// withModel are the files below and a model.
func withModel(text string) files {
	all := files{"model.yaml": text}
	for name, content := range beside {
		all[name] = content
	}
	return all
}

var beside = files{
	"orders.yaml": `openapi: 3.0.3
info: {title: Orders, version: "1"}
paths:
  /orders:
    get: {operationId: listOrders, responses: {"204": {description: None.}}}
  /orders/{id}:
    get:
      operationId: getOrder
      parameters: [{name: id, in: path, required: true, schema: {$ref: "#/components/schemas/OrderID"}}]
      responses: {"204": {description: None.}}
components: {schemas: {OrderID: {type: string}}}
`,
	"orders.v2.yaml": `openapi: 3.0.3
info: {title: Orders, version: "2"}
paths:
  /orders/{order}:
    get:
      parameters: [{name: order, in: path, required: true, schema: {type: string}}]
      responses: {"204": {description: None.}}
`,
	"payments.yaml": `openapi: 3.0.3
info: {title: Payments, version: "1"}
paths:
  /orders:
    get: {operationId: pay, responses: {"204": {description: None.}}}
`,
	"remote.yaml": `openapi: 3.0.3
info: {title: Remote, version: "1"}
paths:
  /remote:
    put: {operationId: put, requestBody: {content: {application/json: {schema: {$ref: "https://schemas.example/a#/b"}}}}, responses: {"204": {description: None.}}}
`,
	"public.json":    `{"keys": [{"kty": "EC", "crv": "P-256", "x": "W6sgUzLL4aCTFBOg8lC9psmNV6QoZpr8SgSxdT-oqLo", "y": "pLOftV--TY0X2OtT4asNq9BVvyLKDTmnSw729qsMMjg"}]}`,
	"private.json":   `{"keys": [{"kty": "unheard-of"}, {"kty": "EC", "crv": "P-256", "x": "W6sgUzLL4aCTFBOg8lC9psmNV6QoZpr8SgSxdT-oqLo", "y": "pLOftV--TY0X2OtT4asNq9BVvyLKDTmnSw729qsMMjg", "d": "AAAA"}]}`,
	"symmetric.json": `{"keys": [{"kty": "oct", "k": "AAAA"}]}`,
	"alien.json":     `{"keys": [{"kty": "unheard-of"}]}`,
	"broken.json":    `{"keys": [{"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA"}]}`,
	"syntax.json":    `{"keys": [`,
	"string.json":    `{"keys": "hunter2"}`,
}

// The lines of a model, up to line 4 and up to line 7.
const (
	header = `apiVersion: threatgate.dev/v1alpha1
kind: ThreatModel
metadata: {name: shop}
spec:
`
	orders = header + `  services:
  - id: orders
    specs: [{file: orders.yaml}]
`
)

func TestLoadFaults(t *testing.T) {
	for _, test := range faults {
		t.Run(test.name, func(t *testing.T) {
			var diags diag.List
			options := withModel(test.model).options()
			options.Environment = test.environment
			graph, files := Load("model.yaml", options, &diags)
			if graph != nil {
				t.Error("there is a graph in spite of errors")
			}
			if !slices.Contains(files, "model.yaml") {
				t.Errorf("files: %q", files)
			}
			if got, want := text(&diags), strings.TrimSpace(test.want); got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

func text(diags *diag.List) string {
	var lines []string
	for _, d := range diags.Sorted() {
		lines = append(lines, d.String())
	}
	return strings.Join(lines, "\n")
}

var faults = []struct {
	name, model, environment, want string
}{{
	name: "references",
	model: header + `  services:
  - id: orders
    specs:
    - file: orders.yaml
      references:
      - {uri: "https://schemas.example/a", file: a.yaml}
      - {uri: "https://schemas.example/a", file: b.yaml}
      - {uri: schemas/c, file: c.yaml}
      - {file: d.yaml}
    formats: ignore
    unenforceable: reject
    responses: reject
`,
	want: `
model.yaml:11:15: duplicate reference "https://schemas.example/a", first in line 10
model.yaml:12:15: "uri" must be the whole URI of a document, such as https://schemas.example/order.json, without a fragment, not "schemas/c"
model.yaml:13:9: missing required field "uri"
model.yaml:14:14: "formats" must be assert or annotate, not "ignore"
model.yaml:15:20: "unenforceable" must be pass, refuse or count, not "reject"
model.yaml:16:16: "responses" must be enforce, shadow or off, not "reject"`,
}, {
	name:  "a reference without its file",
	model: header + "  services:\n  - id: remote\n    specs: [{file: remote.yaml, references: [{uri: \"https://schemas.example/a\", file: a.yaml}]}]\n",
	want:  `remote.yaml:5:87: "https://schemas.example/a#/b" can't be read from a.yaml: no such file`,
}, {
	name:  "empty file",
	model: "",
	want:  `model.yaml: the file is empty`,
}, {
	name:  "only comments",
	model: "# a comment\n",
	want:  `model.yaml: the file is empty`,
}, {
	name:  "malformed YAML",
	model: "a: 1\nb: [1,\n",
	want:  `model.yaml:2: did not find expected node content`,
}, {
	name:  "a key that is too far in",
	model: "a:\n  b: 1\n  c: {}\n   d: 1\n",
	want:  `model.yaml:4: did not find expected key`,
}, {
	name:  "unknown anchor",
	model: "a: *b\n",
	want:  `model.yaml:1: unknown anchor 'b' referenced`,
}, {
	name:  "two documents",
	model: orders + "---\n{}\n",
	want:  `model.yaml:9:1: a second YAML document in one file`,
}, {
	name:  "not a mapping",
	model: "- a\n",
	want:  `model.yaml:1:1: the document must be a mapping, not a list`,
}, {
	name:  "too large",
	model: strings.Repeat("#", maxFile+1),
	want:  `model.yaml: larger than 8 MiB`,
}, {
	name:  "another kind of document",
	model: "apiVersion: v1\nkind: ThreadModel\nmetadata: {name: x}\nspec: {services: []}\n",
	want: `
model.yaml:1:13: "apiVersion" must be threatgate.dev/v1alpha1, not "v1"
model.yaml:2:7: "kind" must be ThreatModel, not "ThreadModel" (did you mean "ThreatModel"?)`,
}, {
	name:  "nothing of what must be there",
	model: "{}",
	want: `
model.yaml:1:1: missing required field "apiVersion"
model.yaml:1:1: missing required field "kind"
model.yaml:1:1: missing required field "metadata"
model.yaml:1:1: missing required field "spec"`,
}, {
	name:  "null is not given",
	model: "apiVersion: threatgate.dev/v1alpha1\nkind: ThreatModel\nmetadata: {name: ~}\nspec:\n  services:\n",
	want: `
model.yaml:3:11: missing required field "name"
model.yaml:5:3: missing required field "services"`,
}, {
	name: "unknown and duplicate fields",
	model: orders + `    upstreem: "127.0.0.1:80"
    failure: closed
    failure: open
    colour: red
    <<: {mode: enforce}
    ? [a, b]
    : c
`,
	want: `
model.yaml:8:5: unknown field "upstreem" (did you mean "upstream"?)
model.yaml:10:5: duplicate field "failure", first in line 9
model.yaml:11:5: unknown field "colour"
model.yaml:12:5: unknown field "<<"
model.yaml:13:7: a field's name must be a string, not a list`,
}, {
	name:  "columns count bytes",
	model: header + "  services: [{sbom: \"é\", zon: x, id: orders, specs: [{file: orders.yaml}]}]\n",
	want: `
model.yaml:5:21: é: no such file
model.yaml:5:27: unknown field "zon" (did you mean "zone"?)`,
}, {
	name: "wrong types",
	model: header + `  trustZones: {id: mesh}
  dataAssets: [card]
  issuers: yes
  services:
  - id: 7
    zone: [mesh]
    specs: orders.yaml
    mode: true
    bounds: 1MiB
    operations: [{match: ~, upgrade: "yes", owner: sub}]
  flows: [[]]
`,
	want: `
model.yaml:5:15: "trustZones" must be a list, not a mapping
model.yaml:6:16: an item of "dataAssets" must be a mapping, not "card"
model.yaml:7:12: "issuers" must be a list, not "yes"
model.yaml:9:9: "id" must be a string, not a number: put it in quotes
model.yaml:10:11: "zone" must be a string, not a list
model.yaml:11:12: "specs" must be a list, not "orders.yaml"
model.yaml:12:11: "mode" must be a string, not a boolean: put it in quotes
model.yaml:13:13: "bounds" must be a mapping, not "1MiB"
model.yaml:14:18: missing required field "match"
model.yaml:14:38: "upgrade" must be true or false, not "yes"
model.yaml:14:52: "owner" must be a mapping, not "sub"
model.yaml:15:11: an item of "flows" must be a mapping, not a list`,
}, {
	name:  "nothing more is said of an item of the wrong type",
	model: header + "  trustZones: [{id: internet, trust: 0}]\n  services: [[]]\n",
	want:  `model.yaml:6:14: an item of "services" must be a mapping, not a list`,
}, {
	name:  "tags that lie",
	model: orders + "    operations: [{match: !!int getOrder, upgrade: !!bool maybe, limit: {rate: 1/s, burst: !!int many}}]\n",
	want: `
model.yaml:8:26: "match" must be a string, not a number: put it in quotes
model.yaml:8:51: "upgrade" must be true or false, not "maybe"
model.yaml:8:91: "burst" must be a whole number from 1 to 4294967295, not "many"`,
}, {
	name: "wrong values",
	model: header + `  trustZones: [{id: mesh, trust: 101}, {id: internet, trust: "0"}, {id: -x, trust: 1.5}]
  dataAssets: [{id: card, category: pii, sensitivity: secret, quantity: lots}]
  services:
  - id: orders
    specs: [{file: orders.yaml, state: retired, sunset: 2027-02-30}]
    listen: localhost:80
    upstream: "127.0.0.1"
    mode: enforced
    failure: ""
    bounds: {maxBody: 4GiB, maxDepth: 0, maxQueryParameters: -1, maxTokenLength: 0x10}
    operations:
    - match: getOrder
      limit: {per: user, rate: 30 per minute, burst: 0}
      owner: {claim: sub, param: id, via: prefix}
`,
	want: `
model.yaml:5:34: "trust" must be a whole number from 0 to 100, not "101"
model.yaml:5:62: "trust" must be a whole number from 0 to 100, not "0"
model.yaml:5:73: "id" must be at most 64 letters, digits, ".", "_" and "-", the first and last a letter or digit, not "-x"
model.yaml:5:84: "trust" must be a whole number from 0 to 100, not a number
model.yaml:6:37: "category" must be PII, financial, government-id, health, secret, credential, contact or other, not "pii" (did you mean "PII"?)
model.yaml:6:55: "sensitivity" must be public, internal, confidential or restricted, not "secret"
model.yaml:6:73: "quantity" must be one, few, many or all, not "lots"
model.yaml:9:40: "state" must be current or deprecated, not "retired"
model.yaml:9:57: "sunset" must be a date such as 2027-01-31, not "2027-02-30"
model.yaml:10:13: "listen" must be an IP address and a port such as 127.0.0.1:10001 or [::]:443, not "localhost:80"
model.yaml:11:15: "upstream" must be host:port or an http(s) URL without a path, such as 127.0.0.1:8080 or https://orders.example, not "127.0.0.1"
model.yaml:12:11: "mode" must be shadow, enforce or off, not "enforced" (did you mean "enforce"?)
model.yaml:13:14: "failure" must be closed or open, not ""
model.yaml:14:23: "maxBody" must be a size below 4GiB such as 65536, 512KiB or 1MB, not "4GiB"
model.yaml:14:39: "maxDepth" must be a whole number from 1 to 4294967295, not "0"
model.yaml:14:62: "maxQueryParameters" must be a whole number from 1 to 4294967295, not "-1"
model.yaml:14:82: "maxTokenLength" must be a whole number from 1 to 4294967295, not "0x10"
model.yaml:17:20: "per" must be address, subject or operation, not "user"
model.yaml:17:32: "rate" must be a rate such as 5/s, 30/min, 100/hour or 1000/day, not "30 per minute"
model.yaml:17:54: "burst" must be a whole number from 1 to 4294967295, not "0"
model.yaml:18:34: "param" must be a place and a name such as path.orderId, query.id, header.X-Account or cookie.account, not "id"
model.yaml:18:43: "via" must be equal or a mapping, not "prefix"`,
}, {
	name: "missing fields",
	model: header + `  trustZones: [{}]
  dataAssets: [{}]
  issuers: [{jwks: {}}]
  services: [{specs: [{}], classify: [{}], operations: [{limit: {}, owner: {via: {}}}]}]
  flows: [{authn: {}, token: {exchange: {}}}]
  environments: [{}]
  acceptedRisks: [{}]
`,
	want: `
model.yaml:5:16: missing required field "id"
model.yaml:5:16: missing required field "trust"
model.yaml:6:16: missing required field "category"
model.yaml:6:16: missing required field "id"
model.yaml:6:16: missing required field "sensitivity"
model.yaml:7:13: missing required field "id"
model.yaml:7:13: missing required field "issuer"
model.yaml:7:20: missing required field "file"
model.yaml:8:14: missing field "zone": no zone is called "mesh", which would be the default
model.yaml:8:14: missing required field "id"
model.yaml:8:23: missing required field "file"
model.yaml:8:39: missing required field "asset"
model.yaml:8:39: missing required field "pointer"
model.yaml:8:57: missing required field "match"
model.yaml:8:65: missing required field "rate"
model.yaml:8:76: missing required field "claim"
model.yaml:8:76: missing required field "param"
model.yaml:8:82: missing required field "prefix"
model.yaml:8:82: missing required field "separator"
model.yaml:9:11: missing required field "from"
model.yaml:9:11: missing required field "id"
model.yaml:9:11: missing required field "to"
model.yaml:9:19: missing required field "issuer"
model.yaml:9:41: missing required field "audience"
model.yaml:10:18: missing required field "id"
model.yaml:11:19: missing required field "by"
model.yaml:11:19: missing required field "operation"
model.yaml:11:19: missing required field "rule"
model.yaml:11:19: missing required field "until"
model.yaml:11:19: missing required field "why"`,
}, {
	name: "undeclared references",
	model: orders + `    zone: mash
    classify: [{pointer: "#/components/schemas/OrderID", asset: cart}]
  dataAssets: [{id: card, category: financial, sensitivity: restricted}]
  flows:
  - {id: a, from: internat, to: order, authn: {issuer: login}, assets: [card, car]}
  environments: [{id: staging, exposure: partner, services: {payments: {mode: enforce}}}]
  acceptedRisks: [{rule: API1-01, service: payments, operation: getOrder, until: 2027-01-31, by: Ada, why: Because.}]
`,
	environment: "production",
	want: `
model.yaml: the model has no environment "production"
model.yaml:8:11: unknown zone "mash" (did you mean "mesh"?)
model.yaml:9:65: unknown data asset "cart" (did you mean "card"?)
model.yaml:12:19: unknown zone or service "internat" (did you mean "internet"?)
model.yaml:12:33: unknown zone or service "order" (did you mean "orders"?)
model.yaml:12:56: unknown issuer "login"
model.yaml:12:79: unknown data asset "car" (did you mean "card"?)
model.yaml:13:42: unknown zone "partner"
model.yaml:13:62: unknown service "payments"
model.yaml:14:44: unknown service "payments"`,
}, {
	name: "duplicates",
	model: header + `  trustZones: [{id: mesh, trust: 70}, {id: mesh, trust: 0}]
  dataAssets:
  - {id: card, category: financial, sensitivity: restricted}
  - {id: card, category: other, sensitivity: public}
  issuers:
  - {id: login, issuer: a, jwks: {file: public.json}}
  - {id: login, issuer: b, jwks: {file: public.json}}
  services:
  - id: orders
    specs: [{file: orders.yaml}, {file: ./orders.yaml}]
    operations: [{match: getOrder}, {match: "GET /orders/{id}"}]
  - {id: orders, specs: [{file: orders.yaml}]}
  - {id: mesh, specs: [{file: orders.yaml}]}
  environments: [{id: a}, {id: a}]
  flows:
  - {id: in, from: mesh, to: orders, assets: [card, card]}
  - {id: in, from: mesh, to: orders}
  acceptedRisks:
  - {rule: API1-01, service: orders, operation: getOrder, until: 2027-01-31, by: Ada, why: Because.}
  - {rule: API1-01, service: orders, operation: "GET /orders/{id}", until: 2028-01-31, by: Ada, why: Because.}
`,
	want: `
model.yaml:5:44: duplicate zone "mesh", first in line 5
model.yaml:8:10: duplicate data asset "card", first in line 7
model.yaml:11:10: duplicate issuer "login", first in line 10
model.yaml:14:41: duplicate specification "./orders.yaml", first in line 14
model.yaml:15:45: operation getOrder is described already, in line 15
model.yaml:16:10: duplicate service "orders", first in line 13
model.yaml:17:10: "mesh" is the id of a zone, too: a flow could mean either
model.yaml:18:32: duplicate environment "a", first in line 18
model.yaml:20:53: duplicate data asset "card", first in line 20
model.yaml:21:10: duplicate flow "in", first in line 20
model.yaml:24:5: risk API1-01 of getOrder is accepted already, in line 23`,
}, {
	name: "contradictions",
	model: header + `  services:
  - id: orders
    specs: [{file: orders.yaml}, {file: orders.v2.yaml}]
    listen: "127.0.0.1:80"
    operations: [{match: getOrder, owner: {claim: sub, param: path.id, via: {prefix: false, separator: "-"}}}]
  - {id: payments, specs: [], listen: "127.0.0.1:80"}
  flows:
  - {id: a, from: orders, to: orders}
  - {id: b, from: orders, to: payments, token: {strip: all, forward: true}}
  - {id: c, from: internet, to: payments, token: {exchange: {audience: x}, strip: all}}
`,
	want: `
model.yaml:9:86: "prefix" can only be true: write "via: equal" if the values are equal
model.yaml:10:10: service "payments" has no specification
model.yaml:10:39: the address 127.0.0.1:80 is listened on already, by the service in line 8
model.yaml:12:31: a flow from "orders" to itself
model.yaml:13:48: a token can't be both stripped and forwarded
model.yaml:14:50: a token can't be both exchanged and stripped
orders.v2.yaml:5:5: GET /orders/{order} is in another version of service "orders", too: orders.yaml:7:5`,
}, {
	name: "operations",
	model: orders + `    operations:
    - match: getOrders
    - match: get /orders
    - match: GET /orders/{order}
    - {match: getOrder, owner: {claim: sub, param: path.Id}}
    classify:
    - {pointer: "#/components/schemas/OrderId", asset: card}
    - {pointer: "common.yaml#/OrderID", asset: card}
  - {id: payments, specs: [{file: payments.yaml}]}
  dataAssets: [{id: card, category: financial, sensitivity: restricted}]
  acceptedRisks:
  - {rule: API1-01, operation: GET /orders, until: 2027-01-31, by: Ada, why: Because.}
  - {rule: API1-01, operation: listOrder, until: 2027-01-31, by: Ada, why: Because.}
`,
	want: `
model.yaml:9:14: unknown operation "getOrders" (did you mean "getOrder"?)
model.yaml:10:14: unknown operation "get /orders" (did you mean "GET /orders"?)
model.yaml:11:14: unknown operation "GET /orders/{order}" (did you mean "GET /orders/{id}"?)
model.yaml:12:52: operation getOrder has no path parameter "Id" (did you mean "path.id"?)
model.yaml:14:17: no schema that an operation uses is at "#/components/schemas/OrderId" (did you mean "#/components/schemas/OrderID"?)
model.yaml:15:17: no schema that an operation uses is at "common.yaml#/OrderID"
model.yaml:19:32: "GET /orders" fits 2 operations: GET /orders of service "orders" (orders.yaml:5:5), GET /orders of service "payments" (payments.yaml:5:5)
model.yaml:20:32: unknown operation "listOrder" (did you mean "listOrders"?)`,
}, {
	name: "an unreadable specification hides its operations, not other faults",
	model: header + `  services:
  - id: orders
    specs: [{file: order.yaml}]
    operations: [{match: getOrder}]
    classify: [{pointer: "#/x", asset: card}]
  dataAssets: [{id: card, category: financial, sensitivity: restricted}]
  acceptedRisks: [{rule: API1-01, operation: getOrder, until: soon, by: Ada, why: Because.}]
`,
	want: `
model.yaml:7:20: order.yaml: no such file
model.yaml:11:63: "until" must be a date such as 2027-01-31, not "soon"`,
}, {
	name:  "a risk without a service",
	model: header + "  services: []\n  acceptedRisks: [{rule: API1-01, operation: getOrder, until: 2027-01-31, by: Ada, why: Because.}]\n",
	want:  `model.yaml:6:46: unknown operation "getOrder"`,
}, {
	name: "key sets and bills of materials",
	model: orders + `    sbom: orders.yaml
  issuers:
  - {id: a, issuer: a, jwks: {file: private.json}}
  - {id: b, issuer: b, jwks: {file: symmetric.json}}
  - {id: c, issuer: c, jwks: {file: alien.json}}
  - {id: d, issuer: d, jwks: {file: broken.json}}
  - {id: e, issuer: e, jwks: {file: syntax.json}}
  - {id: f, issuer: f, jwks: {file: string.json}}
  - {id: g, issuer: g, jwks: {file: missing.json}}
`,
	want: `
model.yaml:8:11: orders.yaml: not a CycloneDX document in JSON
model.yaml:10:37: private.json: key 2 contains a private key: a key set must hold public keys alone
model.yaml:11:37: symmetric.json: key 1 contains a private key: a key set must hold public keys alone
model.yaml:12:37: alien.json: the JWK set has no key that can be used
model.yaml:13:37: broken.json: key 1 is malformed
model.yaml:14:37: syntax.json: not a JWK set: malformed JSON at byte 10
model.yaml:15:37: string.json: not a JWK set: wrong type at byte 18
model.yaml:16:37: missing.json: no such file`,
}, {
	name: "aliases within aliases",
	model: header + `  services:
  - {id: a, specs: [], operations: &o [` + strings.Repeat("{match: b}, ", 2000) + `]}
` + strings.Repeat("  - {id: a, specs: [], operations: *o}\n", 1000),
	want: `model.yaml:6:11280: the document has more than 262144 values`,
}}

// TestLoadDisk: what is wrong with files on the disk.
func TestLoadDisk(t *testing.T) {
	absent := filepath.Join(t.TempDir(), "absent.yaml")
	for path, want := range map[string]string{
		"testdata": "testdata: not a regular file",
		absent:     absent + ": no such file",
	} {
		var diags diag.List
		graph, files := Load(path, Options{}, &diags)
		if graph != nil || !slices.Equal(files, []string{path}) {
			t.Errorf("%s: graph: %t, files: %q", path, graph != nil, files)
		}
		if got := text(&diags); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestLoadReadFault is a file that is there, but can't be read.
func TestLoadReadFault(t *testing.T) {
	var diags diag.List
	read := func(string) ([]byte, error) {
		return nil, &fs.PathError{Op: "open", Path: "model.yaml", Err: errors.New("permission denied")}
	}
	if graph, _ := Load("model.yaml", Options{ReadFile: read}, &diags); graph != nil {
		t.Error("there is a graph in spite of errors")
	}
	if got, want := text(&diags), "model.yaml: permission denied"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
