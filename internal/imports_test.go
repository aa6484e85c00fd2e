// Package internal_test keeps the rules of who may import whom.
package internal_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/threatgate/threatgate/"

// rooms is the order of the house: each room, with its sub-packages, and the
// rooms that it may import. A room that is not listed is a finding.
var rooms = map[string][]string{
	"internal/diag":      {},
	"internal/violation": {},
	"internal/artifact":  {"internal/violation"},
	"internal/enforce":   {"internal/artifact", "internal/violation"},
	"internal/inventory": {"internal/diag"},
	"internal/openapi":   {"internal/inventory", "internal/diag"},
	"internal/model":     {"internal/inventory", "internal/diag", "internal/violation"},
	"policies":           {},
	"internal/threat":    {"internal/model", "internal/inventory", "internal/diag", "internal/violation", "policies"},
	"internal/policy":    {"internal/threat", "internal/model", "internal/inventory", "internal/diag", "internal/violation", "policies"},
	"internal/compile":   {"internal/policy", "internal/model", "internal/inventory", "internal/diag", "internal/violation", "internal/artifact"},
	"internal/report":    {"internal/threat", "internal/model", "internal/inventory", "internal/diag", "internal/violation"},
	"filter":             {"internal/enforce", "internal/artifact", "internal/violation"},
	"controlplane": {
		"internal/diag", "internal/violation", "internal/artifact", "internal/inventory", "internal/openapi", "internal/model",
		"internal/threat", "internal/policy", "internal/compile", "internal/report", "policies",
	},
	"controlplane/preflight": {"internal/enforce", "internal/artifact", "internal/violation", "internal/compile", "internal/policy", "internal/model", "internal/inventory"},
}

// banned packages, for what the filter is built from: each costs size, speed
// or purity.
var banned = map[string]string{
	"fmt":           "reflection and size; append to bytes instead",
	"reflect":       "policy is flat records; nothing is looked at by type",
	"encoding/json": "the tokenizer is enforce/json",
	"regexp":        "patterns arrive as automata",
	"net/http":      "a megabyte of what Envoy does already",
	"os":            "judging is pure",
	"log":           "judging is pure",
}

// only names packages that may be imported in one place.
var only = map[string]string{
	"github.com/getkin/kin-openapi":           "internal/openapi e2e",
	"github.com/proxy-wasm/proxy-wasm-go-sdk": "filter e2e",
	"modernc.org/sqlite":                      "controlplane/store",
	"github.com/envoyproxy/go-control-plane":  "controlplane e2e",
}

type pkg struct {
	ImportPath string
	Imports    []string
}

// list runs go list for the given platform.
func list(t *testing.T, env []string, args ...string) (packages []pkg) {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Imports"}, args...)...)
	cmd.Dir = ".."
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

// room is the longest listed room that a path of ours lies in.
func room(path string) string {
	best := ""
	for r := range rooms {
		if (path == r || strings.HasPrefix(path, r+"/")) && len(r) > len(best) {
			best = r
		}
	}
	return best
}

func TestRoomsImportOnlyTheirEarlierOnes(t *testing.T) {
	checked := 0
	wasm := []string{"GOOS=wasip1", "GOARCH=wasm"}
	for _, p := range append(list(t, nil, "./..."), list(t, wasm, "./filter/...")...) {
		path, ours := strings.CutPrefix(p.ImportPath, module)
		if !ours || strings.HasPrefix(path, "e2e") || path == "internal" {
			continue
		}
		at := room(path)
		if at == "" {
			t.Errorf("%s is in no room of the house", path)
			continue
		}
		for _, imported := range p.Imports {
			for dependency, where := range only {
				if strings.HasPrefix(imported, dependency) && !slices.ContainsFunc(strings.Fields(where), func(w string) bool { return strings.HasPrefix(path, w) }) {
					t.Errorf("%s imports %s, which belongs to %s", path, imported, where)
				}
			}
			other, ours := strings.CutPrefix(imported, module)
			if !ours {
				continue
			}
			checked++
			if to := room(other); to != at && !slices.Contains(rooms[at], to) && !(at == "controlplane" && strings.HasPrefix(to, "controlplane")) {
				t.Errorf("%s may not import %s", path, other)
			}
		}
	}
	t.Logf("%d imports between our packages", checked)
	if checked < 40 {
		t.Errorf("only %d imports checked", checked)
	}
}

func TestTheFilterStaysSmall(t *testing.T) {
	wasm := []string{"GOOS=wasip1", "GOARCH=wasm"}
	seen := 0
	for _, p := range list(t, wasm, "-deps", "./filter") {
		if !strings.HasPrefix(p.ImportPath, module) {
			continue
		}
		seen++
		for _, imported := range p.Imports {
			if why, bad := banned[imported]; bad {
				t.Errorf("%s imports %s: %s", p.ImportPath, imported, why)
			}
		}
	}
	if seen < 5 {
		t.Errorf("only %d of our packages are in the filter", seen)
	}
}
