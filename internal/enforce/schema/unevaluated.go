package schema

import (
	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/violation"
)

// unevaluatedItems and unevaluatedProperties judge those items or properties
// that no other schema on the same value has evaluated and passed, which is
// known only at the value's end. So the unevaluated schema judges all that
// its own schema does not evaluate; which of them failed it, and which tasks
// evaluate them, is written down, and put together at the end.

// cover is a child, counted from 1, that a task evaluates or, in
// Machine.opens, that failed the task's unevaluated schema.
type cover struct {
	task        int32
	child       uint32
	unevaluated bool // by the unevaluated schema of the task
}

// dropFrom removes what belongs to tasks from low on. All of it stands behind
// the first n.
func dropFrom(list []cover, n, low int32) []cover {
	kept := list[:n]
	for _, c := range list[n:] {
		if c.task < low {
			kept = append(kept, c)
		}
	}
	return kept
}

// maxCovers bounds what is written down.
const maxCovers = 1 << 16

// cover notes that task i evaluates a child, if it does; else it has the
// child judged by the unevaluated schema, which evaluates it, too.
func (m *Machine) cover(i int32, child uint32, evaluated bool, unevaluated artifact.Ref) {
	if !evaluated {
		if unevaluated == 0 {
			return
		}
		m.add(unevaluated, link{parent: i, child: child, edge: edgeUnevaluated})
	}
	if len(m.covers) == maxCovers {
		m.violate(violation.Unenforceable, m.program.Schemas[m.tasks[i].schema].Location, int(m.tasks[i].depth), place{})
		m.stopped = true
		return
	}
	m.covers = append(m.covers, cover{i, child, !evaluated})
}

// judgeUnevaluated fails task i for each child that failed its unevaluated
// schema and that no branch has evaluated. The covers of the value, which
// stand in the order of its children, end at n.
func (m *Machine) judgeUnevaluated(low, i int32, n int) {
	t := &m.tasks[i]
	f := &m.frames[t.depth]
	code, kind := violation.UnevaluatedItems, placeItem
	if f.isObject {
		code, kind = violation.UnevaluatedProperties, placeAny
	}
	m.markCounting(low, i)
	covers := m.covers[f.marks.unevaluated.covers:n]
	for _, open := range m.opens[f.marks.unevaluated.opens:] {
		if open.task != i {
			continue
		}
		for len(covers) > 0 && covers[0].child < open.child {
			covers = covers[1:]
		}
		if !m.isCovered(i, covers, open.child) {
			m.failAt(i, cause{code, t.schema}, place{kind: kind, item: open.child - 1})
		}
	}
}

// isCovered reports whether one of the first covers is of the child and
// counts for task i.
func (m *Machine) isCovered(i int32, covers []cover, child uint32) bool {
	for _, c := range covers {
		if c.child != child {
			break
		}
		if c.task >= i && m.tasks[c.task].counts && !(c.task == i && c.unevaluated) {
			return true
		}
	}
	return false
}

// markCounting marks the branches of task i, and theirs, that have passed
// and whose evaluations count for it.
func (m *Machine) markCounting(low, i int32) {
	for k := low; k < int32(len(m.tasks)); k++ {
		t := &m.tasks[k]
		t.counts = k == i
		if k <= i || t.state != live || t.told && t.mute {
			continue
		}
		m.eachLink(t, func(l link) {
			t.counts = t.counts || l.parent >= i && m.tasks[l.parent].counts && m.contributes(l)
		})
	}
}

// contributes reports whether what a passed branch evaluates counts for its
// parent.
func (m *Machine) contributes(l link) bool {
	switch l.edge {
	case edgeAll, edgeAny, edgeOne, edgeIf:
		return true
	case edgeThen:
		return m.tallies[l.tally].holds
	case edgeElse:
		return !m.tallies[l.tally].holds
	case edgeDependent:
		return m.saw(&m.tasks[l.parent], m.group(l).Key)
	}
	return false
}
