package threat

import (
	"fmt"
	"math"
)

// Score is a threat's risk by OWASP's Risk Rating Methodology: sixteen
// factors from 0 to 9, of which eight make the likelihood and eight the
// impact, and a matrix of both. Skill is the method's own: how skilled those
// are who do it.
//
// Two things differ from the method as printed. The technical impact is that
// of the worst of the three losses, with accountability as a quarter: by the
// plain mean of all four hardly anything is critical. And the residual
// likelihood is what the controls leave of the likelihood. The four business
// factors are listed, but no model gives them: the technical ones count.
type Score struct {
	Factors    [16]Factor // in the method's own order
	Likelihood float64    // 0 to 9
	Residual   float64    // likelihood after the controls
	Impact     float64    // 0 to 9
	Band       Band       // of Residual and Impact
	Number     float64    // 0.1 to 10, one decimal: SARIF's security-severity
}

// Factor is one factor and why it has its value.
type Factor struct {
	Name   string
	Value  float64
	Given  bool // false: nothing says what it is, and it is left out
	Reason string
}

// Band is a cell of the matrix. The method's "note" is low here.
type Band uint8

const (
	Low Band = iota
	Medium
	High
	Critical
)

var bandWords = [...]string{"low", "medium", "high", "critical"}

func (b Band) String() string { return bandWords[b] }

// ParseBand is the inverse of String.
func ParseBand(s string) (Band, bool) {
	for b, word := range bandWords {
		if word == s {
			return Band(b), true
		}
	}
	return 0, false
}

// State is how far a control acts.
type State uint8

const (
	Absent   State = iota // declared by the rule, not compiled
	Shadow                // compiled, and only watching
	Enforced              // compiled, and rejecting
)

// acts is the share of its strength that a control in a state has.
func (s State) acts() float64 { return [...]float64{Absent: 0, Shadow: 0.5, Enforced: 1}[s] }

// Posture is what the gateway does about a threat and has seen of it. The
// zero Posture is a threat that nothing stands against.
type Posture struct {
	Controls []State // of Trigger.Controls; those beyond its end are Absent
	Logged   bool    // the gateway judges the requests that the threat is about
	Seen     bool    // it saw the attack in the last 24 hours
}

func (p Posture) control(i int) State {
	if i < len(p.Controls) {
		return p.Controls[i]
	}
	return Absent
}

// promoted is p with every shadow control enforced.
func (p Posture) promoted() Posture {
	controls := make([]State, len(p.Controls))
	for i, s := range p.Controls {
		controls[i] = s
		if s == Shadow {
			controls[i] = Enforced
		}
	}
	p.Controls = controls
	return p
}

// strongest is the most that any control does.
func (p Posture) strongest() State {
	most := Absent
	for _, s := range p.Controls {
		most = max(most, s)
	}
	return most
}

// Assess scores t under p.
func (t *Threat) Assess(p Posture) Score {
	s := Score{Factors: t.factors(p)}
	s.Likelihood = mean(s.Factors[:8])
	worst := max(s.Factors[8].Value, s.Factors[9].Value, s.Factors[10].Value)
	s.Impact = 0.75*worst + 0.25*s.Factors[11].Value
	s.Residual = s.Likelihood
	for i, c := range t.Trigger.Controls {
		s.Residual *= 1 - c.Removes*p.control(i).acts()
	}
	s.Band, s.Number = rate(s.Residual, s.Impact)
	return s
}

func (t *Threat) factors(p Posture) [16]Factor {
	f, r, category := t.facts, t.Rule, t.Rule.category
	rated := func(name string, x Rated) Factor { return Factor{name, x.Value, true, x.Because} }
	owasp := func(name string, rating int, of string) Factor {
		return Factor{name, ratingFactor[rating], true, fmt.Sprintf("%s has %s %d of 3", r.References[0].ID, of, rating)}
	}
	confidentiality := Rated{[...]float64{public: 2, internal: 6, confidential: 7, restricted: 9}[f.class], f.class.String() + " data: " + f.classReason}
	if r.Confidentiality != nil {
		confidentiality = *r.Confidentiality
	}
	awareness := f.awareness
	if p.Seen {
		awareness = Rated{9, "the gateway saw it in the last 24 hours"}
	}
	business := func(name string) Factor {
		return Factor{Name: name, Reason: "the model doesn't say; the technical impact counts"}
	}
	return [16]Factor{
		rated("skill", r.Skill),
		rated("motive", Rated{[...]float64{public: 1, internal: 4, confidential: 9, restricted: 9}[f.class], f.class.String() + " data: " + f.classReason}),
		rated("opportunity", f.opportunity),
		rated("population", f.population),
		owasp("ease of discovery", category.detectability, "detectability"),
		owasp("ease of exploit", category.exploitability, "exploitability"),
		rated("awareness", awareness),
		rated("intrusion detection", detection(p)),

		rated("loss of confidentiality", confidentiality),
		rated("loss of integrity", r.Integrity),
		rated("loss of availability", r.Availability),
		rated("loss of accountability", f.accountability),

		business("financial damage"),
		business("reputation damage"),
		business("non-compliance"),
		business("privacy violation"),
	}
}

// ratingFactor maps OWASP's rating of a category, 1 to 3, to a factor.
var ratingFactor = [...]float64{1: 3, 2: 5, 3: 7}

func detection(p Posture) Rated {
	switch {
	case p.strongest() == Enforced:
		return Rated{1, "a control is enforced"}
	case p.strongest() == Shadow:
		return Rated{3, "a control watches in shadow"}
	case p.Logged:
		return Rated{8, "the gateway judges these requests, but nothing looks for this"}
	}
	return Rated{9, "nothing looks for it"}
}

func mean(factors []Factor) float64 {
	sum := 0.0
	for _, f := range factors {
		sum += f.Value
	}
	return sum / float64(len(factors))
}

// level is the method's: 0 low, from 3 medium, from 6 high.
func level(x float64) int {
	switch {
	case x < 3:
		return 0
	case x < 6:
		return 1
	}
	return 2
}

// matrix is printed in the method: [impact][likelihood].
var matrix = [3][3]Band{
	{Low, Low, Medium},
	{Low, Medium, High},
	{Medium, High, Critical},
}

// bandRange is where a band's numbers begin and how far they reach.
var bandRange = [...]struct{ floor, width float64 }{
	Low: {0.1, 3.8}, Medium: {4.0, 2.9}, High: {7.0, 1.9}, Critical: {9.1, 0.9},
}

// rate gives the band and a number inside it, so that the two always agree.
func rate(likelihood, impact float64) (Band, float64) {
	band := matrix[level(impact)][level(likelihood)]
	r := bandRange[band]
	return band, math.Round((r.floor+r.width*(likelihood+impact)/18)*10) / 10
}
