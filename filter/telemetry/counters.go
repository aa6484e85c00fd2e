//go:build wasip1

// Package telemetry is what the filter tells of the requests that it has
// judged: counters in Envoy, which are exact, and records to the control
// plane, which can be lost. Neither holds a path, a header but the request's
// id, or any other value of the client's.
package telemetry

import (
	"github.com/threatgate/threatgate/filter/host"
	"github.com/threatgate/threatgate/internal/violation"
)

// Counters are those of one policy. They are defined when they first count,
// so that Envoy shows none that never did.
type Counters struct {
	api      []byte
	requests [][decisions]host.Counter // by operation, the unknown one first; 0 is not defined yet
}

const decisions = violation.WouldReject + 1

// NewCounters makes those of an API with so many operations.
func NewCounters(api []byte, operations int) *Counters {
	return &Counters{api, make([][decisions]host.Counter, 1+operations)}
}

// Request counts a request for an operation; index is that in the
// policy plus one, or 0 for none.
func (c *Counters) Request(index int, operation []byte, d violation.Decision) {
	counter := &c.requests[index][d]
	if *counter == 0 {
		*counter = c.labelled(violation.RequestsTotal, operation, label{violation.LabelDecision, d.String()})
	}
	counter.Add(1)
}

// Violation counts a request by the violation that decided it.
func (c *Counters) Violation(operation []byte, v *violation.Violation, m violation.Mode) {
	c.labelled(violation.ViolationsTotal, operation,
		label{violation.LabelFamily, v.Code.Family().String()},
		label{violation.LabelCode, v.Code.String()},
		label{violation.LabelThreat, v.Threat},
		label{violation.LabelMode, m.String()},
	).Add(1)
}

type label struct{ name, value string }

// labelled is a counter of the API, with the labels of an operation and others.
func (c *Counters) labelled(metric string, operation []byte, labels ...label) host.Counter {
	name = append(append(name[:0], violation.EnvoyPrefix...), metric...)
	name = violation.AppendLabel(name, violation.LabelAPI, c.api)
	for _, l := range labels {
		text = append(text[:0], l.value...)
		name = violation.AppendLabel(name, l.name, text)
	}
	name = append(violation.AppendLabel(name, violation.LabelOperation, operation), violation.LabelStart)
	return counter(name)
}

var name, text []byte // the memory of both is reused

// counter finds or defines the counter of that name.
func counter(name []byte) host.Counter {
	c, ok := counters[string(name)]
	if !ok {
		name := string(name)
		if c = host.DefineCounter(name); c != 0 {
			counters[name] = c
		}
	}
	return c
}

// counters are all that this VM has defined: they outlive their policies,
// as in Envoy.
var counters = map[string]host.Counter{}
