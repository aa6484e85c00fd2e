package threat

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/inventory"
	"github.com/threatgate/threatgate/internal/model"
)

// LoadSpec loads a specification from memory; it is openapi.LoadBytes.
type LoadSpec func(data []byte, name string, diags *diag.List) (api *inventory.API, files []string)

// RunCases runs every rule's own cases and returns how many there were. One
// that finds something else than it expects is an error at its place.
func (c *Catalogue) RunCases(load LoadSpec, diags *diag.List) (ran int) {
	for _, rule := range c.Rules {
		for _, test := range rule.Cases {
			ran++
			graph, err := test.graph(load)
			if err != nil {
				diags.Errorf(test.Pos, "%s, %q: %v", rule.ID, test.Name, err)
				continue
			}
			found := []string{}
			for _, t := range Enumerate(graph, c) {
				if t.Rule == rule {
					found = append(found, t.String())
				}
			}
			if missing := without(test.Expect, found); len(missing) > 0 {
				diags.Errorf(test.Pos, "%s, %q: not found: %s", rule.ID, test.Name, strings.Join(missing, "; "))
			}
			if surplus := without(found, test.Expect); len(surplus) > 0 {
				diags.Errorf(test.Pos, "%s, %q: found, not expected: %s", rule.ID, test.Name, strings.Join(surplus, "; "))
			}
		}
	}
	return ran
}

// without is list less the elements of other, each taken once.
func without(list, other []string) (out []string) {
	rest := slices.Clone(other)
	for _, s := range list {
		if i := slices.Index(rest, s); i >= 0 {
			rest = slices.Delete(rest, i, i+1)
		} else {
			out = append(out, s)
		}
	}
	return out
}

// String is how a case names t: what it is about, and the evidence.
func (t Threat) String() string {
	var evidence []string
	for _, e := range t.Evidence {
		evidence = append(evidence, e.Text)
	}
	if t.Operation == nil {
		return strings.Join(evidence, ", ")
	}
	return t.Operation.Label + ": " + strings.Join(evidence, ", ")
}

// graph binds what the case is about. A specification need only give what
// matters to the case: see caseDefaults.
func (c *Case) graph(load LoadSpec) (*model.Graph, error) {
	var diags diag.List
	var graph *model.Graph
	if c.Model == nil {
		if api, _ := openSpec(load, "case.yaml", c.Spec, &diags); api != nil {
			graph = model.Bare(api)
		}
		return graph, diags.Err()
	}
	document, err := yaml.Marshal(map[string]any{
		"apiVersion": "threatgate.dev/v1alpha1",
		"kind":       "ThreatModel",
		"metadata":   map[string]string{"name": "case"},
		"spec":       c.Model,
	})
	if err != nil {
		return nil, err
	}
	graph, _ = model.Load("model.yaml", model.Options{
		ReadFile: func(path string) ([]byte, error) {
			switch path {
			case "model.yaml":
				return document, nil
			case "keys.json":
				return []byte(caseKeys), nil
			}
			return nil, fs.ErrNotExist
		},
		OpenSpec: func(path string, _ map[string]string, diags *diag.List) (*inventory.API, []string) {
			return openSpec(load, path, c.Specs[path], diags)
		},
	}, &diags)
	return graph, diags.Err()
}

// caseDefaults are the fields that a specification gets if it lacks them.
const caseDefaults = `
openapi: 3.1.0
info: {title: Case, version: "1"}
components:
  securitySchemes:
    bearer: {type: http, scheme: bearer}
    basic: {type: http, scheme: basic}
    key: {type: apiKey, in: header, name: X-Api-Key}
    query-key: {type: apiKey, in: query, name: api_key}
    oauth: {type: oauth2, flows: {clientCredentials: {tokenUrl: "https://login.example/token", scopes: {read: read, write: write, admin: administer}}}}
`

// caseKeys is a key set whose private key nobody has: the example of RFC 7517
// A.1.
const caseKeys = `{"keys": [{"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": "1",
"x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}`

func openSpec(load LoadSpec, name string, spec *yaml.Node, diags *diag.List) (*inventory.API, []string) {
	if spec == nil {
		diags.Errorf(diag.Pos{File: name}, "the case gives no such specification")
		return nil, nil
	}
	data, err := withDefaults(spec)
	if err != nil {
		diags.Errorf(diag.Pos{File: name}, "%v", err)
		return nil, nil
	}
	return load(data, name, diags)
}

func withDefaults(spec *yaml.Node) ([]byte, error) {
	var defaults yaml.Node
	if err := yaml.Unmarshal([]byte(caseDefaults), &defaults); err != nil {
		return nil, err
	}
	if spec.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("a specification is a mapping, not %s", kind(spec))
	}
	document := *spec
	document.Content = slices.Clone(spec.Content)
	for field := range slices.Chunk(defaults.Content[0].Content, 2) {
		given := func(pair []*yaml.Node) bool { return pair[0].Value == field[0].Value }
		if !slices.ContainsFunc(slices.Collect(slices.Chunk(spec.Content, 2)), given) {
			document.Content = append(document.Content, field...)
		}
	}
	return yaml.Marshal(&document)
}
