package enforce

import (
	"bytes"

	"github.com/threatgate/threatgate/internal/violation"
)

// texts is how far a body of several JSON texts has been read. It is judged
// as the array of them.
type texts struct {
	open bool // a text has begun
	last byte // of it, so far
}

// writeLines reads JSON texts of one line each. Lines of nothing but space
// are passed over.
func (b *body) writeLines(chunk []byte) {
	for more := true; more && !b.machine.Stopped(); {
		var line []byte
		line, chunk, more = bytes.Cut(chunk, []byte{'\n'})
		if !b.texts.open {
			line = bytes.TrimLeft(line, " \t\r")
		}
		if len(line) > 0 && !b.texts.open {
			b.texts.open = true
			b.machine.BeginText()
		}
		if b.texts.open {
			b.machine.WriteText(line)
		}
		if more {
			b.endLine()
		}
	}
}

func (b *body) endLine() {
	if b.texts.open {
		b.machine.EndText()
		b.texts.open = false
	}
}

// writeSequence reads JSON texts each between a record separator and a line
// feed (RFC 7464 section 2). A text without its line feed is cut off, even if
// it is one: some readers drop it (section 2.4).
func (b *body) writeSequence(chunk []byte) {
	for more := true; more && !b.machine.Stopped(); {
		var part []byte
		part, chunk, more = bytes.Cut(chunk, []byte{'\x1e'})
		if len(part) > 0 {
			if !b.texts.open {
				b.machine.Refuse(violation.JSON)
				return
			}
			b.machine.WriteText(part)
			b.texts.last = part[len(part)-1]
		}
		if more {
			b.endText()
			b.texts = texts{open: true}
			b.machine.BeginText()
		}
	}
}

func (b *body) endText() {
	if !b.texts.open {
		return
	}
	if b.texts.last != '\n' {
		b.machine.Refuse(violation.JSON)
		return
	}
	b.machine.EndText()
}
