// Package form cuts an application/x-www-form-urlencoded body into names and
// values (WHATWG URL section 5.1) while it arrives, in memory bounded by the
// longest name, and into the same ones however it is cut into chunks.
//
// What parsers read differently is refused: ';', which to some separates
// fields; broken escapes; control characters; NUL in a name; a field without
// a name; "]=" in a value, where the name ends to qs. No serialiser writes any
// of them.
package form

// Token is one step through a form.
type Token uint8

const (
	More   Token = iota // nothing yet: the chunk is used up
	End                 // after Finish
	Failed              // see Tokenizer.Err
	Name                // Bytes is the whole name, decoded
	Part                // Bytes is a part of the value, decoded, with more to come
	Value               // Bytes is the last part of the value, or all of it
)

// Error says why a form was refused.
type Error uint8

const (
	NoError    Error = iota
	Syntax           // not in the form's encoding
	NameLength       // a name longer than the limit
)

// Tokenizer cuts one form into tokens. Reset makes it ready, as often as one
// likes; it keeps its memory.
type Tokenizer struct {
	Bytes []byte // of the last token; valid until the next call
	Err   Error  // why the last token was Failed

	chunk   []byte
	final   bool
	inValue bool
	digits  int  // of an escape that are still missing
	octet   byte // that the escape stands for, so far
	last    byte // of the value
	maxName int
	name    []byte
	value   [512]byte
}

// Reset makes t ready for a new form, with names of at most maxName bytes.
func (t *Tokenizer) Reset(maxName int) {
	t.Bytes, t.Err = nil, NoError
	t.chunk, t.final, t.inValue, t.digits = nil, false, false, 0
	t.maxName, t.name = maxName, t.name[:0]
}

// Feed gives t the next chunk, once Next has returned More. The chunk must
// not change until Next returns More again.
func (t *Tokenizer) Feed(chunk []byte) { t.chunk = chunk }

// Finish says that no chunk follows, once Next has returned More.
func (t *Tokenizer) Finish() { t.chunk, t.final = nil, true }

// Next returns the next token.
func (t *Tokenizer) Next() Token {
	switch {
	case t.Err != NoError:
		return Failed
	case t.inValue:
		return t.nextValue()
	}
	return t.nextName()
}

func (t *Tokenizer) nextName() Token {
	for i := 0; i < len(t.chunk); i++ {
		c := t.chunk[i]
		switch {
		case t.digits == 0 && c == '&' && len(t.name) == 0:
			continue // nothing between two separators
		case t.digits == 0 && (c == '=' || c == '&'):
			if c == '=' {
				i++ // without one the value is empty: what follows ends it
			}
			return t.endName(i)
		}
		octet, whole, ok := t.decode(c)
		switch {
		case !ok || whole && octet == 0:
			return t.fail(Syntax)
		case whole && len(t.name) == t.maxName:
			return t.fail(NameLength)
		case whole:
			t.name = append(t.name, octet)
		}
	}
	switch t.chunk = nil; {
	case !t.final:
		return More
	case t.digits > 0:
		return t.fail(Syntax)
	case len(t.name) > 0:
		return t.endName(0)
	}
	return End
}

func (t *Tokenizer) endName(used int) Token {
	if len(t.name) == 0 {
		return t.fail(Syntax)
	}
	t.chunk, t.inValue, t.Bytes, t.last = t.chunk[used:], true, t.name, 0
	return Name
}

func (t *Tokenizer) nextValue() Token {
	n := 0
	part := func(used int) Token {
		t.chunk, t.Bytes = t.chunk[used:], t.value[:n]
		return Part
	}
	for i, c := range t.chunk {
		if t.digits == 0 && c == '&' {
			part(i)
			return t.endValue()
		}
		if n == len(t.value) {
			return part(i)
		}
		octet, whole, ok := t.decode(c)
		ok = ok && (c != '=' || t.last != ']')
		if !ok && n > 0 {
			return part(i) // what was before the fault has been read
		}
		if !ok {
			return t.fail(Syntax)
		}
		if whole {
			t.value[n], t.last = octet, octet
			n++
		}
	}
	switch used := len(t.chunk); {
	case !t.final && n == 0:
		t.chunk = nil
		return More
	case !t.final:
		return part(used)
	case t.digits > 0:
		return t.fail(Syntax)
	}
	t.Bytes = nil
	return t.endValue()
}

func (t *Tokenizer) endValue() Token {
	t.inValue, t.name = false, t.name[:0]
	return Value
}

// decode takes the next byte; whole says that it completes an octet. A byte
// that is refused changes nothing.
func (t *Tokenizer) decode(c byte) (octet byte, whole, ok bool) {
	switch {
	case t.digits > 0:
		d, ok := unhex(c)
		if !ok {
			return 0, false, false
		}
		t.octet = t.octet<<4 | d
		t.digits--
		return t.octet, t.digits == 0, true
	case c == '%':
		t.digits, t.octet = 2, 0
		return 0, false, true
	case c == '+':
		return ' ', true, true
	}
	return c, true, c >= ' ' && c != 0x7f && c != ';'
}

func unhex(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10, true
	}
	return 0, false
}

func (t *Tokenizer) fail(e Error) Token {
	t.Bytes, t.Err = nil, e
	return Failed
}
