// Package schema runs schema programs: it judges a JSON value while it
// arrives, in one pass, and comes to the same verdict however it is cut into
// chunks. Memory grows with nesting, and by up to 32 bytes for each name that
// the schema doesn't spell and each item that must be unique.
//
// Every open array or object has a frame. A frame holds the tasks that judge
// its value: one for most values, several where a schema applies others to
// the same value (allOf, anyOf, …); these run side by side. A task that
// fails or passes tells those that wait for it, see task.go. A schema that
// is reached in several ways is judged once for each value, so that no
// schema can make the number of tasks grow with the depth.
package schema

import (
	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/enforce/distinct"
	"github.com/threatgate/threatgate/internal/enforce/json"
	"github.com/threatgate/threatgate/internal/enforce/siphash"
	"github.com/threatgate/threatgate/internal/violation"
)

// Options are the bounds and the thoroughness of one judgement.
type Options struct {
	MaxDepth      int  // open arrays and objects
	MaxToken      int  // bytes of a name or number
	FailFast      bool // stop at the first violation that rejects
	MaxViolations int  // stop at so many of those; at least 1
}

// Violation is one violation of a schema.
type Violation struct {
	Code    violation.Code
	Pointer []byte       // JSON pointer (RFC 6901) to the value; names that the schema does not spell are "*"
	Schema  artifact.Ref // into the program's locations: of the violated schema; 0 for malformed JSON
}

// Machine judges one value at a time. The zero Machine is ready for Start;
// it keeps its memory from one value to the next.
//
// The value comes in either as text, through Write, or as tokens, in the
// order of their appearance. Strings given as tokens must be valid UTF-8.
type Machine struct {
	program *artifact.Program
	options Options
	key     siphash.Key
	tokens  json.Tokenizer

	frames  []frame
	tasks   []task // of the open values, the innermost last
	more    []further
	tallies []tally
	seen    []uint64 // bitsets of the keys that open objects have had

	levels [maxLevels]level
	level  int // the innermost of them
	framed int // how many of them have a frame, 1 or 0

	pending  []pending // what judges the next value
	inArray  bool      // the innermost frame is an array
	skipping int       // open arrays and objects within a value that nothing judges
	scalar   scalar
	text     textValue

	covers  []cover
	opens   []cover
	hashing int // open arrays whose items must be unique
	items   distinct.Sets

	reading  bool // input comes through Write
	complete bool // the value has ended
	stopped  bool // the verdict is certain, or no more violations are wanted

	violations []Violation
	rejecting  int  // of the violations
	unjudged   bool // one of them is that a value was not judged by every keyword
	pointers   []byte
}

// frame is one open array or object.
type frame struct {
	low, high int32 // its tasks
	marks     marks
	count     uint32        // items or properties so far, the current one included
	child     artifact.Text // name of the current property
	isObject  bool
	plain     bool // one task judges it, which has no groups, and each item or property by one schema; nothing is hashed
	spelt     bool // the schema spells child
	names     bool // some task judges the names of properties
	tracking  bool // some task has unevaluated items or properties
	unique    bool // some task wants unique items, and they are so far
	repeats   bool // some task wanted unique items
	hash      uint64
	nameHash  uint64
}

// marks are the ends of what a value's tasks have in the machine's lists,
// from before they began.
//
// It is nested, for Go keeps a struct of up to four fields in registers.
type marks struct {
	tasks, seen int32
	groups      groupMarks
	unevaluated unevaluatedMarks
}

type (
	groupMarks       struct{ more, tallies int32 }
	unevaluatedMarks struct{ covers, opens int32 }
)

// pending is a schema that the next value will be judged by.
type pending struct {
	schema uint32
	link   link
}

// SetSecret sets the key of the hashes that tell equal names and equal items.
func (m *Machine) SetSecret(key siphash.Key) { m.key = key }

// Start begins a new value. It is judged by the root of the program; by its
// syntax only if the root is 0.
func (m *Machine) Start(p *artifact.Program, root artifact.Ref, o Options) {
	m.program, m.options = p, o
	m.tokens.Reset(json.Limits{MaxDepth: o.MaxDepth, MaxToken: o.MaxToken}, m.key)
	m.restore(marks{})
	m.frames, m.pending = m.frames[:0], m.pending[:0]
	m.skipping, m.hashing = 0, 0
	m.inArray, m.text.open = false, false
	m.items.Reset()
	m.reading, m.complete, m.stopped = false, false, false
	m.violations, m.pointers = m.violations[:0], m.pointers[:0]
	m.rejecting, m.unjudged = 0, false
	if root != 0 {
		m.pending = append(m.pending, pending{uint32(root - 1), link{parent: noParent}})
	}
}

// Write judges the next chunk of the text. It returns false if nothing more
// need be written.
func (m *Machine) Write(chunk []byte) bool {
	if m.stopped {
		return false
	}
	m.reading = true
	m.tokens.Feed(chunk)
	if len(m.frames) == 0 {
		m.plainValue()
	}
	if !m.tokens.Over() {
		m.read()
	}
	return !m.stopped
}

// End ends the input. It reports whether the value is valid.
func (m *Machine) End() bool {
	if m.reading && !m.stopped && !m.tokens.Over() {
		m.tokens.Finish()
		m.read()
	}
	if !m.complete && !m.stopped {
		m.refuseText(violation.JSON)
	}
	return m.rejecting == 0
}

// Violations returns the violations found, in the order in which they became
// certain, of those that are no reason to reject the first one. They are valid
// until the next Start.
func (m *Machine) Violations() []Violation { return m.violations }

