package threat

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/model"
)

// Threat is one match of a rule: this can go wrong here, for this cause.
type Threat struct {
	Rule      *Rule
	Trigger   *Trigger
	Service   *model.Service   // the receiver's, for a flow; nil if that is a zone
	Operation *model.Operation // nil unless the rule is about operations
	Flow      *model.Flow      // nil unless the rule is about flows
	Evidence  []Evidence       // at least one, by position
	Score     Score            // with no control in place

	facts facts
}

// Evidence is a place in a document that made a rule fire.
type Evidence struct {
	Pos  diag.Pos
	Text string // what is there: "query order_id", "GET /orders", "service orders"
}

// Enumerate matches every rule against every service, operation and flow of
// g. The order is that of the rules' ids, then that of g.
func Enumerate(g *model.Graph, rules *Catalogue) []Threat {
	e := newEnumeration(g, rules)
	var found []Threat
	for _, s := range g.Services {
		found = append(found, e.aboutService(s)...)
		versions := versionsOf(s)
		for _, o := range s.Operations {
			found = append(found, e.aboutOperation(o, versions)...)
		}
	}
	for _, f := range g.Flows {
		found = append(found, e.aboutFlow(f)...)
	}
	for i := range found {
		found[i].Score = found[i].Assess(Posture{})
	}
	slices.SortStableFunc(found, func(a, b Threat) int { return strings.Compare(a.Rule.ID, b.Rule.ID) })
	return found
}

// enumeration is one run of Enumerate.
type enumeration struct {
	catalogue *Catalogue
	graph     *model.Graph
	namings   map[string]naming  // of the names that were met
	visits    map[visit]*visited // of the values that were met
	walks     int                // of places so far
	indices   map[*Trigger]int
}

func newEnumeration(g *model.Graph, rules *Catalogue) *enumeration {
	e := &enumeration{catalogue: rules, graph: g, namings: map[string]naming{}, visits: map[visit]*visited{}, indices: map[*Trigger]int{}}
	for _, rule := range rules.Rules {
		for _, trigger := range rule.Triggers {
			e.indices[trigger] = len(e.indices)
		}
	}
	return e
}

func (e *enumeration) aboutService(s *model.Service) (found []Threat) {
	facts := serviceFacts(e.graph, s)
	for rule, trigger := range e.catalogue.triggers(ScopeService) {
		if holds(trigger.service, serviceSubject{s}) {
			found = append(found, Threat{Rule: rule, Trigger: trigger, Service: s, facts: facts,
				Evidence: []Evidence{{s.Pos, "service " + s.ID}}})
		}
	}
	return found
}

func (e *enumeration) aboutOperation(o *model.Operation, versions versions) (found []Threat) {
	values := e.values(o)
	facts := operationFacts(e.graph, o, values)
	subject := operationSubject{o, e.graph, versions}
	for rule, trigger := range e.catalogue.triggers(ScopeOperation) {
		if !holds(trigger.service, serviceSubject{o.Service}) || !holds(trigger.operation, subject) {
			continue
		}
		evidence := []Evidence{{o.Operation.Pos, o.Method + " " + o.Path}}
		if trigger.value != nil {
			evidence = e.evidenceOf(values, trigger)
		}
		if len(evidence) > 0 {
			found = append(found, Threat{Rule: rule, Trigger: trigger, Service: o.Service, Operation: o, facts: facts, Evidence: evidence})
		}
	}
	return found
}

// evidenceOf lists the values that match, each place once.
func (e *enumeration) evidenceOf(values []value, trigger *Trigger) (out []Evidence) {
	index := e.indices[trigger]
	for _, v := range values {
		if v.visited.matches(index, trigger, v) {
			out = append(out, Evidence{v.pos, fmt.Sprintf("%s %s", v.place, strings.TrimPrefix(v.path, "body."))})
		}
	}
	slices.SortStableFunc(out, func(a, b Evidence) int { return cmp.Or(a.Pos.Compare(b.Pos), strings.Compare(a.Text, b.Text)) })
	return slices.Compact(out)
}

func (e *enumeration) aboutFlow(f *model.Flow) (found []Threat) {
	facts := flowFacts(f)
	for rule, trigger := range e.catalogue.triggers(ScopeFlow) {
		if holds(trigger.flow, flowSubject{f}) {
			found = append(found, Threat{Rule: rule, Trigger: trigger, Service: f.To.Service, Flow: f, facts: facts,
				Evidence: []Evidence{{f.Pos, "flow " + f.ID}}})
		}
	}
	return found
}

// triggers yields every trigger of the rules of a scope.
func (c *Catalogue) triggers(scope Scope) iter.Seq2[*Rule, *Trigger] {
	return func(yield func(*Rule, *Trigger) bool) {
		for _, rule := range c.Rules {
			for _, trigger := range rule.Triggers {
				if rule.Scope == scope && !yield(rule, trigger) {
					return
				}
			}
		}
	}
}

// holds is the test's answer; what isn't asked holds.
func holds[T any](ask test[T], subject T) bool { return ask == nil || ask(subject) }
