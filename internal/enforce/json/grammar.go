package json

// state is what may come next, between tokens.
type state uint8

const (
	stateNone state = iota
	stateValue
	stateFirstItem
	stateFirstName
	stateName
	stateColon
	stateArrayNext
	stateObjectNext
	stateDone
	stateCount
)

// class is a class of bytes that the grammar treats alike.
type class uint8

const (
	classOther class = iota
	classSpace
	classOpenObject
	classCloseObject
	classOpenArray
	classCloseArray
	classQuote
	classColon
	classComma
	classNumber
	classLiteral
)

var classes = [256]class{
	' ': classSpace, '\t': classSpace, '\n': classSpace, '\r': classSpace,
	'{': classOpenObject, '}': classCloseObject, '[': classOpenArray, ']': classCloseArray,
	'"': classQuote, ':': classColon, ',': classComma,
	'-': classNumber, '0': classNumber, '1': classNumber, '2': classNumber, '3': classNumber, '4': classNumber,
	'5': classNumber, '6': classNumber, '7': classNumber, '8': classNumber, '9': classNumber,
	't': classLiteral, 'f': classLiteral, 'n': classLiteral,
}

// action is what a byte does in a state: 0 is an error, any other number of a
// state leads there.
type action uint8

const (
	beginString action = iota + action(stateCount)
	beginName
	beginNumber
	beginLiteral
	beginObject
	beginArray
	endObject
	endArray
)

// grammar is RFC 8259, sections 2 to 5. Its size is a power of two, so that
// masked indexes need no check.
var grammar = [16][16]action{
	stateValue: {classSpace: action(stateValue), classOpenObject: beginObject, classOpenArray: beginArray,
		classQuote: beginString, classNumber: beginNumber, classLiteral: beginLiteral},
	stateFirstItem: {classSpace: action(stateFirstItem), classOpenObject: beginObject, classOpenArray: beginArray,
		classQuote: beginString, classNumber: beginNumber, classLiteral: beginLiteral, classCloseArray: endArray},
	stateFirstName:  {classSpace: action(stateFirstName), classQuote: beginName, classCloseObject: endObject},
	stateName:       {classSpace: action(stateName), classQuote: beginName},
	stateColon:      {classSpace: action(stateColon), classColon: action(stateValue)},
	stateArrayNext:  {classSpace: action(stateArrayNext), classComma: action(stateValue), classCloseArray: endArray},
	stateObjectNext: {classSpace: action(stateObjectNext), classComma: action(stateName), classCloseObject: endObject},
	stateDone:       {classSpace: action(stateDone)},
}

// numberState is a place within a number (RFC 8259, section 6).
type numberState uint8

const (
	numberStart numberState = iota
	numberMinus
	numberZero // accepting, as are the other states named after digits
	numberInteger
	numberPoint
	numberFraction
	numberE
	numberSign
	numberExponent
	numberStop // the byte is not part of the number
)

func (s numberState) accepts() bool {
	return s == numberZero || s == numberInteger || s == numberFraction || s == numberExponent
}

// numberClasses are the columns of numberNext.
var numberClasses = [256]uint8{
	'0': 1, '1': 2, '2': 2, '3': 2, '4': 2, '5': 2, '6': 2, '7': 2, '8': 2, '9': 2,
	'-': 3, '+': 4, '.': 5, 'e': 6, 'E': 6,
}

var numberNext = [numberStop][7]numberState{
	// other, 0, 1-9, -, +, ., e
	numberStart:    {numberStop, numberZero, numberInteger, numberMinus, numberStop, numberStop, numberStop},
	numberMinus:    {numberStop, numberZero, numberInteger, numberStop, numberStop, numberStop, numberStop},
	numberZero:     {numberStop, numberStop, numberStop, numberStop, numberStop, numberPoint, numberE},
	numberInteger:  {numberStop, numberInteger, numberInteger, numberStop, numberStop, numberPoint, numberE},
	numberPoint:    {numberStop, numberFraction, numberFraction, numberStop, numberStop, numberStop, numberStop},
	numberFraction: {numberStop, numberFraction, numberFraction, numberStop, numberStop, numberStop, numberE},
	numberE:        {numberStop, numberExponent, numberExponent, numberSign, numberSign, numberStop, numberStop},
	numberSign:     {numberStop, numberExponent, numberExponent, numberStop, numberStop, numberStop, numberStop},
	numberExponent: {numberStop, numberExponent, numberExponent, numberStop, numberStop, numberStop, numberStop},
}

// numberPart reads on in a number.
func (t *Tokenizer) numberPart() Token {
	b, i, s := t.chunk, t.pos, t.number
	for ; i < len(b); i++ {
		next := numberNext[s][numberClasses[b[i]]]
		if next == numberStop {
			break
		}
		s = next
	}
	t.Bytes = b[t.pos:i]
	cut := i == len(b) && !t.final
	if cut || len(t.buf) > 0 {
		t.buf = append(t.buf, t.Bytes...)
		t.Bytes = t.buf
	}
	t.pos, t.number = i, s
	switch {
	case len(t.Bytes) > t.limits.MaxToken:
		return t.fail(TokenLength)
	case cut:
		return More
	case !s.accepts():
		return t.fail(Syntax)
	}
	t.inside = nothing
	t.moveTo(i, t.after)
	return Number
}
