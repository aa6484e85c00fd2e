package policy

import (
	"slices"

	"github.com/threatgate/threatgate/internal/threat"
	"github.com/threatgate/threatgate/internal/violation"
)

// Posture says what s does about t. A control acts if every one of its codes
// can come out of the policies, in the mode of the operation or, for a threat
// to a whole service, of the service. What flows between services is not
// judged.
func (s *Set) Posture(t *threat.Threat) threat.Posture {
	mode, compiled, judged := s.policyOf(t)
	if !judged || mode == violation.Off {
		return threat.Posture{}
	}
	state := threat.Shadow
	if mode == violation.Enforce {
		state = threat.Enforced
	}
	p := threat.Posture{Logged: true}
	for _, control := range t.Trigger.Controls {
		if len(control.Codes) > 0 && !slices.ContainsFunc(control.Codes, func(c violation.Code) bool { return !compiled(c) }) {
			p.Controls = append(p.Controls, state)
		} else {
			p.Controls = append(p.Controls, threat.Absent)
		}
	}
	return p
}

func (s *Set) policyOf(t *threat.Threat) (mode violation.Mode, compiled func(violation.Code) bool, judged bool) {
	if t.Flow != nil {
		return 0, nil, false
	}
	for _, service := range s.Services {
		if service.Service != t.Service {
			continue
		}
		if t.Operation == nil {
			return service.Mode, service.compiles, true
		}
		for _, o := range service.Operations {
			if o.Operation == t.Operation {
				return o.Mode, func(c violation.Code) bool { return o.compiles(c, service) }, true
			}
		}
	}
	return 0, nil, false
}

// compiles reports whether requests that match no operation can violate c.
func (s *Service) compiles(c violation.Code) bool {
	return c == violation.UnknownOperation || c == violation.Method
}

// compiles reports whether a request for o can violate c. Everything about
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
