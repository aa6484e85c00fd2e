package server

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"

	"github.com/threatgate/threatgate/e2e/envoytest"
	"github.com/threatgate/threatgate/internal/compile"
)

// TestRefusedPolicy pushes, before a good policy for one service, one that
// the filter refuses for another; then a correct one.
func TestRefusedPolicy(t *testing.T) {
	orders, users := release(t, "orders", "1"), release(t, "users", "1")
	g := newGateway(t, orders, users)

	bad, next := revise(orders, "refuse"), revise(users, "2")
	err := g.push(bad, next)
	var refused *Refused
	if !errors.As(err, &refused) {
		t.Fatalf("got %v, want a refusal", err)
	}
	if refused.Node != "node" || refused.TypeURL != resource.ExtensionConfigType || refused.Name != "orders/policy" || !strings.Contains(refused.Detail, "Unable to create Wasm plugin orders") {
		t.Errorf("got %+v", refused)
	}
	envoytest.Eventually(t, "users has its new policy", func() bool { return g.judges(users) == next.Revision() })
	if got := g.judges(orders); got != orders.Revision() {
		t.Errorf("orders is judged by %q, want the old policy", got)
	}
	d := g.server.Nodes()[0].Resources[ResourceKey{resource.ExtensionConfigType, "orders/policy"}]
	old := g.build(orders, users).Resources(resource.ExtensionConfigType)["orders/policy"].Version
	if want := (Delivery{Sent: refused.Version, Acked: old, Nacked: refused.Version, Detail: refused.Detail, Time: d.Time}); !reflect.DeepEqual(d, want) {
		t.Errorf("got  %+v\nwant %+v", d, want)
	}

	good := revise(orders, "3")
	if err := g.push(good, next); err != nil {
		t.Fatal(err)
	}
	if got := g.judges(orders); got != good.Revision() {
		t.Errorf("orders is judged by %q, want the corrected policy", got)
	}

	var kinds []string
	g.note(func() {
		for _, e := range g.events {
			if e.Name == "orders/policy" {
				kinds = append(kinds, fmt.Sprintf("%s nack=%v", e.Version, e.Nack))
			}
		}
	})
	corrected := g.build(good, next).Resources(resource.ExtensionConfigType)["orders/policy"].Version
	if want := []string{old + " nack=false", refused.Version + " nack=true", corrected + " nack=false"}; !reflect.DeepEqual(kinds, want) {
		t.Errorf("got events %q, want %q", kinds, want)
	}
}

// judges returns the revision that the filter reports for a request to r.
func (g *gateway) judges(r *compile.Release) string {
	g.t.Helper()
	g.note(func() { g.reports = nil })
	get(g.t, r, "/")
	var revision string
	envoytest.Eventually(g.t, "the filter reports", func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		for _, report := range g.reports {
			if rest, ok := strings.CutPrefix(report, "node "+r.Service+" "); ok {
				revision = rest
			}
		}
		return revision != ""
	})
	return revision
}

// TestPushUnderLoad pushes two policies in turn while requests run, and
// asserts that none fails.
func TestPushUnderLoad(t *testing.T) {
	one := release(t, "orders", "1")
	two := revise(one, "2")
	g := newGateway(t, one)
	var requests, failed atomic.Int64
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 2 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				requests.Add(1)
				response, err := http.Get("http://" + one.Gateway.Listen + "/")
				if err != nil {
					failed.Add(1)
					continue
				}
				io.Copy(io.Discard, response.Body)
				response.Body.Close()
				if response.StatusCode != 200 {
					failed.Add(1)
				}
			}
		})
	}
	const pushes = 50
	var slowest, total time.Duration
	for i := range pushes {
		r := one
		if i%2 == 0 {
			r = two
		}
		start := time.Now()
		if err := g.push(r); err != nil {
			t.Error(err)
		}
		took := time.Since(start)
		total, slowest = total+took, max(slowest, took)
	}
	close(stop)
	wg.Wait()
	t.Logf("%d pushes, %d requests; push to ACK: mean %v, slowest %v", pushes, requests.Load(), total/pushes, slowest)
	if failed.Load() != 0 || requests.Load() < 200 {
		t.Errorf("%d of %d requests failed", failed.Load(), requests.Load())
	}
}

