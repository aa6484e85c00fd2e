package enforce_test

import (
	"bufio"
	"net/textproto"
	"strings"
	"testing"

	"github.com/threatgate/threatgate/internal/enforce"
	"github.com/threatgate/threatgate/internal/policy"
	"github.com/threatgate/threatgate/internal/violation"
)

// parseResponse reads a status, header lines, an empty line, a body. A body
// has a JSON content type and no length, unless the headers say otherwise.
func parseResponse(text string) message {
	head, body, _ := strings.Cut(text, "\n\n")
	status, rest, _ := strings.Cut(head, "\n")
	m := message{body: []byte(body)}
	add := func(name, value string) {
		m.headers = append(m.headers, enforce.Header{Name: []byte(name), Value: []byte(value)})
	}
	add(":status", status)
	typed := body == ""
	for lines := bufio.NewScanner(strings.NewReader(rest)); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), ":")
		name, value = strings.ToLower(name), textproto.TrimString(value)
		if name == "content-type" {
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
	return m
}

// begun judges a request without a body, up to its response.
func begun(t testing.TB, e *enforce.Engine, line string, w enforce.World) *enforce.Request {
	t.Helper()
	r := e.Begin()
	if action := r.Headers(parse(t, line).headers, true, w); action != enforce.Pass || len(r.Violations()) > 0 {
		t.Fatalf("%s: action %d, %v", line, action, r.Violations())
	}
	return r
}

// answer drives a response through the engine in chunks of the given size, 0
// for one chunk, and returns the verdict.
func answer(r *enforce.Request, m message, size int, trailers bool) string {
	defer r.End()
	if !r.AwaitsResponse() {
		return verdict(r, enforce.Pass)
	}
	headers := func(end bool) enforce.Action { return r.ResponseHeaders(m.headers, end) }
	return verdict(r, deliver(m.body, size, trailers, headers, r.ResponseBody, r.ResponseTrailers))
}

const (
	getUser = "GET /user"
	aUser   = "200\nx-remaining: 3\n\n"
	ada     = `{"id":1,"name":"Ada"}`
)

