package schema

import (
	"bytes"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/violation"
)

// task is one schema that judges one open value.
//
// A task that is muted may fail without making the whole value invalid,
// because it stands for a branch of anyOf, not, … somewhere above; its
// failure is told to those that wait for it. The failure of any other task
// is a violation; it goes on, to find more of them.
type task struct {
	schema  uint32
	rule    artifact.Ref // into Arrays or Objects, by the value's type
	link    link         // what waits for it
	more    int32        // index of a further link in Machine.more, plus 1
	depth   int32        // of the value: frames around it
	tallies int32        // of its groups, in Machine.tallies
	seen    int32        // its bitset of keys, in Machine.seen; -1: none
	due     uint32       // index of the key behind the last one that was found
	count   uint32       // items that contains matched
	pattern uint32       // state of its automaton, while a string arrives in parts
	grammar uint32       // likewise
	hit     artifact.Ref // branch that a discriminator's value selects
	state   taskState
	rank    uint8
	mute    bool
	told    bool  // it has failed, and muted links know
	why     cause // if told
	at      place // if told: where within its value it failed
	open    bool  // some item or property has failed its unevaluated schema
	counts  bool  // what it has evaluated counts for the task whose unevaluated is being judged
}

type taskState uint8

const (
	live taskState = iota
	dead           // failed, or nobody waits for it any more
)

// link leads from a task to one that waits for its verdict.
type link struct {
	parent int32 // task
	tally  int32 // for the edges of a group
	child  uint32
	edge   edge
}

// further is a link of a task beyond the first.
type further struct {
	link link
	next int32 // index of the next one in Machine.more, plus 1
}

const noParent = -1

// edge says what a verdict means for the task that waits for it.
type edge uint8

const (
	edgeAll edge = iota // its failure is the parent's
	edgeAny
	edgeOne
	edgeNot
	edgeIf
	edgeThen
	edgeElse
	edgeDependent
	edgeContains      // an item
	edgeUnevaluated   // an item or a property that may turn out to be evaluated by another schema
	edgeName          // the name of a property
	edgeDiscriminator // the value that selects a branch
	edgeCut           // none: another branch has been selected
)

// tally is the state of one group of one task.
type tally struct {
	live, passed uint32
	holds        bool // the if
	selected     artifact.Ref
	then, other  cause // why then, the dependent schema or else has failed
}

// noBranch is what a discriminator's value selects if it is none of those
// that the schema knows.
const noBranch artifact.Ref = 1<<32 - 1

// cause is why a task has failed.
type cause struct {
	code   violation.Code
	schema uint32
}

// open begins the tasks for a value of the given type: the pending schemas
// and, one after the other, their branches. Tasks are in the order of
// descending rank, so that a branch stands behind all that wait for it.
func (m *Machine) open(kind artifact.Types) (low int32) {
	low = int32(len(m.tasks))
	if s := m.only(); s != nil && s.Types&kind != 0 && m.program.Rule(s, artifact.RuleEnum) == 0 {
		m.tasks = room(m.tasks)
		m.begun(&m.tasks[low], kind, m.pending[0].schema, m.pending[0].link)
		return low
	}
	for n := range m.pending {
		m.admit(low, kind, m.pending[n].schema, m.pending[n].link)
	}
	for i := low; i < int32(len(m.tasks)); i++ {
		if m.tasks[i].rank == 0 {
			break
		}
		m.branch(low, i, kind)
	}
	return low
}

// admit adds a task, or a link to the task that already judges the schema.
func (m *Machine) admit(low int32, kind artifact.Types, schema uint32, l link) {
	s := &m.program.Schemas[schema]
	if s.Types&kind == 0 {
		m.refuse(l, cause{s.Code, schema})
		return
	}
	if enum := m.program.Rule(s, artifact.RuleEnum); enum != 0 && kind&(artifact.TypeArray|artifact.TypeObject) != 0 {
		m.refuse(l, cause{m.program.Enums[enum-1].Code, schema})
		return
	}
	at := len(m.tasks)
	for i := low; int(i) < at; i++ {
		t := &m.tasks[i]
		if t.schema == schema {
			m.more = append(m.more, further{l, t.more})
			t.more = int32(len(m.more))
			t.mute = t.mute && m.muted(l)
			return
		}
		if t.rank < s.Rank {
			at = int(i)
			break
		}
	}
	if len(m.tasks)-int(low) == artifact.MaxTasks {
		m.violate(violation.Unenforceable, s.Location, len(m.frames), place{})
		m.stopped = true
		return
	}
	m.tasks = room(m.tasks)
	copy(m.tasks[at+1:], m.tasks[at:])
	m.begun(&m.tasks[at], kind, schema, l)
}

