package shop

import (
	"fmt"
	"time"

	"github.com/threatgate/threatgate/e2e/demo/token"
)

// Example is a request to try and what comes of it. Where the gateway is in
// shadow mode, that is what the shop itself does.
type Example struct {
	Title   string
	Service string // "storefront", "orders", "payments" or "analytics"
	Method  string
	Target  string
	As      string // one of Credentials; "" is nobody
	Header  string // one more header, "Name: value"; "" is none
	Body    string // JSON; "" is none
	Repeat  int    // how often to send it; 0 is once
	Shadow  Outcome
	Enforce Outcome
}

// Outcome is the answer to a request, the last one where it is repeated.
type Outcome struct {
	Status int
	Has    string // what the body contains
}

func (o Outcome) String() string { return fmt.Sprintf("%d (%s)", o.Status, o.Has) }

// Credentials returns, by name, access tokens that are good for a day:
// alice's and bob's, who are customers, carol's, who may refund payments, and
// mallory's, who signed one for herself that says she is alice.
func Credentials() map[string]string {
	const lifetime = 24 * time.Hour
	login := token.NewSigner(token.Phrase)
	return map[string]string{
		"alice":   login.Issue("alice", customerScope, lifetime),
		"bob":     login.Issue("bob", customerScope, lifetime),
		"carol":   login.Issue("carol", customerScope+" payments:refund", lifetime),
		"mallory": token.NewSigner("mallory's own key").Issue("alice", customerScope, lifetime),
	}
}