var responses = []struct{ request, response, want string }{
	{getUser, aUser + ada, allowed},
	{getUser, aUser + `{"id":1,"name":"Ada","password":"x"}`, "validation:write-only response-body /password"},
	{getUser, aUser + `{"name":"Ada"}`, "validation:required response-body /id"}, // readOnly, so responses must have it
	{getUser, aUser + `{"id":1,"name":"Ada","role":"x"}`, "validation:undeclared-property response-body /*"},
	{getUser, aUser + `{"id":1,"name":"Ada"`, "validation:json response-body /name"},
	{getUser, aUser + ada + "x", "validation:json response-body"},
	{getUser, aUser[:len(aUser)-2], "validation:body-missing response-body"},
	{getUser, "200\nx-remaining: 3\ncontent-type:\n\n" + ada, "validation:content-type response-header content-type"},
	{getUser, "200\nx-remaining: 3\ncontent-type: text/html\n\n<p>", "validation:content-type response-header content-type"},
	{getUser, "200\nx-remaining: 3\ncontent-type: application/json; charset=latin1\n\n" + ada, "validation:content-type response-header content-type"},
	{getUser, "200\nx-remaining: 3\ncontent-type: application/json;charset=utf-8\n\n" + ada, allowed},

	// Headers.
	{getUser, "200\n\n" + ada, "validation:required response-header x-remaining"},
	{getUser, "200\nx-remaining: -1\n\n" + ada, "validation:minimum response-header x-remaining"},
	{getUser, "200\nx-remaining: many\n\n" + ada, "validation:type response-header x-remaining"},
	{getUser, "200\nx-remaining: 3\nx-kinds: a, b\nx-kinds: a\n\n" + ada, allowed},
	{getUser, "200\nx-remaining: 3\nx-kinds: a\nx-kinds: a,c\n\n" + ada, "validation:enum response-header x-kinds/1"},
	{getUser, "200\nx-remaining: 3\nset-cookie: a=1\nset-cookie: b=2\n\n" + ada, allowed},
	{getUser, "200\nx-remaining: 3\nset-cookie: a=1\nset-cookie: b=23456789\n\n" + ada, "validation:max-length response-header set-cookie"},
	{getUser, "200\nx-remaining: 3\nx_remaining: 4\nx-other: 1\n\n" + ada, allowed},

	// Statuses.
	{getUser, "204", allowed},
	{getUser, "201\nx-remaining: 3\n\n" + ada, "validation:status response"},
	{getUser, "302\nlocation: /", "validation:status response"},
	{getUser, "304", allowed},
	{getUser, "404\ncontent-type: application/problem+json\n\n" + `{"title":"x"}`, allowed},
	{getUser, "404\ncontent-type: application/problem+json\n\n{}", "validation:required response-body /title"},
	{getUser, "404\ncontent-type: text/html\n\n<p>", "validation:content-type response-header content-type"},
	{getUser, "404", allowed}, // without its description, but an error all the same
	{getUser, "500", "validation:error-status response"},
	{getUser, "500\n\nat line 3", "validation:error-status response"},
	{"HEAD /user", "200\ncontent-type: application/json\ncontent-length: 21", allowed},
	{"HEAD /user", "200\nx-remaining: x", "validation:type response-header x-remaining"},
	{"HEAD /user", "302", "validation:status response"},

	// Other formats.
	{"GET /text", "200\ncontent-type: text/plain\n\nabcde", allowed},
	{"GET /text", "200\ncontent-type: text/plain\n\nabcdef", "validation:max-length response-body"},
	{"GET /form", "200\ncontent-type: application/x-www-form-urlencoded\n\na=1", allowed},
	{"GET /form", "200\ncontent-type: application/x-www-form-urlencoded\n\na=x", "validation:type response-body /a"},
	{"GET /xml", "200\ncontent-type: application/xml\n\n<User><id>1</id><name>Ada</name></User>", allowed},
	{"GET /xml", "200\ncontent-type: application/xml\n\n<User><id>1</id><name>Ada</name><password>x</password></User>", "validation:write-only response-body /password"},
	{"GET /lines", "200\ncontent-type: application/x-ndjson\n\n1\n2\n", allowed},
	{"GET /lines", "200\ncontent-type: application/x-ndjson\n\n1\nx\n", "validation:json response-stream /0"},
	{"GET /events", "200\ncontent-type: text/event-stream\n\ndata: much more than five", allowed},
	{"GET /events", "200\ncontent-type: text/plain\n\ndata", "validation:content-type response-header content-type"},
	{"GET /image", "200\ncontent-type: image/png\n\n...", allowed},
	{"GET /image", "200\ncontent-type: text/html\n\n...", "validation:content-type response-header content-type"},
	{"GET /silent", "200\n\nanything", allowed},
	{"GET /silent", "200", allowed},
	{"GET /none", "200\n\nanything", allowed},
	{"GET /none", "302", allowed},
}

// TestResponses judges each response in both modes, whole and in pieces, with
// and without trailers.
func TestResponses(t *testing.T) {
	ran := 0
	for _, mode := range []violation.Mode{violation.Shadow, violation.Enforce} {
		e := compiled(t, "testdata/responses.yaml", inMode(mode))
		for _, row := range responses {
			m := parseResponse(row.response)
			for size := range max(len(m.body), 1) {
				for _, trailers := range []bool{false, true} {
					ran++
					if got := answer(begun(t, e, row.request, world{}), m, size, trailers); got != row.want {
						t.Errorf("%s, chunks of %d, trailers %t: %s: %q:\n got %s\nwant %s", mode, size, trailers, row.request, row.response, got, row.want)
					}
				}
			}
		}
	}
	t.Logf("%d responses judged", ran)
	if ran < 2000 {
		t.Errorf("only %d responses judged", ran)
	}
}

// The decision is about the whole exchange, and of what the mode of that part
// is which has the violation that rejects.
func TestModesOfResponses(t *testing.T) {
	const (
		good   = `{"name":"Ada","password":"x"}`
		bad    = `{"name":1,"password":"x"}`
		broken = `{"id":1,"name":"Ada","password":"x"}`
	)
	for _, row := range []struct {
		request, responses violation.Mode
		body, response     string
		want               string
	}{
		{violation.Enforce, violation.Enforce, good, ada, "allowed"},
		{violation.Enforce, violation.Enforce, good, broken, "rejected: write-only in enforce"},
		{violation.Enforce, violation.Shadow, good, broken, "would_reject: write-only in shadow"},
		{violation.Enforce, violation.Off, good, broken, "allowed"},
		{violation.Enforce, violation.Enforce, bad, broken, "rejected: type in enforce"},
		{violation.Shadow, violation.Enforce, good, ada, "allowed"},
		{violation.Shadow, violation.Enforce, good, broken, "would_reject: write-only in shadow"},
		{violation.Shadow, violation.Enforce, bad, broken, "would_reject: type in shadow"},
		{violation.Shadow, violation.Off, bad, broken, "would_reject: type in shadow"},
		{violation.Off, violation.Enforce, bad, broken, "allowed"},
	} {
		e := compiled(t, "testdata/responses.yaml", func(set *policy.Set) {
			inMode(row.request)(set)
			set.Services[0].Service.ResponseMode = &row.responses
		})
		m := parse(t, "POST /user\n\n"+row.body)
		r := e.Begin()
		r.Headers(m.headers, false, world{})
		r.Body(m.body, true)
		answer(r, parseResponse("201\nx-remaining: 1\n\n"+row.response), 0, false)
		got := r.Decision().String()
		if v := r.Primary(); v != nil {
			got += ": " + v.Code.String() + " in " + r.PrimaryMode().String()
		}
		if got != row.want {
			t.Errorf("requests in %s, responses at most in %s, %s, %s: %s, want %s", row.request, row.responses, row.body, row.response, got, row.want)
		}
	}
}

