package threat

import (
	"fmt"
	"strings"
	"testing"

	"github.com/threatgate/threatgate/internal/diag"
	"github.com/threatgate/threatgate/policies"
)

func embedded(t *testing.T) *Catalogue {
	t.Helper()
	var diags diag.List
	c := LoadCatalogue(policies.FS, &diags)
	if err := diags.Err(); err != nil {
		t.Fatalf("the catalogue does not load:\n%v", err)
	}
	return c
}

// TestEveryFactorHasItsReason shows a whole score.
func TestEveryFactorHasItsReason(t *testing.T) {
	f := facts{class: confidential, classReason: "it handles response email", accountability: Rated{1, "the caller's own credentials are demanded"}}
	f.exposedAt(20)
	rule := embedded(t).Rule("API2-04")
	subject := Threat{Rule: rule, Trigger: rule.Triggers[0], facts: f}
	want := `
skill 3: ready tools do it
motive 9: confidential data: it handles response email
opportunity 7: a zone of trust 20 reaches it
population 5: partners
ease of discovery 7: API2 has detectability 3 of 3
ease of exploit 7: API2 has exploitability 3 of 3
awareness 4: it is not published on the internet
intrusion detection 3: a control watches in shadow
loss of confidentiality 7: confidential data: it handles response email
loss of integrity 7: the account is taken over
loss of availability 3: lock-outs hit the owner
loss of accountability 1: the caller's own credentials are demanded
financial damage -: the model doesn't say; the technical impact counts
reputation damage -: the model doesn't say; the technical impact counts
non-compliance -: the model doesn't say; the technical impact counts
privacy violation -: the model doesn't say; the technical impact counts
likelihood 5.625, residual 3.375, impact 5.500: medium 5.4`
	s := subject.Assess(Posture{Controls: []State{Shadow}, Logged: true})
	var got strings.Builder
	for _, f := range s.Factors {
		value := "-"
		if f.Given {
			value = fmt.Sprint(f.Value)
		}
		fmt.Fprintf(&got, "\n%s %s: %s", f.Name, value, f.Reason)
	}
	fmt.Fprintf(&got, "\nlikelihood %.3f, residual %.3f, impact %.3f: %s %.1f", s.Likelihood, s.Residual, s.Impact, s.Band, s.Number)
	if got.String() != want {
		t.Errorf("got:%s\nwant:%s", got.String(), want)
	}
}

func TestWhatTheGatewayDoesMovesTheScore(t *testing.T) {
	f := facts{class: confidential, accountability: Rated{Value: 1}}
	f.exposedAt(0)
	rule := embedded(t).Rule("API4-01")
	subject := Threat{Rule: rule, Trigger: rule.Triggers[0], facts: f}
	for _, row := range []struct {
		posture Posture
		want    string
	}{
		{Posture{}, "likelihood 7.1, residual 7.1: high 8.3"},
		{Posture{Seen: true}, "likelihood 7.5, residual 7.5: high 8.4"},
		{Posture{Logged: true}, "likelihood 7.0, residual 7.0: high 8.3"},
		{Posture{Logged: true, Controls: []State{Absent}}, "likelihood 7.0, residual 7.0: high 8.3"},
		{Posture{Logged: true, Controls: []State{Shadow}}, "likelihood 6.4, residual 3.8: medium 5.5"},
		{Posture{Logged: true, Controls: []State{Enforced}}, "likelihood 6.1, residual 1.2: low 1.5"},
	} {
		s := subject.Assess(row.posture)
		if got := fmt.Sprintf("likelihood %.1f, residual %.1f: %s %.1f", s.Likelihood, s.Residual, s.Band, s.Number); got != row.want {
			t.Errorf("%+v: %s, want %s", row.posture, got, row.want)
		}
	}
}

// TestBandAndNumberAgree walks the whole plane.
func TestBandAndNumberAgree(t *testing.T) {
	within := [...]struct{ from, to float64 }{Low: {0.1, 3.9}, Medium: {4.0, 6.9}, High: {7.0, 8.9}, Critical: {9.1, 10}}
	const steps = 9 * 32
	for l := range steps + 1 {
		for i := range steps + 1 {
			likelihood, impact := float64(l)/32, float64(i)/32
			band, number := rate(likelihood, impact)
			if number < within[band].from || number > within[band].to {
				t.Fatalf("likelihood %g, impact %g: %s %g", likelihood, impact, band, number)
			}
			if l > 0 {
				if less, lower := rate(likelihood-1.0/32, impact); less > band || lower > number {
					t.Fatalf("likelihood %g, impact %g: %s %g, but a lower likelihood gives %s %g", likelihood, impact, band, number, less, lower)
				}
			}
			if i > 0 {
				if less, lower := rate(likelihood, impact-1.0/32); less > band || lower > number {
					t.Fatalf("likelihood %g, impact %g: %s %g, but a lower impact gives %s %g", likelihood, impact, band, number, less, lower)
				}
			}
		}
	}
}

// TestScoresSpread checks that the score tells threats apart: over every rule,
// class, exposure, accountability and state of the controls, each band has its
// share. With the plain mean of the method few would be critical.
func TestScoresSpread(t *testing.T) {
	var contexts, plainCritical int
	var bands [4]int
	for _, rule := range embedded(t).Rules {
		for class := public; class <= restricted; class++ {
			for _, trust := range []int{0, 20, 50, 80} {
				for _, accountability := range []float64{1, 7, 9} {
					for _, p := range []Posture{{}, {Logged: true}, postureOf(rule, Shadow), postureOf(rule, Enforced)} {
						f := facts{class: class, accountability: Rated{Value: accountability}}
						f.exposedAt(trust)
						subject := Threat{Rule: rule, Trigger: &Trigger{Controls: rule.Controls}, facts: f}
						s := subject.Assess(p)
						contexts++
						bands[s.Band]++
						if plain, _ := rate(s.Residual, mean(s.Factors[8:12])); plain == Critical {
							plainCritical++
						}
					}
				}
			}
		}
	}
	share := func(n int) float64 { return 100 * float64(n) / float64(contexts) }
	t.Logf("%d contexts: %.0f %% critical, %.0f %% high, %.0f %% medium, %.0f %% low; by the plain mean %.1f %% critical",
		contexts, share(bands[Critical]), share(bands[High]), share(bands[Medium]), share(bands[Low]), share(plainCritical))
	for band, least := range map[Band]float64{Critical: 5, High: 25, Medium: 25, Low: 10} {
		if got := share(bands[band]); got < least || got > 45 {
			t.Errorf("%.1f %% are %s, want %.0f to 45 %%", got, band, least)
		}
	}
	if plainCritical*2 > bands[Critical] {
		t.Errorf("the plain mean gives %d critical, the worst loss only %d", plainCritical, bands[Critical])
	}
}

func postureOf(r *Rule, s State) Posture {
	p := Posture{Logged: true}
	for range r.Controls {
		p.Controls = append(p.Controls, s)
	}
	return p
}
