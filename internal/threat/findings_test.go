package threat

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/threatgate/threatgate/internal/inventory"
	"github.com/threatgate/threatgate/internal/model"
)

// TestStatus puts one threat, answered by a control that removes 0.8 of a
// likelihood of about 6, through everything that can be done about it.
func TestStatus(t *testing.T) {
	rule := embedded(t).Rule("API4-01")
	service := &model.Service{ID: "shop"}
	mine := &model.Operation{Operation: &inventory.Operation{Method: "GET", Path: "/a"}, Service: service, Label: "GET /a"}
	other := &model.Operation{Operation: &inventory.Operation{Method: "GET", Path: "/b"}, Service: service, Label: "GET /b"}
	threats := []Threat{{Rule: rule, Trigger: rule.Triggers[0], Service: service, Operation: mine}}
	threats[0].facts.exposedAt(0)

	shadow, enforced := Posture{Controls: []State{Shadow}}, Posture{Controls: []State{Enforced}}
	until := time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)
	lastMoment, after := until.Add(24*time.Hour-time.Nanosecond), until.Add(24*time.Hour)
	accepted := func(rule string, o *model.Operation) []model.AcceptedRisk {
		return []model.AcceptedRisk{{Rule: rule, Operation: o, Until: until}}
	}
	for _, row := range []struct {
		name    string
		posture Posture
		risks   []model.AcceptedRisk
		now     time.Time
		want    Status
	}{
		{"nothing is done", Posture{Logged: true}, nil, until, Open},
		{"a control watches", shadow, nil, until, Watched},
		{"a control is enforced", enforced, nil, until, Answered},
		{"accepted, on the last day", Posture{}, accepted("API4-01", mine), lastMoment, Accepted},
		{"accepted, a day later", Posture{}, accepted("API4-01", mine), after, Open},
		{"accepted and run out, but enforced", enforced, accepted("API4-01", mine), after, Answered},
		{"accepted for the whole system", Posture{}, accepted("API4-01", nil), until, Accepted},
		{"accepted for another operation", Posture{}, accepted("API4-01", other), until, Open},
		{"another rule accepted", Posture{}, accepted("API4-02", mine), until, Open},
		{"accepted twice: the later date counts", Posture{}, append(accepted("API4-01", mine), model.AcceptedRisk{Rule: "API4-01", Until: after}), after, Accepted},
	} {
		found := Findings(threats, func(*Threat) Posture { return row.posture }, row.risks, row.now)
		if len(found) != 1 || found[0].Status != row.want {
			t.Errorf("%s: %s, want %s", row.name, found[0].Status, row.want)
		}
	}
}

// TestGroups: one finding for each rule, cause and status; open ones first,
// then by score; a weak control leaves its threat open.
func TestGroups(t *testing.T) {
	c := embedded(t)
	service := &model.Service{ID: "shop"}
	at := func(rule string, trigger int, label string, class class) Threat {
		r := c.Rule(rule)
		o := &model.Operation{Operation: &inventory.Operation{}, Service: service, Label: label}
		threat := Threat{Rule: r, Trigger: r.Triggers[trigger], Service: service, Operation: o, facts: facts{class: class}}
		threat.facts.exposedAt(0)
		return threat
	}
	threats := []Threat{
		at("API1-02", 0, "a", internal), at("API4-01", 0, "a", internal), at("API4-01", 0, "b", restricted), at("API4-01", 0, "limited", internal),
		at("API9-02", 0, "a", internal), at("API9-02", 2, "b", internal),
	}
	posture := func(t *Threat) Posture {
		switch {
		case t.Operation.Label == "limited":
			return Posture{Controls: []State{Enforced}}
		case t.Rule.ID == "API9-02" && t.Operation.Label == "a":
			return Posture{Controls: []State{Enforced}} // counting calls stops nobody
		}
		return Posture{}
	}
	var got []string
	for _, f := range Findings(threats, posture, nil, time.Time{}) {
		var labels []string
		for _, t := range f.Threats {
			labels = append(labels, t.Operation.Label)
		}
		got = append(got, fmt.Sprintf("%s %s %s: %s (%s)", f.Status, f.Score.Band, f.Rule.ID, f.Cause, strings.Join(labels, ", ")))
	}
	want := `open high API4-01: no rate limit is declared (a, b)
open high API9-02: a higher version of the same path exists, and this one isn't deprecated (b)
open medium API9-02: it is deprecated, and no date of removal is declared (a)
open medium API1-02: the id of an object is an integer (a)
answered low API4-01: no rate limit is declared (limited)`
	if got := strings.Join(got, "\n"); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}
