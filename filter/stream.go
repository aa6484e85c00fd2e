//go:build wasip1

package main

import (
	"strconv"

	"github.com/threatgate/threatgate/filter/host"
	"github.com/threatgate/threatgate/internal/enforce"
	"github.com/threatgate/threatgate/internal/violation"
)

// stream is one request on its way through the filter.
type stream struct {
	engine    *enforce.Engine
	request   *enforce.Request
	seen      int  // bytes of the held body that have been judged
	held      bool // Envoy keeps what has arrived
	published bool
	timed     bool  // the time it takes to judge is measured
	spent     int64 // nanoseconds so far
}

// Memory that all streams share: callbacks never run side by side.
var (
	fields   []enforce.Header
	response host.Response
	scratch  []byte
	report   []byte
	reported *enforce.Engine // the policy that was last reported to be in use
	begun    uint32
)

// sampling is how many requests share one measurement. The first request
// that a worker judges by a policy is always measured, which reports it.
const sampling = 256

// begin makes s ready for a new request.
func (s *stream) begin(engine *enforce.Engine) {
	begun++
	*s = stream{engine: engine, timed: begun%sampling == 0 || engine != reported}
}

// run judges the next part of the message and does what the verdict says.
func (s *stream) run(judge func(*stream) enforce.Action) (action uint32) {
	defer func() {
		if recover() != nil {
			action = s.do(s.fail())
		}
	}()
	if !s.timed {
		return s.do(judge(s))
	}
	start := host.Now()
	verdict := judge(s)
	s.spent += host.Now() - start
	return s.do(verdict)
}

func (s *stream) headers(end bool) enforce.Action {
	if s.engine == nil {
		return s.fail()
	}
	s.request = s.engine.Begin()
	fields = host.RequestHeaders(fields[:0])
	action := s.request.Headers(fields, end, world{})
	for i := range fields {
		if name := fields[i].Name; len(name) >= len(reserved) && enforce.SameField(name[:len(reserved)], reserved) {
			host.RemoveRequestHeader(name)
		}
	}
	if s.request.Mode() == violation.Enforce {
		for _, name := range s.request.IdentityHeaders() {
			host.RemoveRequestHeader(name)
		}
	}
	return action
}

// reserved starts the names of the headers in which Envoy hands verified
// payloads to the filter. They go no further.
var reserved = []byte(violation.ReservedHeaders)

// body judges what has come since the last call. Envoy shows what it holds
// from its start on, and what it lets pass only once.
func (s *stream) body(size int, end bool) enforce.Action {
	if s.request.Judged() {
		return enforce.Pass
	}
	if !s.held {
		s.seen = 0
	}
	for size-s.seen > host.MaxChunk {
		if action := s.chunk(host.MaxChunk, false); action == enforce.Reject {
			return action
		}
		host.Reset()
	}
	return s.chunk(size-s.seen, end)
}

func (s *stream) chunk(size int, end bool) enforce.Action {
	var bytes []byte
	if size > 0 {
		if bytes = host.RequestBody(s.seen, size); len(bytes) != size {
			panic("the host returned another part of the body than was asked for")
		}
	}
	s.seen += size
	return s.request.Body(bytes, end)
}

func (s *stream) trailers() enforce.Action {
	if s.request.Judged() {
		return enforce.Pass
	}
	return s.request.Trailers()
}

// fail is the one place where an error becomes an action.
func (s *stream) fail() enforce.Action {
	if s.request == nil {
		s.request = enforce.Unjudged() // there is no policy to ask
	}
	return s.request.Fail()
}

// do carries out a verdict.
func (s *stream) do(action enforce.Action) uint32 {
	if s.request.Judged() && !s.published {
		s.published = true
		s.publish()
	}
	switch action {
	case enforce.Hold:
		s.held = true
		return pause
	case enforce.Reject:
		response.Reset()
		response.Body = s.request.AppendProblem(response.Body)
		response.Details = s.request.Details(response.Details)
		s.request.ResponseHeaders(response.Header)
		response.Send(s.request.Status())
		return pause
	}
	s.held = false
	return proceed
}

// publish writes the verdict where Envoy's access loggers find it.
func (s *stream) publish() {
	r := s.request
	host.SetState(stateOperation, r.Operation())
	if d := r.Decision(); d != violation.Allowed {
		host.SetState(stateDecision, append(scratch[:0], d.String()...))
	}
	if v := r.Primary(); v != nil {
		host.SetState(stateFamily, append(scratch[:0], v.Code.Family().String()...))
		host.SetState(stateCode, append(scratch[:0], v.Code.String()...))
		host.SetState(stateThreat, append(scratch[:0], v.Threat...))
		host.SetState(stateMode, append(scratch[:0], r.Mode().String()...))
		scratch = scratch[:0]
		for i := range r.Violations() {
			scratch = r.Violations()[i].AppendWire(scratch)
		}
		host.SetState(stateRecords, scratch)
	}
	if s.timed && s.engine != nil {
		reported = s.engine
		report = append(append(report[:0], s.engine.Bundle().Revision...), ' ')
		report = strconv.AppendInt(report, s.spent, 10)
		host.SetState(stateReport, report)
	}
}

var (
	stateOperation = []byte(violation.StateOperation)
	stateDecision  = []byte(violation.StateDecision)
	stateFamily    = []byte(violation.StateFamily)
	stateCode      = []byte(violation.StateCode)
	stateThreat    = []byte(violation.StateThreat)
	stateMode      = []byte(violation.StateMode)
	stateRecords   = []byte(violation.StateRecords)
	stateReport    = []byte(violation.StateReport)
)
