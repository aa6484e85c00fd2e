package schema

import (
	"github.com/threatgate/threatgate/internal/enforce/json"
	"github.com/threatgate/threatgate/internal/violation"
)

// Part is a token: a part of a string, with more of it to come. It may end
// inside of a character.
func (m *Machine) Part(part []byte) {
	if len(part) > 0 {
		m.textPart(part)
	}
}

// EndString is a token: the last part of a string, or all of it.
func (m *Machine) EndString(part []byte) {
	if m.text.open {
		m.endText(part)
	} else {
		m.String(part)
	}
}

// BeginText begins a value that comes in as JSON text among the tokens. It
// comes through WriteText, and EndText ends it.
func (m *Machine) BeginText() {
	m.tokens.Reset(json.Limits{MaxDepth: m.options.MaxDepth, MaxToken: m.options.MaxToken}, m.key)
	m.reading = true
}

// WriteText is the next chunk of the text that BeginText has begun.
func (m *Machine) WriteText(chunk []byte) {
	m.tokens.Feed(chunk)
	m.read()
}

// EndText ends the text that BeginText has begun.
func (m *Machine) EndText() {
	m.tokens.Finish()
	m.read()
	m.reading = false
}

// Refuse ends the judgement of what gives no tokens, or not these.
func (m *Machine) Refuse(code violation.Code) {
	if !m.stopped {
		m.refuseText(code)
	}
}

// Stopped reports whether no more tokens are wanted: the verdict is certain.
func (m *Machine) Stopped() bool { return m.stopped }
