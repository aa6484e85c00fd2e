package model

import (
	"github.com/threatgate/threatgate/internal/diag"
)

func (b *binder) bindFlows(entries []flowEntry) {
	flows := newTable[Flow]("flow")
	for _, e := range entries {
		f := &Flow{
			ID:       string(e.ID.Value),
			From:     b.endpoint(e.From),
			To:       b.endpoint(e.To),
			Issuer:   b.issuers.find(e.Authn.Issuer, &b.diags),
			Identity: e.Identity.Value,
			Assets:   b.flowAssets(e.Assets),
			Token:    b.tokenRule(e.Token),
			Pos:      e.Pos,
		}
		switch {
		case f.Identity != "":
		case f.Issuer != nil:
			f.Identity = "end-user"
		default:
			f.Identity = "none"
		}
		if e.From.given() && e.From.Value == e.To.Value {
			b.diags.Errorf(e.To.Pos, "a flow from %q to itself", e.To.Value)
		}
		flows.declare(e.ID, f, &b.diags)
		b.graph.Flows = append(b.graph.Flows, f)
	}
}

// endpoint is the zone or service that ref names: they share their ids.
func (b *binder) endpoint(ref written[string]) Endpoint {
	if zone, ok := b.zones.byID[ref.Value]; ok {
		return Endpoint{Zone: zone}
	}
	if service, ok := b.services.byID[ref.Value]; ok {
		return Endpoint{Service: service}
	}
	if ref.given() {
		known := append(keys(b.zones.byID), keys(b.services.byID)...)
		b.diags.Errorf(ref.Pos, "unknown zone or service %q%s", ref.Value, diag.DidYouMean(ref.Value, known))
	}
	return Endpoint{}
}

func (b *binder) flowAssets(refs []written[string]) (assets []*DataAsset) {
	first := map[string]diag.Pos{}
	for _, ref := range refs {
		if pos, repeated := first[ref.Value]; repeated && ref.given() {
			b.diags.Errorf(ref.Pos, "duplicate data asset %q, first in line %d", ref.Value, pos.Line)
			continue
		}
		first[ref.Value] = ref.Pos
		if a := b.assets.find(ref, &b.diags); a != nil {
			assets = append(assets, a)
		}
	}
	return assets
}

// tokenRule is what happens to the caller's token: at most one thing can.
func (b *binder) tokenRule(e tokenEntry) TokenRule {
	rule := TokenRule{Exchange: e.Exchange.Audience.Value, Strip: e.Strip.given(), Forward: e.Forward.Value}
	var said []string
	if rule.Exchange != "" {
		said = append(said, "exchanged")
	}
	if rule.Strip {
		said = append(said, "stripped")
	}
	if rule.Forward {
		said = append(said, "forwarded")
	}
	if len(said) > 1 {
		b.diags.Errorf(e.Pos, "a token can't be both %s and %s", said[0], said[1])
	}
	return rule
}

// markEdges sets Service.Edge.
func (g *Graph) markEdges() {
	called := map[*Service]bool{}
	for _, f := range g.Flows {
		from, to := f.From.TrustZone(), f.To.Service
		if from == nil || to == nil || to.Zone == nil {
			continue // into a zone, or reported
		}
		called[to] = true
		if from.Trust < to.Zone.Trust {
			to.Edge = true
		}
	}
	for _, s := range g.Services {
		if !called[s] {
			s.Edge = true
		}
	}
}
