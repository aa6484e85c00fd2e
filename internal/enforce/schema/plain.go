package schema

import (
	"encoding/binary"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/enforce/json"
	"github.com/threatgate/threatgate/internal/violation"
)

// Most text is plain: compact or evenly indented, without escapes, its
// members in the order of their declaration, each value judged by one schema,
// which it passes. While it is, plain reads and judges it in one go, several
// times as fast as token by token. It finds no violation and no error: it
// stops in front of whatever is not plain, or not in the chunk whole, and the
// tokens take over there, as if they had brought us so far.
//
// In Go's Wasm every branch costs about as much as several operations without
// one, taken or not, and a check of an index is a branch.

// level is an array or object that plain is in. It gets a frame, unless it
// has one, when plain stops inside of it.
type level struct {
	schema   uint32
	rule     artifact.Ref // into Objects or Arrays
	count    uint32       // items or properties so far
	due      uint32       // index of the key behind the last one that was found
	seen     uint64       // bitset of keys
	isObject bool
}

const (
	maxLevels = 16
	maxKeys   = 64 // of the objects that are plain
	maxToken  = 16 // of what is not measured, the names that nextKey finds and numbers; where fewer bytes are allowed, nothing is plain
)

// plainValue judges the outermost value, if it is an array or object.
func (m *Machine) plainValue() {
	b, i := m.tokens.Outset()
	if i = json.SkipSpace(b, i); i >= len(b) || len(m.pending) == 0 || m.options.MaxToken < maxToken {
		return
	}
	m.framed = 0
	if c := b[i]; c|0x20 == '{' && m.enter(0, artifact.Ref(m.pending[0].schema+1), c) { // or '['
		m.plainFrom(b, i+1)
	}
}

// plainRest judges what comes next in f, the innermost frame.
func (m *Machine) plainRest(f *frame) {
	b, i := m.tokens.Ahead()
	t := &m.tasks[f.low]
	if b == nil || t.state != live || m.options.MaxToken < maxToken {
		return
	}
	l := &m.levels[0]
	l.rule, l.count, l.due, l.isObject, l.seen = t.rule, f.count, t.due, f.isObject, 0
	if l.isObject {
		o := &m.program.Objects[t.rule-1]
		if !isPlain(o) {
			return
		}
		if o.Keys.Len > 0 {
			l.seen = m.seen[t.seen]
		}
	}
	m.framed = 1
	m.plainFrom(b, i)
}

// plainFrom judges what comes next in the outermost level.
func (m *Machine) plainFrom(b []byte, i int) {
	// What is behind the chunk may be looked at, but not come to.
	end, start := len(b), i
	i, ended := m.plainMembers(0, b[:min(cap(b), end+json.Lookahead)], end, i)
	switch {
	case ended:
		m.tokens.Skip(i, true)
		m.complete = true
	case i > start || m.framed == 0:
		m.land(i)
	}
}

// plainMembers judges what is in level n from b[i] on, where a member or item may
// begin, and how it ends. It returns the index behind that; or else the index
// behind the last value that it has judged, and in m.level where that is.
func (m *Machine) plainMembers(n int, b []byte, end, i int) (next int, ended bool) {
	if m.levels[n].isObject {
		return m.plainObject(n, b, end, i)
	}
	return m.plainArray(n, b, end, i)
}

// plainObject is plainMembers for an object.
func (m *Machine) plainObject(n int, b []byte, end, i int) (next int, ended bool) {
	l := &m.levels[n]
	o := &m.program.Objects[l.rule-1]
	keys, properties := artifact.Of(m.program.Keys, o.Keys), artifact.Of(m.program.Properties, o.Properties)
	last, due := i, int(l.due)
	for i+json.Lookahead <= len(b) {
		if b[i] != '"' {
			if i = json.SkipSpace(b, i); i+json.Lookahead > len(b) || b[i] != '"' {
				break
			}
		}
		at, value := nextKey(keys, due, b, i)
		if at < 0 {
			if at, value = m.look(o, b, i+1); at < 0 {
				break
			}
		}
		i = value
		bit := uint64(1) << (at % maxKeys)
		if l.seen&bit != 0 || i+8 > len(b) {
			break
		}
		if b[i] == ' ' {
			i++
		}
		schema := o.Extra
		if at < len(properties) {
			schema = properties[at]
		}
		if c := b[i]; c|0x20 == '{' { // or '['
			if i >= end || !m.enter(n+1, schema, c) {
				break
			}
			l.seen |= bit
			l.count++
			l.due = uint32(at) + 1
			if i, ended = m.plainMembers(n+1, b, end, i+1); !ended {
				return i, false
			}
		} else {
			if i = m.scalarAt(schema, b, i); uint(i) >= uint(end) {
				break
			}
			l.seen |= bit
			l.count++
		}
		last, due = i, at+1
		if i = comma(b, end, i); i < 0 {
			break
		}
	}
	l.due = uint32(due)
	i = json.SkipSpace(b, last)
	if i < end && b[i] == '}' && l.count >= o.MinProperties && (o.Required == 0 || m.program.Words[o.Required-1]&^l.seen == 0) && n >= m.framed {
		return i + 1, true
	}
	m.level = n
	return last, false
}