// read takes all tokens that the tokenizer has.
func (m *Machine) read() {
	for !m.stopped {
		if n := len(m.frames); n > 0 && m.frames[n-1].plain && m.skipping == 0 && !m.text.open {
			m.plainRest(&m.frames[n-1])
		}
		token := m.tokens.Next()
		// The most frequent first: Wasm has no jump table for a switch.
		if token == json.Name {
			m.Name(m.tokens.Bytes)
			continue
		}
		if token == json.String && !m.text.open {
			m.String(m.tokens.Bytes)
			continue
		}
		switch token {
		case json.More, json.End:
			return
		case json.String:
			m.endText(m.tokens.Bytes)
		case json.Part:
			m.textPart(m.tokens.Bytes)
		case json.Number:
			m.Number(m.tokens.Bytes)
		case json.True:
			m.Bool(true)
		case json.False:
			m.Bool(false)
		case json.Null:
			m.Null()
		case json.BeginObject:
			m.BeginObject()
		case json.EndObject:
			m.EndObject()
		case json.BeginArray:
			m.BeginArray()
		case json.EndArray:
			m.EndArray()
		case json.Failed:
			m.refuseText(textCodes[m.tokens.Err])
		}
	}
}

var textCodes = [...]violation.Code{
	json.Syntax:      violation.JSON,
	json.Depth:       violation.Depth,
	json.TokenLength: violation.TokenLength,
}

// refuseText ends the judgement of what is no JSON text, or too much of one.
func (m *Machine) refuseText(code violation.Code) {
	depth := len(m.frames)
	if code == violation.DuplicateName && m.skipping == 0 {
		depth-- // the object is at fault, not the property before
	}
	m.violate(code, 0, depth, place{})
	m.stopped = true
}

// BeginObject is the token "{".
func (m *Machine) BeginObject() { m.begin(artifact.TypeObject) }

// EndObject is the token "}".
func (m *Machine) EndObject() { m.end() }

// BeginArray is the token "[".
func (m *Machine) BeginArray() { m.begin(artifact.TypeArray) }

// EndArray is the token "]".
func (m *Machine) EndArray() { m.end() }

func (m *Machine) begin(kind artifact.Types) {
	if m.skipping > 0 {
		m.skipping++
		return
	}
	m.expect()
	before := m.mark()
	low, high := m.open(kind), int32(len(m.tasks))
	if low == high && m.hashing == 0 {
		m.skipping = 1
		return
	}
	m.frames = room(m.frames)
	f := &m.frames[len(m.frames)-1]
	f.begun(before, low, high, kind)
	f.plain = high == low+1 && m.tasks[low].rank == 0 && m.tasks[low].rule != 0 && m.hashing == 0
	for i := low; i < high; i++ {
		if t := &m.tasks[i]; t.rule == 0 {
			continue
		} else if f.isObject {
			m.beginObject(f, t)
		} else {
			m.beginArray(f, t)
		}
	}
	m.inArray = !f.isObject
	if f.unique {
		m.hashing++
		m.items.Push()
	}
}

// begun makes f a new frame. See Machine.begun.
func (f *frame) begun(before marks, low, high int32, kind artifact.Types) {
	f.low, f.high, f.marks, f.isObject = low, high, before, kind == artifact.TypeObject
	f.count, f.child, f.spelt = 0, artifact.Text{}, false
	f.names, f.tracking, f.unique, f.repeats = false, false, false, false
	f.hash, f.nameHash = 0, 0
}

func (m *Machine) end() {
	if m.skipping > 1 {
		m.skipping--
		return
	}
	if m.skipping == 1 {
		m.skipping = 0
		m.ended(0)
		return
	}
	last := len(m.frames) - 1
	f := &m.frames[last] // stays in place until the next value begins
	m.inArray = last > 0 && !m.frames[last-1].isObject
	for i := f.low; i < f.high; i++ {
		if m.tasks[i].state == live {
			if f.isObject {
				m.endObject(i)
			} else {
				m.endArray(f, i)
			}
		}
	}
	if f.plain && m.tasks[f.low].link.edge == edgeAll && m.tasks[f.low].more == 0 {
		// Nobody waits for its only task to pass, and that left nothing else.
		m.tasks, m.seen = m.tasks[:f.low], m.seen[:f.marks.seen]
	} else {
		m.settle(f.low)
		m.restore(f.marks)
	}
	m.frames = m.frames[:last]
	if m.hashing > 0 {
		m.ended(m.containerHash(f))
	} else if last == 0 {
		m.complete = true
	}
}

// expect collects what judges the value that begins now. Within an object
// its name has done so, and for the outermost value Start.
func (m *Machine) expect() {
	if m.inArray {
		m.item()
	}
}

// ended is the end of a value. The hash is 0 unless items are hashed.
func (m *Machine) ended(hash uint64) {
	n := len(m.frames)
	if n == 0 {
		m.complete = true
	} else if m.hashing > 0 {
		m.childHash(&m.frames[n-1], hash)
	}
}

func (m *Machine) mark() marks {
	return marks{
		int32(len(m.tasks)), int32(len(m.seen)),
		groupMarks{int32(len(m.more)), int32(len(m.tallies))},
		unevaluatedMarks{int32(len(m.covers)), int32(len(m.opens))},
	}
}

func (m *Machine) restore(k marks) {
	m.tasks, m.more, m.tallies, m.seen = m.tasks[:k.tasks], m.more[:k.groups.more], m.tallies[:k.groups.tallies], m.seen[:k.seen]
	if len(m.covers) > int(k.unevaluated.covers) {
		m.covers = dropFrom(m.covers, k.unevaluated.covers, k.tasks)
	}
	if len(m.opens) > int(k.unevaluated.opens) {
		m.opens = dropFrom(m.opens, k.unevaluated.opens, k.tasks)
	}
}
