package compile

import (
	"slices"
	"strings"
	"testing"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/enforce/route"
	"github.com/threatgate/threatgate/internal/enforce/uri"
	"github.com/threatgate/threatgate/internal/inventory"
	"github.com/threatgate/threatgate/internal/model"
	"github.com/threatgate/threatgate/internal/policy"
)

// routed compiles "METHOD /template" lines into the routes of a bundle.
func routed(t *testing.T, bases []string, lines ...string) (*artifact.Bundle, *diag.List) {
	t.Helper()
	diags := &diag.List{}
	c := &compiler{service: &policy.Service{Service: &model.Service{}}, diags: diags, texts: map[string]artifact.Text{}}
	for _, line := range lines {
		method, path, _ := strings.Cut(line, " ")
		c.service.Operations = append(c.service.Operations, &policy.Operation{Operation: &model.Operation{
			Operation: &inventory.Operation{Method: method, Path: path}, BasePaths: bases,
		}})
		c.bundle.Operations = append(c.bundle.Operations, artifact.Operation{Label: c.text(line)})
	}
	c.routes()
	return &c.bundle, diags
}

func TestRoutes(t *testing.T) {
	bases := []string{"", "/api/v1"}
	lines := []string{
		"GET /orders/{id}", "GET /orders/all", "GET /orders/{id}/items/{item}", "GET /orders/all/stats",
		"GET /", "GET /dir/", "GET /files/{name}.{ext}", "POST /things/{id}:{verb}", "POST /things/{id}:cancel", "GET /things/{thing}",
		"GET /ü/x", "DELETE /orders/{order}", "GET /v{major}/x", "GET /a b", "GET /pair/{first}{second}",
	}
	b, diags := routed(t, bases, lines...)
	if diags.HasErrors() {
		t.Fatal(diags.Err())
	}
	for _, row := range []struct {
		request string // method and path
		want    string // operation, "" for an unknown path; "-" for another method's
		capture []string
	}{
		{"GET /orders/7", "GET /orders/{id}", []string{"7"}},
		{"DELETE /orders/7", "DELETE /orders/{order}", []string{"7"}},
		{"POST /orders/7", "-", nil},
		{"GET /orders/all", "GET /orders/all", nil},
		{"GET /orders/all/items/3", "GET /orders/{id}/items/{item}", []string{"all", "3"}}, // backs up
		{"GET /orders/all/stats", "GET /orders/all/stats", nil},
		{"GET /orders/1/stats", "", nil},
		{"GET /orders/", "", nil}, // a parameter is never empty
		{"GET /orders", "", nil},
		{"GET /orders/7/", "", nil},
		{"GET /", "GET /", nil},
		{"GET /dir/", "GET /dir/", nil},
		{"GET /dir", "", nil},
		{"GET /files/a.txt", "GET /files/{name}.{ext}", []string{"a", "txt"}},
		{"GET /files/a.tar.gz", "GET /files/{name}.{ext}", []string{"a.tar", "gz"}},
		{"GET /files/.txt", "", nil},
		{"GET /files/a.", "", nil},
		{"POST /things/7:cancel", "POST /things/{id}:cancel", []string{"7"}},
		{"POST /things/7:cancel:cancel", "POST /things/{id}:cancel", []string{"7:cancel"}},
		{"POST /things/7:start", "POST /things/{id}:{verb}", []string{"7", "start"}},
		{"GET /things/7:start", "GET /things/{thing}", []string{"7:start"}}, // methods decide among templates
		{"GET /%C3%BC/x", "GET /ü/x", nil},
		{"GET /orders/a%20b", "GET /orders/{id}", []string{"a b"}},
		{"GET /orders/a%2520b", "GET /orders/{id}", []string{"a%2520b"}}, // decoded once
		{"GET /%6Frders/%37", "GET /orders/{id}", []string{"7"}},
		{"GET /v12/x", "GET /v{major}/x", []string{"12"}},
		{"GET /orders/a%2Cb", "GET /orders/{id}", []string{"a%2Cb"}}, // not the separator
		{"GET /a%20b", "GET /a b", nil},
		{"GET /pair/abc", "GET /pair/{first}{second}", []string{"ab", "c"}},
		{"POST /things/7:b:start", "POST /things/{id}:{verb}", []string{"7:b", "start"}},
		{"POST /things/:start", "-", nil}, // a thing
		{"POST /things/7:", "-", nil},
		{"GET /vv2/x", "GET /v{major}/x", []string{"v2"}},
		{"GET /v/x", "", nil},
		{"GET /pair/a", "", nil},
		{"GET /api/v1/orders/7", "GET /orders/{id}", []string{"7"}},
		{"GET /api/v1", "", nil},
		{"GET orders", "", nil},
		{"GET ", "", nil},
		{"GET /ORDERS/7", "", nil},
	} {
		t.Run(row.request, func(t *testing.T) {
			method, path, _ := strings.Cut(row.request, " ")
			var m route.Match
			got := find(&m, b, method, path)
			if got != row.want {
				t.Fatalf("operation %q, want %q", got, row.want)
			}
			if got == "" || got == "-" {
				return
			}
			var captured []string
			for i := range strings.Count(got, "{") {
				captured = append(captured, string(m.Capture(i)))
			}
			if !slices.Equal(captured, row.capture) {
				t.Errorf("captures %q, want %q", captured, row.capture)
			}
		})
	}
}

