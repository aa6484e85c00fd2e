package server

import (
	"context"
	"strconv"
	"strings"
	"time"

	logsv1 "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	commonv1 "go.opentelemetry.io/proto/otlp/common/v1"
	logv1 "go.opentelemetry.io/proto/otlp/logs/v1"

	"github.com/threatgate/threatgate/controlplane/snapshot"
	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/violation"
)

// Record is one request that violated something.
type Record struct {
	Time         time.Time
	Node         string
	API          string // the service
	Operation    string // the operation's label
	Decision     string // violation.Decision's text
	Mode         string // violation.Mode's text
	RequestID    string
	ResponseCode int
	Violations   []violation.Violation // at least one; the first is the one that is counted
}

// logs receives Envoy's access logs by OTLP. They come from Envoy, but any
// client that reaches the port can send them: what is not of the form that
// package snapshot asks for is counted and dropped.
type logs struct {
	logsv1.UnimplementedLogsServiceServer
	ledger      *ledger
	onRecord    func(Record)
	onReport    func(node, service string, r Report)
	onMalformed func()
}

// Export implements the OTLP logs service. It never refuses: Envoy would
// only send the same again.
func (l *logs) Export(_ context.Context, request *logsv1.ExportLogsServiceRequest) (*logsv1.ExportLogsServiceResponse, error) {
	for _, r := range request.GetResourceLogs() {
		node := readTexts(r.GetResource().GetAttributes())[snapshot.AttributeNode]
		for _, scope := range r.GetScopeLogs() {
			for _, record := range scope.GetLogRecords() {
				if !l.take(node, record) {
					l.onMalformed()
				}
			}
		}
	}
	return &logsv1.ExportLogsServiceResponse{}, nil
}

// take reads one log record. It returns false if that is malformed.
func (l *logs) take(node string, record *logv1.LogRecord) bool {
	attributes := readTexts(record.GetAttributes())
	at := time.Unix(0, int64(record.GetTimeUnixNano()))
	wire, reported := attributes[violation.StateRecords], attributes[violation.StateReport]
	if wire == absent && reported == absent {
		return false
	}
	if wire != absent {
		decision := attributes[violation.StateDecision]
		if decision == absent {
			decision = violation.Allowed.String()
		}
		violations, ok := violation.ParseWire(wire)
		code, err := strconv.Atoi(attributes[snapshot.AttributeResponseCode])
		if !ok || len(violations) == 0 || err != nil {
			return false
		}
		l.onRecord(Record{
			Time:         at,
			Node:         node,
			API:          attributes[snapshot.AttributeAPI],
			Operation:    attributes[violation.StateOperation],
			Decision:     decision,
			Mode:         attributes[violation.StateMode],
			RequestID:    attributes[snapshot.AttributeRequestID],
			ResponseCode: code,
			Violations:   violations,
		})
	}
	if reported != absent {
		return l.report(node, attributes[snapshot.AttributeAPI], at, reported)
	}
	return true
}

// absent is what Envoy writes for a value that isn't there.
const absent = "-"

// report reads "<revision> <nanoseconds>" and notes it, if the node is one
// that xDS knows.
func (l *logs) report(node, service string, at time.Time, text string) bool {
	revision, nanoseconds, _ := strings.Cut(text, " ")
	judged, err := strconv.ParseUint(nanoseconds, 10, 63)
	if err != nil || len(revision) != artifact.RevisionSize {
		return false
	}
	r := Report{Revision: revision, Judged: time.Duration(judged), Time: at}
	known := false
	l.ledger.update(func() {
		if n := l.ledger.nodes[node]; n != nil {
			n.Revisions[service] = r
			known = true
		}
	})
	if known {
		l.onReport(node, service, r)
	}
	return known
}

// texts are the string attributes of a record or resource.
type texts map[string]string

func readTexts(attributes []*commonv1.KeyValue) texts {
	t := texts{}
	for _, a := range attributes {
		t[a.GetKey()] = a.GetValue().GetStringValue()
	}
	return t
}
