package pipeline

import (
	"bufio"
	"cmp"
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/threatgate/threatgate/internal/compile"
	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/threat"
	"github.com/threatgate/threatgate/policies"
)

// What the scale suite must find, and what must come of it.
const (
	specifications   = 2_640
	operations       = 126_430
	carried          = 116_522 // of them, on paths that a request can have
	fullyEnforced    = 0.995   // of those
	gitHubOperations = 1_223
	gitHubBundle     = 1_500_000 // bytes
	scaleMemory      = 3 << 30   // bytes, of all of it
)

// TestScaleSuite compiles what e2e/get-specifications has unpacked as
// `threatgate compile --spec` does, and says what is enforced of it.
func TestScaleSuite(t *testing.T) {
	files := specificationFiles(t)
	rules := threat.LoadCatalogue(policies.FS, nil)
	if rules == nil {
		t.Fatal("the rule catalogue does not load")
	}
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(scaleMemory * 2 / 3))

	var all scale
	all.reasons = map[string]int{}
	queue := make(chan string)
	var workers sync.WaitGroup
	for range 2 {
		workers.Go(func() {
			for name := range queue {
				all.add(t, compileSpecification(t, name, rules))
			}
		})
	}
	for _, name := range files {
		queue <- name
	}
	close(queue)
	workers.Wait()

	all.report(t)
	if len(files) < specifications || all.declared.operations < operations || all.declared.carried() < carried {
		t.Errorf("want at least %d specifications, %d operations, %d of them carried", specifications, operations, carried)
	}
	if share := float64(all.coverage.Operations.Full) / float64(all.declared.carried()); share < fullyEnforced {
		t.Errorf("%.2f %% of the operations are fully enforced, want %.1f %%", 100*share, 100*fullyEnforced)
	}
	var memory runtime.MemStats
	if runtime.ReadMemStats(&memory); memory.Sys > scaleMemory {
		t.Errorf("it took %d MB of memory, want at most %d", memory.Sys>>20, scaleMemory>>20)
	}
}

