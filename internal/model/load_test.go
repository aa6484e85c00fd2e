package model

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/inventory"
	"github.com/threatgate/threatgate/internal/openapi"
	"github.com/threatgate/threatgate/internal/violation"
)

// loadShop loads testdata/shop.yaml, which uses every field there is.
func loadShop(t *testing.T, options Options) *Graph {
	t.Helper()
	var diags diag.List
	options.OpenSpec = openapi.Load
	graph, files := Load("testdata/shop.yaml", options, &diags)
	if got := text(&diags); got != "" {
		t.Fatalf("diagnostics:\n%s", got)
	}
	want := []string{
		"testdata/amount.yaml", "testdata/login.jwks.json", "testdata/orders.cdx.json", "testdata/orders.v1.yaml",
		"testdata/orders.v2.yaml", "testdata/payments.yaml", "testdata/shop.yaml",
	}
	if !slices.Equal(files, want) {
		t.Errorf("files %q, want %q", files, want)
	}
	return graph
}

// same compares what a graph has with what it must have, item by item.
func same[T any](t *testing.T, what string, got, want []T) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d %s, want %d", len(got), what, len(want))
		return
	}
	for i := range got {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("%s, item %d:\ngot  %+v\nwant %+v", what, i, got[i], want[i])
		}
	}
}

func shopPos(line, col int) diag.Pos {
	return diag.Pos{File: "testdata/shop.yaml", Line: line, Col: col}
}