// begun makes t a new task. The fields are set one by one: to clear or to
// copy a struct of more than 32 bytes is a call in Wasm.
func (m *Machine) begun(t *task, kind artifact.Types, schema uint32, l link) {
	s := &m.program.Schemas[schema]
	t.schema, t.link, t.rank, t.mute = schema, l, s.Rank, m.muted(l)
	t.depth, t.seen, t.state, t.rule = int32(len(m.frames)), -1, live, 0
	switch kind {
	case artifact.TypeObject:
		t.rule = m.program.Rule(s, artifact.RuleObject)
	case artifact.TypeArray:
		t.rule = m.program.Rule(s, artifact.RuleArray)
	}
	t.more, t.tallies, t.due, t.count, t.pattern, t.grammar, t.hit = 0, 0, 0, 0, 0, 0, 0
	t.told, t.open, t.counts = false, false, false
}

// room lengthens a list by one element, which holds anything.
func room[T any](list []T) []T {
	if n := len(list); n < cap(list) {
		return list[:n+1]
	}
	var zero T
	return append(list, zero)
}

// branch begins the branches of task i.
func (m *Machine) branch(low, i int32, kind artifact.Types) {
	p := m.program
	groups := p.GroupsOf(&p.Schemas[m.tasks[i].schema])
	first := int32(len(m.tallies))
	m.tasks[i].tallies = first
	for _, g := range groups {
		m.tallies = append(m.tallies, tally{live: g.Branches.Len})
	}
	for n := range groups {
		g := &groups[n]
		for k, b := range artifact.Of(p.Branches, g.Branches) {
			if m.tasks[i].state != live || m.stopped {
				return
			}
			if b != 0 {
				m.admit(low, kind, uint32(b-1), link{parent: i, tally: first + int32(n), child: uint32(b), edge: branchEdge(g.Kind, k)})
			}
		}
	}
}

func branchEdge(kind artifact.GroupKind, branch int) edge {
	switch kind {
	case artifact.GroupAny:
		return edgeAny
	case artifact.GroupOne:
		return edgeOne
	case artifact.GroupNot:
		return edgeNot
	case artifact.GroupDependent:
		return edgeDependent
	case artifact.GroupIf:
		return edgeIf + edge(branch)
	}
	return edgeAll
}

// muted reports whether a failure along l is no violation in itself.
func (m *Machine) muted(l link) bool {
	switch {
	case l.parent == noParent:
		return false
	case l.edge == edgeAll, (l.edge == edgeAny || l.edge == edgeOne) && m.tallies[l.tally].selected != 0:
		return m.tasks[l.parent].mute
	}
	return true
}

// refuse is the failure of a schema that has no task, on the value that
// begins or stands next. If that is no reason to reject, it passes all the
// same, and in every branch the value is one that was not judged.
func (m *Machine) refuse(l link, c cause) {
	if m.muted(l) && c.code.Rejects() {
		m.childFailed(l, c)
	} else {
		m.violate(c.code, m.program.Schemas[c.schema].Location, len(m.frames), place{})
	}
}

// fail is the failure of task i.
func (m *Machine) fail(i int32, c cause) { m.failAt(i, c, place{}) }

// failAt is the failure of task i because of something missing or surplus
// at a place within its value.
func (m *Machine) failAt(i int32, c cause, at place) {
	t := &m.tasks[i]
	if t.state != live {
		return
	}
	if !t.mute {
		m.violate(c.code, m.program.Schemas[c.schema].Location, int(t.depth), at)
	}
	if !t.told {
		if at.kind == placeNone && int(t.depth) < len(m.frames) {
			at = m.frames[t.depth].current()
		}
		t.told, t.why, t.at = true, c, at
		if t.mute {
			t.state = dead
		}
		m.eachLink(t, func(l link) {
			if m.muted(l) {
				m.childFailed(l, c)
			}
		})
	}
	if t.mute && t.rank > 0 {
		m.sweep(i + 1)
	}
}

// sweep ends the tasks from index i on that nobody waits for any more.
func (m *Machine) sweep(i int32) {
	for ; i < int32(len(m.tasks)); i++ {
		t := &m.tasks[i]
		if t.state != live {
			continue
		}
		wanted := false
		m.eachLink(t, func(l link) {
			wanted = wanted || l.edge != edgeCut && (l.parent == noParent || m.tasks[l.parent].state == live)
		})
		if !wanted {
			t.state = dead
		}
	}
}

func (m *Machine) eachLink(t *task, visit func(link)) {
	visit(t.link)
	for n := t.more; n > 0; n = m.more[n-1].next {
		visit(m.more[n-1].link)
	}
}

// childFailed tells a task that one it waits for has failed.
func (m *Machine) childFailed(l link, c cause) {
	parent := &m.tasks[l.parent]
	if parent.state != live {
		return
	}
	switch l.edge {
	case edgeAll:
		m.fail(l.parent, c)
	case edgeAny, edgeOne:
		t, g := &m.tallies[l.tally], m.group(l)
		if t.selected != 0 { // this branch
			m.fail(l.parent, c)
			return
		}
		// Which of the failures counts, a discriminator may yet tell.
		if t.live--; t.live == 0 && t.passed == 0 && g.Discriminator == 0 {
			m.fail(l.parent, cause{g.Code, parent.schema})
		}
	case edgeThen, edgeDependent:
		m.tallies[l.tally].then = c
	case edgeElse:
		m.tallies[l.tally].other = c
	case edgeUnevaluated:
		parent.open = true
		m.opens = append(m.opens, cover{task: l.parent, child: l.child})
	case edgeName:
		m.fail(l.parent, cause{violation.PropertyNames, parent.schema})
	case edgeDiscriminator:
		property := m.group(l).Property
		m.failAt(l.parent, cause{violation.Discriminator, parent.schema}, place{kind: placeName, name: property})
		m.choose(l, noBranch)
	}
}