// TestControlPlaneRestart: Envoy goes on while the control plane is away, is
// back within five seconds of its return, and does not take anew what it has.
func TestControlPlaneRestart(t *testing.T) {
	r := release(t, "orders", "1")
	g := newGateway(t, r)
	s := g.build(r)
	g.stop()
	if g.server.Nodes()[0].Connected {
		t.Error("the node counts as connected after the control plane has stopped")
	}
	time.Sleep(3 * time.Second) // Envoy's back-off has grown to its limit
	if code, _, _ := get(t, r, "/"); code != 200 {
		t.Errorf("got %d while the control plane is away", code)
	}
	g.note(func() { g.events = nil })
	start := time.Now()
	g.startControlPlane(s)
	if err := g.acked(s); err != nil {
		t.Fatal(err)
	}
	t.Logf("back after %v", time.Since(start))
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("Envoy was back after %v", took)
	}
	g.note(func() {
		id := g.server.Nodes()[0].ID
		if want := []string{id + " true", id + " false", id + " true"}; !slices.Equal(g.nodes, want) {
			t.Errorf("nodes came and went: %q, want %q", g.nodes, want)
		}
		if len(g.events) != 0 {
			t.Errorf("Envoy was sent again what it has: %+v", g.events)
		}
	})
	next := revise(r, "2")
	if err := g.push(next); err != nil {
		t.Fatal(err)
	}
	get(t, next, "/")
	envoytest.Eventually(t, "the filter reports the new policy", func() (judges bool) {
		// The report on the old one may still be under way.
		g.note(func() { judges = slices.Contains(g.reports, "node "+next.Service+" "+next.Revision()) })
		return judges
	})
}

// TestRemoveService: a service's listener goes first; a request that is
// under way ends well; its cluster goes when the listener has drained.
func TestRemoveService(t *testing.T) {
	orders, users := release(t, "orders", "1"), release(t, "users", "1")
	g := newGateway(t, orders, users)
	finish := make(chan struct{})
	arrived := make(chan struct{})
	arrive := sync.OnceFunc(func() { close(arrived) })
	g.serve(t, func(w http.ResponseWriter, _ *http.Request) {
		arrive()
		<-finish
		io.WriteString(w, "done")
	})
	type result struct {
		code int
		body string
	}
	under := make(chan result)
	go func() {
		code, _, body := get(t, users, "/")
		under <- result{code, body}
	}()
	<-arrived
	if err := g.push(orders); err != nil {
		t.Fatal(err)
	}
	envoytest.Eventually(t, "the listener is gone", func() bool {
		conn, err := net.Dial("tcp", users.Gateway.Listen)
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	if !g.has("users", resource.ClusterType) {
		t.Error("the cluster went before its listener had drained")
	}
	close(finish)
	if got := <-under; got != (result{200, "done"}) {
		t.Errorf("the request under way got %+v", got)
	}
	envoytest.Eventually(t, "the node has nothing of the service", func() bool {
		return !g.has("users", resource.ClusterType) && !g.has("users", resource.RouteType) && !g.has("users/policy", resource.ExtensionConfigType)
	})
}

// has reports whether the node has a resource, by our books.
func (g *gateway) has(name, typeURL string) bool {
	_, ok := g.server.Nodes()[0].Resources[ResourceKey{typeURL, name}]
	return ok
}

// TestAddressInUse: a listener that Envoy can't open is a refusal that says
// so.
func TestAddressInUse(t *testing.T) {
	orders := release(t, "orders", "1")
	g := newGateway(t, orders)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	users := release(t, "users", "1")
	users.Gateway.Listen = taken.Addr().String()
	var refused *Refused
	if err := g.push(orders, users); !errors.As(err, &refused) {
		t.Fatalf("got %v, want a refusal", err)
	}
	if refused.TypeURL != resource.ListenerType || refused.Name != "users" || !strings.Contains(refused.Detail, users.Gateway.Listen) || !strings.Contains(refused.Detail, "Address already in use") {
		t.Errorf("got %+v", refused)
	}
}