// Examples go well with the threat model of the demo. None of them stands in
// another's way: they can be sent in any order and again, but for the limit.
func Examples() []Example {
	return []Example{
		{
			Title:   "a valid order",
			Service: "orders", Method: "POST", Target: "/v2/orders", As: "alice",
			Body:    `{"items":[{"sku":"TEA-0001","quantity":2}],"payment":{"method":"invoice"}}`,
			Shadow:  Outcome{201, `"amount":2900`},
			Enforce: Outcome{201, `"amount":2900`},
		},
		{
			Title:   "the same by way of the storefront, with the caller's token",
			Service: "storefront", Method: "POST", Target: "/checkout", As: "alice",
			Body:    `{"items":[{"sku":"TEA-0001","quantity":2}],"payment":{"method":"card","cardToken":"tok_4f9a1c07b2d8e635"}}`,
			Shadow:  Outcome{201, `"amount":2900`},
			Enforce: Outcome{201, `"amount":2900`},
		},
		{
			Title:   "missing field: an order that nobody pays",
			Service: "orders", Method: "POST", Target: "/v2/orders", As: "alice",
			Body:    `{"items":[{"sku":"TEA-0001","quantity":2}]}`,
			Shadow:  Outcome{201, `"amount":2900`},
			Enforce: Outcome{400, "urn:threatgate:validation:required"},
		},
		{
			Title:   "wrong type: a quantity in quotes",
			Service: "orders", Method: "POST", Target: "/v2/orders", As: "alice",
			Body:    `{"items":[{"sku":"TEA-0001","quantity":"2"}],"payment":{"method":"invoice"}}`,
			Shadow:  Outcome{201, `"amount":2900`},
			Enforce: Outcome{400, "urn:threatgate:validation:type"},
		},
		{
			Title:   "out of bounds: minus five cups, and money back",
			Service: "orders", Method: "POST", Target: "/v2/orders", As: "alice",
			Body:    `{"items":[{"sku":"CUP-0001","quantity":-5}],"payment":{"method":"invoice"}}`,
			Shadow:  Outcome{201, `"amount":-9000`},
			Enforce: Outcome{400, "urn:threatgate:validation:minimum"},
		},
		{
			Title:   "undeclared property: alice makes herself an admin",
			Service: "storefront", Method: "PATCH", Target: "/profile", As: "alice",
			Body:    `{"fullName":"Alice Archer","role":"admin"}`,
			Shadow:  Outcome{200, `"role":"admin"`},
			Enforce: Outcome{400, "urn:threatgate:validation:undeclared-property"},
		},
		{
			Title:   "undeclared query parameter: what the staff says about bob",
			Service: "orders", Method: "GET", Target: "/v2/orders/bob-1002?internal=1", As: "bob",
			Shadow:  Outcome{200, `"internalNotes"`},
			Enforce: Outcome{400, "urn:threatgate:validation:undeclared-parameter"},
		},
		{
			Title:   "unknown path: a debugging page in no specification",
			Service: "orders", Method: "GET", Target: "/debug/vars",
			Shadow:  Outcome{200, `"goroutines"`},
			Enforce: Outcome{404, "urn:threatgate:inventory:unknown-operation"},
		},
		{
			Title:   "wrong method",
			Service: "orders", Method: "PUT", Target: "/v2/orders/alice-1001", As: "alice",
			Shadow:  Outcome{200, `"alice-1001"`},
			Enforce: Outcome{405, "urn:threatgate:inventory:method"},
		},
		{
			Title:   "no token",
			Service: "orders", Method: "GET", Target: "/v2/orders/alice-1001",
			Shadow:  Outcome{200, `"alice-1001"`},
			Enforce: Outcome{401, "urn:threatgate:token:missing"},
		},
		{
			Title:   "forged token: mallory signs that she is alice",
			Service: "orders", Method: "GET", Target: "/v2/orders", As: "mallory",
			Shadow:  Outcome{200, `"alice-1001"`},
			Enforce: Outcome{401, "urn:threatgate:token:not-verified"},
		},
		{
			Title:   "client-supplied identity: alice says she is bob",
			Service: "orders", Method: "GET", Target: "/v2/orders", As: "alice", Header: "X-User-Id: bob",
			Shadow:  Outcome{200, `"bob-1002"`},
			Enforce: Outcome{200, `"alice-1001"`}, // the header is removed
		},
		{
			Title:   "missing scope: a customer gives herself a refund",
			Service: "payments", Method: "POST", Target: "/payments/6f1c1a52-8f0e-4c36-9d3f-0a7f5b1f2c11/refunds", As: "alice",
			Shadow:  Outcome{404, "no such payment"}, // payments would, if there were this one
			Enforce: Outcome{403, "urn:threatgate:access:scope"},
		},
		{
			Title:   "another customer's order, which the ids in a row make easy to find",
			Service: "orders", Method: "GET", Target: "/v2/orders/bob-1002", As: "alice",
			Shadow:  Outcome{200, `"bob-1002"`},
			Enforce: Outcome{200, `"bob-1002"`},
		},
		{
			Title:   "an open schema: the role again, where the specification forbids nothing",
			Service: "storefront", Method: "PUT", Target: "/profile/preferences", As: "bob",
			Body:    `{"language":"fr","newsletter":false,"role":"support"}`,
			Shadow:  Outcome{200, `"role":"support"`},
			Enforce: Outcome{200, `"role":"support"`},
		},
		{
			Title:   "a page as large as the client likes",
			Service: "storefront", Method: "GET", Target: "/products?pageSize=1000000",
			Shadow:  Outcome{200, `"total":6`},
			Enforce: Outcome{200, `"total":6`},
		},
		{
			Title:   "an old version, which is still there",
			Service: "orders", Method: "GET", Target: "/v1/orders/1002", As: "alice",
			Shadow:  Outcome{200, `"customer":"bob"`},
			Enforce: Outcome{200, `"customer":"bob"`},
		},
		{
			Title:   "what it lets do: another customer's order, and its price",
			Service: "orders", Method: "PATCH", Target: "/v1/orders/1003", As: "bob",
			Body:    `{"status":"delivered","total":0.01}`,
			Shadow:  Outcome{200, `"total":0.01`},
			Enforce: Outcome{200, `"total":0.01`},
		},
		{
			Title:   "statistics from anybody",
			Service: "analytics", Method: "POST", Target: "/events",
			Body:    `{"events":[{"type":"pageView","at":"2026-05-01T10:00:00Z","path":"/products"}]}`,
			Shadow:  Outcome{202, `"accepted":1`},
			Enforce: Outcome{202, `"accepted":1`},
		},
		{
			Title:   "guessing passwords, twelve times in a row",
			Service: "storefront", Method: "POST", Target: "/login",
			Body: `{"username":"alice","password":"a-wrong-guess"}`, Repeat: 12,
			Shadow:  Outcome{401, "wrong username or password"},
			Enforce: Outcome{429, "urn:threatgate:limit:rate"},
		},
	}
}
