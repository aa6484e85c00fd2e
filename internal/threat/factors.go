package threat

import (
	"fmt"

	"github.com/threatgate/threatgate/internal/model"
)

// facts are what the score needs to know of the place of a threat. Each has
// the value of its factor and the reason.
type facts struct {
	class       class
	classReason string

	opportunity, population, awareness, accountability Rated
}

func operationFacts(g *model.Graph, o *model.Operation, values []value) facts {
	f := facts{class: public, classReason: "it takes and gives only public data"}
	if !o.Security.Public() {
		f.class, f.classReason = internal, "it demands credentials, and nothing is classified"
	}
	for _, v := range values {
		if v.place == "header" || v.place == "cookie" {
			continue // what the call itself is about, and the caller's own credentials
		}
		if v.class > f.class {
			f.class, f.classReason = v.class, fmt.Sprintf("it handles %s %s", v.place, v.path)
		}
	}
	f.addAssets(g, o.Service)
	f.exposedAt(exposure(g, o.Service))
	switch {
	case o.Security.Public():
		f.accountability = Rated{9, "callers are anonymous"}
	case operationSubject{Operation: o}.keyed():
		f.accountability = Rated{7, "an API key or a certificate names a client, not a person"}
	default:
		f.accountability = Rated{1, "the caller's own credentials are demanded"}
		if f.population.Value == 9 {
			f.population = Rated{6, "authenticated callers from the internet"}
		}
	}
	return f
}

func serviceFacts(g *model.Graph, s *model.Service) facts {
	f := facts{class: internal, classReason: "nothing that reaches it is classified"}
	f.addAssets(g, s)
	f.exposedAt(exposure(g, s))
	f.accountability = Rated{9, "what matches no operation is not authenticated"}
	return f
}

func flowFacts(flow *model.Flow) facts {
	f := facts{class: public, classReason: "it carries no data asset"}
	f.carries(flow)
	f.exposedAt(trustOf(flow.From))
	switch flow.Identity {
	case "end-user":
		f.accountability = Rated{1, "it carries the end user's identity"}
	case "technical-user":
		f.accountability = Rated{7, "it carries a technical user's identity"}
	default:
		f.accountability = Rated{9, "it carries no identity"}
	}
	return f
}

// addAssets raises the class to that of the assets that flow to or from s.
func (f *facts) addAssets(g *model.Graph, s *model.Service) {
	for _, flow := range g.Flows {
		if flow.From.Service == s || flow.To.Service == s {
			f.carries(flow)
		}
	}
}

func (f *facts) carries(flow *model.Flow) {
	for _, asset := range flow.Assets {
		if c := parseClass(asset.Sensitivity); c > f.class {
			f.class, f.classReason = c, fmt.Sprintf("flow %s carries %s", flow.ID, asset.ID)
		}
	}
}

// exposure is the lowest trust from which a caller reaches s.
func exposure(g *model.Graph, s *model.Service) int {
	lowest, reached := 100, false
	for _, flow := range g.Flows {
		if flow.To.Service == s {
			lowest, reached = min(lowest, trustOf(flow.From)), true
		}
	}
	switch {
	case reached:
		return lowest
	case g.Exposure != nil:
		return g.Exposure.Trust
	}
	return 0
}

func (f *facts) exposedAt(trust int) {
	switch {
	case trust == 0:
		f.opportunity = Rated{9, "anybody on the internet reaches it"}
		f.population = Rated{9, "anonymous callers from the internet"}
		f.awareness = Rated{6, "a public interface is there to be looked at"}
	case trust <= 33:
		f.opportunity = Rated{7, fmt.Sprintf("a zone of trust %d reaches it", trust)}
		f.population = Rated{5, "partners"}
		f.awareness = Rated{4, "it is not published on the internet"}
	case trust <= 66:
		f.opportunity = Rated{4, fmt.Sprintf("only zones of trust %d and more reach it", trust)}
		f.population = Rated{4, "the internal network"}
		f.awareness = Rated{4, "it is not published on the internet"}
	default:
		f.opportunity = Rated{0, fmt.Sprintf("only zones of trust %d and more reach it", trust)}
		f.population = Rated{2, "administrators and trusted systems"}
		f.awareness = Rated{4, "it is not published on the internet"}
	}
}
