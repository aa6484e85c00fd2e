package enforce_test

import (
	"bufio"
	"fmt"
	"net/textproto"
	"os"
	"strings"
	"testing"

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

// compiled compiles a specification, after change has had its way with the
// policies.
func compiled(t testing.TB, path string, change func(*policy.Set)) *enforce.Engine {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	diags := &diag.List{}
	api, _ := openapi.LoadBytes(data, path, diags)
	if api == nil {
		t.Fatal(diags.Err())
	}
	graph := model.Bare(api)
	graph.Services[0].Upstream = "127.0.0.1:1"
	rules := threat.LoadCatalogue(policies.FS, diags)
	set := policy.Derive(graph, rules, threat.Enumerate(graph, rules), policy.Modes{}, diags)
	change(set)
	releases := compile.Releases(set, diags)
	if diags.HasErrors() {
		t.Fatal(diags.Err())
	}
	bundle, err := artifact.Decode(releases[0].Bundle)
	if err != nil {
		t.Fatal(err)
	}
	return enforce.New(bundle)
}

func inMode(m violation.Mode) func(*policy.Set) {
	return func(set *policy.Set) {
		set.Services[0].Mode = m
		for _, o := range set.Services[0].Operations {
			o.Mode = m
		}
	}
}

// world is a quiet one: noon, one client, no shared memory.
type world struct{}

func (world) Now() int64                      { return 43200e9 }
func (world) ClientAddress() []byte           { return []byte("192.0.2.1") }
func (world) HashKey() siphash.Key            { return siphash.Key{K0: 1, K1: 2} }
func (world) FromUpstream() bool              { return true }
func (world) Get([]byte) ([]byte, uint32)     { return nil, 0 }
func (world) Set([]byte, []byte, uint32) bool { return true }

// message is a request: a first line "METHOD target", header lines, an empty
// line, a body. A body has a JSON content type and its length, unless the
// headers say otherwise; "chunked: yes" leaves the length out.
type message struct {
	headers []enforce.Header
	body    []byte
}

func parse(t testing.TB, text string) message {
	t.Helper()
	head, body, _ := strings.Cut(text, "\n\n")
	first, rest, _ := strings.Cut(head, "\n")
	method, target, _ := strings.Cut(first, " ")
	m := message{body: []byte(body)}
	add := func(name, value string) {
		m.headers = append(m.headers, enforce.Header{Name: []byte(name), Value: []byte(value)})
	}
	add(":method", method)
	add(":path", target)
	add(":authority", "shop.example:8080")
	add("x-request-id", "7c9e")
	typed, chunked := body == "", body == ""
	for lines := bufio.NewScanner(strings.NewReader(rest)); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), ":")
		name, value = strings.ToLower(name), textproto.TrimString(value)
		switch name {
		case "chunked":
			chunked = true
			continue
		case "content-type":
			typed = true
			if value == "" {
				continue
			}
		}
		add(name, value)
	}
	if !typed {
		add("content-type", "application/json")
	}
	if !chunked {
		add("content-length", fmt.Sprint(len(body)))
	}
	return m
}

// judge drives a request through the engine in chunks of the given size, 0
// for one chunk, and returns its verdict: "allowed", or the violations.
func judge(e *enforce.Engine, m message, size int, trailers bool) string {
	r := e.Begin()
	defer r.End()
	headers := func(end bool) enforce.Action { return r.Headers(m.headers, end, world{}) }
	after := func() enforce.Action { return r.Trailers(nil) }
	return verdict(r, deliver(m.body, size, trailers, headers, r.Body, after))
}

// deliver passes a message on as it may come, up to where it is rejected, and
// returns the last action.
func deliver(body []byte, size int, trailers bool, headers func(end bool) enforce.Action, part func([]byte, bool) enforce.Action, after func() enforce.Action) enforce.Action {
	action := headers(len(body) == 0 && !trailers)
	for len(body) > 0 && action != enforce.Reject {
		n := size
		if n == 0 || n > len(body) {
			n = len(body)
		}
		action = part(body[:n], n == len(body) && !trailers)
		body = body[n:]
	}
	if trailers && action != enforce.Reject {
		action = after()
	}
	return action
}

