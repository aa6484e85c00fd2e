package enforce

import (
	"strconv"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/violation"
)

// Status is the HTTP status of the answer to a rejected request or in place of
// a rejected response.
func (r *Request) Status() int {
	v := r.rejecting()
	switch {
	case v == nil:
		return violation.Failure.Status()
	case v.In.OfResponse():
		return 502
	}
	return v.Code.Status()
}

// Details is the text for %RESPONSE_CODE_DETAILS%: the code, and before it,
// for a response or a body that has begun to flow, which part is at fault.
func (r *Request) Details(dst []byte) []byte {
	part, code := "", violation.Failure
	if v := r.rejecting(); v != nil {
		if code = v.Code; v.In.OfResponse() || v.In == violation.InBodyStream {
			part = v.In.String() + ":"
		}
	}
	return appendAll(dst, violation.ReplyDetails, part, code.Family().String(), ":", code.String())
}

// AppendProblem appends the body of the answer to a rejected request: problem
// details (RFC 9457) without any submitted value.
func (r *Request) AppendProblem(dst []byte) []byte {
	failure := violation.Violation{Code: violation.Failure, Threat: violation.Contract}
	v := r.rejecting()
	if v == nil {
		v = &failure
	}
	dst = appendAll(dst, `{"type":"urn:threatgate:`, v.Code.Family().String(), ":", v.Code.String(),
		`","title":"`, v.Code.Title(), `","status":`)
	dst = strconv.AppendInt(dst, int64(r.Status()), 10)
	dst = appendDetail(dst, v)
	if len(r.headers.requestID) > 0 {
		dst = appendText(dst, `,"instance":"`, text(r.headers.requestID), `"`)
	}
	dst = appendAll(dst, `,"errors":[{`)
	switch {
	case v.In >= violation.InPath && v.In <= violation.InCookie, v.In == violation.InResponseHeader:
		if v.Pointer != "" {
			dst = appendText(dst, `"parameter":"`, v.Pointer, `",`)
		}
		dst = appendAll(dst, `"in":"`, v.In.String(), `",`)
	case v.In == violation.InBody, v.In == violation.InBodyStream, v.In == violation.InResponseBody:
		dst = appendText(dst, `"pointer":"`, v.Pointer, `",`)
	}
	dst = appendAll(dst, `"code":"`, v.Code.String(), `","threat":"`)
	return appendText(dst, "", v.Threat, "\"}]}\n")
}

// appendDetail appends a sentence that says where the violation is.
func appendDetail(dst []byte, v *violation.Violation) []byte {
	dst = appendAll(dst, `,"detail":"`, v.Code.Title())
	if v.In != violation.InRequest {
		dst = appendAll(dst, ": ", v.In.String())
	}
	if v.Pointer != "" {
		before := " "
		switch v.In {
		case violation.InPath, violation.InQuery:
			before = " parameter "
		case violation.InBody, violation.InBodyStream, violation.InResponseBody:
			before = " at "
		}
		dst = appendText(dst, before, v.Pointer, "")
	}
	return appendAll(dst, `."`)
}

func appendAll(dst []byte, parts ...string) []byte {
	for _, part := range parts {
		dst = append(dst, part...)
	}
	return dst
}

// appendText appends s, escaped for a JSON string, between two texts that are
// not.
func appendText(dst []byte, before, s, after string) []byte {
	return appendAll(appendEscaped(appendAll(dst, before), s), after)
}

// appendEscaped escapes s for a JSON string. Bytes that are not ASCII are
// kept: everything that comes here is UTF-8. Request ids are Envoy's own, for
// it replaces a client's.
func appendEscaped(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// ProblemHeaders calls yield with each header of the answer to a rejected
// request.
func (r *Request) ProblemHeaders(yield func(name, value []byte)) {
	yield([]byte("content-type"), []byte("application/problem+json"))
	v := r.rejecting()
	if v == nil || v.In.OfResponse() {
		return
	}
	switch v.Code {
	case violation.Method:
		yield([]byte("allow"), r.allowed())
	case violation.TokenMissing, violation.TokenMalformed, violation.TokenNotVerified, violation.Scope:
		r.challenges(v.Code, yield)
	case violation.Rate:
		seconds := func(ns uint64) []byte { return strconv.AppendUint(nil, (ns+1e9-1)/1e9, 10) }
		yield([]byte("retry-after"), seconds(r.wait))
		policy := strconv.AppendUint([]byte(`"default";q=`), uint64(r.limit.Limit), 10)
		yield([]byte("ratelimit-policy"), strconv.AppendUint(append(policy, ";w="...), uint64(r.limit.Window), 10))
		yield([]byte("ratelimit"), append([]byte(`"default";r=0;t=`), seconds(r.wait)...))
	}
}

// allowed lists the methods of the path (RFC 9110 section 10.2.1).
func (r *Request) allowed() []byte {
	var list []byte
	head, hasGet := false, false
	for _, m := range r.match.Methods {
		name := r.engine.bundle.String(m.Name)
		head, hasGet = head || string(name) == "HEAD", hasGet || string(name) == "GET"
		if len(list) > 0 {
			list = append(list, ", "...)
		}
		list = append(list, name...)
	}
	if hasGet && !head {
		list = append(list, ", HEAD"...)
	}
	return list
}

// challenges names the schemes that the operation accepts (RFC 9110 section
// 11.6.1, RFC 6750 section 3).
func (r *Request) challenges(code violation.Code, yield func(name, value []byte)) {
	b := r.engine.bundle
	seen := [8]bool{}
	for _, a := range artifact.Of(b.Alternatives, r.op.Security) {
		for _, c := range artifact.Of(b.Credentials, a.Credentials) {
			kind := c.Kind
			if kind == artifact.CredentialQuery || kind == artifact.CredentialCookie {
				kind = artifact.CredentialHeader // one challenge for all keys
			}
			if seen[kind] {
				continue
			}
			seen[kind] = true
			var challenge []byte
			switch kind {
			case artifact.CredentialHeader:
				challenge = append(challenge, "ApiKey"...)
			default:
				challenge = append(challenge, b.String(c.Name)...)
			}
			challenge = append(append(append(challenge, ` realm="`...), b.String(b.Meta.API)...), '"')
			if kind == artifact.CredentialBearer {
				switch code {
				case violation.TokenMalformed, violation.TokenNotVerified:
					challenge = append(challenge, `, error="invalid_token"`...)
				case violation.Scope:
					challenge = append(challenge, `, error="insufficient_scope"`...)
				}
			}
			yield([]byte("www-authenticate"), challenge)
		}
	}
}
