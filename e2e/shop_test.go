package e2e_test

import "strings"

// shopModel puts the demo's specifications behind one listener.
const shopModel = `
apiVersion: threatgate.dev/v1alpha1
kind: ThreatModel
metadata: {name: shop}
spec:
  services:
    - id: shop
      responses: "off" # the upstream of the tests knows nothing of the shop
      bounds: {maxBody: 64KiB, maxDepth: 16}
      specs:
        - {file: SPECS/storefront.yaml}
        - {file: SPECS/orders.v1.yaml, state: deprecated}
        - {file: SPECS/orders.v2.yaml}
        - {file: SPECS/payments.yaml}
        - {file: SPECS/analytics.yaml}
`

const (
	card   = `"payment":{"method":"card","cardToken":"tok_0123456789abcdef"}`
	tea    = `"items":[{"sku":"TEA-0001","quantity":2}]`
	basket = "Cookie: basket=0190163d-8694-739b-aea5-966c26f8ad91; theme=dark"
)

// shop are requests to the demo.
var shop = []attempt{
	{name: "products", line: "GET /products?category=tea&tags=green,loose&q=first+flush&sort=-price&page=2&pageSize=50", operation: "listProducts"},
	{name: "product", line: "GET /products/TEA-0001", operation: "getProduct"},
	{name: "cookie", line: "GET /basket", header: []string{basket}, operation: "getBasket"},
	{name: "login", line: "POST /login", operation: "login", body: `{"username":"alice","password":"correct horse"}`},
	{name: "null where it is allowed", line: "PATCH /profile", header: []string{bearer}, operation: "updateProfile", body: `{"phone":null}`},
	{name: "open schema", line: "PUT /profile/preferences", header: []string{bearer}, operation: "putPreferences", body: `{"language":"de","newsletter":true,"theme":"dark"}`},
	{name: "first of oneOf", line: "POST /checkout", header: []string{bearer}, operation: "checkout", body: `{` + tea + `,` + card + `}`},
	{name: "second of oneOf", line: "POST /checkout", header: []string{bearer}, operation: "checkout", body: `{` + tea + `,"payment":{"method":"invoice"},"giftNote":"für Dich ♥"}`},
	{name: "orders", line: "GET /v2/orders?status=placed&status=shipped&limit=100", header: []string{bearer}, operation: "listOrders"},
	{name: "discriminator", line: "POST /v2/orders", header: []string{bearer, "Idempotency-Key: 0123abcd-x"}, operation: "placeOrder", body: `{` + tea + `,"payment":{"method":"invoice","vatId":"DE123456789"}}`},
	{name: "cancel", line: "POST /v2/orders/alice-1001/cancel", header: []string{bearer}, operation: "cancelOrder", body: `{"reason":"mistake","comment":null}`},
	{name: "deprecated", line: "GET /v1/orders/7", header: []string{bearer}, operation: "getOrderV1", noted: "inventory:deprecated"},
	{name: "deprecated with a body", line: "PATCH /v1/orders/7", header: []string{bearer}, operation: "updateOrderV1", body: `{"total":12.30}`, noted: "inventory:deprecated"},
	{name: "if and then", line: "POST /payments", header: []string{bearer}, operation: "createPayment", body: `{"amount":{"amount":1200,"currency":"EUR"},"method":"card","cardToken":"tok_0123456789abcdef"}`},
	{name: "if without then", line: "POST /payments", header: []string{bearer}, operation: "createPayment", body: `{"amount":{"amount":1200,"currency":"EUR"},"method":"invoice"}`},
	{name: "payment", line: "GET /payments/0190163d-8694-739b-aea5-966c26f8ad91", header: []string{bearer}, operation: "getPayment"},
	{name: "refund without a body", line: "POST /payments/0190163d-8694-739b-aea5-966c26f8ad91/refunds", header: []string{bearer}, operation: "refundPayment"},
	{
		name: "events", line: "POST /events", operation: "collectEvents",
		body: `{"events":[{"type":"pageView","at":"2027-01-31T23:59:60Z","path":"/products/TEA-0001","labels":{"a":"b"}},{"type":"orderPlaced","at":"2027-01-31T10:00:00+01:00","items":3,"total":{"amount":0,"currency":"GBP"}}]}`,
	},
	{name: "report", line: "GET /reports/2028-02-29", header: []string{bearer}, operation: "getReport"},

	{name: "unknown path", line: "GET /v3/orders", want: "404 inventory:unknown-operation API9-01"},
	{name: "path in other case", line: "GET /Products", want: "404 inventory:unknown-operation API9-01"},
	{name: "method", line: "DELETE /profile", want: "405 inventory:method API5-03", reply: "Allow: GET, PATCH, HEAD"},
	{name: "no token", line: "GET /profile", operation: "getProfile", want: "401 token:missing contract", reply: `Www-Authenticate: Bearer realm="shop"`},
	{name: "token that is none", line: "GET /profile", header: []string{"Authorization: Bearer"}, operation: "getProfile", want: "401 token:malformed contract", reply: `Www-Authenticate: Bearer realm="shop", error="invalid_token"`},
	{name: "missing cookie", line: "GET /basket", header: []string{"Cookie: theme=dark"}, operation: "getBasket", want: "400 validation:required cookie:basket contract"},
	{name: "malformed cookie", line: "GET /basket", header: []string{"Cookie: basket=crumbs"}, operation: "getBasket", want: "400 validation:format cookie:basket contract"},
	{name: "repeated cookie", line: "GET /basket", header: []string{basket + "; basket=0190163d-8694-739b-aea5-966c26f8ad91"}, operation: "getBasket", want: "400 validation:repeated-parameter cookie:basket contract"},
	{name: "pattern in the path", line: "GET /products/coffee-pot", operation: "getProduct", want: "400 validation:pattern path:sku contract"},
	{name: "enum in the query", line: "GET /products?category=weapons", operation: "listProducts", want: "400 validation:enum query:category contract"},
	{name: "too small", line: "GET /products?page=0", operation: "listProducts", want: "400 validation:minimum query:page contract"},
	{name: "too large", line: "GET /products?page=10001", operation: "listProducts", want: "400 validation:maximum query:page API4-03"},
	{name: "too short", line: "GET /products?q=%C3%A4", operation: "listProducts", want: "400 validation:min-length query:q contract"},
	{name: "items of an array", line: "GET /products?tags=green,LOOSE", operation: "listProducts", want: "400 validation:pattern query:tags/1 contract"},
	{name: "too many items", line: "GET /products?tags=aa,bb,cc,dd,ee,ff", operation: "listProducts", want: "400 validation:max-items query:tags contract"},
	{name: "same item twice", line: "GET /products?tags=green,green", operation: "listProducts", want: "400 validation:unique-items query:tags contract"},
	{name: "undeclared query parameter", line: "GET /products?category=tea&expanded=everything", operation: "listProducts", want: "400 validation:undeclared-parameter query:* contract"},
	{name: "header pattern", line: "POST /v2/orders", header: []string{bearer, "Idempotency-Key: short"}, operation: "placeOrder", body: `{}`, want: "400 validation:pattern header:idempotency-key contract"},
	{name: "undeclared property", line: "POST /login", operation: "login", body: `{"username":"alice","password":"correct horse","isAdmin":true}`, want: "400 validation:undeclared-property body:/* contract"},
	{name: "undeclared property below", line: "POST /checkout", header: []string{bearer}, operation: "checkout", body: `{"items":[{"sku":"TEA-0001","quantity":1,"unitPrice":1}],` + card + `}`, want: "400 validation:undeclared-property body:/items/0/* contract"},
	{name: "unevaluated property", line: "POST /payments", header: []string{bearer}, operation: "createPayment", body: `{"amount":{"amount":1200,"currency":"EUR"},"method":"invoice","feeWaived":true}`, want: "400 validation:unevaluated-properties body:/* contract"},
	{name: "then", line: "POST /payments", header: []string{bearer}, operation: "createPayment", body: `{"amount":{"amount":1200,"currency":"EUR"},"method":"card"}`, want: "400 validation:required body: contract"},
	{name: "exclusive minimum", line: "POST /payments", header: []string{bearer}, operation: "createPayment", body: `{"amount":{"amount":0,"currency":"EUR"},"method":"invoice"}`, want: "400 validation:exclusive-minimum body:/amount/amount contract"},
	{name: "exclusive minimum of OpenAPI 3.0", line: "PATCH /v1/orders/7", header: []string{bearer}, operation: "updateOrderV1", body: `{"total":0}`, want: "400 validation:exclusive-minimum body:/total contract"},
	{name: "deprecated and wrong", line: "GET /v1/orders?page_size=none", header: []string{bearer}, operation: "listOrdersV1", want: "400 validation:type query:page_size contract"},
	{name: "multiple of", line: "PATCH /v1/orders/7", header: []string{bearer}, operation: "updateOrderV1", body: `{"total":12.305}`, want: "400 validation:multiple-of body:/total contract"},
	{name: "missing field", line: "POST /login", operation: "login", body: `{"username":"alice"}`, want: "400 validation:required body:/password contract"},
	{name: "password too short", line: "POST /login", operation: "login", body: `{"username":"alice","password":"hunter2"}`, want: "400 validation:min-length body:/password contract"},
	{name: "too few properties", line: "PATCH /profile", header: []string{bearer}, operation: "updateProfile", body: `{}`, want: "400 validation:min-properties body: contract"},
	{name: "wrong type", line: "POST /v2/orders", header: []string{bearer}, operation: "placeOrder", body: `{"items":"everything",` + card + `}`, want: "400 validation:type body:/items contract"},
	{name: "none of oneOf", line: "POST /checkout", header: []string{bearer}, operation: "checkout", body: `{` + tea + `,"payment":{"method":"barter"}}`, want: "400 validation:one-of body:/payment contract"},
	{name: "discriminator names nothing", line: "POST /v2/orders", header: []string{bearer}, operation: "placeOrder", body: `{` + tea + `,"payment":{"method":"barter"}}`, want: "400 validation:discriminator body:/payment/method contract"},
	{name: "inside the discriminated", line: "POST /v2/orders", header: []string{bearer}, operation: "placeOrder", body: `{` + tea + `,"payment":{"method":"card","cardToken":"4111111111111111"}}`, want: "400 validation:pattern body:/payment/cardToken contract"},
	{name: "enum in an event", line: "POST /events", operation: "collectEvents", body: `{"events":[{"type":"orderPlaced","at":"2027-01-31T10:00:00Z","items":3,"total":{"amount":1,"currency":"DOGE"}}]}`, want: "400 validation:enum body:/events/0/total/currency contract"},
	{name: "no events", line: "POST /events", operation: "collectEvents", body: `{"events":[]}`, want: "400 validation:min-items body:/events contract"},
	{name: "no such day", line: "GET /reports/2027-02-29", header: []string{bearer}, operation: "getReport", want: "400 validation:format path:day contract"},
	{name: "deeper than the model allows", line: "PUT /profile/preferences", header: []string{bearer}, operation: "putPreferences", body: `{"language":"de","newsletter":true,"x":` + strings.Repeat("[", 16) + strings.Repeat("]", 16) + `}`, want: "400 validation:depth body:/* contract"},
	{name: "larger than the model allows", line: "POST /login", operation: "login", body: `{"username":"alice","password":"` + strings.Repeat("x", 64<<10) + `"}`, want: "413 validation:body-size body: contract"},
	{name: "content type", line: "POST /login", header: []string{"Content-Type: application/x-www-form-urlencoded"}, operation: "login", body: "username=alice&password=correct", want: "415 validation:content-type header:content-type contract"},
	{name: "no body", line: "PUT /basket", operation: "putBasket", want: "400 validation:body-missing body: contract"},
	{name: "body of a GET", line: "GET /products", operation: "listProducts", body: `{"category":"tea"}`, want: "400 validation:body-unexpected body: contract"},
}