func verdict(r *enforce.Request, action enforce.Action) string {
	var b strings.Builder
	if !r.Judged() {
		b.WriteString("undecided ")
	}
	if action == enforce.Hold {
		b.WriteString("held ")
	}
	if (action == enforce.Reject) != (r.Decision() == violation.Rejected) {
		fmt.Fprintf(&b, "action %d with decision %s ", action, r.Decision())
	}
	if len(r.Violations()) == 0 {
		b.WriteString("allowed")
	}
	for i, v := range r.Violations() {
		if i > 0 {
			b.WriteString("; ")
		}
		fmt.Fprintf(&b, "%s:%s %s", v.Code.Family(), v.Code, v.In)
		if v.Pointer != "" {
			fmt.Fprintf(&b, " %s", v.Pointer)
		}
	}
	return b.String()
}

const allowed = "allowed"

var verdicts = []struct{ request, want string }{
	// Routes.
	{"GET /v1/orders/7", allowed},
	{"HEAD /v1/orders/7", allowed},
	{"GET /v1/nothing", "inventory:unknown-operation request"},
	{"GET /orders/7", "inventory:unknown-operation request"},
	{"GET /v1/orders/7/", "inventory:unknown-operation request"},
	{"PUT /v1/orders/7", "inventory:method request"},
	{"OPTIONS /v1/orders/7", "inventory:method request"},
	{"DELETE /v1/orders/7", "inventory:deprecated request"},
	{"GET /v1/orders/7%2f8", "validation:path path"},
	{"GET /v1/orders/%2e%2e", "validation:path path"},
	{"GET /v1/orders/%zz", "validation:path path"},
	{"GET /v1/orders/7%00", "validation:path path"},
	{"GET /v1/orders/..;", "validation:path path"},
	{"GET /v1/orders/..%3Bx", "validation:path path"},
	{"GET /v1/orders/%2e;x", "validation:path path"},
	{"GET /v1/lists/all", "token:missing request"},
	{"GET /v1/lists/all;x", "validation:path path"}, // "all" to a servlet
	{"GET /v1/lists/%61ll;", "validation:path path"},
	{"GET /v1/lists/all%3Bx", "validation:path path"},
	{"GET /v1/lists/a;all", "validation:enum path names/0"},

	// Path parameters.
	{"GET /v1/orders/abc", "validation:type path id"},
	{"GET /v1/orders/0", "validation:minimum path id"},
	{"GET /v1/orders/9223372036854775807", allowed},
	{"GET /v1/orders/9223372036854775808", "validation:format path id"},
	{"GET /v1/orders/+7", "validation:type path id"},
	{"GET /v1/orders/07", "validation:type path id"},
	{"GET /v1/orders/0x7", "validation:type path id"},
	{"GET /v1/orders/7.0", allowed},
	{"GET /v1/orders/7e0", "validation:type path id"},
	{"GET /v1/orders/%37", allowed},

	{"GET /v1/lists/a,b", allowed},
	{"GET /v1/lists/%61,b", allowed},
	{"GET /v1/lists/a%2Cb", "validation:enum path names/0"}, // one item, which has a comma
	{"GET /v1/lists/%2561", "validation:enum path names/0"}, // decodes once, to "%61"

	// Query parameters.
	{"GET /v1/orders?state=open", allowed},
	{"GET /v1/orders?state=open&limit=50", allowed},
	{"GET /v1/orders", "validation:required query state"},
	{"GET /v1/orders?state=", "validation:enum query state"},
	{"GET /v1/orders?state=lost", "validation:enum query state"},
	{"GET /v1/orders?%73tate=o%70en", allowed},
	{"GET /v1/orders?state=open&limit=51", "validation:maximum query limit"},
	{"GET /v1/orders?state=open&limit=abc", "validation:type query limit"},
	{"GET /v1/orders?state=open&limit=1_0", "validation:type query limit"},
	{"GET /v1/orders?state=open&limit=%2B1", "validation:type query limit"},
	{"GET /v1/orders?state=open&limit=NaN", "validation:type query limit"},
	{"GET /v1/orders?state=open&limit=1000e-2", "validation:type query limit"}, // parseInt: 1000
	{"GET /v1/orders?state=open&limit=0.5E1", "validation:type query limit"},
	{"GET /v1/orders?state=open&limit=1&limit=2", "validation:repeated-parameter query limit"},
	{"GET /v1/orders?state=open&state=open", "validation:repeated-parameter query state"},
	{"GET /v1/orders?state=open&limit=%zz", "validation:parameter-encoding query limit"},
	{"GET /v1/orders?state=%ff", "validation:parameter-encoding query state"},
	{"GET /v1/orders?state=open&csv=a,%C0%80", "validation:parameter-encoding query csv"},
	{"GET /v1/orders?state=open&debug=1", "validation:undeclared-parameter query *"},
	{"GET /v1/orders?state=open&", allowed},
	{"GET /v1/orders?state=open&&limit=3", allowed},
	{"GET /v1/orders?state=open;limit=99", "validation:enum query state"},
	{"GET /v1/orders?state=open&ids=1&ids=2&ids=3", allowed},
	{"GET /v1/orders?state=open&ids=1&ids=2&ids=3&ids=4", "validation:max-items query ids"},
	{"GET /v1/orders?state=open&ids=1&ids=x", "validation:type query ids/1"},
	{"GET /v1/orders?state=open&ids=1,2", "validation:type query ids/0"},
	{"GET /v1/orders?state=open&csv=a,b,abc", allowed},
	{"GET /v1/orders?state=open&csv=a,abcd", "validation:max-length query csv/1"},
	{"GET /v1/orders?state=open&csv=a%2Cb", allowed}, // one item "a,b"
	{"GET /v1/orders?state=open&csv=a&csv=b", "validation:repeated-parameter query csv"},
	{"GET /v1/orders?state=open&filter[color]=red&filter[size]=3", allowed},
	{"GET /v1/orders?state=open&filter%5Bcolor%5D=red", allowed},
	{"GET /v1/orders?state=open&filter[size]=x", "validation:type query filter/size"},
	{"GET /v1/orders?state=open&filter[admin]=1", "validation:undeclared-property query filter/*"},
	{"GET /v1/orders?state=open&filter[color]=a&filter[color]=b", "validation:repeated-parameter query filter"},
	{"GET /v1/orders?state=open&filter=red", "validation:undeclared-parameter query *"},
	{"GET /v1/orders?state=open&loose[color]=red&loose[other]=1", allowed},
	{"GET /v1/orders?state=open&loose[color][$ne]=red", "validation:undeclared-parameter query *"},
	{"GET /v1/orders?state=open&loose%5Bcolor%5D%5B$ne%5D=red", "validation:undeclared-parameter query *"},
	{"GET /v1/orders?state=open&loose[]=red", "validation:undeclared-parameter query *"},
	{"GET /v1/orders?state=open&spaced=a%20b", allowed},
	{"GET /v1/orders?state=open&spaced=a+b", allowed},
	{"GET /v1/orders?state=open&spaced=a+b%20c", "validation:max-items query spaced"},
	{"GET /v1/orders?state=open&piped=a|b", allowed},
	{"GET /v1/orders?state=open&piped=a%7cb|c", "validation:max-items query piped"},
	{"GET /v1/orders?state=open&piped=a%7Cb%7cc", "validation:max-items query piped"},
	{`GET /v1/orders?state=open&q={"a":1}`, allowed},
	{`GET /v1/orders?state=open&q=%7B%22a%22%3A1%7D`, allowed},
	{`GET /v1/orders?state=open&q={"b":1}`, "validation:required query q/a"},
	{`GET /v1/orders?state=open&q={`, "validation:json query q/*"},
	{"GET /v1/orders?state=open&flag=true", allowed},
	{"GET /v1/orders?state=open&flag=True", "validation:type query flag"},
	{"GET /v1/orders?state=open&flag=1", "validation:type query flag"},
	{"GET /v1/orders?state=open&empty", allowed},
	{"GET /v1/orders?state=open&empty=", allowed},
	{"GET /v1/orders?state=open&empty=x", "validation:type query empty"},
	{"GET /v1/orders?state=open" + strings.Repeat("&ids=1", 100), "validation:too-many-parameters query"},

	// Headers and cookies.
	{"GET /v1/orders?state=open\nx-trace: 00ff", allowed},
	{"GET /v1/orders?state=open\nx-trace: 00FF", "validation:pattern header x-trace"},
	{"GET /v1/orders?state=open\nx-trace: 00ff\nx-trace: 00ff", "validation:repeated-parameter header x-trace"},
	{"GET /v1/orders?state=open\nx_trace: 00FF", "validation:pattern header x-trace"}, // WSGI reads it
	{"GET /v1/orders?state=open\nx-trace: 00ff\nx_trace: 00ff", "validation:repeated-parameter header x-trace"},
	{"GET /v1/orders?state=open\nx-other: anything", allowed},
	{"GET /v1/lists/a\nx-sizes: 1, 2 ,3", allowed},
	{"GET /v1/lists/a\nx-sizes: 1, 2 3", "validation:type header x-sizes/1"},
	{"GET /v1/lists/a\nx-sizes: %31", "validation:type header x-sizes/0"},
	{"GET /v1/orders?state=open\ncookie: a=b; theme=dark", allowed},
	{"GET /v1/orders?state=open\ncookie: theme=blue", "validation:enum cookie theme"},
	{"GET /v1/orders?state=open\ncookie: theme=dark\ncookie: theme=dark", "validation:repeated-parameter cookie theme"},
	{"GET /v1/orders?state=open\ncookie: theme =blue", "validation:enum cookie theme"},
	{"GET /v1/orders?state=open\ncookie: a=b;\ttheme=blue", "validation:enum cookie theme"},
	{"GET /v1/orders?state=open\ncookie: theme = dark ; a=b", allowed},
	{"GET /v1/orders?state=open\ncookie: theme=dark; theme =dark", "validation:repeated-parameter cookie theme"},

	// Bodies.
	{"POST /v1/orders\n\n" + `{"item":"pen","quantity":2}`, allowed},
	{"POST /v1/orders\nchunked: yes\n\n" + `{"item":"pen","quantity":2,"note":null,"tags":["a"]}`, allowed},
	{"POST /v1/orders", "validation:body-missing body"},
	{"POST /v1/orders\n\n" + `{"item":"pen","quantity":"2"}`, "validation:type body /quantity"},
	{"POST /v1/orders\n\n" + `{"item":"pen"}`, "validation:required body /quantity"},
	{"POST /v1/orders\n\n" + `{"item":"pen","quantity":2,"role":"admin"}`, "validation:undeclared-property body /*"},
	{"POST /v1/orders\n\n" + `{"item":"pen","quantity":2,"id":1}`, "validation:read-only body /id"},
	{"POST /v1/orders\n\n" + `{"item":"PEN","quantity":2}`, "validation:pattern body /item"},
	{"POST /v1/orders\n\n" + `{"item":"pen","quantity":0}`, "validation:minimum body /quantity"},
	{"POST /v1/orders\n\n" + `{"item":"pen","quantity":2,"tags":["a",1]}`, "validation:type body /tags/1"},
	{"POST /v1/orders\n\n" + `{"item":"pen","quantity":2,"tags":["a","b","c","d"]}`, "validation:max-items body /tags"},
	{"POST /v1/orders\n\n" + `[]`, "validation:type body"},
	{"POST /v1/orders\n\n" + `{"item":"pen","quantity":2} x`, "validation:json body"},
	{"POST /v1/orders\n\n" + `{"item":"pen","quantity":2`, "validation:json body /quantity"},
	{"POST /v1/orders\n\n" + `{"item":"pen","quantity":2,"tags":[x`, "validation:json body /tags"},
	{"POST /v1/orders\n\n" + `{"item":"pen","item":"pen","quantity":2}`, "validation:duplicate-name body"},
	{"POST /v1/orders\ncontent-type: application/json; charset=utf-8\n\n" + `{"item":"pen","quantity":2}`, allowed},
	{"POST /v1/orders\ncontent-type: Application/JSON\n\n" + `{"item":"pen","quantity":2}`, allowed},
	{"POST /v1/orders\ncontent-type: application/json; charset=utf-16\n\n" + `{"item":"pen","quantity":2}`, "validation:content-type header content-type"},
	{"POST /v1/orders\ncontent-type: application/json;charset=\"UTF8\"\n\n" + `{"item":"pen","quantity":2}`, allowed},
	{"POST /v1/orders\ncontent-type: application/json; charset = utf-7\n\n" + `{"item":"pen","quantity":2}`, "validation:content-type header content-type"},
	{"POST /v1/orders\ncontent-type: application/json; charset*=utf-8''utf-7\n\n" + `{"item":"pen","quantity":2}`, "validation:content-type header content-type"},
	{"POST /v1/orders\ncontent-type: application/json; charset=utf-8; charset=utf-7\n\n" + `{"item":"pen","quantity":2}`, "validation:content-type header content-type"},
	{"POST /v1/orders\ncontent-type: application/json\ncontent-type: text/csv\n\n{}", "validation:content-type header content-type"},
	{"POST /v1/orders\ncontent-type: application/json, text/csv\n\n{}", "validation:content-type header content-type"},
	{"POST /v1/orders\ncontent-type: text/plain\n\nhello", "validation:content-type header content-type"},
	{"POST /v1/orders\ncontent-type:\n\n{}", "validation:content-type header content-type"},
	{"POST /v1/orders\ncontent-type:\nchunked: yes\n\n{}", "validation:content-type header content-type"},
	{"POST /v1/orders\ncontent-encoding: br\n\n{}", "validation:content-encoding header content-encoding"},
	{"POST /v1/orders\ncontent-encoding: gzip\ncontent-encoding: identity\n\n{}", "validation:content-encoding header content-encoding"},
	{"POST /v1/orders\ncontent-encoding: identity\n\n" + `{"item":"pen","quantity":2}`, allowed},
	{"POST /v1/orders\ncontent-encoding: Identity\n\n{}", "validation:required body /item"},
	{"POST /v1/orders\nchunked: yes\ncontent-length: 0\n\n{}", "validation:required body /item"},
	{"POST /v1/orders\nchunked: yes\ncontent-length: 0\ncontent-type:\n\n{}", "validation:content-type header content-type"},
	{"PATCH /v1/orders\ncontent-type: application/merge-patch+json\n\n{}", allowed},
	{"PATCH /v1/orders\ncontent-type: application/merge-patch+json\n\n[]", "validation:type body"},
	{"PATCH /v1/orders\ncontent-type: text/csv\n\na,b", allowed},
	{"PATCH /v1/orders\ncontent-type: image/png\n\na,b", "validation:content-type header content-type"},
	{"PATCH /v1/orders", allowed},
	{"GET /v1/orders/7\n\n{}", "validation:body-unexpected body"},
	{"GET /v1/orders/7\nchunked: yes\n\n{}", "validation:body-unexpected body"},
	{"POST /v1/orders\nchunked: yes\ncontent-length: 1048577\n\n{}", "validation:body-size body"},

	// Credentials.
	{"GET /v1/bearer", "token:missing request"},
	{"GET /v1/bearer\nauthorization: Bearer abc.def", allowed},
	{"GET /v1/bearer\nauthorization: bearer abc.def", allowed},
	{"GET /v1/bearer\nauthorization: Bearer a b", "token:malformed request"},
	{"GET /v1/bearer\nauthorization: Bearer", "token:malformed request"},
	{"GET /v1/bearer\nauthorization: Basic dTpw", "token:missing request"},
	{"GET /v1/bearer\nauthorization: Bearer a\nauthorization: Bearer b", "token:malformed request"},
	{"GET /v1/basic\nauthorization: Basic dTpw", allowed},
	{"GET /v1/basic\nauthorization: Basic ####", "token:malformed request"},
	{"GET /v1/key\nx-api-key: k", allowed},
	{"GET /v1/key\nx-api-key:", "token:malformed request"},
	{"GET /v1/key\nx-api-key: k\nx-api-key: l", "token:malformed request"},
	{"GET /v1/key", "token:missing request"},
	{"GET /v1/session\ncookie: session=s", allowed},
	{"GET /v1/session\ncookie: session=\" \"", "token:malformed request"},
	{"GET /v1/session\ncookie: other=s", "token:missing request"},
	{"GET /v1/query-key?api_key=k", allowed},
	{"GET /v1/query-key", "token:missing request"},
	{"GET /v1/query-key?api%5Fkey=k", allowed},
	{"GET /v1/query-key?api_key=k&api_key=l", "token:malformed request"},
	{"GET /v1/query-key?api_key=%00", "token:malformed request"},
	{"GET /v1/query-key?api_key=k%00", "token:malformed request"},
	{"GET /v1/query-key?api_key=%20+", "token:malformed request"},
	{"GET /v1/query-key?api_key=%6b", allowed},
	{"GET /v1/query-key?api_key=k&api%5Fkey=l", "token:malformed request"},
	{"GET /v1/query-key?api_key=k&x=1", "validation:undeclared-parameter query *"},
	{"GET /v1/either\nx-api-key: k", allowed},
	{"GET /v1/either\nauthorization: Bearer abc", allowed},
	{"GET /v1/either\nauthorization: Bearer a b", "token:malformed request"},
	{"GET /v1/either", "token:missing request"},
	{"GET /v1/both\nx-api-key: k", "token:missing request"},
	{"GET /v1/both\nx-api-key: k\nauthorization: Bearer abc", allowed},
	{"GET /v1/optional", allowed},
	{"GET /v1/optional-key", allowed},
	{"GET /v1/optional-key?api_key=k", allowed},
	{"GET /v1/optional\nauthorization: Bearer abc", allowed},
	{"GET /v1/optional\nauthorization: Basic dTpw", allowed},
	{"GET /v1/optional\nauthorization: Bearer a b", "token:malformed request"},
	{"GET /v1/either\nx-api-key: k\nauthorization: Bearer abc", allowed},
	{"GET /v1/either\nx-api-key: k\nauthorization: Bearer a b", "token:malformed request"},
	{"GET /v1/key\nx-api-key: k\nx_api_key: l", "token:malformed request"},
	{"GET /v1/session\ncookie: session=s; session =t", "token:malformed request"},

	// Upgrades.
	{"GET /v1/orders/7\nupgrade: websocket\nconnection: upgrade", "validation:upgrade request"},
	{"CONNECT /v1/orders/7", "inventory:method request"},

	// Identity headers are removed and recorded, not refused.
	{"GET /v1/orders/7\nx-user-id: 7", "token:identity-header header x-user-id"},
	{"GET /v1/orders/7\nx_user_id: 7", "token:identity-header header x-user-id"},
}

