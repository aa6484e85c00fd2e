package rollout

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap/zaptest"

	"github.com/threatgate/threatgate/controlplane/pipeline"
	"github.com/threatgate/threatgate/controlplane/server"
	"github.com/threatgate/threatgate/controlplane/snapshot"
	"github.com/threatgate/threatgate/controlplane/store"
	"github.com/threatgate/threatgate/controlplane/watch"
	"github.com/threatgate/threatgate/internal/threat"
	"github.com/threatgate/threatgate/internal/violation"
	"github.com/threatgate/threatgate/policies"
)

// world is a directory with a model of two services, and its state.
type world struct {
	*testing.T
	dir   string
	state string
	rules *threat.Catalogue
	store *store.Store // of the control plane that was started last
}

const shop = `apiVersion: threatgate.dev/v1alpha1
kind: ThreatModel
metadata: {name: shop}
spec:
  services:
    - {id: carts, specs: [{file: carts.yaml}], upstream: "127.0.0.1:7001", listen: "127.0.0.1:7101"}
    - id: orders
      specs: [{file: orders.yaml}]
      upstream: "127.0.0.1:7002"
      listen: "127.0.0.1:7102"
      operations:
        - {match: "GET /orders", limit: {per: address, rate: 5/min}}
`

// spec describes an API with one operation for each path.
func spec(title string, paths ...string) string {
	out := "openapi: 3.0.3\ninfo: {title: " + title + ", version: '1'}\npaths:\n"
	for _, p := range paths {
		out += "  " + p + ": {get: {responses: {'200': {description: ok}}}}\n"
	}
	return out
}

// broken is a description whose third line is wrong.
const broken = "openapi: 3.0.3\ninfo: {title: x, version: '1'}\npaths: 7\n"

func newWorld(t *testing.T) *world {
	rules := threat.LoadCatalogue(policies.FS, nil)
	if rules == nil {
		t.Fatal("the rule catalogue does not load")
	}
	w := &world{T: t, dir: t.TempDir(), state: t.TempDir(), rules: rules}
	w.write("shop.yaml", shop)
	w.write("carts.yaml", spec("carts", "/carts"))
	w.write("orders.yaml", spec("orders", "/orders"))
	return w
}

func (w *world) write(name, content string) {
	w.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(content), 0o600); err != nil {
		w.Fatal(err)
	}
}

func (w *world) remove(name string) {
	w.Helper()
	if err := os.Remove(filepath.Join(w.dir, name)); err != nil {
		w.Fatal(err)
	}
}

// start is a control plane's start, up to but without Run. The one before is
// over.
func (w *world) start() (*Rollout, error) {
	w.Helper()
	if w.store != nil {
		w.store.Close()
	}
	s, err := store.Open(w.Context(), w.state)
	if err != nil {
		w.Fatal(err)
	}
	w.store = s
	log := zaptest.NewLogger(w)
	watcher, err := watch.New(pipeline.ReadFile, log)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() {
		watcher.Close()
		s.Close()
	})
	return New(w.Context(), Config{
		Input:       pipeline.Input{Model: filepath.Join(w.dir, "shop.yaml"), Catalogue: w.rules},
		Environment: snapshot.Environment{WasmPath: "/threatgate.wasm"},
		Store:       s,
		Server: server.New(server.Options{
			OnEvent: func(server.Event) {}, OnRecord: func(server.Record) {}, OnMalformed: func() {},
			OnReport: func(string, string, server.Report) {},
		}),
		Watcher: watcher,
		Log:     log,
	})
}

func (w *world) mustStart() *Rollout {
	w.Helper()
	r, err := w.start()
	if err != nil {
		w.Fatal(err)
	}
	return r
}

// revisions are what is served, by service.
func revisions(r *Rollout) map[string]string {
	out := map[string]string{}
	for _, api := range r.Status().APIs {
		out[api.ID] = api.Revision
	}
	return out
}

// expect compares what is served with what was: which services have another
// revision, and which problems there are. Problems are given without their
// directory.
func (w *world) expect(r *Rollout, before map[string]string, changed []string, problems ...string) map[string]string {
	w.Helper()
	now := revisions(r)
	var got []string
	for _, service := range slices.Sorted(maps.Keys(now)) {
		if now[service] != before[service] {
			got = append(got, service)
		}
	}
	if !slices.Equal(got, changed) {
		w.Errorf("changed: %q, want %q", got, changed)
	}
	said := r.Status().Problems
	for i := range said {
		said[i] = strings.ReplaceAll(said[i], w.dir+"/", "")
	}
	if len(said) != len(problems) {
		w.Errorf("problems: %q, want %q", said, problems)
		return now
	}
	for i := range problems {
		if !strings.HasPrefix(said[i], problems[i]) {
			w.Errorf("problem: %s\nwant it to begin %s", said[i], problems[i])
		}
	}
	return now
}

