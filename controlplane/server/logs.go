package server

import (
	"context"
	"strconv"
	"strings"
	"time"

	logsv1 "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	commonv1 "go.opentelemetry.io/proto/otlp/common/v1"
	logv1 "go.opentelemetry.io/proto/otlp/logs/v1"

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

// logs receives what filters record, by OTLP. Any client that reaches the
// port can send it: what is not of the filter's form is counted and dropped.
type logs struct {
	logsv1.UnimplementedLogsServiceServer
	ledger      *ledger
	onRecord    func(Record)
	onReport    func(node, service string, r Report)
	onMalformed func()
}

// Export implements the OTLP logs service. It never refuses: the
// filter could only send the same again.
func (l *logs) Export(_ context.Context, request *logsv1.ExportLogsServiceRequest) (*logsv1.ExportLogsServiceResponse, error) {
	for _, r := range request.GetResourceLogs() {
		node := readTexts(r.GetResource().GetAttributes())[violation.AttributeNode]
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
	wire, violated := attributes[violation.AttributeViolations]
	report, reported := attributes[violation.AttributeReport]
	if violated {
		violations, ok := violation.ParseWire(wire)
		code, err := strconv.Atoi(attributes[violation.AttributeResponseCode])
		if !ok || len(violations) == 0 || err != nil {
			return false
		}
		l.onRecord(Record{
			Time:         at,
			Node:         node,
			API:          attributes[violation.AttributeAPI],
			Operation:    attributes[violation.AttributeOperation],
			Decision:     attributes[violation.AttributeDecision],
			Mode:         attributes[violation.AttributeMode],
			RequestID:    attributes[violation.AttributeRequestID],
			ResponseCode: code,
			Violations:   violations,
		})
	}
	if reported {
		return l.report(node, attributes[violation.AttributeAPI], at, report)
	}
	return violated
}

// report reads "<revision> <nanoseconds>" and notes it.
func (l *logs) report(node, service string, at time.Time, text string) bool {
	revision, nanoseconds, _ := strings.Cut(text, " ")
	judged, err := strconv.ParseUint(nanoseconds, 10, 63)
	if err != nil || len(revision) != artifact.RevisionSize {
		return false
	}
	r := Report{Revision: revision, Judged: time.Duration(judged), Time: at}
	noted := false
	l.ledger.update(func() { noted = l.ledger.report(node, service, r) })
	if noted {
		l.onReport(node, service, r)
	}
	return noted
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