func TestVerdicts(t *testing.T) {
	enforcing := compiled(t, "testdata/api.yaml", inMode(violation.Enforce))
	shadowing := compiled(t, "testdata/api.yaml", inMode(violation.Shadow))
	ways := 0
	for _, row := range verdicts {
		name, _, _ := strings.Cut(row.request, "\n")
		t.Run(name, func(t *testing.T) {
			m := parse(t, row.request)
			for _, size := range []int{0, 1, 2, 3, 7} {
				for _, trailers := range []bool{false, true} {
					ways++
					if got := judge(enforcing, m, size, trailers); got != row.want {
						t.Errorf("enforce, chunks of %d, trailers %t:\n got %s\nwant %s\nin %s", size, trailers, got, row.want, row.request)
					}
					// Shadow finds the same violation first, and perhaps more.
					if got := judge(shadowing, m, size, trailers); got != row.want && !strings.HasPrefix(got, row.want+"; ") {
						t.Errorf("shadow, chunks of %d, trailers %t:\n got %s\nwant %s\nin %s", size, trailers, got, row.want, row.request)
					}
				}
			}
		})
	}
	t.Logf("%d requests judged in %d ways, in both modes", len(verdicts), ways)
	if ways < 1000 {
		t.Errorf("only %d ways", ways)
	}
}

