package schema

import (
	"bytes"
	"unicode/utf8"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/violation"
)

// scalar is the value that is being judged, if it is no array or object.
type scalar struct {
	kind    artifact.Types // one type; for numbers both of them
	literal artifact.Literals
	bytes   []byte // of a string, or a number as written
	numeral artifact.Numeral
	small   int64 // the number × 10^scale, if read says so
	scale   int
	read    numberRead
	hit     artifact.Ref // branch that a discriminator's value selects
	digits  []byte       // memory of numeral
}

// numberRead is how a number has been read so far.
type numberRead uint8

const (
	numberUnread  numberRead = iota
	numberSmall              // into small and scale
	numberLarge              // it is not small
	numberNumeral            // into numeral
)

// Passes reports whether a number or string, of which text is the JSON form
// without quotes and escapes, is valid by a schema that is judged without a
// task. If not, Start and the tokens tell.
func (m *Machine) Passes(p *artifact.Program, schema artifact.Ref, kind artifact.Types, text []byte) bool {
	if schema == 0 {
		return true
	}
	s := &p.Schemas[schema-1]
	if s.Rank != 0 {
		return false
	}
	m.program = p
	v := &m.scalar
	v.kind, v.bytes, v.read = kind, text, numberUnread
	switch kind {
	case artifact.TypeString:
		return m.checkString(s, text) == violation.None
	case artifact.TypeNumber:
		v.kind |= artifact.TypeInteger
		return m.checkNumber(s) == violation.None
	}
	return false
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
	if s := m.only(); s != nil {
		m.tell(m.checkLiteral(s))
	} else {
		m.judge()
	}
	m.endScalar()
}

// Number is a number in JSON's form.
func (m *Machine) Number(number []byte) {
	if m.skipping > 0 {
		return
	}
	m.expect()
	v := &m.scalar
	v.kind, v.bytes, v.read = artifact.TypeInteger|artifact.TypeNumber, number, numberUnread
	if s := m.only(); s != nil {
		m.tell(m.checkNumber(s))
	} else {
		m.judge()
	}
	m.endScalar()
}

// String is a whole string, without quotes and escapes.
func (m *Machine) String(text []byte) {
	if m.skipping > 0 {
		return
	}
	m.expect()
	m.scalar.kind, m.scalar.bytes = artifact.TypeString, text
	if s := m.only(); s != nil {
		m.tell(m.checkString(s, text))
	} else {
		m.judge()
	}
	m.endScalar()
}

// only is the schema that judges the next value, if there is no other and it
// has no groups: then it needs no task. It is nil if not, or if there is
// none.
func (m *Machine) only() *artifact.Schema {
	if len(m.pending) == 1 {
		if s := &m.program.Schemas[m.pending[0].schema]; s.Rank == 0 {
			return s
		}
	}
	return nil
}

// tell tells what the only schema made of a scalar, if anybody wants to know.
func (m *Machine) tell(code violation.Code) {
	if code != violation.None || m.pending[0].link.edge != edgeAll {
		m.report(code)
	}
}

func (m *Machine) report(code violation.Code) {
	p := &m.pending[0]
	if code != violation.None {
		m.refuse(p.link, cause{code, p.schema})
	} else {
		m.childPassed(p.link, m.scalar.hit)
	}
}

// endScalar is the end of a scalar. Most are neither hashed nor outermost.
func (m *Machine) endScalar() {
	if m.hashing > 0 || len(m.frames) == 0 {
		m.scalarEnded()
	}
}

func (m *Machine) scalarEnded() {
	if m.hashing > 0 {
		m.ended(m.scalarHash())
	} else {
		m.ended(0)
	}
}

