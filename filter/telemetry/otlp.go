//go:build wasip1

package telemetry

import (
	"encoding/binary"

	"github.com/threatgate/threatgate/internal/violation"
)

// Fields of the messages of OTLP logs
// (opentelemetry/proto/collector/logs/v1/logs_service.proto and what that
// imports), by number.
const (
	requestResourceLogs = 1

	resourceLogsResource  = 1
	resourceLogsScopeLogs = 2

	resourceAttributes = 1

	scopeLogsScope   = 1
	scopeLogsRecords = 2
	scopeName        = 1

	logRecordTime       = 1
	logRecordAttributes = 6
	logRecordObserved   = 11

	keyValueKey   = 1
	keyValueValue = 2
	anyValueText  = 1
)

// Wire types of protobuf.
const (
	fixed64         = 1
	lengthDelimited = 2
)

// appendRequest appends an ExportLogsServiceRequest: records, each a field
// of ScopeLogs, from one node.
func appendRequest(dst []byte, node, records []byte) []byte {
	attribute := attributeSize(violation.AttributeNode, node)
	resource := fieldSize(attribute)
	scope := fieldSize(len(scopeText))
	scopeLogs := fieldSize(scope) + len(records)
	dst = appendLength(dst, requestResourceLogs, fieldSize(resource)+fieldSize(scopeLogs))
	dst = appendLength(dst, resourceLogsResource, resource)
	dst = appendAttribute(dst, resourceAttributes, violation.AttributeNode, node)
	dst = appendLength(dst, resourceLogsScopeLogs, scopeLogs)
	dst = appendLength(dst, scopeLogsScope, scope)
	dst = append(appendLength(dst, scopeName, len(scopeText)), scopeText...)
	return append(dst, records...)
}

const scopeText = "threatgate"

// appendAttribute appends a field that is a KeyValue with a text.
func appendAttribute(dst []byte, field int, key string, value []byte) []byte {
	dst = appendLength(dst, field, attributeSize(key, value))
	dst = append(appendLength(dst, keyValueKey, len(key)), key...)
	dst = appendLength(dst, keyValueValue, fieldSize(len(value)))
	return append(appendLength(dst, anyValueText, len(value)), value...)
}

func attributeSize(key string, value []byte) int {
	return fieldSize(len(key)) + fieldSize(fieldSize(len(value)))
}

// fieldSize is how many bytes a length-delimited field takes, with its tag.
// All our fields have numbers below 16, so that a tag is one byte.
func fieldSize(length int) int {
	size := 2 + length
	for n := length; n >= 1<<7; n >>= 7 {
		size++
	}
	return size
}

// appendLength begins a length-delimited field.
func appendLength(dst []byte, field, length int) []byte {
	return binary.AppendUvarint(append(dst, byte(field<<3|lengthDelimited)), uint64(length))
}

func appendFixed64(dst []byte, field int, value uint64) []byte {
	return binary.LittleEndian.AppendUint64(append(dst, byte(field<<3|fixed64)), value)
}
