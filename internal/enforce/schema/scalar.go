package schema

import (
	"bytes"
	"unicode/utf8"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/enforce/siphash"
	"github.com/threatgate/threatgate/internal/violation"
)

// scalar is the value that is being judged, if it is no array or object.
type scalar struct {
	kind    artifact.Types // one type; for numbers both of them
	literal artifact.Literals
	bytes   []byte // of a string, or a number as written
	numeral artifact.Numeral
	small   int64 // the number, if it is short and written as an integer
	isSmall bool
	normal  bool // numeral is set
	hit     artifact.Ref
	digits  []byte // memory of numeral
}

// Null is the token null.
func (m *Machine) Null() { m.literal(artifact.TypeNull, artifact.LiteralNull) }

// Bool is the token true or false.
func (m *Machine) Bool(v bool) {
	if v {
		m.literal(artifact.TypeBoolean, artifact.LiteralTrue)
	} else {
		m.literal(artifact.TypeBoolean, artifact.LiteralFalse)
	}
}

func (m *Machine) literal(kind artifact.Types, l artifact.Literals) {
	if m.skipping > 0 {
		return
	}
	m.expect()
	m.scalar.kind, m.scalar.literal = kind, l
	m.judgeValue()
}

// Number is a number in JSON's form.
func (m *Machine) Number(number []byte) {
	if m.skipping > 0 {
		return
	}
	m.expect()
	s := &m.scalar
	s.kind, s.bytes, s.normal = artifact.TypeInteger|artifact.TypeNumber, number, false
	s.small, s.isSmall = parseSmall(number)
	m.judgeValue()
}

// String is a whole string, without quotes and escapes.
func (m *Machine) String(text []byte) {
	if m.skipping > 0 {
		return
	}
	m.expect()
	m.scalar.kind, m.scalar.bytes = artifact.TypeString, text
	m.judgeValue()
}

func (m *Machine) judgeValue() {
	m.judge()
	var hash uint64
	if m.hashing > 0 {
		hash = m.scalarHash()
	}
	m.ended(hash)
}

// judge judges the scalar by the pending schemas.
func (m *Machine) judge() {
	if len(m.pending) == 0 {
		return
	}
	if p := &m.pending[0]; len(m.pending) == 1 && m.program.Schemas[p.schema].Rank == 0 {
		if code := m.check(&m.program.Schemas[p.schema]); code != violation.None {
			m.refuse(p.link, cause{code, p.schema})
		} else if p.link.edge != edgeAll {
			m.childPassed(p.link, m.scalar.hit)
		}
		return
	}
	k := m.mark()
	low := m.open(m.scalar.kind)
	for i := low; i < int32(len(m.tasks)); i++ {
		t := &m.tasks[i]
		if t.state != live {
			continue
		}
		code := m.check(&m.program.Schemas[t.schema])
		t.hit = m.scalar.hit
		if code != violation.None {
			m.fail(i, cause{code, t.schema})
		}
	}
	m.settle(low)
	m.restore(k)
}

// check judges the scalar by what s says itself.
func (m *Machine) check(s *artifact.Schema) violation.Code {
	v := &m.scalar
	if s.Types&v.kind == 0 {
		return s.Code
	}
	switch v.kind {
	case artifact.TypeString:
		if s.String|s.Enum != 0 {
			return m.checkString(s)
		}
	case artifact.TypeInteger | artifact.TypeNumber:
		if s.Types&artifact.TypeNumber == 0 && !m.isInteger() {
			return s.Code
		}
		if s.Number|s.Enum != 0 {
			return m.checkNumber(s)
		}
	default:
		if s.Enum != 0 {
			if e := &m.program.Enums[s.Enum-1]; e.Literals&v.literal == 0 {
				return e.Code
			}
		}
	}
	return violation.None
}

