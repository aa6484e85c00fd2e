package policy

import (
	"github.com/threatgate/threatgate/internal/threat"
	"github.com/threatgate/threatgate/internal/violation"
)

// Posture says what s does about t. A control does what the policies do about
// every one of its codes: they act in the mode of the operation or of its
// responses or, for a threat to a whole service, of the service. What flows
// between services is not judged.
func (s *Set) Posture(t *threat.Threat) threat.Posture {
	mode, modeFor, judged := s.policyOf(t)
	if !judged || mode == violation.Off {
		return threat.Posture{}
	}
	p := threat.Posture{Logged: true}
	for _, control := range t.Trigger.Controls {
		weakest := violation.Enforce
		for _, code := range control.Codes {
			weakest = violation.Weaker(weakest, modeFor(code))
		}
		if len(control.Codes) == 0 {
			weakest = violation.Off
		}
		p.Controls = append(p.Controls, states[weakest])
	}
	return p
}

var states = [...]threat.State{
	violation.Off:     threat.Absent,
	violation.Shadow:  threat.Shadow,
	violation.Enforce: threat.Enforced,
}

// policyOf returns the mode of what t is about, and that in which it can
// violate a code: off if it can't.
func (s *Set) policyOf(t *threat.Threat) (mode violation.Mode, modeFor func(violation.Code) violation.Mode, judged bool) {
	if t.Flow != nil {
		return 0, nil, false
	}
	for _, service := range s.Services {
		if service.Service != t.Service {
			continue
		}
		if t.Operation == nil {
			return service.Mode, service.modeFor, true
		}
		for _, o := range service.Operations {
			if o.Operation == t.Operation {
				return o.Mode, func(c violation.Code) violation.Mode { return o.modeFor(c, service) }, true
			}
		}
	}
	return 0, nil, false
}

// modeFor is the mode in which requests that match no operation can violate c.
func (s *Service) modeFor(c violation.Code) violation.Mode {
	if s.compiles(c) {
		return s.Mode
	}
	return violation.Off
}

func (s *Service) compiles(c violation.Code) bool {
	return c == violation.UnknownOperation || c == violation.Method
}

// modeFor is the mode in which a request for o, or its response, can violate
// c.
func (o *Operation) modeFor(c violation.Code, s *Service) violation.Mode {
	switch {
	case !o.compiles(c, s):
		return violation.Off
	case c.OfResponse():
		return o.ResponseMode()
	}
	return o.Mode
}

// compiles reports whether a request for o, or its response, can violate c. Everything about
// parameters and bodies is in the contract, which every operation has; a
// threat whose cause is a schema that allows too much says so in its trigger.
func (o *Operation) compiles(c violation.Code, s *Service) bool {
	switch c {
	case violation.Deprecated:
		return o.Deprecated
	case violation.Sunset:
		return !o.Sunset.IsZero()
	case violation.TokenMissing, violation.TokenMalformed:
		return o.Token.demanded()
	case violation.TokenNotVerified:
		return o.Token.demanded() && o.Token.verifies()
	case violation.IdentityHeader:
		return len(s.Identity) > 0
	case violation.Scope:
		return o.Token.demanded() && o.Token.some(func(c Credential) bool { return len(c.Scopes) > 0 })
	case violation.Rate:
		return len(o.Limits) > 0
	}
	return c.Family() == violation.Validation
}
