package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// Detail says how much Text shows of each finding.
type Detail struct {
	Places  int  // at most so many places of evidence; 0 for all
	Factors bool // the sixteen factors of the score, with their reasons
}

// Text writes doc for a terminal: the open findings one by one, then one line
// for each that needs nobody.
func Text(w io.Writer, doc *Document, detail Detail) error {
	out := bufio.NewWriter(w)
	for _, f := range doc.Findings {
		if f.Status == "open" {
			open(out, f, detail)
		}
	}
	settled(out, doc, "watched", "Watched: the gateway sees these in shadow, and enforcing answers them")
	settled(out, doc, "answered", "Answered: an enforced control leaves a low likelihood")
	settled(out, doc, "accepted", "Accepted, until a date")
	c := doc.Counts
	fmt.Fprintf(out, "%s: %d open, %d watched, %d answered, %d accepted\n", doc.Model, c.Open, c.Watched, c.Answered, c.Accepted)
	return out.Flush()
}

// open writes one finding in full:
//
//	critical 9.9  API2-01  No credentials are demanded
//	  2 operations: a caller without credentials is let in
//	    shop.yaml:12:7  GET /report
//	  Anybody may call an operation whose name doesn't say that it is for everybody.
//	  likelihood 8.0, impact 7.5
//	  would answer it: credentials required (token)
func open(out *bufio.Writer, f Finding, detail Detail) {
	fmt.Fprintf(out, "%s %.1f  %s  %s\n", f.Severity, f.Score, f.Rule, f.Title)
	fmt.Fprintf(out, "  %s: %s\n", subjects(f.Threats), f.Cause)
	places(out, f.Threats, detail.Places)
	fmt.Fprintf(out, "  %s\n", f.Why)
	fmt.Fprintf(out, "  %s\n", figures(f.Risk))
	if detail.Factors {
		for _, factor := range f.Risk.Factors {
			value := "-"
			if factor.Value != nil {
				value = fmt.Sprintf("%.0f", *factor.Value)
			}
			fmt.Fprintf(out, "    %-23s %s  %s\n", factor.Name, value, factor.Reason)
		}
	}
	for _, c := range f.Controls {
		fmt.Fprintf(out, "  %s: %s (%s)\n", acting(c), c.Name, c.Family)
	}
	fmt.Fprintln(out)
}

func places(out *bufio.Writer, threats []Threat, most int) {
	shown, total := 0, 0
	for _, t := range threats {
		for _, e := range t.Evidence {
			total++
			if most == 0 || shown < most {
				shown++
				fmt.Fprintf(out, "    %s  %s\n", e.pos(), label(t, e))
			}
		}
		if t.Accepted != nil {
			fmt.Fprintf(out, "      accepted by %s until %s\n", t.Accepted.By, t.Accepted.Until)
		}
	}
	if shown < total {
		fmt.Fprintf(out, "    and %d more\n", total-shown)
	}
}

// label is what stands at a place, with the operation where that isn't said.
func label(t Threat, e Evidence) string {
	if t.Operation == "" || t.Operation == e.Text {
		return e.Text
	}
	return t.Operation + ": " + e.Text
}

func settled(out *bufio.Writer, doc *Document, status, heading string) {
	first := true
	for _, f := range doc.Findings {
		if f.Status != status {
			continue
		}
		if first {
			fmt.Fprintln(out, heading)
			first = false
		}
		fmt.Fprintf(out, "  %s %.1f  %s  %s: %s (%s%s)\n", f.Severity, f.Score, f.Rule, f.Title, f.Cause, subjects(f.Threats), by(f))
	}
	if !first {
		fmt.Fprintln(out)
	}
}

// by says what or who settles a finding.
func by(f Finding) string {
	var names []string
	for _, c := range f.Controls {
		if f.Status != "accepted" && c.Enforced+c.Shadow > 0 {
			names = append(names, c.Name)
		}
	}
	if f.Status == "accepted" {
		for _, t := range f.Threats {
			name := t.Accepted.By + " until " + t.Accepted.Until
			if len(names) == 0 || names[len(names)-1] != name {
				names = append(names, name)
			}
		}
	}
	return "; " + strings.Join(names, ", ")
}

func acting(c Control) string {
	switch {
	case c.Absent == 0 && c.Shadow == 0:
		return "enforced"
	case c.Absent == 0 && c.Enforced == 0:
		return "in shadow"
	case c.Enforced+c.Shadow > 0:
		return fmt.Sprintf("enforced for %d, in shadow for %d, missing for %d", c.Enforced, c.Shadow, c.Absent)
	}
	return "would answer it"
}

func figures(r Risk) string {
	if r.Residual != r.Likelihood {
		return fmt.Sprintf("likelihood %.1f, of which controls leave %.1f; impact %.1f", r.Likelihood, r.Residual, r.Impact)
	}
	return fmt.Sprintf("likelihood %.1f; impact %.1f", r.Likelihood, r.Impact)
}

// subjects counts what the threats are about.
func subjects(threats []Threat) string {
	what := "service"
	switch {
	case threats[0].Operation != "":
		what = "operation"
	case threats[0].Flow != "":
		what = "flow"
	}
	if len(threats) != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", len(threats), what)
}
