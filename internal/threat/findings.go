package threat

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/threatgate/threatgate/internal/model"
)

// Finding is every threat of one rule and cause that is dealt with in the
// same way. It is what a person reads.
type Finding struct {
	Rule    *Rule
	Cause   string
	Status  Status
	Threats []Assessed // in the order of Enumerate
	Score   Score      // the highest of Threats
}

// Assessed is a threat and its score under what the gateway does about it.
type Assessed struct {
	*Threat
	Posture Posture
	Score   Score
	Risk    *model.AcceptedRisk // who accepted it, also if that has run out; nil if nobody did
}

// State is how far a control of the rule acts on this threat.
func (a *Assessed) State(c *Control) State {
	if i := slices.Index(a.Trigger.Controls, c); i >= 0 {
		return a.Posture.control(i)
	}
	return Absent
}

// Status says whether a finding still needs a person.
type Status uint8

const (
	Open     Status = iota // somebody must act
	Watched                // its controls run in shadow; enforcing them answers it
	Answered               // enforced controls leave a low likelihood
	Accepted               // somebody answers for it, until a date
)

var statusWords = [...]string{"open", "watched", "answered", "accepted"}

func (s Status) String() string { return statusWords[s] }

// Findings groups threats by rule, cause and status: open ones first, the
// most severe first. posture says what the gateway does about a threat; a
// risk is accepted through the day of its date, in UTC.
func Findings(threats []Threat, posture func(*Threat) Posture, accepted []model.AcceptedRisk, now time.Time) []Finding {
	type group struct {
		rule   *Rule
		cause  string
		status Status
	}
	at := map[group]int{}
	var found []Finding
	for i := range threats {
		t := &threats[i]
		p := posture(t)
		a := Assessed{t, p, t.Assess(p), riskOf(t, accepted)}
		key := group{t.Rule, t.Trigger.Cause, a.status(now)}
		n, known := at[key]
		if !known {
			n = len(found)
			at[key] = n
			found = append(found, Finding{Rule: key.rule, Cause: key.cause, Status: key.status})
		}
		f := &found[n]
		f.Threats = append(f.Threats, a)
		if a.Score.Number > f.Score.Number {
			f.Score = a.Score
		}
	}
	slices.SortStableFunc(found, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Status, b.Status), -cmp.Compare(a.Score.Number, b.Score.Number), strings.Compare(a.Rule.ID, b.Rule.ID))
	})
	return found
}

// answeredBelow is the likelihood under which a threat is low by the method,
// and needs nobody if a control made it so.
const answeredBelow = 3

func (a *Assessed) status(now time.Time) Status {
	switch {
	case a.Risk != nil && now.Before(a.Risk.Until.AddDate(0, 0, 1)):
		return Accepted
	case a.Posture.strongest() == Enforced && a.Score.Residual < answeredBelow:
		return Answered
	case a.Posture.strongest() != Absent && a.Assess(a.Posture.promoted()).Residual < answeredBelow:
		return Watched
	}
	return Open
}

// riskOf is the acceptance of t that lasts longest, or nil.
func riskOf(t *Threat, accepted []model.AcceptedRisk) (risk *model.AcceptedRisk) {
	for i := range accepted {
		r := &accepted[i]
		if r.Rule == t.Rule.ID && (r.Operation == nil || r.Operation == t.Operation) && (risk == nil || r.Until.After(risk.Until)) {
			risk = r
		}
	}
	return risk
}
