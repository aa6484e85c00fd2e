package enforce

import (
	"bytes"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/enforce/limit"
	"github.com/threatgate/threatgate/internal/enforce/token"
	"github.com/threatgate/threatgate/internal/enforce/uri"
	"github.com/threatgate/threatgate/internal/violation"
)

// judgeCredentials looks for one alternative all of whose credentials are
// there. Of the ways in which the others fail, the one that came furthest is
// the violation. An alternative without a token does not excuse a bad one: the
// upstream may read it, and take it for verified.
func (r *Request) judgeCredentials() (stop bool) {
	b := r.engine.bundle
	alternatives := artifact.Of(b.Alternatives, r.op.Security)
	if len(alternatives) == 0 {
		return false
	}
	furthest, satisfied := violation.TokenMissing, false
	for _, a := range alternatives {
		worst, unread := violation.None, r.headers.authorizations > 0
		for i := range artifact.Of(b.Credentials, a.Credentials) {
			c := &b.Credentials[int(a.Credentials.Off)+i]
			if code := r.judgeCredential(c); code != violation.None && (worst == violation.None || code < worst) {
				worst = code
			}
			unread = unread && !inAuthorization(c.Kind)
		}
		switch {
		case worst != violation.None:
			// The codes stand in this order: missing, malformed, not verified, scope.
			furthest = max(furthest, worst)
		case !unread:
			return false
		default:
			satisfied = true
		}
	}
	if satisfied && (furthest == violation.TokenMissing || furthest == violation.Scope) {
		return false
	}
	return r.violate(furthest, violation.InRequest, nil, nil)
}

// inAuthorization reports whether credentials of a kind travel in the
// Authorization field.
func inAuthorization(k artifact.CredentialKind) bool {
	return k == artifact.CredentialBearer || k == artifact.CredentialBasic || k == artifact.CredentialScheme
}

// judgeCredential returns what is wrong with one credential.
func (r *Request) judgeCredential(c *artifact.Credential) violation.Code {
	b := r.engine.bundle
	name := b.String(c.Name)
	switch c.Kind {
	case artifact.CredentialHeader:
		return r.present(r.headers.readings(name))
	case artifact.CredentialCookie:
		return r.present(func(yield func([]byte) bool) {
			r.headers.cookies(func(n, v []byte) bool { return !bytes.Equal(n, name) || yield(v) })
		})
	case artifact.CredentialQuery:
		return r.present(r.rawQuery(name))
	}
	if r.headers.authorizations == 0 {
		return violation.TokenMissing
	}
	scheme, credentials := token.Authorization(r.headers.authorization)
	if !uri.EqualFold(scheme, name) {
		return violation.TokenMissing
	}
	if r.headers.authorizations > 1 {
		return violation.TokenMalformed // who knows which one the upstream reads
	}
	switch {
	case c.Kind == artifact.CredentialBasic && !token.Basic(credentials),
		c.Kind == artifact.CredentialBearer && !token.Bearer(credentials),
		len(credentials) == 0:
		return violation.TokenMalformed
	case c.Issuers.Len == 0:
		return violation.None
	case !token.Compact(credentials) || !r.verified(c):
		return violation.TokenNotVerified
	}
	for _, scope := range artifact.Of(b.Scopes, c.Scopes) {
		if !r.claims.HasScope(b.String(scope)) {
			return violation.Scope
		}
	}
	return violation.None
}

// present judges a credential of which only presence can be judged.
func (r *Request) present(values func(yield func([]byte) bool)) violation.Code {
	code := violation.TokenMissing
	for v := range values {
		if r.isBlank(v) || code == violation.None { // or given twice
			return violation.TokenMalformed
		}
		code = violation.None
	}
	return code
}

// isBlank reports whether a value is none to some upstream: decoded, as of
// query parameters and often of cookies, it is only space, in quotes or not, or
// has a NUL, where some readers end.
func (r *Request) isBlank(value []byte) bool {
	decoded, whole := uri.Unescape(r.values.buffer[:0], value, true)
	r.values.buffer = decoded
	return len(value) == 0 || whole && (len(bytes.Trim(bytes.TrimSpace(decoded), "\" ")) == 0 || bytes.IndexByte(decoded, 0) >= 0)
}

// verified reports whether Envoy has verified the request's token for one of
// the credential's issuers, and keeps its claims. The payload stands in a
// header that Envoy alone can set.
func (r *Request) verified(c *artifact.Credential) bool {
	b := r.engine.bundle
	for _, issuer := range artifact.Of(b.Issuers, c.Issuers) {
		for payload := range r.headers.values(b.String(issuer.Header)) {
			var ok bool
			if r.jwt, ok = token.DecodePayload(r.jwt[:0], payload); !ok {
				return false
			}
			r.claims, ok = token.ReadClaims(r.jwt)
			return ok
		}
	}
	return false
}

// judgeLimits counts the request against each of the operation's limits, up
// to the first that it exceeds. What would be rejected anyway isn't counted,
// in shadow as in enforce.
func (r *Request) judgeLimits() (stop bool) {
	if r.rejecting() != nil {
		return false
	}
	b := r.engine.bundle
	for i := range artifact.Of(b.Limits, r.op.Limits) {
		l := &b.Limits[int(r.op.Limits.Off)+i]
		rate := limit.Rate{Interval: l.Interval, Burst: l.Burst}
		wait := r.engine.table.Take(r.world, b.String(l.Class), r.key.Sum(r.limitKey(l)), rate, r.world.Now())
		if wait > 0 {
			r.limit, r.wait = l, uint64(wait)
			return r.violate(violation.Rate, violation.InRequest, nil, nil)
		}
	}
	return false
}

// limitKey is whom a limit counts. A subject is one of its issuer's (RFC 7519
// section 4.1.2), and never taken for an address.
func (r *Request) limitKey(l *artifact.Limit) []byte {
	switch {
	case l.Key == artifact.PerOperation:
		return nil
	case l.Key == artifact.PerSubject && len(r.claims.Subject) > 0:
		r.values.buffer = append(append(r.values.buffer[:0], r.claims.Issuer...), 0)
		return append(r.values.buffer, r.claims.Subject...)
	}
	return r.world.ClientAddress()
}
