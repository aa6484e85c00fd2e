package policy

import (
	"cmp"
	"slices"

	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/model"
	"github.com/threatgate/threatgate/internal/threat"
	"github.com/threatgate/threatgate/internal/violation"
)

// Rules that stand for what matches no operation.
const (
	unknownOperationRule = "API9-01"
	unknownMethodRule    = "API5-03"
)

// Derive says what the gateway does for every operation of g: its contract,
// whether a threat asks for it or not, and what the model says of limits and
// tokens. The threats, which are those that the catalogue finds in g, only
// name what a violation answers. diags gets warnings about what is declared
// and can't be enforced.
func Derive(g *model.Graph, rules *threat.Catalogue, threats []threat.Threat, modes Modes, diags *diag.List) *Set {
	names := namesOf(threats)
	set := &Set{}
	for _, s := range g.Services {
		set.Services = append(set.Services, service(g, s, rules, names, modes, diags))
	}
	for _, f := range g.Flows {
		if f.Token != (model.TokenRule{}) {
			diags.Warnf(f.Pos, "flow %s: what happens to the caller's token there is not enforced", f.ID)
		}
	}
	return set
}

func service(g *model.Graph, s *model.Service, rules *threat.Catalogue, names map[*model.Operation]map[violation.Code]string, modes Modes, diags *diag.List) *Service {
	out := &Service{Service: s, Mode: s.Mode, Failure: s.Failure}
	if mode, set := modes.api(s.ID); set {
		out.Mode = mode
	}
	if rules.Rule(unknownOperationRule) != nil {
		out.Unknown = unknownOperationRule
	}
	if rules.Rule(unknownMethodRule) != nil {
		out.Method = unknownMethodRule
	}
	if s.Edge {
		out.Identity = identityHeaders(s, rules, diags)
	}
	issuers := g.IssuersOf(s)
	for _, o := range s.Operations {
		policy := &Operation{
			Operation: o,
			Mode:      modeOf(o, modes),
			Failure:   s.Failure,
			Bounds:    boundsOf(o),
			Sunset:    o.Sunset,
			Token:     tokenOf(o, issuers, diags),
			Threats:   names[o],
		}
		if o.Limit != nil {
			policy.Limits = []*model.Limit{o.Limit}
		}
		out.Operations = append(out.Operations, policy)
		if policy.Token.verifies() {
			out.Issuers = issuers
		}
	}
	return out
}

// modeOf is the first of: the operation's at run time, its API's at run time,
// the model's for the operation, the model's for the service.
func modeOf(o *model.Operation, modes Modes) violation.Mode {
	if mode, set := modes.Operations[OperationKey{o.Service.ID, o.Label}]; set {
		return mode
	}
	if mode, set := modes.api(o.Service.ID); set {
		return mode
	}
	if o.Mode != nil {
		return *o.Mode
	}
	return o.Service.Mode
}

func boundsOf(o *model.Operation) model.Bounds {
	own, service, fallback := o.Bounds, o.Service.Limits, model.DefaultBounds
	return model.Bounds{
		MaxBody:            cmp.Or(own.MaxBody, service.MaxBody, fallback.MaxBody),
		MaxHeld:            cmp.Or(own.MaxHeld, service.MaxHeld, fallback.MaxHeld),
		MaxDepth:           cmp.Or(own.MaxDepth, service.MaxDepth, fallback.MaxDepth),
		MaxQueryParameters: cmp.Or(own.MaxQueryParameters, service.MaxQueryParameters, fallback.MaxQueryParameters),
		MaxTokenLength:     cmp.Or(own.MaxTokenLength, service.MaxTokenLength, fallback.MaxTokenLength),
	}
}

// namesOf gives, for every operation and code, the rule of the most severe
// threat that a control with this code answers; the first id of equals.
// Severity is without controls, so that a change of mode renames nothing.
func namesOf(threats []threat.Threat) map[*model.Operation]map[violation.Code]string {
	type claim struct {
		rule   string
		number float64
	}
	best := map[*model.Operation]map[violation.Code]claim{}
	for _, t := range threats {
		if t.Operation == nil {
			continue
		}
		claims := best[t.Operation]
		if claims == nil {
			claims = map[violation.Code]claim{}
			best[t.Operation] = claims
		}
		for _, control := range t.Rule.Controls {
			for _, code := range control.Codes {
				held, taken := claims[code]
				if !taken || t.Score.Number > held.number || t.Score.Number == held.number && t.Rule.ID < held.rule {
					claims[code] = claim{t.Rule.ID, t.Score.Number}
				}
			}
		}
	}
	names := map[*model.Operation]map[violation.Code]string{}
	for o, claims := range best {
		names[o] = map[violation.Code]string{}
		for code, c := range claims {
			names[o][code] = c.rule
		}
	}
	return names
}

// identityHeaders are the known ones, less those that s itself reads: as a
// declared parameter or as an API key.
func identityHeaders(s *model.Service, rules *threat.Catalogue, diags *diag.List) (strip []string) {
	read := map[string]diag.Pos{}
	for _, o := range s.Operations {
		for name, pos := range headersOf(o) {
			if first, known := read[name]; !known || pos.Compare(first) < 0 {
				read[name] = pos
			}
		}
	}
	for _, header := range rules.IdentityHeaders {
		if pos, declared := read[header.Name]; declared {
			diags.Warnf(pos, "header %q is declared here, so it is not removed although callers can write what they like into it (TB-02): %s", header.Name, header.Why)
			continue
		}
		strip = append(strip, header.Name)
	}
	slices.Sort(strip)
	return strip
}
