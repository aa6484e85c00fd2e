// Package report renders findings for people and for programs. Both renderings
// show one Document, and are the same, byte for byte, for the same input.
package report

import (
	"time"

	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/internal/model"
	"github.com/threatgate/threatgate/internal/threat"
	"github.com/threatgate/threatgate/internal/violation"
)

// Document is a report of findings. Its JSON is an interface: fields are
// added, never renamed or removed.
type Document struct {
	Model    string    `json:"model"`
	Revision string    `json:"revision,omitempty"`
	Counts   Counts    `json:"counts"`
	Findings []Finding `json:"findings"` // open first, the most severe first
}

// Counts are numbers of findings by status.
type Counts struct {
	Open     int `json:"open"`
	Watched  int `json:"watched"`
	Answered int `json:"answered"`
	Accepted int `json:"accepted"`
}

// Finding is every threat of one rule, cause and status.
type Finding struct {
	Rule       string      `json:"rule"`
	Title      string      `json:"title"`
	Why        string      `json:"why"`
	Cause      string      `json:"cause"`
	Status     string      `json:"status"`   // open, watched, answered, accepted
	Severity   string      `json:"severity"` // low, medium, high, critical
	Score      float64     `json:"score"`    // 0.1 to 10, the highest of the threats
	Risk       Risk        `json:"risk"`     // how that score came about
	Controls   []Control   `json:"controls"`
	References []Reference `json:"references"`
	Threats    []Threat    `json:"threats"`
}

// Risk is a score by OWASP's Risk Rating Methodology.
type Risk struct {
	Likelihood float64  `json:"likelihood"` // 0 to 9, before controls
	Residual   float64  `json:"residual"`   // after them
	Impact     float64  `json:"impact"`     // 0 to 9
	Factors    []Factor `json:"factors"`    // all 16, in the method's order
}

// Factor is one factor of a score.
type Factor struct {
	Name   string   `json:"name"`
	Value  *float64 `json:"value"` // 0 to 9; null if nothing gives it
	Reason string   `json:"reason"`
}

// Control is one answer to a finding, and for how many of its threats it is
// enforced, in shadow, or not compiled.
type Control struct {
	Name     string   `json:"name"`
	Family   string   `json:"family"`
	Codes    []string `json:"codes,omitempty"` // "token:missing": how the gateway reports what it stops
	Removes  float64  `json:"removes"`         // share of the likelihood
	Because  string   `json:"because"`
	Enforced int      `json:"enforced"`
	Shadow   int      `json:"shadow"`
	Absent   int      `json:"absent"`
}

// Reference is an entry of a standard.
type Reference struct {
	Standard string `json:"standard"`
	ID       string `json:"id"`
}

// Threat is one match of a rule.
type Threat struct {
	Service   string     `json:"service,omitempty"`
	Operation string     `json:"operation,omitempty"`
	Flow      string     `json:"flow,omitempty"`
	Severity  string     `json:"severity"`
	Score     float64    `json:"score"`
	Evidence  []Evidence `json:"evidence"`
	Accepted  *Accepted  `json:"accepted,omitempty"` // also if it has run out
}

// Evidence is a place that made the rule fire.
type Evidence struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Col  int    `json:"col"`
	Text string `json:"text"`
}

func (e Evidence) pos() string { return diag.Pos{File: e.File, Line: e.Line, Col: e.Col}.String() }

// Accepted says who answers for a threat.
type Accepted struct {
	By    string `json:"by"`
	Why   string `json:"why"`
	Until string `json:"until"` // the last day, YYYY-MM-DD
}

// New arranges findings of a model for rendering.
func New(g *model.Graph, findings []threat.Finding) *Document {
	doc := &Document{Model: g.Name, Revision: g.Revision, Findings: []Finding{}}
	for _, f := range findings {
		switch f.Status {
		case threat.Open:
			doc.Counts.Open++
		case threat.Watched:
			doc.Counts.Watched++
		case threat.Answered:
			doc.Counts.Answered++
		case threat.Accepted:
			doc.Counts.Accepted++
		}
		doc.Findings = append(doc.Findings, finding(f))
	}
	return doc
}

func finding(f threat.Finding) Finding {
	out := Finding{
		Rule: f.Rule.ID, Title: f.Rule.Title, Why: f.Rule.Why, Cause: f.Cause,
		Status: f.Status.String(), Severity: f.Score.Band.String(), Score: f.Score.Number,
		Risk:     risk(f.Score),
		Controls: []Control{},
	}
	for _, c := range f.Rule.Controls {
		out.Controls = append(out.Controls, control(c, f.Threats))
	}
	for _, r := range f.Rule.References {
		out.References = append(out.References, Reference(r))
	}
	for _, t := range f.Threats {
		out.Threats = append(out.Threats, assessed(t))
	}
	return out
}

func risk(s threat.Score) Risk {
	r := Risk{Likelihood: round(s.Likelihood), Residual: round(s.Residual), Impact: round(s.Impact)}
	for _, f := range s.Factors {
		factor := Factor{Name: f.Name, Reason: f.Reason}
		if f.Given {
			factor.Value = &f.Value
		}
		r.Factors = append(r.Factors, factor)
	}
	return r
}

func control(c *threat.Control, threats []threat.Assessed) Control {
	out := Control{Name: c.Name, Family: c.Family, Codes: codes(c.Codes), Removes: c.Removes, Because: c.Because}
	for _, t := range threats {
		switch t.State(c) {
		case threat.Enforced:
			out.Enforced++
		case threat.Shadow:
			out.Shadow++
		default:
			out.Absent++
		}
	}
	return out
}

func codes(list []violation.Code) (out []string) {
	for _, c := range list {
		out = append(out, c.Family().String()+":"+c.String())
	}
	return out
}

func assessed(t threat.Assessed) Threat {
	out := Threat{Severity: t.Score.Band.String(), Score: t.Score.Number}
	if t.Service != nil {
		out.Service = t.Service.ID
	}
	if t.Operation != nil {
		out.Operation = t.Operation.Label
	}
	if t.Flow != nil {
		out.Flow = t.Flow.ID
	}
	for _, e := range t.Evidence {
		out.Evidence = append(out.Evidence, Evidence{e.Pos.File, e.Pos.Line, e.Pos.Col, e.Text})
	}
	if t.Risk != nil {
		out.Accepted = &Accepted{t.Risk.By, t.Risk.Why, t.Risk.Until.Format(time.DateOnly)}
	}
	return out
}

// AtOrOver counts the open findings of a severity or a higher one.
func (d *Document) AtOrOver(bar threat.Band) (n int) {
	for _, f := range d.Findings {
		if band, ok := threat.ParseBand(f.Severity); ok && f.Status == threat.Open.String() && band >= bar {
			n++
		}
	}
	return n
}
