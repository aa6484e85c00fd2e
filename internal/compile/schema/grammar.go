package schema

import (
	"fmt"
	"strings"
)

// grammars are the formats for strings that automata judge, as patterns.
var grammars = map[string]string{
	"uri":                   whole(ascii.uri()),
	"uri-reference":         whole(ascii.uri() + "|" + ascii.relative()),
	"iri":                   whole(international.uri()),
	"iri-reference":         whole(international.uri() + "|" + international.relative()),
	"uri-template":          whole(uriTemplate),
	"byte":                  whole(`(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?`), // RFC 4648, section 4
	"base64url":             whole(`(?:[\w\-]{4})*(?:[\w\-]{2}(?:==)?|[\w\-]{3}=?)?`),                // section 5
	"duration":              whole(`P(?:\d+W|` + durationDate + `(?:T` + durationTime + `)?|T` + durationTime + `)`),
	"regex":                 whole(expression),
	"json-pointer":          whole(pointer),
	"relative-json-pointer": whole(`(?:0|[1-9]\d*)(?:#|` + pointer + `)`),
	"char":                  whole(`[\s\S]`),
	"int64":                 whole(`-?` + upTo("9223372036854775807") + `|-9223372036854775808`),
	"uint64":                whole(upTo("18446744073709551615")),
	"decimal":               whole(decimal),
	"decimal128":            whole(decimal + `(?:[Ee][+\-]?\d+)?|NaN|-?INF`),
	"unixtime":              whole(decimal),
	"ipv4-cidr":             whole(dottedQuad + `/(?:3[0-2]|[12]?\d)`),
	"ipv6-cidr":             whole(address6 + `/(?:12[0-8]|1[01]\d|[1-9]?\d)`),
	"http-date":             whole(httpDate),
	"media-range":           whole(token + `/` + token + `(?:[ \t]*;[ \t]*(?:` + token + `=(?:` + token + `|` + quotedString + `))?)*`), // RFC 9110, section 12.5.1
	"language":              whole(language),
	"sf-binary":             whole(`:[A-Za-z0-9+/=]*:`), // RFC 8941, section 3.3, for this and the following
	"sf-boolean":            whole(`\?[01]`),
	"sf-string":             whole(`"(?:[ !#-\[\]-~]|\\["\\])*"`),
	"sf-token":              whole(`[A-Za-z*][` + tokenCharacters + `:/]*`),
}

// whole matches all of a text, or nothing.
func whole(pattern string) string { return "^(?:" + pattern + ")$" }

// RFC 6901, section 3.
const pointer = `(?:/(?:[^~/]|~[01])*)*`

// RFC 3339, appendix A.
const (
	durationDate = `(?:\d+Y(?:\d+M(?:\d+D)?)?|\d+M(?:\d+D)?|\d+D)`
	durationTime = `(?:\d+H(?:\d+M(?:\d+S)?)?|\d+M(?:\d+S)?|\d+S)`
)

const decimal = `[+\-]?(?:\d+(?:\.\d*)?|\.\d+)`

// upTo matches the whole numbers from 0 to limit.
func upTo(limit string) string {
	alternatives := []string{"0", limit}
	if n := len(limit) - 1; n > 0 {
		alternatives = append(alternatives, fmt.Sprintf(`[1-9]\d{0,%d}`, n-1))
	}
	for i := range limit {
		first := byte('0')
		if i == 0 {
			first = '1'
		}
		if limit[i] > first {
			alternatives = append(alternatives, fmt.Sprintf(`%s[%c-%c]\d{%d}`, limit[:i], first, limit[i]-1, len(limit)-1-i))
		}
	}
	return "(?:" + strings.Join(alternatives, "|") + ")"
}

// ECMA-262 2023, section 22.2.1, with the u flag and what package regex takes
// over from Annex B, but for what is no regular language: that groups are closed,
// that numbers and names refer to them, that bounds are in order.
const (
	expression      = `(?:[\^$|]|\\[Bb]|\((?:\?(?:[:=!]|<[=!]|<` + groupName + `>))?|(?:[^\\()\[*+?{^$|]|\)|\{(?!,|` + bounds + `)|` + characterClass + `|` + characterEscape + `|\\[1-9]\d*|\\k<` + groupName + `>)` + quantifier + `)*`
	quantifier      = `(?:(?:[*+?]|\{` + bounds + `)\??)?`
	bounds          = `\d+(?:,\d*)?\}`
	groupName       = `[A-Za-z_$\u{80}-\u{10FFFF}][\w$\u{80}-\u{10FFFF}]*`
	characterClass  = `\[\^?(?:[^\]\\]|\\b|` + characterEscape + `)*\]`
	characterEscape = `\\(?:[DdWwSstnvfr]|[Pp]\{\w+(?:=\w+)?\}|c[A-Za-z]|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|u\{0*(?:10|[0-9A-Fa-f])?[0-9A-Fa-f]{1,4}\}|0(?!\d)|[^0-9A-Za-z])`
)

// RFC 9110, section 5.6.
const (
	tokenCharacters = "!#$%&'*+\\-.^`|~\\w"
	token           = `[` + tokenCharacters + `]+`
	quotedString    = `"(?:[\t !#-\[\]-~\u{80}-\u{FF}]|\\[\t -~\u{80}-\u{FF}])*"`

	httpDate  = `(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), ` + day + ` ` + month + ` \d{4} ` + timeOfDay + ` GMT|` + oldDate
	oldDate   = `(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, ` + day + `-` + month + `-\d{2} ` + timeOfDay + ` GMT|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ` + month + ` (?: [1-9]|[12]\d|3[01]) ` + timeOfDay + ` \d{4}`
	day       = `(?:0[1-9]|[12]\d|3[01])`
	month     = `(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)`
	timeOfDay = `(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)`
)

