package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/threatgate/threatgate/e2e/gateway"
)

// crashing builds the filter that dies when it is told to.
func crashing(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "crash.wasm")
	build := exec.Command("go", "build", "-trimpath", "-buildmode=c-shared", "-o", path, "./crash")
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

// What the stand-in answers by itself, and the upstream otherwise.
const (
	alive  = 418
	passed = 200
)

func (w *worker) with(header string) gateway.Answer {
	w.t.Helper()
	return gateway.Do(w.t, &w.client, gateway.Request(w.t, "GET", w.base+"/orders", "", header+": 1"))
}

// TestCrash has the filter die on one of two workers. What is only watched
// passes from then on; what is enforced is refused until the filter is back.
func TestCrash(t *testing.T) {
	s := newSite(t)
	s.wasm = crashing(t)
	g := s.run("--spec", saved(t, "orders.yaml", orders()), "--mode", "shadow")
	all := workers(t, g.Envoy(), g.Listen, 2)
	expect := func(what string, w *worker, header string, want int) {
		t.Helper()
		if got := w.with(header); got.Status != want {
			t.Fatalf("%s: %s gets %d, want %d: %s", what, header, got.Status, want, got.Body)
		}
	}
	for _, w := range all {
		expect("at first", w, "x-ping", alive)
		expect("at first", w, "x-nothing", passed)
	}

	expect("shadow, the crash", all[0], "x-crash", 503) // Envoy fails the streams that a dying VM has
	expect("shadow, after it", all[0], "x-nothing", passed)
	expect("shadow, the other worker", all[1], "x-ping", alive)

	// The next policy brings a filter with it, also where one has died. Of
	// what is enforced one operation is enough: what dies can't tell it apart.
	g.Command("mode", "--operation", "place", "enforce")
	for _, w := range all {
		eventually(t, "the filter is alive in enforce", func() bool { return w.with("x-ping").Status == alive })
	}

	problem := func(a gateway.Answer) {
		t.Helper()
		if a.Status != 503 || a.Problem.Status != 503 || a.Problem.Type != "urn:threatgate:envoy:wasm_fail_stream" {
			t.Errorf("refused with %d %s", a.Status, a.Body)
		}
	}
	refused := 0
	problem(all[0].with("x-crash"))
	died := time.Now()
	eventually(t, "the filter is back", func() bool {
		switch a := all[0].with("x-ping"); a.Status {
		case alive:
			return true
		case 503:
			problem(a)
			refused++
		default:
			t.Fatalf("a dead filter let a request pass: %d", a.Status)
		}
		return false
	})
	expect("enforce, the other worker", all[1], "x-ping", alive)
	expect("enforce, after it", all[0], "x-nothing", passed)
	t.Logf("the filter was back %v after its death; %d requests were refused meanwhile", time.Since(died).Round(time.Millisecond), refused)
	if refused == 0 {
		t.Error("the filter did not die")
	}
	if n := g.Metric("threatgate_envoy_refusals_total", `code="wasm_fail_stream"`); int(n) != refused+2 {
		t.Errorf("%v refusals were counted, want %d and the two that crashed", n, refused)
	}
}