func TestBrokenSpecificationHoldsBackItselfAlone(t *testing.T) {
	w := newWorld(t)
	r := w.mustStart()
	was := w.expect(r, nil, []string{"carts", "orders"})

	w.write("orders.yaml", broken)
	r.filesChanged(t.Context())
	was = w.expect(r, was, nil, "orders.yaml:3:")

	w.write("carts.yaml", spec("carts", "/carts", "/carts/new"))
	r.filesChanged(t.Context())
	was = w.expect(r, was, []string{"carts"}, "orders.yaml:3:")

	w.remove("orders.yaml")
	r.filesChanged(t.Context())
	was = w.expect(r, was, nil, "orders.yaml: no such file")

	w.write("orders.yaml", spec("orders", "/orders", "/orders/new"))
	r.filesChanged(t.Context())
	w.expect(r, was, []string{"orders"})
}

func TestBrokenModelHoldsBackItselfAlone(t *testing.T) {
	w := newWorld(t)
	r := w.mustStart()
	was := revisions(r)

	w.write("shop.yaml", strings.Replace(shop, "5/min", "5/fortnight", 1))
	w.write("carts.yaml", spec("carts", "/carts", "/carts/new"))
	r.filesChanged(t.Context())
	was = w.expect(r, was, []string{"carts"}, "shop.yaml:12:")

	w.remove("shop.yaml")
	r.filesChanged(t.Context())
	w.expect(r, was, nil, "shop.yaml: no such file")
}

// The fault shows in the model, which has not changed.
func TestSpecificationThatMakesTheModelWrong(t *testing.T) {
	w := newWorld(t)
	r := w.mustStart()
	was := revisions(r)

	w.write("orders.yaml", spec("orders", "/purchases"))
	r.filesChanged(t.Context())
	was = w.expect(r, was, nil, "shop.yaml:12:")

	w.write("carts.yaml", spec("carts", "/carts", "/carts/new"))
	r.filesChanged(t.Context())
	was = w.expect(r, was, []string{"carts"}, "shop.yaml:12:")

	w.write("shop.yaml", strings.Replace(shop, "GET /orders", "GET /purchases", 1))
	r.filesChanged(t.Context())
	w.expect(r, was, []string{"orders"})
}

func TestServiceGoesOnlyWithTheModel(t *testing.T) {
	w := newWorld(t)
	r := w.mustStart()
	was := revisions(r)
	before, _, _ := strings.Cut(shop, "    - id: orders")
	w.write("shop.yaml", before)
	r.filesChanged(t.Context())
	w.expect(r, was, nil)
	if got := slices.Collect(maps.Keys(revisions(r))); !slices.Equal(got, []string{"carts"}) {
		t.Errorf("services %q, want carts", got)
	}
}

func TestServiceThatEnvoyCannotCarryIsLeftOut(t *testing.T) {
	w := newWorld(t)
	w.write("shop.yaml", strings.Replace(shop, "id: carts", "id: "+snapshot.ControlPlaneCluster, 1))
	r := w.mustStart()
	w.expect(r, nil, []string{"orders"}, `service "threatgate_control_plane": reserved name`)
}

func TestRestartWithABrokenSpecification(t *testing.T) {
	w := newWorld(t)
	r := w.mustStart()
	r.changeModes(t.Context(), ModeChange{API: "orders", Mode: violation.Enforce})
	r.changeModes(t.Context(), ModeChange{API: "carts", Operation: "GET /carts", Mode: violation.Off})
	was := r.Status().APIs

	w.write("orders.yaml", broken)
	r = w.mustStart()
	if now := r.Status().APIs; !slices.EqualFunc(now, was, sameAPI) {
		t.Errorf("after a restart:\n got %+v\nwant %+v", now, was)
	}
	w.expect(r, revisions(r), nil, "orders.yaml:3:")

	reply := r.changeModes(t.Context(), ModeChange{API: "orders", Mode: violation.Shadow})
	if reply.err != nil || len(reply.apis) != 1 || reply.apis[0].Mode != "shadow" || reply.apis[0].Revision == was[1].Revision {
		t.Errorf("mode of a service whose specification is broken: %+v, %v", reply.apis, reply.err)
	}
}

func sameAPI(a, b API) bool { return fmt.Sprint(a) == fmt.Sprint(b) }

