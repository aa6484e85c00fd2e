package schema

import (
	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/enforce/siphash"
	"github.com/threatgate/threatgate/internal/violation"
)

// textValue is a string that arrives in parts.
type textValue struct {
	open   bool
	low    int32 // its tasks
	marks  marks
	runes  int
	length int    // bytes
	limit  int    // bytes to keep
	kept   []byte // the first bytes, limit+1 at most
	digest siphash.Digest
}

// textPart is a part of a string, with more to come.
func (m *Machine) textPart(part []byte) {
	if m.skipping > 0 {
		return
	}
	x := &m.text
	if !x.open {
		m.expect()
		x.open, x.marks = true, m.mark()
		x.runes, x.length, x.limit, x.kept = 0, 0, 0, x.kept[:0]
		if m.hashing > 0 {
			x.digest.Reset(m.key)
		}
		x.low = m.open(artifact.TypeString)
		for i := x.low; i < int32(len(m.tasks)); i++ {
			m.prepareText(&m.tasks[i])
		}
	}
	m.addText(part)
}

// prepareText prepares a task for a string that arrives in parts.
func (m *Machine) prepareText(t *task) {
	p := m.program
	s := &p.Schemas[t.schema]
	if enum := p.Rule(s, artifact.RuleEnum); enum != 0 {
		m.text.limit = max(m.text.limit, int(p.Enums[enum-1].Longest))
	}
	rule := p.Rule(s, artifact.RuleString)
	if rule == 0 {
		return
	}
	r := &p.Strings[rule-1]
	if r.Format != 0 {
		m.text.limit = max(m.text.limit, artifact.MaxFormat)
	}
	if r.Pattern != 0 {
		t.pattern = p.Automata[r.Pattern-1].Start
	}
	if r.Grammar != 0 {
		t.grammar = p.Automata[r.Grammar-1].Start
	}
}

func (m *Machine) addText(part []byte) {
	x, p := &m.text, m.program
	x.length += len(part)
	if room := x.limit + 1 - len(x.kept); room > 0 {
		x.kept = append(x.kept, part[:min(room, len(part))]...)
	}
	if m.hashing > 0 {
		x.digest.Write(part)
	}
	n := int32(len(m.tasks))
	if n == x.low {
		return
	}
	x.runes += countStarts(part)
	for i := x.low; i < n; i++ {
		t := &m.tasks[i]
		rule := p.Rule(&p.Schemas[t.schema], artifact.RuleString)
		if t.state != live || t.told || rule == 0 {
			continue
		}
		r := &p.Strings[rule-1]
		if r.Pattern != 0 {
			t.pattern = m.run(&p.Automata[r.Pattern-1], t.pattern, part)
		}
		if r.Grammar != 0 {
			t.grammar = m.run(&p.Automata[r.Grammar-1], t.grammar, part)
		}
		// With several tasks the first failure would depend on the parts.
		if x.runes > int(r.MaxLength) && n == x.low+1 {
			m.fail(i, cause{violation.MaxLength, t.schema})
		}
	}
}

// endText is the last part of a string.
func (m *Machine) endText(part []byte) {
	if m.skipping > 0 {
		return
	}
	m.addText(part)
	x := &m.text
	x.open = false
	for i := x.low; i < int32(len(m.tasks)); i++ {
		t := &m.tasks[i]
		if t.state != live || t.told {
			continue
		}
		if code := m.checkText(t); code != violation.None {
			m.fail(i, cause{code, t.schema})
		}
	}
	m.settle(x.low)
	m.restore(x.marks)
	var hash uint64
	if m.hashing > 0 {
		hash = m.textHash(x.digest.Sum())
	}
	m.ended(hash)
}

// checkText is checkString for a string that has arrived in parts.
func (m *Machine) checkText(t *task) violation.Code {
	p, x := m.program, &m.text
	s := &p.Schemas[t.schema]
	r := &noString
	if rule := p.Rule(s, artifact.RuleString); rule != 0 {
		r = &p.Strings[rule-1]
	}
	if x.runes > int(r.MaxLength) {
		return violation.MaxLength
	}
	if enum := p.Rule(s, artifact.RuleEnum); enum != 0 {
		e := &p.Enums[enum-1]
		v := m.findValue(e, x.kept)
		if v == nil {
			return e.Code
		}
		t.hit = v.Select
	}
	switch {
	case x.runes < int(r.MinLength):
		return violation.MinLength
	case r.Pattern != 0 && !accepting(&p.Automata[r.Pattern-1], t.pattern, x.runes):
		return violation.Pattern
	case r.Grammar != 0 && !accepting(&p.Automata[r.Grammar-1], t.grammar, x.runes), r.Format != 0 && !m.hasFormat(r.Format, x.kept):
		return violation.Format
	}
	return violation.None
}

// countStarts counts the code points of which the first byte is in b.
func countStarts(b []byte) (n int) {
	for _, c := range b {
		if c&0xc0 != 0x80 {
			n++
		}
	}
	return n
}

var noString = artifact.String{MaxLength: artifact.Unbounded}
