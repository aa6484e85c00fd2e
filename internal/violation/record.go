package violation

import "strings"

// ReservedHeaders starts the names of the request headers by which Envoy's
// filters speak to each other. A client's own are removed before any filter
// runs, and none goes further.
const ReservedHeaders = "x-threatgate-"

// ReplyDetails starts the response code details of every answer of the
// filter's own (%RESPONSE_CODE_DETAILS%).
const ReplyDetails = "threatgate:"

// UnknownOperationLabel is the operation label of a request that matches no
// declared operation: one label for all, so that a client can't make metrics.
const UnknownOperationLabel = "unknown"

// Contract is the threat id of a violation that no threat names: the
// operation's contract policy stands with or without one.
const Contract = "contract"

// Violation is one violation of one request or of its response, as the filter
// reports it.
type Violation struct {
	Code    Code
	In      Place
	Pointer string // JSON pointer (RFC 6901) into the body, or the parameter's name; undeclared names are "*"
	Schema  string // location of the violated schema or parameter in its specification
	Threat  string
}

// Place is the part of the message that a violation is about.
type Place uint8

const (
	InRequest Place = iota // as a whole
	InBody
	InPath
	InQuery
	InHeader
	InCookie
	InBodyStream // where bodies are passed on while they are judged: the upstream has got the beginning
	InResponse   // the response as a whole
	InResponseHeader
	InResponseBody   // as far as enforce holds it
	InResponseStream // what follows that: the client has got the beginning
	placeCount
)

func (p Place) String() string {
	return [...]string{"request", "body", "path", "query", "header", "cookie", "body-stream",
		"response", "response-header", "response-body", "response-stream"}[p]
}

// OfResponse reports whether p is a part of a response.
func (p Place) OfResponse() bool { return p >= InResponse }

// AppendWire appends v in the form that travels in AttributeViolations: fields
// separated by tabs, ended by a line feed. Control characters, which the
// names of a specification may hold, become spaces.
func (v *Violation) AppendWire(dst []byte) []byte {
	for _, field := range [...]string{v.Code.Family().String(), v.Code.String(), v.In.String(), v.Pointer, v.Schema, v.Threat} {
		for i := range len(field) {
			dst = append(dst, max(field[i], ' '))
		}
		dst = append(dst, '\t')
	}
	dst[len(dst)-1] = '\n'
	return dst
}

// ParseWire reads what AppendWire wrote, once or several times over. It
// returns false if any part of s is not of that form.
func ParseWire(s string) ([]Violation, bool) {
	var out []Violation
	for line := range strings.Lines(s) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != 6 {
			return nil, false
		}
		code, ok := ParseCode(f[0], f[1])
		place, known := parsePlace(f[2])
		if !ok || !known {
			return nil, false
		}
		out = append(out, Violation{code, place, f[3], f[4], f[5]})
	}
	return out, true
}

func parsePlace(s string) (Place, bool) {
	for p := range placeCount {
		if p.String() == s {
			return p, true
		}
	}
	return 0, false
}