// A program that compiles otherwise than the one before still has its releases.
func TestRestartWithNothingThatLoads(t *testing.T) {
	w := newWorld(t)
	was := w.mustStart().Status().APIs
	w.store.Close()
	s, err := store.Open(t.Context(), w.state)
	if err != nil {
		t.Fatal(err)
	}
	state, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name := range state.Inputs {
		state.Inputs[name] = []byte("no longer understood")
	}
	if err := errors.Join(s.Save(t.Context(), state), s.Close()); err != nil {
		t.Fatal(err)
	}
	w.write("shop.yaml", "not a model either")

	r := w.mustStart()
	if now := r.Status().APIs; !slices.EqualFunc(now, was, sameAPI) {
		t.Errorf("after a restart:\n got %+v\nwant %+v", now, was)
	}
	var refused ErrMode
	if reply := r.changeModes(t.Context(), ModeChange{Mode: violation.Off}); !errors.As(reply.err, &refused) {
		t.Errorf("mode: %v, want a refusal", reply.err)
	}
	w.write("shop.yaml", shop)
	r.filesChanged(t.Context())
	w.expect(r, revisions(r), nil)
}

func TestFirstStartWithABrokenInput(t *testing.T) {
	w := newWorld(t)
	w.write("orders.yaml", broken)
	_, err := w.start()
	var input *InputError
	if !errors.As(err, &input) || !strings.HasPrefix(err.Error(), filepath.Join(w.dir, "orders.yaml")+":3:") {
		t.Errorf("New: %v, want an InputError about orders.yaml:3", err)
	}
}

func TestStateThatCannotBeSavedChangesNothing(t *testing.T) {
	w := newWorld(t)
	r := w.mustStart()
	was := revisions(r)
	r.config.Store.Close()
	w.write("carts.yaml", spec("carts", "/carts", "/carts/new"))
	r.filesChanged(t.Context())
	w.expect(r, was, nil, "state database: ")
	if reply := r.changeModes(t.Context(), ModeChange{Mode: violation.Off}); reply.err == nil {
		t.Error("a mode that can't be saved was set")
	}
	w.expect(r, was, nil, "state database: ")
}

func TestModeChangesThatMakeNoSense(t *testing.T) {
	w := newWorld(t)
	w.write("orders.yaml", spec("orders", "/orders", "/carts"))
	r := w.mustStart()
	for _, tc := range []struct {
		change ModeChange
		want   string
	}{
		{ModeChange{API: "billing"}, `there is no API "billing"`},
		{ModeChange{API: "carts", Operation: "GET /orders"}, `API "carts" has no operation "GET /orders"`},
		{ModeChange{Operation: "GET /nowhere"}, `no API has an operation "GET /nowhere"`},
		{ModeChange{Operation: "GET /carts"}, `several APIs have an operation "GET /carts": carts, orders; name one`},
	} {
		if reply := r.changeModes(t.Context(), tc.change); reply.err != (ErrMode{tc.want}) {
			t.Errorf("%+v: %v, want %s", tc.change, reply.err, tc.want)
		}
	}
}

func TestModes(t *testing.T) {
	w := newWorld(t)
	w.write("carts.yaml", spec("carts", "/carts", "/carts/{id}"))
	r := w.mustStart()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.Run(ctx)
	}()
	defer func() {
		stop()
		<-ended
	}()
	for _, tc := range []struct {
		change ModeChange
		want   string
	}{
		{ModeChange{API: "carts", Operation: "GET /carts", Mode: violation.Off}, "carts shadow off shadow; orders shadow shadow; "},
		{ModeChange{Mode: violation.Enforce}, "carts enforce off enforce; orders enforce enforce; "},
		{ModeChange{Operation: "GET /orders", Mode: violation.Shadow}, "carts enforce off enforce; orders enforce shadow; "},
		{ModeChange{API: "carts", Mode: violation.Shadow}, "carts shadow off shadow; orders enforce shadow; "},
	} {
		result, err := r.SetMode(t.Context(), tc.change)
		if err != nil {
			t.Fatal(err)
		}
		if result.Nodes != 0 {
			t.Errorf("%+v: accepted by %d nodes; none is connected", tc.change, result.Nodes)
		}
		got := ""
		for _, api := range r.Status().APIs {
			got += api.ID + " " + api.Mode
			for _, o := range api.Operations {
				got += " " + o.Mode
			}
			got += "; "
		}
		if got != tc.want {
			t.Errorf("%+v:\n got %s\nwant %s", tc.change, got, tc.want)
		}
	}
}

func TestSavedFilesAreRolledOut(t *testing.T) {
	w := newWorld(t)
	r := w.mustStart()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.Run(ctx)
	}()
	defer func() {
		stop()
		<-ended
	}()
	for i := range 5 {
		was := revisions(r)
		saved := time.Now()
		w.write("carts.yaml", spec("carts", "/carts", fmt.Sprintf("/carts/%d", i)))
		for revisions(r)["carts"] == was["carts"] {
			if time.Since(saved) > 10*time.Second {
				t.Fatal("a saved file was not rolled out")
			}
			time.Sleep(time.Millisecond)
		}
		t.Logf("rolled out %v after the file was saved", time.Since(saved))
	}
}
