package schema

import (
	"bytes"
	"math/bits"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/violation"
)

// beginObject prepares a task for an object.
func (m *Machine) beginObject(f *frame, t *task) {
	o := &m.program.Objects[t.rule-1]
	t.seen = int32(len(m.seen))
	for range o.Required.Len {
		m.seen = append(m.seen, 0)
	}
	f.names = f.names || o.Names != 0
	f.tracking = f.tracking || o.Unevaluated != 0
}

// Name is the name of a property. It collects what judges the value.
func (m *Machine) Name(name []byte) {
	if m.skipping > 0 {
		return
	}
	f := &m.frames[len(m.frames)-1]
	f.count++
	f.spelt = false
	if m.hashing > 0 {
		f.nameHash = m.key.Sum(name)
	}
	if f.names {
		m.judgeName(f, name)
	}
	m.pending = m.pending[:0]
	hash := artifact.HashName(name)
	for i := f.low; i < f.high; i++ {
		t := &m.tasks[i]
		if t.state != live {
			continue
		}
		if t.rule != 0 {
			m.property(f, i, name, hash)
		}
		if t.rank > 0 {
			m.discriminators(i, name)
		}
	}
}

// property adds the schemas that task i has for a property.
func (m *Machine) property(f *frame, i int32, name []byte, hash uint64) {
	p, t := m.program, &m.tasks[i]
	o := &p.Objects[t.rule-1]
	if f.count == o.MaxProperties+1 && o.MaxProperties != artifact.Unbounded {
		m.fail(i, cause{violation.MaxProperties, t.schema})
	}
	declared := false
	keys := p.Keys[o.Keys.Off : o.Keys.Off+o.Keys.Len]
	for n := range keys {
		k := &keys[(uint32(hash)+uint32(n))&uint32(len(keys)-1)]
		if k.Flags == 0 {
			break
		}
		if k.Hash != hash || !bytes.Equal(p.Pool[k.Name.Off:k.Name.Off+k.Name.Len], name) {
			continue
		}
		f.child, f.spelt = k.Name, true
		if k.Flags&artifact.KeyTracked != 0 {
			m.seen[uint32(t.seen)+uint32(k.Bit)/64] |= 1 << (k.Bit % 64)
		}
		if k.Flags&artifact.KeyDeclared != 0 {
			declared = true
			m.add(k.Schema, link{parent: i})
		}
		break
	}
	if o.Patterns.Len > 0 {
		for _, pattern := range artifact.Of(p.Patterns, o.Patterns) {
			if m.accepts(pattern.Automaton, name) {
				declared = true
				m.add(pattern.Schema, link{parent: i})
			}
		}
	}
	if !declared {
		m.add(o.Extra, link{parent: i})
	}
	if f.tracking {
		m.cover(i, f.count, declared || o.Covers != 0, o.Unevaluated)
	}
}

func (m *Machine) add(schema artifact.Ref, l link) {
	if schema != 0 {
		m.pending = append(m.pending, pending{uint32(schema - 1), l})
	}
}

// judgeName judges the name of a property where the schema restricts names.
func (m *Machine) judgeName(f *frame, name []byte) {
	m.pending = m.pending[:0]
	for i := f.low; i < f.high; i++ {
		if t := &m.tasks[i]; t.state == live && t.rule != 0 {
			m.add(m.program.Objects[t.rule-1].Names, link{parent: i, edge: edgeName})
		}
	}
	m.scalar = scalar{kind: artifact.TypeString, bytes: name}
	m.judge()
}

// endObject judges what only the end of an object tells.
func (m *Machine) endObject(i int32) {
	t := &m.tasks[i]
	if t.rule == 0 {
		return
	}
	o := &m.program.Objects[t.rule-1]
	if o.MinProperties > 0 && m.frames[t.depth].count < o.MinProperties {
		m.fail(i, cause{violation.MinProperties, t.schema})
	}
	m.needs(i, o, o.Required, violation.Required)
	for _, d := range artifact.Of(m.program.Dependents, o.Dependents) {
		if m.saw(t, d.Bit) {
			m.needs(i, o, d.Needs, violation.DependentRequired)
		}
	}
}

// needs judges whether all names of a bitset were there.
func (m *Machine) needs(i int32, o *artifact.Object, r artifact.Range, code violation.Code) {
	t := &m.tasks[i]
	for w, need := range artifact.Of(m.program.Words, r) {
		for missing := need &^ m.seen[int(t.seen)+w]; missing != 0; missing &= missing - 1 {
			name := m.program.Tracked[int(o.Tracked.Off)+w*64+bits.TrailingZeros64(missing)]
			m.failAt(i, cause{code, t.schema}, place{kind: placeName, name: name})
		}
	}
}

// saw reports whether t's value is an object and had a tracked name.
func (m *Machine) saw(t *task, bit uint32) bool {
	return t.seen >= 0 && m.seen[uint32(t.seen)+bit/64]>>(bit%64)&1 != 0
}

// beginArray prepares a task for an array.
func (m *Machine) beginArray(f *frame, t *task) {
	a := &m.program.Arrays[t.rule-1]
	f.tracking = f.tracking || a.Unevaluated != 0
	f.unique = f.unique || a.Unique != 0
}

// item collects what judges the next item of an array.
func (m *Machine) item(f *frame) {
	m.pending = m.pending[:0]
	f.count++
	for i := f.low; i < f.high; i++ {
		t := &m.tasks[i]
		if t.state != live || t.rule == 0 {
			continue
		}
		a := &m.program.Arrays[t.rule-1]
		if f.count == a.MaxItems+1 && a.MaxItems != artifact.Unbounded {
			m.fail(i, cause{violation.MaxItems, t.schema})
		}
		evaluated := a.Covers != 0
		if f.count <= a.Prefix.Len {
			evaluated = true
			m.add(m.program.Prefixes[a.Prefix.Off+f.count-1], link{parent: i})
		} else {
			m.add(a.Items, link{parent: i})
		}
		m.add(a.Contains, link{parent: i, child: f.count, edge: edgeContains})
		if f.tracking {
			m.cover(i, f.count, evaluated, a.Unevaluated)
		}
	}
}

// endArray judges what only the end of an array tells.
func (m *Machine) endArray(f *frame, i int32) {
	t := &m.tasks[i]
	if t.rule == 0 {
		return
	}
	a := &m.program.Arrays[t.rule-1]
	if f.count < a.MinItems {
		m.fail(i, cause{violation.MinItems, t.schema})
	}
	if a.Contains != 0 && (t.count < a.MinContains || t.count > a.MaxContains) {
		m.fail(i, cause{violation.Contains, t.schema})
	}
}
