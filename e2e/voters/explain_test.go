package voters

import (
	"math/bits"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// A reading is how a voter reads a question otherwise than we do: changed so,
// the question has from us the answer that the original has from the voter.
type reading[Q any] struct {
	voters string // their names
	is     string
	right  string // "ours", or "both" where the specification leaves it open
	says   string // which section
	change func(*Q)
}

// counts are of the answers of one voter.
type counts struct {
	cases, valid, agreed, panics, several int
	explained                             map[string]int // by reading
}

// answered counts an answer; false if nothing explains it. What we say to
// changed questions is asked of ask.
func answered[Q any](c *counts, v voter, readings []reading[Q], q Q, ask func(*Q) bool, ours, theirs, panics bool) bool {
	c.cases++
	if ours {
		c.valid++
	}
	if panics {
		c.panics++
		return true
	}
	if theirs == ours {
		c.agreed++
		return true
	}
	by := explain(v.name, readings, q, ask, theirs)
	for _, r := range by {
		if c.explained == nil {
			c.explained = map[string]int{}
		}
		c.explained[r.is]++
	}
	if len(by) > 1 {
		c.several++
	}
	return by != nil
}

// explain finds the fewest readings by which a voter comes to its answer:
// first of those that change the question, then also of those that change it
// where one or two others have.
func explain[Q any](voter string, readings []reading[Q], q Q, ask func(*Q) bool, answer bool) (by []*reading[Q]) {
	var of []*reading[Q]
	for i := range readings {
		if r := &readings[i]; strings.Contains(r.voters, voter) {
			of = append(of, r)
		}
	}
	for others := 0; others <= 2 && by == nil; others++ {
		changing := map[*reading[Q]]bool{}
		findChanging(changing, of, q, others)
		candidates := slices.DeleteFunc(slices.Clone(of), func(r *reading[Q]) bool { return !changing[r] })
		by = fewest(candidates, q, ask, answer)
	}
	return by
}

// findChanging finds the readings that change a question, or would if others
// had changed it.
func findChanging[Q any](changing map[*reading[Q]]bool, of []*reading[Q], q Q, others int) {
	for _, r := range of {
		changed := q
		if r.change(&changed); reflect.DeepEqual(changed, q) {
			continue
		}
		changing[r] = true
		if others > 0 {
			findChanging(changing, of, changed, others-1)
		}
	}
}

// fewest finds the fewest readings with which we say what the voter does.
func fewest[Q any](candidates []*reading[Q], q Q, ask func(*Q) bool, answer bool) []*reading[Q] {
	for size := 1; size <= min(4, len(candidates)); size++ {
		for set := range 1 << len(candidates) {
			if bits.OnesCount(uint(set)) != size {
				continue
			}
			changed := q
			var by []*reading[Q]
			for i, r := range candidates {
				if set>>i&1 == 1 {
					r.change(&changed)
					by = append(by, r)
				}
			}
			if ask(&changed) == answer {
				return by
			}
		}
	}
	return nil
}

// add counts what another has counted.
func (c *counts) add(other *counts) {
	c.cases += other.cases
	c.valid += other.valid
	c.agreed += other.agreed
	c.panics += other.panics
	c.several += other.several
	if c.explained == nil {
		c.explained = map[string]int{}
	}
	for is, n := range other.explained {
		c.explained[is] += n
	}
}

// report prints the counts of one voter, of which there must be so many.
func report(t *testing.T, c *counts, of string, least int) {
	differ := c.cases - c.agreed - c.panics
	t.Logf("%s: %d cases, %d valid; %d agree, %d differ (%d by several readings at once), %d panics", of, c.cases, c.valid, c.agreed, differ, c.several, c.panics)
	if c.cases < least || c.valid < c.cases/5 || c.agreed < c.cases/2 {
		t.Errorf("%s: so few say too little", of)
	}
}

// reportReadings prints the readings of one voter. With the usual questions
// each must have explained something.
func reportReadings[Q any](t *testing.T, c *counts, v voter, readings []reading[Q], usual bool) {
	for i := range readings {
		r := &readings[i]
		if n := c.explained[r.is]; n > 0 {
			t.Logf("%s: %d: %s; right: %s (%s)", v.name, n, r.is, r.right, r.says)
		} else if usual && strings.Contains(r.voters, v.name) {
			t.Errorf("%s does not differ: %s", v.name, r.is)
		}
	}
}
