package preflight

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/threatgate/threatgate/controlplane/pipeline"
	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/compile"
	"github.com/threatgate/threatgate/internal/enforce"
	"github.com/threatgate/threatgate/internal/threat"
	"github.com/threatgate/threatgate/internal/violation"
	"github.com/threatgate/threatgate/policies"
)

const spec = `openapi: 3.1.0
info: {title: Orders, version: "1"}
servers: [{url: "https://shop.example/v1"}]
paths:
  /orders/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
    get: {operationId: read, responses: {"200": {description: ok}}}
    put:
      operationId: write
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [sku]
              properties: {sku: {type: string, pattern: "^[a-z]+$"}, lines: {type: array, uniqueItems: true, items: {oneOf: [{type: integer}, {$ref: "#/components/schemas/Line"}]}}}
      responses: {"200": {description: ok}}
  /orders/{id}:{verb}:
    parameters: [{name: id, in: path, required: true, schema: {type: integer}}, {name: verb, in: path, required: true, schema: {enum: [ship]}}]
    post: {operationId: act, responses: {"200": {description: ok}}}
components:
  schemas:
    Line: {type: object, additionalProperties: false, properties: {of: {$ref: "#/components/schemas/Line"}}}
`

func release(t *testing.T, file string, mode violation.Mode) *compile.Release {
	t.Helper()
	out := pipeline.Run(pipeline.Input{Spec: file, Offline: true, Mode: &mode, Catalogue: threat.LoadCatalogue(policies.FS, nil)})
	if err := out.Diags.Err(); err != nil {
		t.Fatal(err)
	}
	return out.Releases[0]
}

func orders(t *testing.T) *compile.Release {
	t.Helper()
	file := filepath.Join(t.TempDir(), "orders.yaml")
	if err := os.WriteFile(file, []byte(spec), 0o600); err != nil {
		t.Fatal(err)
	}
	return release(t, file, violation.Enforce)
}

func TestGoodReleases(t *testing.T) {
	if err := Check(orders(t)); err != nil {
		t.Error(err)
	}
	specs, err := filepath.Glob("../../../shared/corpus/[cp]*/*.[jy]*[nl]")
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, file := range specs {
		if strings.Contains(file, "postman") || strings.Contains(file, "compose") {
			continue
		}
		for _, mode := range []violation.Mode{violation.Shadow, violation.Enforce, violation.Off} {
			if err := Check(release(t, file, mode)); err != nil {
				t.Errorf("%s, %s: %v", file, mode, err)
			}
			checked++
		}
	}
	if _, err := os.Stat("../../../shared"); err != nil {
		t.Skip("the corpus is not there")
	}
	if t.Logf("%d releases of the corpus", checked); checked < 6 {
		t.Errorf("%d releases were checked, want at least 6", checked)
	}
}

// Every operation must be reached, or it is not checked at all.
func TestProbesReachEveryOperation(t *testing.T) {
	bundle, err := artifact.Decode(orders(t).Bundle)
	if err != nil {
		t.Fatal(err)
	}
	p := prober{bundle: bundle, engine: enforce.New(bundle)}
	reached := map[string]bool{}
	for node, path := range paths(bundle) {
		for _, m := range artifact.Of(bundle.Methods, bundle.Nodes[node].Methods) {
			request := p.engine.Begin()
			request.Headers(p.headers(string(bundle.String(m.Name)), path, ""), true, p.world)
			reached[string(request.Operation())] = true
			request.End()
		}
	}
	for _, label := range []string{"read", "write", "act"} {
		if !reached[label] {
			t.Errorf("no probe reaches %s; reached: %v", label, reached)
		}
	}
}

func TestBadReleases(t *testing.T) {
	for _, tc := range []struct {
		name  string
		spoil func(*compile.Release)
		want  string
	}{
		{"damaged", func(r *compile.Release) { r.Bundle[len(r.Bundle)/2] ^= 1 }, "service orders: bundle is damaged: wrong checksum"},
		{"truncated", func(r *compile.Release) { r.Bundle = r.Bundle[:len(r.Bundle)-8] }, "service orders: bundle is truncated or too large"},
		{"empty", func(r *compile.Release) { r.Bundle = nil }, "service orders: not a threatgate bundle"},
		{"of another release", func(r *compile.Release) { r.Digest = strings.Repeat("0", 64) }, "service orders: the bundle's revision is "},
	} {
		r := orders(t)
		tc.spoil(r)
		if err := Check(r); err == nil || !strings.HasPrefix(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %s", tc.name, err, tc.want)
		}
	}
}

func TestPanicIsAnError(t *testing.T) {
	p := prober{bundle: &artifact.Bundle{}} // without an engine
	if err := p.judge("GET", "/", "", ""); err == nil || !strings.HasPrefix(err.Error(), "judging panics: ") {
		t.Errorf("judge: %v", err)
	}
}
