package enforce

import (
	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/violation"
)

// response is the upstream's response to a request, being judged.
type response struct {
	state state
	mode  violation.Mode

	headers message
	values  values
	body    body
	bare    bool // HTTP has no content there (RFC 9110 sections 9.3.2, 15.3.5, 15.3.6 and 15.4.5)
	asks    negotiation

	asked, own bool // whether Envoy was asked if the response is its own, and what it said
}

// await prepares to judge the response to a request for r.op.
func (s *response) await(r *Request) {
	if r.op.Responses.Len > 0 {
		s.state = judging
	}
	s.mode, s.asked, s.own = r.op.ResponseMode, false, false
	s.bare = string(r.headers.method) == "HEAD"
	s.negotiate(r)
}

// AwaitsResponse reports whether there will be something to judge of the
// response. There is not if the filter itself gives it.
func (r *Request) AwaitsResponse() bool {
	return r.response.state == judging && r.Decision() != violation.Rejected
}

// ResponseHeaders judges the headers of the response that AwaitsResponse has
// asked for; end says that nothing follows them. In enforce a response whose
// body is to be judged is held, see artifact.Operation.MaxHeld.
func (r *Request) ResponseHeaders(headers []Header, end bool) Action {
	s := &r.response
	s.headers.reset()
	s.headers.read(headers)
	s.values.machine.SetSecret(r.key)
	s.state = judged
	if r.judgeResponseHeaders(end) {
		s.state = judging
	}
	return r.responseAction(end)
}

// ResponseBody judges a chunk of the response's body; end says that it is the
// last.
func (r *Request) ResponseBody(chunk []byte, end bool) Action {
	s := &r.response
	if s.state == judging {
		if !r.holdsResponse() {
			s.body.letGo()
		}
		if s.body.judge(chunk, end) {
			s.state = judged
		}
	}
	return r.responseAction(end)
}

// ResponseTrailers ends the response's body.
func (r *Request) ResponseTrailers() Action { return r.ResponseBody(nil, true) }

// FailResponse ends the judgement of a response that could not be judged, see
// Fail.
func (r *Request) FailResponse() Action {
	r.response.state = judged
	r.violate(violation.Failure, violation.InResponse, nil, nil)
	return r.responseAction(true)
}

// responseAction turns the state of the judgement into what to do.
func (r *Request) responseAction(end bool) Action {
	s := &r.response
	switch {
	case s.state == judged && r.rejects(true):
		return Reject
	case s.state == judging && !end && s.mode == violation.Enforce && r.holdsResponse():
		return Hold
	}
	return Pass
}

// holdsResponse reports whether what has come of a response waits for its
// verdict. A sequence of JSON texts never does: its reader wants each at once.
func (r *Request) holdsResponse() bool {
	s, most := &r.response, uint64(r.op.MaxHeld)
	kind := s.body.media.Kind
	return kind != artifact.MediaLines && kind != artifact.MediaSequence &&
		s.body.size <= most && s.headers.contentLength <= int64(most)
}

// judgeResponseHeaders judges what the headers say. It reports whether more
// of the response is needed.
func (r *Request) judgeResponseHeaders(end bool) (more bool) {
	s := &r.response
	status := s.headers.status
	s.bare = s.bare || status == 204 || status == 205 || status == 304
	if s.bare {
		s.headers.contentLength = -1 // it is of content that is not sent (section 8.6)
	}
	part := s.isPart()
	if part && s.asks.whole { // enforce would have got the whole
		r.violate(violation.Unjudged, violation.InResponseBody, nil, nil)
		return false
	}
	declared := r.engine.bundle.ResponseTo(status, r.op.Responses)
	if part && (declared == nil || declared.IsDefault()) {
		declared = r.engine.bundle.ResponseTo(200, r.op.Responses) // which it is a part of, with its headers (section 15.3.7)
	}
	switch {
	case status == 101 && declared != nil && declared.IsDefault():
		return false // by "default", which says nothing of upgrades
	case declared != nil:
	case status == 101, status == 304:
		return false // what the client has asked for, by an upgrade or a condition
	case status >= 400:
		r.violate(violation.ErrorStatus, violation.InResponse, nil, nil) // it stays the error that it is
		return false
	default:
		r.violate(violation.UndeclaredStatus, violation.InResponse, nil, nil)
		return false
	}
	if r.judgeResponseFields(declared) || declared.Media.Len == 0 || status == 101 {
		return false
	}
	if part && s.headers.isByteRanges() { // which don't show of what type their parts are
		r.violate(violation.Unjudged, violation.InResponseBody, nil, nil)
		return false
	}
	s.body.ofResponse(declared, s.bare)
	if s.body.announce(&s.headers, end) || end && s.body.judge(nil, true) {
		return false
	}
	return s.body.media != nil // else it is judged by its type alone
}

// judgeResponseFields judges the header fields that the response is declared
// to have. A field may come in several lines (RFC 9110 section 5.3), of which
// each is judged by itself.
func (r *Request) judgeResponseFields(declared *artifact.Response) (stop bool) {
	s, b := &r.response, r.engine.bundle
	for i := range artifact.Of(b.Parameters, declared.Headers) {
		p := &b.Parameters[int(declared.Headers.Off)+i]
		given := s.bare // then it need not be there
		for value := range s.headers.values(b.String(p.Name)) {
			given = true
			if s.values.judgeText(p, value) {
				return true
			}
		}
		if !given && s.values.missing(p) {
			return true
		}
	}
	return false
}

// isOwnResponse reports whether the response is one of Envoy's own. That is
// dear to find out, so it is asked once something is wrong with it.
func (r *Request) isOwnResponse() bool {
	s := &r.response
	if !s.asked {
		s.asked, s.own = true, !r.world.FromUpstream()
	}
	return s.own
}
