//go:build wasip1

package host

import "unsafe"

// Counter is one of Envoy's. All workers share what has one name. Its zero
// value is none, which counts nothing.
type Counter uint64

// DefineCounter returns the counter of that name, "wasmcustom.<name>" for
// Envoy, which keeps something for each call: it is made once for a name. It
// returns none if Envoy does not make it.
func DefineCounter(name string) Counter {
	if proxyDefineMetric(counterMetric, unsafe.Pointer(unsafe.StringData(name)), uint32(len(name)), unsafe.Pointer(&defined)) != statusOK {
		return 0
	}
	return 1 + Counter(defined)
}

var defined uint32 // an id may be 0

// Add counts n more, at least one.
func (c Counter) Add(n int) {
	if c != 0 {
		proxyIncrementMetric(uint32(c-1), int64(n))
	}
}