func day(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

func content(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestLoadShop(t *testing.T) {
	graph := loadShop(t, Options{})

	internet := &Zone{ID: "internet", Trust: 0, Pos: shopPos(7, 7)}
	partner := &Zone{ID: "partner", Trust: 20, Pos: shopPos(8, 7)}
	mesh := &Zone{ID: "mesh", Trust: 70, Pos: shopPos(9, 7)}
	vault := &Zone{ID: "vault", Trust: 90, Pos: shopPos(10, 7)}
	contact := &DataAsset{ID: "customer-contact", Category: "contact", Sensitivity: "confidential", Quantity: "many", Pos: shopPos(12, 7)}
	card := &DataAsset{ID: "card", Category: "financial", Sensitivity: "restricted", Pos: shopPos(13, 7)}
	login := &Issuer{
		ID:        "login",
		Issuer:    "https://login.example",
		Audiences: []string{"shop"},
		JWKS:      content(t, "testdata/login.jwks.json"),
		Pos:       shopPos(15, 7),
	}
	if graph.Name != "shop" || graph.Revision != "7" || graph.Environment != "" || graph.Exposure != nil || graph.Pos != shopPos(2, 1) {
		t.Errorf("graph: %q, revision %q, environment %q, at %s", graph.Name, graph.Revision, graph.Environment, graph.Pos)
	}
	same(t, "zones", graph.Zones, []*Zone{internet, partner, mesh, vault})
	same(t, "assets", graph.Assets, []*DataAsset{contact, card})
	same(t, "issuers", graph.Issuers, []*Issuer{login})
	if len(graph.Services) != 2 {
		t.Fatalf("%d services, want 2", len(graph.Services))
	}

	orders, payments := graph.Services[0], graph.Services[1]
	v1, v2, v := orders.Versions[0].API, orders.Versions[1].API, payments.Versions[0].API
	shadow, off, yes, no := violation.Shadow, violation.Off, true, false
	wantOrders := &Service{
		ID:       "orders",
		Zone:     mesh,
		Pos:      shopPos(17, 7),
		Upstream: "127.0.0.1:7001",
		Listen:   "127.0.0.1:10001",
		Mode:     violation.Enforce,
		Failure:  violation.Open,
		Limits:   Bounds{MaxBody: 1 << 20, MaxHeld: 256 << 10, MaxDepth: 32, MaxQueryParameters: 20, MaxTokenLength: 512},
		SBOM:     content(t, "testdata/orders.cdx.json"),
		Edge:     true,

		ResponseMode:    &shadow,
		RefuseEncodings: &yes,
		StreamUploads:   &no,
		AnnotateFormats: true,
		Unenforceable:   new(violation.Unjudged),
		Versions: []Version{
			{API: v1, Deprecated: true, Sunset: day(2027, 1, 31), Pos: shopPos(20, 11)},
			{API: v2, Pos: shopPos(21, 11)},
		},
	}
	wantOrders.Operations = []*Operation{{
		Operation:  v1.Operations[0],
		Service:    wantOrders,
		Version:    &wantOrders.Versions[0],
		BasePaths:  []string{"/v1"},
		Label:      "GET /v1/orders/{orderId}",
		Deprecated: true,
		Sunset:     day(2027, 1, 31),
		Pos:        v1.Operations[0].Pos,
	}, {
		Operation:       v2.Operations[0],
		Service:         wantOrders,
		Version:         &wantOrders.Versions[1],
		BasePaths:       []string{"/v2", "/latest"},
		Label:           "createOrder",
		Mode:            &shadow,
		ResponseMode:    &off,
		RefuseEncodings: &no,
		StreamUploads:   &yes,
		Limit:           &Limit{Per: PerSubject, Count: 30, Window: time.Minute, Burst: 10, Pos: shopPos(41, 18)},
		Bounds:          Bounds{MaxBody: 64 << 10},
		Pos:             shopPos(36, 11),
	}, {
		Operation: v2.Operations[1],
		Service:   wantOrders,
		Version:   &wantOrders.Versions[1],
		BasePaths: []string{"/v2", "/latest"},
		Label:     "GET /v2/orders/{orderId}",
		Owner:     &Owner{Claim: "sub", Separator: "-", In: inventory.InPath, Parameter: "orderId", Pos: shopPos(35, 18)},
		Pos:       shopPos(34, 11),
	}, {
		Operation:  v2.Operations[2],
		Service:    wantOrders,
		Version:    &wantOrders.Versions[1],
		BasePaths:  []string{"/v2", "/latest"},
		Label:      "GET /v2/orders/{orderId}/events",
		Upgrade:    true,
		Deprecated: true,
		Pos:        shopPos(43, 11),
	}}
	wantPayments := &Service{
		ID:       "payments",
		Zone:     vault,
		Pos:      shopPos(48, 7),
		Upstream: "https://payments.example",
		Edge:     true, // orders are trusted less
		Versions: []Version{{API: v, Pos: shopPos(50, 15)}},
	}
	wantPayments.Operations = []*Operation{{
		Operation: v.Operations[0],
		Service:   wantPayments,
		Version:   &wantPayments.Versions[0],
		BasePaths: []string{"/legacy"},
		Label:     "pay",
		Owner:     &Owner{Claim: "account", In: inventory.InHeader, Parameter: "x-account", Pos: shopPos(54, 18)},
		Limit:     &Limit{Per: PerAddress, Count: 5, Window: time.Second, Burst: 5, Pos: shopPos(55, 18)},
		Pos:       shopPos(53, 11),
	}}
	same(t, "operations", orders.Operations, wantOrders.Operations)
	same(t, "operations", payments.Operations, wantPayments.Operations)
	same(t, "services", graph.Services, []*Service{wantOrders, wantPayments})

	same(t, "flows", graph.Flows, []*Flow{{
		ID:       "edge-orders",
		From:     Endpoint{Zone: internet},
		To:       Endpoint{Service: orders},
		Issuer:   login,
		Identity: "end-user",
		Pos:      shopPos(64, 7),
	}, {
		ID:       "orders-payments",
		From:     Endpoint{Service: orders},
		To:       Endpoint{Service: payments},
		Identity: "end-user",
		Assets:   []*DataAsset{card},
		Token:    TokenRule{Exchange: "payments"},
		Pos:      shopPos(65, 7),
	}, {
		ID:       "orders-mesh",
		From:     Endpoint{Service: orders},
		To:       Endpoint{Zone: mesh},
		Identity: "none",
		Token:    TokenRule{Strip: true},
		Pos:      shopPos(66, 7),
	}, {
		ID:       "partner-orders",
		From:     Endpoint{Zone: partner},
		To:       Endpoint{Service: orders},
		Identity: "technical-user",
		Token:    TokenRule{Forward: true},
		Pos:      shopPos(67, 7),
	}})
	same(t, "accepted risks", graph.AcceptedRisks, []AcceptedRisk{{
		Rule:      "API1-02",
		Operation: orders.Operations[2],
		Until:     day(2027, 3, 1),
		By:        "Ada",
		Why:       "Order numbers are long and random.",
		Pos:       shopPos(69, 7),
	}})
}

// TestClassify: a property that is a reference is classified alone, not
// whatever else refers to the same schema.
func TestClassify(t *testing.T) {
	graph := loadShop(t, Options{})
	order := graph.Services[0].Operations[1].Body.Content[0].Schema
	got := map[string]*inventory.Classification{}
	for _, p := range order.Properties {
		got[p.Name] = p.Schema.Classification
	}
	want := map[string]*inventory.Classification{
		"email":    {Category: "contact", Sensitivity: "confidential", Pos: shopPos(31, 11)},
		"card":     {Category: "financial", Sensitivity: "restricted", Pos: shopPos(32, 11)},
		"quantity": nil,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if card, quantity := order.Properties[1].Schema, order.Properties[2].Schema; card.Pattern != quantity.Pattern || card.Pointer != quantity.Pointer {
		t.Errorf("the classified schema is another one: %+v", card)
	}
}

func TestEnvironment(t *testing.T) {
	tests := []struct{ environment, want string }{
		{"", `environment "", exposure none
orders: enforce, 127.0.0.1:10001 to 127.0.0.1:7001
payments: shadow,  to https://payments.example`},
		{"production", `environment "production", exposure internet
orders: shadow, 127.0.0.1:10001 to 127.0.0.1:7001
payments: shadow,  to https://payments.example`},
		{"staging", `environment "staging", exposure partner
orders: off, 127.0.0.1:11001 to 127.0.0.1:7101
payments: enforce,  to https://payments.example`},
	}
	for _, test := range tests {
		graph := loadShop(t, Options{Environment: test.environment})
		exposure := "none"
		if graph.Exposure != nil {
			exposure = graph.Exposure.ID
		}
		lines := []string{fmt.Sprintf("environment %q, exposure %s", graph.Environment, exposure)}
		for _, s := range graph.Services {
			lines = append(lines, fmt.Sprintf("%s: %s, %s to %s", s.ID, s.Mode, s.Listen, s.Upstream))
		}
		if got := strings.Join(lines, "\n"); got != test.want {
			t.Errorf("got:\n%s\nwant:\n%s", got, test.want)
		}
	}
}

func TestMatchHosts(t *testing.T) {
	graph := loadShop(t, Options{MatchHosts: true})
	if got, want := graph.Services[0].Hosts, []string{"orders.example", "orders.internal"}; !slices.Equal(got, want) {
		t.Errorf("orders: %q, want %q", got, want)
	}
	if got := graph.Services[1].Hosts; got != nil {
		t.Errorf("payments, which has no server: %q, want none", got)
	}
}

// TestDefaults: what a model needn't say.
func TestDefaults(t *testing.T) {
	var diags diag.List
	graph, _ := Load("model.yaml", withModel(orders).options(), &diags)
	if got := text(&diags); got != "" {
		t.Fatalf("diagnostics:\n%s", got)
	}
	same(t, "zones", graph.Zones, []*Zone{{ID: "internet", Trust: 0}, {ID: "mesh", Trust: 70}})
	s := graph.Services[0]
	want := &Service{
		ID:         "orders",
		Zone:       graph.Zones[1],
		Pos:        diag.Pos{File: "model.yaml", Line: 6, Col: 5},
		Mode:       violation.Shadow,
		Failure:    violation.Closed,
		Versions:   s.Versions,
		Operations: s.Operations,
		Edge:       true,
	}
	same(t, "services", graph.Services, []*Service{want})
}

func TestLimit(t *testing.T) {
	tests := []struct {
		written string
		want    Limit
	}{
		{"{rate: 30/min}", Limit{Per: PerAddress, Count: 30, Window: time.Minute, Burst: 30}},
		{"{per: address, rate: 5/s, burst: 1}", Limit{Per: PerAddress, Count: 5, Window: time.Second, Burst: 1}},
		{"{per: subject, rate: 5/s, burst: 50}", Limit{Per: PerSubject, Count: 5, Window: time.Second, Burst: 50}},
		{"{per: operation, rate: 5/h}", Limit{Per: PerOperation, Count: 5, Window: time.Hour, Burst: 5}},
	}
	for _, test := range tests {
		var diags diag.List
		model := orders + "    operations: [{match: getOrder, limit: " + test.written + "}]\n"
		graph, _ := Load("model.yaml", withModel(model).options(), &diags)
		if err := diags.Err(); err != nil {
			t.Fatal(err)
		}
		got := *graph.Services[0].Operations[1].Limit
		test.want.Pos = diag.Pos{File: "model.yaml", Line: 8, Col: 43}
		if got != test.want {
			t.Errorf("%s: got %+v, want %+v", test.written, got, test.want)
		}
	}
}

func TestEdge(t *testing.T) {
	tests := []struct {
		name, flows string
		want        bool
	}{
		{"no flow", "", true},
		{"from lower trust", "{id: a, from: internet, to: orders}", true},
		{"from a service of lower trust", "{id: a, from: low, to: orders}", true},
		{"from the same trust", "{id: a, from: mesh, to: orders}", false},
		{"from higher trust", "{id: a, from: vault, to: orders}", false},
		{"from higher and from lower trust", "{id: a, from: vault, to: orders}, {id: b, from: internet, to: orders}", true},
		{"only away from it", "{id: a, from: orders, to: vault}", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			model := orders + `  - {id: low, zone: internet, specs: [{file: payments.yaml}]}
  trustZones: [{id: internet, trust: 0}, {id: mesh, trust: 70}, {id: vault, trust: 90}]
  flows: [` + test.flows + "]\n"
			var diags diag.List
			graph, _ := Load("model.yaml", withModel(model).options(), &diags)
			if err := diags.Err(); err != nil {
				t.Fatal(err)
			}
			if got := graph.Services[0].Edge; got != test.want {
				t.Errorf("edge: %t, want %t", got, test.want)
			}
		})
	}
}

func TestBare(t *testing.T) {
	var diags diag.List
	api, _ := openapi.Load("testdata/orders.v2.yaml", nil, &diags)
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	internet, mesh := &Zone{ID: "internet", Trust: 0}, &Zone{ID: "mesh", Trust: 70}
	service := &Service{ID: "orders", Zone: mesh, Pos: api.Pos, Edge: true, Versions: []Version{{API: api, Pos: api.Pos}}}
	for i, label := range []string{"createOrder", "getOrder", "GET /v2/orders/{orderId}/events"} {
		service.Operations = append(service.Operations, &Operation{
			Operation:  api.Operations[i],
			Service:    service,
			Version:    &service.Versions[0],
			BasePaths:  []string{"/v2", "/latest"},
			Label:      label,
			Deprecated: i == 2,
			Pos:        api.Operations[i].Pos,
		})
	}
	want := &Graph{
		Name:     "orders",
		Pos:      api.Pos,
		Zones:    []*Zone{internet, mesh},
		Services: []*Service{service},
		Flows: []*Flow{{
			ID:       "internet-orders",
			From:     Endpoint{Zone: internet},
			To:       Endpoint{Service: service},
			Identity: "none",
			Pos:      api.Pos,
		}},
	}
	if got := Bare(api); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func TestLabel(t *testing.T) {
	type operation struct{ id, method, base, path string }
	host := 0
	version := func() *Version { // with a host of its own
		host++
		return &Version{API: &inventory.API{Servers: []inventory.Server{{Host: fmt.Sprintf("API%d.example:8443", host)}}}}
	}
	tests := []struct {
		name       string
		operations []operation
		want       []string
	}{
		{"ids", []operation{{"a", "GET", "", "/a"}, {"b", "GET", "", "/b"}}, []string{"a", "b"}},
		{"no id", []operation{{"", "GET", "/v1", "/a"}}, []string{"GET /v1/a"}},
		{"one id, two operations", []operation{{"a", "GET", "/v1", "/a"}, {"a", "GET", "/v2", "/a"}}, []string{"GET /v1/a", "GET /v2/a"}},
		{"the label of what is unknown", []operation{{"unknown", "GET", "", "/a"}}, []string{"GET /a"}},
		{"the route of another operation", []operation{{"GET /b", "GET", "", "/a"}, {"", "GET", "", "/b"}}, []string{"GET /a", "GET /b"}},
		{"one route, two hosts", []operation{{"a", "GET", "/v1", "/a"}, {"a", "GET", "/v1", "/a"}}, []string{"GET api1.example/v1/a", "GET api2.example/v1/a"}},
		{"its own route", []operation{{"GET /a", "GET", "", "/a"}}, []string{"GET /a"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			host = 0
			var operations []*Operation
			for _, o := range test.operations {
				operations = append(operations, &Operation{
					Operation: &inventory.Operation{ID: o.id, Method: o.method, Path: o.path},
					Version:   version(),
					BasePaths: []string{o.base},
				})
			}
			label(operations)
			var got []string
			for _, o := range operations {
				got = append(got, o.Label)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
