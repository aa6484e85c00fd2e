package regex

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// A generator writes random patterns and strings over few characters, so
// that they often meet.
type generator struct {
	*rand.Rand
	atoms       []string
	lookarounds []string // openings of groups
}

var commonAtoms = []string{"a", "b", "c", "-", " ", "é", "😀", ".", `\d`, `\w`, `\W`, "[ab]", "[^ab]", "[a-c1é]", `[^\w-]`, "^", "$", `\b`, `\B`}

func (g *generator) pick(from []string) string { return from[g.IntN(len(from))] }

// pattern writes a disjunction of at most depth levels.
func (g *generator) pattern(depth int) string {
	alternatives := make([]string, 1+g.IntN(5)/3)
	for i := range alternatives {
		for range g.IntN(4) {
			alternatives[i] += g.term(depth)
		}
	}
	return strings.Join(alternatives, "|")
}

func (g *generator) term(depth int) string {
	kind := g.IntN(10)
	if depth == 0 || kind < 5 {
		atom := g.pick(g.atoms)
		if strings.Contains(`^$\b\B`, atom) && atom != "b" {
			return atom
		}
		return atom + g.quantifier()
	}
	body := g.pattern(depth-1) + ")"
	if len(g.lookarounds) > 0 && kind < 7 {
		return g.pick(g.lookarounds) + body
	}
	return "(?:" + body + g.quantifier()
}

func (g *generator) quantifier() string {
	return g.pick([]string{"", "", "", "", "", "*", "+", "?", "*?", "{2}", "{1,3}", "{0,2}", "{2,}"})
}

func (g *generator) string() string {
	var b strings.Builder
	for range g.IntN(9) {
		b.WriteString(g.pick([]string{"a", "a", "b", "b", "c", "1", "-", " ", "é", "😀"}))
	}
	return b.String()
}

func (g *generator) strings(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = g.string()
	}
	return all
}

func TestAgainstGo(t *testing.T) {
	g := &generator{Rand: rand.New(rand.NewPCG(2, 7)), atoms: commonAtoms}
	patterns, pairs, matches := 0, 0, 0
	for range 3000 {
		pattern := g.pattern(3)
		theirs, err := regexp.Compile(pattern)
		if err != nil {
			t.Fatal(err)
		}
		ours, err := Compile(pattern)
		if err != nil {
			t.Errorf("%s: %v", pattern, err)
			continue
		}
		checkTables(t, pattern, ours)
		patterns++
		for _, s := range g.strings(40) {
			want := theirs.MatchString(s)
			if got := ours.MatchString(s); got != want {
				t.Errorf("%s on %q: %t, regexp says %t", pattern, s, got, want)
			}
			pairs++
			if want {
				matches++
			}
		}
	}
	t.Logf("%d patterns, %d strings, %d matches", patterns, pairs, matches)
	if patterns < 2500 || matches < pairs/10 || matches > pairs*9/10 {
		t.Errorf("too few patterns, or matches too few or too many to say anything")
	}
}

// A question is a pattern and strings to match. Where the u flag forbids what
// Annex B allows, Node is asked without it; the answers are the same
// within the Basic Multilingual Plane.
type question struct {
	Pattern string   `json:"pattern"`
	Strings []string `json:"strings"`
}

// The search is spelt out because V8's own also begins matches between the
// halves of a surrogate pair, which ECMA-262 does not: /\B/u on "a😀b".
const answer = `
const questions = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(questions.map(({pattern, strings}) => {
	const search = "^[^]*?(?:" + pattern + ")";
	let re, unicode = true;
	try { re = new RegExp(search, "u"); } catch { re = new RegExp(search); unicode = false; }
	return strings.map(s => unicode || !/[\ud800-\udfff]/.test(s) ? re.test(s) : null);
})));`

func TestAgainstNode(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not on PATH")
	}
	g := &generator{
		Rand:        rand.New(rand.NewPCG(3, 1)),
		atoms:       append(commonAtoms, "[^]", `[]`, `\s`, `\uD83D\uDE00`, `\p{L}`, `\P{Ll}`),
		lookarounds: []string{"(?=", "(?!", "(?<=", "(?<!"},
	}
	var questions []question
	for _, row := range rows {
		all := append(g.strings(30), row.accepts...)
		all = append(all, row.rejects...)
		for _, s := range all { // and what is one rune off
			if n := utf8.RuneCountInString(s); n > 0 && n < 100 {
				runes, at := []rune(s), g.IntN(n)
				all = append(all, string(runes[:at])+string(runes[at+1:]), string(runes[:at])+g.string()+string(runes[at:]))
			}
		}
		questions = append(questions, question{row.pattern, all})
	}
	for range 3000 {
		questions = append(questions, question{g.pattern(3), g.strings(40)})
	}
	asked, err := json.Marshal(questions)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(node, "-e", answer)
	cmd.Stdin = bytes.NewReader(asked)
	answered, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var answers [][]*bool
	if err := json.Unmarshal(answered, &answers); err != nil {
		t.Fatal(err)
	}
	pairs, matches := 0, 0
	for i, q := range questions {
		d, err := Compile(q.Pattern)
		if err != nil {
			t.Errorf("%s: %v", q.Pattern, err)
			continue
		}
		for j, s := range q.Strings {
			want := answers[i][j]
			if want == nil {
				continue
			}
			if got := d.MatchString(s); got != *want {
				t.Errorf("%s on %.60q: %t, Node says %t", q.Pattern, s, got, *want)
			}
			pairs++
			if *want {
				matches++
			}
		}
		if i%10 == 0 {
			checkForms(t, q.Pattern, d, q.Strings)
		}
	}
	t.Logf("%d patterns, %d strings, %d matches", len(questions), pairs, matches)
	if pairs < 100_000 || matches < pairs/10 || matches > pairs*9/10 {
		t.Errorf("too few strings, or matches too few or too many to say anything")
	}
}
