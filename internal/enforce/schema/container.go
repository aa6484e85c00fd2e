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
	for range artifact.BitsetSize(o.Keys.Len) {
		m.seen = append(m.seen, 0)
	}
	if o.Others == 0 {
		return
	}
	others := &m.program.Others[o.Others-1]
	f.names = f.names || others.Names != 0
	f.tracking = f.tracking || others.Unevaluated != 0
	f.plain = f.plain && others.Names == 0 && others.Unevaluated == 0 && others.Patterns.Len == 0
}

// Name is the name of a property. It collects what judges the value.
//
// In a frame that is plain, a name that the object knows has been there
// before if its bit is set. All others have to be remembered.
func (m *Machine) Name(name []byte) {
	if m.skipping > 0 {
		m.unique(name)
		return
	}
	f := &m.frames[len(m.frames)-1]
	if !f.plain {
		m.nameForAll(f, name)
		return
	}
	t := &m.tasks[f.low]
	o := &m.program.Objects[t.rule-1]
	keys := artifact.Of(m.program.Keys, o.Keys)
	ends := artifact.EndsOf(name)
	// Most clients write properties in the order of their declaration.
	at := int(t.due)
	if at >= len(keys) || !m.isNamed(&keys[at], ends, name) {
		at = m.find(o, ends, name)
	}
	schema := o.Extra
	if at >= 0 {
		if at < int(o.Properties.Len) {
			schema = m.program.Properties[int(o.Properties.Off)+at]
		}
		t.due = uint32(at) + 1
		seen, bit := &m.seen[int(t.seen)+at/64], uint64(1)<<(at%64)
		if *seen&bit != 0 && m.reading {
			m.refuseText(violation.DuplicateName)
			return
		}
		*seen |= bit
		f.child, f.spelt = keys[at].Name, true
	} else {
		if !m.unique(name) {
			return
		}
		f.spelt = false
	}
	f.count++
	if f.count == o.MaxProperties+1 { // never if it is Unbounded
		m.fail(f.low, cause{violation.MaxProperties, t.schema})
	}
	m.expectOne(schema, f.low, t)
}

// nameForAll is Name in any frame.
func (m *Machine) nameForAll(f *frame, name []byte) {
	if !m.unique(name) {
		return
	}
	f.count++
	f.spelt = false
	if m.hashing > 0 {
		f.nameHash = m.key.Sum(name)
	}
	if f.names {
		m.judgeName(f, name)
	}
	m.pending = m.pending[:0]
	for i := f.low; i < f.high; i++ {
		t := &m.tasks[i]
		if t.state != live {
			continue
		}
		if t.rule != 0 {
			m.property(f, i, name)
		}
		if t.rank > 0 {
			m.discriminators(i, name)
		}
	}
}

// unique refuses the text if it repeats a name. Who passes tokens sees to
// that himself.
func (m *Machine) unique(name []byte) bool {
	if m.reading && !m.tokens.Unique(name) {
		m.refuseText(violation.DuplicateName)
		return false
	}
	return true
}

// find returns the index of the key that an object has for a name, or -1.
func (m *Machine) find(o *artifact.Object, ends artifact.Ends, name []byte) int {
	keys := artifact.Of(m.program.Keys, o.Keys)
	slots := m.program.KeyTable(o)
	hash := ends.Hash(len(name))
	for n := range uint32(len(slots)) {
		at := int(slots[(hash+n)&uint32(len(slots)-1)]) - 1
		if uint(at) >= uint(len(keys)) {
			break
		}
		if m.isNamed(&keys[at], ends, name) {
			return at
		}
	}
	return -1
}

func (m *Machine) isNamed(k *artifact.Key, ends artifact.Ends, name []byte) bool {
	return k.Ends == ends && int(k.Name.Len) == len(name) && (len(name) <= 16 || bytes.Equal(m.program.String(k.Name), name))
}

