package e2e_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/threatgate/threatgate/e2e/gateway"
)

// probe is a request that Schemathesis has made and sent.
type probe struct {
	id       string // its X-Schemathesis-TestCaseId
	negative bool   // it breaks the specification
	what     string // how, or what of the specification it tries
	line     string // "METHOD target"
	header   http.Header
	body     string
	problem  string // "family:code" that it was answered with; empty: none of ours
}

func (p *probe) String() string {
	kind := "positive"
	if p.negative {
		kind = "negative"
	}
	return fmt.Sprintf("%s: %s, problem %q\n%s\n%v\n%.1000q", kind, p.what, p.problem, p.line, p.header, p.body)
}

// schemathesis returns the path of the command.
func schemathesis(t *testing.T) string {
	t.Helper()
	cmd := exec.Command(filepath.Join(gateway.Root, "e2e", "get-schemathesis"))
	var messages strings.Builder
	cmd.Stderr = &messages
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 2 && os.Getenv("CI") == "" {
		t.Skip(strings.TrimSpace(messages.String()))
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, messages.String())
	}
	return strings.TrimSpace(string(out))
}

// probes lets Schemathesis send what it makes of a specification to a
// gateway: what follows from each schema, and as many examples more of each
// operation. Every run makes the same, but for boundaries in multipart bodies.
func probes(t *testing.T, command string, g *gateway.Gateway, spec string, examples int) (all []probe) {
	t.Helper()
	dir := t.TempDir()
	report := filepath.Join(dir, "report.ndjson")
	cmd := exec.Command(command, "run", spec, "--origin", g.URL(""), "--phases", "examples,coverage,fuzzing",
		"--max-examples", strconv.Itoa(examples), "--generation-deterministic", "--suppress-health-check", "all",
		"--checks", "not_a_server_error", "--continue-on-failure", "--header", bearer, "--header", "api_key: abcdef",
		"--report-ndjson-path", report, "--output-sanitize", "false", "--no-color")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("schemathesis: %v\n%s", err, out)
	}
	file, err := os.Open(report)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatalf("schemathesis' report: %v", err)
		}
		if e.NonFatalError != nil {
			t.Errorf("schemathesis: %s", e.NonFatalError)
		}
		for id := range e.ScenarioFinished.Recorder.Cases {
			all = append(all, e.probe(t, id))
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// event is a line of Schemathesis' report, as far as it is read here.
type event struct {
	NonFatalError    json.RawMessage
	ScenarioFinished struct {
		Recorder struct {
			Cases map[string]struct {
				Value struct {
					Meta struct {
						Generation struct{ Mode string }
						Phase      struct {
							Data struct{ Description string }
						}
					}
				}
			}
			Interactions map[string]struct {
				Request struct {
					Method, URI string
					Headers     map[string][]string
					Body        payload
				}
				Response struct {
					Headers map[string][]string // names in lower case
					Content payload
				}
			}
		}
	}
}

// payload is a body in a report: text, or bytes in base64.
type payload string

func (p *payload) UnmarshalJSON(b []byte) error {
	if b[0] == '"' {
		return json.Unmarshal(b, (*string)(p))
	}
	var wrapped struct {
		Bytes []byte `json:"$base64"`
	}
	err := json.Unmarshal(b, &wrapped)
	*p = payload(wrapped.Bytes)
	return err
}

func (e *event) probe(t *testing.T, id string) probe {
	t.Helper()
	meta := e.ScenarioFinished.Recorder.Cases[id].Value.Meta
	sent, ok := e.ScenarioFinished.Recorder.Interactions[id]
	target, err := url.Parse(sent.Request.URI)
	if !ok || err != nil {
		t.Fatalf("schemathesis' report: case %s was sent: %t, %v", id, ok, err)
	}
	p := probe{
		id:       id,
		negative: meta.Generation.Mode == "negative",
		what:     meta.Phase.Data.Description,
		line:     sent.Request.Method + " " + target.RequestURI(),
		header:   sent.Request.Headers,
		body:     string(sent.Request.Body),
	}
	if types := sent.Response.Headers["content-type"]; len(types) == 1 && types[0] == "application/problem+json" {
		p.problem = "unknown" // to HEAD, whose answer has no body
		if content := []byte(sent.Response.Content); len(content) > 0 {
			var problem gateway.Problem
			if err := json.Unmarshal(content, &problem); err != nil {
				t.Errorf("%v: problem details are not JSON: %v", &p, err)
			}
			p.problem = strings.TrimPrefix(problem.Type, "urn:threatgate:")
		}
	}
	return p
}