// checkString judges a whole string. An excess of length comes first: where
// a string arrives in parts it is known first.
func (m *Machine) checkString(s *artifact.Schema) violation.Code {
	p, text := m.program, m.scalar.bytes
	runes := -1
	r := &noString
	if s.String != 0 {
		r = &p.Strings[s.String-1]
		// A code point is one to four bytes.
		if len(text) > int(r.MaxLength) || len(text) < 4*int(r.MinLength) {
			runes = utf8.RuneCount(text)
			if runes > int(r.MaxLength) {
				return violation.MaxLength
			}
		}
	}
	if s.Enum != 0 {
		e := &p.Enums[s.Enum-1]
		v := m.findValue(e, text)
		if v == nil {
			return e.Code
		}
		m.scalar.hit = v.Select
	}
	switch {
	case runes >= 0 && runes < int(r.MinLength):
		return violation.MinLength
	case r.Pattern != 0 && !m.accepts(r.Pattern, text):
		return violation.Pattern
	case r.Grammar != 0 && !m.accepts(r.Grammar, text), r.Format != 0 && !hasFormat(r.Format, text):
		return violation.Format
	}
	return violation.None
}

var noString = artifact.String{MaxLength: artifact.Unbounded}

func (m *Machine) findValue(e *artifact.Enum, text []byte) *artifact.Value {
	if len(text) > int(e.Longest) {
		return nil
	}
	hash := artifact.HashName(text)
	values := artifact.Of(m.program.Values, e.Values)
	for i := range values {
		v := &values[(uint32(hash)+uint32(i))&uint32(len(values)-1)]
		if v.Used == 0 {
			return nil
		}
		if v.Hash == hash && bytes.Equal(m.program.String(v.Text), text) {
			return v
		}
	}
	return nil
}

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
	if s.Enum != 0 {
		m.text.limit = max(m.text.limit, int(p.Enums[s.Enum-1].Longest))
	}
	if s.String == 0 {
		return
	}
	r := &p.Strings[s.String-1]
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
		s := &p.Schemas[t.schema]
		if t.state != live || t.told || s.String == 0 {
			continue
		}
		r := &p.Strings[s.String-1]
		if r.Pattern != 0 {
			t.pattern = m.run(r.Pattern, t.pattern, part)
		}
		if r.Grammar != 0 {
			t.grammar = m.run(r.Grammar, t.grammar, part)
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
	if s.String != 0 {
		r = &p.Strings[s.String-1]
	}
	if x.runes > int(r.MaxLength) {
		return violation.MaxLength
	}
	if s.Enum != 0 {
		e := &p.Enums[s.Enum-1]
		v := m.findValue(e, x.kept)
		if v == nil {
			return e.Code
		}
		t.hit = v.Select
	}
	switch {
	case x.runes < int(r.MinLength):
		return violation.MinLength
	case r.Pattern != 0 && !m.accepting(r.Pattern, t.pattern, x.runes):
		return violation.Pattern
	case r.Grammar != 0 && !m.accepting(r.Grammar, t.grammar, x.runes), r.Format != 0 && !hasFormat(r.Format, x.kept):
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

// accepts reports whether an automaton accepts b.
func (m *Machine) accepts(r artifact.Ref, b []byte) bool {
	a := &m.program.Automata[r-1]
	runes := len(b)
	if a.MinRunes > 0 || a.MaxRunes != artifact.Unbounded {
		runes = utf8.RuneCount(b)
	}
	return m.accepting(r, m.run(r, a.Start, b), runes)
}

// run is the state of an automaton after b.
func (m *Machine) run(r artifact.Ref, state uint16, b []byte) uint16 {
	a := &m.program.Automata[r-1]
	next, class, width := artifact.Of(m.program.Next, a.Next), &m.program.Classes[a.Class], int(a.Width)
	for _, c := range b {
		state = next[int(state)*width+int(class[c])]
	}
	return state
}

// accepting reports whether an automaton in the given state accepts a string
// of so many code points.
func (m *Machine) accepting(r artifact.Ref, state uint16, runes int) bool {
	a := &m.program.Automata[r-1]
	return m.program.Accept[a.Accept.Off+uint32(state)] != 0 && int(a.MinRunes) <= runes && runes <= int(a.MaxRunes)
}
