package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/threatgate/threatgate/e2e/gateway"
)

// attempt is a request and what enforce makes of it.
type attempt struct {
	name      string
	line      string   // "METHOD target"
	header    []string // "Name: value"
	body      string
	operation string // label; empty if none matches

	target string // that the upstream sees, where it is another
	want   string // the verdict; empty: it passes
	reply  string // a header of the rejection, "Name: value"
	noted  string // "family:code" that is counted although the request passes
}

func (e *attempt) request(t testing.TB, g *gateway.Gateway) *http.Request {
	t.Helper()
	method, target, _ := strings.Cut(e.line, " ")
	return gateway.Request(t, method, g.URL(target), e.body, e.header...)
}

// label is the operation's in metrics and records.
func (e *attempt) label() string {
	if e.operation == "" {
		return "unknown"
	}
	return e.operation
}

// violated is the "family:code" that is counted; empty if there is none.
func (e *attempt) violated() string {
	if e.want == "" {
		return e.noted
	}
	return strings.Fields(e.want)[1]
}

// verdict is a rejection in one line: "400 validation:type body:/name API3-01",
// or the status alone if the answer is none of the gateway's.
func verdict(a gateway.Answer) string {
	p := a.Problem
	urn, found := strings.CutPrefix(p.Type, "urn:threatgate:")
	if !found || len(p.Errors) != 1 {
		return fmt.Sprintf("%d %s", a.Status, p.Type)
	}
	e := p.Errors[0]
	place := ""
	switch {
	case e.In != "":
		place = e.In + ":" + e.Parameter + " "
	case strings.Contains(string(a.Body), `"pointer":`):
		place = "body:" + e.Pointer + " "
	}
	return fmt.Sprintf("%d %s %s%s", a.Status, urn, place, e.Threat)
}

var requestID = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// expectProblem checks everything of a rejection that is the same for all.
func expectProblem(t testing.TB, a gateway.Answer, want string) {
	t.Helper()
	if got := verdict(a); got != want {
		t.Errorf("verdict %q, want %q\n%s", got, want, a.Body)
		return
	}
	p := a.Problem
	if p.Status != a.Status || p.Title == "" || !strings.HasPrefix(p.Detail, p.Title) || !requestID.MatchString(p.Instance) {
		t.Errorf("problem %s", a.Body)
	}
	if code := p.Type[strings.LastIndexByte(p.Type, ':')+1:]; p.Errors[0].Code != code {
		t.Errorf("error code %q, type %q", p.Errors[0].Code, p.Type)
	}
}

// expectNothingOf checks that text holds none of the words that the request
// was made of, but for those that the specification or the verdict spells.
func expectNothingOf(t testing.TB, e *attempt, known map[string]bool, text string) {
	t.Helper()
	for _, word := range words.FindAllString(e.line+" "+strings.Join(e.header, " ")+" "+e.body, -1) {
		if !known[word] && !strings.Contains(e.want, word) && strings.Contains(text, word) {
			t.Errorf("%q was submitted and comes back in\n%s", word, text)
		}
	}
}

var words = regexp.MustCompile(`[A-Za-z0-9_]{4,}`)

// vocabulary is the words of files.
func vocabulary(t testing.TB, files ...string) map[string]bool {
	t.Helper()
	known := map[string]bool{}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range words.FindAllString(string(text), -1) {
			known[word] = true
		}
	}
	return known
}

// expectArrived checks that exactly one request has reached the upstream, as
// it was sent.
func expectArrived(t testing.TB, up *gateway.Upstream, e *attempt) (arrived gateway.Received) {
	t.Helper()
	all := up.Take()
	if len(all) != 1 {
		t.Errorf("%d requests have reached the upstream, want 1", len(all))
		return
	}
	arrived = all[0]
	method, target, _ := strings.Cut(e.line, " ")
	if e.target != "" {
		target = e.target
	}
	if arrived.Method != method || arrived.Target != target || string(arrived.Body) != e.body {
		t.Errorf("the upstream saw %s %s\n%.500s\nwant %s %s\n%.500s", arrived.Method, arrived.Target, arrived.Body, method, target, e.body)
	}
	return arrived
}

func expectNothingArrived(t testing.TB, up *gateway.Upstream) {
	t.Helper()
	for _, r := range up.Take() {
		t.Errorf("%s %s has reached the upstream", r.Method, r.Target)
	}
}
