package server

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	metricsv1 "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	commonv1 "go.opentelemetry.io/proto/otlp/common/v1"
	metricv1 "go.opentelemetry.io/proto/otlp/metrics/v1"
	resourcev1 "go.opentelemetry.io/proto/otlp/resource/v1"
	"google.golang.org/grpc"

	"github.com/threatgate/threatgate/controlplane/snapshot"
	"github.com/threatgate/threatgate/e2e/envoytest"
	"github.com/threatgate/threatgate/internal/violation"
)

// TestPushedCounters has a real Envoy push, through a change of its listener
// and to a second control plane, which knows nothing of the first.
func TestPushedCounters(t *testing.T) {
	r := release(t, "orders", "policy")
	g := newGateway(t, r)
	for do, times := range map[string]int{"": 1, "violate": 3, "reject": 2, "skip": 5} {
		for range times {
			get(t, r, "/v2/orders/secret?key=secret", "x-probe", do)
		}
	}
	raw(t, r, "GET / HTTP/1.1\r\n\r\n")
	want := []string{
		"threatgate_envoy_refusals_total [orders missing_host_header] 1",
		"threatgate_requests_total [orders GET /v2/orders/{orderId} allowed] 1",
		"threatgate_requests_total [orders GET /v2/orders/{orderId} rejected] 2",
		"threatgate_requests_total [orders GET /v2/orders/{orderId} would_reject] 3",
		"threatgate_violation_records_dropped_total [] 0",
		"threatgate_violations_total [orders GET /v2/orders/{orderId} validation pattern API3-01 enforce] 2",
		"threatgate_violations_total [orders GET /v2/orders/{orderId} validation pattern API3-01 shadow] 3",
	}
	arrived := func() bool { return reflect.DeepEqual(lines(g.server), want) }
	begin := time.Now()
	envoytest.Eventually(t, "the counters arrive", arrived)
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("the counters took %v", took)
	}

	moved := release(t, "orders", "policy")
	if err := g.push(moved); err != nil {
		t.Fatal(err)
	}
	envoytest.Eventually(t, "Envoy lets go of the old listener's counters", func() bool {
		return len(g.envoy.Stats("envoy_threatgate_envoy_refusals_total")) == 0
	})
	time.Sleep(1500 * time.Millisecond) // a push without them
	get(t, moved, "/v2/orders/secret")
	raw(t, moved, "GET / HTTP/1.1\r\n\r\n")
	want[0] = "threatgate_envoy_refusals_total [orders missing_host_header] 2"
	want[1] = "threatgate_requests_total [orders GET /v2/orders/{orderId} allowed] 2"
	envoytest.Eventually(t, "a counter that began again is added, and one that did not goes on", arrived)

	g.stop()
	get(t, moved, "/v2/orders/secret")
	want[0] = "threatgate_envoy_refusals_total [orders missing_host_header] 1"
	want[1] = "threatgate_requests_total [orders GET /v2/orders/{orderId} allowed] 3"
	g.startControlPlane(g.build(moved))
	envoytest.Eventually(t, "what Envoy still counts arrives at the next control plane", arrived)
	if g.malformed != 0 {
		t.Errorf("%d malformed", g.malformed)
	}
}

// lines are s.Counters, one "name [values] total" each.
func lines(s *Server) []string {
	var out []string
	for _, c := range s.Counters() {
		out = append(out, fmt.Sprint(c.Name, " ", c.Values, " ", c.Total))
	}
	return out
}

// refusals is a push of threatgate_envoy_refusals_total, by code.
type refusals struct {
	node      string
	began, at uint64
	totals    map[string]int64
}

// metrics is the push as Envoy writes it.
func (r refusals) metrics() []*metricv1.Metric {
	var points []*metricv1.NumberDataPoint
	for code, total := range r.totals {
		points = append(points, point(total, "api", "orders", "code", code))
	}
	beat := point(1)
	beat.StartTimeUnixNano, beat.TimeUnixNano = r.began, r.at
	return []*metricv1.Metric{sum(snapshot.Heartbeat, beat), sum("threatgate_envoy_refusals_total", points...)}
}