// comma returns the index behind the comma that comes next; -1 if none does.
func comma(b []byte, end, i int) int {
	if i < end && b[i] == ',' {
		return i + 1
	}
	if i = json.SkipSpace(b, i); i < end && b[i] == ',' {
		return i + 1
	}
	return -1
}

// nextKey returns which of the keys that are due is at b[i:], in quotes and with a
// colon behind it: the first or, if the client has left that out, the second; and
// where its value begins. It returns -1 if neither is. It knows only names of 1 to
// 16 bytes.
func nextKey(keys []artifact.Key, due int, b []byte, i int) (at, value int) {
	b = b[i : i+json.Lookahead]
	head := binary.LittleEndian.Uint64(b[1:])
	for at = due; at < len(keys) && at < due+2; at++ {
		k := &keys[at]
		n := k.Name.Len
		ends := &endsOf[(n-1)%16]
		differences := uint64((n-1)/16) |
			(head&ends.Head ^ k.Ends.Head) |
			(binary.LittleEndian.Uint64(b[1+(n-8)%32:])&ends.Tail ^ k.Ends.Tail) |
			uint64(binary.LittleEndian.Uint16(b[1+n%32:])^('"'|':'<<8))
		if differences == 0 {
			return at, i + int(n) + len(`"":`)
		}
	}
	return -1, 0
}

// endsOf has the bits that the ends of a name have, by its length less 1.
var endsOf = func() (masks [16]artifact.Ends) {
	var ones [len(masks)]byte
	for i := range ones {
		ones[i] = 0xff
	}
	for i := range masks {
		masks[i] = artifact.EndsOf(ones[:i+1])
	}
	return masks
}()

// look returns the index of the key of which the name is at b[i:], or -1, and where
// its value begins.
func (m *Machine) look(o *artifact.Object, b []byte, i int) (at, value int) {
	n := json.StringEnd(b, i)
	if n < 0 || n-i > m.options.MaxToken || n+1 >= len(b) || b[n+1] != ':' {
		return -1, 0
	}
	name := b[i:n]
	return m.find(o, artifact.EndsOf(name), name), n + len(`":`)
}

// plainArray is plainMembers for an array.
func (m *Machine) plainArray(n int, b []byte, end, i int) (next int, ended bool) {
	l := &m.levels[n]
	a := &m.program.Arrays[l.rule-1]
	last := i
	for l.count < a.MaxItems {
		if i = json.SkipSpace(b, i); i >= end {
			break
		}
		if c := b[i]; c|0x20 == '{' { // or '['
			if !m.enter(n+1, a.Items, c) {
				break
			}
			l.count++
			if i, ended = m.plainMembers(n+1, b, end, i+1); !ended {
				return i, false
			}
		} else {
			if i = m.scalarAt(a.Items, b, i); uint(i) >= uint(end) {
				break
			}
			l.count++
		}
		last = i
		if i = comma(b, end, i); i < 0 {
			break
		}
	}
	i = json.SkipSpace(b, last)
	if i < end && b[i] == ']' && l.count >= a.MinItems && n >= m.framed {
		return i + 1, true
	}
	m.level = n
	return last, false
}

