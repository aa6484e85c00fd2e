package enforce_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/threatgate/threatgate/internal/enforce"
	"github.com/threatgate/threatgate/internal/model"
	"github.com/threatgate/threatgate/internal/policy"
	"github.com/threatgate/threatgate/internal/violation"
)

// operation finds one of the set's operations by its label.
func operation(set *policy.Set, label string) *policy.Operation {
	for _, o := range set.Services[0].Operations {
		if o.Label == label {
			return o
		}
	}
	panic("no operation " + label)
}

// payload is the header line in which Envoy passes verified claims.
func payload(issuer, claims string) string {
	return "x-threatgate-jwt-" + issuer + ": " + base64.RawURLEncoding.EncodeToString([]byte(claims))
}

func TestVerifiedTokens(t *testing.T) {
	e := compiled(t, "testdata/api.yaml", func(set *policy.Set) {
		inMode(violation.Enforce)(set)
		login, partner := &model.Issuer{ID: "login"}, &model.Issuer{ID: "partner"}
		set.Services[0].Issuers = []*model.Issuer{login, partner}
		operation(set, "bearer").Token.Alternatives = []policy.Alternative{{{
			Kind: policy.Bearer, Issuers: []*model.Issuer{login}, Scopes: []string{"orders:read", "orders:write"},
		}}}
		operation(set, "optional").Token.Alternatives = []policy.Alternative{{{Kind: policy.Bearer, Issuers: []*model.Issuer{login}, Scopes: []string{"x"}}}, {}}
	})
	const token = "GET /v1/bearer\nauthorization: Bearer a.b.c\n"
	for _, row := range []struct{ request, want string }{
		{"GET /v1/bearer", "token:missing request"},
		{token, "token:not-verified request"},
		{token + payload("login", `{"sub":"u","scope":"orders:read orders:write"}`), allowed},
		{token + payload("login", `{"sub":"u","scp":["orders:write","orders:read"]}`), allowed},
		{token + payload("login", `{"sub":"u","scope":"orders:read"}`), "access:scope request"},
		{token + payload("login", `{"sub":"u"}`), "access:scope request"},
		{"GET /v1/bearer\nauthorization: Bearer ~a.b.c\n" + payload("login", `{"scope":"orders:read orders:write"}`), "token:not-verified request"},
		{"GET /v1/bearer\nauthorization: Bearer a.b.c/d\n" + payload("login", `{"scope":"orders:read orders:write"}`), "token:not-verified request"},
		{token + payload("partner", `{"scope":"orders:read orders:write"}`), "token:not-verified request"},
		{token + "x-threatgate-jwt-login: %%%", "token:not-verified request"},
		{token + payload("login", `{"scope":"orders:read orders:write"`), "token:not-verified request"},
		{token + payload("login", `{"scope":"x","scope":"orders:read orders:write"}`), "token:not-verified request"},
		{"GET /v1/bearer\n" + payload("login", `{"scope":"orders:read orders:write"}`), "token:missing request"},
		{token + strings.ReplaceAll(payload("login", `{"scope":"orders:read orders:write"}`), "-jwt-", "_jwt_"), "token:not-verified request"},
		{"GET /v1/optional", allowed},
		{"GET /v1/optional\nauthorization: Bearer a.b.c", "token:not-verified request"},
		{"GET /v1/optional\nauthorization: Bearer a.b.c\n" + payload("login", `{}`), allowed}, // out of scope, so like anybody
	} {
		if got := judge(e, parse(t, row.request), 0, false); got != row.want {
			t.Errorf("%q:\n got %s\nwant %s", row.request, got, row.want)
		}
	}
}

// shared is a world with memory, in which time is set by hand.
type shared struct {
	world
	now    int64
	client string
	pages  map[string][]byte
}

func (s *shared) Now() int64                      { return s.now }
func (s *shared) ClientAddress() []byte           { return []byte(s.client) }
func (s *shared) Get(key []byte) ([]byte, uint32) { return s.pages[string(key)], 0 }
func (s *shared) Set(key, value []byte, _ uint32) bool {
	s.pages[string(key)] = append([]byte(nil), value...)
	return true
}