// specificationFiles lists the files, the largest first.
func specificationFiles(t *testing.T) (files []string) {
	const root = "../../bin/specifications"
	if _, err := os.Stat(root); err != nil {
		t.Skip("bin/specifications is not there; e2e/get-specifications gets it")
	}
	sizes := map[string]int64{}
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(name) != ".json" {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			sizes[name] = info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return slices.SortedFunc(maps.Keys(sizes), func(a, b string) int {
		return cmp.Or(cmp.Compare(sizes[b], sizes[a]), strings.Compare(a, b))
	})
}

// declared is what a specification says that it has, by another reader.
type declared struct {
	operations int
	noPath     int // of them, on paths with a fragment or a query
}

func (d declared) carried() int { return d.operations - d.noPath }

// pathItem has the members of a path item, none if it is an extension.
type pathItem map[string]json.RawMessage

func (p *pathItem) UnmarshalJSON(text []byte) error {
	if text[0] != '{' {
		return nil
	}
	return json.Unmarshal(text, (*map[string]json.RawMessage)(p))
}

// pathNamed is the path to which a reference such as "#/paths/~1a" leads.
func pathNamed(ref json.RawMessage) string {
	pointer := strings.TrimPrefix(strings.Trim(string(ref), `"`), "#/paths/")
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(pointer)
}

var methods = map[string]bool{"get": true, "put": true, "post": true, "delete": true, "options": true, "head": true, "patch": true, "trace": true}

func declaredIn(name string) (d declared, err error) {
	f, err := os.Open(name)
	if err != nil {
		return d, err
	}
	defer f.Close()
	var document struct {
		Paths map[string]pathItem
	}
	err = json.NewDecoder(bufio.NewReader(f)).Decode(&document)
	for path, item := range document.Paths {
		if ref, isRef := item["$ref"]; isRef {
			item = document.Paths[pathNamed(ref)]
		}
		for method := range item {
			if !methods[method] {
				continue
			}
			d.operations++
			if strings.ContainsAny(path, "#?") {
				d.noPath++
			}
		}
	}
	return d, err
}

// compiled is what came of one specification.
type compiled struct {
	name     string
	declared declared
	coverage compile.Coverage
	bundle   int // bytes; 0: not compiled
	diags    []diag.Diagnostic
	time     time.Duration
}

func compileSpecification(t *testing.T, name string, rules *threat.Catalogue) compiled {
	began := time.Now()
	out := Run(Input{Spec: name, Offline: true, Catalogue: rules})
	c := compiled{name: name, diags: out.Diags.Sorted(), time: time.Since(began)}
	for _, r := range out.Releases {
		c.coverage, c.bundle = r.Coverage, len(r.Bundle)
	}
	var err error
	if c.declared, err = declaredIn(name); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	return c
}

// scale is what came of all of them.
type scale struct {
	sync.Mutex
	files, compiled int
	declared        declared
	coverage        compile.Coverage
	bundles         int
	reasons         map[string]int
	large           []compiled
}

// add judges one specification: it compiles to as many operations as it has,
// or there is an error that says where and why.
func (s *scale) add(t *testing.T, c compiled) {
	s.Lock()
	defer s.Unlock()
	s.files++
	s.declared.operations += c.declared.operations
	s.declared.noPath += c.declared.noPath
	for _, d := range c.diags {
		if d.Pos.File == "" || d.Pos.Line == 0 {
			t.Errorf("%s: a diagnostic without a position: %s", c.name, d)
		}
		if d.Severity == diag.Error || strings.Contains(d.Message, "not enforced") {
			s.reasons[reason(d)]++
		}
	}
	if c.bundle == 0 {
		if !slices.ContainsFunc(c.diags, func(d diag.Diagnostic) bool { return d.Severity == diag.Error }) {
			t.Errorf("%s: neither a bundle nor an error", c.name)
		}
		return
	}
	if c.coverage.Operations.All != c.declared.carried() {
		t.Errorf("%s: compiled to %d operations, has %d", c.name, c.coverage.Operations.All, c.declared.carried())
	}
	s.compiled++
	s.bundles += c.bundle
	s.coverage.Add(c.coverage)
	if c.time > 2*time.Second || strings.HasSuffix(c.name, "/api.github.com.json") {
		s.large = append(s.large, c)
	}
	if strings.Contains(c.name, "octokit") && (c.coverage.Operations.All < gitHubOperations || c.bundle > gitHubBundle) {
		t.Errorf("GitHub's: %d operations in %d bytes, want at least %d in at most %d", c.coverage.Operations.All, c.bundle, gitHubOperations, gitHubBundle)
	}
}

var (
	quoted    = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|#/\S+`)
	mediaName = regexp.MustCompile(`the schema of .*? bodies`)
	number    = regexp.MustCompile(`\d+`)
)

// reason is a diagnostic without what it is about.
func reason(d diag.Diagnostic) string {
	text := mediaName.ReplaceAllString(quoted.ReplaceAllString(d.Message, "…"), "the schema of … bodies")
	return d.Severity.String() + ": " + number.ReplaceAllString(text, "n")
}

func (s *scale) report(t *testing.T) {
	t.Logf("conformance: scale: %d specifications, %d compiled to %d bytes; %d operations, %d of them on paths that no request has",
		s.files, s.compiled, s.bundles, s.declared.operations, s.declared.noPath)
	operations := s.coverage.Operations
	operations.All = s.declared.carried()
	for _, row := range []struct {
		what  string
		share compile.Share
	}{
		{"operations", operations},
		{"parameters", s.coverage.Parameters},
		{"media types", s.coverage.MediaTypes},
		{"responses", s.coverage.Responses},
		{"schemas", s.coverage.Schemas},
		{"patterns", s.coverage.Patterns},
	} {
		t.Logf("conformance: scale: %-12s %8d, %8d fully enforced: %6.2f %%", row.what, row.share.All, row.share.Full, 100*float64(row.share.Full)/float64(row.share.All))
	}
	reasons := slices.SortedFunc(maps.Keys(s.reasons), func(a, b string) int {
		return cmp.Or(cmp.Compare(s.reasons[b], s.reasons[a]), strings.Compare(a, b))
	})
	for _, reason := range reasons {
		t.Logf("conformance: scale: %8d %s", s.reasons[reason], reason)
	}
	for _, c := range s.large {
		t.Logf("conformance: scale: %s: %d operations, %d bytes, %v", c.name, c.coverage.Operations.All, c.bundle, c.time.Round(100*time.Millisecond))
	}
}
