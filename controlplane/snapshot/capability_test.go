package snapshot

import (
	"context"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
)

// ungated are the exports that Envoy uses whatever the capabilities say.
var ungated = []string{"_initialize", "proxy_abi_version_0_2_1", "proxy_on_memory_allocate"}

// TestCapabilities: the module is allowed what it imports and exports, and
// nothing else.
func TestCapabilities(t *testing.T) {
	path := filepath.Join(t.TempDir(), "threatgate.wasm")
	build := exec.Command("go", "build", "-buildmode=c-shared", "-o", path, "../../filter")
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	binary, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	runtime := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())
	defer runtime.Close(ctx)
	module, err := runtime.CompileModule(ctx, binary)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, f := range module.ImportedFunctions() {
		_, name, _ := f.Import()
		want = append(want, name)
	}
	for name := range module.ExportedFunctions() {
		if !slices.Contains(ungated, name) {
			want = append(want, name)
		}
	}
	slices.Sort(want)
	want = slices.Compact(want) // two packages may import one function
	got := slices.Sorted(maps.Keys(capabilities(true).GetAllowedCapabilities()))
	if !slices.Equal(got, want) {
		t.Errorf("allowed:\n%s\nused:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