// childPassed tells a task that one it waits for has passed.
func (m *Machine) childPassed(l link, hit artifact.Ref) {
	if l.parent == noParent || m.tasks[l.parent].state != live {
		return
	}
	switch l.edge {
	case edgeAny:
		m.tallies[l.tally].passed++
	case edgeOne:
		t := &m.tallies[l.tally]
		if t.passed++; t.passed == 2 {
			m.fail(l.parent, cause{m.group(l).Code, m.tasks[l.parent].schema})
		}
	case edgeNot:
		m.fail(l.parent, cause{m.group(l).Code, m.tasks[l.parent].schema})
	case edgeIf:
		m.tallies[l.tally].holds = true
	case edgeContains:
		m.tasks[l.parent].count++
		if f := &m.frames[m.tasks[l.parent].depth]; f.tracking {
			m.covers = append(m.covers, cover{task: l.parent, child: l.child})
		}
	case edgeDiscriminator:
		m.choose(l, hit)
	}
}

// group returns the group that l is an edge of.
func (m *Machine) group(l link) *artifact.Group {
	parent := &m.tasks[l.parent]
	return &m.program.GroupsOf(&m.program.Schemas[parent.schema])[l.tally-parent.tallies]
}

// choose ends all branches of a group but the selected one, whose failures
// count from now on like its parent's, as does that which it may have had.
func (m *Machine) choose(l link, selected artifact.Ref) {
	parent := &m.tasks[l.parent]
	if parent.state != live || m.tallies[l.tally].selected != 0 {
		return
	}
	m.tallies[l.tally].selected = selected
	cut := func(e *link) {
		if e.parent == l.parent && e.tally == l.tally && e.edge != edgeDiscriminator && e.child != uint32(selected) {
			e.edge = edgeCut
		}
	}
	failed, why, at := selected != noBranch, cause{m.group(l).Code, parent.schema}, place{}
	for i := l.parent + 1; i < m.frames[parent.depth].high; i++ {
		t := &m.tasks[i]
		cut(&t.link)
		for n := t.more; n > 0; n = m.more[n-1].next {
			cut(&m.more[n-1].link)
		}
		if t.schema == uint32(selected-1) {
			failed = t.state != live
			if t.told {
				why, at = t.why, t.at
			}
		}
		mute := true
		m.eachLink(t, func(l link) { mute = mute && m.muted(l) })
		t.mute = mute
	}
	if failed {
		m.failAt(l.parent, why, at)
	}
	m.sweep(l.parent + 1)
}

// settle is the end of the value whose tasks stand from low on: those that
// have not failed pass, branches first.
func (m *Machine) settle(low int32) {
	covers := len(m.covers)
	for i := int32(len(m.tasks)) - 1; i >= low; i-- {
		t := &m.tasks[i]
		if t.state != live {
			continue
		}
		if t.rank > 0 {
			m.conclude(i)
		}
		if t.open {
			m.judgeUnevaluated(low, i, covers)
		}
		if t.state == live && !t.told && (t.link.edge != edgeAll || t.more > 0) {
			m.eachLink(t, func(l link) { m.childPassed(l, t.hit) })
		}
	}
}

// conclude judges those groups of task i that can be judged only at the end.
func (m *Machine) conclude(i int32) {
	t := &m.tasks[i]
	for n, g := range m.program.GroupsOf(&m.program.Schemas[t.schema]) {
		tally := &m.tallies[int(t.tallies)+n]
		c := tally.then
		switch {
		case g.Discriminator != 0 && tally.live == 0 && tally.selected == 0:
			c = cause{g.Code, t.schema}
		case g.Kind == artifact.GroupIf && !tally.holds:
			c = tally.other
		case g.Kind == artifact.GroupDependent && !m.saw(t, g.Key):
			continue
		}
		if c.code != violation.None {
			m.fail(i, c)
		}
	}
}

// discriminators adds the schemas that judge the value of a discriminator.
func (m *Machine) discriminators(i int32, name []byte) {
	t := &m.tasks[i]
	for n, g := range m.program.GroupsOf(&m.program.Schemas[t.schema]) {
		if g.Discriminator != 0 && bytes.Equal(name, m.program.String(g.Property)) {
			m.pending = append(m.pending, pending{uint32(g.Discriminator - 1), link{parent: i, tally: t.tallies + int32(n), edge: edgeDiscriminator}})
		}
	}
}
