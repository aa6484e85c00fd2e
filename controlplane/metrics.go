package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/threatgate/threatgate/controlplane/rollout"
	"github.com/threatgate/threatgate/controlplane/server"
	"github.com/threatgate/threatgate/controlplane/snapshot"
)

// metrics are what the control plane itself counts. What Envoy counts comes
// from Envoy.
type metrics struct {
	acks, nacks        prometheus.Counter
	records, malformed prometheus.Counter
	judge              prometheus.Histogram
}

func newMetrics(registry prometheus.Registerer) *metrics {
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
		registry.MustRegister(c)
		return c
	}
	m := &metrics{
		acks:      counter("threatgate_xds_acks_total", "Resources that an Envoy has accepted."),
		nacks:     counter("threatgate_xds_nacks_total", "Resources that an Envoy has refused."),
		records:   counter("threatgate_violation_records_total", "Violation records that have arrived, one for each request."),
		malformed: counter("threatgate_violation_records_malformed_total", "Log records and counters that have arrived and are none of the filter's."),
		judge: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "threatgate_judge_seconds",
			Help:    "Time that the filter takes to judge a request, of the sample that it reports.",
			Buckets: prometheus.ExponentialBuckets(1e-6, 2, 16), // 1 µs to 33 ms
		}),
	}
	registry.MustRegister(m.judge)
	return m
}

func (m *metrics) event(e server.Event) {
	if e.Nack {
		m.nacks.Inc()
	} else {
		m.acks.Inc()
	}
}

func (m *metrics) report(r server.Report) { m.judge.Observe(r.Judged.Seconds()) }

// serving collects what a rollout serves, at the time of the scrape.
type serving struct{ rollout *rollout.Rollout }

var (
	revisionDesc = prometheus.NewDesc("threatgate_policy_revision_info", "1 for the revision of each API that a connected node judges by.", []string{"node", "api", "revision"}, nil)
	problemsDesc = prometheus.NewDesc("threatgate_rollout_problems", "Reasons for which not everything is as the files and the modes that were set say, or can be told.", nil, nil)
)

// Describe implements prometheus.Collector.
func (serving) Describe(ch chan<- *prometheus.Desc) {
	ch <- revisionDesc
	ch <- problemsDesc
}

// Collect implements prometheus.Collector.
func (s serving) Collect(ch chan<- prometheus.Metric) {
	status := s.rollout.Status()
	ch <- prometheus.MustNewConstMetric(problemsDesc, prometheus.GaugeValue, float64(len(status.Problems)+len(status.Stale)))
	for _, node := range status.Nodes {
		for _, api := range node.APIs {
			if node.Connected && api.Revision != "" {
				ch <- prometheus.MustNewConstMetric(revisionDesc, prometheus.GaugeValue, 1, node.ID, api.ID, api.Revision)
			}
		}
	}
}

// pushed collects what Envoys have counted and pushed.
type pushed struct {
	server *server.Server
	descs  map[string]*prometheus.Desc // by name
}

func newPushed(s *server.Server) pushed {
	p := pushed{s, map[string]*prometheus.Desc{}}
	for _, c := range snapshot.Counters() {
		p.descs[c.Name] = prometheus.NewDesc(c.Name, c.Help, c.Labels, nil)
	}
	return p
}

// Describe implements prometheus.Collector.
func (p pushed) Describe(ch chan<- *prometheus.Desc) {
	for _, desc := range p.descs {
		ch <- desc
	}
}

// Collect implements prometheus.Collector.
func (p pushed) Collect(ch chan<- prometheus.Metric) {
	for _, c := range p.server.Counters() {
		ch <- prometheus.MustNewConstMetric(p.descs[c.Name], prometheus.CounterValue, float64(c.Total), c.Values...)
	}
}
