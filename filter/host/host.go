//go:build wasip1

// Package host is the part of the proxy-wasm ABI (version 0.2.1) that the
// filter uses, without copies: what Envoy returns is read where Envoy wrote
// it, and stays there until the next Reset.
package host

import (
	"encoding/binary"
	"unsafe"

	"github.com/threatgate/threatgate/internal/enforce"
)

// RequestHeaders appends the request's headers to dst.
func RequestHeaders(dst []enforce.Header) []enforce.Header { return headers(requestHeaders, dst) }

// ResponseHeaders appends the response's headers to dst.
func ResponseHeaders(dst []enforce.Header) []enforce.Header { return headers(responseHeaders, dst) }

func headers(kind uint32, dst []enforce.Header) []enforce.Header {
	prepare()
	pairs := returned(proxyGetHeaderMapPairs(kind, unsafe.Pointer(&slot.place), unsafe.Pointer(&slot.size)))
	if len(pairs) < 4 {
		return dst
	}
	// count, then the sizes of each name and value, then names and values,
	// each followed by a zero byte
	n := int(binary.LittleEndian.Uint32(pairs))
	sizes, at := pairs[4:], 4+8*n
	for ; n > 0; n, sizes = n-1, sizes[8:] {
		name := at + int(binary.LittleEndian.Uint32(sizes))
		value := name + 1 + int(binary.LittleEndian.Uint32(sizes[4:]))
		dst = append(dst, enforce.Header{Name: pairs[at:name:name], Value: pairs[name+1 : value : value]})
		at = value + 1
	}
	return dst
}

// RequestTrailers appends the request's trailers to dst.
func RequestTrailers(dst []enforce.Header) []enforce.Header { return headers(requestTrailers, dst) }

// RemoveRequestHeader removes a header of the request.
func RemoveRequestHeader(name []byte) {
	proxyRemoveHeaderMapValue(requestHeaders, data(name), uint32(len(name)))
}

// SetRequestHeader gives a header of the request another value; without one it
// removes the header.
func SetRequestHeader(name, value []byte) {
	if value == nil {
		RemoveRequestHeader(name)
		return
	}
	proxyReplaceHeaderMapValue(requestHeaders, data(name), uint32(len(name)), data(value), uint32(len(value)))
}

// RemoveRequestTrailer removes a trailer of the request.
func RemoveRequestTrailer(name []byte) {
	proxyRemoveHeaderMapValue(requestTrailers, data(name), uint32(len(name)))
}

// RequestBody returns size bytes, at most MaxChunk, of the request's body from
// start on.
func RequestBody(start, size int) []byte {
	return buffer(requestBody, start, size)
}

// ResponseBody is RequestBody for the response.
func ResponseBody(start, size int) []byte {
	return buffer(responseBody, start, size)
}

// Configuration returns the plugin's configuration, of the size that the
// callback was given, in memory that nothing else uses.
func Configuration(size int) []byte {
	config := buffer(pluginConfiguration, 0, size)
	if len(config) <= MaxChunk {
		config = append([]byte(nil), config...)
	}
	return config
}

func buffer(kind uint32, start, size int) []byte {
	prepare()
	return returned(proxyGetBufferBytes(kind, uint32(start), uint32(size), unsafe.Pointer(&slot.place), unsafe.Pointer(&slot.size)))
}

// Property returns a property; the parts of its path are separated by zero
// bytes.
func Property(path []byte) []byte {
	prepare()
	return returned(proxyGetProperty(data(path), uint32(len(path)), unsafe.Pointer(&slot.place), unsafe.Pointer(&slot.size)))
}

// Now is the time in nanoseconds since the Unix epoch.
func Now() int64 {
	clockTimeGet(realtimeClock, 1, unsafe.Pointer(&clock))
	return int64(clock)
}

var clock uint64

// SharedData returns a value that all workers share and its version, 0 if
// there is none.
func SharedData(key []byte) (value []byte, version uint32) {
	prepare()
	value = returned(proxyGetSharedData(data(key), uint32(len(key)),
		unsafe.Pointer(&slot.place), unsafe.Pointer(&slot.size), unsafe.Pointer(&slot.version)))
	return value, slot.version
}

// SetSharedData writes a shared value if its version is still the one
// given, 0 meaning that there is none.
func SetSharedData(key, value []byte, version uint32) bool {
	if version == 0 {
		version = noVersion // 0 would be whatever there is
	}
	return proxySetSharedData(data(key), uint32(len(key)), data(value), uint32(len(value)), version) == statusOK
}

// noVersion is a version that no value has: of a key without a value Envoy
// doesn't look at it.
const noVersion = 1 << 31

// Response is an answer in the making; its memory is reused.
type Response struct {
	Body    []byte
	Details []byte
	headers Pairs
}

// Reset makes the response empty.
func (r *Response) Reset() {
	r.Body, r.Details = r.Body[:0], r.Details[:0]
	r.headers.Reset()
}

// Header adds a header.
func (r *Response) Header(name, value []byte) { r.headers.Add(name, value) }

// Send answers the request; it never reaches the upstream.
func (r *Response) Send(status int) {
	headers := r.headers.encode()
	proxySendLocalResponse(uint32(status), data(r.Details), uint32(len(r.Details)), data(r.Body), uint32(len(r.Body)),
		data(headers), uint32(len(headers)), noGRPCStatus)
}

// Log writes a line to Envoy's log, at level error.
func Log(message []byte) { proxyLog(levelError, data(message), uint32(len(message))) }
