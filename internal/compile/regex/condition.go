package regex

// A condition is a boolean function of what the rest of the string is like:
// its variables are the positions of lookaheads, and the variable of position
// p is true if the rest of the string matches from p on. Conditions are kept
// as reduced ordered binary decision diagrams (Bryant 1986), so equal
// functions are equal numbers. That is what makes the automaton finite.
type condition int32

const (
	never  condition = 0
	always condition = 1
)

// A choice is the condition "if variable then high else low".
type choice struct {
	variable  int32 // index of an instSet; greater than those above it
	low, high condition
}

// conditions makes conditions and adds up the work that this takes. Once
// the work exceeds maxWork, what it returns is of no use.
type conditions struct {
	choices []choice // by condition
	known   map[choice]condition
	decided map[[3]condition]condition // arguments and result of decide
	work    int
}

func newConditions() *conditions {
	constant := choice{variable: 1<<31 - 1}
	return &conditions{
		choices: []choice{never: constant, always: constant},
		known:   map[choice]condition{},
		decided: map[[3]condition]condition{},
	}
}

// position returns the variable of p.
func (c *conditions) position(p int32) condition {
	return c.choose(choice{variable: p, low: never, high: always})
}

func (c *conditions) and(f, g condition) condition { return c.decide(f, g, never) }
func (c *conditions) or(f, g condition) condition  { return c.decide(f, always, g) }
func (c *conditions) not(f condition) condition    { return c.decide(f, never, always) }

// atEnd evaluates f for an empty rest: no position matches there.
func (c *conditions) atEnd(f condition) bool {
	for f > always {
		f = c.choices[f].low
	}
	return f == always
}

// decide returns "if f then g else h".
func (c *conditions) decide(f, g, h condition) condition {
	switch {
	case f == always || g == h:
		return g
	case f == never:
		return h
	case g == always && h == never:
		return f
	}
	key := [3]condition{f, g, h}
	if result, ok := c.decided[key]; ok {
		return result
	}
	if c.work += conditionCost; c.work > maxWork {
		return never
	}
	v := min(c.choices[f].variable, c.choices[g].variable, c.choices[h].variable)
	fLow, fHigh := c.split(f, v)
	gLow, gHigh := c.split(g, v)
	hLow, hHigh := c.split(h, v)
	result := c.choose(choice{variable: v, low: c.decide(fLow, gLow, hLow), high: c.decide(fHigh, gHigh, hHigh)})
	c.decided[key] = result
	return result
}

// split returns f for a false and for a true variable v, where f depends on
// no lesser variable.
func (c *conditions) split(f condition, v int32) (low, high condition) {
	if at := c.choices[f]; at.variable == v {
		return at.low, at.high
	}
	return f, f
}

func (c *conditions) choose(at choice) condition {
	if at.low == at.high {
		return at.low
	}
	f, ok := c.known[at]
	if !ok {
		f = condition(len(c.choices))
		c.choices = append(c.choices, at)
		c.known[at] = f
	}
	return f
}
