//go:build wasip1

package telemetry

import (
	"encoding/binary"
	"strconv"

	"github.com/threatgate/threatgate/filter/host"
	"github.com/threatgate/threatgate/internal/violation"
)

// Record is what is told of one request.
type Record struct {
	API        []byte
	Operation  []byte // its label
	RequestID  []byte
	Decision   violation.Decision
	Mode       violation.Mode
	Violations []violation.Violation
	Report     []byte // empty, or as violation.AttributeReport says
}

// append appends the record as a LogRecord of OTLP. What else it says, when
// the request came and how it was answered, Envoy knows: the context must be
// that of the request's stream.
func (r *Record) append(dst []byte) []byte {
	begun, now := host.Property(requestTime), uint64(host.Now())
	at := now
	if len(begun) == 8 {
		at = binary.LittleEndian.Uint64(begun)
	}
	dst = appendFixed64(dst, logRecordTime, at)
	dst = appendFixed64(dst, logRecordObserved, now)
	dst = appendAttribute(dst, logRecordAttributes, violation.AttributeAPI, r.API)
	if len(r.Report) > 0 {
		dst = appendAttribute(dst, logRecordAttributes, violation.AttributeReport, r.Report)
	}
	if len(r.Violations) == 0 {
		return dst
	}
	dst = appendAttribute(dst, logRecordAttributes, violation.AttributeRequestID, r.RequestID)
	dst = appendAttribute(dst, logRecordAttributes, violation.AttributeOperation, r.Operation)
	dst = appendAttribute(dst, logRecordAttributes, violation.AttributeDecision, append(text[:0], r.Decision.String()...))
	dst = appendAttribute(dst, logRecordAttributes, violation.AttributeMode, append(text[:0], r.Mode.String()...))
	text = text[:0]
	for i := range r.Violations {
		text = r.Violations[i].AppendWire(text)
	}
	dst = appendAttribute(dst, logRecordAttributes, violation.AttributeViolations, text)
	text = strconv.AppendInt(text[:0], responseCode(), 10)
	return appendAttribute(dst, logRecordAttributes, violation.AttributeResponseCode, text)
}

// responseCode is 0 if the client has got none.
func responseCode() int64 {
	if code := host.Property(responseStatus); len(code) == 8 {
		return int64(binary.LittleEndian.Uint64(code))
	}
	return 0
}

var (
	requestTime    = []byte("request\x00time")  // Unix nanoseconds
	responseStatus = []byte("response\x00code") // both are 64 bits
	nodeID         = []byte("xds\x00node\x00id")
)