// What is longer than enforce holds begins to flow, and is cut off at a
// violation. Shadow tells which of the two enforce would do, and holds nothing.
func TestHoldingResponses(t *testing.T) {
	const long = "200\nx-remaining: 3\ncontent-type: application/json\ncontent-length: 11\n\n"
	names := [...]string{enforce.Pass: "pass", enforce.Hold: "hold", enforce.Reject: "reject"}
	for _, row := range []struct {
		head, chunks string // the last chunk ends the body
		actions      string // in enforce
		primary      string
	}{
		{aUser, `{"id":1|,"name":"Ada"}`, "hold hold pass", ""},
		{aUser, `{"id":1|}`, "hold hold reject", "required response-body"},
		{aUser, `{"id":"x"|,"name":"Ada"}`, "hold reject", "type response-body"},
		{aUser, `{"id":1,"n|ame":"Ada"|}`, "hold hold pass pass", ""},
		{aUser, `{"id":1,"name"|:|2,"|password":"x"}`, "hold pass pass reject", "type response-stream"},
		{aUser, `{"id":1|,"role":"x"|}`, "hold hold reject", "undeclared-property response-body"}, // nothing of it has been let go yet
		{long, `{"id":"x"|}`, "pass reject", "type response-stream"},
		{"404\ncontent-type: text/html\n\n", `x`, "reject", "content-type response-header"},
	} {
		for _, mode := range []violation.Mode{violation.Enforce, violation.Shadow} {
			e := compiled(t, "testdata/responses.yaml", func(set *policy.Set) {
				inMode(mode)(set)
				operation(set, "getUser").Bounds.MaxHeld = 10
			})
			r := begun(t, e, getUser, world{})
			action := r.ResponseHeaders(parseResponse(row.head+"x").headers, false)
			got := names[action]
			for chunks := strings.Split(row.chunks, "|"); len(chunks) > 0 && action != enforce.Reject; chunks = chunks[1:] {
				action = r.ResponseBody([]byte(chunks[0]), len(chunks) == 1)
				got += " " + names[action]
			}
			want := row.actions
			if mode == violation.Shadow {
				want = "pass" + strings.Repeat(" pass", strings.Count(row.chunks, "|")+1)
			}
			primary := ""
			if v := r.Primary(); v != nil {
				primary = v.Code.String() + " " + v.In.String()
			}
			if got != want || primary != row.primary {
				t.Errorf("%s: %q, %q: %s, %q; want %s, %q", mode, row.head, row.chunks, got, primary, want, row.primary)
			}
			r.End()
		}
	}
}

// local is a world in which responses are Envoy's own; it counts how often it
// is asked.
type local struct {
	world
	asked *int
}

func (w local) FromUpstream() bool {
	*w.asked++
	return false
}

func TestEnvoysOwnResponsesAreNotJudged(t *testing.T) {
	e := compiled(t, "testdata/responses.yaml", inMode(violation.Enforce))
	for _, row := range []struct {
		response string
		asked    int
	}{
		{"503\ncontent-type: text/plain\n\nno healthy upstream", 1},
		{"404\ncontent-type: application/problem+json\n\n{}", 1},
		{"404\ncontent-type: application/problem+json\n\n" + `{"title":"x"}`, 0},
	} {
		asked := 0
		got := answer(begun(t, e, getUser, local{asked: &asked}), parseResponse(row.response), 0, false)
		if got != allowed || asked != row.asked {
			t.Errorf("%q: %s, asked %d times, want %d", row.response, got, asked, row.asked)
		}
	}
}

