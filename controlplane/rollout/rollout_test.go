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

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"
	"go.uber.org/zap/zaptest/observer"

	"github.com/threatgate/threatgate/controlplane/pipeline"
	"github.com/threatgate/threatgate/controlplane/server"
	"github.com/threatgate/threatgate/controlplane/snapshot"
	"github.com/threatgate/threatgate/controlplane/store"
	"github.com/threatgate/threatgate/controlplane/watch"
	"github.com/threatgate/threatgate/internal/policy"
	"github.com/threatgate/threatgate/internal/threat"
	"github.com/threatgate/threatgate/internal/violation"
	"github.com/threatgate/threatgate/policies"
)

// world is a directory with a model of two services, and its state.
type world struct {
	*testing.T
	dir   string
	state string
	input pipeline.Input
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
	w := &world{T: t, dir: t.TempDir(), state: t.TempDir()}
	w.input = pipeline.Input{Model: filepath.Join(w.dir, "shop.yaml"), Catalogue: rules}
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
		Input:       w.input,
		Environment: snapshot.Environment{WasmPath: "/threatgate.wasm"},
		Store:       s,
		Server: server.New(server.Options{
			OnNode: func(string, bool) {}, OnEvent: func(server.Event) {}, OnRecord: func(server.Record) {}, OnMalformed: func() {},
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
	was = w.expect(r, was, nil, "shop.yaml:8:22: orders.yaml: no such file")

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
	w.write("shop.yaml", strings.Replace(shop, "id: carts", "id: "+violation.ControlPlaneCluster, 1))
	r := w.mustStart()
	w.expect(r, nil, []string{"orders"}, `service "threatgate_control_plane": reserved name`)
	if reply := r.changeModes(t.Context(), ModeChange{Mode: new(violation.Enforce)}); reply.err != nil || len(reply.APIs) != 1 || reply.APIs[0].Mode != "enforce" {
		t.Errorf("mode of all: %+v, %v", reply.APIs, reply.err)
	}
}

func TestRestartWithABrokenSpecification(t *testing.T) {
	w := newWorld(t)
	r := w.mustStart()
	r.changeModes(t.Context(), ModeChange{API: "orders", Mode: new(violation.Enforce)})
	r.changeModes(t.Context(), ModeChange{API: "carts", Operation: "GET /carts", Mode: new(violation.Off)})
	was := r.Status().APIs

	w.write("orders.yaml", broken)
	r = w.mustStart()
	if now := r.Status().APIs; !slices.EqualFunc(now, was, sameAPI) {
		t.Errorf("after a restart:\n got %+v\nwant %+v", now, was)
	}
	w.expect(r, revisions(r), nil, "orders.yaml:3:")

	reply := r.changeModes(t.Context(), ModeChange{API: "orders", Mode: new(violation.Shadow)})
	if reply.err != nil || len(reply.APIs) != 1 || reply.APIs[0].Mode != "shadow" || reply.APIs[0].Revision == was[1].Revision {
		t.Errorf("mode of a service whose specification is broken: %+v, %v", reply.APIs, reply.err)
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
	if reply := r.changeModes(t.Context(), ModeChange{Mode: new(violation.Off)}); !errors.As(reply.err, &refused) {
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
	if reply := r.changeModes(t.Context(), ModeChange{Mode: new(violation.Off)}); reply.err == nil {
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
		{ModeChange{API: "billing"}, `there is no API "billing", only: carts, orders`},
		{ModeChange{API: "billing", Operation: "GET /carts"}, `there is no API "billing", only: carts, orders`},
		{ModeChange{API: "carts", Operation: "GET /orders"}, `there is no operation "GET /orders", only: GET /carts`},
		{ModeChange{Operation: "GET /order"}, `there is no operation "GET /order" (did you mean "GET /orders"?)`},
		{ModeChange{Operation: "GET /carts"}, `"GET /carts" fits 2 operations: "GET /carts" of API "carts", "GET /carts" of API "orders"; name one`},
	} {
		for _, mode := range []*violation.Mode{nil, new(violation.Off)} {
			tc.change.Mode = mode
			if reply := r.changeModes(t.Context(), tc.change); reply.err != (ErrMode{tc.want}) {
				t.Errorf("%+v: %v, want %s", tc.change, reply.err, tc.want)
			}
		}
	}
}

// modesOf are the modes that are served: of each API, then of its operations.
func modesOf(r *Rollout) (text string) {
	for _, api := range r.Status().APIs {
		text += api.ID + " " + api.Mode
		for _, o := range api.Operations {
			text += " " + o.Mode
		}
		text += "; "
	}
	return text
}

func TestModes(t *testing.T) {
	w := newWorld(t)
	w.write("carts.yaml", strings.Replace(spec("carts", "/carts", "/carts/{id}"), "{get: {", "{get: {operationId: list, ", 1)+"servers: [{url: /v1}]\n")
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
	list, orders := policy.OperationKey{API: "carts", Operation: "list"}, policy.OperationKey{API: "orders", Operation: "GET /orders"}
	for _, tc := range []struct {
		change    ModeChange
		want      string
		following []policy.OperationKey
	}{
		{ModeChange{API: "carts", Operation: "list", Mode: new(violation.Off)}, "carts shadow off shadow; orders shadow shadow; ", nil},
		{ModeChange{Operation: "GET /carts", Mode: new(violation.Enforce)}, "carts shadow enforce shadow; orders shadow shadow; ", nil},
		{ModeChange{Operation: "GET /v1/carts", Mode: new(violation.Off)}, "carts shadow off shadow; orders shadow shadow; ", nil},
		{ModeChange{API: "orders", Mode: new(violation.Enforce)}, "carts shadow off shadow; orders enforce enforce; ", nil},
		{ModeChange{Operation: "GET /orders", Mode: new(violation.Off)}, "carts shadow off shadow; orders enforce off; ", nil},
		{ModeChange{Mode: new(violation.Enforce)}, "carts enforce enforce enforce; orders enforce enforce; ", []policy.OperationKey{list, orders}},
		{ModeChange{API: "carts", Mode: new(violation.Shadow)}, "carts shadow shadow shadow; orders enforce enforce; ", nil},
		{ModeChange{Operation: "list", Mode: new(violation.Off)}, "carts shadow off shadow; orders enforce enforce; ", nil},
		{ModeChange{Operation: "GET /carts"}, "carts shadow shadow shadow; orders enforce enforce; ", []policy.OperationKey{list}},
		{ModeChange{API: "carts"}, "carts enforce enforce enforce; orders enforce enforce; ", nil},
		{ModeChange{}, "carts shadow shadow shadow; orders shadow shadow; ", nil},
	} {
		result, err := r.SetMode(t.Context(), tc.change)
		if err != nil {
			t.Fatal(err)
		}
		if result.Nodes != 0 || !slices.Equal(result.Following, tc.following) {
			t.Errorf("%+v: accepted by %d nodes, while none is connected; following %v, want %v", tc.change, result.Nodes, result.Following, tc.following)
		}
		if got := modesOf(r); got != tc.want {
			t.Errorf("%+v:\n got %s\nwant %s", tc.change, got, tc.want)
		}
	}
}

func TestModeOfAllIsThatOfLaterAPIs(t *testing.T) {
	w := newWorld(t)
	before, _, _ := strings.Cut(shop, "    - id: orders")
	w.write("shop.yaml", before)
	r := w.mustStart()
	r.changeModes(t.Context(), ModeChange{Mode: new(violation.Enforce)})
	w.write("shop.yaml", shop)
	r.filesChanged(t.Context())
	if got, want := modesOf(r), "carts enforce enforce; orders enforce enforce; "; got != want {
		t.Errorf("modes %s, want %s", got, want)
	}
}

// The mode of an API or operation that goes is no longer heeded, which is said
// until it is taken back.
func TestModesOfWhatIsNoMore(t *testing.T) {
	w := newWorld(t)
	r := w.mustStart()
	r.changeModes(t.Context(), ModeChange{API: "carts", Operation: "GET /carts", Mode: new(violation.Off)})
	r.changeModes(t.Context(), ModeChange{API: "orders", Mode: new(violation.Enforce)})
	w.write("shop.yaml", strings.Replace(shop, "id: orders", "id: purchases", 1))
	w.write("carts.yaml", spec("carts", "/trolleys"))
	r.filesChanged(t.Context())
	want := []string{
		`the mode "enforce" that was set for API "orders" no longer applies: there is no such API`,
		`the mode "off" that was set for operation "GET /carts" of API "carts" no longer applies: there is no such operation`,
	}
	if got := r.Status().Stale; !slices.Equal(got, want) {
		t.Errorf("stale:\n got %q\nwant %q", got, want)
	}
	r = w.mustStart()
	if got := r.Status().Stale; !slices.Equal(got, want) {
		t.Errorf("stale after a restart:\n got %q\nwant %q", got, want)
	}
	for _, change := range []ModeChange{{API: "orders"}, {API: "carts", Operation: "GET /carts"}} {
		if reply := r.changeModes(t.Context(), change); reply.err != nil {
			t.Errorf("%+v: %v", change, reply.err)
		}
	}
	if got := r.Status().Stale; len(got) > 0 {
		t.Errorf("stale after they were taken back: %q", got)
	}
}

// The mode of an operation that is no more is taken back without its API, too,
// unless several have one of that name.
func TestModesOfWhatIsNoMoreGoByTheOperationAlone(t *testing.T) {
	w := newWorld(t)
	w.write("orders.yaml", spec("orders", "/orders", "/carts"))
	r := w.mustStart()
	for _, api := range []string{"carts", "orders"} {
		r.changeModes(t.Context(), ModeChange{API: api, Operation: "GET /carts", Mode: new(violation.Off)})
	}
	w.write("carts.yaml", spec("carts", "/trolleys"))
	w.write("orders.yaml", spec("orders", "/orders"))
	r.filesChanged(t.Context())
	const several = `"GET /carts" fits 2 operations: "GET /carts" of API "carts", "GET /carts" of API "orders"; name one`
	if reply := r.changeModes(t.Context(), ModeChange{Operation: "GET /carts"}); reply.err != (ErrMode{several}) {
		t.Errorf("of two APIs: %v, want %s", reply.err, several)
	}
	if reply := r.changeModes(t.Context(), ModeChange{API: "carts", Operation: "GET /carts"}); reply.err != nil {
		t.Error(reply.err)
	}
	want := policy.OperationKey{API: "orders", Operation: "GET /carts"}
	if reply := r.changeModes(t.Context(), ModeChange{Operation: "GET /carts"}); reply.err != nil || reply.Target != want {
		t.Errorf("of one API: %v, target %v, want %v", reply.err, reply.Target, want)
	}
	if got := r.Status().Stale; len(got) > 0 {
		t.Errorf("stale after they were taken back: %q", got)
	}
	const none = `there is no operation "GET /carts", only: GET /orders, GET /trolleys`
	for _, mode := range []*violation.Mode{nil, new(violation.Off)} {
		if reply := r.changeModes(t.Context(), ModeChange{Operation: "GET /carts", Mode: mode}); reply.err != (ErrMode{none}) {
			t.Errorf("after that: %v, want %s", reply.err, none)
		}
	}
}

func TestNewsIsLoggedOnce(t *testing.T) {
	w := newWorld(t)
	r := w.mustStart()
	r.changeModes(t.Context(), ModeChange{API: "carts", Operation: "GET /carts", Mode: new(violation.Off)})
	core, logged := observer.New(zap.WarnLevel)
	r.config.Log = zap.New(core)
	w.write("carts.yaml", spec("carts", "/carts?all", "/trolleys"))
	w.write("orders.yaml", broken)
	for range 2 {
		r.filesChanged(t.Context())
	}
	var got []string
	for _, entry := range logged.All() {
		cause, _ := entry.ContextMap()["cause"].(string)
		got = append(got, strings.ReplaceAll(entry.Message+": "+cause, w.dir+"/", ""))
	}
	want := []string{
		`the last good policy stays in place of this change: orders.yaml:3:8: "paths" must be an object, not a number`,
		`the files have a warning: carts.yaml:4:3: path "/carts?all" has a fragment or a query, which no request's path has; its operations are ignored`,
		`the mode "off" that was set for operation "GET /carts" of API "carts" no longer applies: there is no such operation: `,
	}
	if !slices.Equal(got, want) {
		t.Errorf("logged:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// A warning that only stands in another line is no news, nor are those that
// come back with a file whose last change was refused.
func TestOnlyNewWarningsAreLogged(t *testing.T) {
	w := newWorld(t)
	w.write("carts.yaml", spec("carts", "/a?all", "/carts"))
	r := w.mustStart()
	core, logged := observer.New(zap.WarnLevel)
	r.config.Log = zap.New(core)
	const (
		refused = `the last good policy stays in place of this change: carts.yaml:`
		ignored = ` has a fragment or a query, which no request's path has; its operations are ignored`
	)
	for _, step := range []struct{ content, want string }{
		{spec("carts", "/first", "/a?all", "/carts"), ""},
		{spec("carts", "/first", "/a?all", "/b?all", "/carts"), `the files have a warning: carts.yaml:6:3: path "/b?all"` + ignored},
		{spec("carts", "/a?all", "/b?all", "/carts"), ""},
		{spec("carts", "/first", "/a?all", "/b?all") + "  /bad: 7\n", refused + `7:9: "/bad" must be an object, not a number`},
		{spec("carts", "/first", "/second", "/a?all", "/b?all"), ""},
		{spec("carts", "/carts"), ""},
		{spec("carts", "/carts", "/a?all"), `the files have a warning: carts.yaml:5:3: path "/a?all"` + ignored},
	} {
		w.write("carts.yaml", step.content)
		r.filesChanged(t.Context())
		var got []string
		for _, entry := range logged.TakeAll() {
			cause, _ := entry.ContextMap()["cause"].(string)
			got = append(got, strings.ReplaceAll(entry.Message+": "+cause, w.dir+"/", ""))
		}
		if said := strings.Join(got, "\n"); said != step.want {
			t.Errorf("after\n%s:\n got %s\nwant %s", step.content, said, step.want)
		}
	}
}

// A specification alone may change its title: the service stays the same.
func TestTitleOfABareSpecification(t *testing.T) {
	w := newWorld(t)
	w.input.Model, w.input.Spec = "", filepath.Join(w.dir, "carts.yaml")
	w.input.Upstream, w.input.Listen = "127.0.0.1:7001", "127.0.0.1:7101"
	r := w.mustStart()
	r.changeModes(t.Context(), ModeChange{API: "carts", Mode: new(violation.Enforce)})
	r.changeModes(t.Context(), ModeChange{Operation: "GET /carts", Mode: new(violation.Off)})
	const want = "carts enforce off; "
	for _, title := range []string{"Trolleys", "Baskets"} {
		w.write("carts.yaml", spec(title, "/carts"))
		r.filesChanged(t.Context())
		if got := modesOf(r); got != want {
			t.Errorf("with the title %s: %s, want %s", title, got, want)
		}
		w.write("carts.yaml", spec(title+" again", "/carts"))
		r = w.mustStart()
		if got := modesOf(r); got != want {
			t.Errorf("with the title %s after a restart: %s, want %s", title, got, want)
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
