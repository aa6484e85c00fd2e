package model

import (
	"slices"

	"github.com/threatgate/threatgate/internal/diag"
)

// applyEnvironment lays the chosen environment over the services of spec: what
// it says of one service wins over what it says of all, that over what the
// service says. An operation's own mode stays. All environments are checked,
// chosen or not.
func (b *binder) applyEnvironment(spec *specEntry) {
	environments := newTable[environmentEntry]("environment")
	for i := range spec.Environments {
		e := &spec.Environments[i]
		environments.declare(e.ID, e, &b.diags)
		b.zones.find(e.Exposure, &b.diags)
		b.checkOverlays(e, spec.Services)
	}
	if b.options.Environment == "" {
		return
	}
	e, ok := environments.byID[b.options.Environment]
	if !ok {
		known := keys(environments.byID)
		b.diags.Errorf(diag.Pos{File: b.graph.Pos.File}, "the model has no environment %q%s", b.options.Environment, diag.DidYouMean(b.options.Environment, known))
		return
	}
	b.graph.Environment = b.options.Environment
	b.graph.Exposure = b.zones.byID[e.Exposure.Value]
	for i := range spec.Services {
		s := &spec.Services[i]
		overlay := e.Services[string(s.ID.Value)]
		s.Upstream = lastGiven(s.Upstream, overlay.Upstream)
		s.Listen = lastGiven(s.Listen, overlay.Listen)
		s.Mode = lastGiven(s.Mode, e.Mode, overlay.Mode)
	}
}

// checkOverlays reports overlays of services that the model doesn't have.
func (b *binder) checkOverlays(e *environmentEntry, services []serviceEntry) {
	var known []string
	for _, s := range services {
		known = append(known, string(s.ID.Value))
	}
	for _, id := range keys(e.Services) {
		if !slices.Contains(known, id) {
			b.diags.Errorf(e.Services[id].Pos, "unknown service %q%s", id, diag.DidYouMean(id, known))
		}
	}
}

func lastGiven[T any](values ...written[T]) (last written[T]) {
	for _, v := range values {
		if v.given() {
			last = v
		}
	}
	return last
}