// A rejected request has no response but the filter's own.
func TestTheFiltersOwnResponseIsNotJudged(t *testing.T) {
	e := compiled(t, "testdata/responses.yaml", inMode(violation.Enforce))
	for _, request := range []string{"POST /user\n\n{}", "GET /nowhere", "PUT /user"} {
		m := parse(t, request)
		r := e.Begin()
		if r.Headers(m.headers, len(m.body) == 0, world{}) != enforce.Reject {
			r.Body(m.body, true)
		}
		if r.Decision() != violation.Rejected || r.AwaitsResponse() {
			t.Errorf("%s: %s, awaits a response: %t", request, r.Decision(), r.AwaitsResponse())
		}
		r.End()
	}
}

// An upstream may answer before it has read the request.
func TestResponseBeforeTheRequestEnds(t *testing.T) {
	e := compiled(t, "testdata/responses.yaml", inMode(violation.Shadow))
	m := parse(t, "POST /user\nchunked: yes\n\n"+`{"name":"Ada","password":"x","id":1}`)
	r := e.Begin()
	r.Headers(m.headers, false, world{})
	r.Body(m.body[:9], false)
	r.ResponseHeaders(parseResponse("201\nx-remaining: 1\n\nx").headers, false)
	r.ResponseBody([]byte(`{"id":1,`), false)
	r.Body(m.body[9:20], false)
	r.ResponseBody([]byte(`"name":2}`), false)
	r.Body(m.body[20:], true)
	action := r.ResponseTrailers()
	const want = "validation:read-only body /id; validation:type response-body /name"
	if got := verdict(r, action); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A response of any size passes, but no more than a bound of it is judged.
func TestLargeResponses(t *testing.T) {
	for _, row := range []struct{ first, want string }{
		{`{`, "validation:unjudged response-stream"},
		{`{"name":1,`, "validation:type response-body /name; validation:unjudged response-stream"},
	} {
		e := compiled(t, "testdata/responses.yaml", inMode(violation.Shadow))
		r := e.Begin()
		r.Headers(parse(t, "GET /user").headers, true, world{})
		r.ResponseHeaders(parseResponse("200\nx-remaining: 1\n\nx").headers, false)
		action := r.ResponseBody([]byte(row.first), false)
		for n := 0; n < 20 && r.AwaitsResponse(); n++ {
			action = r.ResponseBody([]byte(strings.Repeat(" ", 1<<20)), false)
		}
		if got := verdict(r, action); got != row.want {
			t.Errorf("%s: got %s, want %s", row.first, got, row.want)
		}
	}
}

// Where an upload streams, what is wrong with a response that is only watched
// must not excuse the rest of the request, nor be what it is rejected for.
func TestWatchedResponseBeforeTheRequestEnds(t *testing.T) {
	e := compiled(t, "testdata/responses.yaml", func(set *policy.Set) {
		inMode(violation.Enforce)(set)
		shadow, yes := violation.Shadow, true
		set.Services[0].Service.ResponseMode, set.Services[0].Service.StreamUploads = &shadow, &yes
	})
	for _, row := range []struct {
		rest   string
		action enforce.Action
		want   string
	}{
		{`"password":"x"}`, enforce.Pass, "would_reject required shadow"},
		{`"password":1}`, enforce.Reject, "rejected type enforce"},
	} {
		m := parse(t, "POST /user\nchunked: yes\n\n"+`{"name":"Ada",`)
		r := e.Begin()
		if action := r.Headers(m.headers, false, world{}); action != enforce.Pass {
			t.Fatalf("action %d", action)
		}
		r.Body(m.body, false)
		if action := r.ResponseHeaders(parseResponse("201").headers, true); action != enforce.Pass || r.Settled() {
			t.Errorf("response: action %d, settled %t", action, r.Settled())
		}
		action := r.Body([]byte(row.rest), true)
		if got := r.Decision().String() + " " + r.Primary().Code.String() + " " + r.PrimaryMode().String(); action != row.action || got != row.want || !r.Settled() {
			t.Errorf("%s: action %d, %s, settled %t; want action %d, %s", row.rest, action, got, r.Settled(), row.action, row.want)
		}
		r.End()
	}
}

func TestUpgradedResponses(t *testing.T) {
	e := compiled(t, "testdata/responses.yaml", func(set *policy.Set) {
		inMode(violation.Enforce)(set)
		for _, id := range []string{"getUser", "any", "switch"} {
			operation(set, id).Upgrade = true
		}
	})
	for _, row := range []struct{ path, response, want string }{
		{"/user", "101\nupgrade: websocket", allowed},
		{"/user", aUser + ada, allowed}, // the upstream did not agree
		{"/user", "302", "validation:status response"},
		{"/any", "101\nupgrade: websocket", allowed}, // "default" tells of other answers
		{"/any", "200\n\n" + ada, "validation:required response-header x-remaining"},
		{"/switch", "101\nupgrade: websocket", "validation:required response-header x-remaining"},
	} {
		if got := answer(begun(t, e, "GET "+row.path+"\nupgrade: websocket", world{}), parseResponse(row.response), 0, false); got != row.want {
			t.Errorf("%q: %s, want %s", row.response, got, row.want)
		}
	}
}

func TestFailingOnResponses(t *testing.T) {
	for _, row := range []struct {
		mode     violation.Mode
		failure  violation.FailureMode
		action   enforce.Action
		decision violation.Decision
	}{
		{violation.Enforce, violation.Closed, enforce.Reject, violation.Rejected},
		{violation.Enforce, violation.Open, enforce.Pass, violation.Allowed},
		{violation.Shadow, violation.Closed, enforce.Pass, violation.WouldReject},
	} {
		e := compiled(t, "testdata/responses.yaml", func(set *policy.Set) {
			inMode(row.mode)(set)
			operation(set, "getUser").Failure = row.failure
		})
		r := begun(t, e, getUser, world{})
		r.ResponseHeaders(parseResponse(aUser+ada).headers, false)
		if action := r.FailResponse(); action != row.action || r.Decision() != row.decision || !r.Settled() {
			t.Errorf("%s, failing %s: action %d, %s", row.mode, row.failure, action, r.Decision())
		}
		r.End()
	}
}

func TestProblemsOfResponses(t *testing.T) {
	e := compiled(t, "testdata/responses.yaml", inMode(violation.Enforce))
	for _, row := range []struct{ response, details, body string }{
		{
			aUser + `{"id":1,"name":"Ada","password":"x"}`, "threatgate:response-body:validation:write-only",
			`{"type":"urn:threatgate:validation:write-only","title":"Property is write-only","status":502,"detail":"Property is write-only: response-body at /password.","instance":"7c9e","errors":[{"pointer":"/password","code":"write-only","threat":"API3-03"}]}`,
		},
		{
			"200\n\n" + ada, "threatgate:response-header:validation:required",
			`{"type":"urn:threatgate:validation:required","title":"Required value missing","status":502,"detail":"Required value missing: response-header x-remaining.","instance":"7c9e","errors":[{"parameter":"x-remaining","in":"response-header","code":"required","threat":"contract"}]}`,
		},
		{
			"302", "threatgate:response:validation:status",
			`{"type":"urn:threatgate:validation:status","title":"Undeclared status","status":502,"detail":"Undeclared status: response.","instance":"7c9e","errors":[{"code":"status","threat":"contract"}]}`,
		},
	} {
		r := begun(t, e, getUser, world{})
		m := parseResponse(row.response)
		if r.ResponseHeaders(m.headers, len(m.body) == 0) != enforce.Reject && r.ResponseBody(m.body, true) != enforce.Reject {
			t.Fatalf("%q is not rejected", row.response)
		}
		var headers []string
		r.ProblemHeaders(func(name, value []byte) { headers = append(headers, string(name)+": "+string(value)) })
		if body := string(r.AppendProblem(nil)); r.Status() != 502 || string(r.Details(nil)) != row.details || body != row.body+"\n" {
			t.Errorf("%q:\n%d %s\n%s", row.response, r.Status(), r.Details(nil), body)
		}
		if want := "content-type: application/problem+json"; strings.Join(headers, "; ") != want {
			t.Errorf("%q: %s, want %s", row.response, headers, want)
		}
		r.End()
	}
}

func TestJudgingResponsesAllocatesNothing(t *testing.T) {
	for _, mode := range []violation.Mode{violation.Enforce, violation.Shadow} {
		e := compiled(t, "testdata/responses.yaml", inMode(mode))
		for _, row := range responses {
			request, m := parse(t, row.request), parseResponse(row.response)
			run := func() {
				r := e.Begin()
				r.Headers(request.headers, true, world{})
				if r.AwaitsResponse() && r.ResponseHeaders(m.headers, len(m.body) == 0) != enforce.Reject {
					r.ResponseBody(m.body, true)
				}
				r.End()
			}
			run()
			if n := testing.AllocsPerRun(50, run); n != 0 {
				t.Errorf("%s: %s, %q: %v allocations, want 0", mode, row.request, row.response, n)
			}
		}
	}
}