// scalarAt judges the scalar that begins at b[i]. It returns the index behind
// it, or -1 if it is none, or does not pass.
func (m *Machine) scalarAt(schema artifact.Ref, b []byte, i int) int {
	s := &anything
	if schema != 0 {
		s = &m.program.Schemas[schema-1]
	}
	if s.Rank != 0 {
		return -1
	}
	if b[i] == '"' {
		end := json.StringEnd(b, i+1)
		if end < 0 || m.checkString(s, b[i+1:end]) != violation.None {
			return -1
		}
		return end + 1
	}
	if b[i] <= '9' {
		return m.numberAt(s, b, i)
	}
	if i+8 > len(b) {
		return -1
	}
	v := &m.scalar
	switch json.Literal(b[i : i+8]) {
	case json.True:
		v.kind, v.literal = artifact.TypeBoolean, artifact.LiteralTrue
		i += len("true")
	case json.False:
		v.kind, v.literal = artifact.TypeBoolean, artifact.LiteralFalse
		i += len("false")
	case json.Null:
		v.kind, v.literal = artifact.TypeNull, artifact.LiteralNull
		i += len("null")
	default:
		return -1
	}
	if m.checkLiteral(s) != violation.None {
		return -1
	}
	return i
}

// numberAt is scalarAt for a number.
func (m *Machine) numberAt(s *artifact.Schema, b []byte, i int) int {
	n, scale, end := json.SmallNumber(b, i)
	if end < 0 {
		return -1
	}
	if s.Kind == artifact.RuleNumber && (s.Types&artifact.TypeNumber != 0 || s.Types&artifact.TypeInteger != 0 && scale == 0) &&
		m.program.Numbers[s.Rule-1].Holds(n, scale) {
		return end
	}
	v := &m.scalar
	v.kind, v.bytes = artifact.TypeInteger|artifact.TypeNumber, b[i:end]
	v.small, v.scale, v.read = n, scale, numberSmall
	if m.checkNumber(s) != violation.None {
		return -1
	}
	return end
}

var anything = artifact.Schema{Types: artifact.TypeAny}

// enter makes level n of the array or object that begins with c, unless there
// is more to judging it than plain knows.
func (m *Machine) enter(n int, schema artifact.Ref, c byte) bool {
	if schema == 0 || n == maxLevels || m.tokens.Depth()-m.framed+n >= m.options.MaxDepth {
		return false
	}
	s := &m.program.Schemas[schema-1]
	if s.Rank != 0 || m.program.Rule(s, artifact.RuleEnum) != 0 {
		return false
	}
	l := &m.levels[n]
	if l.isObject = c == '{'; l.isObject {
		rule := m.program.Rule(s, artifact.RuleObject)
		if s.Types&artifact.TypeObject == 0 || rule == 0 {
			return false
		}
		o := &m.program.Objects[rule-1]
		if o.Others != 0 || !isPlain(o) {
			return false
		}
		l.rule = rule
	} else {
		rule := m.program.Rule(s, artifact.RuleArray)
		if s.Types&artifact.TypeArray == 0 || rule == 0 {
			return false
		}
		a := &m.program.Arrays[rule-1]
		if uint32(a.Contains|a.Unevaluated)|a.Prefix.Len|uint32(a.Unique) != 0 {
			return false
		}
		l.rule = rule
	}
	l.schema, l.count, l.due, l.seen = uint32(schema-1), 0, 0, 0
	return true
}

// isPlain reports whether names and their number are no more to an object than
// plain knows.
func isPlain(o *artifact.Object) bool {
	return o.Keys.Len <= maxKeys && o.MaxProperties == artifact.Unbounded && o.Escapes == 0
}

// land brings the frames and the tokenizer to where plain has stopped, before
// b[i].
func (m *Machine) land(i int) {
	for n := range m.level + 1 {
		l := &m.levels[n]
		if n >= m.framed {
			m.tokens.Enter(l.isObject)
			if n == 0 {
				// Start knows what judges the outermost value.
			} else if f := &m.frames[len(m.frames)-1]; f.isObject {
				m.expectOne(artifact.Ref(l.schema+1), f.low, &m.tasks[f.low])
			} else {
				f.count-- // begin counts the item
			}
			if l.isObject {
				m.begin(artifact.TypeObject)
			} else {
				m.begin(artifact.TypeArray)
			}
		}
		f := &m.frames[len(m.frames)-1]
		f.count = l.count
		if l.due > 0 {
			t := &m.tasks[f.low]
			t.due, m.seen[t.seen] = l.due, l.seen
			f.child, f.spelt = m.program.Keys[m.program.Objects[l.rule-1].Keys.Off+l.due-1].Name, true
		}
	}
	m.tokens.Skip(i, m.levels[m.level].count > 0)
}
