package schema

import (
	"fmt"

	"github.com/threatgate/threatgate/internal/artifact"
	"github.com/threatgate/threatgate/internal/compile/regex"
	"github.com/threatgate/threatgate/internal/inventory"
	"github.com/threatgate/threatgate/internal/violation"
)

// format adds the format of s, for numbers or for strings. Names that
// neither JSON Schema nor OpenAPI defines are ignored, as both demand.
func (b *builder) format(s *inventory.Schema) {
	r := &b.node.text
	if limits, ok := numberFormats[s.Format]; ok {
		b.node.number.atLeast(bound{violation.Format, numeral(limits.min), false})
		b.node.number.atMost(bound{violation.Format, numeral(limits.max), false})
	} else if f, ok := shortFormats[s.Format]; ok {
		r.format = f
	} else if grammar, ok := grammars[s.Format]; ok {
		r.grammar = b.grammar(grammar)
	} else if unenforced[s.Format] {
		b.unenforced(s.Pos, fmt.Sprintf("format %q", s.Format), nil)
	}
}

// grammar compiles one of our own patterns.
func (c *Compiler) grammar(source string) ref {
	r, ok := c.patterns[source]
	if !ok {
		dfa, err := regex.Compile(source)
		if err != nil {
			panic("schema: grammar of a format: " + err.Error())
		}
		c.automata = append(c.automata, dfa)
		r = ref(len(c.automata))
		c.patterns[source] = r
	}
	return r
}

// numberFormats are the ranges of the formats for numbers. The bounds of
// float and double are those of IEEE 754 binary32 and binary64, up to what
// rounds to the greatest finite value.
var numberFormats = map[string]struct{ min, max string }{
	"int8":   {"-128", "127"},
	"uint8":  {"0", "255"},
	"int16":  {"-32768", "32767"},
	"uint16": {"0", "65535"},
	"int32":  {"-2147483648", "2147483647"},
	"uint32": {"0", "4294967295"},
	"int64":  {"-9223372036854775808", "9223372036854775807"},
	"uint64": {"0", "18446744073709551615"},
	"float":  {"-3.4028235677973366e38", "3.4028235677973366e38"},
	"double": {"-1.797693134862315807e308", "1.797693134862315807e308"},
}

// shortFormats are judged by functions.
var shortFormats = map[string]artifact.Format{
	"date":      artifact.FormatDate,
	"date-time": artifact.FormatDateTime,
	"time":      artifact.FormatTime,
	"uuid":      artifact.FormatUUID,
	"email":     artifact.FormatEmail,
	"hostname":  artifact.FormatHostname,
	"ipv4":      artifact.FormatIPv4,
	"ipv6":      artifact.FormatIPv6,
}

// grammars are judged by automata.
var grammars = map[string]string{
	"uri":                   `^` + uri + `$`,
	"uri-reference":         `^(?:` + uri + `|` + relativeReference + `)$`,
	"byte":                  `^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$`, // RFC 4648, section 4
	"duration":              `^P(?:\d+W|` + durationDate + `(?:T` + durationTime + `)?|T` + durationTime + `)$`,
	"json-pointer":          `^` + pointer + `$`,
	"relative-json-pointer": `^(?:0|[1-9][0-9]*)(?:#|` + pointer + `)$`,
}

// RFC 6901, section 3.
const pointer = `(?:/(?:[^~/]|~[01])*)*`

// RFC 3339, appendix A.
const (
	durationDate = `(?:\d+Y(?:\d+M(?:\d+D)?)?|\d+M(?:\d+D)?|\d+D)`
	durationTime = `(?:\d+H(?:\d+M(?:\d+S)?)?|\d+M(?:\d+S)?|\d+S)`
)

// RFC 3986, appendix A.
const (
	escaped           = `%[0-9A-Fa-f]{2}`
	unreserved        = `A-Za-z0-9\-._~`
	delimiters        = `!$&'()*+,;=`
	pathCharacter     = `(?:[` + unreserved + delimiters + `:@]|` + escaped + `)`
	octet             = `(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])`
	dottedQuad        = octet + `(?:\.` + octet + `){3}`
	h16               = `[0-9A-Fa-f]{1,4}`
	ls32              = `(?:` + h16 + `:` + h16 + `|` + dottedQuad + `)`
	address6          = `(?:(?:` + h16 + `:){6}` + ls32 + `|::(?:` + h16 + `:){5}` + ls32 + `|(?:` + h16 + `)?::(?:` + h16 + `:){4}` + ls32 + `|(?:(?:` + h16 + `:){0,1}` + h16 + `)?::(?:` + h16 + `:){3}` + ls32 + `|(?:(?:` + h16 + `:){0,2}` + h16 + `)?::(?:` + h16 + `:){2}` + ls32 + `|(?:(?:` + h16 + `:){0,3}` + h16 + `)?::` + h16 + `:` + ls32 + `|(?:(?:` + h16 + `:){0,4}` + h16 + `)?::` + ls32 + `|(?:(?:` + h16 + `:){0,5}` + h16 + `)?::` + h16 + `|(?:(?:` + h16 + `:){0,6}` + h16 + `)?::)`
	addressFuture     = `v[0-9A-Fa-f]+\.[` + unreserved + delimiters + `:]+`
	host              = `(?:\[(?:` + address6 + `|` + addressFuture + `)\]|(?:[` + unreserved + delimiters + `]|` + escaped + `)*)`
	authority         = `(?:(?:[` + unreserved + delimiters + `:]|` + escaped + `)*@)?` + host + `(?::[0-9]*)?`
	afterAuthority    = `(?:/` + pathCharacter + `*)*`
	absolutePath      = `/(?:` + pathCharacter + `+(?:/` + pathCharacter + `*)*)?`
	rootlessPath      = pathCharacter + `+(?:/` + pathCharacter + `*)*`
	noColonPath       = `(?:[` + unreserved + delimiters + `@]|` + escaped + `)+(?:/` + pathCharacter + `*)*`
	queryAndFragment  = `(?:\?(?:` + pathCharacter + `|[/?])*)?(?:#(?:` + pathCharacter + `|[/?])*)?`
	uri               = `[A-Za-z][A-Za-z0-9+\-.]*:(?://` + authority + afterAuthority + `|` + absolutePath + `|` + rootlessPath + `)?` + queryAndFragment
	relativeReference = `(?://` + authority + afterAuthority + `|` + absolutePath + `|` + noColonPath + `)?` + queryAndFragment
)

// unenforced are formats that are defined but not judged. They are said to be.
var unenforced = map[string]bool{
	"regex": true, "iri": true, "iri-reference": true, "idn-email": true, "idn-hostname": true, "uri-template": true,
}
