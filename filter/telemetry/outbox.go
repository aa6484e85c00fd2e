//go:build wasip1

package telemetry

import (
	"encoding/binary"
	"slices"

	"github.com/threatgate/threatgate/filter/host"
	"github.com/threatgate/threatgate/internal/enforce"
	"github.com/threatgate/threatgate/internal/violation"
)

// Outbox sends records to the control plane, by OTLP over gRPC, with one call
// at a time: what comes while that is under way goes with the next. So a
// record leaves at once where there are few, and where there are many the
// receiver sets the pace.
//
// A call belongs to a root context and dies with it. It is then made again
// for another, as it is after a failure that may pass (OpenTelemetry protocol
// 1.3, "Failures"): a record can arrive twice, and is lost only where there
// is no room for it, where the control plane refuses it, or with its VM.
type Outbox struct {
	waiting batch
	sent    batch    // without an answer
	roots   []uint32 // that live, the newest last

	root, token uint32 // of the call under way; root 0: there is none
	resting     uint32 // the root whose timer says when to try again; 0: there is no need to

	record  []byte // memory of a record in the making
	message []byte // of the body of a call
	fields  []enforce.Header
}

// batch is records that go together.
type batch struct {
	records    []byte // each a field of ScopeLogs
	violations int    // how many of them are violation records
}

const (
	maxBatch = 256 << 10 // bytes
	pause    = 1_000     // milliseconds between a failure and the next try
	timeout  = 10_000    // milliseconds
)

// Attach says that root lives.
func (o *Outbox) Attach(root uint32) { o.roots = append(o.roots, root) }

// Detach says that root ends.
func (o *Outbox) Detach(root uint32) {
	if i := slices.Index(o.roots, root); i >= 0 {
		o.roots = slices.Delete(o.roots, i, i+1)
	}
	if root == o.root || root == o.resting {
		o.root, o.resting = 0, 0
		o.flush()
	}
}

// Add takes a record, about the stream whose context is current, and reports
// whether there was room for it. It may make a call, so it comes last in its
// callback.
func (o *Outbox) Add(r *Record) (taken bool) {
	o.record = r.append(o.record[:0])
	violations := min(len(r.Violations), 1)
	if taken = len(o.waiting.records)+fieldSize(len(o.record)) <= maxBatch; !taken {
		drop(violations)
	} else {
		o.waiting.records = append(appendLength(o.waiting.records, scopeLogsRecords, len(o.record)), o.record...)
		o.waiting.violations += violations
	}
	o.flush()
	return taken
}

// flush sends what waits, if it is time.
func (o *Outbox) flush() {
	if o.root != 0 || o.resting != 0 || len(o.roots) == 0 || len(o.waiting.records)+len(o.sent.records) == 0 {
		return
	}
	if len(o.sent.records) == 0 {
		o.waiting, o.sent = o.sent, o.waiting
	}
	o.send()
}

// send sends what is to be sent. Its length goes before a message of gRPC
// (PROTOCOL-HTTP2, "Length-Prefixed-Message").
func (o *Outbox) send() {
	if len(node) == 0 {
		node = append(node, host.Property(nodeID)...)
	}
	o.message = appendRequest(append(o.message[:0], make([]byte, prefixSize)...), node, o.sent.records)
	binary.BigEndian.PutUint32(o.message[1:], uint32(len(o.message)-prefixSize))
	root := o.newest()
	token, ok := export.Send(root, o.message)
	if !ok {
		o.rest()
		return
	}
	o.root, o.token = root, token
}

func (o *Outbox) newest() uint32 { return o.roots[len(o.roots)-1] }

// rest puts the next try off.
func (o *Outbox) rest() {
	o.resting = o.newest()
	host.SetTimer(o.resting, pause)
}

// Tick says that the timer of root has run off.
func (o *Outbox) Tick(root uint32) {
	host.SetTimer(root, 0)
	if root == o.resting {
		o.resting = 0
		o.flush()
	}
}

const prefixSize = 5 // a byte that says "not compressed", and the length

var node []byte

var export = newExport()

func newExport() *host.Call {
	c := &host.Call{Cluster: violation.ControlPlaneCluster, Timeout: timeout}
	for _, header := range [...][2]string{
		{":method", "POST"},
		{":path", "/opentelemetry.proto.collector.logs.v1.LogsService/Export"},
		{":authority", violation.ControlPlaneCluster},
		{"content-type", "application/grpc"},
		{"te", "trailers"},
	} {
		c.Headers.Add([]byte(header[0]), []byte(header[1]))
	}
	return c
}

// Answered takes the answer to a call, of which the current callback tells.
func (o *Outbox) Answered(root, token uint32) {
	if root == 0 || root != o.root || token != o.token {
		return
	}
	o.root = 0
	switch o.outcome() {
	case failed:
		o.rest()
		return
	case refused:
		drop(o.sent.violations)
	}
	o.sent.records, o.sent.violations = o.sent.records[:0], 0
	o.flush()
}

type outcome uint8

const (
	failed outcome = iota // it may go better the next time
	refused
	taken
)

// outcome reads the status of gRPC. It stands in the trailers or, where there
// is nothing else to say, in the headers; where it is in neither, it was not
// the control plane who answered.
func (o *Outbox) outcome() outcome {
	o.fields = host.CallTrailers(host.CallHeaders(o.fields[:0]))
	for i := range o.fields {
		if string(o.fields[i].Name) == "grpc-status" {
			switch string(o.fields[i].Value) {
			case "0":
				return taken
			case "1", "4", "10", "11", "14", "15": // those that OTLP calls retryable
				return failed
			}
			return refused
		}
	}
	return failed
}

// drop counts violation records that are lost.
func drop(violations int) {
	if violations > 0 {
		name = append(append(name[:0], violation.EnvoyPrefix...), violation.RecordsDroppedTotal...)
		counter(name).Add(violations)
	}
}
