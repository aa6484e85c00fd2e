package shop

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/threatgate/threatgate/e2e/demo/token"
)

func start(t *testing.T, config Config) *Shop {
	t.Helper()
	shop, err := Start(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := shop.Close(); err != nil {
			t.Error(err)
		}
	})
	return shop
}

func (s *Shop) service(t *testing.T, name string) *Service {
	t.Helper()
	service := map[string]*Service{"storefront": s.Storefront, "orders": s.Orders, "payments": s.Payments, "analytics": s.Analytics}[name]
	if service == nil {
		t.Fatalf("no service %q", name)
	}
	return service
}

// send returns the status and body of the answer to a request. Headers are
// "Name: value".
func send(t *testing.T, service *Service, method, target, body string, headers ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequest(method, "http://"+service.Addr+target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		req.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, strings.TrimSpace(string(text))
}

func as(user string) string { return "Authorization: Bearer " + Credentials()[user] }

// Without a gateway the shop does what the examples say of shadow mode: its
// weaknesses are there.
func TestExamples(t *testing.T) {
	shop := start(t, Config{})
	for _, e := range Examples() {
		t.Run(e.Title, func(t *testing.T) {
			var headers []string
			if e.As != "" {
				headers = append(headers, as(e.As))
			}
			if e.Header != "" {
				headers = append(headers, e.Header)
			}
			for range max(1, e.Repeat) {
				status, body := send(t, shop.service(t, e.Service), e.Method, e.Target, e.Body, headers...)
				if status != e.Shadow.Status || !strings.Contains(body, e.Shadow.Has) {
					t.Fatalf("%d %s, want %d with %s", status, body, e.Shadow.Status, e.Shadow.Has)
				}
			}
		})
	}
}

func TestServices(t *testing.T) {
	const (
		fixture = "7f3c9d1e-2b4a-4c6d-8e9f-0a1b2c3d4e5f"
		basket  = `{"items":[{"sku":"CUP-0002","quantity":3}]}`
	)
	shop := start(t, Config{})
	tests := []struct {
		name, service, method, target, body string
		headers                             []string
		status                              int
		want                                string
	}{
		{"filtered", "storefront", "GET", "/products?category=tea&tags=green,organic", "", nil, 200,
			`{"page":1,"products":[{"sku":"TEA-0002","name":"Sencha","category":"tea","price":990,"tags":["green","organic"]}],"total":1}`},
		{"sorted and paged", "storefront", "GET", "/products?sort=-price&pageSize=1&page=2", "", nil, 200,
			`{"page":2,"products":[{"sku":"TEA-0001","name":"Darjeeling, first flush","category":"tea","price":1450,"tags":["organic"]}],"total":6}`},
		{"past the last page", "storefront", "GET", "/products?page=2147483647&pageSize=2147483647", "", nil, 200, `{"page":2147483647,"products":[],"total":6}`},
		{"product", "storefront", "GET", "/products/COF-0002", "", nil, 200, `{"sku":"COF-0002","name":"Espresso, ground","category":"coffee","price":890,"tags":[]}`},
		{"no such product", "storefront", "GET", "/products/XXX-0000", "", nil, 404, `{"error":"no such product"}`},
		{"basket put", "storefront", "PUT", "/basket", basket, []string{"Cookie: basket=" + fixture}, 200, basket},
		{"basket got", "storefront", "GET", "/basket", "", []string{"Cookie: basket=" + fixture}, 200, basket},
		{"no basket", "storefront", "GET", "/basket", "", nil, 200, `{"items":[]}`},
		{"profile", "storefront", "GET", "/profile", "", []string{as("carol")}, 200,
			`{"username":"carol","role":"support","email":"carol@shop.example","fullName":"Carol Carter","phone":null,"language":"en","newsletter":false}`},
		{"profile of nobody", "storefront", "GET", "/profile", "", nil, 401, `{"error":"log in first"}`},
		{"profile half wrong", "storefront", "PATCH", "/profile", `{"fullName":"C","email":1}`, []string{as("carol")}, 400, `{"error":"the body is not the JSON that was expected"}`},
		{"profile unchanged", "storefront", "PATCH", "/profile", `{"phone":null}`, []string{as("carol")}, 200,
			`{"username":"carol","role":"support","email":"carol@shop.example","fullName":"Carol Carter","phone":null,"language":"en","newsletter":false}`},
		{"not JSON", "storefront", "POST", "/login", `{`, nil, 400, `{"error":"the body is not the JSON that was expected"}`},

		{"v1", "orders", "GET", "/v1/orders?page_size=1", "", []string{as("alice")}, 200, `[{"id":1001,"customer":"alice","status":"shipped","total":14.5}]`},
		{"v1 update", "orders", "PATCH", "/v1/orders/1003", `{"status":"delivered","total":0.01}`, []string{as("bob")}, 200, `{"id":1003,"customer":"alice","status":"delivered","total":0.01}`},
		{"v1 unknown", "orders", "GET", "/v1/orders/x", "", nil, 404, `{"error":"no such order"}`},
		{"orders of nobody", "orders", "GET", "/v2/orders", "", nil, 401, `{"error":"log in first"}`},
		{"orders by status", "orders", "GET", "/v2/orders?status=placed&status=cancelled", "", []string{as("alice")}, 200, `{"orders":[]}`},
		{"no such article", "orders", "POST", "/v2/orders", `{"items":[{"sku":"X","quantity":1}]}`, []string{as("alice")}, 422, `{"error":"no such product, or no quantity of it"}`},
		{"cancel what was shipped", "orders", "POST", "/v2/orders/alice-1001/cancel", `{"reason":"mistake"}`, []string{as("alice")}, 409, `{"error":"the order is under way"}`},
		{"cancel another's", "orders", "POST", "/v2/orders/bob-1002/cancel", `{"reason":"mistake"}`, []string{as("alice")}, 404, `{"error":"no such order"}`},

		{"no such payment", "payments", "GET", "/payments/" + fixture, "", nil, 404, `{"error":"no such payment"}`},

		{"events", "analytics", "POST", "/events", `{"events":[{"type":"pageView","at":"2026-05-01T10:00:00Z","path":"/"},{"type":"orderPlaced","at":"2026-05-01T23:30:00-01:00","items":1,"total":{"amount":990,"currency":"EUR"}}]}`,
			nil, 202, `{"accepted":2}`},
		{"report", "analytics", "GET", "/reports/2026-05-01", "", nil, 200, `{"day":"2026-05-01","orders":0,"pageViews":1,"revenue":{"amount":0,"currency":"EUR"}}`},
		{"report of the next day", "analytics", "GET", "/reports/2026-05-02", "", nil, 200, `{"day":"2026-05-02","orders":1,"pageViews":0,"revenue":{"amount":990,"currency":"EUR"}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, body := send(t, shop.service(t, tt.service), tt.method, tt.target, tt.body, tt.headers...)
			if status != tt.status || body != tt.want {
				t.Errorf("%d %s\nwant %d %s", status, body, tt.status, tt.want)
			}
		})
	}
}

func TestLogin(t *testing.T) {
	shop := start(t, Config{})
	status, body := send(t, shop.Storefront, "POST", "/login", `{"username":"carol","password":"carol-demo"}`)
	var answer struct{ AccessToken string }
	if err := json.Unmarshal([]byte(body), &answer); err != nil || status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	claims, ok := token.Read("Bearer " + answer.AccessToken)
	if !ok || claims.Subject != "carol" || claims.Scope != "orders:read orders:write payments:write payments:refund" || claims.Expires-claims.IssuedAt != 3600 {
		t.Errorf("carol got %+v", claims)
	}
}

// An order by way of the storefront reaches all four services; the token
// goes with it as far as payments, and not to analytics.
func TestCheckout(t *testing.T) {
	shop := start(t, Config{Record: true})
	const body = `{"items":[{"sku":"COF-0001","quantity":1}],"payment":{"method":"card","cardToken":"tok_0123456789abcdef"}}`
	bearer := as("bob")
	if status, answer := send(t, shop.Storefront, "POST", "/checkout", body, bearer); status != 201 {
		t.Fatalf("%d %s", status, answer)
	}
	want := map[string]string{
		"storefront": "POST /checkout " + bearer,
		"orders":     "POST /v2/orders " + bearer,
		"payments":   "POST /payments " + bearer,
		"analytics":  "POST /events Authorization: ",
	}
	for name, first := range want {
		requests := shop.service(t, name).Requests()
		if len(requests) != 1 {
			t.Fatalf("%s: %d requests, want 1", name, len(requests))
		}
		r := requests[0]
		if got := r.Method + " " + r.Target + " Authorization: " + r.Header.Get("Authorization"); got != first {
			t.Errorf("%s: %s, want %s", name, got, first)
		}
	}
	if got := string(shop.Orders.Requests()[0].Body); got != body {
		t.Errorf("orders: %s, want %s", got, body)
	}
	if got, want := string(shop.Payments.Requests()[0].Body), `{"amount":{"amount":1290,"currency":"EUR"},"cardToken":"tok_0123456789abcdef","method":"card"}`; got != want {
		t.Errorf("payments: %s, want %s", got, want)
	}
	if got := string(shop.Analytics.Requests()[0].Body); strings.Contains(got, "bob") || strings.Contains(got, "tok_") {
		t.Errorf("analytics learns who paid: %s", got)
	}
}

func TestPaymentLife(t *testing.T) {
	shop := start(t, Config{})
	_, body := send(t, shop.Payments, "POST", "/payments", `{"amount":{"amount":100,"currency":"EUR"},"method":"invoice"}`)
	var p payment
	if err := json.Unmarshal([]byte(body), &p); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct{ method, target, status string }{
		{"GET", "/payments/" + p.ID, "captured"},
		{"POST", "/payments/" + p.ID + "/refunds", "refunded"},
		{"GET", "/payments/" + p.ID, "refunded"},
	} {
		want := p
		want.Status = step.status
		var got payment
		_, body := send(t, shop.Payments, step.method, step.target, "")
		if err := json.Unmarshal([]byte(body), &got); err != nil || got != want {
			t.Errorf("%s %s: %s, want %+v", step.method, step.target, body, want)
		}
	}
}

func TestCancel(t *testing.T) {
	shop := start(t, Config{})
	_, body := send(t, shop.Orders, "POST", "/v2/orders", `{"items":[{"sku":"TEA-0002","quantity":1}],"payment":{"method":"invoice"}}`, as("bob"))
	var o order
	if err := json.Unmarshal([]byte(body), &o); err != nil || o.ID != "bob-1004" || o.Status != "placed" {
		t.Fatalf("%s (%v)", body, err)
	}
	if status, body := send(t, shop.Orders, "POST", "/v2/orders/bob-1004/cancel", `{"reason":"mistake"}`, as("bob")); status != 204 || body != "" {
		t.Errorf("%d %s, want 204", status, body)
	}
	if _, body := send(t, shop.Orders, "GET", "/v2/orders/bob-1004", ""); !strings.Contains(body, `"status":"cancelled"`) {
		t.Errorf("%s, want it cancelled", body)
	}
}

func TestStartOnTakenPort(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	shop, err := Start(Config{Payments: taken.Addr().String()})
	if err == nil {
		shop.Close()
		t.Fatal("started on a port that is taken")
	}
	if want := "payments: listen tcp " + taken.Addr().String() + ": bind: address already in use"; err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestCallsGoWhereTheyAreTold(t *testing.T) {
	behind := start(t, Config{Record: true})
	front := start(t, Config{OrdersURL: "http://" + behind.Orders.Addr})
	send(t, front.Storefront, "GET", "/account/orders", "", as("alice"))
	if n := len(behind.Orders.Requests()); n != 1 {
		t.Errorf("the other orders service got %d requests, want 1", n)
	}
}

func TestReadmeNamesExamples(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range Examples() {
		if !strings.Contains(string(readme), e.Method+" "+e.Target) {
			t.Errorf("README.md does not show %s %s (%s)", e.Method, e.Target, e.Title)
		}
	}
}

func TestUUID(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		id := newUUID()
		if len(id) != 36 || id[14] != '4' || !strings.Contains("89ab", id[19:20]) || seen[id] {
			t.Fatalf("%s is no new random UUID", id)
		}
		seen[id] = true
	}
}
