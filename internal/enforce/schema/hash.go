package schema

import (
	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/violation"
)

// For uniqueItems every value within the array gets a hash that is the same
// for equal values (JSON Schema core, section 4.2.2): numbers by their normal
// form, objects whatever the order of their properties. See package distinct
// for what a keyed hash may do wrong: never overlook two equal items.

// Each type's hashes are mixed with a word of its own.
const (
	hashNull uint64 = iota + 1
	hashTrue
	hashFalse
	hashNumber
	hashNegative
	hashString
	hashArray
	hashObject
)

func (m *Machine) scalarHash() uint64 {
	switch v := &m.scalar; v.kind {
	case artifact.TypeString:
		return m.textHash(m.key.Sum(v.bytes))
	case artifact.TypeInteger | artifact.TypeNumber:
		n, tag := m.toNumeral(), hashNumber
		if n.Negative {
			tag = hashNegative
		}
		return m.key.Pair(tag<<32|uint64(uint32(n.Exponent)), m.key.Sum(n.Digits))
	case artifact.TypeNull:
		return m.key.Pair(hashNull, 0)
	}
	if m.scalar.literal == artifact.LiteralTrue {
		return m.key.Pair(hashTrue, 0)
	}
	return m.key.Pair(hashFalse, 0)
}

func (m *Machine) textHash(sum uint64) uint64 { return m.key.Pair(hashString, sum) }

// containerHash is the hash of an array or object that has ended.
func (m *Machine) containerHash(f *frame) uint64 {
	if f.unique || f.repeats {
		m.hashing--
		m.items.Pop()
	}
	if f.isObject {
		return m.key.Pair(hashObject, f.hash)
	}
	return m.key.Pair(hashArray, f.hash)
}

// childHash takes the hash of an item or a property's value into that of f.
func (m *Machine) childHash(f *frame, hash uint64) {
	if f.isObject {
		f.hash += m.key.Pair(f.nameHash, hash) // in any order
		return
	}
	f.hash = m.key.Pair(f.hash, hash)
	if !f.unique || m.items.Add(hash) {
		return
	}
	f.unique, f.repeats = false, true
	for i := f.low; i < f.high; i++ {
		t := &m.tasks[i]
		if t.state == live && t.rule != 0 && m.program.Arrays[t.rule-1].Unique != 0 {
			m.fail(i, cause{violation.UniqueItems, t.schema})
		}
	}
}