// property adds the schemas that task i has for a property.
func (m *Machine) property(f *frame, i int32, name []byte) {
	p, t := m.program, &m.tasks[i]
	o := &p.Objects[t.rule-1]
	if f.count == o.MaxProperties+1 {
		m.fail(i, cause{violation.MaxProperties, t.schema})
	}
	declared := false
	if at := m.find(o, artifact.EndsOf(name), name); at >= 0 {
		m.seen[int(t.seen)+at/64] |= 1 << (at % 64)
		f.child, f.spelt = p.Keys[int(o.Keys.Off)+at].Name, true
		if declared = at < int(o.Properties.Len); declared {
			m.add(p.Properties[int(o.Properties.Off)+at], link{parent: i})
		}
	}
	others := p.OthersOf(o)
	for _, pattern := range artifact.Of(p.Patterns, others.Patterns) {
		if m.accepts(pattern.Automaton, name) {
			declared = true
			m.add(pattern.Schema, link{parent: i})
		}
	}
	if !declared {
		m.add(o.Extra, link{parent: i})
	}
	if f.tracking {
		m.cover(i, f.count, declared || o.Covers != 0, others.Unevaluated)
	}
}

// expectOne has the next value judged by one schema, for task i; 0: by none.
func (m *Machine) expectOne(schema artifact.Ref, i int32, t *task) {
	m.pending = m.pending[:0]
	if schema != 0 && t.state == live {
		m.pending = append(m.pending, pending{uint32(schema - 1), link{parent: i}})
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
			o := &m.program.Objects[t.rule-1]
			m.add(m.program.OthersOf(o).Names, link{parent: i, edge: edgeName})
		}
	}
	m.scalar.kind, m.scalar.bytes = artifact.TypeString, name
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
	for _, d := range artifact.Of(m.program.Dependents, m.program.OthersOf(o).Dependents) {
		if m.saw(t, d.Key) {
			m.needs(i, o, d.Needs, violation.DependentRequired)
		}
	}
}

// needs judges whether all names of a bitset were there.
func (m *Machine) needs(i int32, o *artifact.Object, r artifact.Ref, code violation.Code) {
	t := &m.tasks[i]
	for w, need := range m.program.Bitset(r, o) {
		for missing := need &^ m.seen[int(t.seen)+w]; missing != 0; missing &= missing - 1 {
			name := m.program.Keys[int(o.Keys.Off)+w*64+bits.TrailingZeros64(missing)].Name
			m.failAt(i, cause{code, t.schema}, place{kind: placeName, name: name})
		}
	}
}

// saw reports whether t's value is an object and had the name of a key.
func (m *Machine) saw(t *task, key uint32) bool {
	return t.seen >= 0 && m.seen[uint32(t.seen)+key/64]>>(key%64)&1 != 0
}

// beginArray prepares a task for an array.
func (m *Machine) beginArray(f *frame, t *task) {
	a := &m.program.Arrays[t.rule-1]
	f.tracking = f.tracking || a.Unevaluated != 0
	f.unique = f.unique || a.Unique != 0
	f.plain = f.plain && a.Unevaluated == 0 && a.Unique == 0 && a.Contains == 0 && a.Prefix.Len == 0
}

// item collects what judges the next item of an array.
func (m *Machine) item() {
	f := &m.frames[len(m.frames)-1]
	f.count++
	if f.plain {
		t := &m.tasks[f.low]
		a := &m.program.Arrays[t.rule-1]
		if f.count == a.MaxItems+1 {
			m.fail(f.low, cause{violation.MaxItems, t.schema})
		}
		m.expectOne(a.Items, f.low, t)
		return
	}
	m.pending = m.pending[:0]
	for i := f.low; i < f.high; i++ {
		t := &m.tasks[i]
		if t.state != live || t.rule == 0 {
			continue
		}
		a := &m.program.Arrays[t.rule-1]
		if f.count == a.MaxItems+1 {
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