// However many violations there are that do not reject, one that does is
// neither lost nor outweighed by them.
func TestHarmlessViolationsHideNothing(t *testing.T) {
	for _, mode := range []violation.Mode{violation.Enforce, violation.Shadow} {
		e := compiled(t, "testdata/api.yaml", inMode(mode))
		for _, n := range []int{compile.MaxRecords - 1, compile.MaxRecords, compile.MaxRecords + 1} {
			m := parse(t, "POST /v1/orders\n"+strings.Repeat("x-user-id: 7\n", n)+"\n{}")
			r := e.Begin()
			r.Headers(m.headers, false, world{})
			r.Body(m.body, true)
			if r.Decision() == violation.Allowed || r.Primary().Code != violation.Required {
				t.Errorf("%s, %d identity headers: %s, for %s", mode, n, r.Decision(), r.Primary().Code)
			}
			r.End()
		}
	}
}

func TestJudgingAllocatesNothing(t *testing.T) {
	e := compiled(t, "testdata/api.yaml", inMode(violation.Enforce))
	allocateNothing(t, e, map[string]string{
		"path":        "GET /v1/orders/7",
		"query":       "GET /v1/orders?state=open&limit=5&ids=1&ids=2&csv=a%2Cb&filter[color]=r%65d\nx-trace: 00ff\ncookie: theme=dark",
		"body":        "POST /v1/orders\n\n" + `{"item":"pen","quantity":2,"note":"a \"note\" – long","tags":["a","b"]}`,
		"credentials": "GET /v1/both\nx-api-key: k\nauthorization: Bearer abc",
		"rejected":    "POST /v1/orders\n\n" + `{"item":"pen","quantity":"2"}`,
		"unknown":     "GET /v1/nothing",
	})
}