func TestLimits(t *testing.T) {
	login := &model.Issuer{ID: "login"}
	limited := func(per model.LimitKey) *enforce.Engine {
		return compiled(t, "testdata/api.yaml", func(set *policy.Set) {
			inMode(violation.Enforce)(set)
			set.Services[0].Issuers = []*model.Issuer{login}
			o := operation(set, "bearer")
			o.Token.Alternatives = []policy.Alternative{{{Kind: policy.Bearer, Issuers: []*model.Issuer{login}}}}
			o.Limits = []*model.Limit{{Per: per, Count: 60, Window: 60e9, Burst: 2}}
		})
	}
	type call struct {
		client, subject string
		after           int64 // seconds
		want            string
	}
	const rate = "limit:rate request"
	for per, calls := range map[model.LimitKey][]call{
		model.PerSubject: {
			{"a", "u", 0, allowed}, {"b", "u", 0, allowed}, {"c", "u", 0, rate}, {"a", "v", 0, allowed},
			{"a", "u", 1, allowed}, {"a", "u", 0, rate},
		},
		model.PerAddress: {
			{"a", "u", 0, allowed}, {"a", "v", 0, allowed}, {"a", "w", 0, rate}, {"b", "u", 0, allowed},
		},
		model.PerOperation: {
			{"a", "u", 0, allowed}, {"b", "v", 0, allowed}, {"c", "w", 0, rate},
		},
	} {
		e := limited(per)
		w := &shared{now: 1e18, pages: map[string][]byte{}}
		for i, c := range calls {
			w.client, w.now = c.client, w.now+c.after*1e9
			m := parse(t, "GET /v1/bearer\nauthorization: Bearer a.b.c\n"+payload("login", `{"sub":"`+c.subject+`"}`))
			r := e.Begin()
			if got := verdict(r, r.Headers(m.headers, true, w)); got != c.want {
				t.Errorf("per %d, call %d: %s, want %s", per, i, got, c.want)
			}
			r.End()
		}
	}
}

// TestLimitsCountAlikeInBothModes: enforce stops at a bad credential, and at
// the first limit that is hit, before it counts any further. So must shadow,
// or it would foretell rejections that never come.
func TestLimitsCountAlikeInBothModes(t *testing.T) {
	login := &model.Issuer{ID: "login"}
	requests := []struct{ token, client string }{
		{"", "a"}, {"", "a"}, {"u", "a"}, {"u", "b"}, {"u", "b"}, {"v", "b"}, {"v", "a"}, {"", "a"}, {"w", "a"}, {"w", "c"},
	}
	decisions := map[violation.Mode][]bool{}
	for _, mode := range []violation.Mode{violation.Enforce, violation.Shadow} {
		e := compiled(t, "testdata/api.yaml", func(set *policy.Set) {
			inMode(mode)(set)
			set.Services[0].Issuers = []*model.Issuer{login}
			o := operation(set, "bearer")
			o.Token.Alternatives = []policy.Alternative{{{Kind: policy.Bearer, Issuers: []*model.Issuer{login}}}}
			o.Limits = []*model.Limit{
				{Per: model.PerSubject, Count: 60, Window: 60e9, Burst: 2},
				{Per: model.PerAddress, Count: 60, Window: 60e9, Burst: 2},
			}
		})
		w := &shared{now: 1e18, pages: map[string][]byte{}}
		for _, c := range requests {
			text := "GET /v1/bearer\n"
			if c.token != "" {
				text += "authorization: Bearer a.b.c\n" + payload("login", `{"sub":"`+c.token+`"}`)
			}
			w.client = c.client
			r := e.Begin()
			r.Headers(parse(t, text).headers, true, w)
			decisions[mode] = append(decisions[mode], r.Decision() != violation.Allowed)
			r.End()
		}
	}
	if enforce, shadow := decisions[violation.Enforce], decisions[violation.Shadow]; !slices.Equal(enforce, shadow) || !slices.Contains(enforce[2:7], true) {
		t.Errorf("enforce rejects %v, shadow would reject %v", enforce, shadow)
	}
}

func TestSunset(t *testing.T) {
	e := compiled(t, "testdata/api.yaml", func(set *policy.Set) {
		inMode(violation.Enforce)(set)
		operation(set, "getOrder").Sunset = time.Unix(43200, 0) // now, in this world
		operation(set, "bearer").Sunset = time.Unix(43201, 0)
	})
	if got := judge(e, parse(t, "GET /v1/orders/7"), 0, false); got != "inventory:sunset request" {
		t.Error(got)
	}
	if got := judge(e, parse(t, "GET /v1/bearer\nauthorization: Bearer a"), 0, false); got != allowed {
		t.Error(got)
	}
}

func TestUpgrades(t *testing.T) {
	e := compiled(t, "testdata/api.yaml", func(set *policy.Set) {
		inMode(violation.Enforce)(set)
		operation(set, "getOrder").Upgrade = true
		operation(set, "createOrder").Upgrade = true
	})
	for _, row := range []struct{ request, want string }{
		{"GET /v1/orders/7\nupgrade: websocket", allowed},
		{"GET /v1/orders/x\nupgrade: websocket", "validation:type path id"},
		{"GET /v1/orders/7\nupgrade: websocket\n\n{}", "validation:upgrade request"},
		{"POST /v1/orders\nupgrade: websocket\n\n{}", "validation:upgrade request"},
		{"POST /v1/orders\nupgrade: websocket\nchunked: yes\n\n{}", "validation:upgrade request"},
		{"GET /v1/bearer\nupgrade: websocket", "validation:upgrade request"},
	} {
		if got := judge(e, parse(t, row.request), 0, false); got != row.want {
			t.Errorf("%q:\n got %s\nwant %s", row.request, got, row.want)
		}
	}
}

func TestOffJudgesNothing(t *testing.T) {
	e := compiled(t, "testdata/api.yaml", inMode(violation.Off))
	for _, row := range verdicts {
		m := parse(t, row.request)
		if got := judge(e, m, 0, false); got != allowed {
			t.Errorf("%q: %s", row.request, got)
		}
	}
}

