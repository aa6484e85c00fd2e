//go:build wasip1

package host

import (
	"encoding/binary"
	"unsafe"

	"github.com/threatgate/threatgate/internal/enforce"
)

// Call is a message to be sent to one of Envoy's clusters, by HTTP.
type Call struct {
	Cluster string
	Headers Pairs
	Timeout uint32 // milliseconds
}

// Send sends body on behalf of a root context, whose callback
// proxy_on_http_call_response gets the answer, under the same token. When that
// context ends, so does the call, without a word.
func (c *Call) Send(root uint32, body []byte) (token uint32, ok bool) {
	if proxySetEffectiveContext(root) != statusOK {
		return 0, false
	}
	headers := c.Headers.encode()
	status := proxyHTTPCall(unsafe.Pointer(unsafe.StringData(c.Cluster)), uint32(len(c.Cluster)), data(headers), uint32(len(headers)),
		data(body), uint32(len(body)), unsafe.Pointer(&noPairs), uint32(len(noPairs)), c.Timeout, unsafe.Pointer(&called))
	return called, status == statusOK
}

var (
	called  uint32
	noPairs [4]byte // a count of 0
)

// SetTimer makes Envoy call proxy_on_tick for a root context each so many
// milliseconds, with 0 never.
func SetTimer(root, milliseconds uint32) {
	if proxySetEffectiveContext(root) == statusOK {
		proxySetTickPeriod(milliseconds)
	}
}

// CallHeaders and CallTrailers append those of the answer that a callback is
// about.
func CallHeaders(dst []enforce.Header) []enforce.Header { return headers(callHeaders, dst) }

func CallTrailers(dst []enforce.Header) []enforce.Header { return headers(callTrailers, dst) }

// Pairs is a header map in the making; its memory is reused.
type Pairs struct {
	count uint32
	sizes []byte // of each name and value
	texts []byte // names and values, each followed by a zero byte
	whole []byte
}

// Reset makes the map empty.
func (p *Pairs) Reset() { p.count, p.sizes, p.texts = 0, p.sizes[:0], p.texts[:0] }

// Add adds a header.
func (p *Pairs) Add(name, value []byte) {
	p.count++
	p.sizes = binary.LittleEndian.AppendUint32(p.sizes, uint32(len(name)))
	p.sizes = binary.LittleEndian.AppendUint32(p.sizes, uint32(len(value)))
	p.texts = append(append(p.texts, name...), 0)
	p.texts = append(append(p.texts, value...), 0)
}

// encode is the map as the ABI has it.
func (p *Pairs) encode() []byte {
	p.whole = binary.LittleEndian.AppendUint32(p.whole[:0], p.count)
	p.whole = append(append(p.whole, p.sizes...), p.texts...)
	return p.whole
}