// A path that another reader takes for another operation's is told.
func TestAmbiguous(t *testing.T) {
	b, _ := routed(t, []string{""},
		"POST /orders/{id}", "POST /orders/{id}:preview", "GET /users/@me", "GET /users/{id}", "GET /users/Admin",
		"GET /at/{one}", "GET /at/{lat},{lon}", "GET /lists/all", "GET /lists/{names}", "GET /ü/a b", "GET /ü/{x}", "GET /only/me", "POST /users/search")
	for _, row := range []struct {
		request   string
		ambiguous bool
	}{
		{"POST /orders/5:preview", false},
		{"POST /orders/5%3Apreview", true}, // an order with that name to Express
		{"POST /orders/5;x:preview", true}, // order 5 to a servlet
		{"POST /orders/5%3Bx:preview", true},
		{"POST /orders/5%3Bx", false}, // an order to all of them
		{"GET /users/@me", false},
		{"GET /users/%40me", true},
		{"GET /users/a%40b", false},
		{"GET /at/1,2", false},
		{"GET /at/1%2C2", true}, // two to net/http
		{"GET /lists/all;x", true},
		{"GET /lists/%61ll", false},
		{"GET /%C3%BC/a%20b", false}, // as it has to be written
		{"GET /%c3%bc/%61%20b", false},
		{"GET /only/me;x", true}, // unknown to us
		{"GET /users/Admin", false},
		{"GET /users/admin", true}, // the same to Express
		{"GET /users/ADMINS", false},
		{"GET /users/Search", true}, // another method's, but a router may look at that later
	} {
		var m route.Match
		method, path, _ := strings.Cut(row.request, " ")
		find(&m, b, method, path)
		if m.Ambiguous != row.ambiguous {
			t.Errorf("%s: ambiguous: %t, want %t", row.request, m.Ambiguous, row.ambiguous)
		}
	}
}

func find(m *route.Match, b *artifact.Bundle, method, path string) string {
	target := uri.Parse([]byte(path))
	m.Find(b, 0, []byte(method), &target)
	if m.Operation != nil {
		return string(b.String(m.Operation.Label))
	}
	if len(m.Methods) > 0 {
		return "-"
	}
	return ""
}

func TestEqualTemplatesMergeByMethodOnly(t *testing.T) {
	_, diags := routed(t, []string{"/v1"}, "GET /a/{x}", "PUT /a/{y}", "GET /a/{z}")
	want := "-: GET /v1/a/{z} is declared more than once, or differs from another template only in the names of its parameters"
	if err := diags.Err(); err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

func TestMatchingIsBounded(t *testing.T) {
	// Every segment has a literal and a template, so a path of that depth
	// backs up through all of them.
	var lines []string
	for depth := range 12 {
		lines = append(lines, "GET "+strings.Repeat("/a", depth+1)+"/end", "GET "+strings.Repeat("/{x}", depth+1)+"/end")
	}
	b, _ := routed(t, []string{""}, lines...)
	var m route.Match
	if got := find(&m, b, "GET", strings.Repeat("/a", 5000)); got != "" {
		t.Errorf("matched %q", got)
	}
	target := uri.Parse([]byte(strings.Repeat("/a", 13) + "/%65nd"))
	if n := testing.AllocsPerRun(100, func() { m.Find(b, 0, []byte("GET"), &target) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