// allocateNothing checks it of judging each of the requests once more.
func allocateNothing(t *testing.T, e *enforce.Engine, requests map[string]string) {
	for name, text := range requests {
		t.Run(name, func(t *testing.T) {
			m := parse(t, text)
			run := func() { drive(e, m) }
			run()
			if n := testing.AllocsPerRun(200, run); n != 0 {
				t.Errorf("%v allocations", n)
			}
		})
	}
}

func drive(e *enforce.Engine, m message) {
	r := e.Begin()
	action := r.Headers(m.headers, len(m.body) == 0, world{})
	if len(m.body) > 0 && action != enforce.Reject {
		r.Body(m.body, true)
	}
	r.End()
}

func BenchmarkJudge(b *testing.B) {
	e := compiled(b, "testdata/api.yaml", inMode(violation.Enforce))
	for name, text := range map[string]string{
		"get":  "GET /v1/orders?state=open&limit=5&ids=1&ids=2\nx-trace: 00ff",
		"post": "POST /v1/orders\n\n" + `{"item":"pen","quantity":2,"note":null,"tags":["a","b"]}`,
	} {
		b.Run(name, func(b *testing.B) {
			m := parse(b, text)
			b.ReportAllocs()
			for b.Loop() {
				drive(e, m)
			}
		})
	}
}
