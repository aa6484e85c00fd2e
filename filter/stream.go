//go:build wasip1

package main

import (
	"strconv"

	"github.com/threatgate/threatgate/filter/host"
	"github.com/threatgate/threatgate/filter/telemetry"
	"github.com/threatgate/threatgate/internal/enforce"
	"github.com/threatgate/threatgate/internal/violation"
)

// stream is one request and its response on their way through the filter.
type stream struct {
	policy  *policy
	request *enforce.Request
	flows   [2]flow // by direction
	counted bool    // the verdict stands, and is counted
	timed   bool    // the time it takes to judge is measured
	spent   int64   // nanoseconds so far
}

// direction is that of a message.
type direction uint8

const (
	request direction = iota
	response
)

// flow is how far a message has come.
type flow struct {
	seen int  // bytes of the held body that have been judged
	held bool // Envoy keeps what has arrived
}

// Memory that all streams share: callbacks never run side by side.
var (
	fields []enforce.Header
	reply  host.Response
	record telemetry.Record
	begun  uint32
)

// sampling is how many requests share one measurement. The first request
// that a worker judges by a policy is always measured, which reports it.
const sampling = 1024

// begin makes s ready for a new request.
func (s *stream) begin(p *policy) {
	begun++
	*s = stream{policy: p, timed: begun%sampling == 0 || p != nil && !p.reported}
}

// run judges the next part of the message and does what the verdict says.
func (s *stream) run(d direction, judge func(*stream) enforce.Action) (action uint32) {
	defer func() {
		if recover() != nil {
			action = s.do(d, s.fail(d))
		}
	}()
	if !s.timed {
		return s.do(d, judge(s))
	}
	start := host.Now()
	verdict := judge(s)
	s.spent += host.Now() - start
	return s.do(d, verdict)
}

func (s *stream) headers(end bool) enforce.Action {
	if s.policy == nil {
		return s.fail(request)
	}
	s.request = s.policy.engine.Begin()
	fields = host.RequestHeaders(fields[:0])
	action := s.request.Headers(fields, end, world{})
	s.strip(host.RemoveRequestHeader)
	if action != enforce.Reject {
		s.request.Renegotiate(host.SetRequestHeader)
	}
	return action
}

// strip removes those of the fields that no client may send.
func (s *stream) strip(remove func(name []byte)) {
	for i := range fields {
		if name := fields[i].Name; len(name) >= len(reserved) && enforce.SameField(name[:len(reserved)], reserved) {
			remove(name)
		}
	}
	if s.request.Mode() == violation.Enforce {
		for _, name := range s.request.IdentityHeaders() {
			remove(name)
		}
	}
}

// reserved starts the names of the headers in which Envoy hands verified
// payloads to the filter. They go no further.
var reserved = []byte(violation.ReservedHeaders)

func (s *stream) body(size int, end bool) enforce.Action {
	if s.request.Judged() {
		return enforce.Pass
	}
	return s.flows[request].read(size, end, host.RequestBody, s.request.Body)
}

func (s *stream) trailers() enforce.Action {
	fields = host.RequestTrailers(fields[:0])
	action := s.request.Trailers(fields)
	s.strip(host.RemoveRequestTrailer)
	return action
}

// awaitsResponse reports whether there is anything to judge of the response.
// What is known without running anything costs little.
func (s *stream) awaitsResponse() bool { return s.request != nil && s.request.AwaitsResponse() }

func (s *stream) responseHeaders(end bool) enforce.Action {
	fields = host.ResponseHeaders(fields[:0])
	return s.request.ResponseHeaders(fields, end)
}

func (s *stream) responseBody(size int, end bool) enforce.Action {
	return s.flows[response].read(size, end, host.ResponseBody, s.request.ResponseBody)
}

func (s *stream) responseTrailers() enforce.Action { return s.request.ResponseTrailers() }

// read judges what has come of a body since the last call. Envoy shows what
// it holds from its start on, and what it lets pass only once.
func (f *flow) read(size int, end bool, bytes func(start, size int) []byte, judge func([]byte, bool) enforce.Action) (action enforce.Action) {
	if !f.held {
		f.seen = 0
	}
	for last := false; !last && action != enforce.Reject; host.Reset() {
		var chunk []byte
		n := min(size-f.seen, host.MaxChunk)
		if n > 0 {
			if chunk = bytes(f.seen, n); len(chunk) != n {
				panic("the host returned another part of the body than was asked for")
			}
		}
		f.seen += n
		last = f.seen == size
		action = judge(chunk, end && last)
	}
	return action
}

// fail is the one place where an error becomes an action.
func (s *stream) fail(d direction) enforce.Action {
	if s.request == nil {
		s.request = enforce.Unjudged() // there is no policy to ask
	}
	if d == response {
		return s.request.FailResponse()
	}
	return s.request.Fail()
}

// do carries out a verdict. An answer in place of a response that has begun
// ends the stream, for Envoy can't take back what the client has.
func (s *stream) do(d direction, action enforce.Action) uint32 {
	if s.request.Settled() && !s.counted {
		s.counted = true
		s.count()
	}
	switch action {
	case enforce.Hold:
		s.flows[d].held = true
		return pause
	case enforce.Reject:
		reply.Reset()
		reply.Body = s.request.AppendProblem(reply.Body)
		reply.Details = s.request.Details(reply.Details)
		s.request.ProblemHeaders(reply.Header)
		reply.Send(s.request.Status())
		return pause
	}
	s.flows[d].held = false
	return proceed
}

// count counts the request, now that its verdict stands: from here on not
// even the end of the VM makes it uncounted.
func (s *stream) count() {
	if s.policy == nil {
		return // nobody knows what it was to be judged by
	}
	r, c := s.request, s.policy.counters
	c.Request(r.OperationIndex(), r.Operation(), r.Decision())
	if v := r.Primary(); v != nil {
		c.Violation(r.Operation(), v, r.PrimaryMode())
	}
}

// end sends what there is to tell of a request once its stream has ended.
func (s *stream) end() {
	r := s.request
	if r != nil && !s.counted && (r.Judged() || r.Decision() != violation.Allowed) { // and its body or response cut short
		s.counted = true
		s.count()
	}
	if s.counted && s.policy != nil && (s.timed || len(r.Violations()) > 0) {
		record.API = s.policy.engine.Bundle().String(s.policy.engine.Bundle().Meta.API)
		record.Operation, record.RequestID = r.Operation(), r.ID()
		record.Decision, record.Mode, record.Violations = r.Decision(), r.PrimaryMode(), r.Violations()
		record.Report = record.Report[:0]
		if s.timed {
			record.Report = append(append(record.Report, s.policy.engine.Bundle().Revision...), ' ')
			record.Report = strconv.AppendInt(record.Report, s.spent, 10)
		}
		if outbox.Add(&record) && s.timed {
			s.policy.reported = true
		}
	}
	if r != nil {
		r.End()
	}
}
