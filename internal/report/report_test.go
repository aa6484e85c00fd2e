package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/model"
	"github.com/threatgate/threatgate/internal/openapi"
	"github.com/threatgate/threatgate/internal/policy"
	"github.com/threatgate/threatgate/internal/threat"
	"github.com/threatgate/threatgate/policies"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func shop(t *testing.T) *Document {
	t.Helper()
	var diags diag.List
	rules := threat.LoadCatalogue(policies.FS, &diags)
	graph, _ := model.Load("testdata/model.yaml", model.Options{OpenSpec: openapi.Load}, &diags)
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	threats := threat.Enumerate(graph, rules)
	set := policy.Derive(graph, rules, threats, policy.Modes{}, nil)
	now := time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC)
	return New(graph, threat.Findings(threats, set.Posture, graph.AcceptedRisks, now))
}

// TestRenderings compares each rendering with its golden file.
func TestRenderings(t *testing.T) {
	doc := shop(t)
	renderings := map[string]func(io.Writer) error{
		"report.txt":   func(w io.Writer) error { return Text(w, doc, Detail{Places: 1}) },
		"explain.txt":  func(w io.Writer) error { return Text(w, doc, Detail{Factors: true}) },
		"report.json":  func(w io.Writer) error { return JSON(w, doc) },
		"nothing.txt":  func(w io.Writer) error { return Text(w, New(&model.Graph{Name: "empty"}, nil), Detail{}) },
		"nothing.json": func(w io.Writer) error { return JSON(w, New(&model.Graph{Name: "empty"}, nil)) },
	}
	for name, render := range renderings {
		var out bytes.Buffer
		if err := render(&out); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		golden := filepath.Join("testdata", "golden", name)
		if *update {
			if err := os.WriteFile(golden, out.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(out.Bytes(), want) {
			t.Errorf("%s differs from its golden file; see what go test -update changes. Got:\n%s", name, out.Bytes())
		}
	}
	files, err := filepath.Glob("testdata/golden/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if renderings[filepath.Base(file)] == nil {
			t.Errorf("%s belongs to no rendering", file)
		}
	}
}

// TestJSONIsReadBack: a program that knows the types loses nothing.
func TestJSONIsReadBack(t *testing.T) {
	var first, second bytes.Buffer
	if err := JSON(&first, shop(t)); err != nil {
		t.Fatal(err)
	}
	var doc Document
	decoder := json.NewDecoder(bytes.NewReader(first.Bytes()))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&doc); err != nil {
		t.Fatal(err)
	}
	if err := JSON(&second, &doc); err != nil {
		t.Fatal(err)
	}
	if first.String() != second.String() {
		t.Error("it reads back differently")
	}
}

func TestAtOrOver(t *testing.T) {
	doc := &Document{Findings: []Finding{
		{Status: "open", Severity: "critical"}, {Status: "open", Severity: "high"}, {Status: "open", Severity: "low"},
		{Status: "watched", Severity: "critical"}, {Status: "answered", Severity: "critical"}, {Status: "accepted", Severity: "critical"},
	}}
	var got []int
	for _, bar := range []threat.Band{threat.Low, threat.Medium, threat.High, threat.Critical} {
		got = append(got, doc.AtOrOver(bar))
	}
	if want := []int{3, 2, 2, 1}; !slices.Equal(got, want) {
		t.Errorf("at or over low, medium, high, critical: %v, want %v", got, want)
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestAFailingWriterIsReported(t *testing.T) {
	doc := shop(t)
	if Text(fullDisk{}, doc, Detail{}) == nil || JSON(fullDisk{}, doc) == nil {
		t.Error("no error")
	}
}