// A request that can't be judged passes only where its policy says so.
func TestFailure(t *testing.T) {
	for _, row := range []struct {
		mode     violation.Mode
		failure  violation.FailureMode
		action   enforce.Action
		decision violation.Decision
	}{
		{violation.Enforce, violation.Closed, enforce.Reject, violation.Rejected},
		{violation.Enforce, violation.Open, enforce.Pass, violation.Allowed},
		{violation.Shadow, violation.Closed, enforce.Pass, violation.WouldReject},
		{violation.Shadow, violation.Open, enforce.Pass, violation.Allowed},
	} {
		e := compiled(t, "testdata/api.yaml", func(set *policy.Set) {
			inMode(row.mode)(set)
			set.Services[0].Failure = row.failure
			for _, o := range set.Services[0].Operations {
				o.Failure = row.failure
			}
		})
		for _, request := range []string{"GET /v1/orders/7", "GET /v1/nothing", "POST /v1/orders\n\n{}"} {
			m := parse(t, request)
			r := e.Begin()
			r.Headers(m.headers, len(m.body) == 0, world{})
			if action := r.Fail(); action != row.action || r.Decision() != row.decision {
				t.Errorf("%s, failing %s, %s: action %d, %s; want %d, %s", row.mode, row.failure, request, action, r.Decision(), row.action, row.decision)
			}
			r.End()
		}
	}
	r := enforce.Unjudged()
	if action := r.Fail(); action != enforce.Reject || r.Status() != 503 {
		t.Errorf("without a policy: action %d, status %d", action, r.Status())
	}
}

func TestProblems(t *testing.T) {
	e := compiled(t, "testdata/api.yaml", inMode(violation.Enforce))
	for _, row := range []struct {
		request string
		status  int
		details string
		headers string
		body    string
	}{
		{
			"GET /v1/nothing", 404, "threatgate:inventory:unknown-operation", "",
			`{"type":"urn:threatgate:inventory:unknown-operation","title":"No such operation","status":404,"detail":"No such operation.","instance":"7c9e","errors":[{"code":"unknown-operation","threat":"API9-01"}]}`,
		},
		{
			"PUT /v1/orders", 405, "threatgate:inventory:method", "allow: GET, POST, PATCH, HEAD",
			`{"type":"urn:threatgate:inventory:method","title":"Method not allowed","status":405,"detail":"Method not allowed.","instance":"7c9e","errors":[{"code":"method","threat":"API5-03"}]}`,
		},
		{
			"GET /v1/orders?state=<script>", 400, "threatgate:validation:enum", "",
			`{"type":"urn:threatgate:validation:enum","title":"Value not among those allowed","status":400,"detail":"Value not among those allowed: query parameter state.","instance":"7c9e","errors":[{"parameter":"state","in":"query","code":"enum","threat":"contract"}]}`,
		},
		{
			"POST /v1/orders\n\n" + `{"item":"pen","quantity":2,"secret\"name":1}`, 400, "threatgate:validation:undeclared-property", "",
			`{"type":"urn:threatgate:validation:undeclared-property","title":"Undeclared property","status":400,"detail":"Undeclared property: body at /*.","instance":"7c9e","errors":[{"pointer":"/*","code":"undeclared-property","threat":"contract"}]}`,
		},
		{
			"GET /v1/bearer\nauthorization: Bearer a b", 401, "threatgate:token:malformed", `www-authenticate: Bearer realm="test", error="invalid_token"`,
			`{"type":"urn:threatgate:token:malformed","title":"Credentials malformed","status":401,"detail":"Credentials malformed.","instance":"7c9e","errors":[{"code":"malformed","threat":"contract"}]}`,
		},
		{
			"GET /v1/either", 401, "threatgate:token:missing", `www-authenticate: ApiKey realm="test"; www-authenticate: Bearer realm="test"`,
			`{"type":"urn:threatgate:token:missing","title":"Credentials required","status":401,"detail":"Credentials required.","instance":"7c9e","errors":[{"code":"missing","threat":"contract"}]}`,
		},
	} {
		m := parse(t, row.request)
		r := e.Begin()
		if r.Headers(m.headers, len(m.body) == 0, world{}) != enforce.Reject && r.Body(m.body, true) != enforce.Reject {
			t.Fatalf("%q is not rejected", row.request)
		}
		var headers []string
		r.ProblemHeaders(func(name, value []byte) { headers = append(headers, fmt.Sprintf("%s: %s", name, value)) })
		body := string(r.AppendProblem(nil))
		if r.Status() != row.status || string(r.Details(nil)) != row.details || strings.Join(headers[1:], "; ") != row.headers || body != row.body+"\n" {
			t.Errorf("%q:\n%d %s\n%s\n%s", row.request, r.Status(), r.Details(nil), strings.Join(headers, "; "), body)
		}
		if headers[0] != "content-type: application/problem+json" || !json.Valid([]byte(body)) {
			t.Errorf("%q: %s, %s", row.request, headers[0], body)
		}
		r.End()
	}
}