// RFC 5646, section 2.1.
const (
	language = `(?:[A-Za-z]{2,3}(?:-[A-Za-z]{3}){0,3}|[A-Za-z]{4,8})(?:-[A-Za-z]{4})?(?:-(?:[A-Za-z]{2}|\d{3}))?` +
		`(?:-(?:[A-Za-z0-9]{5,8}|\d[A-Za-z0-9]{3}))*(?:-[0-9A-WYZa-wyz](?:-[A-Za-z0-9]{2,8})+)*(?:-` + privateUse + `)?|` + privateUse + `|` + irregular
	privateUse = `[Xx](?:-[A-Za-z0-9]{1,8})+`
	irregular  = `en-GB-oed|i-(?:ami|bnn|default|enochian|hak|klingon|lux|mingo|navajo|pwn|tao|tay|tsu)|sgn-(?:BE-FR|BE-NL|CH-DE)`
)

// identifier is the syntax of URIs (RFC 3986, appendix A) or IRIs (RFC 3987,
// section 2.2), by the characters that the latter have more.
type identifier struct {
	unreserved string
	private    string // in queries
}

var (
	ascii         = identifier{unreserved: unreserved}
	international = identifier{unreserved: unreserved + ucschar, private: iprivate}
)

func (i identifier) uri() string {
	character := i.characters(":@")
	return `[A-Za-z][A-Za-z0-9+\-.]*:(?:` + i.rooted() + `|` + character + `+(?:/` + character + `*)*)?` + i.queryAndFragment()
}

func (i identifier) relative() string {
	return `(?:` + i.rooted() + `|` + i.characters("@") + `+(?:/` + i.characters(":@") + `*)*)?` + i.queryAndFragment()
}

// rooted is an authority and a path, or a path that begins with a slash.
func (i identifier) rooted() string {
	character := i.characters(":@")
	host := `(?:\[(?:` + address6 + `|` + addressFuture + `)\]|` + i.characters("") + `*)`
	authority := `(?:` + i.characters(":") + `*@)?` + host + `(?::\d*)?`
	return `//` + authority + `(?:/` + character + `*)*|/(?:` + character + `+(?:/` + character + `*)*)?`
}

func (i identifier) queryAndFragment() string {
	return `(?:\?(?:` + i.characters(":@/?"+i.private) + `)*)?(?:#(?:` + i.characters(":@/?") + `)*)?`
}

// characters is a character of a path, or one of more.
func (i identifier) characters(more string) string {
	return `(?:[` + i.unreserved + delimiters + more + `]|` + escaped + `)`
}

const (
	escaped       = `%[0-9A-Fa-f]{2}`
	unreserved    = `A-Za-z0-9\-._~`
	delimiters    = `!$&'()*+,;=`
	octet         = `(?:25[0-5]|2[0-4]\d|1\d{2}|[1-9]?\d)`
	dottedQuad    = octet + `(?:\.` + octet + `){3}`
	h16           = `[0-9A-Fa-f]{1,4}`
	ls32          = `(?:` + h16 + `:` + h16 + `|` + dottedQuad + `)`
	address6      = `(?:(?:` + h16 + `:){6}` + ls32 + `|::(?:` + h16 + `:){5}` + ls32 + `|(?:` + h16 + `)?::(?:` + h16 + `:){4}` + ls32 + `|(?:(?:` + h16 + `:){0,1}` + h16 + `)?::(?:` + h16 + `:){3}` + ls32 + `|(?:(?:` + h16 + `:){0,2}` + h16 + `)?::(?:` + h16 + `:){2}` + ls32 + `|(?:(?:` + h16 + `:){0,3}` + h16 + `)?::` + h16 + `:` + ls32 + `|(?:(?:` + h16 + `:){0,4}` + h16 + `)?::` + ls32 + `|(?:(?:` + h16 + `:){0,5}` + h16 + `)?::` + h16 + `|(?:(?:` + h16 + `:){0,6}` + h16 + `)?::)`
	addressFuture = `[Vv][0-9A-Fa-f]+\.[` + unreserved + delimiters + `:]+`

	ucschar = `\u{A0}-\u{D7FF}\u{F900}-\u{FDCF}\u{FDF0}-\u{FFEF}` +
		`\u{10000}-\u{1FFFD}\u{20000}-\u{2FFFD}\u{30000}-\u{3FFFD}\u{40000}-\u{4FFFD}\u{50000}-\u{5FFFD}\u{60000}-\u{6FFFD}\u{70000}-\u{7FFFD}` +
		`\u{80000}-\u{8FFFD}\u{90000}-\u{9FFFD}\u{A0000}-\u{AFFFD}\u{B0000}-\u{BFFFD}\u{C0000}-\u{CFFFD}\u{D0000}-\u{DFFFD}\u{E1000}-\u{EFFFD}`
	iprivate = `\u{E000}-\u{F8FF}\u{F0000}-\u{FFFFD}\u{100000}-\u{10FFFD}`
)

// RFC 6570, section 2; the apostrophe is that of its erratum 6937.
const (
	uriTemplate  = `(?:[!#$&'(-;=?-\[\]_a-z~` + ucschar + iprivate + `]|` + escaped + `|\{[+#./;?&=,!@|]?` + variable + `(?:,` + variable + `)*\})*`
	variable     = variableName + `(?:\.` + variableName + `)*(?::[1-9]\d{0,3}|\*)?`
	variableName = `(?:\w|` + escaped + `)+`
)