// judge judges the scalar by the pending schemas.
func (m *Machine) judge() {
	if len(m.pending) == 0 {
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
	switch m.scalar.kind {
	case artifact.TypeString:
		return m.checkString(s, m.scalar.bytes)
	case artifact.TypeInteger | artifact.TypeNumber:
		return m.checkNumber(s)
	}
	return m.checkLiteral(s)
}

func (m *Machine) checkLiteral(s *artifact.Schema) violation.Code {
	if s.Types&m.scalar.kind == 0 {
		return s.Code
	}
	if enum := m.program.Rule(s, artifact.RuleEnum); enum != 0 {
		if e := &m.program.Enums[enum-1]; e.Literals&m.scalar.literal == 0 {
			return e.Code
		}
	}
	return violation.None
}

// checkString judges a whole string. An excess of length comes first: where
// a string arrives in parts it is known first.
func (m *Machine) checkString(s *artifact.Schema, text []byte) violation.Code {
	if s.Types&artifact.TypeString == 0 {
		return s.Code
	}
	if s.Kind == artifact.RuleNone {
		return violation.None
	}
	enum, rule := artifact.Ref(0), s.Rule
	if s.Kind != artifact.RuleString { // as that of most is
		enum, rule = m.program.Rule(s, artifact.RuleEnum), m.program.Rule(s, artifact.RuleString)
	}
	if rule == 0 {
		if enum != 0 {
			return m.checkValue(enum, text)
		}
		return violation.None
	}
	r := &m.program.Strings[rule-1]
	runes := int(r.MinLength)
	// A code point is one to four bytes.
	if len(text) > int(r.MaxLength) || len(text) < 4*int(r.MinLength) {
		runes = utf8.RuneCount(text)
		if runes > int(r.MaxLength) {
			return violation.MaxLength
		}
	}
	if enum != 0 {
		if code := m.checkValue(enum, text); code != violation.None {
			return code
		}
	}
	if runes < int(r.MinLength) {
		return violation.MinLength
	}
	if r.Pattern != 0 && !m.accepts(r.Pattern, text) {
		return violation.Pattern
	}
	if r.Grammar == 0 && r.Format == 0 {
		return violation.None
	}
	if r.Grammar != 0 && !m.accepts(r.Grammar, text) || r.Format != 0 && !m.hasFormat(r.Format, text) {
		return violation.Format
	}
	return violation.None
}

// checkValue judges a string by an enum.
func (m *Machine) checkValue(enum artifact.Ref, text []byte) violation.Code {
	e := &m.program.Enums[enum-1]
	v := m.findValue(e, text)
	if v == nil {
		return e.Code
	}
	m.scalar.hit = v.Select
	return violation.None
}

func (m *Machine) findValue(e *artifact.Enum, text []byte) *artifact.Value {
	if len(text) > int(e.Longest) {
		return nil
	}
	ends := artifact.EndsOf(text)
	hash := ends.Hash(len(text))
	values, slots := artifact.Of(m.program.Values, e.Values), m.program.ValueTable(e)
	for n := range uint32(len(slots)) {
		at := slots[(hash+n)&uint32(len(slots)-1)] - 1
		if at >= uint32(len(values)) {
			break
		}
		v := &values[at]
		if v.Ends == ends && int(v.Text.Len) == len(text) && (len(text) <= 16 || bytes.Equal(m.program.String(v.Text), text)) {
			return v
		}
	}
	return nil
}

// accepts reports whether an automaton accepts b.
func (m *Machine) accepts(r artifact.Ref, b []byte) bool {
	a := &m.program.Automata[r-1]
	runes := len(b)
	if a.MinRunes > 0 || a.MaxRunes != artifact.Unbounded {
		runes = utf8.RuneCount(b)
	}
	return accepting(a, m.run(a, a.Start, b), runes)
}

// run is the state of an automaton after b.
func (m *Machine) run(a *artifact.Automaton, state uint32, b []byte) uint32 {
	next, class := artifact.Of(m.program.Next, a.Next), &m.program.Classes[a.Class]
	for ; len(b) >= 4; b = b[4:] {
		state = next[int(state)+int(class[b[0]])]
		state = next[int(state)+int(class[b[1]])]
		state = next[int(state)+int(class[b[2]])]
		state = next[int(state)+int(class[b[3]])]
	}
	for _, c := range b {
		state = next[int(state)+int(class[c])]
	}
	return state
}

// accepting reports whether an automaton in the given state accepts a string
// of so many code points.
func accepting(a *artifact.Automaton, state uint32, runes int) bool {
	return state >= a.Accept && int(a.MinRunes) <= runes && runes <= int(a.MaxRunes)
}
