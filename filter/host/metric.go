//go:build wasip1

package host

import "unsafe"

// Counter is one of Envoy's. All workers share what has one name.
type Counter uint32

// DefineCounter returns the counter of that name, "wasmcustom.<name>" for
// Envoy, which keeps something for each call: it is made once for a name.
func DefineCounter(name string) Counter {
	proxyDefineMetric(counterMetric, unsafe.Pointer(unsafe.StringData(name)), uint32(len(name)), unsafe.Pointer(&defined))
	return defined
}

var defined Counter

// Add counts n more, at least one.
func (c Counter) Add(n int) { proxyIncrementMetric(uint32(c), int64(n)) }