// TestCounterSums pushes one after the other, and asserts the sums after
// each.
func TestCounterSums(t *testing.T) {
	s, client, malformed := connect(t)
	s.Push(oneService(t, "/threatgate.wasm"))
	for _, id := range []string{"one", "two"} {
		stream := open(t, client, &discoveryv3.DeltaDiscoveryRequest{Node: &corev3.Node{Id: id}, TypeUrl: resource.ClusterType})
		if _, err := stream.Recv(); err != nil {
			t.Fatal(err)
		}
	}
	for _, row := range []struct {
		name string
		push refusals
		want string
	}{
		{"the first", refusals{"one", 100, 200, map[string]int64{"a": 5, "b": 1}}, "a 5, b 1"},
		{"the same again", refusals{"one", 100, 201, map[string]int64{"a": 5, "b": 1}}, "a 5, b 1"},
		{"more", refusals{"one", 100, 202, map[string]int64{"a": 7, "b": 1}}, "a 7, b 1"},
		{"an older one, late", refusals{"one", 100, 201, map[string]int64{"a": 6, "b": 9}}, "a 7, b 1"},
		{"another node", refusals{"two", 150, 160, map[string]int64{"a": 10}}, "a 17, b 1"},
		{"without b", refusals{"one", 100, 203, map[string]int64{"a": 7}}, "a 17, b 1"},
		{"b from the beginning", refusals{"one", 100, 204, map[string]int64{"a": 7, "b": 2}}, "a 17, b 3"},
		{"a from the beginning, within one interval", refusals{"one", 100, 205, map[string]int64{"a": 1, "b": 2}}, "a 18, b 3"},
		{"another process, with more", refusals{"one", 300, 310, map[string]int64{"a": 8}}, "a 26, b 3"},
		{"the process before that, which goes on", refusals{"one", 100, 312, map[string]int64{"a": 9}}, "a 26, b 3"},
		{"nothing", refusals{"one", 300, 313, nil}, "a 26, b 3"},
		{"as much as can be", refusals{"two", 150, 170, map[string]int64{"c": math.MaxInt64}}, "a 26, b 3, c 9223372036854775807"},
		{"a node that xDS does not know", refusals{"three", 100, 200, map[string]int64{"a": 1}}, "a 26, b 3, c 9223372036854775807"},
	} {
		pushMetrics(t, client, row.push.node, row.push.metrics()...)
		var got []string
		for _, c := range s.Counters() {
			if c.Name == "threatgate_envoy_refusals_total" {
				got = append(got, fmt.Sprint(c.Values[1], " ", c.Total))
			}
		}
		if got := strings.Join(got, ", "); got != row.want {
			t.Errorf("%s: got %s, want %s", row.name, got, row.want)
		}
	}
	if got := malformed.Load(); got != 1 {
		t.Errorf("%d malformed, want 1: that of the process before", got)
	}
}

// TestMalformedCounters: what is none of our counters is counted and
// dropped, and the rest of the push is taken.
func TestMalformedCounters(t *testing.T) {
	s, client, malformed := connect(t)
	s.Push(oneService(t, "/threatgate.wasm"))
	if _, err := open(t, client, clusters).Recv(); err != nil {
		t.Fatal(err)
	}
	const name = "threatgate_envoy_refusals_total"
	delta := sum(name, point(1, "api", "a", "code", "b"))
	delta.GetSum().AggregationTemporality = metricv1.AggregationTemporality_AGGREGATION_TEMPORALITY_DELTA
	bad := []*metricv1.Metric{
		{},
		{Name: name, Data: &metricv1.Metric_Gauge{}},
		delta,
		sum("envoy_other", point(1)),
		sum(name, point(1)),
		sum(name, point(1, "api", "a")),
		sum(name, point(1, "api", "a", "codes", "b")),
		sum(name, point(1, "api", "a", "code", "b", "more", "c")),
		sum(name, point(-1, "api", "a", "code", "negative")),
		sum(name, point(1, "api", "a", "code", strings.Repeat("b", maxValues))),
	}
	good := refusals{"node", 100, 200, map[string]int64{"a": 5}}
	pushMetrics(t, client, "node", append(bad, good.metrics()...)...)
	if got := malformed.Load(); got != int64(len(bad)) {
		t.Errorf("%d malformed, want %d", got, len(bad))
	}
	// Nothing where something is expected.
	pushMetrics(t, client, "node")
	pushMetrics(t, client, "node", sum(snapshot.Heartbeat))
	want := []string{
		name + " [orders a] 5",
		"threatgate_violation_records_dropped_total [] 0",
	}
	if got := lines(s); !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestTooManySeries: the series that are there go on.
func TestTooManySeries(t *testing.T) {
	c := newCounters(newLedger(), func() {})
	series := func(i int) *Counter {
		return c.counter("threatgate_envoy_refusals_total", point(1, "api", "a", "code", strconv.Itoa(i)))
	}
	first := series(0)
	for i := range maxSeries {
		series(i)
	}
	if len(c.series) != maxSeries || series(maxSeries) != nil || first == nil || series(0) != first {
		t.Errorf("got %d series", len(c.series))
	}
}

func sum(name string, points ...*metricv1.NumberDataPoint) *metricv1.Metric {
	return &metricv1.Metric{Name: name, Data: &metricv1.Metric_Sum{Sum: &metricv1.Sum{
		AggregationTemporality: metricv1.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE,
		DataPoints:             points,
	}}}
}

// point has attributes "key", "value", ...
func point(value int64, attributes ...string) *metricv1.NumberDataPoint {
	p := &metricv1.NumberDataPoint{Value: &metricv1.NumberDataPoint_AsInt{AsInt: value}}
	for i := 0; i < len(attributes); i += 2 {
		p.Attributes = append(p.Attributes, textAttribute(attributes[i], attributes[i+1]))
	}
	return p
}

func textAttribute(key, value string) *commonv1.KeyValue {
	return &commonv1.KeyValue{Key: key, Value: &commonv1.AnyValue{Value: &commonv1.AnyValue_StringValue{StringValue: value}}}
}

func pushMetrics(t *testing.T, client *grpc.ClientConn, node string, metrics ...*metricv1.Metric) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	request := &metricsv1.ExportMetricsServiceRequest{ResourceMetrics: []*metricv1.ResourceMetrics{{
		Resource:     &resourcev1.Resource{Attributes: []*commonv1.KeyValue{textAttribute(violation.AttributeNode, node)}},
		ScopeMetrics: []*metricv1.ScopeMetrics{{Metrics: metrics}},
	}}}
	if _, err := metricsv1.NewMetricsServiceClient(client).Export(ctx, request, grpc.WaitForReady(true)); err != nil {
		t.Error(err)
	}
}
