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
func (r *Request) writeLines(chunk []byte) {
	for more := true; more && !r.machine.Stopped(); {
		var line []byte
		line, chunk, more = bytes.Cut(chunk, []byte{'\n'})
		if !r.texts.open {
			line = bytes.TrimLeft(line, " \t\r")
		}
		if len(line) > 0 && !r.texts.open {
			r.texts.open = true
			r.machine.BeginText()
		}
		if r.texts.open {
			r.machine.WriteText(line)
		}
		if more {
			r.endLine()
		}
	}
}

func (r *Request) endLine() {
	if r.texts.open {
		r.machine.EndText()
		r.texts.open = false
	}
}

// writeSequence reads JSON texts each between a record separator and a line
// feed (RFC 7464 section 2). A text without its line feed is cut off, even if
// it is one: some readers drop it (section 2.4).
func (r *Request) writeSequence(chunk []byte) {
	for more := true; more && !r.machine.Stopped(); {
		var part []byte
		part, chunk, more = bytes.Cut(chunk, []byte{'\x1e'})
		if len(part) > 0 {
			if !r.texts.open {
				r.machine.Refuse(violation.JSON)
				return
			}
			r.machine.WriteText(part)
			r.texts.last = part[len(part)-1]
		}
		if more {
			r.endText()
			r.texts = texts{open: true}
			r.machine.BeginText()
		}
	}
}

func (r *Request) endText() {
	if !r.texts.open {
		return
	}
	if r.texts.last != '\n' {
		r.machine.Refuse(violation.JSON)
		return
	}
	r.machine.EndText()
}
