package server

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"

	metricsv1 "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	metricv1 "go.opentelemetry.io/proto/otlp/metrics/v1"

	"github.com/threatgate/threatgate/controlplane/snapshot"
	"github.com/threatgate/threatgate/internal/violation"
)

// Counter is the sum, over all nodes, of one series.
type Counter struct {
	Name   string   // a snapshot.Counter's
	Values []string // of its labels, in their order
	Total  uint64
}

// Bounds on what a client can make us remember, besides maxNodes.
const (
	maxSeries = 100_000 // over all nodes
	maxValues = 1 << 10 // bytes of one series' label values
)

// counters receives Envoys' counters by OTLP. A request has all series of
// one node, as sums since its process began: one that is lost costs nothing.
type counters struct {
	metricsv1.UnimplementedMetricsServiceServer
	ledger      *ledger
	labels      map[string][]string // by snapshot.Counter's name
	onMalformed func()

	mu     sync.Mutex
	series map[string]*Counter // by seriesKey
	nodes  map[string]push     // the last of each
}

// push is what one node says at one time.
type push struct {
	began, at uint64 // the process and the push, in Unix nanoseconds
	values    map[*Counter]uint64
}

func newCounters(ledger *ledger, onMalformed func()) *counters {
	c := &counters{
		ledger:      ledger,
		labels:      map[string][]string{},
		onMalformed: onMalformed,
		series:      map[string]*Counter{},
		nodes:       map[string]push{},
	}
	for _, counter := range snapshot.Counters() {
		c.labels[counter.Name] = counter.Labels
		if len(counter.Labels) == 0 {
			c.series[seriesKey(counter.Name, nil)] = &Counter{Name: counter.Name}
		}
	}
	return c
}

// Export implements the OTLP metrics service. It never refuses: Envoy would
// not do anything about it. A node that xDS does not know yet says it all
// again when it does.
func (c *counters) Export(_ context.Context, request *metricsv1.ExportMetricsServiceRequest) (*metricsv1.ExportMetricsServiceResponse, error) {
	for _, r := range request.GetResourceMetrics() {
		node := readTexts(r.GetResource().GetAttributes())[violation.AttributeNode]
		if c.ledger.knows(node) {
			c.take(node, r.GetScopeMetrics())
		}
	}
	return &metricsv1.ExportMetricsServiceResponse{}, nil
}

// take adds to the sums what node has counted since its last push.
func (c *counters) take(node string, scopes []*metricv1.ScopeMetrics) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now, last := c.read(scopes), c.nodes[node]
	if now.began < last.began {
		c.onMalformed() // two Envoys have one id; to add both in turn would count all again each time
		return
	}
	if now.began == last.began && now.at <= last.at {
		return // overtaken by a later one
	}
	for counter, value := range now.values {
		before := last.values[counter]
		if now.began != last.began || value < before {
			before = 0 // another process, or a counter that began again
		}
		counter.Total += value - before
	}
	c.nodes[node] = now
}

// read drops what is not of the form that package snapshot asks for.
func (c *counters) read(scopes []*metricv1.ScopeMetrics) push {
	p := push{values: map[*Counter]uint64{}}
	for _, scope := range scopes {
		for _, metric := range scope.GetMetrics() {
			sum := metric.GetSum()
			if sum.GetAggregationTemporality() != metricv1.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE {
				c.onMalformed()
				continue
			}
			for _, point := range sum.GetDataPoints() {
				if metric.GetName() == snapshot.Heartbeat {
					p.began, p.at = point.GetStartTimeUnixNano(), point.GetTimeUnixNano()
					continue
				}
				if counter := c.counter(metric.GetName(), point); counter != nil {
					p.values[counter] = uint64(point.GetAsInt())
				} else {
					c.onMalformed()
				}
			}
		}
	}
	return p
}

// counter finds or makes point's series. It is nil if point is of no such
// counter, or there is no room for it.
func (c *counters) counter(name string, point *metricv1.NumberDataPoint) *Counter {
	attributes := readTexts(point.GetAttributes())
	labels, ok := c.labels[name]
	if !ok || len(attributes) != len(labels) || point.GetAsInt() < 0 {
		return nil
	}
	values, size := make([]string, len(labels)), 0
	for i, label := range labels {
		if values[i], ok = attributes[label]; !ok {
			return nil
		}
		size += len(values[i])
	}
	key := seriesKey(name, values)
	if counter := c.series[key]; counter != nil {
		return counter
	}
	if len(c.series) == maxSeries || size > maxValues {
		return nil
	}
	counter := &Counter{Name: name, Values: values}
	c.series[key] = counter
	return counter
}

// seriesKey is unique: UTF-8 has no byte FF.
func seriesKey(name string, values []string) string {
	return name + "\xff" + strings.Join(values, "\xff")
}

// sums returns a copy of every series, sorted.
func (c *counters) sums() []Counter {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []Counter
	for _, counter := range c.series {
		out = append(out, *counter)
	}
	slices.SortFunc(out, func(a, b Counter) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), slices.Compare(a.Values, b.Values))
	})
	return out
}
